"""scripts/chaos: breaks the running system at random moments and audits both ends."""
import argparse
import glob
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gridward import build  # noqa: E402
from gridward.audit import audit, held, open_readonly  # noqa: E402
from gridward.build import ROOT, say  # noqa: E402
from gridward.desk import Desk  # noqa: E402
from gridward.procs import Failed, free_port, run  # noqa: E402
from gridward.stack import Stack  # noqa: E402

WORKER = "gridward-vision-worker"
WORKER_GONE_S = 2     # a worker may finish nothing, so it has no reason to stay longer
READY_S = 60          # until a restart counts as failed
SETTLE_S = 300        # until everything has to be handed over: backoff is at most 60 s, a silent server doubles a wait to as much
JOBS_S = 300


def options():
    parser = argparse.ArgumentParser(prog="scripts/chaos", description="Breaks Gridward at random moments; nothing may be lost or doubled.")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of everything random here (default 1)")
    parser.add_argument("--kills", type=int, metavar="K", help="of the server (default 100)")
    parser.add_argument("--seconds", type=float, metavar="T", help="how long it is broken (default: two for each kill)")
    parser.add_argument("--devices", type=int, default=20, metavar="N", help="handhelds (default 20)")
    parser.add_argument("--rate", type=float, default=12, metavar="R", help="reports a second, all handhelds together (default 12)")
    parser.add_argument("--data", metavar="DIR", help="keep everything there (default: a temporary folder, kept when it fails)")
    parser.add_argument("--log", metavar="FILE", help="append the last line there, too")
    parser.add_argument("--build-dir", metavar="DIR", help="default build/release")
    parser.add_argument("--no-build", action="store_true", help="use what is built; installs nothing")
    args = parser.parse_args()
    if args.kills is None:
        args.kills = 100 if args.seconds is None else max(1, int(args.seconds / 2))
    if args.seconds is None:
        args.seconds = 2.0 * args.kills
    if not 1 <= args.devices <= 10000:
        parser.error("--devices: 1 to 10000")
    if args.kills < 0 or args.seconds <= 0 or args.rate <= 0:
        parser.error("--kills, --seconds, --rate: above 0")
    return args


