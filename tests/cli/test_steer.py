#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""leat steer: the queue of a flow and of a capture's flows, against a Toeplitz of our own; what luck
and a key are said to be, against published and known figures; what it prints, draws and refuses.
Needs no privilege. LEAT is the command.
"""

import ipaddress
import json
import os
import pty
import struct
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import capture
from capture import ethernet, ip4, tcp, udp

LEAT = os.environ.get("LEAT", "build/leat")
PATIENCE = 120
KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
REPEATED = bytes.fromhex("6d5a") * 20
NONE, XOR, OR_XOR = "none", "symmetric-xor", "symmetric-or-xor"

# The RSS verification suite; the symmetric ones follow from the order of words.
# src, sport, dst, dport: {transform: (of the addresses, of the addresses and ports)}
VECTORS = [
    ("66.9.149.187", 2794, "161.142.100.80", 1766,
     {NONE: ("323e8fc2", "51ccc178"), XOR: ("887bd7bc", "ac2b58ca"), OR_XOR: ("277806fe", "a65524fa")}),
    ("199.92.111.2", 14230, "65.69.140.83", 4739,
     {NONE: ("d718262a", "c626b0ea"), XOR: ("b8a48b2d", "231ac402"), OR_XOR: ("0efd860b", "69d9c235")}),
    ("24.19.198.95", 12898, "12.22.207.184", 38024,
     {NONE: ("d2d0a5de", "5c2b394a"), XOR: ("24308e2d", "f4298103"), OR_XOR: ("53494126", "886967e2")}),
    ("38.27.205.30", 48228, "209.142.163.6", 2217,
     {NONE: ("82989176", "afc7327f"), XOR: ("25ea1454", "4e18ff80"), OR_XOR: ("e30415e3", "021058ed")}),
    ("153.39.163.191", 44251, "202.188.127.2", 1303,
     {NONE: ("5d1809c5", "10e828a2"), XOR: ("9c8f3ac9", "053876b1"), OR_XOR: ("0e558017", "d9fe70e3")}),
    ("[3ffe:2501:200:1fff::7]", 2794, "[3ffe:2501:200:3::1]", 1766,
     {NONE: ("2cc18cd5", "40207d3d"), XOR: ("93faa660", "5ae081f3"), OR_XOR: ("97d97493", "aea5d07d")}),
    ("[3ffe:501:8::260:97ff:fe40:efab]", 14230, "[ff02::1]", 4739,
     {NONE: ("0f0c461c", "dde51bbf"), XOR: ("36e6bcbb", "3d12f676"), OR_XOR: ("91dfa0cc", "b7ea4926")}),
    ("[3ffe:1900:4545:3:200:f8ff:fe21:67cf]", 44251, "[fe80::200:f8ff:fe21:67cf]", 38024,
     {NONE: ("4b61e985", "02d1feef"), XOR: ("66226820", "d36f3942"), OR_XOR: ("87bdf57e", "79207404")}),
]

# Busiest over mean, and the part of the queues in use, of an ideal hash: {queues: {flows: both}}.
IDEAL = {
    8: {4: (3.33, .41), 8: (2.62, .65), 16: (2.08, .88), 32: (1.75, .99), 64: (1.53, 1), 512: (1.18, 1)},
    16: {4: (5.45, .23), 8: (4.11, .40), 16: (3.07, .65), 32: (2.40, .87), 64: (1.96, .98), 128: (1.67, 1),
         4096: (1.11, 1)},
    32: {4: (9.52, .12), 8: (6.69, .22), 16: (4.83, .40), 32: (3.52, .64), 64: (2.70, .87), 128: (2.17, .98)},
}


def toeplitz(data, key=KEY):
    window = int.from_bytes(key, "big")
    bits, size = int.from_bytes(data, "big"), 8 * len(data)
    result = 0
    for i in range(size):
        if bits >> (size - 1 - i) & 1:
            result ^= window >> (8 * len(key) - 32 - i) & 0xffffffff
    return result


def hash_of(src, dst, sport=None, dport=None, key=KEY):
    data = ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
    if sport is not None:
        data += struct.pack(">HH", sport, dport)
    return toeplitz(data, key)


def client(n):
    return f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def tcp_of(src, sport, size=0, dst="192.0.2.1", dport=443):
    return ethernet(ip4(tcp(bytes(size), sport=sport, dport=dport, src=src, dst=dst), 6, src=src, dst=dst))


def leat(*args, **more):
    return subprocess.run([LEAT, "steer", *args], capture_output=True, timeout=PATIENCE, **more)


class Steer(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = lambda name: os.path.join(directory.name, name)

    def write(self, frames, name="in.pcap"):
        capture.write(self.path(name), frames)
        return self.path(name)

    def write_sizes(self, frames, name="in.pcapng"):
        """Of (frame, bytes that it had)."""
        with open(self.path(name), "wb") as file:
            file.write(capture.section() + capture.interface(capture.ETHERNET))
            for data, size in frames:
                file.write(capture.packet(data, orig=size))
        return self.path(name)

    def text(self, *args, code=0, **more):
        got = leat(*args, **more)
        self.assertEqual(got.returncode, code, got.stderr)
        return got.stdout.decode()

    def json(self, *args, **more):
        return json.loads(self.text("--json", *args, **more))

    def refused(self, *args, code=2, says=""):
        got = leat(*args)
        self.assertEqual(got.returncode, code, got.stdout)
        self.assertTrue(got.stderr.startswith(b"leat steer: "), got.stderr)
        self.assertIn(says, got.stderr.decode())
        self.assertEqual(got.stdout, b"")


class Flow(Steer):
    def test_vectors(self):
        for src, sport, dst, dport, wanted in VECTORS:
            for xfrm, (two, four) in wanted.items():
                protocols = ("tcp", "udp", "sctp") if xfrm == NONE else ("tcp",)
                flows = {f"{name} {src}:{sport} > {dst}:{dport}": four for name in protocols}
                flows[f"ip {src} > {dst}"] = two
                for flow, value in flows.items():
                    got = self.json("--xfrm", xfrm, flow)
                    self.assertEqual(got["hash"], "0x" + value, flow)
                    self.assertEqual(got["queue"], int(value, 16) % 128 % 16)
                    self.assertEqual(got["cpu"], got["queue"])
                    self.assertEqual(got["flow"], flow.replace("8::260", "8:0:260"))  # RFC 5952
                    self.assertTrue(got["verification_key"])
                    self.assertEqual(got["by"], "table")

    def test_vectors_as_text(self):
        for src, sport, dst, dport, wanted in VECTORS:
            value = int(wanted[NONE][1], 16)
            got = self.text("tcp", f"{src}:{sport}", ">", f"{dst}:{dport}")
            self.assertIn(f"hash   0x{value:08x} of ", got)
            self.assertIn(f"queue  {value % 16}, by entry {value % 128} of 128\n", got)
            self.assertIn("verification suite", got)

    def test_key_fields_and_table(self):
        flow = "udp 192.0.2.1:1000 > 198.51.100.2:53"
        key = bytes(range(40))
        want = hash_of("192.0.2.1", "198.51.100.2", 1000, 53, key)
        got = self.json("--key", key.hex(), "--queues", "5", "--entries", "64", flow)
        self.assertEqual(got["hash"], f"0x{want:08x}")
        self.assertEqual(got["queue"], want % 64 % 5)
        self.assertFalse(got["verification_key"])
        got = self.json("--fields", "udp4:sd", "--indir", "3,1,2,0", "-q4", flow)
        want = hash_of("192.0.2.1", "198.51.100.2")
        self.assertEqual(got["hash"], f"0x{want:08x}")
        self.assertEqual(got["queue"], [3, 1, 2, 0][want % 4])
        self.assertEqual(self.json("--indir", "start 4 equal 2", flow)["queue"],
                         4 + self.json("-q2", flow)["queue"])

    def test_rules_contexts_and_cpus(self):
        flow = "tcp 192.0.2.1:1000 > 198.51.100.2:80"
        got = self.json("--rule", "7:flow-type tcp4 dst-port 80 action 3", flow)
        self.assertEqual((got["queue"], got["by"], got["rule"]), (3, "rule", 7))
        got = self.json("--rule", "flow-type tcp4 dst-port 80 action -1", flow)
        self.assertEqual((got["queue"], got["cpu"], got["by"]), (None, None, "drop"))
        got = self.json("--rule", "flow-type udp4 dst-port 80 action 3", flow)
        self.assertEqual((got["by"], got["rule"]), ("table", None))
        got = self.json("--rule", "filter tcp port 80 action 9", flow)
        self.assertEqual((got["queue"], got["by"]), (9, "rule"))
        want = hash_of("192.0.2.1", "198.51.100.2", 1000, 80, REPEATED)
        got = self.json("--context", "1:key=" + REPEATED.hex(), "--context", "1:indir=start 8 equal 4",
                        "--rule", "flow-type tcp4 src-ip 192.0.2.1 context 1 action 0", flow)
        self.assertEqual((got["hash"], got["queue"], got["by"], got["context"]),
                         (f"0x{want:08x}", 8 + want % 128 % 4, "context", 1))
        queue = self.json(flow)["queue"]
        self.assertEqual(self.json("--cpus", "4-5,9", flow)["cpu"], [4, 5, 9][queue % 3])
        value = int(self.json(flow)["hash"], 16)
        got = self.json("--rps-cpus", "f0", flow)
        self.assertEqual((got["cpu"], got["rps"]), (4 + (value * 4 >> 32), True))
        got = self.json("--rps-cpus", f"{(queue + 1) % 16}:f0", flow)
        self.assertEqual((got["cpu"], got["rps"]), (queue, False))

    def test_refusals(self):
        flow = "tcp 192.0.2.1:1000 > 198.51.100.2:80"
        self.refused(says="which flow")
        self.refused("tcp 192.0.2.1:1000", says="the shell takes the >")
        self.refused("tcp 192.0.2.1 > 198.51.100.2:80", says="'192.0.2.1' is not")
        self.refused("tcp 192.0.2.1:65536 > 198.51.100.2:80", says="65536")
        self.refused("tcp 2001:db8::1:80 > [2001:db8::2]:80", says="[2001:db8::1]:80")
        self.refused("tcp 192.0.2.1:1 > [2001:db8::2]:80", says="the other IPv6")
        self.refused("ip 192.0.2.1:1 > 192.0.2.2", says="192.0.2.1:1")
        self.refused("--key", "6d5a", flow, says="--key: ")
        self.refused("--queues", "0", flow, says="--queues: ")
        self.refused("--queues", "1025", flow, says="--queues: ")
        self.refused("--entries", "100", flow, says="power of two")
        self.refused("--indir", "16", flow, says="--indir: ")
        self.refused("--fields", "tcp4:q", flow, says="--fields: ")
        self.refused("--xfrm", "xor", flow, says="--xfrm: ")
        self.refused("--xfrm", XOR, "--fields", "tcp4:sf", flow, says="pairs")
        self.refused("--context", "0:key=" + KEY.hex(), flow, says="--context: ")
        self.refused("--context", "1:colour=blue", flow, says="colour=blue")
        self.refused("--rule", "flow-type tcp4 action 16", flow, says="no queue 16 of 16")
        self.refused("--rule", "flow-type tcp4 context 2 action 0", flow, says="no context 2")
        self.refused("--rule", "flow-type tcp5 action 1", flow, says="--rule: ")
        self.refused("--cpus", "", flow, says="--cpus: ")
        self.refused("--cpus", "5000", flow, says="--cpus: ")
        self.refused("--rps-cpus", "16:1", flow, says="no queue 16")
        self.refused("--rps-cpus", "xyz", flow, says="xyz")
        self.refused("--better", flow, says="for captures")
        self.refused("a.pcap", "b.pcap", says="b.pcap")
        self.refused("no-such-file", code=1, says="no-such-file: No such file")

    def test_help(self):
        self.assertIn("--better[=N]", self.text("--help"))


class Captures(Steer):
    def test_queues(self):
        """Packets, bytes and flows per queue and CPU, and of each flow."""
        queues = [[0, 0, 0] for _ in range(16)]
        frames, sizes = [], {}
        for n in range(300):
            src, sport = client(n * 7919), 1024 + n
            queue = hash_of(src, "192.0.2.1", sport, 443) % 16
            queues[queue][2] += 1
            for size in range(1 + n % 3):
                frame = tcp_of(src, sport, 100 * size)
                frames.append(frame)
                queues[queue][0] += 1
                queues[queue][1] += len(frame)
                name = f"tcp {src}:{sport} > 192.0.2.1:443"
                sizes[name] = sizes.get(name, 0) + len(frame)
        got = self.json("--cpus", "0-3", self.write(frames))
        self.assertEqual([[q["packets"], q["bytes"], q["flows"]] for q in got["queues"]], queues)
        self.assertEqual([c["flows"] for c in got["cpus"]], [sum(q[2] for q in queues[c::4]) for c in range(4)])
        self.assertEqual({f["flow"]: f["bytes"] for f in got["flow_list"]}, sizes)
        self.assertEqual((got["packets"], got["flows"], got["inputs"]), (len(frames), 300, 300))
        most = max(q[1] for q in queues)
        self.assertAlmostEqual(got["imbalance"]["bytes"]["observed"], most * 16 / sum(q[1] for q in queues))
        with open(self.path("in.pcap"), "rb") as file:
            self.assertEqual(self.json("--cpus", "0-3", "-", stdin=file)["queues"], got["queues"])
        self.assertEqual(len(self.json("--flows", "5", self.path("in.pcap"))["flow_list"]), 5)

    def test_cut_frames(self):
        """A snaplen's frames count as long as they were."""
        frames = [(tcp_of(client(n), 1000, 1000)[:96], 1054) for n in range(20)]
        got = self.json(self.write_sizes(frames))
        self.assertEqual((got["snapped"], got["bytes"], got["flows"]), (20, 20 * 1054, 20))
        self.assertEqual(got["flow_list"][0]["hash_type"], "l4")
        self.assertIn("20 are cut short", self.text(self.path("in.pcapng")))

    def test_rules_in_a_capture(self):
        frames = [tcp_of(client(n), 1000, dport=80 + n % 2) for n in range(100)]
        got = self.json("--rule", "flow-type tcp4 dst-port 80 action -1",
                        "--rule", "flow-type tcp4 dst-port 81 action 2", self.write(frames))
        self.assertEqual((got["dropped"]["packets"], got["queues"][2]["packets"]), (50, 50))
        self.assertEqual(got["imbalance"]["flows"]["luck"]["low"], 16)  # a rule is no matter of luck
        self.assertFalse(got["imbalance"]["flows"]["fault"])

    def test_damaged(self):
        path = self.write([tcp_of(client(n), 1000) for n in range(10)])
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) - 5)
        got = leat("--json", path)
        self.assertEqual(got.returncode, 1)
        self.assertIn(b"ends in the middle", got.stderr)
        self.assertEqual(json.loads(got.stdout)["packets"], 9)

    def test_nothing(self):
        path = self.write([])
        self.assertEqual(self.json(path)["packets"], 0)
        self.text("--svg", self.path("out.svg"), "--better", path)
        xml.etree.ElementTree.parse(self.path("out.svg"))
        self.refused("/dev/null", code=1, says="not a capture file")

    def test_repeatable(self):
        path = self.write([tcp_of(client(n * 77), 1000 + n, n) for n in range(200)])
        self.assertEqual(self.text("--better=20", path), self.text("--better=20", path))


