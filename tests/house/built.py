#!/usr/bin/python3
"""No source is left out of the build, and no test is left out of the run.

    built.py ROOT BUILD
"""

import json
import os
import sys

import house

BUILT = ("lib/", "plane/", "cli/", "bench/", "tests/")
ELSEWHERE = "tests/vm/"  # run by `make test-vm`, in an emulated machine
WHERE_FOUND = "bench/peer/"  # built where the peer's library is


def info(build, name):
    with open(os.path.join(build, "meson-info", f"intro-{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def check(root, build):
    def here(paths):
        return {os.path.relpath(path, root) for path in paths}

    sources = here(source for target in info(build, "targets")
                   for group in target["target_sources"] for source in group.get("sources", []))
    runs = here(test["cmd"][0] for test in info(build, "tests"))
    complaints = [f"{path}: nothing builds it" for path in house.files(root, ".c")
                  if path.startswith(BUILT) and path not in sources
                  and not path.startswith(WHERE_FOUND)]
    return complaints + [f"{path}: no test runs it" for path in house.files(root)
                         if path.startswith("tests/") and path.count("/") == 2
                         and not path.startswith(ELSEWHERE)
                         and os.access(os.path.join(root, path), os.X_OK) and path not in runs]


if __name__ == "__main__":
    house.verdict(check(*sys.argv[1:3]))
