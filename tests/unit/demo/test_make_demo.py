#!/usr/bin/env python3
"""The committed demo files are what scripts/make-demo makes."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")


class MakeDemo(unittest.TestCase):
    def test_committed_files_are_what_the_script_makes(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "make-demo"), "--out", folder], check=True,
                           stdout=subprocess.DEVNULL)
            names = sorted(os.listdir(folder))
            self.assertEqual(names, ["orgs.csv", "outlines.geojson", "people.csv", "units.json"])
            for name in names:
                with open(os.path.join(folder, name), "rb") as made, \
                     open(os.path.join(ROOT, "server", "demo", name), "rb") as committed:
                    self.assertEqual(made.read(), committed.read(), name)


if __name__ == "__main__":
    unittest.main()