class Luck(Steer):
    def ideal(self, queues, flows):
        path = self.write([tcp_of(client(n * 104729), 1024 + n) for n in range(flows)])
        return self.json("--queues", str(queues), path)["imbalance"]["flows"]

    def test_ideal_hash(self):
        for queues, row in IDEAL.items():
            for flows, (uneven, used) in row.items():
                luck = self.ideal(queues, flows)["luck"]
                self.assertAlmostEqual(luck["mean"] / uneven, 1, delta=0.02, msg=(queues, flows))
                self.assertAlmostEqual(luck["queues_used"] / queues, used, delta=0.01, msg=(queues, flows))
                self.assertLess(luck["low"], luck["high"])

    def test_four_flows(self):
        """All ways in which 4 flows lie on 16 queues, by how many are on the busiest."""
        ways = {1: 16 * 15 * 14 * 13, 4: 16, 3: 4 * 16 * 15}
        ways[2] = 16**4 - sum(ways.values())
        exact = sum(most * n for most, n in ways.items()) / 16**4 * 16 / 4
        self.assertAlmostEqual(self.ideal(16, 4)["luck"]["mean"] / exact, 1, delta=0.01)

    def test_sizes(self):
        """1000 flows of sizes as 1/n^1.1."""
        frames = [(tcp_of(client(n * 104729), 1024 + n), int(1e8 / (n + 1)**1.1)) for n in range(1000)]
        path = self.write_sizes(frames)
        for queues, uneven in {8: 2.29, 16: 3.69, 32: 6.60}.items():
            got = self.json("--queues", str(queues), path)["imbalance"]["bytes"]
            self.assertAlmostEqual(got["luck"]["mean"] / uneven, 1, delta=0.05)

    def test_table_alone(self):
        path = self.write([tcp_of(client(1), 1)])
        for queues, uneven in {16: 1, 24: 1.125, 48: 1.125, 56: 1.31, 63: 1.48}.items():
            self.assertAlmostEqual(self.json("-q", str(queues), path)["table_alone"], uneven, delta=0.005)

    def test_directions(self):
        """Both directions of a flow share a queue where the hash is symmetric, and count once."""
        frames = [frame for n in range(64) for frame in (
            tcp_of(client(n * 977), 5000 + n), tcp_of("192.0.2.1", 443, dst=client(n * 977), dport=5000 + n))]
        path = self.write(frames)
        self.assertEqual(self.json(path)["units"], 128)
        for args in (["--xfrm", XOR], ["--xfrm", OR_XOR], ["--key", REPEATED.hex()]):
            got = self.json(*args, path)
            self.assertEqual((got["flows"], got["units"]), (128, 64))
            self.assertAlmostEqual(got["imbalance"]["flows"]["luck"]["mean"], 1.96, delta=0.03)

    def test_few_inputs(self):
        """Flows between two hosts, hashed by addresses alone, are beyond luck, and it is said why."""
        path = self.write([tcp_of("10.0.0.1", 1000 + n) for n in range(200)])
        got = self.json("--fields", "tcp4:sd", path)
        self.assertEqual((got["inputs"], got["imbalance"]["flows"]["observed"]), (1, 16))
        self.assertTrue(got["imbalance"]["flows"]["fault"])
        self.assertIn("1 different inputs", self.text("--fields", "tcp4:sd", path))


