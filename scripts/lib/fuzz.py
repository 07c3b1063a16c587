"""scripts/fuzz: every libFuzzer program of tests/fuzz for some time, from its corpus."""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gridward import build  # noqa: E402
from gridward.build import ROOT, say  # noqa: E402
from gridward.pages import put  # noqa: E402

PROGRAMS = os.path.join(ROOT, "build", "fuzz", "tests", "fuzz")
CORPUS = os.path.join(ROOT, "tests", "fuzz", "corpus")
FINDINGS = os.path.join(ROOT, "build", "fuzz", "findings")
LARGEST = 4096  # bytes of an input; the decoders' own limits are tried by the unit tests


def options():
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description="Feeds every decoder of outside bytes with libFuzzer.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="as the files of tests/fuzz (default: all)")
    parser.add_argument("--minutes", type=float, default=10, metavar="M", help="each (default 10)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="J", help="at once (default: one a core)")
    parser.add_argument("--keep", action="store_true", help="put the fewest inputs that reach as much into tests/fuzz/corpus")
    parser.add_argument("--page", metavar="PAGE", help="put the table between the marks of this page")
    args = parser.parse_args()
    if args.minutes <= 0 or args.jobs < 1:
        parser.error("--minutes, --jobs: above 0")
    return args


def run(target, minutes, keep):
    program = os.path.join(PROGRAMS, f"fuzz_{target}")
    corpus = os.path.join(CORPUS, target)
    with tempfile.TemporaryDirectory(prefix=f"gridward-fuzz-{target}-") as grown:
        begin = time.monotonic()
        result = subprocess.run([program, f"-max_total_time={max(1, round(60 * minutes))}", f"-max_len={LARGEST}", "-print_final_stats=1",
                                 "-timeout=10", f"-artifact_prefix={FINDINGS}/{target}-", grown, corpus],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        seconds = time.monotonic() - begin
        lines = result.stdout.splitlines()
        executions = [int(line.split(":")[-1]) for line in lines if line.startswith("stat::number_of_executed_units")]
        reached = [match for line in lines if (match := re.search(r"cov: (\d+) ft: (\d+) corp: (\d+)", line))]
        good = result.returncode == 0 and bool(executions)
        if not good:
            say("\n".join(lines[-40:]))
        if good and keep:
            merge(program, corpus, grown)
    return {"fuzz": target, "minutes": round(seconds / 60, 1), "executions": executions[0] if executions else 0,
            "edges": int(reached[-1].group(1)) if reached else 0, "inputs": len(os.listdir(corpus)), "finding": not good}


def merge(program, corpus, grown):
    """The smallest inputs that together reach what all reach."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(corpus)) as small:
        # Edges alone, not how often each: else thousands of inputs are kept.
        subprocess.run([program, "-merge=1", "-use_counters=0", "-use_value_profile=0", small, corpus, grown], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(corpus)
        os.makedirs(corpus)
        for name in os.listdir(small):
            os.rename(os.path.join(small, name), os.path.join(corpus, name))


def table(lines, page, known):
    """These lines, and those of the page for the decoders that were not run this time."""
    rows = {}
    with open(page, encoding="utf-8") as file:
        for row in file.read().partition("<!-- fuzz -->")[2].partition("<!-- end -->")[0].splitlines():
            name = row.strip("| ").split(" ")[0]
            if name in known:
                rows[name] = row
    for line in lines:
        rows[line["fuzz"]] = (f"| {line['fuzz']} | {line['minutes']} | {line['executions']} | {line['edges']} | {line['inputs']} | "
                              f"{'yes' if line['finding'] else 'none'} |")
    return "\n".join(["| decoder | minutes | inputs tried | edges reached | inputs kept | finding |", "|---|---|---|---|---|---|",
                      *(rows[name] for name in sorted(rows))])


def main():
    args = options()
    known = sorted(name[:-4] for name in os.listdir(os.path.join(ROOT, "tests", "fuzz")) if name.endswith(".cpp"))
    targets = args.targets or known
    for target in targets:
        if target not in known:
            say(f"scripts/fuzz: no target {target}; there are {' '.join(known)}")
            return 2
    build.configure("fuzz", os.path.join(ROOT, "build", "fuzz"))
    build.ninja(os.path.join(ROOT, "build", "fuzz"), [f"fuzz_{target}" for target in targets], "fuzz targets")
    os.makedirs(FINDINGS, exist_ok=True)
    for target in targets:
        os.makedirs(os.path.join(CORPUS, target), exist_ok=True)
    lines = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, target, args.minutes, args.keep) for target in targets]):
            lines.append(future.result())
            say(json.dumps(lines[-1]))
    if args.page:
        put(table(lines, args.page, known), args.page, "fuzz")
    return 1 if any(line["finding"] for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
