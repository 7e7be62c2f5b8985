"""Captures, read and written independently of leat: what the tests of segment and coalesce share."""

import collections
import struct

ETHERNET, USER0 = 1, 147
USEC, NSEC, NG = 0xa1b2c3d4, 0xa1b23c4d, 0x0a0d0d0a

# missing: orig_len - len. interface: counted through all sections. stamp: ns.
Frame = collections.namedtuple("Frame", "data missing interface link_type stamp")


def read_pcap(data, order):
    magic, _, _, _, _, _, link = struct.unpack_from(order + "IHHIIII", data)
    at, frames = 24, []
    while at + 16 <= len(data):
        sec, part, length, orig = struct.unpack_from(order + "IIII", data, at)
        if at + 16 + length > len(data):
            break
        stamp = sec * 10**9 + part * (1000 if magic == USEC else 1)
        frames.append(Frame(data[at + 16:at + 16 + length], (orig - length) % 2**32, 0,
                            link & 0xffff, stamp))
        at += 16 + length
    return frames


def read_interface(order, body):
    link, _, snaplen = struct.unpack_from(order + "HHI", body)
    resolution, offset, at = 6, 0, 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        if code == 0:
            break
        value = body[at + 4:at + 4 + size]
        if code == 9 and size == 1:
            resolution = value[0]
        elif code == 14 and size == 8:
            offset = struct.unpack(order + "q", value)[0]
        at += 4 + (size + 3) // 4 * 4
    ticks = 2**(resolution & 127) if resolution & 128 else 10**resolution
    return link, snaplen, ticks, offset


def read_pcapng(data):
    at, frames, order, interfaces, before = 0, [], "<", [], 0
    while at + 12 <= len(data):
        kind, size = struct.unpack_from(order + "II", data, at)
        if kind == NG:
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            size = struct.unpack_from(order + "I", data, at + 4)[0]
            before += len(interfaces)
            interfaces = []
        if size < 12:
            break
        body = data[at + 8:at + size - 4]
        if kind == 1 and len(body) >= 8:
            interfaces.append(read_interface(order, body))
        elif kind in (2, 6) and len(body) >= 20:
            number = struct.unpack_from(order + ("H" if kind == 2 else "I"), body)[0]
            high, low, length, orig = struct.unpack_from(order + "IIII", body, 4)
            if 20 + length > len(body): # cut, but the frame may be whole
                break
            if number >= len(interfaces):
                break
            link, _, ticks, offset = interfaces[number]
            stamp = (high << 32 | low) * 10**9 // ticks + offset * 10**9
            frames.append(Frame(body[20:20 + length], (orig - length) % 2**32, before + number,
                                link, stamp % 2**64))
        elif kind == 3 and interfaces:
            orig = struct.unpack_from(order + "I", body)[0]
            link, snaplen, _, _ = interfaces[0]
            length = min(orig, snaplen or orig)
            if 4 + length > len(body):
                break
            frames.append(Frame(body[4:4 + length], orig - length, before, link, 0))
        at += size
    return frames


def read(path):
    """The frames of a capture, up to where it ends or is damaged."""
    with open(path, "rb") as file:
        data = file.read()
    for order in "<>":
        magic = struct.unpack(order + "I", data[:4])[0] if len(data) >= 4 else 0
        if magic == NG:
            return read_pcapng(data)
        if magic in (USEC, NSEC) and len(data) >= 24:
            return read_pcap(data, order)
    return []


def write(path, frames, link_type=ETHERNET, magic=NSEC, order="<"):
    """A pcap file of (stamp, bytes) or of bytes alone, 10 us apart."""
    with open(path, "wb") as file:
        file.write(struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link_type))
        for n, frame in enumerate(frames):
            stamp, data = frame if isinstance(frame, tuple) else (10**18 + n * 10**4, frame)
            unit = 1 if magic == NSEC else 1000
            file.write(struct.pack(order + "IIII", stamp // 10**9, stamp % 10**9 // unit,
                                   len(data), len(data)) + data)


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order="<"):
    return block(order, NG, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))


def interface(link_type, snaplen=0, order="<", name=b"", resolution=None):
    options = b""
    if name:
        options += struct.pack(order + "HH", 2, len(name)) + name + bytes(-len(name) % 4)
    if resolution is not None:
        options += struct.pack(order + "HHB3x", 9, 1, resolution)
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, snaplen) + options
                 + bytes(4 if options else 0))


def packet(data, number=0, ticks=0, order="<", orig=None):
    return block(order, 6, struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xffffffff,
                                       len(data), len(data) if orig is None else orig) + data)


# Packets


def fold(data, start=0):
    if len(data) % 2:
        data += b"\0"
    total = start + int.from_bytes(data, "big")
    return total % 0xffff or 0xffff * (total > 0)


def ip4(payload, protocol, src="10.0.0.1", dst="10.0.0.2", ident=0, frag=0x4000, length=None):
    total = 20 + len(payload) if length is None else length
    addresses = bytes(int(x) for x in (src + "." + dst).split("."))
    head = struct.pack(">BBHHHBBH", 0x45, 0, total, ident & 0xffff, frag, 64, protocol, 0)
    check = 0xffff ^ fold(head + addresses)
    return head[:10] + struct.pack(">H", check) + addresses + payload


SRC6, DST6 = bytes.fromhex("fd" + "00" * 14 + "01"), bytes.fromhex("fd" + "00" * 14 + "02")


def ip6(payload, protocol, length=None, extensions=b""):
    total = len(extensions + payload) if length is None else length
    return struct.pack(">IHBB", 6 << 28, total, protocol, 64) + SRC6 + DST6 + extensions + payload