class Keys(Steer):
    def clients(self, port, flows=4096):
        return self.write([tcp_of(client(n), port(n)) for n in range(flows)])

    def spread(self, key, path):
        got = self.json("--key", key.hex(), path)
        return (round(got["imbalance"]["flows"]["observed"], 2), sum(q["flows"] > 0 for q in got["queues"]),
                got["imbalance"]["flows"]["fault"])

    def test_repeated_key(self):
        """The 16 bits of 6D5A repeated: a port that counts with the host collapses it."""
        only_host = self.clients(lambda n: 40000)
        self.assertEqual(self.spread(REPEATED, only_host), (1.0, 16, False))
        self.assertEqual(self.spread(KEY, only_host), (1.0, 16, False))
        counting = self.clients(lambda n: 40000 + n)
        self.assertEqual(self.spread(REPEATED, counting), (4.5, 7, True))
        self.assertEqual(self.spread(KEY, counting), (1.0, 16, False))
        cancelling = self.clients(lambda n: 0x8000 ^ n)
        self.assertEqual(self.spread(REPEATED, cancelling), (16.0, 1, True))
        self.assertEqual(self.spread(KEY, cancelling), (1.0, 16, False))

    def test_quality(self):
        flow = "tcp 192.0.2.1:1 > 192.0.2.2:2"
        got = self.json("--key", REPEATED.hex(), flow)["key_quality"]["tcp4"]
        self.assertEqual((got["rank"], got["period"], got["distinct"], got["bits"]), (16, 16, 16, 96))
        self.assertTrue(got["symmetric"] and got["cancels"])
        self.assertIn("repeats after 16 bits", got["faults"][0])
        got = self.json(flow)["key_quality"]["tcp4"]
        self.assertEqual((got["rank"], got["index_rank"], got["faults"]), (32, 7, []))
        self.assertFalse(got["symmetric"])
        self.assertTrue(self.json("--xfrm", XOR, flow)["key_quality"]["tcp4"]["symmetric"])
        self.assertIn("repeats after 16 bits", self.text("--key", REPEATED.hex(), self.clients(lambda n: 1)))

    def test_collapse(self):
        """A key and a transform that are symmetric each, and together hash nothing."""
        both = ("--key", REPEATED.hex(), "--xfrm", XOR)
        few = ("--key", "5555" * 20, "--xfrm", OR_XOR)
        flow, path = "tcp 192.0.2.1:1 > 192.0.2.2:2", self.clients(lambda n: 1, 256)
        got = self.json(*both, flow)
        self.assertEqual(got["hash"], "0x00000000")
        self.assertIn("every hash is 0", got["key_quality"]["tcp4"]["warning"])
        self.assertIn("every hash is 0", self.json(*both, path)["key_quality"]["tcp4"]["warning"])
        for where in (flow, path):
            self.assertIn("warning: symmetric-xor and this key cancel each other out: every hash is 0",
                          self.text(*both, where))
            self.assertIn("warning: symmetric-or-xor and this key cancel each other out: there are only 4",
                          self.text(*few, where))
            for args in (["--key", REPEATED.hex()], ["--xfrm", XOR], ["--xfrm", OR_XOR],
                         ["--key", REPEATED.hex(), "--xfrm", OR_XOR]):
                self.assertNotIn("warning", self.text(*args, where))
                self.assertIsNone(self.json(*args, where)["key_quality"]["tcp4"]["warning"])

    def test_better(self):
        path = self.clients(lambda n: 0x8000 ^ n)
        got = self.json("--key", REPEATED.hex(), "--better=100", path)["better"]
        self.assertTrue(got["is_better"] and got["loses_symmetry"])
        self.assertEqual(got["held_out"]["present"], 16)
        self.assertLess(got["held_out"]["best"], 1.3)
        best = self.json("--key", got["key"], path)["imbalance"]["bytes"]["observed"]
        self.assertAlmostEqual(best, got["all"]["best"])
        self.assertIn("  yes: " + got["key"],
                      self.text("--key", REPEATED.hex(), "--better=100", path))

    def test_better_in_short(self):
        path = self.write([tcp_of(client(n), 1024 + n) for n in range(2)])
        self.assertEqual(self.json("-b", path)["better"]["tried"], 1000)
        self.assertEqual(self.json("-b20", path)["better"]["tried"], 20)

    def test_no_better(self):
        """A good key is beaten on the flows that the other was chosen by, and only there."""
        frames = [tcp_of(client(n * 104729), 1024 + n) for n in range(64)]
        got = self.json("--better=300", self.write(frames))["better"]
        self.assertFalse(got["is_better"] or got["loses_symmetry"])
        self.assertLess(got["chosen_by"]["best"], got["chosen_by"]["present"])
        self.assertLess(got["chosen_by"]["best"], got["held_out"]["best"])
        self.assertEqual((got["tried"], got["flows"]), (300, 64))


