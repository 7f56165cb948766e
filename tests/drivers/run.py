#!/usr/bin/python3
"""Runs the tests of drivers and frameworks with one stand for all: run.py psycopg2 psycopg3 asyncpg node [-k PATTERN].

What it starts, and how the environment changes that, is told in ../acceptance/stand/open.py.
"""
import argparse
import glob
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "acceptance")]

from stand import npm  # noqa: E402
from stand.open import open_stand, tell_log  # noqa: E402

DRIVERS = ("psycopg2", "psycopg3", "asyncpg", "node", "sqlalchemy", "django")
NODE = os.path.join(HERE, "node")


def run_python(driver, pattern):
    loader = unittest.TestLoader()
    if pattern:
        loader.testNamePatterns = [f"*{pattern}*"]
    names = sorted(os.path.basename(path)[:-3] for path in glob.glob(f"{HERE}/{driver}_*_test.py"))
    return unittest.TextTestRunner(verbosity=2).run(loader.loadTestsFromNames(names)).wasSuccessful()


def run_node(pattern):
    npm.install(NODE)
    chosen = [f"--test-name-pattern={pattern}"] if pattern else []
    tests = sorted(glob.glob(f"{NODE}/*.test.js"))
    return subprocess.run(["node", "--test", *chosen, *tests], cwd=NODE, check=False).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("drivers", nargs="*", metavar="DRIVER", help=", ".join(DRIVERS))
    parser.add_argument("-k", dest="pattern", help="only tests whose name contains this")
    arguments = parser.parse_args()
    if unknown := set(arguments.drivers) - set(DRIVERS):
        parser.error(f"unknown driver {', '.join(unknown)}")
    # Drivers that wait for several clients at once need a few servers each; ten are few enough to be shared.
    with open_stand(database={"pool_size": 10}) as stand:
        os.environ.update(stand.address.environment())
        good = True
        for driver in arguments.drivers or DRIVERS:
            print(f"== {driver}", flush=True)
            good &= run_node(arguments.pattern) if driver == "node" else run_python(driver, arguments.pattern)
        if not good:
            tell_log(stand)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
