#!/usr/bin/env python3
"""Every planted fault of tests/chaos/faults.json still finds its place in the sources, so that the long test can plant it."""
import json
import os
import sys
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))
from gridward.planted import FAULTS  # noqa: E402


class Planted(unittest.TestCase):
    def test_each_edit_finds_its_place_once(self):
        with open(FAULTS, encoding="utf-8") as file:
            text = json.load(file)
        faults = text["faults"] if isinstance(text, dict) else text
        self.assertGreater(len(faults), 5)
        for fault in faults:
            for edit in fault["edits"]:
                with self.subTest(fault=fault["name"], file=edit["file"]):
                    with open(os.path.join(ROOT, edit["file"]), encoding="utf-8") as source:
                        self.assertEqual(source.read().count(edit["find"]), 1)


if __name__ == "__main__":
    unittest.main()