class Encapsulated(Steer):
    def inner(self, n):
        return tcp_of(client(n), 1000 + n, 200)

    def hidden(self, frames, *args):
        return self.json(*args, self.write(frames))

    def wrap(self, kind, n):
        frame = self.inner(n)
        if kind == "pppoe":
            return capture.MACS + bytes.fromhex("8864110000010000") + b"\0\x21" + frame[14:]
        if kind == "mpls":
            return capture.MACS + b"\x88\x47" + bytes.fromhex("0001004000020140") + frame[14:]
        if kind == "gtp":
            return ethernet(ip4(udp(bytes.fromhex("30ff000000000001") + frame[14:], sport=2152, dport=2152), 17))
        if kind == "gtp-extended":
            head = bytes.fromhex("34ff00000000000100000085" "01000100")
            return ethernet(ip4(udp(head + frame[14:], sport=2152, dport=2152), 17))
        if kind == "gre-sequence":
            return ethernet(ip4(b"\x10\0\x08\0" + bytes(4) + frame[14:], 47))
        if kind == "gretap":
            return ethernet(ip4(b"\0\0\x65\x58" + frame, 47))
        return capture.encapsulate(kind, frame)

    def test_kinds(self):
        names = {"gtp-extended": "gtp", "gre-sequence": "gre", "gretap": "gre"}
        queues = {hash_of(client(n), "192.0.2.1", 1000 + n, 443) % 16 for n in range(100)}
        for kind in ("vxlan", "gre", "ipip", "pppoe", "mpls", "gtp", "gtp-extended", "gre-sequence", "gretap"):
            got = self.hidden([self.wrap(kind, n) for n in range(100)])
            row = got["hidden"].pop(names.get(kind, kind))
            self.assertEqual(got["hidden"], {}, kind)
            self.assertEqual((row["packets"], row["flows"], row["inside"], row["observed"]), (100, 1, 100, 16), kind)
            want = [0] * 16
            for n in range(100):
                want[hash_of(client(n), "192.0.2.1", 1000 + n, 443) % 16] += 1
            self.assertAlmostEqual(row["inner_hashed"], max(want) * 16 / 100, msg=kind)
            self.assertAlmostEqual(got["inner_hashed"]["bytes"]["observed"], max(want) * 16 / 100, msg=kind)
            self.assertFalse(got["inner_hashed"]["bytes"]["fault"])
        self.assertGreater(len(queues), 14)

    def test_inner_hashing(self):
        """With it, a tunnel's flows are those inside."""
        got = self.hidden([self.wrap("vxlan", n) for n in range(100)], "--inner")
        self.assertEqual(got["flows"], 100)
        self.assertLess(got["imbalance"]["bytes"]["observed"], 4)
        self.assertIsNone(got["inner_hashed"])

    def test_spread_tunnel(self):
        """Nothing is hidden by source ports that follow the flow inside."""
        frames = [ethernet(ip4(udp(bytes.fromhex("0800000000000700") + self.inner(n), sport=49152 + n,
                                   dport=4789), 17)) for n in range(100)]
        got = self.hidden(frames)
        self.assertEqual((got["hidden"]["vxlan"]["flows"], got["hidden"]["vxlan"]["inside"]), (100, 100))
        self.assertIsNone(got["inner_hashed"])

    def test_encrypted(self):
        wireguard = b"\x04\0\0\0" + bytes(12) + bytes(32)
        frames = [ethernet(ip4(bytes(100), 50)), ethernet(ip4(udp(b"\1" * 60, sport=4500, dport=4500), 17)),
                  ethernet(ip4(udp(wireguard, sport=51820, dport=51820), 17))]
        got = self.hidden(frames)["hidden"]
        self.assertEqual({k: (v["packets"], v["inside"]) for k, v in got.items()},
                         {"ipsec": (2, 0), "wireguard": (1, 0)})

    def test_fragments(self):
        """A datagram's fragments go by addresses, its whole neighbours by ports too."""
        first = [ethernet(ip4(udp(bytes(800), sport=2000 + n), 17, frag=0x2000, ident=n)) for n in range(40)]
        later = [ethernet(ip4(bytes(800), 17, frag=101, ident=n)) for n in range(40)]
        whole = [ethernet(ip4(udp(bytes(100), sport=2000 + n), 17)) for n in range(40)]
        got = self.hidden(first + later + whole)
        self.assertEqual((got["hidden"]["fragment"]["packets"], got["hidden"]["fragment"]["inside"]), (80, 40))
        queue = hash_of("10.0.0.1", "10.0.0.2") % 16
        self.assertEqual(got["fragments_split"],
                         sum(hash_of("10.0.0.1", "10.0.0.2", 2000 + n, 53) % 16 != queue for n in range(40)))
        got = self.hidden(first + later + whole, "--fields", "udp4:sd")
        self.assertEqual(got["fragments_split"], 0)

    def test_cut_anywhere(self):
        """Frames cut at each length are counted, whatever is left of them."""
        kinds = ("vxlan", "gre", "gretap", "pppoe", "mpls", "gtp-extended", "gre-sequence")
        frames = [(self.wrap(kind, 1)[:n], 400) for kind in kinds for n in range(110)]
        self.assertEqual(self.json(self.write_sizes(frames))["packets"], len(frames))


