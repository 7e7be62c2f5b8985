#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a port is declared to do is left to it, and no more: trains of every kind go through
`leat run` to a capture, where they must come out byte for byte, and to generator ports that are
declared to segment all, some, or part of it, which check what they are sent.

Runs without privileges.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile

LEAT = os.environ.get("LEAT", "build/leat")
FLOWS, PACKETS, MSS = 5, 40, 1000
TCP, UDP, SCTP, GRE = 6, 17, 132, 47


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return ~crc & 0xffffffff


def ip(version, protocol, payload, number, host=1):
    """An IP header, and the pseudo-header sum's bytes."""
    if version == 4:
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number & 0xffff, 0x4000,
                           64, protocol, 0, bytes((192, 0, 2, host)), bytes((198, 51, 100, 1)))
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        pseudo = head[12:20] + struct.pack(">HH", protocol, len(payload))
    else:
        head = struct.pack(">IHBB16s16s", 0x60000000, len(payload), protocol, 64,
                           bytes.fromhex(f"20010db80000000000000000000000{host:02x}"),
                           bytes.fromhex("20010db8000100000000000000000001"))
        pseudo = head[8:40] + struct.pack(">II", len(payload), protocol)
    return head, pseudo


def packet(version, protocol, header, at, payload, number, host=1):
    """An IP packet whose transport checksum, at `at` in `header`, is right."""
    body = header + payload
    head, pseudo = ip(version, protocol, body, number, host)
    if at is not None:
        body = body[:at] + struct.pack(">H", checksum(pseudo + body) or 0xffff) + body[at + 2:]
    return head + body


def payload_of(flow, number):
    return bytes((flow * 7 + number * 13 + i) & 0xff for i in range(MSS))


def tcp(version):
    def make(flow, number):
        header = struct.pack(">HHIIBBHHH", 1000 + flow, 80, 1 + number * MSS, 1, 0x50, 0x10, 500, 0,
                             0)
        return version, packet(version, TCP, header, 16, payload_of(flow, number), number)
    return make


def udp(version):
    def make(flow, number):
        header = struct.pack(">HHHH", 1000 + flow, 53, 8 + MSS, 0)
        return version, packet(version, UDP, header, 6, payload_of(flow, number), number)
    return make


def sctp(version):
    def make(flow, number):
        chunk = struct.pack(">BBHIHHI", 0, 3, 16 + MSS, 1 + number, flow, number, 0)
        body = struct.pack(">HHII", 1000 + flow, 9, 77, 0) + chunk + payload_of(flow, number)
        body = body[:8] + struct.pack("<I", crc32c(body)) + body[12:]
        return version, packet(version, SCTP, body, None, b"", number)
    return make


def ether(version, body):
    return b"\2\0\0\0\0\2\2\0\0\0\0\1" + (b"\x08\0" if version == 4 else b"\x86\xdd") + body


def vxlan(version, inside, zero=False, port=4789):
    def make(flow, number):
        body = struct.pack(">II", 0x08000000, 42 << 8) + ether(*inside(flow, number))
        header = struct.pack(">HHHH", 5000 + flow, port, 8 + len(body), 0)
        return version, packet(version, UDP, header, None if zero else 6, body, number, 2)
    return make


def geneve(version, inside):
    def make(flow, number):
        body = struct.pack(">BBHI", 1, 0, 0x6558, 42 << 8) + b"\1\2\3\0" + ether(*inside(flow, number))
        header = struct.pack(">HHHH", 5000 + flow, 6081, 8 + len(body), 0)
        return version, packet(version, UDP, header, 6, body, number, 2)
    return make


def gre(version, inside, csum=False):
    def make(flow, number):
        inner_version, inner = inside(flow, number)
        ethertype = 0x800 if inner_version == 4 else 0x86dd
        body = struct.pack(">HHI", 0x2000, ethertype, 42) + inner
        if csum:
            body = struct.pack(">HHHHI", 0xa000, ethertype, 0, 0, 42) + inner
            body = body[:4] + struct.pack(">H", checksum(body)) + body[6:]
        return version, packet(version, GRE, body, None, b"", number, 2)
    return make


