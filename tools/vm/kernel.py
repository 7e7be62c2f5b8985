# SPDX-License-Identifier: MIT
"""Debian's kernel images: fetched with apt, unpacked under build/vm, never installed.

apt is given a configuration of its own, so the machine's stays as it is: its sources are the
mirror that the machine already uses, with the suites a kernel is in.
"""

import glob
import os
import shutil
import subprocess

SUITES = {"6.1": "bookworm", "6.12": "bookworm-backports"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
KEEP = ("./boot/vmlinuz-*", "./lib/modules/*/kernel/arch/*", "./lib/modules/*/kernel/crypto/*",
        "./lib/modules/*/kernel/drivers/net/*", "./lib/modules/*/kernel/lib/*",
        "./lib/modules/*/kernel/net/*", "./lib/modules/*/modules.*")
LEAVE = ("*/kernel/drivers/net/ethernet", "*/kernel/drivers/net/wireless", "*/kernel/arch/*/kvm")


class Unavailable(Exception):
    """The kernel cannot be had here; the text says why."""


def said(command, **options):
    """What the command printed; Unavailable if it failed."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True,
                              **options).stdout
    except FileNotFoundError as error:
        raise Unavailable(f"no {error.filename} here") from error
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines()
        raise Unavailable(f"{command[0]} failed: {lines[-1] if lines else 'no word why'}") from error


def mirror():
    """Where this machine gets Debian from."""
    targets = said(["apt-get", "indextargets", "--format",
                    "$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)", "Created-By: Packages"])
    rows = [line.split() for line in targets.splitlines()]
    found = [row[3] for row in rows
             if row[:2] == ["Debian", "main"] and len(row) == 4 and "-" not in row[2]]
    if not found:
        raise Unavailable("apt has no Debian sources")
    return found[0]


def private_apt(folder, suite):
    """Options for apt with a configuration of its own below `folder`."""
    for sub in ("lists/partial", "cache/archives/partial"):
        os.makedirs(f"{folder}/{sub}", exist_ok=True)
    with open(f"{folder}/sources.list", "w", encoding="utf-8") as file:
        file.write(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
    settings = {"Dir::Etc::sourcelist": f"{folder}/sources.list", "Dir::Etc::sourceparts": "-",
                "Dir::State::lists": f"{folder}/lists", "Dir::Cache": f"{folder}/cache",
                "APT::Sandbox::User": "", "APT::Architecture": "amd64"}
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def package(options):
    """The image package that linux-image-amd64 now stands for."""
    for line in said(["apt-cache", *options, "show", "linux-image-amd64"]).splitlines():
        if line.startswith("Depends: "):
            return line.split()[1]
    raise Unavailable("linux-image-amd64 depends on nothing")


def unpack(deb, folder):
    """The kernel and the modules of the package that could be wanted, and their dependencies."""
    words = [word for one in LEAVE for word in ("--exclude", one)]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as tar:
        said(["tar", "-x", "-C", folder, "--wildcards", *words, *KEEP], stdin=tar.stdout)
    release = os.listdir(f"{folder}/lib/modules")[0]
    said(["depmod", "-b", folder, release])
    os.rename(glob.glob(f"{folder}/boot/vmlinuz-*")[0], f"{folder}/vmlinuz")
    with open(f"{folder}/release", "w", encoding="ascii") as file:
        file.write(release)


def fetch(name, folder):
    """Have kernel `name` unpacked in `folder`/`name`, and give that."""
    ready = f"{folder}/{name}"
    if os.path.exists(ready):
        return ready
    print(f"{name}: fetching the image package", flush=True)
    options = private_apt(f"{folder}/apt-{name}", SUITES[name])
    partial = f"{ready}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(partial)
    said(["apt-get", "-qq", *options, "update"])
    said(["apt-get", "-qq", *options, "download", package(options)], cwd=partial)
    deb = glob.glob(f"{partial}/*.deb")[0]
    unpack(deb, partial)
    os.remove(deb)
    os.rename(partial, ready)
    return ready
