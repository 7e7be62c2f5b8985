#!/usr/bin/python3
"""A short run of leat verify: every type that the running kernel has. LEAT is the command.

LEAT_SEED repeats a run; without it each run asks other questions.
"""

import json
import os
import subprocess
import sys

LEAT = os.environ.get("LEAT", "build/leat")
CASES = os.environ.get("LEAT_CASES", "300")
SKIP = 77


def verify(*args, seconds=100):
    return subprocess.run([LEAT, "verify", *args], capture_output=True, text=True,
                          timeout=seconds, stdin=subprocess.DEVNULL)


def check_usage():
    """What makes no sense is refused with a message and exit code 2."""
    for wrong in (["--type", "nothing"], ["--cases", "0"], ["--cases", "x"], ["more"]):
        ran = verify(*wrong)
        assert ran.returncode == 2 and "leat verify" in ran.stderr, (wrong, ran)
    assert "gro-tcp4" in verify("--help").stdout


def check_repeats():
    """The same seed asks the same questions and gets the same answers."""
    args = ("--type", "gso-dodgy,gro-tcp4", "--seed", "7", "--cases", "40", "--json")
    first, second = verify(*args), verify(*args)
    assert first.stdout == second.stdout, "two runs of one seed differ"


def main():
    seed = os.environ.get("LEAT_SEED")
    check_usage()
    ran = verify("--cases", CASES, *(["--seed", seed] if seed else []))
    print(ran.stdout)
    print(ran.stderr, file=sys.stderr)
    if ran.returncode == SKIP:
        print(ran.stderr.strip())
        sys.exit(SKIP)
    check_repeats()
    one = json.loads(verify("--json", "--type", "gso-tcp4", "--cases", "50").stdout)
    row = one["types"][0]
    assert row["cases"] == 50 and row["outcomes"], row
    sys.exit(ran.returncode)


main()