class Shown(Steer):
    def terminal(self, columns, locale, *args):
        """What it prints on a terminal of so many columns."""
        leader, follower = pty.openpty()
        subprocess.run(["stty", "cols", str(columns)], stdin=follower, check=True)
        with subprocess.Popen([LEAT, "steer", *args], stdout=follower, stderr=subprocess.DEVNULL,
                              env={**os.environ, "LC_ALL": locale}) as command:
            os.close(follower)
            text = b""
            try:
                while part := os.read(leader, 65536):
                    text += part
            except OSError:  # the other end is closed
                pass
            os.close(leader)
            self.assertEqual(command.wait(PATIENCE), 0)
        return text.decode()

    def test_bars(self):
        path = self.write([tcp_of(client(n * 991), 1000 + n) for n in range(50)])
        wide, narrow = (self.terminal(columns, "C.UTF-8", path) for columns in (100, 80))
        self.assertEqual(max(line.count("█") for line in wide.splitlines()), 100 - 59)
        self.assertEqual(max(line.count("█") for line in narrow.splitlines()), 80 - 59)
        plain = self.terminal(100, "C", path)
        self.assertNotIn("█", plain)
        self.assertEqual(max(line.count("#") for line in plain.splitlines()), 100 - 59)
        piped = self.text(path)
        self.assertTrue(piped.isascii())
        self.assertNotIn("#", piped)
        self.assertIn("not a fault", piped)

    def draw(self, frames, *args, name="in.pcap"):
        path = self.write(frames, name)
        self.text("--svg", self.path("out.svg"), *args, path)
        return xml.etree.ElementTree.parse(self.path("out.svg")).getroot()

    def words(self, drawing):
        return ["".join(text.itertext()) for text in drawing.iter("{http://www.w3.org/2000/svg}text")]

    def check_size(self, drawing):
        """Nothing is drawn outside."""
        width, height = float(drawing.get("width")), float(drawing.get("height"))
        for rect in drawing.iter("{http://www.w3.org/2000/svg}rect"):
            if rect.get("width") != "100%":
                self.assertLessEqual(float(rect.get("x")) + float(rect.get("width")), width)
                self.assertLessEqual(float(rect.get("y")) + float(rect.get("height")), height)
                self.assertGreaterEqual(float(rect.get("y")), 0)

    def test_picture(self):
        for flows, queues in ((1, 16), (20, 16), (2000, 16), (300, 128)):
            drawing = self.draw([tcp_of(client(n * 991), 1000 + n, 1400 // (n + 1)) for n in range(flows)],
                                "--queues", str(queues))
            self.check_size(drawing)
            words = self.words(drawing)
            name = f"{flows:,} flow{'s' if flows > 1 else ''} over {queues} queues"
            self.assertTrue(any(name in word for word in words), words[:3])
            self.assertTrue(any("luck alone" in word for word in words))
            for n in range(queues):
                self.assertIn(f"queue {n}", words)
                self.assertIn(f"CPU {n}", words)

    def test_picture_of_everything(self):
        frames = [self_made for n in range(30) for self_made in (
            tcp_of(client(n), 1000, 500), capture.encapsulate("vxlan", tcp_of(client(n), 1000, 900)),
            tcp_of(client(n), 1001, 500, dport=80), tcp_of(client(n), 1002, 500, dport=81))]
        drawing = self.draw(frames, "--rule", "flow-type tcp4 dst-port 80 action -1", "--rule",
                            "flow-type tcp4 src-port 1002 dst-port 81 src-ip 10.0.0.3 action 1",
                            "--rps-cpus", "0:c", name="<a>&b.pcap")
        words = self.words(drawing)
        self.check_size(drawing)
        self.assertTrue(any("<a>&b.pcap" in word for word in words))
        for word in ("dropped", "encapsulated", "by a rule", "to the busiest queue", "CPU 2", "CPU 3"):
            self.assertIn(word, words)
        self.assertTrue(any(word.startswith("VXLAN: udp ") for word in words))

    def test_names(self):
        """A file may be called anything; JSON and XML are UTF-8."""
        bad = "\ufffd"
        for name, shown in ((b"caf\xe9", "caf" + bad), ("café €\U0001f30a".encode(), "café €\U0001f30a"),
                            (b"\xc0\xaf\xe0\x80\xafx", 5 * bad + "x"), (b"\xed\xa0\x80", 3 * bad),
                            (b"\xef\xbf\xbe\xef\xbf\xbd", 4 * bad), (b"\xf4\x90\x80\x80", 4 * bad),
                            (b"\xf0\x9f\x8c", 3 * bad), (b"\xff\x80<&\xc3", bad + bad + "<&" + bad)):
            drawing = self.draw([tcp_of(client(1), 1)], name=os.fsdecode(name))
            self.assertTrue(self.words(drawing)[0].split(":")[0].endswith("/" + shown), name)
            told = json.loads(self.text("--json", self.path(os.fsdecode(name))))
            self.assertEqual(os.path.basename(told["capture"]), shown)

    def test_picture_on_stdout(self):
        path = self.write([tcp_of(client(1), 1)])
        drawing = xml.etree.ElementTree.fromstring(self.text("--svg", "-", path).encode())
        self.assertTrue(any("1 flow over 16 queues" in word for word in self.words(drawing)))

    def test_picture_refused(self):
        path = self.write([tcp_of(client(1), 1)])
        got = leat("--svg", self.path("no/such/place.svg"), path)
        self.assertEqual(got.returncode, 1)
        self.assertIn(b"place.svg: No such file", got.stderr)


if __name__ == "__main__":
    unittest.main()
