#!/usr/bin/python3
"""The README's example is examples/embed.c, compiles without a warning, and runs.

    example.py ROOT LIBLEAT.A SANITIZERS
"""

import os
import re
import subprocess
import sys
import tempfile

import house

EXAMPLE = "examples/embed.c"


def check(root, archive):
    block = re.search(r"^```c\n(.*?)^```$", house.read(root, "README.md"), re.M | re.S)
    if not block:
        return ["README.md has no ```c block"]
    if block[1] != house.read(root, EXAMPLE):
        return [f"README.md's example is not {EXAMPLE}"]
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "embed")
        built = subprocess.run(
            ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-I", os.path.join(root, "include"),
             "-xc", "-", "-xnone", archive, "-o", program],
            input=block[1], capture_output=True, text=True)
        if built.returncode != 0:
            return [built.stderr]
        ran = subprocess.run([program], capture_output=True, text=True, timeout=10)
        print(ran.stdout, end="")
        return [f"exit code {ran.returncode}\n{ran.stderr}"] if ran.returncode != 0 else []


if __name__ == "__main__":
    if sys.argv[3] != "none":
        house.skip("a sanitizer's library does not link into a plain program")
    house.verdict(check(*sys.argv[1:3]))
