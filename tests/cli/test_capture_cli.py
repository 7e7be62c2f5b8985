#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""leat segment and leat coalesce: every kind of capture they are to read, what they make of it,
and what they say. Needs no privilege. LEAT is the command.
"""

import json
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

import capture
from capture import ethernet, ip4, ip6, tcp, tcp_frame, train, udp

LEAT = os.environ.get("LEAT", "build/leat")
PATIENCE = 120
RAW, RAW4, RAW6, SLL, SLL2, NULL = 101, 228, 229, 113, 276, 0
PAYLOAD = bytes(range(256)) * 200


def leat(*args, **more):
    return subprocess.run([LEAT, *args], capture_output=True, timeout=PATIENCE, **more)


def check_tcp(packet):
    """That an IP packet of TCP is right in itself; (seq, flags, payload)."""
    if packet[0] >> 4 == 4:
        assert capture.fold(packet[:20]) == 0xffff, "IPv4 header checksum"
        total = struct.unpack_from(">H", packet, 2)[0]
        start, segment = capture.fold(packet[12:20]), packet[20:]
    else:
        total = 40 + struct.unpack_from(">H", packet, 4)[0]
        start, segment = capture.fold(packet[8:40]), packet[40:]
    assert total == len(packet), "IP length"
    assert capture.fold(segment, start + 6 + len(segment)) == 0xffff, "TCP checksum"
    at = segment[12] >> 4 << 2
    return struct.unpack_from(">I", segment, 4)[0], segment[13], segment[at:]


def link_header(link_type, packet):
    kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    return {capture.ETHERNET: capture.MACS + kind, RAW: b"", RAW4: b"", RAW6: b"",
            SLL: b"\x00\x04\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x12\x34" + kind,
            SLL2: kind + b"\x00\x00\x00\x00\x00\x03\x00\x01\x04\x06\x02\x00\x00\x00\x00\x01\x12\x34",
            NULL: b"\x02\x00\x00\x00"}[link_type]


class Capture(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = lambda name: os.path.join(directory.name, name)

    def write(self, frames, name="in.pcap", **more):
        capture.write(self.path(name), frames, **more)
        return self.path(name)

    def write_ng(self, *blocks):
        with open(self.path("in.pcapng"), "wb") as file:
            file.write(b"".join(blocks))
        return self.path("in.pcapng")

    def run_leat(self, command, *args, code=0, out="out.pcap"):
        """Its JSON summary, and the frames of OUT."""
        got = leat(command, "--json", *args, self.path(out))
        self.assertEqual(got.returncode, code, got.stderr)
        self.err = got.stderr.decode()
        return json.loads(got.stdout), capture.read(self.path(out))

    def refused(self, code, *args):
        got = leat(*args)
        self.assertEqual(got.returncode, code, got.stderr)
        self.assertTrue(got.stderr.startswith(f"leat {args[0]}: ".encode()), got.stderr)
        return got.stderr.decode()

    def expect_stream(self, frames, payload, header=14, mtu=1500):
        """Frames of one TCP stream: right, small enough, and `payload` together."""
        got, seq = b"", None
        for n, frame in enumerate(frames):
            self.assertLessEqual(len(frame.data), header + mtu)
            at, flags, data = check_tcp(frame.data[header:])
            self.assertEqual(at, at if seq is None else seq)
            self.assertEqual(bool(flags & 8), n == len(frames) - 1)
            seq = (at + len(data)) % 2**32
            got += data
        self.assertEqual(got, payload)

    def expect_outer(self, packet, kind):
        """The length and the checksums of a tunnel's headers are right."""
        if packet[0] >> 4 == 4:
            self.assertEqual(capture.fold(packet[:20]), 0xffff)
            self.assertEqual(struct.unpack_from(">H", packet, 2)[0], len(packet))
        if kind in ("vxlan-csum", "gue-remcsum"):
            pseudo = capture.pseudo(4, 17, len(packet) - 20)
            self.assertEqual(capture.fold(packet[20:], pseudo), 0xffff)
        if kind == "gre-csum":
            self.assertEqual(capture.fold(packet[20:]), 0xffff)


