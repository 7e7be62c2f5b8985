#!/usr/bin/python3
"""The library is arithmetic: it needs nothing beyond mem*, and has no mutable globals but one, which
says what variants the CPU can do.

    purity.py ROOT LIBLEAT.A SANITIZERS
"""

import subprocess
import sys

import house

# mem*, and what a compiler adds by itself.
NEEDS = {"memcpy", "memmove", "memset", "memcmp", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}
# What the CPU can do is the machine's, not anybody's state: doc/decisions/ops.md.
SELECTED = "leat_ops_selected"
MUTABLE = (".data", ".bss", ".tdata", ".tbss", ".sdata", ".sbss", "*COM*")


def symbols(archive):
    """(name, class, section) of each symbol of the archive."""
    listing = subprocess.run(["nm", "--format=sysv", archive],
                             capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[0] != "Name":
            yield fields[0], fields[2], fields[6]


def check(archive):
    table = list(symbols(archive))
    has = {name for name, kind, _ in table if kind not in "Uw"}
    complaints = [f"needs {name}" for name, kind, _ in table
                  if kind in "Uw" and name not in has | NEEDS]
    complaints += [f"mutable global {name} in {section}" for name, _, section in table
                   if section.startswith(MUTABLE) and not section.startswith(".data.rel.ro")
                   and name != SELECTED]
    return sorted(set(complaints)) if table else ["no symbols at all"]


if __name__ == "__main__":
    if sys.argv[3] != "none":
        house.skip("a sanitizer's build needs the sanitizer")
    house.verdict(check(sys.argv[2]))
