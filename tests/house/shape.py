#!/usr/bin/python3
"""Short files, short functions, the whole path on one screen, no typedef'd structs.

    shape.py ROOT
"""

import re
import subprocess
import sys

import house

FILE_LINES = 500
FUNCTION_LINES = 60     # nine in ten are shorter
FUNCTION_LIMIT = 100    # all are
PATH, PATH_LINES = "plane/worker.c", 120


def functions(root, paths):
    """(lines, where) of each function, longest last."""
    tags = subprocess.run(
        ["ctags", "-x", "--languages=C", "--kinds-C=f", "--_xformat=%n %e %F:%N", *paths],
        cwd=root, capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in tags.splitlines()]
    return sorted((int(end) - int(first) + 1, where) for first, end, where in rows)


def check(root):
    complaints = []
    paths = house.files(root, ".c", ".h")
    for path in paths:
        text = house.read(root, path)
        lines = text.count("\n")
        limit = PATH_LINES if path == PATH else FILE_LINES
        if lines > limit:
            complaints.append(f"{path}: {lines} lines, over {limit}")
        for found in re.finditer(r"\btypedef\s+(struct|union|enum)\b", text):
            complaints.append(f"{path}:{text.count(chr(10), 0, found.start()) + 1}: "
                              f"typedef'd {found[1]}")
    ours = [path for path in paths if path.startswith(("include/", "lib/", "plane/", "cli/"))]
    table = functions(root, ours) if ours else []
    if table:
        median, tenth = (table[int(len(table) * part)][0] for part in (0.5, 0.9))
        print(f"{len(table)} functions: median {median} lines, nine in ten up to {tenth}")
        if tenth >= FUNCTION_LINES:
            complaints.append(f"one function in ten has {tenth} lines or more")
    complaints += [f"{where}: {lines} lines, over {FUNCTION_LIMIT}"
                   for lines, where in table if lines > FUNCTION_LIMIT]
    return complaints


if __name__ == "__main__":
    house.verdict(check(sys.argv[1]))
