#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""TCP through a VXLAN tunnel whose underlay is leat: what goes in comes out, and with offloads on
the tunnel's packets are super-packets on both TAPs. Then the same without a tunnel, and packets over
64 KB where they may be.

LEAT_TUNNEL_MB: how much each time (48).
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
from netlab import ADDRESSES, SKIP, Failure, main

MB = int(os.environ.get("LEAT_TUNNEL_MB", "48"))
BLOCK = 1 << 20
WIRE = 1514  # bytes of the largest wire-sized frame
BIG = 180000
RTM_NEWLINK, NLM_F_REQUEST_ACK, GSO_MAX_SIZE, GSO_IPV4_MAX_SIZE = 16, 5, 41, 63
INSIDE = {"left": ("10.10.0.1", "fd00:10::1"), "right": ("10.10.0.2", "fd00:10::2")}


def send(link, digest):
    """MB blocks, no two alike."""
    noise = os.urandom(BLOCK - 8)
    for number in range(MB):
        block = struct.pack(">Q", number) + noise
        digest.update(block)
        link.sendall(block)
    link.shutdown(socket.SHUT_WR)


def receive(link, digest):
    room, received = bytearray(BLOCK), 0
    while n := link.recv_into(room):
        digest.update(memoryview(room)[:n])
        received += n
    return received


def transfer(lab, source, address):
    """MB megabytes from `source` to the address, which is in the other namespace."""
    target = "left" if source == "right" else "right"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sent, got = hashlib.sha256(), hashlib.sha256()
    with lab.call(target, lambda: socket.create_server((address, 0), family=family)) as listener:
        where = listener.getsockname()[:2]
        near = lab.call(source, lambda: socket.create_connection(where, 10))
        far = listener.accept()[0]
    near.settimeout(60)
    far.settimeout(60)
    sender = threading.Thread(target=send, args=(near, sent), daemon=True)
    with near, far:
        began = time.monotonic()
        sender.start()
        received = receive(far, got)
        sender.join()
        took = time.monotonic() - began
    print(f"    {source} to {address}: {received >> 20} MB in {took:.2f} s, "
          f"sha256 {got.hexdigest()[:16]}…")
    if received != MB * BLOCK or sent.digest() != got.digest():
        raise Failure(f"sent {MB * BLOCK} bytes, sha256 {sent.hexdigest()}; "
                      f"received {received}, {got.hexdigest()}")


def add_tunnel(lab, *options, outer=0, port=4789):
    """A vxlan device in each namespace, over the TAPs, with addresses of their own."""
    for name, other in (("left", "right"), ("right", "left")):
        lab.ip(name, "link", "add", "vx", "type", "vxlan", "id", "42", "dstport", str(port),
               "local", ADDRESSES[name][outer], "remote", ADDRESSES[other][outer], *options)
        for address, bits in zip(INSIDE[name], (24, 64)):
            lab.ip(name, "address", "add", f"{address}/{bits}", "dev", "vx",
                   *(("nodad",) if ":" in address else ()))
        lab.ip(name, "link", "set", "dev", "vx", "up")


def ratio(queues):
    """Wire-sized frames for each that was one on the port."""
    return sum(q["segments"] for q in queues) / max(1, sum(q["packets"] for q in queues))


def mean(queues):
    return sum(q["bytes"] for q in queues) / max(1, sum(q["packets"] for q in queues))


def check(lab, counted, offloads, least=2.0):
    """What each port saw is what its offload setting promises; nothing was refused."""
    shown = []
    for port in counted["ports"]:
        on = offloads[port["name"]] == "on"
        shown.append(f"{port['name']} rx {ratio(port['rx']):.1f} tx {ratio(port['tx']):.1f}")
        for way in ("rx", "tx"):
            if sum(q["errors"] for q in port[way]):
                raise Failure(f"{port['name']}: errors ({way}): {port[way]}")
            if not on and mean(port[way]) > WIRE + 4:
                raise Failure(f"{port['name']} has offload=none, and frames of "
                              f"{mean(port[way]):.0f} bytes ({way})")
            if on and ratio(port[way]) < least:
                raise Failure(f"{port['name']} has offload=on, and {ratio(port[way]):.2f} segments "
                              f"to a frame ({way})")
    print(f"    segments to a frame: {', '.join(shown)}")
    if any(c["bad_gso"] for c in counted["cpus"]):
        raise Failure("packets that could not be segmented")


def csum_errors(lab):
    return [lab.counters(name)[counter] for name in ADDRESSES
            for counter in ("TcpInCsumErrors", "UdpInCsumErrors")]


