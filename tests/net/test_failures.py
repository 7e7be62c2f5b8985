#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What goes wrong is said, or counted; nothing crashes; what can go on goes on."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import LEAT, SKIP, Failure, Leat, main, run, wait_for


def expect(what, holds, seen=""):
    if not holds:
        raise Failure(f"expected {what}{f'; seen: {seen}' if seen else ''}")


def refused(code, words, *command):
    """The command ends with that exit code, and on standard error with a line of those words."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    said = done.stderr.strip()
    print(f"  says: {said.splitlines()[-1] if said else '(nothing)'}")
    expect(f"exit code {code}", done.returncode == code, f"{done.returncode}: {said}")
    for word in words:
        expect(f"a message naming {word}", word in said, said)


def device_deleted(lab):
    """One of two pairs of ports loses an interface; the other pair carries on."""
    ports = [f"--port={name}=tap,netns={lab.ns(name)}" for name in ("left", "right")]
    ports += [f"--port={name}=tap,netns={lab.ns('elsewhere')}" for name in ("one", "two")]
    leat = Leat(lab, [*ports, "--join", "left:right", "--join", "one:two"]).ready()
    leat.stats()  # all ports are up
    lab.ip("elsewhere", "link", "del", "one")

    def gone():
        leat.alive()
        return {port["name"] for port in leat.stats()["ports"] if port["gone"]} == {"one"}

    wait_for("leat to notice", gone)
    print(f"  says: {lab.said(leat.process)}")
    expect("a message naming the port", "one" in lab.said(leat.process))
    expect("the other pair to carry traffic", lab.reaches("left", "right"))
    # What goes to the lost port is counted.
    lab.ip("elsewhere", "address", "add", "10.10.0.1/24", "dev", "two")
    lab.ip("elsewhere", "neighbour", "add", "10.10.0.2", "lladdr", "02:00:00:00:00:01", "dev",
           "two")
    lab.call("elsewhere", send_datagram, "10.10.0.2")
    wait_for("a drop to be counted", lambda: sum(
        queue["dropped"] for port in leat.stats()["ports"] if port["gone"]
        for queue in port["tx"]))
    used = leat.cpu_ns()
    time.sleep(0.5)
    used = (leat.cpu_ns() - used) / 0.5e9
    expect("a lost port to cost nothing", used < 0.05, f"{100 * used:.1f} % of a CPU")
    leat.stop()


def send_datagram(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.sendto(b"hello", (address, 9))


def no_namespace(lab):
    refused(1, ["nowhere"], LEAT, "run", "--port", "x=tap,netns=nowhere", "--duration", "1s")


def too_many_queues(lab):
    refused(2, ["x", "queues", "256"], LEAT, "run", "--port",
            f"x=tap,queues=257,netns={lab.ns('left')}", "--duration", "1s")
    expect("no interface left behind", '"x"' not in lab.ip("left", "-j", "link"))


def name_taken(lab):
    run(*lab.within("left", "ip", "tuntap", "add", "dev", "x", "mode", "tap"))
    refused(1, ["x", "already"], LEAT, "run", "--port", f"x=tap,netns={lab.ns('left')}",
            "--duration", "1s")
    lab.ip("left", "link", "del", "x")


def no_privilege(lab):
    program = shutil.copy(LEAT, f"{lab.folder}/leat")  # where anyone may run it
    os.chmod(lab.folder, 0o755)
    refused(SKIP, ["x", "CAP_NET_ADMIN"], "setpriv", "--bounding-set=-all", "--inh-caps=-all",
            program, "run", "--port", "x=tap", "--duration", "1s")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program]
    if subprocess.run([*nobody, "--help"], capture_output=True).returncode:
        print("  (there is no other user here)")
        return
    refused(SKIP, ["x"], *nobody, "run", "--port", "x=tap", "--duration", "1s")


def bad_value(lab):
    cpus = sorted(os.sched_getaffinity(0))[:2]
    leat = lab.leat("on", "on", "--cpus", ",".join(map(str, cpus)))
    before = leat.do("show", "knobs")
    for knob, value in (("left/queues/rx-0/rps_cpus", "zz"),
                        ("left/queues/rx-0/rps_cpus", "f0000000"),
                        ("left/queues/rx-0/smp_affinity_list", "0-1"),
                        ("left/queues/rx-7/rps_cpus", "1"),
                        ("*/queues/rx-*/rps_flow_cnt", "-1"),
                        ("net/core/netdev_max_backlog", "lots"),
                        ("left/rxfh/key", "12:34")):
        answer = leat.ask(set=knob, value=value)
        print(f"  {knob}={value}: {answer.get('error')}")
        expect("an error that names the knob", knob.split("/")[-1] in answer.get("error", ""),
               answer)
    expect("nothing to have changed", leat.do("show", "knobs") == before)
    refused(1, ["rps_cpus", "zz"], LEAT, "set", "--control", leat.control,
            "left/queues/rx-0/rps_cpus=zz")
    leat.stop()
    refused(1, ["rps_cpus", "zz"], LEAT, "run", "--port", "g=gen", "--app", "sink", "--set",
            "g/queues/rx-0/rps_cpus=zz", "--duration", "1s")


def full_ring(lab):
    """One CPU receives all it can make and sends it to the other, whose backlog is tiny."""
    if not {0, 1} <= os.sched_getaffinity(0):
        print("  (needs CPUs 0 and 1)")
        return
    count = 1000000
    done = subprocess.run(
        [LEAT, "run", "--cpus", "0-1", "--port", f"g=gen,flows=100,count={count}", "--app", "sink",
         "--set", "g/queues/rx-0/smp_affinity_list=0", "--set", "g/queues/rx-0/rps_cpus=2",
         "--set", "net/core/netdev_max_backlog=8", "--duration", "30s", "--json"],
        capture_output=True, text=True, timeout=60)
    expect("exit code 0", done.returncode == 0, done.stderr)
    stats = json.loads(done.stdout.splitlines()[-1])
    received = sum(queue["packets"] for queue in stats["ports"][0]["rx"])
    dropped, processed = (sum(cpu[key] for cpu in stats["cpus"]) for key in ("dropped",
                                                                             "processed"))
    threads = stats["app"]["threads"]
    read, inbox_full = (sum(one[key] for one in threads) for key in ("packets", "inbox_full"))
    print(f"  {received} received, {dropped} dropped by the full backlog, {processed} processed, "
          f"{inbox_full} dropped by a full inbox, {read} read")
    expect("all packets to be received", received == count)
    expect("drops", dropped > 0)
    expect("each packet to be processed or dropped", processed + dropped == received)
    expect("each of those to be read or dropped", read + inbox_full == processed)
    expect("none out of order", not any(one["out_of_order"] for one in threads))


def work(lab):
    for case in (device_deleted, no_namespace, too_many_queues, name_taken, no_privilege, bad_value,
                 full_ring):
        print(case.__name__.replace("_", " "))
        case(lab)


main(work)
