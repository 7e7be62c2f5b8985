#!/usr/bin/python3
"""What a source asks the cache for, its object asks for: GCC takes a function that does nothing else
for one without effect, and drops its calls.

    prefetch.py ROOT BUILD
"""

import json
import os
import platform
import re
import subprocess
import sys

import house

ASKS = re.compile(r"prefetch\(")
SOURCES = ("lib/", "plane/", "cli/")
INSTRUCTION = {"x86_64": "prefetch", "aarch64": "prfm"}


def objects(root, build):
    """The objects that were made of each source."""
    made = {}
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        for command in json.load(file):
            source = os.path.relpath(os.path.join(command["directory"], command["file"]), root)
            output = os.path.join(command["directory"], command["output"])
            if source.startswith(SOURCES) and os.path.exists(output):
                made.setdefault(source, []).append(output)
    return made


def has(instruction, output):
    return instruction in subprocess.run(["objdump", "-d", output], capture_output=True, text=True,
                                         check=True).stdout


def check(root, build, instruction):
    return [f"{source}: asks for nothing" for source, outputs in objects(root, build).items()
            if ASKS.search(house.read(root, source))
            and not any(has(instruction, output) for output in outputs)]


if __name__ == "__main__":
    if platform.machine() not in INSTRUCTION:
        house.skip(f"what the instruction is called on {platform.machine()} is not known")
    house.verdict(check(*sys.argv[1:3], INSTRUCTION[platform.machine()]))
