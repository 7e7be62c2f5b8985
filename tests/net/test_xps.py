#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Frames leave a TAP of four queues on the queue that XPS chose: so say the port's counters, and so
says the kernel behind it, which keeps the queue's number with each frame. LEAT is the command."""

import os
import select
import socket
import struct
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import Failure, Leat, main

QUEUES = 4
FRAMES = 1000
PATIENCE = 10  # seconds
ETH_P_ALL = 3
SOL_PACKET, PACKET_FANOUT, PACKET_FANOUT_QM = 263, 18, 5

# What is set of the TAP; the queues that frames of the generator's queues 0 and 1 may leave on.
CASES = [
    ({}, {0, 1}),
    ({"queues/tx-2/xps_cpus": "CPUS"}, {2}),
    ({"queues/tx-3/xps_rxqs": "1", "queues/tx-1/xps_rxqs": "2"}, {1, 3}),
    ({"queues/tx-3/xps_rxqs": "1", "queues/tx-0/xps_cpus": "CPUS"}, {0, 3}),
    ({"mqprio": "num_tc 2 map 1 queues 2@0 2@2"}, {2, 3}),
    ({"mqprio": "num_tc 2 map 1 queues 2@0 2@2", "queues/tx-3/xps_cpus": "CPUS",
      "queues/tx-0/xps_cpus": "CPUS"}, {3}),
]


def watch(lab):
    """Sockets on the TAP, by queue: frames of one go to one."""
    sockets = []
    for _ in range(QUEUES):
        s = lab.call("right", socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        s.bind(("right", ETH_P_ALL))
        s.setsockopt(SOL_PACKET, PACKET_FANOUT, struct.pack("I", 1 | PACKET_FANOUT_QM << 16))
        sockets.append(s)
    while ready := select.select(sockets, [], [], 0)[0]:  # from before a socket had but one queue
        for s in ready:
            s.recv(2048)
    return sockets[1:] + sockets[:1]  # the kernel counts from 1


def count(sockets):
    """The generator's frames that came on each queue, FRAMES of them altogether."""
    counts = [0] * QUEUES
    while sum(counts) < FRAMES:
        ready = select.select(sockets, [], [], PATIENCE)[0]
        if not ready:
            raise Failure(f"no more frames after {counts}")
        for s in ready:
            counts[sockets.index(s)] += b"leat" in s.recv(2048)
    return counts


def check(lab, knobs, queues):
    mask = f"{sum(1 << cpu for cpu in os.sched_getaffinity(0)):x}"
    settings = [word for knob, value in knobs.items()
                for word in ("--set", f"right/{knob}={value.replace('CPUS', mask)}")]
    leat = Leat(lab, ["--port", "g=gen,queues=2,flows=64,rate=5000", "--port",
                      f"right=tap,queues={QUEUES},netns={lab.ns('right')}", *settings])
    leat.ready(("right",))
    sockets = watch(lab)
    came = count(sockets)
    for s in sockets:
        s.close()
    sent = [queue["packets"] for queue in leat.stop()["ports"][1]["tx"]]
    print(f"{knobs or 'nothing set'}: sent {sent}, came {came}")
    for what, counts in ("sent", sent), ("came", came):
        if {queue for queue in range(QUEUES) if counts[queue]} != queues:
            raise Failure(f"{knobs}: {what} on queues {counts}, not on {sorted(queues)}")


def work(lab):
    for knobs, queues in CASES:
        check(lab, knobs, queues)


main(work)