def tunnels(lab, segmented):
    """All combinations of offloads, and of tunnels with both on."""
    rows = [(left, right, ("udpcsum",), 0, 4789)
            for left, right in itertools.product(("on", "none"), repeat=2)]
    rows += [("on", "on", ("noudpcsum",), 0, 4789),
             ("on", "on", ("udp6zerocsumtx", "udp6zerocsumrx"), 1, 4789),
             ("on", "on", ("noudp6zerocsumtx",), 1, 4789),
             ("on", "none", ("noudpcsum",), 0, 4789), ("on", "none", (), 1, 4789),
             ("on", "on", ("udpcsum",), 0, 7777)]
    for left, right, options, outer, port in rows:
        print(f"  offload={left} at the left, {right} at the right, over IPv{'46'[outer]}, "
              f"{' '.join(options) or 'default'}, port {port}")
        before = csum_errors(lab)
        leat = lab.leat(left, right)
        add_tunnel(lab, *options, outer=outer, port=port)
        transfer(lab, "left", INSIDE["right"][0])
        transfer(lab, "right", INSIDE["left"][1])
        for name in ADDRESSES:
            lab.ip(name, "link", "del", "vx")
        # A kernel before 6.17 has no header for these, and cuts them up itself. Merged again they
        # are on a TAP that takes wire-sized frames.
        check(lab, leat.stop(), {"left": left, "right": right} if segmented else {"left": "none", "right": "none"})
        if before != csum_errors(lab):
            raise Failure("the kernel saw wrong checksums")


def set_link(name, attribute, value):
    """Set a 32-bit attribute of an interface; `ip` may be too old to know its name."""
    body = struct.pack("=BxHiIIHHI", 0, 0, socket.if_nametoindex(name), 0, 0, 8, attribute, value)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
        link.send(struct.pack("=IHHII", 16 + len(body), RTM_NEWLINK, NLM_F_REQUEST_ACK, 1, 0) + body)
        error = struct.unpack_from("=i", link.recv(4096), 16)[0]
    if error:
        raise Failure(f"{name}: attribute {attribute} = {value}: {os.strerror(-error)}")


def add_big_sender(lab):
    """A namespace whose packets, up to BIG bytes, are cut up where they enter the TAP `left`. (What a
    TCP sender takes for one packet ends with PSH, and GRO with it.)"""
    lab.ip("left", "link", "add", "in", "type", "veth", "peer", "name", "out", "netns",
           lab.ns("sender"))
    lab.ip("left", "link", "add", "name", "bridge", "type", "bridge")
    for name in ("in", "left"):
        lab.ip("left", "link", "set", "dev", name, "master", "bridge")
    for name in ("in", "bridge"):
        lab.ip("left", "link", "set", "dev", name, "up")
    for address, bits in (("10.9.0.3", 24), ("fd00:9::3", 64)):
        lab.ip("sender", "address", "add", f"{address}/{bits}", "dev", "out",
               *(("nodad",) if ":" in address else ()))
    lab.ip("sender", "link", "set", "dev", "out", "up")
    for attribute in GSO_MAX_SIZE, GSO_IPV4_MAX_SIZE:
        lab.call("sender", set_link, "out", attribute, BIG)


def big(lab):
    """What GRO merges beyond 64 KB a TAP takes whole: Linux has it so for its own BIG TCP."""
    for size, offload in itertools.product((65536, BIG), ("on", "none")):
        before = csum_errors(lab)
        knobs = [word for knob in ("left/gro_max_size", "left/gro_ipv4_max_size")
                 for word in ("--set", f"{knob}={size}")]
        if offload == "on":
            knobs += [word for knob in ("right/gso_max_size", "right/gso_ipv4_max_size")
                      for word in ("--set", f"{knob}={size}")]
        print(f"  gro_max_size and gso_max_size {size}, offload={offload} at the right")
        leat = lab.leat("none", offload, *knobs)
        add_big_sender(lab)
        transfer(lab, "sender", ADDRESSES["right"][0])
        fours = leat.stats()["ports"][1]["tx"]
        transfer(lab, "sender", ADDRESSES["right"][1])
        for name in ("in", "bridge"):
            lab.ip("left", "link", "del", name)
        counted = leat.stop()
        right = counted["ports"][1]["tx"]
        largest = [max(q["largest"] for q in queues) for queues in (fours, right)]
        print(f"    largest frame of IPv4 {largest[0]}, of both {largest[1]}, "
              f"{ratio(right):.1f} segments to a frame")
        if before != csum_errors(lab):
            raise Failure("the kernel saw wrong checksums")
        if any(q["errors"] for q in right) or any(c["bad_gso"] for c in counted["cpus"]):
            raise Failure(f"frames that were refused: {right}")
        for n in largest:
            if (n > 65550) != (offload == "on" and size == BIG):
                raise Failure(f"the largest frame had {n} bytes")
        if offload == "none" and largest[1] > WIRE:
            raise Failure(f"a port without offloads was sent {largest[1]} bytes")


def work(lab):
    try:
        lab.ip("left", "link", "add", "probe", "type", "vxlan", "id", "1", "dstport", "1")
        lab.ip("left", "link", "del", "probe")
    except Failure as problem:
        print(f"this kernel has no vxlan: {problem}")
        sys.exit(SKIP)
    leat = lab.leat()
    segmented = "fixed" not in leat.get("left/features/tx-udp_tnl-segmentation")
    leat.stop()
    print("through a tunnel" if segmented else
          "through a tunnel (this kernel's TAPs have no super-packets of UDP tunnels)")
    tunnels(lab, segmented)
    print("BIG TCP")
    big(lab)


main(work)
