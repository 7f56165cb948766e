#!/usr/bin/python3
"""Prints what must be built to run the tests with some labels: their programs, and fairlead where it exists.

    tools/test_targets.py BUILD_DIR LABEL_REGEX

A sanitized build of everything takes minutes that the benchmarks and the other tests in it would not repay.
"""

import re
import subprocess
import sys
from pathlib import Path


ADD_TEST = re.compile(r'^add_test\(\[=*\[(.+?)\]=*\] (.*)\)$', re.MULTILINE)
PROPERTIES = re.compile(r'^set_tests_properties\(\[=*\[(.+?)\]=*\] PROPERTIES (.*)\)$', re.MULTILINE)
LABELS = re.compile(r'\bLABELS "([^"]*)"')


def programs_of(build, labels):
    """Paths below the build folder that the tests' command lines name. Read from CMake's own files: ctest tells the
    command of a test only once its program is built."""
    wanted = re.compile(labels)
    paths = set()
    for file in build.rglob("CTestTestfile.cmake"):
        text = file.read_text()
        labels_of = {name: LABELS.search(rest) for name, rest in PROPERTIES.findall(text)}
        for name, command in ADD_TEST.findall(text):
            found = labels_of.get(name)
            if not found or not any(wanted.fullmatch(label) for label in found.group(1).split(";")):
                continue
            for word in re.findall(r'"([^"]*)"', command):
                if Path(word).is_absolute() and Path(word).is_relative_to(build):
                    paths.add(str(Path(word).relative_to(build)))
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
