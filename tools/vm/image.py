# SPDX-License-Identifier: MIT
"""The emulated machine's file system: one cpio archive with all it needs, and nothing else."""

import lzma
import os
import shutil
import stat
import subprocess

# crc32c_generic first: libcrc32c, which sctp needs, looks for it by name.
MODULES = ("crc32c_generic", "tun", "veth", "bridge", "dummy", "vxlan", "geneve", "ip_gre", "ip6_gre",
           "ipip", "sit", "ip6_tunnel", "fou", "fou6", "sctp", "sch_ingress", "cls_matchall",
           "act_tunnel_key", "sch_mqprio")
# Busybox has the rest, but its shell prefers its own programs of these names, so not that either.
PROGRAMS = {"bin/sh": "dash", "usr/bin/ip": "ip", "usr/bin/tc": "tc", "usr/bin/ethtool": "ethtool",
            "usr/bin/socat": "socat", "bin/busybox": "busybox"}


class Archive:
    """A cpio archive of the kernel's "newc" format."""

    def __init__(self):
        self.parts = []
        self.names = set()
        self.length = 0

    def add(self, name, mode, content=b""):
        """One file, folder or link; the folders above it come by themselves."""
        folder = os.path.dirname(name)
        if folder and folder not in self.names:
            self.add(folder, stat.S_IFDIR | 0o755)
        if name not in self.names:
            self.names.add(name)
            self.write(name, mode, content)

    def write(self, name, mode, content):
        fields = (len(self.names), mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        for part in (head, content):
            self.parts += [part, bytes(-len(part) % 4)]

    def bytes(self):
        self.write("TRAILER!!!", 0, b"")
        return b"".join(self.parts)


def module_files(tree, release):
    """The wanted modules' files, each after those it needs. What is built in has none."""
    with open(f"{tree}/lib/modules/{release}/modules.dep", encoding="ascii") as file:
        needs = {line.split(":")[0]: line.split(":")[1].split() for line in file}
    by_name = {os.path.basename(path).split(".")[0]: path for path in needs}
    order = []
    for name in MODULES:
        path = by_name.get(name)
        for one in [*reversed(needs.get(path, [])), path]:
            if one and one not in order:
                order.append(one)
    return [f"{tree}/lib/modules/{release}/{path}" for path in order]


def read_module(path):
    with (lzma.open if path.endswith(".xz") else open)(path, "rb") as file:
        return file.read()


def libraries(program):
    """The shared libraries a program needs, its loader among them."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return [word for word in said.split() if word.startswith("/")]


def add_program(archive, path, name):
    """A program, as `name`, and its libraries where its loader looks for them."""
    for source, target in ((path, name), *((one, one.lstrip("/")) for one in libraries(path))):
        with open(source, "rb") as file:
            archive.add(target, stat.S_IFREG | 0o755, file.read())


def build(tree, files):
    """The archive for the kernel in `tree`; `files`: {name in the machine: file here}."""
    archive = Archive()
    with open(f"{tree}/release", encoding="ascii") as file:
        release = file.read()
    order = []
    for path in module_files(tree, release):
        order.append(os.path.basename(path).removesuffix(".xz"))
        archive.add(f"modules/{order[-1]}", stat.S_IFREG | 0o644, read_module(path))
    archive.add("modules/order", stat.S_IFREG | 0o644, "".join(f"{one}\n" for one in order).encode())
    search = os.environ["PATH"] + ":/usr/sbin:/sbin"
    for name, program in PROGRAMS.items():
        add_program(archive, shutil.which(program, path=search), name)
    for name, path in files.items():
        add_program(archive, path, name)
    return archive.bytes()
