#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""TCP stays in order while the knobs that move flows between CPUs and queues are turned.

What the receiver had to put in its out-of-order queue must be explained by what got lost: until a
lost segment is retransmitted, at most a window of its stream arrives ahead of it. Everything lost
is counted: by leat, by the devices, by the receiver. Retransmissions alone explain nothing, for
where segments overtake each other there are some too.

LEAT_SECONDS: for how long (5). LEAT_SEED: of the changes.
"""

import os
import random
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import Failure, main

SECONDS = int(os.environ.get("LEAT_SECONDS", "5"))
SEED = int(os.environ.get("LEAT_SEED", str(random.randrange(1 << 32))))
STREAMS = 16
WINDOW = 256 << 10  # bytes of a stream under way: all of them fit in a TAP's queue
MSS = 1448
PAUSE = 0.005
BACKLOG = 4096  # room for all windows
RECEIVER_DROPS = ("TcpInCsumErrors", "TcpExtTCPBacklogDrop", "TcpExtTCPRcvQDrop",
                  "TcpExtRcvPruned", "TcpExtOfoPruned")

QUEUES = [f"{port}/queues/rx-{q}/" for port in ("left", "right") for q in (0, 1)]
KNOBS = {
    **{queue + "rps_cpus": ("0", "1", "2", "3") for queue in QUEUES},
    **{queue + "rps_flow_cnt": ("0", "64", "4096") for queue in QUEUES},
    **{queue + "smp_affinity_list": ("0", "1") for queue in QUEUES},
    **{queue.replace("/rx-", "/tx-") + "xps_cpus": ("0", "1", "2", "3") for queue in QUEUES},
    "net/core/rps_sock_flow_entries": ("0", "64", "32768"),
    "left/features/rx-gro": ("on", "off"),
    "right/features/rx-gro": ("on", "off"),
}


def turn_knobs(lab, leat, client, rng):
    """Until the client has finished; gives how many changes there were."""
    changes = 0
    while client.poll() is None:
        leat.alive()
        knob = rng.choice(list(KNOBS))
        leat.set(knob, rng.choice(KNOBS[knob]))
        changes += 1
        time.sleep(PAUSE)
    return changes


def count_drops(lab, leat):
    """What was lost so far, anywhere."""
    stats = leat.stats()
    queues = [queue for port in stats["ports"] for way in ("rx", "tx") for queue in port[way]]
    received = lab.counters("right")
    return (lab.device_drops() + sum(received[key] for key in RECEIVER_DROPS) +
            sum(queue["dropped"] + queue["errors"] for queue in queues) +
            sum(cpu[key] for cpu in stats["cpus"] for key in ("dropped", "no_route", "bad_gso")))


def under_change(lab, left, right):
    """One run with these offloads."""
    leat = lab.leat(left, right, "--cpus", "0-1", "--set",
                    f"net/core/netdev_max_backlog={BACKLOG}")
    drops = count_drops(lab, leat)
    before = {name: lab.counters(name) for name in ("left", "right")}
    pair = lab.start_iperf(SECONDS, STREAMS, "-w", str(WINDOW // 2))
    changes = turn_knobs(lab, leat, pair[1], random.Random(SEED))
    report = lab.finish_iperf(pair)
    ahead, retransmitted = (
        lab.counters(name)[key] - before[name][key]
        for name, key in (("right", "TcpExtTCPOFOQueue"), ("left", "TcpRetransSegs")))
    drops = count_drops(lab, leat) - drops
    moves = sum(cpu["flow_moves"] for cpu in leat.stop()["cpus"])

    print(f"offload={left} to offload={right}: {report['gbps']:.2f} Gbit/s, {changes} changes, "
          f"{moves} flow moves, {ahead} segments out of order, {retransmitted} retransmitted, "
          f"{drops} lost")
    if changes < 5 * SECONDS: # a busy machine takes long for each
        raise Failure("too few changes to have shown anything")
    if ahead > drops * (WINDOW // MSS):
        raise Failure("more out of order than what was lost explains")


def work(lab):
    print(f"LEAT_SEED={SEED}")
    under_change(lab, "none", "on")
    under_change(lab, "on", "none")


if len(os.sched_getaffinity(0)) < 2 or not {0, 1} <= os.sched_getaffinity(0):
    print("needs CPUs 0 and 1")
    sys.exit(77)
main(work, "iperf3")