class Segment(Capture):
    def test_link_types(self):
        for link_type in (capture.ETHERNET, RAW, RAW4, RAW6, SLL, SLL2, NULL):
            for version in (4, 6):
                if link_type in (RAW4, RAW6) and version != (4 if link_type == RAW4 else 6):
                    continue
                segment = tcp(PAYLOAD, version, flags=0x18, partial=True)
                packet = ip4(segment, 6) if version == 4 else ip6(segment, 6)
                header = link_header(link_type, packet)
                name = self.write([header + packet], link_type=link_type)
                done, frames = self.run_leat("segment", name)
                with self.subTest(link_type=link_type, version=version):
                    self.assertEqual((done["cut"], done["segments"]), (1, len(frames)))
                    self.expect_stream(frames, PAYLOAD, len(header))
                    self.assertEqual({f.data[:len(header)] for f in frames}, {header})
                    self.assertEqual({f.link_type for f in frames}, {link_type})
                    self.assertEqual(done["checksums_completed"], 1)
                    self.assertIn("--vnet-hdr is for Ethernet" if link_type != 1 else "",
                                  leat("coalesce", "--vnet-hdr", name,
                                       self.path("x")).stderr.decode())

    def test_sizes(self):
        name = self.write([tcp_frame(PAYLOAD, flags=0x18, options=bytes([1] * 12))])
        for mtu in (68, 100, 576, 1499, 1500, 9000):
            _, frames = self.run_leat("segment", "--mtu", str(mtu), name)
            self.expect_stream(frames, PAYLOAD, mtu=mtu)
            if mtu > 500:
                self.assertEqual(len(frames[0].data), 14 + mtu)
        for size in (1000, 1448, 65000):
            _, frames = self.run_leat("segment", "--gso-size", str(size), name)
            self.assertEqual(len(frames[0].data), min(size, len(PAYLOAD)) + 14 + 20 + 32)

    def test_zero_lengths(self):
        """IPv4 total length 0, IPv6 payload length 0, the jumbogram option; over 64 KB and not."""
        for size in (1000, 20000, 65000, 65536, 200000, 520000):
            payload = (PAYLOAD * 11)[:size]
            for version in (4, 6):
                name = self.write([tcp_frame(payload, version, length=0, flags=0x18)])
                done, frames = self.run_leat("segment", name)
                with self.subTest(size=size, version=version):
                    self.expect_stream(frames, payload)
                    self.assertEqual(done["lengths_filled"], size <= 65000)
        padded = tcp_frame(b"", length=0) + bytes(6) # who knows where this one ends
        done, frames = self.run_leat("segment", self.write([padded]))
        self.assertEqual((frames[0].data, done["lengths_filled"]), (padded, 0))

    def test_jumbogram(self):
        payload = (PAYLOAD * 2)[:100000]
        segment = tcp(payload, 6, flags=0x18)
        option = struct.pack(">BBBBI", 6, 0, 0xc2, 4, 8 + len(segment))
        frame = ethernet(ip6(segment, 0, length=0, extensions=option))
        done, frames = self.run_leat("segment", self.write([frame]))
        self.expect_stream(frames, payload)
        self.assertEqual(len(frames[0].data), 1514)

    def test_tunnels(self):
        """By the outer header's MTU; both headers and both checksums right."""
        payload = PAYLOAD[:20000]
        for kind, more in capture.TUNNELS.items():
            for version in 4, 6:
                frame = capture.encapsulate(kind, tcp_frame(payload, version, flags=0x18))
                done, frames = self.run_leat("segment", self.write([frame]))
                inner = [f._replace(data=f.data[more:]) for f in frames]
                self.expect_stream(inner, payload, mtu=1500 - more)
                self.assertEqual(len(frames[0].data), 1514)
                for f in frames:
                    self.expect_outer(f.data[14:], kind)

    def test_ip_id(self):
        for how, ids in (("increment", 4), ("fixed", 1)):
            name = self.write([tcp_frame(bytes(5000), ident=65534)])
            _, frames = self.run_leat("segment", "--ip-id", how, name)
            self.assertEqual(len({f.data[18:20] for f in frames}), ids)

    def test_partial(self):
        """Small frames as well; right checksums and fragments stay as they are."""
        small = [tcp_frame(b"abc" * 20, partial=True), tcp_frame(b"abc", 6, partial=True),
                 ethernet(ip4(udp(b"a" * 21, partial=True), 17)),
                 tcp_frame(b"x", partial=True) + b"padding!"]
        other = [tcp_frame(b"abc"), ethernet(ip4(tcp(b"a" * 8, partial=True), 6, frag=0x2000)),
                 tcp_frame(b"abc")[:-1] + b"?"]
        name = self.write(small + other)
        for command in "segment", "coalesce":
            done, frames = self.run_leat(command, name)
            self.assertEqual(done["checksums_completed"], len(small))
            for was, frame in zip(other, frames[len(small):]):
                self.assertEqual(frame.data, was)
            check_tcp(frames[0].data[14:])
            check_tcp(frames[1].data[14:])
            datagram = frames[2].data[34:]
            self.assertEqual(capture.fold(datagram, capture.pseudo(4, 17, len(datagram))), 0xffff)
            self.assertEqual(frames[3].data[-8:], b"padding!")
            check_tcp(frames[3].data[14:-8])
        done, frames = self.run_leat("coalesce", "--vnet-hdr", name)
        self.assertEqual(done["checksums_partial"], len(small))

    def test_partial_sctp(self):
        """The CRC that a host leaves to its card, or to nobody on a loopback, is 0."""
        right = ethernet(ip4(capture.sctp(b"data"), 132))
        left = ethernet(ip4(capture.sctp(b"data", partial=True), 132))
        for command in "segment", "coalesce":
            done, frames = self.run_leat(command, self.write([right, left]))
            self.assertEqual([f.data for f in frames], [right, right])
            self.assertEqual(done["checksums_completed"], 1)

    def test_right_by_chance(self):
        """A checksum that is right is not partial, though it is the pseudo-header's sum too."""
        start = capture.pseudo(4, 6, 22)
        segment = tcp(b"\0\0")
        rest = capture.fold(segment[:16] + segment[18:])
        segment = tcp(struct.pack(">H", (0xffff - 2 * start - rest) % 0xffff))
        self.assertEqual(segment[16:18], struct.pack(">H", start))
        frame = ethernet(ip4(segment, 6))
        done, frames = self.run_leat("segment", self.write([frame]))
        self.assertEqual((done["checksums_completed"], frames[0].data), (0, frame))

    def test_snaplen(self):
        """Never guessed: even where everything to cut it by is there."""
        for length in None, 0:
            frame = tcp_frame(PAYLOAD, length=length)
            name = self.write_ng(capture.section(), capture.interface(1, 2000),
                                 capture.packet(frame[:2000], orig=len(frame)),
                                 capture.packet(tcp_frame(bytes(100))))
            for command in "segment", "coalesce":
                done, frames = self.run_leat(command, name, out="out.pcapng")
                self.assertEqual((done["snapped"], len(frames)), (1, 2))
                self.assertEqual((frames[0].data, frames[0].missing),
                                 (frame[:2000], len(frame) - 2000))

    def test_fits(self):
        """What is just as large as fits is left alone."""
        for version, payload in ((4, 1460), (6, 1440)):
            name = self.write([tcp_frame(bytes(payload), version),
                               tcp_frame(bytes(payload + 1), version)])
            done, frames = self.run_leat("segment", name)
            self.assertEqual([len(f.data) for f in frames][:2], [1514, 1514])
            self.assertEqual((done["cut"], done["segments"], done["too_large"]), (1, 2, 0))

    def test_trailer(self):
        """Bytes behind the IP packet, a frame check sequence say, do not make it larger."""
        packets = [layer(inner, protocol) for layer, header in ((ip4, 20), (ip6, 40))
                   for inner, protocol in (
                       (tcp(bytes(1480 - header), 4 if layer == ip4 else 6), 6),
                       (udp(bytes(1492 - header), 4 if layer == ip4 else 6), 17),
                       (bytes(1500 - header), 50))]
        packets.append(capture.encapsulate("vxlan-csum", ethernet(
            ip4(tcp(bytes(1410)), 6)))[14:])
        frames = [ethernet(packet) + b"fcs!" for packet in packets]
        done, out = self.run_leat("segment", self.write(frames))
        self.assertEqual((done["too_large"], done["udp_too_large"], done["cut"]), (0, 0, 0))
        self.assertEqual([f.data for f in out], frames)
        done, _ = self.run_leat("segment", "--gso-size", "1460", self.write(frames[:1]))
        self.assertEqual((done["too_large"], done["cut"]), (0, 0))
        more = ethernet(ip4(tcp(bytes(1461)), 6)) + b"fcs!"
        done, _ = self.run_leat("segment", self.write([more]))
        self.assertEqual((done["too_large"], done["cut"]), (1, 0))

    def test_udp(self):
        payload = PAYLOAD[:5000]
        name = self.write([ethernet(ip4(udp(payload), 17)), tcp_frame(PAYLOAD)])
        done, frames = self.run_leat("segment", name)
        self.assertEqual((done["udp_too_large"], done["cut"]), (1, 1))
        self.assertEqual(frames[0].data, capture.read(name)[0].data)
        got = leat("segment", name, self.path("x"))
        self.assertIn(b"--udp fragment", got.stderr)
        done, frames = self.run_leat("segment", "--gso-size", "1200", name)
        datagrams = [f.data[34:] for f in frames if f.data[23] == 17]
        self.assertEqual(b"".join(d[8:] for d in datagrams), payload)
        for d in datagrams:
            self.assertEqual(capture.fold(d, capture.pseudo(4, 17, len(d))), 0xffff)
            self.assertEqual(struct.unpack_from(">H", d, 4)[0], len(d))

    def test_udp_fragment(self):
        payload = PAYLOAD[:5000]
        for packet, header in ((ip4(udp(payload), 17, frag=0), 20), (ip6(udp(payload, 6), 17), 48)):
            name = self.write([ethernet(packet)])
            done, frames = self.run_leat("segment", "--udp", "fragment", "--mtu", "1000", name)
            self.assertEqual((done["fragmented"], done["fragments"]), (1, len(frames)))
            self.assertEqual(done["checksums_completed"], 0)
            self.assertTrue(all(len(f.data) <= 1014 for f in frames))
            self.assertEqual(b"".join(f.data[14 + header:] for f in frames)[8:], payload)

    def test_udp_fragment_tunnel(self):
        """Of a tunnel's the outer datagram is fragmented, when the inner checksum is complete."""
        inner = [ethernet(ip4(udp(PAYLOAD[:3000], partial=x), 17)) for x in (True, False)]
        name = self.write([capture.encapsulate("vxlan-csum", inner[0])])
        done, frames = self.run_leat("segment", "--udp", "fragment", name)
        self.assertEqual((done["fragmented"], done["checksums_completed"]), (1, 1))
        self.assertTrue(all(len(f.data) <= 1514 for f in frames))
        datagram = b"".join(f.data[34:] for f in frames)
        self.assertEqual(datagram[16:], inner[1])
        self.assertEqual(capture.fold(datagram, capture.pseudo(4, 17, len(datagram))), 0xffff)

    def test_metadata(self):
        """A virtio_net_hdr's size is what counts; where it says nothing, nothing is cut."""
        segment = tcp(PAYLOAD[:3000], partial=True)
        frame = ethernet(ip4(segment, 6))
        for size in 10, 12:
            tso = struct.pack("<BBHHHH", 1, 1, 54, 700, 34, 16).ljust(size, b"\0")
            name = self.write([tso + frame, bytes(size) + frame], link_type=capture.USER0)
            done, frames = self.run_leat("segment", f"--vnet-hdr={size}", name)
            self.assertEqual([len(f.data) for f in frames], [754] * 4 + [254, len(frame)])
            self.assertEqual({f.link_type for f in frames}, {capture.ETHERNET})
            self.assertEqual(b"".join(check_tcp(f.data[14:])[2] for f in frames[:5]),
                             PAYLOAD[:3000])
            _, frames = self.run_leat("segment", f"--vnet-hdr={size}", "--mtu", "1500", name)
            self.assertEqual(len(frames), 5 + 3)

    def test_bad_metadata(self):
        """The frame is kept, and the exit code says that not all went well."""
        frame = tcp_frame(PAYLOAD[:3000])
        headers = [struct.pack("<BBHHHHH", *fields, 0) for fields in (
            (1, 1, 54, 0, 34, 16), (1, 1, 54, 0xffff, 34, 16), (1, 4, 54, 700, 34, 16),
            (1, 2, 54, 700, 34, 16), (1, 1, 54, 700, 60000, 16), (0, 5, 54, 700, 0, 0),
            (1, 1, 60000, 700, 34, 16))]
        name = self.write([h + frame for h in headers], link_type=capture.USER0)
        done, frames = self.run_leat("segment", "--vnet-hdr", name, code=1)
        self.assertEqual([f.data for f in frames], [frame] * len(headers))
        self.assertEqual(done["bad_metadata"], len(headers))
        self.assertIn("frame 7: ", self.err)
        self.refused(1, "segment", "--vnet-hdr", self.write([b"short"], link_type=capture.USER0),
                     self.path("x"))
        self.assertIn("147 (USER0)", self.refused(1, "segment", "--vnet-hdr", self.write([frame]),
                                                  self.path("x")))


