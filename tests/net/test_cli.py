#!/usr/bin/python3
"""The command: what it says, how it ends, and a running plane over its control socket.

Everything here runs without privileges, between port gen and app sink. LEAT is the command.
"""

import json
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

LEAT = os.environ.get("LEAT", "build/leat")
VERSION = os.environ.get("VERSION", "0.1.0")
GEN = ("--port", "g=gen,queues=2,flows=20,rate=20000", "--app", "sink,threads=2")
FINITE = ("--port", "g=gen,queues=2,flows=20,count=5000", "--app", "sink")
NO_PRIVILEGE = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")
PATIENCE = 20


def leat(*args, prefix=(), **more):
    return subprocess.run([*prefix, LEAT, *args], capture_output=True, text=True,
                          timeout=PATIENCE, stdin=subprocess.DEVNULL, **more)


def wait_for(what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)


def hear_signals():
    """A job in the background of a script is born deaf to some."""
    for number in signal.SIGINT, signal.SIGHUP:
        signal.signal(number, signal.SIG_DFL)


class Plane:
    """A leat run with a control socket, until the end of the with block."""

    def __init__(self, directory, *args):
        self.path = os.path.join(directory, "control")
        self.args = [LEAT, "run", *(args or GEN), "--control", self.path]

    def __enter__(self):
        self.process = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        preexec_fn=hear_signals)
        self.first = self.process.stdout.readline()
        return self

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.out, self.err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def __exit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate()

    def ask(self, *args):
        return leat(args[0], "--control", self.path, *args[1:])

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.path)
        s.settimeout(PATIENCE)
        return s


