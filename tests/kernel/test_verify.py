#!/usr/bin/python3
"""A short run of leat verify: every type that the running kernel has. LEAT is the command.

LEAT_SEED repeats a run; without it each run asks other questions.
"""

import json
import os
import signal
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


def check_ended():
    """A signal ends the questions; what was known by then is reported, and the rest is not called
    right."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen([LEAT, "verify", "--type", "gso-tcp4,gso-tcp6", "--cases", "10000000"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            assert run.stdout.readline().startswith("type"), "no head before the first question"
            run.send_signal(number)
            out, err = run.stdout.read(), run.stderr.read()
        rows = out.splitlines()
        assert run.returncode == 1 and "ended by a signal" in err, (run.returncode, err)
        name, cases = rows[0].split()[:2]
        assert name == "gso-tcp4" and int(cases) < 10000000, out
        assert rows[1].split()[:2] == ["gso-tcp6", "0"] and rows[-1].startswith("seed "), out


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
    check_ended()
    one = json.loads(verify("--json", "--type", "gso-tcp4", "--cases", "50").stdout)
    row = one["types"][0]
    assert row["cases"] == 50 and row["outcomes"], row
    sys.exit(ran.returncode)


main()