class Coalesce(Capture):
    def test_merges(self):
        name = self.write(train(40, flags=0x10))
        done, frames = self.run_leat("coalesce", name)
        self.assertEqual((done["frames_in"], done["frames_out"], done["super_packets"],
                          done["merged"]), (40, 1, 1, 40))
        self.assertEqual(done["gro"]["merged"], 39)
        check_tcp(frames[0].data[14:])
        self.assertIn("is lost", self.err)
        self.assertEqual(frames[0].stamp, 10**18)
        self.assertNotIn("is lost", leat("coalesce", "--vnet-hdr", name,
                                         self.path("x")).stderr.decode())

    def test_big(self):
        """BIG TCP: over 64 KB, with a length of 0 that segment understands again."""
        name = self.write(train(200))
        _, frames = self.run_leat("coalesce", "--max-size", "500000", "--timeout", "1s", name)
        self.assertEqual((len(frames), frames[0].data[16:18]), (1, b"\0\0"))
        self.run_leat("segment", "--gso-size", "1448", self.path("out.pcap"), out="back.pcap")
        self.assertEqual([f.data for f in capture.read(name)],
                         [f.data for f in capture.read(self.path("back.pcap"))])

    def test_tunnels(self):
        """What covers a super-packet is right, inside and around it."""
        for kind, more in capture.TUNNELS.items():
            for version in 4, 6:
                frames = [capture.encapsulate(kind, frame, n)
                          for n, frame in enumerate(train(10, 999, version))]
                _, frames = self.run_leat("coalesce", self.write(frames))
                self.assertEqual(len(frames), 1)
                self.expect_outer(frames[0].data[14:], kind)
                self.assertEqual(len(check_tcp(frames[0].data[14 + more:])[2]), 9990)

    def test_tunnel_leaves_checksum(self):
        """Where the receiver is to complete it, it stays the pseudo-header's."""
        frames = [capture.encapsulate("gue-remcsum", frame, n)
                  for n, frame in enumerate(train(10, 999, partial=True))]
        _, frames = self.run_leat("coalesce", self.write(frames))
        self.assertEqual(len(frames), 1)
        packet = frames[0].data[14:]
        self.expect_outer(packet, "gue-remcsum")
        segment = packet[20 + 8 + 12 + 20:]
        self.assertEqual(struct.unpack_from(">H", segment, 16)[0],
                         capture.pseudo(4, 6, len(segment)))

    def test_order(self):
        """OUT is in the order of the frames that super-packets begin with."""
        a, b = train(10, sport=1), train(10, sport=2)
        frames = [x for pair in zip(a, b) for x in pair]
        frames.insert(5, bytes(60))
        _, got = self.run_leat("coalesce", self.write(frames))
        self.assertEqual([f.stamp for f in got], [10**18, 10**18 + 10**4, 10**18 + 5 * 10**4])

    def test_why(self):
        frames = train(3) + [tcp_frame(b"x", seq=99, ident=3)] + [ethernet(ip4(udp(b"x"), 17))]
        name = self.write(frames)
        said = leat("coalesce", "--why", name, self.path("x")).stdout.decode()
        for words in ("frame 1  tcp 10.0.0.1:1000 > 10.0.0.2:80: held",
                      "frame 2  tcp 10.0.0.1:1000 > 10.0.0.2:80: merged",
                      "  frame 1 given out, 3 frames, 4398 bytes: tcp sequence",
                      "frame 5  udp 10.0.0.1:1000 > 10.0.0.2:53: udp gro off"):
            self.assertIn(words + "\n", said)
        lines = leat("coalesce", "--why", "-j", name, self.path("x")).stdout.splitlines()
        lines = [json.loads(line) for line in lines]
        self.assertEqual([x["reason"] for x in lines if "frame" in x],
                         ["held", "merged", "merged", "held", "udp gro off"])
        self.assertEqual(sum(lines[-1]["gro"].values()), len(frames) + 2) # held ones: twice
        got = leat("coalesce", "--why", name, "-")
        self.assertEqual(got.stdout[:4], struct.pack("=I", capture.NSEC))
        self.assertIn(b"frame 2  tcp", got.stderr)

    def test_link_header_differs(self):
        """What came in over another interface, or from another sender, is not merged."""
        packets = [f[14:] for f in train(2)]
        rows = {SLL: 6, SLL2: 7}
        for link_type, at in rows.items():
            headers = [bytearray(link_header(link_type, p)) for p in packets]
            headers[1][at] ^= 1
            name = self.write([bytes(h) + p for h, p in zip(headers, packets)],
                              link_type=link_type)
            done, frames = self.run_leat("coalesce", name)
            self.assertEqual([f.data for f in frames], [f.data for f in capture.read(name)])
        name = self.write([link_header(SLL2, p) + p for p in packets], link_type=SLL2)
        self.assertEqual(self.run_leat("coalesce", name)[0]["super_packets"], 1)