# -- processes, as the kernel sees them
def stat_of(pid):
    """(state, parent, start time), or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] in "ZX" else (fields[0], int(fields[1]), fields[19])


def workers_of(server):
    """{pid: start time} of its photo workers, and how many of them are at work."""
    found, busy = {}, 0
    for path in glob.glob(f"/proc/{server}/task/*/children"):
        try:
            with open(path, encoding="utf-8") as file:
                children = [int(word) for word in file.read().split()]
        except OSError:
            continue
        for pid in children:
            stat = stat_of(pid)
            if stat and os.path.basename(os.readlink(f"/proc/{pid}/exe")).startswith(WORKER):
                found[pid] = stat[2]
                busy += stat[0] == "R"
    return found, busy


class Tail:
    """What a file gets after now."""

    def __init__(self, path):
        self.path = path
        self.at = os.path.getsize(path) if os.path.exists(path) else 0

    def read(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.at)
                text = file.read()
        except OSError:
            return b""
        self.at += len(text)
        return text


class Chaos:
    def __init__(self, args, stack):
        self.args = args
        self.stack = stack
        self.random = random.Random(args.seed)
        self.witness = stack.path("witness.log")
        self.witnessed = Tail(self.witness)
        self.saved = 0
        self.counts = {"kills": 0, "kills_while_starting": 0, "kills_while_deriving": 0, "died": 0, "orphans": 0}
        self.restarts, self.lingered = [], []
        self.ghosts = []  # (pid, start time, since) of workers whose server is gone
        self.starting = None  # (since, its log)
        self.problems = []

    def tell(self, text):
        self.problems.append(text)
        say(f"  {text}")

    # -- what is done, and when
    def schedule(self):
        times = sorted(self.random.uniform(0, self.args.seconds) for _ in range(self.args.kills))
        return [(at, self.kill_server) for at in times]

    def run(self):
        schedule = self.schedule()
        say(f"Schedule of seed {self.args.seed}, seconds: server killed at " + " ".join(f"{at:.1f}" for at, _ in schedule))
        begin = self.begin = time.monotonic()
        next_line = begin + 5
        for at, act in [*schedule, (self.args.seconds, lambda: None)]:
            while (left := begin + at - time.monotonic()) > 0:
                time.sleep(min(left, 0.01))
                self.look()
                if time.monotonic() >= next_line:
                    next_line += 5
                    self.progress()
            act()

    def look(self):
        now = time.monotonic()
        if self.starting and b"\nready " in self.starting[1].seen():
            self.restarts.append(now - self.starting[0])
            self.starting = None
        if self.stack.server.poll() is not None:
            self.counts["died"] += 1
            self.tell(f"the server ended by itself, status {self.stack.server.returncode}:\n{self.stack.server.tail()}")
            self.stack.children.remove(self.stack.server)
            self.launch_server()
        ended = self.stack.ended()
        if ended is not None:
            raise Failed(f"{ended.title} ended by itself, status {ended.returncode}:\n{ended.tail()}")
        for ghost in list(self.ghosts):
            pid, started, since = ghost
            stat = stat_of(pid)
            if stat is None or stat[2] != started:
                self.lingered.append(now - since)
                self.ghosts.remove(ghost)
            elif now - since > WORKER_GONE_S:
                self.counts["orphans"] += 1
                self.tell(f"photo worker {pid} outlives its server")
                self.ghosts.remove(ghost)

    def progress(self):
        self.saved += self.witnessed.read().count(b"saved ")
        say(f"{time.monotonic() - self.begin:6.0f} s  {self.counts['kills']} kills, {self.saved} records saved, "
            f"{len(self.desk.acked)} acts at the desk")

    # -- the server
    def launch_server(self):
        log = Started(self.stack.path("logs", "server.log"))
        self.stack.launch_server()
        self.starting = (time.monotonic(), log)

    def kill_server(self):
        workers, busy = workers_of(self.stack.server.pid)
        self.counts["kills"] += 1
        self.counts["kills_while_starting"] += self.starting is not None
        self.counts["kills_while_deriving"] += busy > 0
        self.stack.kill(self.stack.server)
        now = time.monotonic()
        self.ghosts += [(pid, started, now) for pid, started in workers.items()]
        self.launch_server()

    # -- the end
    def wait(self, condition, seconds, what):
        """Goes on watching meanwhile. False when the time is over."""
        end = time.monotonic() + seconds
        next_line = time.monotonic() + 5
        while not condition():
            self.look()
            if time.monotonic() >= end:
                self.tell(f"waited {seconds} s in vain until {what}")
                return False
            if time.monotonic() >= next_line:
                next_line += 5
                self.progress()
            time.sleep(0.05)
        return True

    def count(self, *tables):
        with open_readonly(self.stack.path("server", "gridward.db")) as db:
            counts = [db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables]
        db.close()
        return sum(counts)

    def settle(self, fleets):
        say("Nothing is broken any more: everything has to arrive")
        self.wait(lambda: self.starting is None and not self.ghosts, READY_S, "the server was ready")
        self.desk.stop()
        self.wait(lambda: self.count("down_items") == 0, SETTLE_S, "every item had come down")
        for fleet in fleets:
            fleet.send_signal(signal.SIGTERM)
            self.stack.children.remove(fleet)
        self.wait(lambda: all(fleet.poll() is not None for fleet in fleets), SETTLE_S + 30, "the handhelds had sent everything")
        for fleet in fleets:
            if fleet.poll() is None:
                fleet.kill()
                fleet.wait()
            if fleet.returncode != 0:
                self.tell(f"gridward-sim ended with status {fleet.returncode}:\n{fleet.tail(4)}")
        self.wait(lambda: self.count("photo_jobs", "signature_jobs") == 0, JOBS_S, "all jobs were done")

    def numbers(self):
        out = dict(self.counts)
        for name, values in (("restart_ms", self.restarts), ("worker_gone_ms", self.lingered)):
            if values:
                out[name] = round(1000 * statistics.median(values))
                out[name + "_max"] = round(1000 * max(values))
        return out


class Started(Tail):
    """Everything since, kept, so that a line that came in two halves is found."""

    def __init__(self, path):
        super().__init__(path)
        self.text = b"\n"

    def seen(self):
        self.text += self.read()
        return self.text


def quiet_port(n):
    """Below those that the kernel gives to whoever connects: nobody else takes it while its owner is dead."""
    return free_port(20000 + 2 * (os.getpid() % 6000) + n)


def behaviour(args):
    """All handhelds together make `rate` reports a second, whatever their number."""
    mean = args.devices / args.rate
    return {"start_within_s": min(mean, 3), "report_min_s": 0.5 * mean, "report_max_s": 1.5 * mean, "photos": 2, "verify_min_s": 0.1,
            "verify_max_s": 0.5, "travel_mps": 200}


def main():
    args = options()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    folder = args.data or tempfile.mkdtemp(prefix="gridward-chaos-")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o711)  # the broker's own user has to get through to its folder
    line = {"seed": args.seed, "devices": args.devices, "seconds": args.seconds, "held": False}
    begin = time.monotonic()
    stack = None
    try:
        build_dir = os.path.abspath(args.build_dir or os.path.join(ROOT, "build", "release"))
        if not args.no_build:
            build.programs("release", build_dir)
        stack = Stack(folder, build_dir, None, devices=args.devices, port=quiet_port(0), mqtt_port=quiet_port(1))
        # Often, so that tracks and heartbeats are under way at every kill.
        stack.device_config = {"track_interval_ms": 1000, "track_batch_ms": 5000, "heartbeat_ms": 10000}
        say(f"Starting {args.devices} handhelds in {folder}")
        stack.start()
        chaos = Chaos(args, stack)
        chaos.desk = Desk(stack, pace=5)
        os.makedirs(stack.path("tmp"), exist_ok=True)
        fleet = stack.start_fleet(behaviour=behaviour(args), drain=SETTLE_S, photos=5, size="1600x1200",
                                  words=["--unique", "--witness", chaos.witness, "--seed", args.seed],
                                  env={**os.environ, "TMPDIR": stack.path("tmp")})
        chaos.desk.start()
        chaos.run()
        chaos.settle([fleet])
        stopped = stack.stop()
        if not stopped:
            chaos.tell("not everything stopped when asked to")
        say("Audit of both ends")
        result = audit(stack, [chaos.witness])
        problems = result.pop("problems")
        with open_readonly(stack.path("server", "gridward.db")) as db:
            lost_acts = chaos.desk.missing(db)
        db.close()
        say("  " + run(stack.server_command("audit", "verify"), "gridward-server audit verify").strip())
        for text in problems[:30]:
            say("  " + text)
        for text in chaos.desk.refused[:5]:
            say("  the desk was refused: " + text)
        good = held(result) and not chaos.problems and not lost_acts and not chaos.desk.refused
        line.update({**result, **chaos.numbers(), "acts": len(chaos.desk.acked), "acts_lost": len(lost_acts), "held": good})
    except (Failed, OSError) as problem:
        say(f"scripts/chaos: {problem}")
        line["error"] = str(problem).splitlines()[0]
    except KeyboardInterrupt:
        line["error"] = "interrupted"
    finally:
        if stack is not None:
            stack.stop()
    line["took_s"] = round(time.monotonic() - begin, 1)
    if line["held"] and not args.data:
        stack.remove()
    elif not line["held"]:
        say(f"What is left to look at: {folder}")
    text = json.dumps(line, ensure_ascii=False)
    if args.log:
        with open(args.log, "a", encoding="utf-8") as file:
            file.write(text + "\n")
    print(text, flush=True)
    return 0 if line["held"] else 1


if __name__ == "__main__":
    sys.exit(main())
