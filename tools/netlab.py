# SPDX-License-Identifier: MIT
"""A laboratory for real traffic: network namespaces, a forwarder between them, iperf3 through it.

What the demo, tests/net and the benches share. Everything a Lab makes is gone when it is left,
however it is left: processes are ended by their id, namespaces deleted by their name.

    require()
    with Lab() as lab:
        leat = lab.leat("on", "none")       # TAPs `left` and `right`, with addresses
        print(lab.iperf(seconds=3, streams=8))
        print(leat.stop())                  # its final counters
"""

import concurrent.futures
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LEAT = os.environ.get("LEAT", f"{SOURCE}/build/leat")
COPYLOOP = os.environ.get("COPYLOOP", f"{SOURCE}/build/bench/copyloop")
UDPLOAD = os.environ.get("UDPLOAD", f"{SOURCE}/build/bench/udpload")
SKIP = 77
USERNS = "LEAT_IN_USER_NAMESPACE"
CLONE_NEWNET = 0x40000000
ADDRESSES = {"left": ("10.9.0.1", "fd00:9::1"), "right": ("10.9.0.2", "fd00:9::2")}
IPERF_PORT = 5201
ECHO_PORT = 7

os.environ["PATH"] += ":/usr/sbin:/sbin"  # where ip is, and not every user looks


class Failure(Exception):
    """The work failed; the text is for the reader."""


def run(*command, timeout=30):
    """Run to its end; its standard output. Failure if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-1000:]
        raise Failure(f"{' '.join(command)}: exit code {done.returncode}: {said}")
    return done.stdout


def wait_for(what, test, seconds=10):
    """Until test() is true, looking every few milliseconds; gives what it gave."""
    deadline = time.monotonic() + seconds
    while not (result := test()):
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds} s in vain for {what}")
        time.sleep(0.01)
    return result


# Privilege


def obstacle():
    """Why namespaces and TAPs cannot be made here, or None. Makes one of each."""
    name = f"leat{os.getpid()}-probe"
    try:
        if os.environ.get(USERNS):
            run("mount", "-t", "tmpfs", "tmpfs", "/run")  # `ip netns` writes to /run/netns
        run("ip", "netns", "add", name)
    except (Failure, OSError) as problem:
        return str(problem)
    try:
        run("ip", "netns", "exec", name, "ip", "tuntap", "add", "dev", "probe", "mode", "tap")
    except Failure as problem:
        return str(problem)
    finally:
        run("ip", "netns", "del", name)
    return None


def require(*programs):
    """Return where namespaces, TAPs and these programs are to be had. Where it takes that, start
    this script again in a user namespace; where nothing helps, say why and exit 77."""
    missing = [name for name in ("ip", *programs) if not shutil.which(name)]
    if missing:
        print(f"not installed: {', '.join(missing)}")
        sys.exit(SKIP)
    problem = obstacle()
    if not problem:
        return
    into = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
    if not os.environ.get(USERNS) and not subprocess.run(
            [*into, "true"], stderr=subprocess.DEVNULL).returncode:
        sys.stdout.flush()
        os.execvpe("unshare", [*into, sys.executable, *sys.argv], os.environ | {USERNS: "1"})
    print(f"this needs root, or user namespaces that may make TAPs: {problem}")
    sys.exit(SKIP)


def main(work, *programs):
    """Run work(lab) where that is possible, and exit: 0, 1 if it failed, 77."""
    sys.stdout.reconfigure(line_buffering=True)
    require(*programs)
    try:
        with Lab() as lab:
            work(lab)
    except Failure as problem:
        print(f"failed: {problem}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


# The forwarders


def why_uncounted():
    """Why system calls cannot be counted here, or None."""
    if not shutil.which("perf"):
        return "there is no perf"
    tried = subprocess.run(["perf", "stat", "-e", "raw_syscalls:sys_enter", "true"],
                           capture_output=True, text=True)
    said = [line for line in tried.stderr.splitlines() if line.strip(" :") not in ("", "Error")]
    return (said or ["perf fails"])[0] if tried.returncode else None


class Forwarder:
    """A running program that joins a TAP `left` and a TAP `right`."""

    def __init__(self, lab, command):
        self.lab = lab
        self.process = lab.start(*command)

    def alive(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.process.args[0]} ended by itself, exit code "
                          f"{self.process.returncode}: {self.lab.said(self.process)}")

    def ready(self, ports=("left", "right")):
        """Wait for the interfaces to be up and give them their addresses."""
        def up(name):
            self.alive()
            shown = subprocess.run(["ip", "-n", self.lab.ns(name), "-j", "link", "show", name],
                                   capture_output=True, text=True).stdout
            return any("LOWER_UP" in link.get("flags", ()) for link in json.loads(shown or "[]"))
        for name in ports:
            wait_for(f"interface {name}", lambda: up(name))
            self.lab.add_addresses(name)
        return self

    def syscalls(self):
        """Count the system calls of all its threads from now on, unless why_uncounted(): a function
        that ends that and gives how many there were."""
        counter = self.lab.start("perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p",
                                 str(self.process.pid))

        def stop():
            counter.send_signal(signal.SIGINT)
            counter.wait(10)
            said = self.lab.said(counter)
            self.lab.end(counter)
            try:
                return int(said.split(",")[0])
            except ValueError:
                raise Failure(f"perf stat: {said}") from None
        return stop

    def cpu_ns(self):
        """CPU time its threads have used so far, ns."""
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def rss(self):
        """Bytes of memory it has, in kB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def stop(self):
        """Ask it to end. Failure unless it does, with exit code 0."""
        self.alive()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.process.args[0]} does not end on SIGTERM") from None
        if self.process.returncode:
            raise Failure(f"{self.process.args[0]}: exit code {self.process.returncode} at its "
                          f"end: {self.lab.said(self.process)}")
        self.lab.processes.remove(self.process)


