#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What GRO merges and a port without offloads gets cut again is what came in, byte for byte: a
capture goes through `leat run` with GRO on, and comes out the same, flow by flow."""

import collections
import os
import struct
import subprocess
import sys
import tempfile

LEAT = os.environ.get("LEAT", "build/leat")


def leat(*words):
    done = subprocess.run([LEAT, "run", "--json", *words], text=True, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    if done.returncode:
        sys.exit(f"leat run {' '.join(words)}: {done.stderr}")
    return done.stdout


def flows(path):
    """The frames of each flow, in order. A flow is known by its addresses and ports."""
    frames = collections.defaultdict(list)
    with open(path, "rb") as file:
        data = file.read()
    at = 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + length]
        key = frame[26:38] if frame[12:14] == b"\x08\x00" else frame[22:58]
        frames[key].append(frame)
        at += 16 + length
    return frames


def main():
    with tempfile.TemporaryDirectory(prefix="leat-") as folder:
        first, second = os.path.join(folder, "a.pcap"), os.path.join(folder, "b.pcap")
        for proto in ("tcp", "udp"):
            leat("--port", f"gen=gen,flows=50,proto={proto},ip=both,size=16-1400,burst=7,count=50000",
                 "--port", f"out=pcap,out={first}", "--set", "gen/features/rx-gro=off")
            said = leat("--port", f"in=pcap,in={first}", "--port", f"out=pcap,out={second}",
                        "--set", "in/features/rx-udp-gro-forwarding=on")
            before, after = flows(first), flows(second)
            packets = sum(len(frames) for frames in before.values())
            print(f"{proto}: {packets} frames of {len(before)} flows, in and out: "
                  f"{'the same' if before == after else 'DIFFERENT'}")
            if before != after or packets != 50000 or '"merged"' not in said:
                sys.exit(f"{proto}: not the identity, or nothing was merged: {said}")


if __name__ == "__main__":
    main()