def pseudo(version, protocol, length, src="10.0.0.1", dst="10.0.0.2"):
    if version == 6:
        return fold(SRC6 + DST6 + struct.pack(">II", length, protocol))
    addresses = bytes(int(x) for x in (src + "." + dst).split("."))
    return fold(addresses + struct.pack(">II", length, protocol))


def tcp(payload, version=4, seq=1, sport=1000, dport=80, flags=0x10, partial=False, options=b"",
        **addresses):
    head = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xffffffff, 1,
                       (20 + len(options)) // 4 << 4, flags, 8192, 0, 0) + options
    start = pseudo(version, 6, len(head) + len(payload), **addresses)
    check = start if partial else 0xffff ^ fold(head + payload, start)
    return head[:16] + struct.pack(">H", check) + head[18:] + payload


def udp(payload, version=4, sport=1000, dport=53, partial=False):
    head = struct.pack(">HHHH", sport, dport, min(8 + len(payload), 65535), 0)
    start = pseudo(version, 17, len(head) + len(payload))
    check = start if partial else 0xffff ^ fold(head + payload, start) or 0xffff
    return head[:6] + struct.pack(">H", check) + payload


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82f63b78 * (crc & 1)
    return struct.pack("<I", crc ^ 0xffffffff)


def sctp(payload, partial=False):
    chunk = struct.pack(">BBHIHHI", 0, 3, 16 + len(payload), 1, 0, 0, 0) + payload
    head = struct.pack(">HHI", 1000, 2000, 7)
    return head + (bytes(4) if partial else crc32c(head + bytes(4) + chunk)) + chunk


def encapsulate(kind, frame, ident=0):
    """An Ethernet frame in a tunnel: IP in IP, GRE or VXLAN with or without an outer checksum, or GUE
    that leaves the checksum of TCP to its receiver."""
    inner = frame[14:]
    if kind == "ipip":
        return ethernet(ip4(inner, 4 if inner[0] >> 4 == 4 else 41, ident=ident))
    if kind == "ip6":
        return ethernet(ip6(inner, 4 if inner[0] >> 4 == 4 else 41))
    if kind == "gre":
        return ethernet(ip4(b"\0\0" + frame[12:14] + inner, 47, ident=ident))
    if kind == "gre-csum":
        head = b"\x80\0" + frame[12:14]
        check = struct.pack(">HH", 0xffff ^ fold(head + inner), 0)
        return ethernet(ip4(head + check + inner, 47, ident=ident))
    if kind == "gue-remcsum":
        start, protocol = (20, 4) if inner[0] >> 4 == 4 else (40, 41)
        head = struct.pack(">BBHIHH", 2, protocol, 1, 1 << 31, start, start + 16)
        return ethernet(ip4(udp(head + inner, dport=6080), 17, ident=ident))
    datagram = udp(bytes.fromhex("0800000000000700") + frame, dport=4789)
    if kind == "vxlan":
        datagram = datagram[:6] + b"\0\0" + datagram[8:]
    return ethernet(ip4(datagram, 17, ident=ident))


TUNNELS = {"ipip": 20, "ip6": 40, "gre": 24, "gre-csum": 28, "vxlan": 50, "vxlan-csum": 50}
MACS = bytes.fromhex("020000000002020000000001")


def ethernet(packet_, vlans=()):
    tags = b"".join(b"\x81\x00" + struct.pack(">H", tag) for tag in vlans)
    return MACS + tags + (b"\x08\x00" if packet_[0] >> 4 == 4 else b"\x86\xdd") + packet_


def tcp_frame(payload, version=4, ident=0, length=None, vlans=(), **more):
    segment = tcp(payload, version, **more)
    layer = ip4(segment, 6, ident=ident, length=length) if version == 4 else \
        ip6(segment, 6, length=length)
    return ethernet(layer, vlans)


def train(count, size=1448, version=4, seq=1, ident=0, fixed=False, **more):
    """Consecutive TCP segments."""
    return [tcp_frame(bytes((seq + i) & 0xff for i in range(size)), version,
                      ident if fixed else ident + n, seq=seq + n * size, **more)
            for n in range(count)]


def flow_of(frame):
    """What identifies the frame's flow, for one who does not know better."""
    if frame.link_type != ETHERNET:
        return frame.interface, "other"
    return frame.interface, *flow_in(frame.data)


def flow_in(data):
    """The same of an Ethernet frame, and of what is in a tunnel."""
    at = 12
    while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    return flow_behind(data[at:at + 2], data[at + 2:])


def flow_behind(kind, data):
    if kind == b"\x08\x00" and len(data) >= 20:
        protocol, ends, rest = data[9], data[12:20], data[max(20, 4 * (data[0] & 15)):]
        later = struct.unpack_from(">H", data, 6)[0] & 0x1fff
    elif kind == b"\x86\xdd" and len(data) >= 40:
        protocol, ends, rest, later = data[6], data[8:40], data[40:], 0
    else:
        return ("other",)
    if later:
        return protocol, ends, "later"
    flow = protocol, ends, rest[:4] if protocol in (6, 17, 132) else b""
    if protocol == 4:
        return *flow, *flow_behind(b"\x08\x00", rest)
    if protocol == 41:
        return *flow, *flow_behind(b"\x86\xdd", rest)
    if protocol == 47 and rest[:2] in (b"\0\0", b"\x80\0"):
        return *flow, *flow_behind(rest[2:4], rest[8 if rest[0] else 4:])
    if protocol == 17 and rest[2:4] == b"\x12\xb5":
        return *flow, *flow_in(rest[16:])
    return flow
