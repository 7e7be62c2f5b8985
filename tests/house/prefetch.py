#!/usr/bin/python3
"""A source that asks the cache for something has an object that does: GCC takes a function that does
nothing else for one without effect, and drops its calls.

    prefetch.py ROOT BUILD LTO
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
INSTRUCTION = {"x86_64": re.compile(r"\tprefetch"), "aarch64": re.compile(r"\tprfm")}


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
    return instruction.search(subprocess.run(["objdump", "-d", output], capture_output=True,
                                             text=True, check=True).stdout)


def check(root, build, instruction):
    asking = {source: outputs for source, outputs in objects(root, build).items()
              if ASKS.search(house.read(root, source))}
    return [f"{source}: asks for nothing" for source, outputs in asking.items()
            if not any(has(instruction, output) for output in outputs)] \
        if asking else ["no source asks for anything"]


if __name__ == "__main__":
    if platform.machine() not in INSTRUCTION:
        house.skip(f"what the instruction is called on {platform.machine()} is not known")
    if sys.argv[3] != "false":
        house.skip("objects have no code where all is optimized at the end (b_lto)")
    house.verdict(check(*sys.argv[1:3], INSTRUCTION[platform.machine()]))