class Leat(Forwarder):
    """`leat run`, with a control socket."""

    def __init__(self, lab, arguments):
        self.control = f"{lab.folder}/control-{len(lab.processes)}"
        self.connection = None
        super().__init__(lab, [LEAT, "run", "--json", "--control", self.control, *arguments])

    def ask(self, **request):
        """One request over the control socket; the answer, whatever it says."""
        if not self.connection:
            wait_for("the control socket", lambda: self.alive() or os.path.exists(self.control))
            link = socket.socket(socket.AF_UNIX)
            link.settimeout(10)
            link.connect(self.control)
            self.connection = link.makefile("rw", encoding="utf-8")
        self.connection.write(json.dumps(request) + "\n")
        self.connection.flush()
        return json.loads(self.connection.readline())

    def do(self, verb, what, **more):
        """The same, where an error is a Failure; what was got, set or shown."""
        answer = self.ask(**{verb: what}, **more)
        if "error" in answer:
            raise Failure(f"{verb} {what}: {answer['error']}")
        return answer[verb]

    def get(self, knob):
        return self.do("get", knob)[knob]

    def set(self, knob, value):
        self.do("set", knob, value=value)

    def stats(self):
        return self.do("show", "stats")

    def stop(self):
        """End it; its final counters."""
        super().stop()
        return json.loads(self.lab.printed(self.process).splitlines()[-1])


class Veth:
    """The kernel's own path in a forwarder's place: one veth pair, or two with a bridge between."""

    def __init__(self, lab, bridge):
        self.lab = lab
        self.bridge = bridge
        if bridge:
            lab.ip("between", "link", "add", "bridge", "up", "type", "bridge")
            for name in ADDRESSES:
                lab.ip("between", "link", "add", f"to-{name}", "up", "master", "bridge", "type",
                       "veth", "peer", "name", name, "netns", lab.ns(name))
        else:
            lab.ip("left", "link", "add", "left", "type", "veth", "peer", "name", "right", "netns",
                   lab.ns("right"))
        for name in ADDRESSES:
            lab.ip(name, "link", "set", name, "up")
            lab.add_addresses(name)

    def stop(self):
        for name in ADDRESSES if self.bridge else ("left",):
            self.lab.ip(name, "link", "del", name)
        if self.bridge:
            self.lab.ip("between", "link", "del", "bridge")


