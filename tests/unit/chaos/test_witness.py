#!/usr/bin/env python3
"""What the audit reads in the simulator's witness file."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "scripts", "lib"))
from gridward.audit import Witness  # noqa: E402

EPOCH, STORE, RESTORED = ("01a220ef-ca67-7dc7-93ac-d85dc9ec6ad%d" % n for n in range(3))


class Down(unittest.TestCase):
    def counts(self, *lines, end="\n"):
        with tempfile.NamedTemporaryFile("w", suffix=".log", encoding="utf-8") as file:
            file.write("\n".join(f"down hh-1 {EPOCH} {line}" for line in lines) + end)
            file.flush()
            return sorted(Witness([file.name]).down.values())

    def test_the_same_item_twice_is_doubled(self):
        self.assertEqual(self.counts(f"1 task {STORE}", f"1 task {STORE}"), [2])

    def test_a_restored_store_numbers_anew(self):
        self.assertEqual(self.counts(f"1 task {STORE}", f"1 task {RESTORED}"), [1, 1])

    def test_before_a_store_was_heard(self):
        self.assertEqual(self.counts("1 settings -", "1 settings -"), [2])

    def test_a_line_that_a_kill_cut_says_nothing(self):
        self.assertEqual(self.counts(f"1 task {STORE}", "2 ta", end=""), [1])


if __name__ == "__main__":
    unittest.main()
