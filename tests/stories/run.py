"""The stories of one profile on one database: a line `ok TITLE` or `not ok TITLE` for each, with what was seen below it."""
import argparse
import os
import signal
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import binhai  # noqa: E402,F401
import heyang  # noqa: E402,F401
from world import ROOT, STORIES, Failed, Refused, World, Wrong  # noqa: E402


def tell(title, work):
    begin = time.monotonic()
    try:
        work()
    except (Wrong, Failed, Refused) as problem:
        where = [frame for frame in traceback.extract_tb(problem.__traceback__) if os.path.basename(frame.filename) in ("binhai.py", "heyang.py")]
        at = f"{os.path.basename(where[-1].filename)}:{where[-1].lineno}: {where[-1].line}\n" if where else ""
        text = at + str(problem)
    except Exception:
        text = traceback.format_exc()
    else:
        print(f"ok {title} ({time.monotonic() - begin:.1f} s)", flush=True)
        return True
    print(f"not ok {title}", flush=True)
    print("".join(f"  | {line}\n" for line in text.splitlines()), end="", flush=True)
    return False


def main():
    parser = argparse.ArgumentParser(prog="tests/stories/run.py")
    parser.add_argument("--profile", choices=sorted(STORIES), required=True)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build", "ci"))
    parser.add_argument("--only", metavar="WORDS", help="stories whose title has this")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    stories = sorted((row for row in STORIES[args.profile] if not args.only or args.only in row[1]), key=lambda row: row[0])
    name = f"{args.profile} on {args.database}"
    if args.list:
        for start, title, _ in stories:
            print(f"{start}  {title}")
        return 0
    if not stories:
        return 0
    folder = tempfile.mkdtemp(prefix="gridward-stories-")
    os.chmod(folder, 0o711)  # the broker's own user has to get through to its folder
    world = World(args.profile, args.database, folder, args.build_dir)
    good = True
    try:
        good = tell(f"{name}: the server starts", lambda: world.start(stories[0][0]))
        for start, title, work in stories if good else ():
            good = tell(f"{name}: {title}", lambda: (world.at(start), work(world))) and good
        if good:
            good = tell(f"{name}: audit verify", world.audit)
    finally:
        stopped = world.stop()
        if not stopped:
            print(f"not ok {name}: everything stopped when asked to", flush=True)
        if good and stopped:
            world.stack.remove()
        else:
            print(f"  | what is left to look at: {folder}", flush=True)
            print("".join(f"  | {line}" for line in world.stack.server.tail(8).splitlines(True)) if world.stack.server else "", end="")
    return 0 if good and stopped else 1


if __name__ == "__main__":
    sys.exit(main())
