#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What goes in comes out: TCP in all four combinations of offloads, IPv4 one way, IPv6 the other.

LEAT_TRANSFER_MB: how much each time (64).
"""

import hashlib
import itertools
import os
import socket
import struct
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import ADDRESSES, Failure, main

MB = int(os.environ.get("LEAT_TRANSFER_MB", "64"))
BLOCK = 1 << 20
WIRE = 1514  # bytes of the largest wire-sized frame


def send(link, digest):
    """MB blocks, no two alike."""
    noise = os.urandom(BLOCK - 8)
    for number in range(MB):
        block = struct.pack(">Q", number) + noise
        digest.update(block)
        link.sendall(block)
    link.shutdown(socket.SHUT_WR)


def receive(link, digest):
    received, room = 0, bytearray(BLOCK)
    while n := link.recv_into(room):
        digest.update(memoryview(room)[:n])
        received += n
    return received


def connect(lab, source, target, family):
    """A TCP connection between the two namespaces: both its ends."""
    address = ADDRESSES[target][family == socket.AF_INET6]
    listener = lab.call(target, lambda: socket.create_server((address, 0), family=family))
    with listener:
        near = lab.call(source, lambda: socket.create_connection(listener.getsockname()[:2], 10))
        far = listener.accept()[0]
    near.settimeout(60)
    far.settimeout(60)
    return near, far


def transfer(lab, source, target, family):
    near, far = connect(lab, source, target, family)
    sent, got = hashlib.sha256(), hashlib.sha256()
    sender = threading.Thread(target=send, args=(near, sent), daemon=True)
    with near, far:
        began = time.monotonic()
        sender.start()
        received = receive(far, got)
        sender.join()
        took = time.monotonic() - began
    version = "IPv6" if family == socket.AF_INET6 else "IPv4"
    print(f"  {source} to {target}, {version}: {received >> 20} MB in {took:.2f} s, "
          f"sha256 {got.hexdigest()[:16]}…")
    if received != MB * BLOCK or sent.digest() != got.digest():
        raise Failure(f"sent {MB * BLOCK} bytes, sha256 {sent.hexdigest()}; "
                      f"received {received}, {got.hexdigest()}")


def mean_frame(queues):
    return sum(q["bytes"] for q in queues) / max(1, sum(q["packets"] for q in queues))


def check_offloads(ports, offloads):
    """Each port saw what its offload setting promises."""
    for port in ports:
        on = offloads[port["name"]] == "on"
        for way in ("rx", "tx"):
            mean = mean_frame(port[way])
            if not on and mean > WIRE:
                raise Failure(f"{port['name']} has offload=none, and frames of {mean:.0f} bytes "
                              f"({way})")
        if on and mean_frame(port["rx"]) < WIRE:
            raise Failure(f"{port['name']} has offload=on, and no super-packets came")


def work(lab):
    for left, right in itertools.product(("on", "none"), repeat=2):
        print(f"offload={left} at the left, {right} at the right")
        before = [lab.counters(name)["TcpInCsumErrors"] for name in ADDRESSES]
        leat = lab.leat(left, right)
        transfer(lab, "left", "right", socket.AF_INET)
        transfer(lab, "right", "left", socket.AF_INET6)
        check_offloads(leat.stop()["ports"], {"left": left, "right": right})
        if before != [lab.counters(name)["TcpInCsumErrors"] for name in ADDRESSES]:
            raise Failure("the kernel saw wrong TCP checksums")


main(work)
