"""What the stories are told in: one server of one profile on one database, with a clock that we move, a handheld, and people."""
import datetime
import json
import os
import re
import shutil
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "lib"))
from gridward.api import Api, Refused  # noqa: E402
from gridward.build import ROOT  # noqa: E402
from gridward.check import Handheld, middle_of, outline_of  # noqa: E402
from gridward.postgres import Postgres  # noqa: E402
from gridward.procs import Failed, free_port, run, wait_for  # noqa: E402
from gridward.stack import Stack, write_private  # noqa: E402

LOCAL = datetime.timezone(datetime.timedelta(hours=8))
DISTRICT, TOWN = "120116", "120116135"
PROFILES = os.path.join(ROOT, "server", "profiles")

# Beside the demo's people: everybody else whom the processes name.
PEOPLE = [
    ("intake", "受理员", "intake_desk", DISTRICT), ("coord", "协调员", "coordination_desk", DISTRICT),
    ("superv", "督查员", "supervisor", DISTRICT), ("dleader", "区领导", "leader", DISTRICT),
    ("hotline_12345", "市便民专线", "channel", DISTRICT), ("wechat_12345", "微信公众号", "channel", DISTRICT),
    ("insp", "巡查员", "inspector", TOWN), ("gleader", "网格长", "grid_leader", TOWN + "201"),
    *((f"u0{n}l", f"分管领导{n}", "unit_leader", f"{TOWN}-u0{n}") for n in range(1, 5)),
]
U1, U2, U3, U4 = (f"{TOWN}-u0{n}" for n in range(1, 5))
UNIT_NAMES = {U1: "综合执法大队", U2: "公共管理办公室", U3: "规划建设办公室", U4: "农业农村办公室"}


class Wrong(Exception):
    """A story saw something else than it told of."""


def same(what, found, wanted):
    if found != wanted:
        raise Wrong(f"{what}:\n    found  {found!r}\n    wanted {wanted!r}")


def holds(what, found):
    if not found:
        raise Wrong(what)


def unix_ms(text):
    """Of "2026-03-02 09:00" in the county."""
    form = "%Y-%m-%d %H:%M:%S" if text.count(":") == 2 else "%Y-%m-%d %H:%M"
    return int(datetime.datetime.strptime(text, form).replace(tzinfo=LOCAL).timestamp() * 1000)


def local(ms):
    """To the minute; a due at 17:30 is told as 17:30. None: nothing."""
    return None if ms is None else datetime.datetime.fromtimestamp(ms / 1000, LOCAL).strftime("%Y-%m-%d %H:%M")


class StoryStack(Stack):
    def people(self):
        return super().people() + [dict(zip(("login", "name", "role", "org"), row)) for row in PEOPLE]


class Person:
    """Somebody logged in. A session ends after twelve hours, which are a moment here."""

    def __init__(self, world, login):
        self.world, self.login = world, login
        self.api = None

    def call(self, method, path, body=None):
        for again in (True, False):
            if self.api is None:
                self.api = self.world.stack.login(self.login)
            try:
                return self.api.request(method, path, body)
            except Refused as refused:
                if refused.status != 401 or not again:
                    raise
                self.api = None

    def get(self, path):
        return self.call("GET", path)

    def case(self, case_id):
        return self.get(f"/api/cases/{case_id}")

    def hand_in(self, text, **fields):
        return self.call("POST", "/api/cases", {"text": text, "fields": fields})

    def act(self, case, action, note="", to=None, **fields):
        """One act on the case as it is now; `to`: the step it must be in then. Answers with the case after it."""
        case_id = case if isinstance(case, str) else case["id"]
        # A clock that was moved makes events of its own; as at a desk, the act is then tried on the case as it is.
        for attempt in range(4):
            body = {"action": action, "version": self.world.version(case_id), "note": note, "fields": fields}
            try:
                after = self.call("POST", f"/api/cases/{case_id}/actions", body)
                break
            except Refused as refused:
                if refused.body.get("name") != "version_conflict" or attempt == 3:
                    raise Wrong(f"{self.login} could not {action}: {refused}") from None
        if to is not None:
            same(f"the step after {action}", after["step"], to)
        return after

    def refused(self, case, action, status, name, detail="", note="", field=None, **fields):
        """The act is refused so, as problem+json; nothing of it happened."""
        case_id = case if isinstance(case, str) else case["id"]
        for _ in range(4):
            before = self.world.version(case_id)
            body = {"action": action, "version": before, "note": note, "fields": fields}
            try:
                self.call("POST", f"/api/cases/{case_id}/actions", body)
            except Refused as refused:
                problem = refused.body
            else:
                raise Wrong(f"{self.login} was let {action}")
            if problem.get("name") != "version_conflict":
                break
        what = f"{self.login} refused {action}: {problem.get('field')}: {problem.get('detail')}"
        same(what, (problem.get("status"), problem.get("name")), (status, name))
        same(what, problem.get("type"), f"/errors/{name}")
        holds(what + f", not {detail!r}", detail in problem.get("detail", ""))
        if field is not None:
            same(what, problem.get("field"), field)
        same("the version after a refused act", self.world.version(case_id), before)
        return problem

    def offers(self, case):
        """What this login may do to the case now."""
        return sorted(Api.possible(self.case(case if isinstance(case, str) else case["id"])))

    def blocked(self, case, action):
        case = self.case(case if isinstance(case, str) else case["id"])
        return next((offer["blocked"] for offer in case["offers"] if offer["action"] == action), None)


