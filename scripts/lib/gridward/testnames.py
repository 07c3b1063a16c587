"""What a test is called on the rules page, for every runner:

  Suite.Name                                    GoogleTest; of a parametrised test without instance and parameter
  tests/e2e/case.test.mjs: its title            node:test
  server/web/test/time.test.ts: its full title  vitest
  tests/unit/layers/test_check_layers.py: Class.test_name    unittest, where ctest runs the file with -v
"""
import glob
import os
import re

GTEST = re.compile(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.M)
# A title in quotes; in backquotes it may have ${…}.
TITLE = re.compile(r"""\b(it|test|describe)(?:\.each\([^`'"]*\))?\(\s*('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)""")
PYTHON_TEST = re.compile(r"add_test\(\s*NAME\s+(\S+)\s+COMMAND\s+\$\{GRIDWARD_PYTHON3\}\s+\$\{CMAKE_CURRENT_SOURCE_DIR\}/(\S+\.py)")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def below(root, *patterns):
    for pattern in patterns:
        yield from sorted(glob.glob(os.path.join(root, pattern), recursive=True))


def relative(path, root):
    return os.path.relpath(os.path.realpath(path), os.path.realpath(root)).replace(os.sep, "/")


def of_ctest(name):
    """`component/Stores/Cases.Kept/sqlite` -> `Cases.Kept`; None of what is no GoogleTest."""
    found = re.match(r"^(?:[^/.]+/)*([A-Za-z_]\w*)(?:/\w+)?\.([A-Za-z_]\w*)(?:/.*)?$", name)
    return f"{found.group(1)}.{found.group(2)}" if found else None


def python_tests(root):
    """{name for ctest: file}"""
    return {name: relative(os.path.join(os.path.dirname(path), file), root)
            for path in below(root, "tests/**/CMakeLists.txt") for name, file in PYTHON_TEST.findall(read(path))}


def of_unittest(file, output):
    """Of a file that passed: every test that its verbose output names and does not call skipped."""
    names = set()
    for found in re.finditer(r"^(test\w*) \(([\w.]+)\)(.*?)(?=^test\w* \([\w.]+\)|^-{20,}$|\Z)", output, re.M | re.S):
        parts = [part for part in found.group(2).split(".") if part not in ("__main__", found.group(1))]
        if parts and not re.search(r"\bskipped\b", found.group(3)):
            names.add(f"{file}: {parts[-1]}.{found.group(1)}")
    return names


def of_case(name, ok, output, python):
    """[(name, passed)] of what ctest ran as one: a test, a file of unittest or a program with many tests."""
    if of_ctest(name):
        return [(of_ctest(name), ok)]
    if name in python:
        return [(test, True) for test in of_unittest(python[name], output)] if ok else []
    return [(of_ctest(test), state == "      OK") for state, test in re.findall(r"^\[ (      OK| FAILED ) \] (\S+)", output, re.M)]


class Names:
    """Those that passed. A parametrised test has passed when no instance of it failed and one did not skip."""

    def __init__(self):
        self.passed, self.failed = set(), set()

    def add(self, name, ok):
        if name:
            (self.passed if ok else self.failed).add(name)

    def good(self):
        return sorted(self.passed - self.failed)


def plain(literal):
    """A title's literal as a pattern; ${…} is anything."""
    text, quote = literal[1:-1], literal[0]
    parts = re.split(r"\$\{[^}]*\}", text) if quote == "`" else [text]
    return ".+".join(re.escape(re.sub(r"\\(.)", r"\1", part)) for part in parts)


class Written:
    """The tests that the sources have."""

    def __init__(self, root):
        self.root = root
        self.gtest = set()
        for path in below(root, "tests/**/*.cpp"):
            self.gtest.update(f"{suite}.{name}" for suite, name in GTEST.findall(COMMENT.sub("", read(path))))
        self.python = set(python_tests(root).values())

    def has(self, name):
        file, colon, title = name.partition(": ")
        if not colon:
            return name in self.gtest
        path = os.path.join(self.root, file)
        if not re.match(r"(tests/e2e/[\w-]+\.test\.mjs|server/web/(test|src)/[\w./-]+\.test\.ts|tests/[\w./-]+\.py)$", file) or \
                ".." in file or not os.path.isfile(path):
            return False
        text = read(path)
        if file.endswith(".py"):
            group, _, method = title.partition(".")
            body = re.search(rf"^class {re.escape(group)}\b.*?(?=^\S|\Z)", text, re.M | re.S)
            return file in self.python and bool(body and re.search(rf"^\s+def {re.escape(method)}\(", body.group(0), re.M))
        titles = TITLE.findall(text)
        tests = [plain(literal) for kind, literal in titles if kind != "describe"]
        if file.endswith(".mjs"):
            return any(re.fullmatch(test, title) for test in tests)
        groups = "|".join(plain(literal) for kind, literal in titles if kind == "describe")
        before = rf"(?:(?:{groups}) )*" if groups else ""
        return any(re.fullmatch(before + test, title) for test in tests)
