"""What the laws share: the project's files, and how a verdict is given."""

import os
import subprocess
import sys


def files(root, *suffixes):
    """The project's files, relative to root: what git would have, or everything outside git."""
    try:
        paths = subprocess.run(
            ["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"],
            capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        paths = [os.path.relpath(os.path.join(folder, name), root)
                 for folder, _, names in os.walk(root) for name in names]
    return sorted(path for path in paths
                  if not path.startswith((".git/", "build")) and "__pycache__" not in path
                  and path.endswith(suffixes or "")
                  and os.path.exists(os.path.join(root, path)))


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def verdict(complaints):
    """Print the complaints and exit: 0 when there are none."""
    print("\n".join(complaints) or "ok")
    sys.exit(1 if complaints else 0)


def skip(reason):
    print(reason)
    sys.exit(77)
