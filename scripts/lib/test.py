"""scripts/test: every runner's results as one sum."""
import argparse
import concurrent.futures
import glob
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gridward import build, planted, testnames  # noqa: E402
from gridward.build import ROOT, say  # noqa: E402
from gridward.procs import Failed  # noqa: E402

WEB = os.path.join(ROOT, "server", "web")
E2E = os.path.join(ROOT, "tests", "e2e")


class Sum:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.names = testnames.Names()  # as the rules page names them

    def add(self, name, ok, output=""):
        if ok:
            self.passed += 1
            return
        self.failed += 1
        self.failures.append(name)
        say(f"FAILED {name}")
        for line in output.rstrip().splitlines()[-80:]:
            say("  | " + line)


def stage(title):
    say(f"== {title}")
    return time.monotonic()


def done(begin, text):
    say(f"   {text} ({time.monotonic() - begin:.0f} s)")


def run_ctest(label, build_dir, total):
    begin = stage(f"{label} tests")
    with tempfile.TemporaryDirectory() as folder:
        junit = os.path.join(folder, "junit.xml")
        child = subprocess.Popen(["ctest", "--test-dir", build_dir, "-L", f"^{label}$", "-j", str(os.cpu_count() or 1),
                                  "--output-junit", junit, "--no-tests=error",
                                  "--test-output-size-passed", "1048576"], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, errors="replace", cwd=ROOT)
        shown = time.monotonic()
        lines = []
        for line in child.stdout:
            lines.append(line)
            step = re.match(r"\s*(\d+)/(\d+) Test\s+#\d+: (\S+)", line)
            if step and time.monotonic() - shown >= 15:
                shown = time.monotonic()
                say(f"   {step.group(1)} of {step.group(2)}, {shown - begin:.0f} s")
        child.wait()
        try:
            cases = list(xml.etree.ElementTree.parse(junit).getroot().iter("testcase"))
        except (OSError, xml.etree.ElementTree.ParseError):
            cases = []
    if not cases:
        total.add(f"{label}: ctest ran nothing", False, "".join(lines))
        return
    failed = skipped = 0
    python = testnames.python_tests(ROOT)
    for case in cases:
        state = case.get("status")
        out = case.findtext("system-out") or ""
        # "notrun" is a skip only where the test said so; a program that is missing is a failure.
        if state == "disabled" or (state == "notrun" and re.search(r"\bSKIPPED\b", out)):
            total.skipped += 1
            skipped += 1
            continue
        ok = state == "run"
        failed += not ok
        total.add(case.get("name"), ok, out)
        for name, well in testnames.of_case(case.get("name"), ok, out, python):
            total.names.add(name, well)
    done(begin, f"{len(cases) - failed - skipped} passed, {failed} failed, {skipped} skipped")


def run_check(name, command, total, cwd=ROOT):
    result = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                            stdin=subprocess.DEVNULL)
    total.add(name, result.returncode == 0, result.stdout)


def lint(build_dir, total):
    begin = stage("format, layers, lint")
    run_check("format", ["scripts/format", "--check"], total)
    run_check("figures of docs/reliability.md", [sys.executable, "scripts/lib/chaos.py", "--table", *sorted(glob.glob("docs/reliability/*.jsonl", root_dir=ROOT)),
                                                 "--into", "docs/reliability.md", "--check"], total)
    run_check("layers", ["scripts/check-layers", build_dir], total)
    run_check("eslint", ["npm", "run", "--silent", "lint"], total, WEB)
    run_check("type check of the pages", ["npx", "--no-install", "vue-tsc", "--noEmit"], total, WEB)
    done(begin, "done")


def web_unit(total):
    begin = stage("web unit tests")
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        result = subprocess.run(["npx", "--no-install", "vitest", "run", "--reporter=json", f"--outputFile={report}"], cwd=WEB,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                stdin=subprocess.DEVNULL)
        try:
            with open(report, encoding="utf-8") as file:
                files = json.load(file)["testResults"]
        except (OSError, ValueError, KeyError):
            files = []
    count = 0
    for file in files:
        tests = file["assertionResults"]
        if not tests:  # it did not even load
            total.add(os.path.relpath(file["name"], ROOT), False, file.get("message", ""))
        for test in tests:
            count += 1
            if test["status"] in ("passed", "failed"):
                total.add(f"web: {test['fullName']}", test["status"] == "passed", "\n".join(test.get("failureMessages") or []))
                total.names.add(f"{testnames.relative(file['name'], ROOT)}: {test['fullName']}", test["status"] == "passed")
            else:
                total.skipped += 1
    if count == 0:
        total.add("web unit tests: none ran", False, result.stdout)
    done(begin, f"{count} ran")


