#!/usr/bin/python3
"""The guide's page about clusters is right: every command on it works, in the order of the page."""
import os
import shlex
import subprocess
import sys
import tempfile
import unittest

from stand.open import fairlead_binary

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(_ROOT, "docs/guide/clusters.md")
PLACE = "/srv/shop"


def commands():
    """The lines in the page's blocks that call the program."""
    inside = False
    with open(PAGE, encoding="utf-8") as page:
        for line in page:
            if line.startswith("```"):
                inside = not inside
            elif inside and line.startswith("fairlead "):
                yield line.strip()


class Guide(unittest.TestCase):
    def test_every_command_works_in_its_order(self):
        with tempfile.TemporaryDirectory(prefix="fl-") as folder:
            os.chmod(folder, 0o711)
            done = []
            try:
                for command in commands():
                    words = shlex.split(command.replace(PLACE, f"{folder}/shop"))
                    ended = subprocess.run([fairlead_binary(), *words[1:]], capture_output=True, text=True, timeout=300,
                                           check=False)
                    expected = 4 if words[2] == "status" and done and done[-1] == "promote" else 0  # The old primary is down.
                    self.assertEqual(ended.returncode, expected, f"{command}\n{ended.stdout}{ended.stderr}")
                    done.append(words[2])
            finally:
                if os.path.exists(f"{folder}/shop"):
                    subprocess.run([fairlead_binary(), "cluster", "destroy", "--dir", f"{folder}/shop"], capture_output=True,
                                   check=False)
        for name in ("create", "status", "sync", "verify", "add-replica", "remove-replica", "promote", "rejoin", "switchover",
                     "stop", "start", "destroy"):
            self.assertIn(name, done)


if __name__ == "__main__":
    if fairlead_binary() is None:
        sys.exit("no fairlead binary; set FAIRLEAD_BINARY")
    unittest.main(verbosity=2)
