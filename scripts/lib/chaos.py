"""scripts/chaos: breaks the running system at random moments and audits both ends."""
import argparse
import json
import os
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gridward import build  # noqa: E402
from gridward.audit import audit, held, open_readonly  # noqa: E402
from gridward.build import ROOT, say  # noqa: E402
from gridward.chaos import FAULTS, Chaos  # noqa: E402
from gridward.pages import page_with  # noqa: E402
from gridward.procs import Failed, free_port, run  # noqa: E402
from gridward.stack import Stack  # noqa: E402

# Of the table: what the column says, and the key of the line.
COLUMNS = [("seed", "seed"), ("broken", "faults"), ("handhelds", "devices"), ("s", "seconds"), ("server killed", "kills"),
           ("broker", "broker_kills"), ("handheld processes", "handheld_kills"), ("links cut or dead", "links"), ("disk full", "disk_fills"),
           ("backups", "backups"), ("restores", "restores"),
           ("records", "created"), ("lost", "lost"), ("doubled", "duplicated"), ("photos", "photos_created"),
           ("verified", "photos_verified"), ("derivatives missing", "derivatives_missing"), ("items down", "down_sent"),
           ("applied", "down_applied"), ("restart ms (worst)", "restart")]


def options():
    parser = argparse.ArgumentParser(prog="scripts/chaos", description="Breaks Gridward at random moments; nothing may be lost or doubled.")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of everything random here (default 1)")
    parser.add_argument("--seconds", type=float, metavar="T", help="how long it is broken (default 60, or two for each kill)")
    parser.add_argument("--kills", type=int, metavar="K", help="of the server (default: one in two seconds when nothing else is broken, else in five)")
    parser.add_argument("--faults", default=",".join(FAULTS), metavar="LIST", help="what is broken (default: %(default)s)")
    parser.add_argument("--scenario", metavar="FILE", help="of gridward-sim, what happens to the handhelds: instead of the faults link and clock")
    parser.add_argument("--devices", type=int, default=20, metavar="N", help="handhelds (default 20)")
    parser.add_argument("--rate", type=float, default=12, metavar="R", help="reports a second, all handhelds together (default 12)")
    parser.add_argument("--photos", default="1024x768,1024x768,1024x768,2400x1800", metavar="SIZES",
                        help="of the photos (default %(default)s: large ones take long to send and to derive; each lies on both ends)")
    parser.add_argument("--patience", type=int, default=300, metavar="S",
                        help="seconds for each step of handing over, afterwards (default 300: a handheld waits up to 60 s between tries)")
    parser.add_argument("--data", metavar="DIR", help="keep everything there (default: a temporary folder, kept when it fails)")
    parser.add_argument("--log", metavar="FILE", help="append the last line there, too")
    parser.add_argument("--build-dir", metavar="DIR", help="default build/release")
    parser.add_argument("--no-build", action="store_true", help="use what is built; installs nothing")
    parser.add_argument("--table", nargs="+", metavar="FILE", help="only print the lines of these files as a table")
    parser.add_argument("--into", metavar="PAGE", help="put the table between the marks of this page")
    parser.add_argument("--check", action="store_true", help="only tell whether the page has it")
    args = parser.parse_args()
    args.faults = [fault for fault in args.faults.split(",") if fault]
    if not set(args.faults) <= set(FAULTS):
        parser.error("--faults: of " + ",".join(FAULTS))
    each = 2 if args.faults == ["server"] else 5
    if args.seconds is None:
        args.seconds = 60.0 if args.kills is None else float(each * args.kills)
    if args.kills is None:
        args.kills = max(1, int(args.seconds / each))
    if not 1 <= args.devices <= 10000:
        parser.error("--devices: 1 to 10000")
    if args.kills < 0 or args.seconds <= 0 or args.rate <= 0 or args.patience <= 0:
        parser.error("--kills, --seconds, --rate, --patience: above 0")
    return args


