#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""io=uring: a TAP has rings where the kernel allows them, and needs fewer system calls; where it does
not, system calls do the same work, but who asks for rings by name is told so. A ring keeps no TAP
alive."""

import concurrent.futures
import ctypes
import os
import signal
import struct
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from netlab import LEAT, SKIP, Failure, main

IO_URING_SETUP = 425  # on all architectures
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
EPERM = 1


def without_io_uring(function, *arguments):
    """What function(*arguments) gives in a thread, with children, that may not set up a ring."""
    def forbid_and_call():
        libc = ctypes.CDLL(None, use_errno=True)
        code = b"".join(struct.pack("HBBI", *line) for line in (
            (0x20, 0, 0, 0),                   # load the number of the system call
            (0x15, 0, 1, IO_URING_SETUP),      # if it is this one
            (0x06, 0, 0, 0x00050000 | EPERM),  # it fails,
            (0x06, 0, 0, 0x7FFF0000)))         # and the others do not
        lines = ctypes.create_string_buffer(code)
        program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(lines))
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
                PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program):
            raise OSError(ctypes.get_errno(), "seccomp")
        return function(*arguments)

    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(forbid_and_call).result()


def rings(leat):
    folder = f"/proc/{leat.process.pid}/fd"
    return sum("io_uring" in os.readlink(f"{folder}/{name}") for name in os.listdir(folder))


def carry(lab, leat, expected):
    """Traffic arrives; there are as many rings as expected."""
    found = rings(leat)
    gbps = lab.iperf(1)["gbps"]
    lost = sum(q["errors"] + q["dropped"] for port in leat.stop()["ports"]
               for way in ("rx", "tx") for q in port[way])
    print(f"  {found} rings, {gbps:.2f} Gbit/s, {lost} lost")
    if found != expected:
        raise Failure(f"expected {expected} rings")
    if lost:
        raise Failure("expected nothing to be lost")


def kinds(lab):
    """Where frames are wire-sized each queue has a ring to transmit with and one to receive with;
    else it has one to transmit with, if asked for."""
    for left, right, expected in (("none", "none", 8), ("on", "none", 4), ("on", "on", 0),
                                  ("none,io=syscall", "on,io=uring", 2),
                                  ("none,io=syscall", "none,io=syscall", 0)):
        print(f"{left} - {right}")
        carry(lab, lab.leat(left, right), expected)


def forbidden(lab):
    print("where io_uring is forbidden")
    carry(lab, without_io_uring(lab.leat, "none", "none"), 0)
    done = without_io_uring(lambda: subprocess.run(
        lab.within("left", LEAT, "run", "--port", "x=tap,io=uring", "--duration", "0.1s"),
        capture_output=True, text=True, timeout=20))
    print(f"  says: {done.stderr.strip()}")
    if done.returncode != SKIP or "x: io=uring" not in done.stderr:
        raise Failure(f"exit code {done.returncode}")


def killed(lab):
    """While frames are on their way: the interface is gone when the process is."""
    print("killed")
    for _ in range(5):
        leat = lab.leat("none", "none")
        client = lab.start(*lab.within("left", "ping", "-f", "-q", "-w", "5", "10.9.0.2"))
        time.sleep(0.1)
        leat.process.send_signal(signal.SIGKILL)
        leat.process.wait(10)
        lab.end(leat.process)
        lab.end(client)
        if '"left"' in lab.ip("left", "-j", "link"):
            raise Failure("the interface is still there")


def work(lab):
    probe = lab.leat("none", "none")
    found = rings(probe)
    probe.stop()
    if not found:
        print("no io_uring here")
        sys.exit(SKIP)
    kinds(lab)
    forbidden(lab)
    killed(lab)


main(work, "iperf3")