# The laboratory


class Lab:
    def __init__(self):
        self.namespaces = {}
        self.processes = []
        self.output = {}
        self.folder = None
        self.handlers = {}

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="leat-")
        for number in (signal.SIGTERM, signal.SIGHUP):
            self.handlers[number] = signal.signal(number, lambda n, frame: sys.exit(128 + n))
        return self

    def __exit__(self, *exception):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.handlers.setdefault(number, signal.getsignal(number))
            signal.signal(number, signal.SIG_IGN)
        self.cleanup()
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def cleanup(self):
        while self.processes:
            self.end(self.processes[-1])
        for name in self.namespaces.values():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
        self.namespaces.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ns(self, role):
        """The namespace of that role, `left` or `right` or any other, made when first named."""
        if role not in self.namespaces:
            name = f"leat{os.getpid()}-{role}"
            run("ip", "netns", "add", name)
            self.namespaces[role] = name
            run("ip", "-n", name, "link", "set", "lo", "up")
        return self.namespaces[role]

    def ip(self, role, *arguments):
        """`ip` in the namespace."""
        return run("ip", "-n", self.ns(role), *arguments)

    def add_addresses(self, name):
        """Give the interface `left` or `right`, in the namespace of its name, its addresses."""
        for address, bits in zip(ADDRESSES[name], (24, 64)):
            self.ip(name, "address", "add", f"{address}/{bits}", "dev", name,
                    *(("nodad",) if ":" in address else ()))

    def within(self, role, *command):
        """The command line that runs this one in the namespace."""
        return ["ip", "netns", "exec", self.ns(role), *command]

    def call(self, role, function, *arguments):
        """What function(*arguments) gives when called in the namespace: a socket, for one, which
        stays there."""
        def enter_and_call():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/run/netns/{self.ns(role)}", "rb") as file:
                if libc.setns(file.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            return function(*arguments)

        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            return thread.submit(enter_and_call).result()

    def reaches(self, source, target):
        """Whether `source` gets an answer from `target`: a refusal will do."""
        def knock():
            try:
                socket.create_connection((ADDRESSES[target][0], 9), 3).close()
            except ConnectionRefusedError:
                return True
            except OSError:
                return False
            return True
        return self.call(source, knock)

    # Processes

    def start(self, *command):
        """Start a program; what it prints is kept."""
        kept = [tempfile.TemporaryFile("w+", dir=self.folder) for _ in range(2)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=kept[0],
                                   stderr=kept[1])
        self.output[process] = kept
        self.processes.append(process)
        return process

    def end(self, process):
        """Have it gone."""
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.remove(process)

    def printed(self, process, stream=0):
        """What it has printed so far."""
        file = self.output[process][stream]
        return os.pread(file.fileno(), 1 << 24, 0).decode()

    def said(self, process):
        """Its words on standard error."""
        return self.printed(process, 1).strip()[-2000:] or "it said nothing"

    # Forwarders

    def leat(self, left="on", right="on", *arguments, queues=2):
        """`leat run` between the namespaces `left` and `right`, up and with addresses."""
        ports = [word for name, offload in (("left", left), ("right", right)) for word in (
            "--port", f"{name}=tap,queues={queues},netns={self.ns(name)},offload={offload}")]
        return Leat(self, [*ports, *arguments]).ready()

    def echo(self, *arguments, queues=2, options=""):
        """`leat run --app echo` at the addresses of `right`, on the other end of the interface `left`,
        which is up and has its own."""
        addresses = "".join(f",address={address}/{bits}"
                            for address, bits in zip(ADDRESSES["right"], (24, 64)))
        return Leat(self, ["--port", f"left=tap,queues={queues},netns={self.ns('left')}",
                           "--app", f"echo,port={ECHO_PORT}{addresses}{options}",
                           *arguments]).ready(("left",))

    def copyloop(self, left="on", right="on", queues=2):
        """The smallest copy loop in its place."""
        return Forwarder(self, [COPYLOOP, f"left={self.ns('left')},offload={left}",
                                f"right={self.ns('right')},offload={right}",
                                f"queues={queues}"]).ready()

    def veth(self, bridge=False):
        """The kernel's own path in its place, offloads on."""
        return Veth(self, bridge)

    # Traffic

    def serve_iperf(self):
        """An iperf3 server for one test, in `right`, listening."""
        server = self.start(*self.within("right", "iperf3", "-s", "-1"))

        def listening():
            for table in ("tcp", "tcp6"):
                try:
                    with open(f"/proc/{server.pid}/net/{table}", encoding="ascii") as file:
                        if any(row.split()[1].endswith(f":{IPERF_PORT:04X}")
                               and row.split()[3] == "0A" for row in file):
                            return True
                except OSError:
                    pass
            if server.poll() is not None:
                raise Failure(f"iperf3 -s: {self.said(server)}")
            return False

        wait_for("the iperf3 server", listening)
        return server

    def start_iperf(self, seconds, streams=1, *extra):
        """Start a server in `right` and a client in `left`; what finish_iperf() takes."""
        server = self.serve_iperf()
        client = self.start(*self.within(
            "left", "iperf3", "-c", ADDRESSES["right"][0], "-t", str(seconds), "-P", str(streams),
            "-J", *extra))
        return server, client

    def finish_iperf(self, pair, seconds=20):
        """Wait for the end: {"gbps": received, "retransmits": n}."""
        server, client = pair

        def ended():
            for process in self.processes:
                if process.poll() and process not in pair:
                    raise Failure(f"{process.args[0]} ended by itself, exit code "
                                  f"{process.returncode}: {self.said(process)}")
            return client.poll() is not None

        wait_for("the end of iperf3", ended, seconds)
        report = json.loads(self.printed(client) or "{}")
        self.end(client)
        self.end(server)
        if "error" in report or "end" not in report:
            raise Failure(f"iperf3: {report.get('error', 'no report')}")
        end = report["end"]
        return {"gbps": end["sum_received"]["bits_per_second"] / 1e9,
                "retransmits": end["sum_sent"].get("retransmits", 0)}

    def iperf(self, seconds, streams=1, *extra):
        """iperf3 from `left` to `right`, start to finish."""
        return self.finish_iperf(self.start_iperf(seconds, streams, *extra), seconds + 20)

    def start_udpload(self, *arguments, version=4):
        """Start the load client in `left`, against echo; its line is JSON."""
        return self.start(*self.within("left", UDPLOAD, *(str(word) for word in arguments),
                                       ADDRESSES["right"][version == 6], str(ECHO_PORT)))

    def finish_udpload(self, client, seconds=30):
        """Wait for its end; what it counted."""
        wait_for("the end of udpload", lambda: client.poll() is not None, seconds)
        if client.returncode:
            raise Failure(f"udpload: exit code {client.returncode}: {self.said(client)}")
        counted = json.loads(self.printed(client))
        self.end(client)
        return counted

    def counters(self, role):
        """The namespace's protocol counters, {"TcpRetransSegs": n, "TcpExtTCPOFOQueue": n, …}."""
        lines = run(*self.within(role, "cat", "/proc/net/snmp", "/proc/net/netstat")).splitlines()
        found = {}
        for names, values in zip(lines[::2], lines[1::2]):
            group, *names = names.split()
            found |= {group[:-1] + name: int(value)
                      for name, value in zip(names, values.split()[1:])}
        return found

    def device_drops(self, names=tuple(ADDRESSES)):
        """Frames that the kernel's side of the TAPs dropped."""
        shown = [json.loads(self.ip(name, "-s", "-j", "link", "show", name))[0]["stats64"]
                 for name in names]
        return sum(one[way]["dropped"] for one in shown for way in ("rx", "tx"))
