#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/profile: every sample is somewhere, and leat's are where it has work to do. Exits 77 where perf
is not permitted."""

import json
import os
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import SKIP, SOURCE, Failure, main


def rows():
    ran = subprocess.run([sys.executable, f"{SOURCE}/bench/profile", "--json", "-t", "1", "-n", "3",
                          "-c", "none-none", "-c", "on-none"], capture_output=True, text=True,
                         timeout=100)
    if ran.returncode == SKIP:
        print(ran.stdout.strip())
        sys.exit(SKIP)
    if ran.returncode:
        raise Failure(ran.stdout + ran.stderr)
    return json.loads(ran.stdout)


def work(_):
    found = rows()
    if [(row["case"], row["of"]) for row in found] != [
            ("none-none", "leat"), ("none-none", "loop"), ("on-none", "leat")]:
        raise Failure(f"other rows: {found}")
    for row in found:
        share = row["share"]
        print(row["case"], row["of"], *(f"{name} {part:.1f}" for name, part in share.items()))
        if abs(sum(share.values()) - 100) > 0.1 or len(row["symbols"]) != 3:
            raise Failure(f"not all of it: {row}")
        for name in ("own", "entry", "read", "write", "protocols", "iperf3"):
            if not share[name] > 0:
                raise Failure(f"nothing is {name}: {row}")


main(work, "iperf3", "perf")
