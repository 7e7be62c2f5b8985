#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""napi=threaded: the kernel merges the wire-sized frames that a TAP with offload=none gives it, in
threads of its own; and only then. Who may not switch that on is told so."""

import os
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import LEAT, Failure, main, run

# Options of the right port; whether it is threaded.
CASES = [("none", False), ("none,napi=threaded", True), ("none,napi=off", False), ("on", False),
         ("on,napi=threaded", True)]


def is_threaded(lab, name):
    return run(*lab.within(name, "cat", f"/sys/class/net/{name}/threaded")).strip() == "1"


def merged(before, after):
    """Segments in a packet that IP received, on average."""
    return ((after["IpExtInNoECTPkts"] - before["IpExtInNoECTPkts"])
            / (after["IpInReceives"] - before["IpInReceives"]))


def unprivileged(lab, options):
    """leat run for a moment, in the namespace, allowed to make TAPs and not to mount."""
    return subprocess.run(lab.within("right", "setpriv", "--bounding-set", "-sys_admin", LEAT, "run",
                                     "--port", f"x=tap,offload=none{options}", "--duration", "0.1s"),
                          capture_output=True, text=True, timeout=20)


def refusals(lab):
    done = unprivileged(lab, "")
    if done.returncode:
        raise Failure(f"it does not do without: {done.stderr}")
    done = unprivileged(lab, ",napi=threaded")
    print(f"  says: {done.stderr.strip()}")
    if done.returncode != 77 or "x: napi=threaded" not in done.stderr:
        raise Failure(f"exit code {done.returncode}")


def work(lab):
    refusals(lab)
    for options, threaded in CASES:
        leat = lab.leat("on", options)
        found, before = is_threaded(lab, "right"), lab.counters("right")
        lab.iperf(1)
        segments = merged(before, lab.counters("right"))
        lost = sum(q["errors"] + q["dropped"] for port in leat.stop()["ports"]
                   for q in port["tx"])
        print(f"offload={options}: {'threaded' if found else 'not threaded'}, {segments:.1f} "
              f"segments to a packet, {lost} lost")
        if found != threaded:
            raise Failure(f"expected it to be {'' if threaded else 'not '}threaded")
        if options.startswith("none") and (segments > 1.5) != threaded:
            raise Failure("the kernel merges" if not threaded else "the kernel does not merge")


main(work, "iperf3")