def table(files):
    lines = []
    for path in files:
        with open(path, encoding="utf-8") as file:
            lines += [json.loads(line) for line in file if line.startswith("{")]
    rows = ["| " + " | ".join(title for title, _ in COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for line in lines:
        line["links"] = line.get("link_cuts", 0) + line.get("link_silent", 0)
        line["restart"] = f"{line.get('restart_ms', '-')} ({line.get('restart_ms_max', '-')})"
        line["faults"] = line.get("faults", "").replace(",", ", ")
        line["seconds"] = f"{line['seconds']:g}"
        rows.append("| " + " | ".join(str(line.get(key, "-")) for _, key in COLUMNS) + " |")
    rows.append(f"\n{len(lines)} runs, {sum(line['held'] for line in lines)} held; together " + ", ".join(
        f"{sum(line.get(key, 0) for line in lines)} {what}" for key, what in (
            ("kills", "kills of the server"), ("created", "records"), ("lost", "lost"), ("duplicated", "doubled"),
            ("photos_created", "photos"), ("derivatives_missing", "without derivatives"), ("down_sent", "items down"),
            ("down_lost", "lost"))) + ".")
    return "\n".join(rows)


def print_table(args):
    text = table(args.table)
    if not args.into:
        print(text)
        return 0
    page = page_with(text, args.into, "table")
    with open(args.into, encoding="utf-8") as file:
        same = file.read() == page
    if args.check:
        print("the same" if same else f"{args.into} has another table than {' '.join(args.table)}")
        return 0 if same else 1
    with open(args.into, "w", encoding="utf-8") as file:
        file.write(page)
    return 0


def quiet_port(n):
    """Below those that the kernel gives to whoever connects: nobody else takes it while its owner is dead."""
    return free_port(20000 + 3 * (os.getpid() % 4000) + n)


def break_it(args, stack):
    chaos = Chaos(stack, args.seed, args.seconds, args.kills, args.rate, args.faults, args.patience, args.photos.split(","),
                  args.scenario and os.path.abspath(args.scenario))
    try:
        say(f"Starting {args.devices} handhelds in {stack.data}")
        chaos.prepare()
        chaos.run()
        chaos.settle()
        if not stack.stop():
            chaos.tell("not everything stopped when asked to")
        say("Audit of both ends")
        result = audit(stack, [chaos.witness], restored=bool(chaos.undone),
                       short=[os.path.basename(os.path.dirname(box)) for box in chaos.disks])
        db = open_readonly(stack.path("server", "gridward.db"))
        lost_acts = chaos.desk.missing(db, chaos.undone)
        db.close()
        problems = result.pop("problems") + [f"act {act} was acknowledged and is not there" for act in lost_acts]
        problems += [f"the desk was refused: {text}" for text in chaos.desk.refused]
        say("  " + run(stack.server_command("audit", "verify"), "gridward-server audit verify").strip())
        for text in problems[:40]:
            say("  " + text)
        good = held(result) and not chaos.problems and not lost_acts and not chaos.desk.refused
        return {**result, **chaos.numbers(), "acts": len(chaos.desk.acked), "acts_lost": len(lost_acts), "held": good}
    finally:
        if chaos.backup:
            chaos.kill_backup()
        stack.stop(hurry=True)
        chaos.unmount()


def main():
    args = options()
    if args.table:
        return print_table(args)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    folder = os.path.abspath(args.data or tempfile.mkdtemp(prefix="gridward-chaos-"))
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o711)  # the broker's own user has to get through to its folder
    line = {"seed": args.seed, "devices": args.devices, "seconds": args.seconds, "held": False}
    begin = time.monotonic()
    try:
        build_dir = os.path.abspath(args.build_dir or os.path.join(ROOT, "build", "release"))
        if not args.no_build:
            build.programs("release", build_dir)
        stack = Stack(folder, build_dir, None, devices=args.devices, port=quiet_port(0), mqtt_port=quiet_port(1))
        line.update(break_it(args, stack))
        if line["held"] and not args.data:
            stack.remove()
    except (Failed, OSError) as problem:
        say(f"scripts/chaos: {problem}")
        line["error"] = str(problem).splitlines()[0]
    except KeyboardInterrupt:
        line["error"] = "interrupted"
    line["took_s"] = round(time.monotonic() - begin, 1)
    if not line["held"]:
        say(f"What is left to look at: {folder}")
    text = json.dumps(line, ensure_ascii=False)
    if args.log:
        with open(args.log, "a", encoding="utf-8") as file:
            file.write(text + "\n")
    print(text, flush=True)
    return 0 if line["held"] else 1


if __name__ == "__main__":
    sys.exit(main())
