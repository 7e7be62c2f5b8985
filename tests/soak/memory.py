#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Memory after a long load is what it was after ten seconds of it.

LEAT_SOAK_SECONDS: how long (600).
"""

import os
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import Failure, main

SECONDS = int(os.environ.get("LEAT_SOAK_SECONDS", "600"))
FIRST = 10
STREAMS = 8
TOLERANCE = 0.02


def work(lab):
    leat = lab.leat("none", "on")
    began = time.monotonic()
    pair = lab.start_iperf(SECONDS, STREAMS)
    sizes = []
    for moment in (FIRST, *range(FIRST + 60, SECONDS, 60), SECONDS - 1):
        time.sleep(max(0, began + moment - time.monotonic()))
        leat.alive()
        sizes.append(leat.rss())
        print(f"after {time.monotonic() - began:.0f} s: {sizes[-1]} kB")
    report = lab.finish_iperf(pair, 60)
    leat.stop()
    print(f"{report['gbps']:.2f} Gbit/s throughout")
    if abs(sizes[-1] - sizes[0]) > TOLERANCE * sizes[0]:
        raise Failure("memory changed")


main(work, "iperf3")
