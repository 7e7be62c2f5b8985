#!/usr/bin/python3
"""No file names a place on its author's machine, and the README names the two commands.

    names.py ROOT
"""

import re
import sys

import house

AUTHORS = re.compile(r"(?<![\w.*-])/(wor[k]|roo[t]|hom[e])(?![\w-])")


def check(root):
    complaints = []
    for path in house.files(root):
        for number, line in enumerate(house.read(root, path).splitlines(), 1):
            if AUTHORS.search(line):
                complaints.append(f"{path}:{number}: {line.strip()}")
    try:
        readme = house.read(root, "README.md")
    except FileNotFoundError:
        return complaints + ["no README.md"]
    return complaints + [f"README.md does not name `{command}`"
                         for command in ("make demo", "make test") if command not in readme]


if __name__ == "__main__":
    house.verdict(check(sys.argv[1]))
