#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""leat bench: what it prints, that it works without a peer, and that it notices when the two sides do
not do the same. How fast anything is, is not tested. LEAT is the command, PEER_WRONG a peer that
gets one checksum wrong, PEER_DPDK the real one, or nothing.
"""

import itertools
import json
import os
import resource
import signal
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree

LEAT = os.environ.get("LEAT", "build/leat")
WRONG = os.environ.get("PEER_WRONG", "build/tests/peer_wrong.so")
DPDK = os.environ.get("PEER_DPDK", "")
PATIENCE = 200


def bench(*args, **more):
    return subprocess.run([LEAT, "bench", "--quick", *args], capture_output=True, text=True,
                          timeout=PATIENCE, **more)


def rows(run):
    return {row["case"]: row for row in json.loads(run.stdout)}


class Bench(unittest.TestCase):
    def check_row(self, row):
        self.assertIsInstance(row["case"], str)
        self.assertIn(row["target_of"], (None, "ours", "ratio"))
        self.assertEqual(row["target"] is None, row["target_of"] is None)
        self.assertNotEqual(row["peer_found"] is None, row["peer_missing"] is None)
        self.assertGreater(row["cpus"], 0)
        if row["ours"] is None:
            self.assertTrue(row["why"] or row["wrong"], row)
            return
        self.assertGreater(row["ours"], 0)
        self.assertGreater(row["operations"], 0)
        self.assertEqual(row["peer"] is None, row["ratio"] is None)
        self.assertEqual(row["peer"] is None, row["against"] is None)
        if row["peer"] is not None:
            self.assertGreater(row["peer"], 0)
            low, high = row["spread"]
            self.assertTrue(low <= row["ratio"] <= high, row)

    def test_without_a_peer(self):
        with tempfile.TemporaryDirectory() as directory:
            run = bench("--json", "--peer", "none", "--directory", directory)
            self.assertEqual(os.listdir(directory), [], "captures are left behind")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        table = rows(run)
        self.assertEqual(len(table), len(json.loads(run.stdout)), "a case is there twice")
        for row in table.values():
            self.check_row(row)
        self.assertIsNone(table["gro, 1 flow"]["peer"])
        self.assertEqual(table["gro, 1 flow"]["target"], 0.8)
        self.assertEqual(table["rfs decision, 32768 flows"]["target_of"], "ours")
        self.assertIsNotNone(table["gso, vxlan"]["ratio"], "we are our own peer there")
        self.assertIsNotNone(table["leat segment, a capture"]["ratio"])

    def test_nothing_is_left_behind(self):
        case = ("--peer", "none", "--case", "leat segment*", "--directory")
        with tempfile.TemporaryDirectory() as directory:
            # There is room for the capture and a copy of it, but segments are longer.
            run = bench(*case, directory, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (4300000, 4300000)))
            self.assertEqual(run.returncode, 1)
            self.assertIn("leat segment of", run.stderr)
            self.assertEqual(os.listdir(directory), [])
            for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
                process = subprocess.Popen([LEAT, "bench", *case, directory, "--size", "32",
                                            "--time", "100000"], stdout=subprocess.DEVNULL,
                                           preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
                while not os.listdir(directory):
                    time.sleep(0.01)
                time.sleep(number / 20) # at different places
                process.send_signal(number)
                self.assertEqual(process.wait(PATIENCE), -number)
                self.assertEqual(os.listdir(directory), [])

    def test_text(self):
        run = bench("--peer", "none", "--case", "toeplitz*")
        self.assertEqual(run.returncode, 0)
        lines = run.stdout.splitlines()
        self.assertIn("CPU", lines[0])
        self.assertEqual(lines[1], "peer: none")
        self.assertEqual(sum(line.startswith("toeplitz") for line in lines), 10)

    def test_outputs_are_compared(self):
        run = bench("--json", "--peer", WRONG, "--case", "checksum*")
        self.assertEqual(run.returncode, 1)
        table = rows(run)
        self.assertIn("different", table["checksum 1448 B"]["wrong"])
        self.assertIsNone(table["checksum 1448 B"]["ours"], "what is wrong has no speed")
        self.assertIsNone(table["checksum 64 B"]["wrong"])
        self.assertEqual(table["checksum 64 B"]["against"], "wrong")
        self.assertIsNotNone(table["checksum 64 B"]["ratio"])
        self.assertIn("OUTPUTS DIFFER", bench("--peer", WRONG, "--case", "checksum*").stdout)

    def test_what_the_peer_lacks_is_empty(self):
        run = bench("--json", "--peer", WRONG, "--case", "gro, 1 flow")
        self.assertEqual(run.returncode, 0)
        self.assertIsNone(rows(run)["gro, 1 flow"]["peer"])

    def test_wrong_calls(self):
        for args, code in ((["--case", "nothing"], 2), (["more"], 2), (["--time", "0"], 2),
                           (["--plot", "/no/such/place"], 2), (["--plot", __file__], 2),
                           (["--plot", "/no", "--case", "toeplitz*"], 2), (["--peer", "nobody"], 1),
                           (["--peer", __file__], 1)):
            run = bench(*args)
            self.assertEqual((run.returncode, run.stdout), (code, ""), args)
            self.assertTrue(run.stderr.startswith("leat bench: "), run.stderr)

    def test_plots(self):
        with tempfile.TemporaryDirectory() as directory:
            run = bench("--peer", "none", "--plot", directory)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            files = run.stdout.split()
            self.assertEqual(sorted(files),
                             sorted(os.path.join(directory, f) for f in os.listdir(directory)))
            self.assertGreaterEqual(len(files), 5)
            for file in files:
                picture = xml.etree.ElementTree.parse(file)
                lines = picture.findall("{http://www.w3.org/2000/svg}polyline")
                self.assertTrue(lines, file)
                self.assertGreaterEqual(min(len(l.get("points").split()) for l in lines), 5, file)
                values = [t for t in picture.findall("{http://www.w3.org/2000/svg}text")
                          if t.get("fill")]
                self.assertTrue(values, file)
                for a, b in itertools.combinations(values, 2):
                    if a.get("x") == b.get("x"):
                        self.assertGreaterEqual(abs(float(a.get("y")) - float(b.get("y"))), 12, file)

    def test_some_plots(self):
        with tempfile.TemporaryDirectory() as parent:
            directory = os.path.join(parent, "plots")
            all_of_them = bench("--list", "--plot", directory).stdout.split()
            self.assertIn("gro-burst", all_of_them)
            self.assertFalse(os.path.exists(directory))
            run = bench("--peer", "none", "--plot", directory, "--case", "gro*", "--time", "1")
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertEqual(sorted(os.listdir(directory)), sorted(
                f"{name}.svg" for name in all_of_them if name.startswith("gro")))

    @unittest.skipUnless(DPDK, "built without DPDK")
    def test_dpdk_does_the_same(self):
        run = bench("--json", "--peer", DPDK, "--case", "[ght]*")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        for row in rows(run).values():
            self.check_row(row)
        self.assertTrue(rows(run)["gso 64 KB to 1448, full checksums"]["against"].startswith("DPDK"))


if __name__ == "__main__":
    unittest.main()
