"""Breaks a running system at random moments: server, broker and handhelds killed with -9, links cut, clocks wrong, disks full."""
import collections
import glob
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import time

from .audit import open_readonly
from .build import say
from .desk import Desk
from .procs import Child, Failed, free_port, port_answers, run, wait_for

FAULTS = ["server", "broker", "handhelds", "link", "clock", "disk", "backup", "restore"]
WORKER = "gridward-vision-worker"
WORKER_GONE_S = 2   # a photo worker may finish nothing, so it has no reason to stay longer
READY_S = 60        # until a restart counts as failed
GROUPS = 4          # processes of handhelds, when they are killed
SMALL_DISKS = 3     # handhelds with a disk that gets full
# Of the simulators' summaries: what it is called here, and there.
SUMMED = {"refused_for_room": "full", "reboots": "reboots", "process_kills": "kills", "power_cuts": "power_cuts",
          "messages_doubled": "duplicated", "messages_held": "reordered", "messages_dropped": "dropped"}
DISK = "24m"        # each; there is no room for more than a few dozen photos


# -- processes, as the kernel sees them
def stat_of(pid):
    """(state, start time), or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] in "ZX" else (fields[0], fields[19])


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
            try:
                name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
            except OSError:
                continue
            if stat and name.startswith(WORKER):
                found[pid] = stat[1]
                busy += stat[0] == "R"
    return found, busy


class Tail:
    """What a file gets after now."""

    def __init__(self, path):
        self.path = path
        self.at = os.path.getsize(path) if os.path.exists(path) else 0
        self.all = b"\n"

    def read(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.at)
                text = file.read()
        except OSError:
            return b""
        self.at += len(text)
        return text

    def seen(self):
        """All of it, so that a line that came in two halves is found."""
        self.all += self.read()
        return self.all


class Chaos:
    """`faults`: of FAULTS; `kills`: of the server, in `seconds`; `rate`: reports a second, all handhelds together; `patience`:
    seconds for everything to arrive when nothing is broken any more; `photos`: sizes; `scenario`: a file of gridward-sim, which
    then says what becomes of links and clocks."""

    def __init__(self, stack, seed, seconds, kills, rate, faults, patience, photos, scenario=None):
        self.stack, self.seed, self.seconds, self.kills, self.faults = stack, seed, seconds, kills, list(faults)
        self.rate, self.patience, self.photos = rate, patience, photos
        self.scenario = scenario
        if scenario:
            self.faults = [fault for fault in self.faults if fault not in ("link", "clock")]
        self.witness = stack.path("witness.log")
        self.witnessed = Tail(self.witness)
        self.saved = 0
        self.counts = collections.Counter({name: 0 for name in (
            "kills", "kills_while_starting", "kills_while_deriving", "broker_kills", "handheld_kills", "disk_fills", "backups", "backups_killed",
            "restores", "died", "orphans")})
        self.restarts, self.lingered = [], []
        self.ghosts = []  # (pid, start time, since) of workers whose server is gone
        self.starting = None  # (since, its log)
        self.fleets = {}  # number: child
        self.fleet_starts = 0
        self.disks = []  # handhelds with a small one
        self.link = None
        self.backup = None  # (child, since, when it is killed)
        self.last_backup = None  # when the newest whole one was begun
        self.undone = []  # times of which a restored server knows nothing
        self.problems = []
        self.desk = Desk(stack, pace=5)

    def tell(self, text):
        self.problems.append(text)
        say(f"  {text}")

    # -- before
    def prepare(self):
        """Everything up, nothing broken yet."""
        # Often, so that tracks and heartbeats are under way whenever something breaks; with very many as often as in the field.
        many = self.stack.device_count / 100
        self.stack.device_config = {"track_interval_ms": int(1000 * max(1, many)), "track_batch_ms": int(5000 * max(1, many)),
                                    "heartbeat_ms": int(10000 * max(1, many)), "keepalive_s": 10}
        if "link" in self.faults:
            self.stack.link_port = free_port(self.stack.mqtt_port + 1)
        self.stack.prepare()
        if "disk" in self.faults:
            self.make_small_disks()
        self.stack.start()
        if "link" in self.faults:
            self.link = self.stack.spawn("gridward-sim link", [
                self.stack.program("gridward-sim"), "link", "--listen", self.stack.link_port, "--to", self.stack.mqtt_port, "--seed",
                self.seed], "link.log")
            wait_for(lambda: port_answers(self.stack.link_port), 15, "the link answered", self.link)
        os.makedirs(self.stack.path("tmp"), exist_ok=True)
        if "clock" in self.faults:
            self.scenario = self.stack.path("clocks.json")
            with open(self.scenario, "w", encoding="utf-8") as file:
                json.dump({"groups": [{"clock": {"jump_s": 7200, "jump_every_s": 15}}]}, file)
        groups = min(GROUPS, len(self.stack.handhelds)) if "handhelds" in self.faults else 1
        for number in range(groups):
            self.start_fleet(number, groups)
        self.desk.start()

    def start_fleet(self, number, groups):
        mean = len(self.stack.handhelds) / self.rate
        behaviour = {"start_within_s": min(mean, 3), "report_min_s": 0.5 * mean, "report_max_s": 1.5 * mean, "photos": 2,
                     "verify_min_s": 0.1, "verify_max_s": 0.5, "travel_mps": 200}
        # Another seed for each start: a member who begins again does not do the same again.
        self.fleet_starts += 1
        self.fleets[number] = self.stack.start_fleet(
            self.stack.handhelds[number::groups], behaviour, drain=self.patience, photos=self.photos, name=f"fleet-{number}",
            words=["--unique", "--witness", self.witness, "--seed", self.seed * 1000 + self.fleet_starts,
                   *(["--scenario", self.scenario] if self.scenario else [])],
            env={**os.environ, "TMPDIR": self.stack.path("tmp")})

    def make_small_disks(self):
        if os.geteuid() != 0 or not shutil.which("mount"):
            say("No full disks: mounting a small file system needs root")
            self.faults.remove("disk")
            return
        chosen = random.Random(f"{self.seed}/disks").sample(self.stack.handhelds, min(SMALL_DISKS, len(self.stack.handhelds)))
        for handheld in chosen:
            box = os.path.join(handheld["folder"], "outbox")
            os.rename(box, box + ".new")
            os.mkdir(box, mode=0o700)
            if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "gridward-chaos", box], check=False).returncode != 0:
                say("No full disks: a tmpfs cannot be mounted here")
                os.rmdir(box)
                os.rename(box + ".new", box)
                self.faults.remove("disk")
                return
            shutil.copytree(box + ".new", box, dirs_exist_ok=True)
            shutil.rmtree(box + ".new")
            self.stack.own_config[handheld["device"]] = {"min_free_bytes": 1 << 20}
            self.disks.append(box)

    def unmount(self):
        """What the small disks held stays to be looked at."""
        for box in self.disks:
            shutil.copytree(box, box + ".kept", ignore=shutil.ignore_patterns("filler"))
            subprocess.run(["umount", box], check=False)
            if os.path.ismount(box):
                subprocess.run(["umount", "-l", box], check=False)
            os.rmdir(box)
            os.rename(box + ".kept", box)
        self.disks = []

    # -- what is done, and when: the same for the same seed, whatever else is broken
    def schedule(self):
        def times(name, count):
            draw = random.Random(f"{self.seed}/{name}")
            return [(draw.uniform(0, self.seconds), draw) for _ in range(count)]

        plan = []  # (when, what it is called, what is done)
        if "server" in self.faults:
            plan += [(at, "server", self.kill_server) for at, _ in times("server", self.kills)]
        if "broker" in self.faults:
            plan += [(at, "broker", self.kill_broker) for at, _ in times("broker", max(1, round(self.seconds / 20)))]
        if "handhelds" in self.faults:
            for at, draw in times("handhelds", max(1, round(self.seconds / 5))):
                number = draw.randrange(len(self.fleets))
                plan.append((at, f"handhelds {number}", lambda number=number: self.kill_fleet(number)))
        if "disk" in self.faults:
            for at, draw in times("disk", max(1, round(self.seconds / 10))):
                box, long = draw.choice(self.disks), draw.uniform(2, 8)
                plan.append((at, f"disk of {os.path.basename(os.path.dirname(box))} full for {long:.1f}",
                             lambda box=box: self.fill(box)))
                plan.append((min(at + long, self.seconds), "", lambda box=box: self.empty(box)))
        if "backup" in self.faults:
            for at, draw in times("backup", max(2, round(self.seconds / 8))):
                killed = draw.uniform(0.05, 1) if draw.random() < 0.3 else None
                plan.append((at, "backup" if killed is None else "backup that is killed", lambda killed=killed: self.begin_backup(killed)))
        if "restore" in self.faults:
            for at, draw in times("restore", max(1, round(self.seconds / 600))):
                killed = draw.uniform(0.02, 0.3)
                # Not at the beginning, when there is nothing yet to lose.
                plan.append((0.4 * self.seconds + 0.6 * at, "the server's disk lost, restored", lambda killed=killed: self.restore(killed)))
        return sorted(plan, key=lambda entry: entry[0])

    def run(self):
        plan = self.schedule()
        say(f"Schedule of seed {self.seed}, {self.seconds:g} s, {', '.join(self.faults)}:")
        by_name = collections.defaultdict(list)
        for at, name, _ in plan:
            if name:
                by_name[name].append(f"{at:.1f}")
        for name, at in sorted(by_name.items()):
            say(f"  {name}: {' '.join(at)}")
        begin = self.begin = time.monotonic()
        self.next_line = begin + 5
        for at, _, act in [*plan, (self.seconds, "", lambda: None)]:
            while (left := begin + at - time.monotonic()) > 0:
                time.sleep(min(left, 0.01))
                self.look()
            act()

    def look(self):
        now = time.monotonic()
        if self.starting and b"\nready " in self.starting[1].seen():
            self.restarts.append(now - self.starting[0])
            self.starting = None
        elif self.starting and now - self.starting[0] > READY_S:
            raise Failed(f"the server was not ready after {READY_S} s\n{self.stack.server.tail()}")
        if self.stack.server.poll() is not None:
            self.counts["died"] += 1
            self.tell(f"the server ended by itself, status {self.stack.server.returncode}:\n{self.stack.server.tail()}")
            self.stack.children.remove(self.stack.server)
            self.launch_server()
        ended = self.stack.ended()
        if ended is not None:
            raise Failed(f"{ended.title} ended by itself, status {ended.returncode}:\n{ended.tail()}")
        if self.backup:
            self.look_at_backup(now)
        self.look_at_ghosts(now)
        if now >= self.next_line:
            self.next_line = now + 5
            self.saved += self.witnessed.read().count(b"saved ")
            say(f"{now - self.begin:6.0f} s  killed: server {self.counts['kills']}, broker {self.counts['broker_kills']}, handhelds "
                f"{self.counts['handheld_kills']}; {self.saved} records saved, {len(self.desk.acked)} acts at the desk")

    def look_at_ghosts(self, now):
        for ghost in list(self.ghosts):
            pid, started, since = ghost
            stat = stat_of(pid)
            if stat is None or stat[1] != started:
                self.lingered.append(now - since)
                self.ghosts.remove(ghost)
            elif now - since > WORKER_GONE_S:
                self.counts["orphans"] += 1
                self.tell(f"photo worker {pid} outlives its server")
                os.kill(pid, signal.SIGKILL)
                self.ghosts.remove(ghost)

    # -- the ways to break it
    def launch_server(self):
        log = Tail(self.stack.path("logs", "server.log"))
        self.stack.launch_server()
        self.starting = (time.monotonic(), log)

    def kill_server(self, again=True):
        workers, busy = workers_of(self.stack.server.pid)
        self.counts["kills"] += 1
        self.counts["kills_while_starting"] += self.starting is not None
        self.counts["kills_while_deriving"] += busy > 0
        self.stack.kill(self.stack.server)
        now = time.monotonic()
        self.ghosts += [(pid, started, now) for pid, started in workers.items()]
        self.starting = None
        if again:
            self.launch_server()

    def kill_broker(self):
        self.counts["broker_kills"] += 1
        self.stack.kill(self.stack.broker)
        self.stack.launch_broker()

    def kill_fleet(self, number):
        self.counts["handheld_kills"] += 1
        self.stack.kill(self.fleets[number])
        self.start_fleet(number, len(self.fleets))

    def fill(self, box):
        self.counts["disk_fills"] += 1
        with open(os.path.join(box, "filler"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass

    def empty(self, box):
        if os.path.exists(os.path.join(box, "filler")):
            os.unlink(os.path.join(box, "filler"))

    def begin_backup(self, killed):
        if self.backup:
            return  # the one before is still at it
        child = Child("gridward-server backup", self.stack.server_command("backup", self.stack.path("backups")),
                      self.stack.path("logs", "backup.log"))
        now = time.monotonic()
        self.backup = (child, now, killed and now + killed)

    def look_at_backup(self, now):
        child, since, killed_at = self.backup
        if child.poll() is None:
            if killed_at and now >= killed_at:
                self.kill_backup()
            return
        self.backup = None
        if child.returncode == 0:
            self.counts["backups"] += 1
            self.last_backup = since
        else:
            self.tell(f"a backup ended with status {child.returncode}:\n{child.tail(5)}")

    def kill_backup(self):
        self.backup[0].kill()
        self.backup[0].wait()
        self.backup = None
        self.counts["backups_killed"] += 1

    def restore(self, killed):
        """The machine is lost with its disk; the last backup is put on another."""
        if self.backup:
            self.kill_backup()
        whole = sorted(name for name in os.listdir(self.stack.path("backups")) if not name.endswith(".part")) if self.last_backup else []
        if not whole:
            say("  no backup yet: nothing to restore")
            return
        self.counts["restores"] += 1
        self.kill_server(again=False)
        while self.ghosts:
            self.look_at_ghosts(time.monotonic())
        shutil.rmtree(self.stack.path("server"))
        os.mkdir(self.stack.path("server"), mode=0o700)
        command = self.stack.server_command("restore", self.stack.path("backups", whole[-1]))
        cut = Child("gridward-server restore", command, self.stack.path("logs", "restore.log"))
        time.sleep(killed)
        cut.kill()
        cut.wait()
        if not os.path.exists(self.stack.path("server", "gridward.db")):  # else it was quicker
            run(command, "the restore")
        self.undone.append((self.last_backup, time.monotonic()))
        self.launch_server()

    # -- the end
    def wait(self, condition, seconds, what):
        """Goes on watching meanwhile. False when the time is over."""
        end = time.monotonic() + seconds
        while not condition():
            self.look()
            if time.monotonic() >= end:
                say(f"  waited {seconds} s in vain until {what}")
                return False
            time.sleep(0.05)
        return True

    def count(self, *tables):
        db = open_readonly(self.stack.path("server", "gridward.db"))
        counts = [db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables]
        db.close()
        return sum(counts)

    def settle(self):
        say("Nothing is broken any more: everything has to arrive")
        for box in self.disks:
            self.empty(box)
        if self.link:
            self.link.send_signal(signal.SIGUSR1)
        self.wait(lambda: self.starting is None and not self.ghosts and not self.backup, READY_S, "the server was ready")
        self.desk.stop()
        for fleet in self.fleets.values():
            fleet.send_signal(signal.SIGUSR1)  # no more reports
        self.wait(lambda: self.count("down_items") == 0, self.patience, "every item had come down")
        fleets = list(self.fleets.values())
        for fleet in fleets:
            self.stack.children.remove(fleet)  # from now on it may end
            fleet.send_signal(signal.SIGTERM)
        if not self.wait(lambda: all(fleet.poll() is not None for fleet in fleets), self.patience + 30, "the handhelds had sent everything"):
            for fleet in fleets:
                fleet.kill()
        for fleet in fleets:
            if fleet.wait() != 0:
                self.tell(f"gridward-sim ended with status {fleet.returncode}:\n{fleet.tail(6)}")
        self.wait(lambda: self.count("photo_jobs", "signature_jobs") == 0, self.patience, "all jobs were done")

    def numbers(self):
        """What was done to it, and what it did."""
        out = {"faults": ",".join(self.faults), **self.counts}
        for name, values in (("restart_ms", self.restarts), ("worker_gone_ms", self.lingered)):
            if values:
                out[name] = round(1000 * statistics.median(values))
                out[name + "_max"] = round(1000 * max(values))
        for path in glob.glob(self.stack.path("logs", "*.log")):
            with open(path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    if line.startswith('{"connections":'):
                        out.update({"link_" + key: value for key, value in json.loads(line).items()})
                    elif line.startswith('{"handhelds":'):
                        summary = json.loads(line)
                        for name, key in SUMMED.items():
                            out[name] = out.get(name, 0) + summary[key]
        return out