class Files(Capture):
    def test_pcapng(self):
        """Two sections of different order; interfaces with link types, names and clocks."""
        packet = train(1)[0][14:]
        blocks = []
        for order in "<>":
            blocks += [capture.section(order), capture.interface(1, 65535, order, b"eth0", 9),
                       capture.interface(SLL, 0, order, b"any"),
                       capture.packet(ethernet(packet), 0, 5 * 10**18 + 7, order),
                       capture.interface(RAW, 0, order),
                       capture.packet(link_header(SLL, packet) + packet, 1, 10**15 + 3, order),
                       capture.packet(packet, 2, 10**15 + 5, order)]
        name = self.write_ng(*blocks)
        was = capture.read(name)
        self.assertEqual(len(was), 6)
        for command in "segment", "coalesce":
            _, frames = self.run_leat(command, name, out="out.pcapng")
            self.assertEqual(frames, was)
            with open(self.path("out.pcapng"), "rb") as file:
                data = file.read()
            self.assertEqual((data.count(b"eth0"), data.count(b"any\0")), (2, 2))
            message = self.refused(1, command, name, self.path("out.pcap"))
            self.assertIn("a name in .pcapng takes both", message)
            self.assertEqual([f.data for f in capture.read(self.path("out.pcap"))],
                             [was[0].data])

    def test_resolution(self):
        for magic in capture.USEC, capture.NSEC:
            for order in "<>":
                name = self.write(train(2), magic=magic, order=order)
                self.run_leat("segment", name)
                with open(self.path("out.pcap"), "rb") as file:
                    self.assertEqual(struct.unpack("=I", file.read(4))[0], magic)

    def test_pipes(self):
        with open(self.write(train(40) + [tcp_frame(PAYLOAD)]), "rb") as file:
            data = file.read()
        got = leat("segment", "-", "-", input=data)
        self.assertEqual((got.returncode, got.stdout[:4]), (0, data[:4]))
        self.assertIn(b"-: 41 frames", got.stderr)
        got = leat("coalesce", "--json", "-", "-", input=data)
        self.assertEqual(json.loads(got.stderr.splitlines()[0])["frames_in"], 41)
        with open(self.path("through"), "wb") as file:
            file.write(got.stdout)
        self.assertEqual(len(capture.read(self.path("through"))), 2)

    def test_cut_anywhere(self):
        """What is whole is done; then exit code 1, and where."""
        frames = train(4, size=20)
        name = self.write(frames)
        with open(name, "rb") as file:
            data = file.read()
        size = 16 + len(frames[0])
        for length in range(24, len(data)):
            with open(name, "wb") as file:
                file.write(data[:length])
            whole, rest = divmod(length - 24, size)
            for command in "segment", "coalesce":
                if length % 7 and command == "coalesce":
                    continue
                done, got = self.run_leat(command, name, code=1 if rest else 0)
                self.assertEqual(done["frames_in"], whole)
                if rest:
                    self.assertIn(f"{name}: ends in the middle, after frame {whole}, at byte "
                                  f"{length}\n", self.err)
        with open(name, "wb") as file:
            file.write(data[:20])
        self.refused(1, "segment", name, self.path("out.pcap"))

    def test_same_file(self):
        name = self.write(train(4))
        os.link(name, self.path("link"))
        size = os.path.getsize(name)
        for command in "segment", "coalesce":
            for out in name, self.path("link"):
                self.assertIn("is the file that is read", self.refused(2, command, name, out))
        with open(name, "rb") as file:
            got = leat("segment", "-", name, stdin=file)
        self.assertEqual(got.returncode, 2)
        self.assertEqual(os.path.getsize(name), size)

    def test_failures(self):
        name = self.write(train(4))
        self.assertIn("No such file", self.refused(1, "segment", self.path("none"),
                                                   self.path("x")))
        self.assertFalse(os.path.exists(self.path("x")))
        self.assertIn("No such file", self.refused(1, "segment", name, self.path("none/x")))
        self.assertIn("No space left", self.refused(1, "segment", name, "/dev/full"))
        self.assertIn("not a capture", self.refused(1, "coalesce", "/dev/null", self.path("x")))
        self.assertIn("is a directory", self.refused(1, "coalesce", self.path("."),
                                                     self.path("x")).lower())
        with open(self.path("x"), "w") as file:
            file.write("mine")
        self.refused(1, "coalesce", "--vnet-hdr", self.write([b"x" * 20], link_type=RAW),
                     self.path("x"))
        with open(self.path("x")) as file:
            self.assertEqual(file.read(), "mine")

    def test_usage(self):
        for args, words in (
                (("segment",), "which capture"), (("segment", "a", "b", "c"), "what is 'c'?"),
                (("segment", "--mtu", "67", "a", "b"), "'67' is not a number from 68"),
                (("segment", "--mtu", "1500", "--gso-size", "1000", "a", "b"), "not both"),
                (("segment", "--udp", "segment", "a", "b"), "wants --gso-size"),
                (("segment", "--udp", "fragment", "--gso-size", "9", "a", "b"), "goes by --mtu"),
                (("segment", "--udp", "merge", "a", "b"), "neither segment nor fragment"),
                (("segment", "--ip-id", "x", "a", "b"), "neither increment nor fixed"),
                (("segment", "--vnet-hdr=11", "a", "b"), "not 10, 12, 20 or 24"),
                (("coalesce", "--max-size", "600000", "a", "b"), "not a number"),
                (("coalesce", "--timeout", "soon", "a", "b"), "not a time")):
            self.assertIn(words, self.refused(2, *args))

    def test_empty(self):
        for command in "segment", "coalesce":
            done, frames = self.run_leat(command, self.write([]))
            self.assertEqual((done["frames_in"], frames), (0, []))
            self.assertEqual(os.path.getsize(self.path("out.pcap")), 24)

    def test_memory(self):
        """The same for a file ten times as large."""
        used = []
        one = train(1, size=1448)[0]
        for count in 5000, 50000:
            with open(self.path("large.pcap"), "wb") as file:
                file.write(struct.pack("=IHHIIII", capture.NSEC, 2, 4, 0, 0, 65535, 1))
                for n in range(count):
                    frame = one[:34] + struct.pack(">H", n & 0xffff) + one[36:]
                    file.write(struct.pack("=IIII", n // 10**5, n % 10**5 * 10**4, len(frame),
                                           len(frame)) + frame)
            for command in "segment", "coalesce":
                process = subprocess.Popen([LEAT, command, self.path("large.pcap"), "/dev/null"],
                                           stderr=subprocess.DEVNULL)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = status
                self.assertEqual(status, 0)
                used.append(usage.ru_maxrss)
        self.assertLess(used[2], used[0] + 1024, used)
        self.assertLess(used[3], used[1] + 4096, used)

    @unittest.skipUnless(shutil.which("tshark"), "no tshark")
    def test_tshark(self):
        """Another reader takes what we write, and finds nothing wrong in it."""
        name = self.write([tcp_frame(PAYLOAD, partial=True), tcp_frame(PAYLOAD, 6, partial=True)])
        for out in "out.pcap", "out.pcapng":
            _, frames = self.run_leat("segment", name, out=out)
            got = subprocess.run(
                ["tshark", "-r", self.path(out), "-o", "ip.check_checksum:TRUE",
                 "-o", "tcp.check_checksum:TRUE", "-T", "fields", "-e", "tcp.checksum.status",
                 "-e", "ip.checksum.status", "-e", "tcp.analysis.flags"],
                capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(len(got.stdout.splitlines()), len(frames))
            self.assertEqual(set(got.stdout.splitlines()), {"1\t1\t", "1\t\t"})


if __name__ == "__main__":
    unittest.main()
