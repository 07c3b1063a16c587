#!/usr/bin/env python3
"""Feeds made-up rules, tests and profiles to scripts/make-rules, and runners' output to what names the tests."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "scripts")
sys.path.insert(0, os.path.join(SCRIPTS, "lib"))
from gridward import testnames  # noqa: E402

WANTED = [f"A{n}" for n in range(1, 66)] + [f"B{n}" for n in range(1, 32)] + \
    [f"D{n}" for n in (17, 19, 20, 21, 22, 23)] + [f"F{n}" for n in range(1, 15)]
FILES = {
    "server/profiles/binhai.json": json.dumps({"limits": {"urgent": {"amount": 2}},
                                               "processes": [{"id": "case", "moves": [{"action": "report"}, {"action": "close", "to": "x"}]}]}),
    "server/domain/src/decide.cpp": 'Result<Case> decide(); // commented_out\nconst char* text = "in_a_string";\nenum class Guard { in_time };\n',
    "server/domain/src/score.cpp": "int score();\n",
    "tests/unit/domain/case_test.cpp": "TEST(Case, Closes) {}\nTEST_P(Stores, KeepCases) {}\n// TEST(Case, Gone) {}\n",
    "tests/e2e/case.test.mjs": "test(\"the member's case is closed\", () => {})\ntest(`every page, ${kind}`, () => {})\n",
    "server/web/test/time.test.ts": "describe('time', () => { it('is told', () => {}) })\n",
    "tests/unit/audit/test_audit.py": "class Audit:\n    def test_counts(self):\n        pass\n\n\nclass Other:\n    def test_more(self):\n        pass\n",
    "tests/unit/audit/CMakeLists.txt": "add_test(NAME unit/audit COMMAND ${GRIDWARD_PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/test_audit.py -v)\n",
    "docs/rules/sources.json": json.dumps({"S2": {"short": "津滨政办发〔2020〕10号", "zh": "规则", "en": "rules"}}),
}


class MakeRules(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = self.folder.name
        for name, text in FILES.items():
            self.write(name, text)
        self.rows = {rule: {"id": rule, "source": "S2", "article": "第一条", "rule": "a rule", "rule_zh": "规则",
                            "no_software": "a date", "no_software_zh": "日期"} for rule in WANTED}

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def change(self, which, **entries):
        for key in ("no_software", "no_software_zh"):
            self.rows[which].pop(key, None)
        self.rows[which].update(entries)

    def run_script(self, *arguments, more=()):
        for letter in "ABDF":
            rows = [row for row in [*self.rows.values(), *more] if row["id"][0] == letter]
            self.write(f"docs/rules/{letter.lower()}.json", json.dumps(rows))
        result = subprocess.run([sys.executable, os.path.join(SCRIPTS, "make-rules"), "--root", self.root, *arguments],
                                capture_output=True, text=True, encoding="utf-8")
        return result.returncode, result.stdout + result.stderr

    def refused(self, line, *arguments, more=()):
        code, output = self.run_script(*arguments, more=more)
        self.assertEqual(code, 1, output)
        self.assertIn(line, output.splitlines())

    def taken(self, *arguments):
        code, output = self.run_script(*arguments)
        self.assertEqual(code, 0, output)

    def ran(self, *names):
        self.write("ran.json", json.dumps(names))
        return "--ran", os.path.join(self.root, "ran.json")

    def test_a_row_is_on_the_page_with_all_it_says(self):
        self.change("B9", rule="goes | back", rule_zh="退回", article="第二十五条（四）", where=["decide"], tests=["Case.Closes"])
        self.taken()
        with open(os.path.join(self.root, "docs", "rules.md"), encoding="utf-8") as file:
            self.assertIn("| B9 | 津滨政办发〔2020〕10号 第二十五条（四） | 退回<br>goes \\| back | `decide` | `Case.Closes` |\n", file.read())

    def test_a_page_that_is_not_what_the_data_give(self):
        self.taken()
        self.taken("--check")
        self.rows["A7"]["rule"] = "another"
        self.refused("docs/rules.md is not what docs/rules/*.json give: scripts/make-rules", "--check")
        os.remove(os.path.join(self.root, "docs", "rules.md"))
        self.refused("docs/rules.md is not what docs/rules/*.json give: scripts/make-rules", "--check")

    def test_each_missing_rule_is_named(self):
        del self.rows["B31"]
        self.refused("B31: is missing")
        self.rows = {}
        code, output = self.run_script()
        self.assertEqual(code, 1)
        self.assertEqual(output.splitlines(), [*(f"{rule}: is missing" for rule in WANTED), f"scripts/make-rules: {len(WANTED)} problems"])

    def test_a_doubled_rule(self):
        self.refused("A12: is there 2 times", more=[self.rows["A12"]])

    def test_a_rule_that_is_none(self):
        self.refused("A66: is none of the rules of this page", more=[{**self.rows["A1"], "id": "A66"}])

    def test_neither_test_nor_reason(self):
        self.change("F2")
        self.refused("F2: has neither a test nor a reason why not")
        self.change("F2", where=["decide"], tests=[])
        self.refused("F2: has neither a test nor a reason why not")

    def test_a_reason_in_one_language(self):
        self.change("F2", not_yet="later")
        self.refused("F2: not_yet is wanted in both languages")

    def test_nothing_to_build_and_yet_a_test(self):
        self.rows["F2"].update(where=["decide"], tests=["Case.Closes"])
        self.refused("F2: says that there is nothing to build, and something beside it")

    def test_a_word_left_out_or_unknown(self):
        self.rows["A3"]["rule_zh"] = ""
        self.rows["A4"]["rule_cn"] = "规则"
        self.rows["A5"]["source"] = "S9"
        for line in ("A3: has no rule_zh", 'A4: has an unknown entry "rule_cn"', "A5: unknown source S9"):
            self.refused(line)

    def test_a_place_must_exist(self):
        good = ["decide", "Guard::in_time", "binhai: limits.urgent", "binhai: processes[id=case].moves[action=close].to"]
        self.change("B9", where=good, tests=["Case.Closes"])
        self.taken()
        for place in ("decide_it", "decide::score", "commented_out", "in_a_string", "binhai: limits.urgen", "heyang: limits.urgent",
                      "binhai: processes[id=order].moves", "binhai: processes[id=case].moves[action=report].to", "binhai: ", "../x: limits"):
            self.change("B9", where=[*good, place], tests=["Case.Closes"])
            self.refused(f"B9: no such place: {place}")

    def test_works_nowhere(self):
        self.change("B9", tests=["Case.Closes"])
        self.refused("B9: has tests, and no place where it lives")

    def test_a_test_must_exist(self):
        good = ["Case.Closes", "Stores.KeepCases", "tests/e2e/case.test.mjs: the member's case is closed", "tests/e2e/case.test.mjs: every page, phone",
                "server/web/test/time.test.ts: time is told", "tests/unit/audit/test_audit.py: Audit.test_counts"]
        self.change("A14", where=["decide"], tests=good)
        self.taken()
        for test in ("Case.Close", "Case.Gone", "Closes", "tests/e2e/case.test.mjs: the member's case", "tests/e2e/none.test.mjs: every page, x",
                     "server/web/test/time.test.ts: is told nothing", "tests/unit/audit/test_audit.py: Audit.test_more",
                     "tests/unit/audit/test_audit.py: test_counts", "server/profiles/binhai.json: limits"):
            self.change("A14", where=["decide"], tests=[*good, test])
            self.refused(f"A14: no such test: {test}")

    def test_a_python_test_that_nobody_runs(self):
        self.write("tests/unit/audit/CMakeLists.txt", "")
        self.change("A14", where=["decide"], tests=["tests/unit/audit/test_audit.py: Audit.test_counts"])
        self.refused("A14: no such test: tests/unit/audit/test_audit.py: Audit.test_counts")

    def test_a_test_must_have_run_and_passed(self):
        self.change("A14", where=["decide"], tests=["Case.Closes", "Stores.KeepCases"])
        self.taken()
        self.taken("--check", *self.ran("Stores.KeepCases", "Case.Closes", "Case.Other"))
        self.refused("A14: the test did not run, or did not pass: Stores.KeepCases", "--check", *self.ran("Case.Closes"))
        self.refused("A14: the test did not run, or did not pass: Case.Closes", "--check", *self.ran())

    def test_every_problem_at_once(self):
        self.change("A1")
        self.change("B1", where=["nothing"], tests=["No.Test"])
        code, output = self.run_script()
        self.assertEqual(code, 1)
        self.assertEqual(output.splitlines(), ["A1: has neither a test nor a reason why not", "B1: no such place: nothing", "B1: no such test: No.Test",
                                               "scripts/make-rules: 3 problems"])


class RunnersNames(unittest.TestCase):
    def test_of_ctest(self):
        for name, wanted in (("unit/Case.Closes", "Case.Closes"), ("component/Stores/Cases.Kept/sqlite", "Cases.Kept"),
                             ("unit/Typed/2.Works", "Typed.Works"), ("unit/Limits/Clocks.Due/7", "Clocks.Due"), ("unit/layers", None),
                             ("component/storage_sqlite", None)):
            self.assertEqual(testnames.of_ctest(name), wanted)

    def test_a_program_that_ctest_runs_as_one(self):
        output = "[ RUN      ] Stores/Cases.Kept/sqlite\n[       OK ] Stores/Cases.Kept/sqlite (3 ms)\n" \
                 "[  FAILED  ] Stores/Cases.Found/sqlite (1 ms)\n[  SKIPPED ] Stores/Cases.Old/sqlite (0 ms)\n"
        self.assertEqual(testnames.of_case("component/storage_sqlite", False, output, {}), [("Cases.Kept", True), ("Cases.Found", False)])

    def test_a_file_of_unittest(self):
        output = "test_counts (__main__.Audit.test_counts) ... ok\ntest_late (__main__.Audit.test_late) ... skipped 'no database'\n" \
                 "test_talks (__main__.Audit.test_talks)\nWhat it says. ... ok\n\n----------------------------------------------------------------------\nRan 3"
        file = "tests/unit/audit/test_audit.py"
        self.assertEqual(testnames.of_unittest(file, output), {f"{file}: Audit.test_counts", f"{file}: Audit.test_talks"})
        self.assertEqual(testnames.of_case("unit/audit", False, output, {"unit/audit": file}), [])

    def test_one_failed_instance_spoils_the_name(self):
        names = testnames.Names()
        for name, ok in (("Cases.Kept", True), ("Cases.Kept", False), ("Cases.Found", True), (None, True)):
            names.add(name, ok)
        self.assertEqual(names.good(), ["Cases.Found"])


if __name__ == "__main__":
    unittest.main()
