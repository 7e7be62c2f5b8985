#!/usr/bin/python3
"""Who may include whom.

    includes.py ROOT HEADER...      the public headers in packet order

include/leat  freestanding C headers, and public headers earlier in the order
lib           those, <string.h>, <errno.h>, <stdatomic.h>, its own headers; rx and tx not each
              other's; what names the CPU's instructions only in lib/x86 and lib/cpu.c
plane, cli    the public headers and their own (cli also plane's), never lib's
plane/port    each library or device of the outside world has one file there that names its header,
cli/verify    and so has each that leat verify asks
"""

import os
import re
import sys

import house

FREESTANDING = {name + ".h" for name in (
    "float", "iso646", "limits", "stdalign", "stdarg", "stdbool", "stddef", "stdint",
    "stdnoreturn")}
LIB = FREESTANDING | {"string.h", "errno.h", "stdatomic.h"}
INSTRUCTIONS = {"immintrin.h", "cpuid.h"}
OUTSIDE = ("pcap", "libmnl/", "liburing", "xdp/", "bpf/",
           "linux/if_tun.h", "linux/if_packet.h", "linux/if_xdp.h")


def includes(root, path):
    """(name, is it quoted) of each #include of a file."""
    lines = re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', house.read(root, path), re.M)
    return [(name, mark == '"') for mark, name in lines]


def resolve(root, path, name, quoted):
    """The project's file that this #include means, or None for one of the system's."""
    places = [os.path.dirname(path)] if quoted else []
    for place in [*places, "include", "", "lib", "plane"]:
        found = os.path.normpath(os.path.join(place, name))
        if os.path.exists(os.path.join(root, found)):
            return found
    return None


def may(path, name, target, order):
    """May this file include the system's `name`, or the project's `target`?"""
    place = path.split("/")[0]
    if target is None:
        if place == "include":
            return name in FREESTANDING
        if place == "lib":
            return name in LIB or (name in INSTRUCTIONS
                                   and path.startswith(("lib/x86/", "lib/cpu.c")))
        return not name.startswith(OUTSIDE) or path.startswith(("plane/port/", "cli/verify/kernel"))
    if place == "include":
        return target in order and order.index(target) < order.index(path)
    if target in order:
        return True
    if place == "lib":
        return target.startswith("lib/") and not (
            path.startswith("lib/rx/") and target.startswith("lib/tx/") or
            path.startswith("lib/tx/") and target.startswith("lib/rx/"))
    return target.startswith("plane/") or place == "cli" and target.startswith("cli/")


def check(root, order):
    complaints, namer = [], {}
    for path in house.files(root, ".c", ".h"):
        if not path.startswith(("include/", "lib/", "plane/", "cli/")):
            continue
        if path.startswith("include/") and path not in order:
            complaints.append(f"{path}: not in the packet order of include/meson.build")
            continue
        for name, quoted in includes(root, path):
            target = resolve(root, path, name, quoted)
            if not may(path, name, target, order):
                complaints.append(f"{path}: may not include {name}")
            elif target is None and name.startswith(OUTSIDE):
                first = namer.setdefault((path.split("/")[0], name), path)
                if first != path:
                    complaints.append(f"{path}: {name} is {first}'s alone")
    return complaints


if __name__ == "__main__":
    root = sys.argv[1]
    house.verdict(check(root, [os.path.relpath(header, root) for header in sys.argv[2:]]))
