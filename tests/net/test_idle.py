#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A plane with nothing to do does nothing."""

import os
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import Failure, main

SECONDS = 3


def work(lab):
    leat = lab.leat()
    if not lab.reaches("left", "right"):
        raise Failure("nothing gets through")
    time.sleep(1)
    before = leat.cpu_ns()
    time.sleep(SECONDS)
    used = (leat.cpu_ns() - before) / 1e9 / SECONDS
    print(f"idle for {SECONDS} s: {100 * used:.3f} % of a CPU")
    leat.stop()
    if used >= 0.01:
        raise Failure("that is not idle")


main(work)