class Field(Handheld):
    """The member's own gridward-device."""

    def __init__(self, stack, entry, photo):
        super().__init__(stack, entry)
        lon, lat = middle_of(outline_of(entry["grid"]))
        self.place = ("--position", f"{lat:.7f},{lon:.7f}")
        self.photo = photo
        self.agent = None

    def reboot(self):
        """Comes up anew and asks the server for the time, as the clock that we move never would be asked for."""
        if self.agent is not None:
            self.stack.children.remove(self.agent)
            self.agent.stop()
        path = os.path.join(self.entry["folder"], "outbox", "outbox.db")
        with sqlite3.connect(path, timeout=10) as db:
            db.execute("DELETE FROM meta WHERE key LIKE 'server\\_%' ESCAPE '\\'")
        db.close()
        known = len(self.lines()) if self.agent is not None else 0
        self.agent = self.stack.spawn(f"handheld {self.entry['device']}",
                                      [self.program, "--config", self.entry["config"], "--lang", "en", "run"], f"{self.entry['device']}.log")
        wait_for(lambda: any("connected" in line and "dis" not in line for line in self.lines()[known:]), 20, "the handheld was connected",
                 self.agent)
        wait_for(lambda: self.status()["clock"] == "server", 20, "the handheld had the server's time", self.agent)

    def lines(self):
        with open(self.agent.log, encoding="utf-8", errors="replace") as file:
            return file.readlines()

    def report(self, category, text, photo=True):
        picture = ("--photo", self.photo) if photo else ()
        report = self.save("report", "--category", category, "--text", text, *picture, *self.place)
        wait_for(lambda: self.answer(report), 20, "the report's receipt came", self.agent)
        answer = self.answer(report)
        if "refused" in answer:
            raise Wrong("the report was " + answer.strip())
        return report

    def answer(self, record):
        return next((line for line in self.lines() if record in line and ("receipted" in line or "refused" in line)), None)

    def done(self, case_id, outcome, text, photo=True):
        def open_task():
            tasks = json.loads(self.command("task", "list", "--json"))
            return next((task for task in tasks if task["case"] == case_id and task["state"] == "open"), None)

        task = wait_for(open_task, 20, "the verify task reached the handheld", self.agent)
        picture = ("--photo", self.photo) if photo else ()
        self.save("task", "done", task["task"], "--outcome", outcome, "--text", text, *picture, *self.place)
        return task

    def told(self, case_id):
        """The progress of its case that it heard, in order."""
        out = {}
        for line in self.lines():
            found = re.search(r"down #(\d+) progress (\{.*\})", line)
            if found and (body := json.loads(found[2])).get("case") == case_id:
                out[int(found[1])] = body["text"]
        return [text for _, text in sorted(out.items())]


