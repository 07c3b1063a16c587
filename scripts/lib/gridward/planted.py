"""A test of the test: faults planted in a copy of the sources; scripts/chaos has to see each of them."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from . import build
from .build import ROOT, say
from .procs import Failed

COPY = os.path.join(ROOT, "build", "chaos")
FAULTS = os.path.join(ROOT, "tests", "chaos", "faults.json")
PROGRAMS = {"gridward-server": "server/main", "gridward-vision-worker": "server/vision", "gridward-device": "device",
            "gridward-sim": "firmware-sim"}
DEVICES = 16
PATIENCE = 40  # of a run with a fault, which may never come to rest
SOUND = ["--seconds", "30", "--patience", "300"]  # everything broken, nothing planted


def copy_sources():
    """What is there already and the same stays, so that nothing is built twice. The build folder lies inside, as in the clone, so
    that the compiler's cache knows the files again."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    names = {name for name in listed.decode().split("\0") if name and os.path.isfile(os.path.join(ROOT, name))}
    for base, folders, files in os.walk(COPY):
        folders[:] = [name for name in folders if os.path.join(base, name) != os.path.join(COPY, "build")]
        for name in files:
            if os.path.relpath(os.path.join(base, name), COPY) not in names:
                os.unlink(os.path.join(base, name))
    for name in names:
        source, target = os.path.join(ROOT, name), os.path.join(COPY, name)
        if not same(source, target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)


def same(a, b):
    try:
        with open(a, "rb") as one, open(b, "rb") as other:
            return one.read() == other.read()
    except OSError:
        return False


def plant(fault):
    for edit in fault["edits"]:
        path = os.path.join(COPY, edit["file"])
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if text.count(edit["find"]) != 1:
            raise Failed(f"{edit['file']} does not have exactly once what tests/chaos/faults.json looks for: {edit['find'].strip()}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(edit["find"], edit["put"]))


def programs(name):
    """Built in the copy and put aside under that name; returns the folder, laid out like a build folder."""
    folder = os.path.join(COPY, "build", "release")
    build.configure("release", folder, root=COPY)
    build.ninja(folder, list(PROGRAMS), root=COPY)
    aside = os.path.join(COPY, "build", name.replace(" ", "-"))
    for program, where in PROGRAMS.items():
        os.makedirs(os.path.join(aside, where), exist_ok=True)
        shutil.copy2(os.path.join(folder, where, program), os.path.join(aside, where, program))
    return aside


def chaos(folder, words):
    with tempfile.TemporaryDirectory(prefix="gridward-planted-") as data:
        os.chmod(data, 0o711)
        child = subprocess.run([sys.executable, "-u", os.path.join(ROOT, "scripts", "lib", "chaos.py"), "--no-build", "--build-dir", folder,
                                "--devices", str(DEVICES), "--data", data, "--patience", str(PATIENCE), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", stdin=subprocess.DEVNULL)
    try:
        line = json.loads(child.stdout.rstrip().rsplit("\n", 1)[-1])
    except ValueError:
        line = {}
    return child.returncode, line, child.stdout


def chosen(only):
    """The faults whose name has this, and first of all the program as it is; all when nothing is said."""
    with open(FAULTS, encoding="utf-8") as file:
        faults = json.load(file)["faults"]
    return [fault for fault in [{"name": "nothing planted", "edits": []}, *faults] if not only or only in fault["name"]]


def build_all(only=None):
    """[(fault, folder of its programs)]"""
    built = []
    for fault in chosen(only):
        copy_sources()
        plant(fault)
        say(f"   {fault['name']}")
        built.append((fault, programs(fault["name"])))
    copy_sources()
    return built


def run(total, only=None):
    """`total` of scripts/test."""
    say("building one after the other:")
    for fault, folder in build_all(only):
        begin = time.monotonic()
        if not fault["edits"]:
            status, line, output = chaos(folder, SOUND)
            ok, seen = status == 0 and line.get("held") is True, "held" if status == 0 else "NOT HELD"
        else:
            status, line, output = chaos(folder, fault["chaos"])
            found = {key: line.get(key, 0) for key in fault["sees"]}
            ok = status == 1 and any(found.values())
            seen = f"{'seen' if ok else 'NOT SEEN'}, {found}"
        total.add(f"chaos: {fault['name']}", ok, output)
        say(f"   {fault['name']}: {seen} ({time.monotonic() - begin:.0f} s)")
        shutil.rmtree(folder)