def ipip(version, inside):
    def make(flow, number):
        inner_version, inner = inside(flow, number)
        return version, packet(version, 4 if inner_version == 4 else 41, inner, None, b"", number, 2)
    return make


# What each train is, and the features that leave it whole.
TSO, TSO6, USO, SEG = "tx-tcp-segmentation", "tx-tcp6-segmentation", "tx-udp-segmentation", "tx-sctp-segmentation"
TRAINS = {
    "tcp4": (tcp(4), TSO),
    "tcp6": (tcp(6), TSO6),
    "udp4": (udp(4), USO),
    "udp6": (udp(6), USO),
    "sctp4": (sctp(4), SEG),
    "vxlan": (vxlan(4, tcp(4)), f"{TSO}+tx-udp_tnl-csum-segmentation"),
    "vxlan, no outer checksum": (vxlan(4, tcp(6), zero=True), f"{TSO6}+tx-udp_tnl-segmentation"),
    "vxlan over ipv6, of udp": (vxlan(6, udp(4)), f"{USO}+tx-udp_tnl-csum-segmentation"),
    "geneve": (geneve(4, tcp(4)), f"{TSO}+tx-udp_tnl-csum-segmentation"),
    "gre": (gre(4, tcp(4)), f"{TSO}+tx-gre-segmentation"),
    "gre with checksum": (gre(6, tcp(4), csum=True), f"{TSO}+tx-gre-csum-segmentation"),
    "ipip": (ipip(4, tcp(4)), f"{TSO}+tx-ipxip4-segmentation"),
    "sit": (ipip(4, tcp(6)), f"{TSO6}+tx-ipxip4-segmentation"),
    "4in6": (ipip(6, tcp(4)), f"{TSO}+tx-ipxip6-segmentation"),
}
NESTED = {
    "vxlan in vxlan": vxlan(4, vxlan(4, tcp(4))),
    "gre in ipip": ipip(4, gre(4, tcp(4))),
}


def write_capture(path, make):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for number in range(PACKETS):
            for flow in range(FLOWS):
                frame = ether(*make(flow, number))
                file.write(struct.pack("<IIII", number, flow, len(frame), len(frame)) + frame)


def read_capture(path):
    with open(path, "rb") as file:
        data = file.read()
    frames, at = [], 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return sorted(frames)