class Cli(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def expect(self, got, code, out="", err=""):
        self.assertEqual(got.returncode, code, (got.stdout[-2000:], got.stderr))
        self.assertIn(out, got.stdout)
        self.assertIn(err, got.stderr)
        return got


class Usage(Cli):
    def test_help(self):
        self.expect(leat("--help"), 0, "usage: leat COMMAND")
        for command in "run", "get", "set", "show":
            self.expect(leat(command, "--help"), 0, f"usage: leat {command}")
            self.assertIn(f"  {command} ", leat("-h").stdout)
        for word in "  tap\n", "  pcap\n", "  gen\n", "forward", "sink", "txqueuelen=N":
            self.assertIn(word, leat("run", "-h").stdout)

    def test_version(self):
        self.expect(leat("--version"), 0)
        self.assertEqual(leat("--version").stdout, f"leat {VERSION}\n")

    def test_wrong(self):
        file = self.path("config")
        rows = [
            ((), "usage: leat COMMAND"),
            (("fly",), "no command 'fly'"),
            (("run",), "no --port"),
            (("run", "left"), "what is 'left'?"),
            (("run", "--bogus"), "no option '--bogus'"),
            (("run", "-Z"), "no option '-Z'"),
            (("run", "--port"), "--port wants a value"),
            (("run", "--port", "g"), "'g' is not NAME=KIND"),
            (("run", "--port", "=gen"), "is not NAME=KIND"),
            (("run", "--port", "g=bogus"), "g: no port kind 'bogus'"),
            (("run", "--port", "g=gen,flows"), "g: 'flows' is not OPTION=VALUE"),
            (("run", "--port", "g=gen,bogus=1"), "no option 'bogus'"),
            (("run", "--port", "g=gen,flows=-1"), "flows=-1"),
            (("run", "--port", "g=gen", "--port", "g=gen"), "g: two ports of this name"),
            (("run", *FINITE, "--app", "bogus"), "no application 'bogus'"),
            (("run", *FINITE, "--app", "sink,bogus=1"), "bogus"),
            (("run", *FINITE, "--join", "g"), "'g' is not A:B"),
            (("run", *FINITE, "--join", "g:h"), "no port 'h'"),
            (("run", *FINITE, "--port", "h=gen", "--join", "g:h", "--join", "h:g"),
             "is joined already"),
            (("run", *FINITE, "--port", "h=gen", "--join", "g:g", "--join", "g:h"),
             "is joined already"),
            (("run", *FINITE, "--cpus", "x"), "'x' is not a list of CPUs"),
            (("run", *FINITE, "--cpus", "1023"), "CPU 1023: this process may not run there"),
            (("run", *FINITE, "--duration", "soon"), "'soon' is not a time"),
            (("run", *FINITE, "--duration", "0s"), "'0s' is not a time"),
            (("run", *FINITE, "--stats", "-1s"), "'-1s' is not a time"),
            (("run", *FINITE, "--set", "g/rps_cpus"), "is not KNOB=VALUE"),
            (("run", *FINITE, "--config", file), "No such file"),
            (("get",), "which knob?"),
            (("get", "--bogus"), "no option '--bogus'"),
            (("set",), "which knob?"),
            (("set", "g/gro_flush_timeout"), "is not KNOB=VALUE"),
            (("show", "ports", "cpus"), "one at a time"),
            (("show", "softnet", "g"), "one at a time"),
            (("show", "gro", "g", "h"), "one at a time"),
            (("run", "--port", "g=gen,features=tx-none"), "'tx-none' is no segmentation"),
            (("run", "--port", "g=gen,partial=tso"), "not all among the features"),
            (("run", "--port", "g=gen,tso_max_size=524281"), "tso_max_size"),
        ]
        for args, message in rows:
            with self.subTest(args=args):
                self.assertEqual(self.expect(leat(*args), 2, err=message).stdout, "")

    def test_nobody_there(self):
        for command in "get", "set", "show":
            got = leat(command, "--control", self.path("none"), "x=1")
            self.expect(got, 1, err=f"control socket {self.path('none')}: No such file")
        self.expect(leat("show", "--control", "x" * 200), 1, err="too long")

    def test_full_output(self):
        with open("/dev/full", "w") as full:
            got = subprocess.run([LEAT, "run", "--help"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(got.returncode, 1)
        self.assertIn(b"No space left", got.stderr)


class Run(Cli):
    def test_duration(self):
        began = time.monotonic()
        got = leat("run", *GEN, "--duration", "300ms", prefix=NO_PRIVILEGE)
        self.assertLess(0.3, time.monotonic() - began)
        self.expect(got, 0, "g: gen, 2 queues, offload off\n")
        self.assertIn("out_of_order 0", got.stdout)
        self.assertEqual(got.stderr, "")

    def test_ends_by_itself(self):
        counted = json.loads(self.expect(leat("run", *FINITE, "--json"), 0).stdout)
        self.assertEqual(sum(q["packets"] for q in counted["ports"][0]["rx"]), 5000)
        self.assertEqual(sum(t["packets"] for t in counted["app"]["threads"]), 5000)
        self.assertGreater(counted["seconds"], 0)

    def test_stats(self):
        got = leat("run", *GEN, "--duration", "550ms", "--stats", "100ms", "--json")
        lines = [json.loads(line) for line in self.expect(got, 0).stdout.splitlines()]
        self.assertIn(len(lines), (5, 6))
        self.assertEqual([x["seconds"] for x in lines], sorted(x["seconds"] for x in lines))
        got = leat("run", *GEN, "--duration", "550ms", "--stats", "100ms")
        self.assertIn(self.expect(got, 0).stdout.count("Gbit/s"), (5, 6))

    def test_no_privilege(self):
        got = leat("run", "--port", "leat-test=tap", "--duration", "1s", prefix=NO_PRIVILEGE)
        self.expect(got, 77, err="leat-test: ")

    def test_set_refused(self):
        for setting, message in (
                ("g/queues/rx-0/rps_cpus=0x1", "g/queues/rx-0/rps_cpus: '0x1' is not"),
                ("g/queues/rx-9/rps_cpus=1", "g/queues/rx-9/rps_cpus: no such knob"),
                ("net/core/netdev_max_backlog=-1", "net/core/netdev_max_backlog: '-1' is not")):
            got = leat("run", *GEN, "--control", self.path("s"), "--set", setting)
            self.assertEqual(self.expect(got, 1, err=message).stdout, "")
            self.assertFalse(os.path.exists(self.path("s")))

    def test_config(self):
        with open(self.path("config"), "w") as file:
            file.write("# a plane\n\nport g=gen,queues=2,flows=20 # two queues\n"
                       "app=sink\n  set net/core/busy_poll=7\n"
                       f"duration   60s\ncontrol {self.path('control')}\n")
        with Plane(self.directory.name, "--config", self.path("config")) as plane:
            self.assertEqual(plane.first, "g: gen, 2 queues, offload off\n")
            self.expect(plane.ask("get", "net/core/busy_poll"), 0, "7\n")
            self.assertEqual(plane.end(), 0)
        for text, message in (("port g=gen\nfly 1\n", ":2: no option 'fly'"),
                              ("json yes\n", ":1: json has no value"),
                              ("port\n", ":1: port wants a value"),
                              (f"config {self.path('config')}\n", ":1: one file is read"),
                              ("duration 0\n", ":1: '0' is not a time")):
            with open(self.path("config"), "w") as file:
                file.write(text)
            self.expect(leat("run", "--config", self.path("config")), 2, err=message)

    def test_closed_descriptors(self):
        script = '"$0" run "$@" --json <&- >&- 2>&-'
        got = subprocess.run(["sh", "-c", script, LEAT, *FINITE], timeout=PATIENCE)
        self.assertEqual(got.returncode, 0)
        got = subprocess.run(["sh", "-c", '"$0" run "$@" --json <&-', LEAT, *FINITE],
                             timeout=PATIENCE, capture_output=True)
        self.assertEqual(got.returncode, 0)
        json.loads(got.stdout)

    def test_nobody_reads(self):
        plane = Plane(self.directory.name, *GEN, "--stats", "20ms")
        with plane:
            plane.process.stdout.close()
            plane.process.wait(PATIENCE)
            self.assertEqual(plane.process.returncode, 1)
            self.assertEqual(plane.process.stderr.read(), "")
            plane.process.stderr.close()
        self.assertFalse(os.path.exists(plane.path))

    def test_signals(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            with Plane(self.directory.name) as plane:
                self.assertEqual(plane.end(number), 0)
                self.assertIn("Gbit/s", plane.out)
                self.assertEqual(plane.err, "")
                self.assertFalse(os.path.exists(plane.path))

    def test_nobody_reads_any_more(self):
        """A full pipe: reports are left out, a signal ends the run, another the last words."""
        with Plane(self.directory.name, *GEN, "--stats", "1ms") as plane:
            time.sleep(0.5)
            self.expect(plane.ask("get", "net/core/busy_poll"), 0, "0\n")
            plane.process.terminate()
            wait_for(lambda: not os.path.exists(plane.path))
            time.sleep(0.05)
            plane.process.terminate()
            self.assertIn(plane.process.wait(PATIENCE), (0, -signal.SIGTERM))

    def test_long_reports(self):
        """Longer than what a pipe takes at once; read late, they are whole lines all the same."""
        for more in (), ("--json",):
            with Plane(self.directory.name, "--port", "g=gen,queues=250,rate=20000", "--app",
                       "sink", "--stats", "1ms", *more) as plane:
                time.sleep(0.5)
                self.expect(plane.ask("get", "net/core/busy_poll"), 0, "0\n")
                self.assertEqual(plane.end(), 0)
                whole = r"^\{.*\}$" if more else r"^((port|g|cpu|gro|app:|\d+) |$)"
                for line in plane.out.splitlines()[1:]: # the first was begun with the one before
                    self.assertRegex(line, whole)

    def test_background(self):
        """A shell without job control has its background jobs ignore SIGINT."""
        script = '"$0" run "$@" & sleep 0.5; kill -INT $!; wait $!'
        got = subprocess.run(["sh", "-c", script, LEAT, *GEN], timeout=PATIENCE,
                             stdout=subprocess.DEVNULL)
        self.assertEqual(got.returncode, 0)


class Pcap(Cli):
    """Captures as ports."""

    def setUp(self):
        super().setUp()
        with open(self.path("in"), "wb") as file: # nanoseconds, Ethernet
            file.write(struct.pack("=IHHIIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
            for i in range(20): # less than what is written at once
                frame = bytes(12) + b"\x88\xb5" + bytes([i] * 100)
                file.write(struct.pack("=IIII", 1, i, len(frame), len(frame)) + frame)

    def run_pcap(self, *options, **more):
        port = ",".join(("p=pcap", *options))
        return leat("run", "--port", port, "--join", "p:p", **more)

    def test_itself(self):
        """A port may be joined to itself: what is in the one file is in the other."""
        self.expect(self.run_pcap(f"in={self.path('in')}", f"out={self.path('out')}"), 0)
        with open(self.path("in"), "rb") as one, open(self.path("out"), "rb") as other:
            self.assertEqual(len(one.read()), len(other.read()))

    def test_no_route(self):
        got = leat("run", "--port", f"p=pcap,in={self.path('in')}")
        self.assertRegex(self.expect(got, 0).stdout, r"(?m)^cpu \d+: no_route 20$")

    def test_failed_work(self):
        for loop in "loop=1", "loop=100":
            self.expect(self.run_pcap(f"in={self.path('in')}", loop, "out=/dev/full"), 1,
                        err="not all was written: No space")
        os.truncate(self.path("in"), os.path.getsize(self.path("in")) - 1)
        self.expect(self.run_pcap(f"in={self.path('in')}"), 1, err="ends in the middle")
        self.expect(self.run_pcap("in=/dev/null"), 1, err="not a capture file")

    def test_same_file(self):
        os.link(self.path("in"), self.path("link"))
        size = os.path.getsize(self.path("in"))
        for out in "in", "link":
            got = self.run_pcap(f"in={self.path('in')}", f"out={self.path(out)}")
            self.expect(got, 2, err="the file that is read")
        self.assertEqual(os.path.getsize(self.path("in")), size)

    def begin(self, *args, **more):
        """A run whose input is a pipe with two frames and not all of a third, and then silence."""
        with open(self.path("in"), "rb") as file:
            head = file.read(300)
        process = subprocess.Popen([LEAT, "run", *args], stdin=subprocess.PIPE,
                                   **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL,
                                      **more})
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        process.stdin.write(head)
        process.stdin.flush()
        return process

    def expect_end(self, signals, *args, **more):
        process = self.begin(*args, **more)
        for _ in range(signals):
            time.sleep(0.3)
            self.assertIsNone(process.poll())
            process.terminate()
        return process.wait(PATIENCE)

    def test_stuck(self):
        """Nobody writes any more, nobody reads: a second signal ends that at the latest."""
        os.mkfifo(self.path("fifo"))
        self.assertEqual(self.expect_end(1, "--port", f"p=pcap,out={self.path('fifo')}"), 1)
        self.assertEqual(self.expect_end(1, "--port", "p=pcap,in=-"), 0)
        self.assertEqual(self.expect_end(2, "--port", "g=gen", "--port", "p=pcap,out=-",
                                         stdout=subprocess.PIPE), -signal.SIGTERM)

    def test_silence(self):
        """Whoever waits for a pipe's next frame does all else meanwhile, and without a CPU."""
        control = self.path("control")
        process = self.begin("--port", "p=pcap,in=-", "--app", "sink", "--control", control)
        ask = lambda *args: leat(args[0], "--control", control, *args[1:])
        packets = lambda: sum(q["packets"] for q in json.loads(
            self.expect(ask("show", "-j"), 0).stdout)["ports"][0]["rx"])
        wait_for(lambda: os.path.exists(control))
        wait_for(lambda: packets() == 2)
        self.expect(ask("set", "p/queues/rx-0/rps_flow_cnt=100", "p/features/generic-receive-offload=off"), 0)
        with open(f"/proc/{process.pid}/stat") as stat_file:
            times = lambda: sum(map(int, stat_file.read().rsplit(") ")[1].split()[11:13]))
            before = times()
            time.sleep(1)
            stat_file.seek(0)
            self.assertLess(times() - before, 0.2 * os.sysconf("SC_CLK_TCK"))
        with open(self.path("in"), "rb") as file:
            process.stdin.write(file.read()[300:])
        process.stdin.flush()
        wait_for(lambda: packets() == 20)
        process.stdin.close()
        self.assertEqual(process.wait(PATIENCE), 0)
        process.stdin = None

    def test_silence_and_duration(self):
        process = self.begin("--port", "p=pcap,in=-", "--app", "sink", "--duration", "300ms",
                             "--json", stdout=subprocess.PIPE)
        self.assertEqual(process.wait(PATIENCE), 0)
        counted = json.loads(process.stdout.read())
        self.assertEqual(counted["ports"][0]["rx"][0]["packets"], 2)


class Control(Cli):
    def test_knobs(self):
        with Plane(self.directory.name) as plane:
            knob = "g/queues/rx-0/rps_flow_cnt"
            self.expect(plane.ask("get", knob), 0, "0\n")
            self.assertEqual(self.expect(plane.ask("set", f"{knob}=100"), 0).stdout, "")
            self.assertEqual(plane.ask("get", knob).stdout, "128\n")
            self.assertEqual(plane.ask("get", "g/queues/rx-*/rps_flow_cnt").stdout,
                             f"{knob}=128\ng/queues/rx-1/rps_flow_cnt=0\n")
            got = plane.ask("set", "--json", "g/queues/rx-*/rps_flow_cnt=7", "net/core/busy_poll=1")
            self.assertEqual(json.loads(got.stdout), {
                knob: "8", "g/queues/rx-1/rps_flow_cnt": "8", "net/core/busy_poll": "1"})
            got = plane.ask("get", "-j", knob, "net/core/busy_poll")
            self.assertEqual(json.loads(got.stdout), {knob: "8", "net/core/busy_poll": "1"})
            self.expect(plane.ask("set", f"{knob}=-1"), 1, err=f"{knob}: '-1' is not a number")
            self.expect(plane.ask("get", "g/none"), 1, err="g/none: no such knob")
            self.expect(plane.ask("set", "app/threads/0/cpu=0"), 0)
            self.expect(plane.ask("get", "app/threads/0/cpu"), 0, "0\n")
            # Rules come and go; one that is gone is no knob.
            rules = ["flow-type tcp4 src-ip 192.0.2.0 m 0.0.0.255 dst-port 80 context 1",
                     "filter udp port 53 or vlan 7 action -1", "flow-type ether action 1"]
            self.expect(plane.ask("set", "g/rxfh/context=new"), 0)
            for rule in rules:
                self.expect(plane.ask("set", f"g/ntuple/any={rule}"), 0)
            got = plane.ask("set", "-j", "g/ntuple/1=delete")
            self.assertEqual(json.loads(got.stdout), {})
            self.assertEqual(plane.ask("get", "g/ntuple/*").stdout,
                             f"g/ntuple/0={rules[0]}\ng/ntuple/2={rules[2]}\n")
            self.expect(plane.ask("set", f"g/ntuple/1={rules[1]}"), 0)
            self.expect(plane.ask("get", "g/ntuple/3"), 1, err="g/ntuple/3: no such knob")
            self.expect(plane.ask("set", "g/rxfh/context=1 delete"), 1, err="named by rule 0")
            # What is shown can be set, and changes nothing.
            shown = plane.ask("show", "knobs").stdout
            self.assertIn("net/core/rps_sock_flow_entries=0\n", shown)
            self.assertIn("app/threads/1/cpu=", shown)
            settings = [x for x in shown.splitlines() if "[fixed]" not in x]
            self.expect(plane.ask("set", *settings), 0)
            self.assertEqual(plane.ask("show", "knobs").stdout, shown)
            self.assertEqual(plane.end(), 0)
            self.assertIn("out_of_order 0", plane.out)

    def test_rule_drops(self):
        """A card that steers by itself counts what its rule drops where software does."""
        for depth in "", ",depth=64":
            with Plane(self.directory.name, "--port", f"g=gen,queues=2,rate=20000{depth}", "--app",
                       "sink", "--set", "g/ntuple/any=flow-type udp4 action -1") as plane:
                counted = lambda: json.loads(plane.ask("show", "-j").stdout)
                wait_for(lambda: counted()["steering"]["g"]["rule_dropped"] > 0)
                shown = self.expect(plane.ask("show", "steering"), 0).stdout
                self.assertRegex(shown, r"rule_dropped [1-9]")
                self.assertEqual([q["dropped"] for q in counted()["ports"][0]["rx"]], [0, 0])
                self.assertEqual(plane.end(), 0)

    def test_changes_while_packets_flow(self):
        with Plane(self.directory.name, "--port", "g=gen,queues=2,flows=100", "--app",
                   "sink,threads=2") as plane, plane.connect() as s, s.makefile("rw") as lines:
            cpus = sorted(os.sched_getaffinity(0))
            for i in range(200):
                cpu = cpus[i % len(cpus)]
                for path, value in (("g/queues/rx-0/rps_cpus", f"{cpu}-{cpu}"),
                                    ("g/queues/rx-1/smp_affinity_list", str(cpu)),
                                    ("net/core/rps_sock_flow_entries", str(i % 3 * 1000))):
                    print(json.dumps({"set": path, "value": value}), file=lines, flush=True)
                    self.assertIn("set", json.loads(lines.readline()))
            self.assertEqual(plane.end(), 0)
            self.assertNotRegex(plane.out, "out_of_order [1-9]")

    def test_show(self):
        heads = {"ports": r"port  |g  |g: gen, |  steering: software|  offloads: ", "cpus": r"cpu  |\d+  ", "gro": r"g  |  ",
                 "parse": "parse g:", "steering": "steering g:", "app": "app:"}
        with Plane(self.directory.name) as plane:
            everything = json.loads(plane.ask("show", "--json").stdout)
            for what in "ports", "cpus", "gro", "parse", "steering", "app":
                self.assertIn(what, everything)
                shown = json.loads(self.expect(plane.ask("show", what, "-j"), 0).stdout)
                self.assertIs(type(shown), type(everything[what]))
                lines = self.expect(plane.ask("show", what), 0).stdout.splitlines()
                for line in lines:
                    self.assertRegex(line, heads[what])
            self.expect(plane.ask("show", "gro", "g"), 0, "\n  merged   ")
            self.expect(plane.ask("show", "gro", "h"), 1, err="h: no such port")
            gro = json.loads(plane.ask("show", "gro", "g", "-j").stdout)["g"]
            self.assertEqual(list(gro), ["rx-0", "rx-1"])
            self.assertGreater(len(gro["rx-1"]), 30) # all reasons, whether there was one or not
            shown = self.expect(plane.ask("show", "features", "g"), 0, "Features for g:\n").stdout
            self.assertIn("\nrx-gro: on\n", shown)
            features = json.loads(plane.ask("show", "features", "-j").stdout)["g"]
            self.assertEqual(features["tx-gre-segmentation"], "off [fixed]")
            self.expect(plane.ask("get", "g/features/gro"), 0, "on\n")
            self.expect(plane.ask("show"), 0, "rx-0")
            self.assertNotIn("Gbit/s", plane.ask("show").stdout) # of what time?
            words = [line.split() for line in plane.ask("show", "ports").stdout.splitlines()]
            cpus = [str(q["cpu"]) for q in everything["ports"][0]["rx"]]
            self.assertEqual([w[2] for w in words if w[0] in ("port", "g")],
                             ["cpu", *cpus, "-", "-"])
            self.expect(plane.ask("show", "bogus"), 1, err="bogus: nothing of this name")

    def test_interrupts(self):
        """Counts stay with the CPU that they were counted on, and a moved queue counts on the new."""
        cpus = sorted(os.sched_getaffinity(0))[:2]
        if len(cpus) < 2:
            self.skipTest("needs two CPUs")
        with Plane(self.directory.name, *GEN, "--port", "h=gen,flows=2,rate=1000") as plane:
            def shown():
                return json.loads(plane.ask("show", "interrupts", "-j").stdout)

            def counts(irq):
                return [shown()[irq]["counts"][str(cpu)] for cpu in cpus]

            self.assertEqual([(row["irq"], row["name"]) for row in shown()],
                             [(0, "g-rx-0"), (1, "g-rx-1"), (2, "h-rx-0")])
            knob = "g/queues/rx-0/smp_affinity_list"
            was = cpus.index(int(plane.ask("get", knob).stdout))
            wait_for(lambda: counts(0)[was])
            self.assertEqual(counts(0)[1 - was], 0)
            self.expect(plane.ask("set", f"{knob}={cpus[1 - was]}"), 0)
            wait_for(lambda: counts(0)[1 - was])
            self.expect(plane.ask("get", "g/queues/rx-0/effective_affinity_list"), 0,
                        f"{cpus[1 - was]}\n")
            stays = counts(0)[was]
            wait_for(lambda: counts(0)[1 - was] > 10)
            self.assertEqual(counts(0)[was], stays)
            lines = plane.ask("show", "interrupts").stdout.splitlines()
            self.assertEqual(lines[0].split()[:2], [f"CPU{cpu}" for cpu in cpus])
            self.assertEqual(lines[1].split()[0], "0:")
            self.assertEqual(lines[1].split()[1 + was], str(stays))
            self.assertEqual([line.split()[-1] for line in lines[1:]],
                             ["g-rx-0", "g-rx-1", "h-rx-0"])

    def test_softnet(self):
        with Plane(self.directory.name, "--port", "g=gen,rate=50000,flows=1", "--app", "sink",
                   "--set", "net/core/flow_limit_cpu_bitmap=1", "--set",
                   "net/core/netdev_max_backlog=0", "--cpus", "0", "--set",
                   "g/queues/rx-0/rps_cpus=1") as plane:
            names = ["processed", "dropped", "time_squeeze", "received_rps", "flow_limit_count",
                     "backlog_len", "cpu"]
            row = json.loads(plane.ask("show", "softnet", "-j").stdout)[0]
            self.assertEqual(sorted(row), sorted(names))
            lines = plane.ask("show", "softnet").stdout.splitlines()
            self.assertEqual(lines[0].split(), names)
            for line in lines[1:]:
                self.assertRegex(line, r"^( *[0-9a-f]{8}){7}$")
            cpus = json.loads(plane.ask("show", "cpus", "-j").stdout)[0]
            self.assertLessEqual(set(names), set(cpus))
            before = int(lines[1].split()[0], 16)
            self.assertGreaterEqual(cpus["processed"], before)

    def test_default_mask(self):
        """Queues that are made take it, wherever it is said; those that are there do not."""
        with Plane(self.directory.name, *GEN, "--set", "g/queues/rx-1/rps_cpus=0", "--set",
                   "net/core/rps_default_mask=1", "--cpus", "0") as plane:
            def masks():
                return plane.ask("get", "g/queues/rx-*/rps_cpus").stdout.split()
            made = ["g/queues/rx-0/rps_cpus=1", "g/queues/rx-1/rps_cpus=0"]
            self.assertEqual(masks(), made)
            self.expect(plane.ask("set", "net/core/rps_default_mask=0"), 0)
            self.expect(plane.ask("get", "net/core/rps_default_mask"), 0, "0\n")
            self.assertEqual(masks(), made)

    def test_socket(self):
        with Plane(self.directory.name) as plane:
            self.assertEqual(stat.S_IMODE(os.stat(plane.path).st_mode), 0o600)
            got = leat("run", *FINITE, "--control", plane.path)
            self.expect(got, 1, err=f"control socket {plane.path}: in use")
            self.expect(plane.ask("show"), 0)
            plane.process.kill()
            plane.process.wait()
            self.assertTrue(os.path.exists(plane.path)) # stale: nobody could remove it
        with Plane(self.directory.name) as plane:
            self.expect(plane.ask("show"), 0)
            # Another's socket at the same path is not removed.
            os.unlink(plane.path)
            other = socket.socket(socket.AF_UNIX)
            other.bind(plane.path)
            other.close()
            self.assertEqual(plane.end(), 0)
            self.assertTrue(os.path.exists(plane.path))

    def test_not_a_socket(self):
        with open(self.path("file"), "w") as file:
            file.write("mine")
        for name, code in ("file", 1), (".", 1), ("none/s", 1), ("x" * 200, 1):
            self.expect(leat("run", *FINITE, "--control", self.path(name)), code,
                        err="control socket")
        with open(self.path("file")) as file:
            self.assertEqual(file.read(), "mine")

    def test_protocol(self):
        rows = [
            ("", "not JSON"), ("{", "not JSON"), ("[]", "a request is"), ("{}", "a request is"),
            ('{"get": 1}', "a request is"), ('{"set": "net/core/busy_poll"}', 'no "value"'),
            ('{"set": "net/core/busy_poll", "value": 5}', 'no "value"'),
            ('{"get": "' + "x" * 5000 + '"}', "no such knob"), ("\0", "not JSON"),
            ('{"show": "é' + "é" * 300 + '"}', ""),
        ]
        with Plane(self.directory.name) as plane, plane.connect() as s:
            lines = s.makefile("rw")
            for text, message in rows:
                print(text, file=lines, flush=True)
                answer = json.loads(lines.readline())
                self.assertIn(message, answer["error"])
                self.assertGreater(answer["errno"], 0)
            # Many at once are answered in order, also by a client that is slow to read them; what
            # follows the end is not awaited.
            for request in '{"get": "net/core/busy_poll"}', '{"show": "knobs"}':
                lines.write((request + '\n{"show": "cpus"}\n') * 300)
                lines.flush()
                time.sleep(0.1)
                answers = [list(json.loads(lines.readline())) for _ in range(600)]
                self.assertEqual(answers, [[request[2:-1].split('"')[0]], ["show"]] * 300)
            lines.write('{"show": "cpus"}\n{"get": "none"}\n{"get"')
            lines.flush()
            s.shutdown(socket.SHUT_WR)
            self.assertEqual([list(json.loads(line)) for line in lines],
                             [["show"], ["error", "errno"]])

    def test_long_answers(self):
        """Longer than a socket takes at once, for a client that is slow to read them."""
        ports = [word for i in range(40) for word in ("--port", f"g{i}=gen,flows=1,rate=1")]
        key = ":".join(["aa"] * 256)
        with Plane(self.directory.name, *ports) as plane, plane.connect() as s, \
                s.makefile("rw") as lines:
            self.expect(plane.ask("set", f"*/rxfh/key={key}"), 0)
            lines.write('{"show": "knobs"}\n' * 20)
            lines.flush()
            time.sleep(0.1)
            answers = [json.loads(lines.readline())["show"] for _ in range(20)]
            self.assertEqual(answers, answers[:1] * 20)
            self.assertEqual(answers[0]["g39/rxfh/key"], key)
            self.assertEqual(plane.end(), 0)

    def test_endless_line(self):
        with Plane(self.directory.name) as plane, plane.connect() as s:
            s.sendall(b"x" * 65536)
            self.assertIn(b"not JSON", s.recv(1000))
            self.assertEqual(s.recv(1000), b"")

    def test_stalled_clients(self):
        with Plane(self.directory.name) as plane:
            deaf = plane.connect() # asks much, reads nothing
            deaf.setblocking(False)
            try:
                while True:
                    deaf.send(b'{"show": "knobs"}\n' * 100)
            except BlockingIOError:
                pass
            mute = [plane.connect() for _ in range(40)]
            for s in mute:
                try:
                    s.send(b'{"get": ')
                except BrokenPipeError:
                    pass # one of those that had to go
            self.expect(plane.ask("get", "net/core/busy_poll"), 0, "0\n")
            before = sum(c["processed"] for c in json.loads(plane.ask("show", "cpus", "-j").stdout))
            wait_for(lambda: sum(c["processed"] for c in json.loads(
                plane.ask("show", "cpus", "-j").stdout)) > before)
            for s in deaf, *mute:
                s.close()
            self.assertEqual(plane.end(), 0)

    def test_one_too_many(self):
        with Plane(self.directory.name) as plane:
            def ask(s):
                s.sendall(b'{"get": "net/core/busy_poll"}\n')
                return s.recv(1000)
            clients = [plane.connect() for _ in range(16)]
            for s in clients:
                self.assertIn(b"get", ask(s))
            self.assertIn(b"get", ask(clients[0]))
            clients.append(plane.connect())
            self.assertIn(b"get", ask(clients[-1]))
            self.assertEqual(clients[1].recv(1000), b"") # silent for longest
            for s in clients[:1] + clients[2:]:
                self.assertIn(b"get", ask(s))
            for s in clients:
                s.close()

    def test_strangers(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to be somebody else")
        os.chmod(self.directory.name, 0o755)
        with Plane(self.directory.name) as plane:
            as_nobody = ("setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c",
                         "import socket, sys\ns = socket.socket(socket.AF_UNIX)\n"
                         "s.connect(sys.argv[1])\ns.sendall(b'{\"show\": \"cpus\"}\\n')\n"
                         "print(s.recv(1000))", plane.path)
            got = subprocess.run(as_nobody, capture_output=True, text=True, timeout=PATIENCE)
            self.assertIn("PermissionError", got.stderr)
            os.chmod(plane.path, 0o666)
            got = subprocess.run(as_nobody, capture_output=True, text=True, timeout=PATIENCE)
            self.assertNotIn("show", got.stdout)
            self.expect(plane.ask("show"), 0)


if __name__ == "__main__":
    unittest.main()