class World:
    def __init__(self, profile, database, folder, build_dir):
        self.profile, self.database, self.folder = profile, database, folder
        self.postgres = None
        self.clock_file = os.path.join(folder, "clock")
        self.offset = 0
        self.set_offset(0)
        self.people = {}
        self.stack = StoryStack(folder, build_dir, devices=2, mqtt_port=free_port())
        self.stack.server_config = {"policy.file": os.path.join(PROFILES, f"{profile}.json"), "test_clock_file": self.clock_file,
                                    "log.level": "info", "mqtt.resend_s": 2, "store.readers": 2}

    def start(self, at):
        if self.database == "postgresql":
            self.postgres = Postgres()
            self.stack.server_config["database.url"] = self.postgres.new_database("stories")
        self.set_time(at)
        self.stack.start()
        photo = self.stack.path("photo.jpg")
        run([self.stack.program("gridward-sim"), "draw", "--out", photo, "--seed", "1", "--size", "640x480"], "drawing a photograph")
        self.member = Field(self.stack, self.stack.handhelds[0], photo)
        self.member.reboot()

    def stop(self):
        clean = self.stack.stop()
        if self.postgres is not None:
            self.postgres.stop()
        return clean

    # -- time
    def set_offset(self, offset):
        write_private(self.clock_file, f"{offset}\n")
        self.offset = offset

    def now(self):
        return int(time.time() * 1000) + self.offset

    def set_time(self, text):
        ahead = unix_ms(text) - self.now()
        holds(f"time goes on: {text} is before {local(self.now())}", ahead >= -60_000 or self.offset == 0)
        if ahead < 0 and self.offset != 0:
            return  # that minute has begun
        self.set_offset(self.offset + ahead)

    def at(self, text):
        """It is that time of the county now, for the server too: it looks every 50 ms, and for clocks that are due every second."""
        far = unix_ms(text) - self.now() > 600_000
        self.set_time(text)
        time.sleep(1.3 if far else 0.07)

    # -- the server
    def stop_server(self):
        self.stack.children.remove(self.stack.server)
        holds("the server stopped when asked to", self.stack.server.stop())

    def start_server(self, profile=None):
        if profile is not None:
            self.stack.server_config["policy.file"] = profile
        self.stack.make_server_config()
        self.stack.start_server()
        self.people = {}

    def audit(self):
        out = run(self.stack.server_command("audit", "verify"), "audit verify")
        holds(f"audit verify: {out}", re.fullmatch(r"ok: \d+ cases\n", out))
        return out.strip()

    # -- people and cases
    def person(self, login):
        return self.people.setdefault(login, Person(self, login))

    def __getattr__(self, login):
        if login in ("town", "leader", "intake", "coord", "superv", "dleader", "insp", "gleader", "hotline_12345", "wechat_12345") or \
                re.fullmatch(r"u0\dl?|m\d{4}", login):
            return self.person(login)
        raise AttributeError(login)

    def case(self, case_id):
        """As the district sees it."""
        return self.coord.case(case_id if isinstance(case_id, str) else case_id["id"])

    def version(self, case_id):
        return self.case(case_id)["version"]

    def report(self, category, text, photo=False):
        """The member's handheld reports; the case as it lies in the town then."""
        case_id = self.member.report(category, text, photo)
        case = self.case(case_id)
        same("the reporter", case["reporter"]["login"], self.member.entry["member"])
        same("the grid", case["grid"], self.member.entry["grid"])
        return case

    def reached(self, case, step, seconds=20):
        wait_for(lambda: self.case(case)["step"] == step, seconds, f"the case was at {step}", self.stack.server)
        return self.case(case)

    def told(self, case, *texts):
        """The member's handheld heard exactly that of the case."""
        case_id = case if isinstance(case, str) else case["id"]
        end = time.monotonic() + 15
        while self.member.told(case_id) != list(texts) and time.monotonic() < end:
            time.sleep(0.05)
        same("what the member's handheld was told", self.member.told(case_id), list(texts))

    def events(self, case, *types):
        """These and no others, in this order, each with its hash in the chain."""
        case = self.case(case)
        same("the events", [event["type"] for event in case["events"]], list(types))
        hashes = [event["hash"] for event in case["events"]]
        holds("each event has its own hash", len(set(hashes)) == len(hashes) and all(len(h) == 64 for h in hashes))
        holds("each event has an actor", all(event["actor"]["login"] for event in case["events"]))
        return case

    def happened(self, case, action, count=1, seconds=10):
        """The clock's own events come within a second of the real time."""
        def there():
            found = self.case(case)
            return sum(event["type"] == action for event in found["events"]) >= count and found

        return wait_for(there, seconds, f"{action} was told of the case {count} times", self.stack.server)


def clock(case, name):
    """The last one of that name."""
    return next((row for row in reversed(case["clocks"]) if row["name"] == name), None)


def due(case, name):
    row = clock(case, name)
    return None if row is None else local(row["due"])


def running(case):
    """What runs now, by name: when it is due."""
    return {row["name"]: local(row["due"]) for row in case["clocks"] if row["ended"] is None}


def of_type(case, *actions):
    return [event for event in case["events"] if event["type"] in actions]


def without_scans(w, profile):
    """The profile, but for the files that a desk or a unit must attach, which the API cannot take yet. What a handheld must photograph
    stays asked for."""
    with open(os.path.join(PROFILES, f"{profile}.json"), encoding="utf-8") as file:
        policy = json.load(file)
    field = {"grid_member", "grid_leader", "inspector"}
    for process in policy["processes"].values():
        for move in process["moves"]:
            if "when" in move and not field & set(move["roles"]):
                move["when"] = [guard for guard in move["when"] if not guard.startswith("media:")]
                if not move["when"]:
                    del move["when"]
    shutil.copy(os.path.join(PROFILES, "holidays.json"), w.folder)
    path = os.path.join(w.folder, f"{profile}-without-scans.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(policy, file, ensure_ascii=False)
    return path


STORIES = {"binhai": [], "heyang": []}


def story(profile, title, start):
    """A story of a profile. They share one server, and time goes on: each begins at its own hour."""
    def keep(tell):
        STORIES[profile].append((start, title, tell))
        return tell
    return keep
