#!/usr/bin/python3
"""Prints what must be built to run the tests with some labels: their programs, and fairlead where it exists.

    tools/test_targets.py BUILD_DIR LABEL_REGEX

A sanitized build of everything takes minutes that the benchmarks and the other tests in it would not repay.
"""

import json
import subprocess
import sys
from pathlib import Path


def programs_of(build, labels):
    """Paths below the build folder that the tests' command lines name."""
    out = subprocess.run(["ctest", "--test-dir", str(build), "-L", f"^({labels})$", "--show-only=json-v1"], check=True,
                         capture_output=True, text=True).stdout
    paths = set()
    for test in json.loads(out)["tests"]:
        for word in test.get("command", []):
            path = Path(word)
            if path.is_absolute() and path.is_relative_to(build):
                paths.add(str(path.relative_to(build)))
    return paths


def ninja_outputs(build):
    out = subprocess.run(["ninja", "-C", str(build), "-t", "targets", "all"], check=True, capture_output=True,
                         text=True).stdout
    return {line.split(":")[0] for line in out.splitlines()}


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    build = Path(sys.argv[1]).resolve()
    outputs = ninja_outputs(build)
    targets = (programs_of(build, sys.argv[2]) | {"fairlead"}) & outputs
    if not targets:
        raise SystemExit(f"test_targets: no test of {build} has a label like {sys.argv[2]}")
    print(" ".join(sorted(targets)))


if __name__ == "__main__":
    main()
