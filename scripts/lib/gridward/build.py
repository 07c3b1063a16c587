"""Builds programs and pages, and only what changed."""
import hashlib
import os
import re
import subprocess
import sys
import time

from .procs import Failed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def say(text):
    print(text, flush=True)


def environment(root=ROOT):
    """ccache finds its results again from any folder the clone lies in."""
    env = dict(os.environ)
    env.setdefault("CCACHE_BASEDIR", root)
    env.setdefault("CCACHE_NOHASHDIR", "1")
    env.setdefault("CCACHE_SLOPPINESS", "time_macros,include_file_mtime")
    return env


def ninja(build_dir, targets=(), what="programs", root=ROOT):
    """With progress: the terminal's own line where there is one, else a line now and then."""
    command = ["ninja", "-C", build_dir, *targets]
    if os.environ.get("GRIDWARD_JOBS"):
        command[1:1] = ["-j", os.environ["GRIDWARD_JOBS"]]
    begin = time.monotonic()
    if sys.stdout.isatty():
        if subprocess.run(command, env=environment(root)).returncode != 0:
            raise Failed(f"building the {what} failed")
        return
    child = subprocess.Popen(command, env=environment(root), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace")
    shown = 0
    output = []
    for line in child.stdout:
        output.append(line)
        step = re.match(r"\[(\d+)/(\d+)\]", line)
        if step and time.monotonic() - shown >= 10:
            shown = time.monotonic()
            say(f"  {step.group(1)} of {step.group(2)} steps, {shown - begin:.0f} s")
        elif "FAILED" in line or "error:" in line or "layer check" in line:
            say("  " + line.rstrip())
    if child.wait() != 0:
        raise Failed(f"building the {what} failed:\n{''.join(output[-60:])}")


def configure(preset, build_dir, extra=(), root=ROOT):
    if os.path.exists(os.path.join(build_dir, "build.ninja")):
        return  # ninja configures again by itself when a CMakeLists.txt changed
    result = subprocess.run(["cmake", "--preset", preset, "-B", build_dir, *extra], cwd=root, env=environment(root),
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise Failed(f"cmake --preset {preset} failed:\n{result.stdout}")


def programs(preset="release", build_dir=None):
    build_dir = build_dir or os.path.join(ROOT, "build", preset)
    say(f"Building the programs (preset {preset}); the first time takes some minutes")
    begin = time.monotonic()
    configure(preset, build_dir)
    ninja(build_dir)
    say(f"  built in {time.monotonic() - begin:.0f} s")
    return build_dir


def bench(targets, build_dir=None, preset="release"):
    """What a benchmark measures; on standard error, for its last line on standard output is the result."""
    build_dir = build_dir or os.path.join(ROOT, "build", preset)
    options = {"check": True, "cwd": ROOT, "stdout": sys.stderr, "env": environment()}
    subprocess.run(["cmake", "--preset", preset, "-B", build_dir, *(["-DGRIDWARD_BENCH=ON"] if preset == "release" else [])], **options)
    subprocess.run(["ninja", "-C", build_dir, *targets], **options)


def digest(paths):
    sha = hashlib.sha256()
    for path in sorted(paths):
        sha.update(os.path.relpath(path, ROOT).encode() + b"\0")
        with open(path, "rb") as file:
            sha.update(file.read() + b"\0")
    return sha.hexdigest()


def files_below(folder, skip=()):
    for base, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if f not in skip]
        for name in names:
            yield os.path.join(base, name)


def stamped(stamp, value):
    try:
        with open(stamp, encoding="utf-8") as file:
            return file.read() == value
    except OSError:
        return False


def npm_install(folder):
    """npm ci, when the lock file is not the one installed."""
    lock = os.path.join(folder, "package-lock.json")
    stamp = os.path.join(folder, "node_modules", ".gridward-lock")
    value = digest([lock, os.path.join(folder, "package.json")])
    if stamped(stamp, value):
        return
    say(f"Installing the packages of {os.path.relpath(folder, ROOT)}")
    npm(folder, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(value)


def npm(folder, *words):
    result = subprocess.run(["npm", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        raise Failed(f"npm {' '.join(words)} failed in {os.path.relpath(folder, ROOT)}:\n{result.stdout[-6000:]}")
    return result.stdout


def web():
    """The pages, in server/web/dist; returns that folder."""
    folder = os.path.join(ROOT, "server", "web")
    dist = os.path.join(folder, "dist")
    npm_install(folder)
    stamp = os.path.join(folder, "node_modules", ".gridward-built")
    value = digest(files_below(folder, skip=("node_modules", "dist", "test")))
    if not (stamped(stamp, value) and os.path.exists(os.path.join(dist, "index.html"))):
        say("Building the pages")
        begin = time.monotonic()
        npm(folder, "run", "build")
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(value)
        say(f"  built in {time.monotonic() - begin:.0f} s")
    return dist