def leat(*words):
    done = subprocess.run([LEAT, "run", "--json", *words], text=True, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    if done.returncode:
        sys.exit(f"leat run {' '.join(words)}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def through(capture, out, *settings):
    """The counters of a run from the capture to that port, with all of GRO on."""
    knobs = [f"in/features/{name}=on" for name in ("rx-udp-gro-forwarding", "rx-gro-sctp")]
    return leat("--port", f"in=pcap,in={capture}", "--port", f"out={out}", "--cpus",
                str(min(os.sched_getaffinity(0))),
                *(word for knob in (*knobs, *settings) for word in ("--set", knob)))


def sent(counted, what):
    """How many frames the port was sent; all right, and for all of the train."""
    tx = {name: sum(q[name] for q in counted["ports"][1]["tx"])
          for name in ("packets", "segments", "errors", "dropped")}
    if tx["errors"] or tx["dropped"] or any(c["bad_gso"] for c in counted["cpus"]):
        sys.exit(f"{what}: {tx}, {counted['cpus']}")
    return tx["packets"]


def want(what, right):
    if not right:
        sys.exit(what)


def check_train(folder, name, make, features):
    capture, out = os.path.join(folder, "in.pcap"), os.path.join(folder, "out.pcap")
    write_capture(capture, make)
    before = read_capture(capture)
    all_of_it = FLOWS * PACKETS
    tunnels = [bit for bit in features.split("+") if "tnl" in bit or "gre" in bit or "ipxip" in bit]

    gro = through(capture, f"pcap,out={out}")["gro"]["in"]
    want(f"{name}: not the identity", read_capture(out) == before)
    want(f"{name}: merged only {gro.get('merged')}", gro.get("merged", 0) > all_of_it // 2)
    got = through(capture, f"pcap,out={out}", "in/features/rx-gro-list=on")["gro"]["in"]
    want(f"{name}: as a list not the identity", read_capture(out) == before)

    whole = sent(through(capture, f"gen,flows=0,features={features}"), f"{name}, all")
    want(f"{name}: {whole} frames where all is left to the port", whole <= all_of_it // 2)
    segs = sent(through(capture, f"gen,flows=0,features={features}", "out/gso_max_segs=3"), name)
    want(f"{name}: {segs} frames with gso_max_segs=3", segs > all_of_it // 2)
    size = sent(through(capture, f"gen,flows=0,features={features}", "out/gso_max_size=2500"), name)
    want(f"{name}: {size} frames with gso_max_size=2500", size > all_of_it // 2)
    none = sent(through(capture, f"gen,flows=0,features={features}", "out/features/tx=off"), name)
    want(f"{name}: {none} frames without tx-checksum-ip-generic", none == all_of_it)
    shown = f"merged {gro['merged']}, as a list {got.get('merged', 0)}, whole {whole}"
    if not tunnels and features != SEG:
        apart = sent(through(capture, f"gen,flows=0,features={features}",
                             "in/features/rx-gro-list=on"), f"{name}, as a list")
        want(f"{name}: {apart} frames where no lists are taken", apart == all_of_it)
        lists = sent(through(capture, f"gen,flows=0,features={features}+tx-gso-list",
                             "in/features/rx-gro-list=on"), f"{name}, lists")
        want(f"{name}: {lists} frames where lists are taken", lists <= all_of_it // 2)
        shown += f", lists {lists}"
    if tunnels:
        bare = [bit for bit in features.split("+") if bit not in tunnels]
        less = sent(through(capture, f"gen,flows=0,features={'+'.join(bare)}"), f"{name}, no tunnels")
        want(f"{name}: {less} frames where the port has no tunnels", less == all_of_it)
        part = sent(through(capture, f"gen,flows=0,features={features}+tx-gso-partial,"
                            f"partial={'+'.join(tunnels)}"), f"{name}, partial")
        want(f"{name}: {part} frames with partial GSO", part <= all_of_it // 2)
        off = sent(through(capture, f"gen,flows=0,features={features}+tx-gso-partial,"
                           f"partial={'+'.join(tunnels)}", "out/features/tx-gso-partial=off"), name)
        want(f"{name}: {off} frames with partial GSO off", off == all_of_it)
        shown += f", partial {part}"
    print(f"{name}: {all_of_it} frames: {shown}")


def check_nested(folder, name, make):
    """A second encapsulation: passed as it is, and counted."""
    capture, out = os.path.join(folder, "in.pcap"), os.path.join(folder, "out.pcap")
    write_capture(capture, make)
    counted = through(capture, f"pcap,out={out}")
    want(f"{name}: not the identity", read_capture(out) == read_capture(capture))
    count = counted["parse"]["in"].get("second encapsulation")
    want(f"{name}: merged {counted['gro']}", "merged" not in counted["gro"]["in"])
    want(f"{name}: counted {count}", count == FLOWS * PACKETS)
    print(f"{name}: {count} frames passed and counted")


def main():
    with tempfile.TemporaryDirectory(prefix="leat-") as folder:
        for name, (make, features) in TRAINS.items():
            check_train(folder, name, make, features)
        for name, make in NESTED.items():
            check_nested(folder, name, make)


if __name__ == "__main__":
    main()
