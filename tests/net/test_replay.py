#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A capture that cannot be replayed, until leat segment has been over it.

A bulk TCP transfer is captured on a TAP with offloads on, so its frames are up to 64 KB and their
checksums partial. Debian's tcpreplay sends it to a veth of MTU 1500: that fails. What leat
segment made of it is sent whole, and tshark, reading at the other end, finds nothing wrong in it
and the bytes that were transferred. The same once more for what went through leat coalesce.

LEAT_REPLAY_MB: how much is transferred (4).
"""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "../../tools"), os.path.join(HERE, "../cli")]
import capture
from netlab import ADDRESSES, LEAT, Failure, main, run, wait_for

MB = int(os.environ.get("LEAT_REPLAY_MB", "4"))
MBPS = "400" # of the replay: what captures it keeps up
TRIES = 5 # of the transfer: on a busy machine TCP may send something again
GAPS = " || ".join("tcp.analysis." + what for what in (
    "retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order",
    "lost_segment", "ack_lost_segment", "duplicate_ack"))
WRONG = f"tcp.checksum.status == Bad || ip.checksum.status == Bad || {GAPS}"


def expect(what, holds, seen=""):
    if not holds:
        raise Failure(f"expected {what}; seen: {seen}")


class Dump:
    """Capture an interface to a pcap file, in the with block."""

    def __init__(self, lab, role, interface, path):
        self.lab, self.path = lab, path
        self.command = lab.within(role, "dumpcap", "-q", "-P", "-s", "0", "-B", "64", "-i",
                                  interface, "-f", "tcp", "-w", path)

    def __enter__(self):
        self.process = self.lab.start(*self.command)
        wait_for("dumpcap", lambda: "File: " in self.lab.printed(self.process, 1))
        return self

    def __exit__(self, *_):
        size = -1
        while size != os.path.getsize(self.path): # until what is under way has been written
            size = os.path.getsize(self.path)
            time.sleep(0.5)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        dropped = re.search(r"dropped on interface.*: \d+/(\d+)", self.lab.said(self.process))
        expect("dumpcap to drop nothing", not dropped or dropped[1] == "0",
               self.lab.said(self.process))
        self.lab.end(self.process)


def transfer(lab, family):
    """MB megabytes from `left` to `right`; their sha256."""
    address = ADDRESSES["right"][family == socket.AF_INET6]
    data = os.urandom(MB << 20)
    listener = lab.call("right", lambda: socket.create_server((address, 0), family=family))
    with listener:
        near = lab.call("left",
                        lambda: socket.create_connection(listener.getsockname()[:2], 10))
        far = listener.accept()[0]
    near.settimeout(60)
    far.settimeout(60)
    with near, far:
        sender = threading.Thread(target=lambda: (near.sendall(data),
                                                  near.shutdown(socket.SHUT_WR)), daemon=True)
        sender.start()
        received = hashlib.sha256()
        while part := far.recv(1 << 20):
            received.update(part)
        sender.join()
    expect("the bytes sent", received.digest() == hashlib.sha256(data).digest())
    return received.hexdigest()


def tshark(path, *arguments):
    return run("tshark", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o",
               "ip.check_checksum:TRUE", *arguments, timeout=120)


def lengths(path):
    return [len(frame.data) for frame in capture.read(path)]


def stream(path):
    """sha256 of what the client sent in the first TCP stream, reassembled by tshark."""
    lines = tshark(path, "-q", "-z", "follow,tcp,raw,0").splitlines()
    digest = hashlib.sha256()
    for line in lines:
        if re.fullmatch("[0-9a-f]+", line):
            digest.update(bytes.fromhex(line))
    return digest.hexdigest()


def leat(command, *arguments):
    done = json.loads(run(LEAT, command, "--json", *arguments))
    print(f"  leat {command}: {({name: n for name, n in done.items() if n and name != 'gro'})}")
    return done


def replay(lab, path):
    """tcpreplay the file onto the veth; what it says."""
    done = subprocess.run(lab.within("replay", "tcpreplay", "-i", "from", "--mbps", MBPS, path),
                          capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def make_veth(lab):
    lab.ip("replay", "link", "add", "from", "mtu", "1500", "type", "veth", "peer", "name", "to",
           "mtu", "1500")
    for name in "from", "to":
        run(*lab.within("replay", "sh", "-c",
                        f"echo 1 >/proc/sys/net/ipv6/conf/{name}/disable_ipv6"))
        lab.ip("replay", "link", "set", name, "up")


def check_replay(lab, path, digest):
    """It is sent whole, arrives whole, and is right."""
    frames = len(lengths(path))
    arrived = path.replace(".pcap", "-arrived.pcap")
    with Dump(lab, "replay", "to", arrived):
        said = replay(lab, path)
    sent = re.search(r"Successful packets:\s+(\d+)", said)
    failed = re.search(r"Failed packets:\s+(\d+)", said)
    expect(f"{frames} frames sent", sent and int(sent[1]) == frames and failed[1] == "0", said)
    for file in path, arrived:
        count = len(lengths(file))
        expect(f"{frames} frames in {file}", count == frames, count)
        expect("nothing wrong", (wrong := tshark(file, "-Y", WRONG)) == "", wrong[:2000])
        expect("the bytes transferred", stream(file) == digest)
    print(f"  {frames} frames sent, arrived, and right: sha256 {digest[:16]}…")


def take(lab, family, path):
    """Capture a transfer in which nothing was lost; its sha256."""
    for _ in range(TRIES):
        with Dump(lab, "left", "left", path):
            digest = transfer(lab, family)
        if not (gaps := tshark(path, "-Y", GAPS)):
            return digest
        print(f"  once more, for TCP itself had a gap: {gaps.splitlines()[0].strip()}")
    raise Failure(f"{TRIES} transfers, and a gap in each")


def check(lab, family):
    version = "IPv6" if family == socket.AF_INET6 else "IPv4"
    print(version)
    name = {word: f"{lab.folder}/{version}-{word}.pcap"
            for word in ("taken", "cut", "merged", "again")}
    digest = take(lab, family, name["taken"])
    longest = max(lengths(name["taken"]))
    expect("frames over the MTU", longest > 1514, longest)
    said = replay(lab, name["taken"])
    expect("tcpreplay to fail", "Message too long" in said, said)
    print("  tcpreplay of the original:", re.search(".*Message too long.*", said)[0].strip())

    done = leat("segment", name["taken"], name["cut"])
    expect("frames cut", done["cut"] > 0 and done["checksums_completed"] > 0)
    longest = max(lengths(name["cut"]))
    expect("frames of the MTU at most", longest <= 1514, longest)
    check_replay(lab, name["cut"], digest)

    done = leat("coalesce", "--vnet-hdr", name["cut"], name["merged"])
    expect("frames merged", done["merged"] > 0)
    leat("segment", "--vnet-hdr", name["merged"], name["again"])
    check_replay(lab, name["again"], digest)


def work(lab):
    plane = lab.leat()
    make_veth(lab)
    for family in socket.AF_INET, socket.AF_INET6:
        check(lab, family)
    plane.stop()


main(work, "tcpreplay", "tshark", "dumpcap")
