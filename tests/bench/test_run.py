#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/run: every peer can be measured, and a row says against whom. How fast anything is, is not
tested."""

import json
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import SOURCE, Failure, main, run, why_uncounted

PEERS = ["loop", "veth", "bridge", "without-gro"]


def rows(case):
    words = [word for peer in PEERS for word in ("--peer", peer)]
    return json.loads(run(sys.executable, f"{SOURCE}/bench/run", "--json", "-n", "1", "-t", "1",
                          "--case", case, *words, timeout=100))


def passes_options_on():
    try:
        run(sys.executable, f"{SOURCE}/bench/run", "-n", "1", "-c", "on-on", "-o",
            "right=colour=red", timeout=100)
    except Failure as failure:
        if "has no option 'colour'" not in str(failure):
            raise
    else:
        raise Failure("a port may be red")


def work(lab):
    countable = not why_uncounted()
    passes_options_on()
    for case, peers in (("on-on", PEERS), ("none-none", [PEERS[0], *PEERS[3:]])):
        found = rows(case)
        print(case, *(f"{row['against']} {row['ratio']:.2f}" for row in found))
        if [(row["case"], row["against"]) for row in found] != [(case, peer) for peer in peers]:
            raise Failure(f"other rows than {peers}")
        for row in found:
            if not row["ours"] > 0 or not row["peer"] > 0:
                raise Failure(f"nothing measured: {row}")
            if countable and not 0 < row["syscalls_per_segment"] < 10:
                raise Failure(f"system calls: {row}")
            if (row["target"] is None) != row["against"].startswith("without-"):
                raise Failure(f"a target: {row}")


main(work, "iperf3")
