#!/usr/bin/python3
"""The law of captures: through coalesce --vnet-hdr and back through segment --vnet-hdr every frame
is as it was, and those of a flow are in the order they were in, or it is said why not.

Frames come back where the first one of their super-packet was, with its time stamp; those that
were not merged keep theirs. LEAT is the command. LEAT_SEED chooses the random captures,
LEAT_CAPTURES is a directory of more to be tried.
"""

import collections
import os
import random
import subprocess
import sys
import tempfile
import unittest

import capture

LEAT = os.environ.get("LEAT", "build/leat")
SEED = int(os.environ.get("LEAT_SEED") or random.randrange(2**32))
PATIENCE = 60
MUTANTS = int(os.environ.get("LEAT_MUTANTS", 300))


def leat(*args):
    got = subprocess.run([LEAT, *args], capture_output=True, timeout=PATIENCE,
                         stdin=subprocess.DEVNULL)
    return got.returncode, got.stderr.decode(errors="replace")


def by_flow(frames):
    flows = collections.defaultdict(list)
    for frame in frames:
        flows[capture.flow_of(frame)].append((frame.data, frame.missing))
    return flows


class Law(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = lambda name: os.path.join(directory.name, name)
        self.random = random.Random(SEED)
        self.headers = [f"--vnet-hdr={n}" for n in (10, 12, 20, 24)]

    def expect_refused(self, code, err, command):
        self.assertIn(code, (1, 2), err)
        self.assertIn(f"leat {command}: ", err)

    def check(self, name, *options, vnet="--vnet-hdr"):
        """There and back. How many frames fewer the merged file has, None: it was refused."""
        with open(name, "rb") as file:
            magic = file.read(4)
        end = ".pcapng" if magic[:1] == b"\n" else ".pcap"
        merged, back = self.path("merged" + end), self.path("back" + end)
        for path in merged, back:
            if os.path.exists(path):
                os.unlink(path)
        code, err = leat("coalesce", vnet, *options, name, merged)
        # That it looks is what makes the law hold; the library is to give it no cause.
        self.assertNotIn("would not come back the same", err)
        if code:
            self.expect_refused(code, err, "coalesce")
            if not os.path.exists(merged):
                return None
        damaged = code
        code, err = leat("segment", vnet, merged, back)
        self.assertEqual(code, 0, err)
        was, supers, now = capture.read(name), capture.read(merged), capture.read(back)
        if damaged: # what is whole is done
            was = was[:len(now)]
        if by_flow(was) != by_flow(now):
            self.assertEqual(len(was), len(now))
            for flow, frames in by_flow(was).items():
                self.assertEqual(frames, by_flow(now)[flow], flow)
        if len(supers) == len(was):
            unit = 1000 if magic in (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1") else 1
            wrap = 2**32 * 10**9 if end == ".pcap" else 2**64
            self.assertEqual([f.stamp % wrap // unit for f in was],
                             [f.stamp % wrap // unit for f in now])
        return None if damaged and not was else len(was) - len(supers)

    def write(self, frames, **more):
        capture.write(self.path("in.pcap"), frames, **more)
        return self.path("in.pcap")

    def mix(self):
        """Flows of every kind, interleaved."""
        r = self.random
        trains = []
        for n in range(r.randrange(1, 8)):
            version, size = r.choice((4, 6)), r.choice((1, 100, 536, 1448, 8948))
            train = capture.train(r.randrange(1, 40), size, version, r.randrange(2**32),
                                  r.randrange(65536), r.random() < 0.2, sport=1000 + n,
                                  vlans=(7,) * r.randrange(3), partial=r.random() < 0.1)
            if r.random() < 0.3:
                train = [f + bytes(r.randrange(6)) for f in train]
            if r.random() < 0.3:
                kind = r.choice(list(capture.TUNNELS))
                train = [capture.encapsulate(kind, f, n) for n, f in enumerate(train)]
            trains.append(train)
        payload = bytes(range(200))
        trains.append([capture.ethernet(capture.ip4(capture.udp(payload), 17, ident=i))
                       for i in range(r.randrange(20))])
        trains.append([capture.ethernet(capture.ip4(capture.sctp(payload[:40]), 132, ident=i))
                       for i in range(r.randrange(5))])
        trains.append([r.randbytes(r.randrange(200)) for _ in range(r.randrange(10))])
        frames = []
        while any(trains):
            train = r.choice([t for t in trains if t])
            frames.append(train.pop(0))
        return frames

    def test_merges(self):
        """An identity would pass otherwise."""
        name = self.write(capture.train(40) + capture.train(40, version=6))
        self.assertEqual(self.check(name), 78)
        self.assertEqual(self.check(name, "--max-size", "4500"), 52)
        for vnet in self.headers:
            self.assertEqual(self.check(name, vnet=vnet), 78)
        self.assertEqual(self.check(self.write(capture.train(40, fixed=True))), 0)
        frames = [capture.ethernet(capture.ip4(capture.udp(bytes(100)), 17, ident=i))
                  for i in range(20)]
        self.assertEqual(self.check(self.write(frames)), 0)
        self.assertEqual(self.check(self.write(frames), "--udp"), 19)

    def test_tunnels(self):
        """A UDP tunnel's super-packets need a header of 24 bytes."""
        for kind in capture.TUNNELS:
            for version in 4, 6:
                frames = [capture.encapsulate(kind, f, n)
                          for n, f in enumerate(capture.train(20, 1000, version))]
                name = self.write(frames)
                with self.subTest(kind=kind, version=version):
                    self.assertEqual(self.check(name, vnet="--vnet-hdr=24"), 19)
                    self.assertEqual(self.check(name), 0 if kind.startswith("vxlan") else 19)

    def test_timeout(self):
        frames = [(10**18 + n * 10**6 // 2, f) for n, f in enumerate(capture.train(40))]
        self.assertEqual(self.check(self.write(frames), "--timeout", "30ms"), 39)
        self.assertLess(self.check(self.write(frames)), 39)
        self.assertEqual(self.check(self.write(frames), "--timeout", "100us"), 0)

    def test_every_length(self):
        frame = capture.train(1)[0]
        self.assertEqual(self.check(self.write([frame[:n] for n in range(200)])), 0)
        self.assertEqual(self.check(self.write([self.random.randbytes(n)
                                                for n in range(300)])), 0)

    def test_big(self):
        frames = [capture.tcp_frame(bytes(n), length=0) for n in (65536, 100000, 520000, 600000)]
        frames += [capture.tcp_frame(bytes(65000)), capture.tcp_frame(bytes(70000), 6, length=0)]
        self.assertEqual(self.check(self.write(frames)), 0)

    def test_too_long(self):
        """A frame that has no room for a header is refused."""
        self.assertIsNone(self.check(self.write([bytes(1 << 20)])))
        self.assertEqual(self.check(self.write([bytes((1 << 20) - 12)])), 0)

    def test_mix(self):
        merged, captures = 0, 50
        for _ in range(captures):
            name = self.write(self.mix(), magic=self.random.choice((capture.USEC, capture.NSEC)),
                              order=self.random.choice("<>"))
            merged += self.check(name, *self.random.choice(((), ("--udp", "--sctp"), ("--accecn",),
                                                            ("--flows", "1"))),
                                 vnet=self.random.choice(self.headers))
        self.assertGreater(merged, 5 * captures) # about 30 each, but some seeds give few

    def test_unclear(self):
        """What is, or may be, of a held flow is not overtaken by it."""
        frames = capture.train(6)
        short = bytearray(frames[0])
        short[16] = 0xff # an IP length that does not fit
        first = capture.ethernet(capture.ip4(capture.tcp(bytes(64)), 6, frag=0x2000))
        for odd in bytes(short), first, frames[0][:-1]:
            self.assertEqual(self.check(self.write(frames[:3] + [odd] + frames[3:])), 4)
        name = self.path("in.pcap") # the last one, cut by a snaplen
        with open(name, "rb") as file:
            data = bytearray(file.read())
        at = 24 + 3 * (16 + len(frames[0]))
        data[at + 12] += 1
        with open(name, "wb") as file:
            file.write(data)
        self.assertEqual(self.check(name), 4)

    def test_interfaces(self):
        """The same frames on two interfaces, as on both sides of a bridge."""
        data = b""
        for order in "<>":
            data += capture.section(order) + capture.interface(1, order=order, name=b"eth0")
            data += capture.interface(1, 100, order=order, resolution=9)
            for n, frame in enumerate(capture.train(30)):
                data += capture.packet(frame, n % 2, 1000 + n, order)
                data += capture.packet(frame, 1 - n % 2, 1000 + n, order)
        with open(self.path("in.pcapng"), "wb") as file:
            file.write(data)
        self.assertEqual(self.check(self.path("in.pcapng"), "--timeout", "1s"), 4 * 29)

    def mutate(self, data):
        """A few bytes changed, most of them where headers are; a piece gone or doubled; an end."""
        r, data = self.random, bytearray(data)
        for _ in range(r.choice((1, 3, 30))):
            at = r.randrange(len(data))
            data[at] = r.choice((0, 1, 255, data[at] ^ 1 << r.randrange(8), r.randrange(256)))
        if r.random() < 0.2:
            at = r.randrange(20, len(data))
            data[at:at + r.randrange(8)] = r.randbytes(r.randrange(8))
        if r.random() < 0.1:
            del data[r.randrange(len(data)):]
        return bytes(data)

    def mutate_frames(self, frames):
        """Frames whose lengths stay right: what is in them, duplicates, order, cuts."""
        r, out = self.random, []
        for data in frames:
            data = bytearray(data)
            if data and r.random() < 0.2:
                data[r.randrange(min(len(data), 80))] = r.randrange(256)
            if r.random() < 0.05:
                del data[r.randrange(len(data) + 1):]
            out += [bytes(data)] * (2 if r.random() < 0.03 else 1)
        if r.random() < 0.2:
            at = r.randrange(len(out))
            out.insert(r.randrange(len(out)), out.pop(at))
        return out

    def test_mutants(self):
        """Hundreds of captures with a few changed bytes."""
        done = merged = 0
        for n in range(MUTANTS):
            if n % 2:
                name = self.write(self.mutate_frames(self.mix()))
            else:
                with open(self.write(self.mix()), "rb") as file:
                    data = self.mutate(file.read())
                name = self.path("mutant")
                with open(name, "wb") as file:
                    file.write(data)
            got = self.check(name)
            done += got is not None
            merged += got or 0
        self.assertGreater(done, MUTANTS / 2)
        self.assertGreater(merged, MUTANTS)

    def test_found(self):
        """Whatever is in LEAT_CAPTURES, as it is and mutated."""
        folder = os.environ.get("LEAT_CAPTURES")
        if not folder:
            self.skipTest("LEAT_CAPTURES names no directory")
        results = collections.Counter()
        for top, _, names in os.walk(folder):
            for name in sorted(names):
                name = os.path.join(top, name)
                with open(name, "rb") as file:
                    data = file.read()
                if data[:4] not in (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d",
                                    b"\x4d\x3c\xb2\xa1", b"\n\r\r\n"):
                    continue
                with self.subTest(name):
                    got = self.check(name, "--udp")
                    results["refused" if got is None else "same"] += 1
                    results["merged"] += got or 0
                for _ in range(2):
                    with open(self.path("mutant"), "wb") as file:
                        file.write(self.mutate(data))
                    with self.subTest(name, mutant=True):
                        got = self.check(self.path("mutant"))
                        results["mutant refused" if got is None else "mutant same"] += 1
        print(dict(results), file=sys.stderr)


if __name__ == "__main__":
    print(f"LEAT_SEED={SEED}", file=sys.stderr)
    unittest.main()
