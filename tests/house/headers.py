#!/usr/bin/python3
"""Every public header compiles alone, as C11 and as C++17, with C linkage.

    headers.py ROOT HEADER...
"""

import os
import re
import subprocess
import sys

import house

COMPILERS = (["gcc", "-std=c11", "-xc"], ["clang", "-std=c11", "-xc"], ["g++", "-std=c++17", "-xc++"])
STRICT = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]


def check(root, headers):
    complaints = []
    for header in headers:
        for compiler in COMPILERS:
            # Twice, so that the guard is tested too.
            result = subprocess.run(
                [*compiler, *STRICT, "-I", os.path.join(root, "include"), "-"],
                input=f'#include "{header}"\n' * 2, capture_output=True, text=True)
            if result.returncode != 0:
                complaints.append(f"{header}: {' '.join(compiler)}:\n{result.stderr}")
        text = house.read(root, header)
        if re.search(r"^(?!static)\w[\w *]*\bleat_\w+\(", text, re.M) and 'extern "C"' not in text:
            complaints.append(f'{header}: declares functions without extern "C"')
    return complaints


if __name__ == "__main__":
    house.verdict(check(sys.argv[1], sys.argv[2:]))
