#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Real clients and leat's UDP echo: socat and ping over IPv4 and IPv6, closed ports, and many flows
while its threads, RFS and RPS are moved: no reply is late, and what is lost is counted.

LEAT_SECONDS: for how long (4). LEAT_SEED: of the changes.
"""

import os
import random
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import ADDRESSES, ECHO_PORT, Failure, main

SECONDS = float(os.environ.get("LEAT_SECONDS", "4"))
SEED = int(os.environ.get("LEAT_SEED", str(random.randrange(1 << 32))))
PAUSE = 0.005
THREADS = 3

QUEUES = [f"left/queues/rx-{q}/" for q in (0, 1)]
KNOBS = {
    **{queue + "rps_cpus": ("0", "1", "2", "3") for queue in QUEUES},
    **{queue + "rps_flow_cnt": ("0", "64", "4096") for queue in QUEUES},
    **{queue + "smp_affinity_list": ("0", "1") for queue in QUEUES},
    **{f"app/threads/{i}/cpu": ("0", "1") for i in range(THREADS)},
    "net/core/rps_sock_flow_entries": ("0", "64", "32768"),
    "left/features/rx-gro": ("on", "off"),
    "left/features/rx-udp-gro-forwarding": ("on", "off"),
}


def want(what, holds):
    if not holds:
        raise Failure(what)


def talk(lab, version, port, text, wait=1):
    """What socat is answered within so many seconds, and what it complains of."""
    address = ADDRESSES["right"][version == 6]
    address = f"[{address}]" if version == 6 else address
    done = subprocess.run(lab.within("left", "socat", "-t", str(wait), "-T", str(3 * wait), "-",
                                     f"UDP{version}:{address}:{port}"),
                          input=text, capture_output=True, timeout=10 * wait)
    return done.stdout, done.stderr.decode()


def talk_patiently(lab, leat, version, text):
    """Once more, with more time, if an answer is late: a busy machine's may be. None may be lost."""
    before = leat.stats()["app"]["host"]["delivered"]
    said, complaint = talk(lab, version, ECHO_PORT, text)
    if said != text:
        after = leat.stats()["app"]["host"]["delivered"]
        want(f"IPv{version}: {len(text)} bytes were not delivered: {complaint}", after > before)
        said, complaint = talk(lab, version, ECHO_PORT, text, 5)
    want(f"IPv{version}: {len(text)} bytes came back as {len(said)}: {complaint}", said == text)


def check_clients(lab, leat):
    for version in (4, 6):
        for size in (1, 1000, 1472 if version == 4 else 1452):
            talk_patiently(lab, leat, version, os.urandom(size))
        _, complaint = talk(lab, version, ECHO_PORT + 2, b"?")
        want(f"IPv{version}: a closed port: {complaint}", "refused" in complaint)
        for size in (0, 56, 1400):
            done = subprocess.run(lab.within("left", "ping", "-c", "2", "-i", "0.05", "-W", "2", "-s",
                                             str(size), ADDRESSES["right"][version == 6]),
                                  capture_output=True, text=True, timeout=20)
            want(f"ping: {done.stdout}{done.stderr}", done.returncode == 0)
    # Fragments, and addresses and ports of others, are passed over and counted.
    talk(lab, 4, ECHO_PORT, bytes(3000))
    host = leat.stats()["app"]["host"]
    for reason, least in (("echo_reply", 12), ("port_unreachable", 2), ("fragment", 2),
                          ("arp_reply", 1), ("nd_advert", 1), ("delivered", 6)):
        want(f"{host[reason]} {reason}", host[reason] >= least)
    for reason in ("malformed", "csum", "tunnel", "martian", "inbox_full"):
        want(f"{host[reason]} {reason}", host[reason] == 0)
    print("socat, ping, closed ports, fragments: as they should be")


def count_lost(lab, leat):
    """What leat and the interface have dropped so far."""
    stats = leat.stats()
    queues = [queue for way in ("rx", "tx") for queue in stats["ports"][0][way]]
    return (sum(queue["dropped"] + queue["errors"] for queue in queues) +
            sum(cpu["dropped"] + cpu["bad_gso"] for cpu in stats["cpus"]) +
            stats["app"]["host"]["inbox_full"] +
            sum(thread["unsent"] + thread["bad_gso"] for thread in stats["app"]["threads"]) +
            lab.device_drops(("left",)))


def run_flows(lab, leat, version, flows, window, gso, rng):
    """Knobs are turned while a client runs; gives how often."""
    before = count_lost(lab, leat)
    client = lab.start_udpload("-f", flows, "-w", window, "-g", gso, "-t", SECONDS, version=version)
    changes = 0
    while client.poll() is None:
        leat.alive()
        knob = rng.choice(list(KNOBS))
        leat.set(knob, rng.choice(KNOBS[knob]))
        changes += 1
        time.sleep(PAUSE)
    counted = lab.finish_udpload(client)
    dropped = count_lost(lab, leat) - before
    print(f"IPv{version}, {flows} flows, {window} under way, {gso} a send: {changes} changes, "
          f"{counted['replies']} replies, {counted['late']} late, "
          f"{counted['overdue']} overdue, {counted['lost']} lost, "
          f"{dropped} dropped")
    want("too few replies", counted["replies"] > 200 * SECONDS)
    want("replies out of order, or not ours", counted["late"] + counted["strange"] == 0)
    want("lost without a trace", counted["lost"] <= dropped)
    return changes


def check_flows(*arguments):
    """As often as it takes to have shown something: a busy machine has little time for knobs."""
    changes = 0
    for _ in range(5):
        changes += run_flows(*arguments)
        if changes >= 20 * SECONDS:
            return
    raise Failure("too few changes to have shown anything")


def work(lab):
    # The clients come first: while the kernel looks for a neighbour, it reorders what is sent to it.
    print(f"LEAT_SEED={SEED}")
    rng = random.Random(SEED)
    leat = lab.echo("--cpus", "0-1", options=f",threads={THREADS},state=1024")
    check_clients(lab, leat)
    check_flows(lab, leat, 4, 200, 4, 1, rng)
    check_flows(lab, leat, 6, 50, 16, 8, rng)
    threads = leat.stop()["app"]["threads"]
    want("no thread moved", sum(thread["moves"] for thread in threads) > 10)
    want("a thread without work", all(thread["requests"] > 0 for thread in threads))


if not {0, 1} <= os.sched_getaffinity(0):
    print("needs CPUs 0 and 1")
    sys.exit(77)
main(work, "socat", "ping")