def node_e2e(build_dir, total):
    begin = stage("end to end in Chromium")
    files = sorted(glob.glob(os.path.join(E2E, "*.test.mjs")))
    if not files:
        total.add("e2e: no test in tests/e2e", False)
        return
    if os.path.exists(os.path.join(E2E, "package-lock.json")):
        build.npm_install(E2E)
    env = {**os.environ, "GRIDWARD_BUILD_DIR": build_dir}
    folder = tempfile.TemporaryDirectory()
    names = os.path.join(folder.name, "names")
    child = subprocess.Popen(["node", "--test", "--test-reporter=tap", "--test-reporter-destination=stdout",
                              f"--test-reporter={os.path.join(ROOT, 'scripts', 'lib', 'report.mjs')}",
                              f"--test-reporter-destination={names}", *files], cwd=ROOT, env=env, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
    # Leaves of the TAP tree only: a group counts when it failed although its tests did not.
    output, leaves, open_nodes = [], [], []
    for line in child.stdout:
        output.append(line)
        match = re.match(r"^(\s*)(not ok|ok) \d+ - (.*?)(?: # (SKIP|TODO).*)?$", line.rstrip())
        if not match:
            continue
        depth, ok, name, skip = len(match.group(1)), match.group(2) == "ok", match.group(3), match.group(4)
        below = [node for node in open_nodes if node[0] > depth]
        open_nodes = [node for node in open_nodes if node[0] <= depth] + [(depth, ok)]
        if below and (ok or not all(node[1] for node in below)):
            continue
        leaves.append((ok, name, skip, len(output)))
        say(f"   {'ok' if ok else 'not ok'} {name}")
    child.wait()
    with folder:
        for line in open(names, encoding="utf-8") if os.path.exists(names) else []:
            test = json.loads(line)
            if test["state"] != "skipped" and test.get("file"):  # none: of a file that did not load
                total.names.add(f"{testnames.relative(test['file'], ROOT)}: {test['name']}", test["state"] == "passed")
    for ok, name, skip, at in leaves:
        if skip:
            total.skipped += 1
        else:
            total.add(f"e2e: {name}", ok, "" if ok else "".join(output[at - 1:at + 60]))  # what it says of a test comes after it
    if not leaves or (child.returncode != 0 and all(leaf[0] for leaf in leaves)):
        total.add("e2e: node --test", False, "".join(output[-200:]))
    done(begin, f"{len(leaves)} ran")


def rules_page(total, ran):
    """docs/rules.md; after a run of everything, also that each test it names ran and passed."""
    begin = stage("rules page")
    with tempfile.TemporaryDirectory() as folder:
        command = ["scripts/make-rules", "--check"]
        if ran:
            command += ["--ran", os.path.join(folder, "ran.json")]
            with open(command[-1], "w", encoding="utf-8") as file:
                json.dump(total.names.good(), file)
        run_check("rules page", command, total)
    done(begin, "done")


def whole_path(build_dir, total):
    begin = stage("scripts/run --check")
    child = subprocess.Popen([os.path.join(ROOT, "scripts", "run"), "--check", "--no-build", "--build-dir", build_dir], cwd=ROOT,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
    output = []
    for line in child.stdout:
        output.append(line)
        say("   " + line.rstrip())
    child.wait()
    total.add("scripts/run --check", child.returncode == 0, "")
    done(begin, "done")


STORY_RUNS = [("binhai", "sqlite"), ("heyang", "postgresql"), ("binhai", "postgresql"), ("heyang", "sqlite")]
STORY_LINE = re.compile(r"(ok|not ok) (.*)")


def stories(build_dir, only, total):
    """tests/stories: each profile on each database, two servers at a time. A story is a line `ok …` or `not ok …`."""
    begin = stage("stories, through the API against the real server")
    script = os.path.join(ROOT, "tests", "stories", "run.py")

    def tell(run):
        profile, database = run
        command = [sys.executable, "-u", script, "--profile", profile, "--database", database, "--build-dir", build_dir]
        child = subprocess.Popen(command + (["--only", only] if only else []), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, errors="replace", stdin=subprocess.DEVNULL)
        lines = []
        for line in child.stdout:
            lines.append(line.rstrip())
            if STORY_LINE.match(line):
                say("   " + line.rstrip())
        return run, child.wait(), lines

    count = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (profile, database), status, lines in pool.map(tell, STORY_RUNS):
            failed = False
            for at, line in enumerate(lines):
                found = STORY_LINE.match(line)
                if not found:
                    continue
                count += 1
                ok = found[1] == "ok"
                failed = failed or not ok
                below = list(itertools.takewhile(lambda text: not STORY_LINE.match(text), lines[at + 1:]))
                total.add(f"story: {found[2]}", ok, "\n".join(below))
            if only and status == 0 and not lines:
                continue  # none of this profile has the words
            if not any(STORY_LINE.match(line) for line in lines) or (status != 0 and not failed):
                total.add(f"stories of {profile} on {database}", False, "\n".join(lines))
    done(begin, f"{count} told")


def power_loss(build_dir, seed, total):
    """The long form of what the component tests do at a sample of the points; with their own progress."""
    begin = stage("power loss, at every point")
    program = os.path.join(build_dir, "tests", "powerloss", "component_powerloss")
    env = {**os.environ, "GRIDWARD_POWERLOSS": "long"}
    if seed is not None:
        env["GRIDWARD_POWERLOSS_SEED"] = str(seed)
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        child = subprocess.Popen([program, f"--gtest_output=xml:{report}"], cwd=ROOT, env=env, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
        output = []
        for line in child.stdout:
            output.append(line)
            if re.match(r"   |\[ +OK|\[  FAILED", line):
                say("   " + line.strip())
        child.wait()
        try:
            cases = list(xml.etree.ElementTree.parse(report).getroot().iter("testcase"))
        except (OSError, xml.etree.ElementTree.ParseError):
            cases = []
    for case in cases:
        failures = [failure.text or "" for failure in case.iter("failure")]
        total.add(f"powerloss: {case.get('classname')}.{case.get('name')}", not failures, "\n".join(failures))
    if not cases:
        total.add("powerloss: nothing ran to its end", False, "".join(output))
    done(begin, f"{len(cases)} ran")


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", description="runs the tests; the last line is the sum")
    parser.add_argument("what", nargs="?", default="all", choices=["unit", "component", "stories", "e2e", "chaos", "powerloss", "all"])
    parser.add_argument("--only", metavar="WORDS", help="of chaos: the faults whose name has this; of stories: those whose title has this")
    parser.add_argument("--seed", type=int, help="of powerloss")
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build", "ci"))
    parser.add_argument("--no-build", action="store_true", help="use what is built in --build-dir")
    args = parser.parse_args()
    build_dir = os.path.abspath(args.build_dir)
    total = Sum()
    try:
        if args.what == "chaos":  # not part of all: it takes ten minutes and more
            begin = stage("planted faults")
            planted.run(total, args.only)
            done(begin, "done")
        elif not args.no_build:
            begin = stage("build (preset ci)")
            build.programs("ci", build_dir)
            done(begin, "done")
        everything = args.what == "all"
        if everything or args.what in ("unit", "e2e"):
            build.npm_install(WEB)
        if everything or args.what == "unit":
            lint(build_dir, total)
            run_ctest("unit", build_dir, total)
            web_unit(total)
        if everything or args.what == "component":
            run_ctest("component", build_dir, total)
        if args.what == "stories":  # not yet of all: they wait for clocks, and are too new to hold up a landing
            stories(build_dir, args.only, total)
        if args.what == "powerloss":  # not part of all: it takes some minutes
            power_loss(build_dir, args.seed, total)
        if everything or args.what == "e2e":
            build.web()
            node_e2e(build_dir, total)
            whole_path(build_dir, total)
        if everything or args.what in ("unit", "component", "e2e"):
            rules_page(total, everything)
    except Failed as problem:
        total.add("scripts/test", False, str(problem))
    if total.skipped:
        say(f"{total.skipped} skipped")
    for name in total.failures:
        say(f"failed: {name}")
    say(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
