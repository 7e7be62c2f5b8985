#!/usr/bin/python3
"""The checks are checked: each is shown a small good tree and bad ones, and must tell them apart."""

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile

import built
import example
import headers
import house
import includes
import names
import prefetch
import purity
import shape

A, B = "include/leat/a.h", "include/leat/b.h"
GOOD = {
    A: '#include <stdint.h>\n#ifdef __cplusplus\nextern "C" {\n#endif\n'
       "int leat_a(void);\n#ifdef __cplusplus\n}\n#endif\n",
    B: "#include <leat/a.h>\n",
    "lib/a.c": "#include <string.h>\n#include <leat/b.h>\n#include \"hdr.h\"\n"
               "static const char *const table[] = {\"const\"};\n"
               "const char *leat_ops_selected = \"the one variable\";\n"
               "int leat_a(void) { const char *volatile p = table[0]; return p == 0; }\n"
               "void f_ahead(const int *p) { __builtin_prefetch(p); }\n",
    "lib/hdr.h": "",
    "lib/tx/tx.h": "",
    "plane/worker.c": "#include <stdio.h>\n",
    "plane/ring.h": "",
    "plane/port/pcap.c": "#include <pcap/pcap.h>\n",
    "cli/main.c": '#include "plane/ring.h"\n',
    "examples/embed.c": "#include <leat/b.h>\n\nint main(void)\n{\n\treturn leat_a();\n}\n",
}
GOOD["README.md"] = f"`make demo`, `make test`\n\n```c\n{GOOD['examples/embed.c']}```\n"
LONG = "void f(void)\n{\n" + "\t;\n" * 99 + "}\n"
HALF = "void f(void)\n{\n" + "\t;\n" * 60 + "}\n"


def archive(root):
    """The tree's lib/a.c as a library."""
    made = os.path.join(root, "libleat.a")
    subprocess.run(["gcc", "-O2", "-fPIC", "-I", "include", "-c", "lib/a.c", "-o", "a.o"],
                   cwd=root, check=True)
    subprocess.run(["ar", "rc", made, "a.o"], cwd=root, check=True)
    return made


def build(root):
    """A build directory that says it builds the good tree."""
    made = os.path.join(root, "build", "meson-info")
    os.makedirs(made)
    sources = [os.path.join(root, path) for path in GOOD if path.endswith(".c")]
    for name, said in (("targets", [{"target_sources": [{"sources": sources}]}]), ("tests", [])):
        with open(os.path.join(made, f"intro-{name}.json"), "w", encoding="utf-8") as file:
            json.dump(said, file)
    return os.path.join(root, "build")


def compiled(root):
    """A build directory in which lib/a.c is compiled."""
    archive(root)
    with open(os.path.join(root, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump([{"directory": root, "file": "lib/a.c", "output": "a.o"}], file)
    return root


CHECKS = {
    "built": lambda root: built.check(root, build(root)),
    "includes": lambda root: includes.check(root, [A, B]),
    "purity": lambda root: purity.check(archive(root)),
    "headers": lambda root: headers.check(root, [os.path.join(root, A), os.path.join(root, B)]),
    "shape": shape.check,
    "names": names.check,
    "example": lambda root: example.check(root, archive(root)),
}

# check, file, and what is put in front of it; None takes the file away
BAD = [
    ("built", "lib/forgotten.c", "\n"),
    ("built", "tests/net/forgotten", "#!/bin/sh\n"),
    ("includes", A, "#include <leat/b.h>\n"),
    ("includes", A, "#include <stdio.h>\n"),
    ("includes", B, '#include "../../lib/hdr.h"\n'),
    ("includes", "include/leat/c.h", "\n"),
    ("includes", "lib/a.c", "#include <stdlib.h>\n"),
    ("includes", "lib/a.c", "#include <immintrin.h>\n"),
    ("includes", "lib/a.c", '#include "../plane/ring.h"\n'),
    ("includes", "lib/rx/gro.c", '#include "../tx/tx.h"\n'),
    ("includes", "plane/worker.c", '#include "../lib/hdr.h"\n'),
    ("includes", "plane/worker.c", '#include "hdr.h"\n'),
    ("includes", "plane/worker.c", "#include <pcap/pcap.h>\n"),
    ("includes", "plane/port/tap.c", "#include <pcap/pcap.h>\n"),
    ("includes", "plane/worker.c", '#include "../cli/main.c"\n'),
    ("includes", "cli/main.c", "# include <tx/tx.h>\n"),
    ("includes", "cli/main.c", "#include <linux/if_tun.h>\n"),
    ("purity", "lib/a.c", "void *malloc(unsigned long); void *f(void) { return malloc(1); }\n"),
    ("purity", "lib/a.c", "int f(void) { static int calls; return ++calls; }\n"),
    ("purity", "lib/a.c", "int initialised = 1;\n"),
    ("purity", "lib/a.c", "_Thread_local int mine;\n"),
    ("headers", A, "static inline int leat_first(size_t n) { return n > 0; }\n"),
    ("headers", A, "static inline char *leat_first(void *p) { return p; }\n"),
    ("headers", A, "struct twice { int x; };\n"),
    ("headers", B, "int leat_b(void);\n"),
    ("shape", "lib/long.c", "\n" * 501),
    ("shape", "plane/worker.c", "\n" * 121),
    ("shape", "lib/long.c", LONG),
    ("shape", "lib/half.c", HALF),
    ("shape", "lib/hdr.h", "typedef struct x {\n\tint y;\n} x;\n"),
    ("names", "lib/hdr.h", "/* see /" + "work/notes */\n"),
    ("names", "README.md", "/" + "root\n"),
    ("names", "README.md", None),
    ("example", "README.md", "```c\nint main;\n```\n"),
    ("example", "examples/embed.c", "\n"),
    ("example", "lib/a.c", "int leat_a(void) { return 1; }\n#define leat_a other\n"),
]

if platform.machine() in prefetch.INSTRUCTION:
    CHECKS["prefetch"] = lambda root: prefetch.check(root, compiled(root),
                                                     prefetch.INSTRUCTION[platform.machine()])
    BAD += [("prefetch", "lib/a.c", "#define __builtin_prefetch(p) (void)(p)\n"),
            ("prefetch", "lib/a.c",
             "#define f_ahead prefetched\n#define __builtin_prefetch(p) (void)(p)\n")]


def judge(name, change=None):
    """The complaints of a check about the good tree, or about the tree with one change."""
    with tempfile.TemporaryDirectory() as root:
        tree = dict(GOOD)
        if change:
            path, text = change
            if text is None:
                del tree[path]
            else:
                tree[path] = text + tree.get(path, "")
        for path, text in tree.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(full, 0o755 if text.startswith("#!") else 0o644)
        with contextlib.redirect_stdout(None):
            return CHECKS[name](root)


def main():
    complaints = [f"{name}: a good tree is refused: {said}"
                  for name in CHECKS if (said := judge(name))]
    complaints += [f"{name}: not noticed in {path}: {(text or 'no file').strip()[:60]}"
                   for name, path, text in BAD if not judge(name, (path, text))]
    print(f"{len(BAD)} bad trees shown")
    return complaints


if __name__ == "__main__":
    house.verdict(main())
