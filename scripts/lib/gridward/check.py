"""scripts/run --check: the main job once, from a photograph to a closed case, then both ends audited."""
import datetime
import glob
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

from .api import Refused
from .audit import audit
from .build import ROOT, say
from .procs import Failed, free_port, run, wait_for
from .stack import DEMO, Stack

SHARED = os.environ.get("GRIDWARD_SHARED_DATA") or os.path.join(ROOT, "..", "shared", "data")


def now_ms():
    return int(time.time() * 1000)


def inside(ring, lon, lat):
    hit = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:]):
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            hit = not hit
    return hit


def outline_of(code):
    with open(os.path.join(DEMO, "outlines.geojson"), encoding="utf-8") as file:
        for feature in json.load(file)["features"]:
            if feature["properties"]["code"] == code:
                return feature["geometry"]["coordinates"][0]
    raise Failed(f"the demo has no outline of {code}")


def middle_of(ring):
    lon = sum(p[0] for p in ring[:-1]) / (len(ring) - 1)
    lat = sum(p[1] for p in ring[:-1]) / (len(ring) - 1)
    return lon, lat


def has_fix(port):
    """Does this gpsd tell a position within two seconds?"""
    end = time.monotonic() + 2
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as link:
            link.sendall(b'?WATCH={"enable":true,"json":true};\n')
            heard = b""
            while time.monotonic() < end:
                more = link.recv(65536)
                if not more:
                    return False
                heard += more
                *lines, heard = heard.split(b"\n")
                for line in lines:
                    told = json.loads(line)
                    if told.get("class") == "TPV" and told.get("mode", 0) >= 2:
                        return True
    except OSError:
        pass
    return False


class Handheld:
    """A real gridward-device with its own receiver: a recorded log, moved to the grid and to now, through gpsfake."""

    def __init__(self, stack, entry):
        self.stack = stack
        self.entry = entry
        self.program = stack.program("gridward-device")
        self.saved = []

    def start_receiver(self, log):
        ring = outline_of(self.entry["grid"])
        lon, lat = middle_of(ring)
        moved = self.stack.path("receiver.nmea")
        text = run([self.stack.program("gridward-sim"), "nmea", "--log", log, "--to", f"{lat:.7f},{lon:.7f}"], "moving the receiver log")
        with open(moved, "w", encoding="latin-1") as file:
            file.write(text)
        port = free_port()
        environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
        receiver = self.stack.spawn("gpsfake", ["gpsfake", "-q", "-n", "-c", "0.25", "-P", str(port), moved], "gpsfake.log", env=environment)
        # gpsd answers before its receiver has been recognised, and a report without a position lies in no grid.
        wait_for(lambda: has_fix(port), 90, "the receiver had a position", receiver)
        self.stack.own_config[self.entry["device"]] = {"gpsd_host": "127.0.0.1", "gpsd_port": port, "position_wait_ms": 15000,
                               "track_interval_ms": 1000, "track_batch_ms": 4000}
        self.stack.write_device_config(self.entry)

    def start_agent(self):
        self.agent = self.stack.spawn(f"handheld {self.entry['device']}", [self.program, "--config", self.entry["config"], "--lang", "en",
                                                                         "run"], f"{self.entry['device']}.log")
        wait_for(lambda: "connected" in self.agent.tail(200), 20, "the handheld was connected", self.agent)

    def command(self, *words):
        return run([self.program, "--config", self.entry["config"], "--lang", "en", *words], f"gridward-device {words[0]}")

    def save(self, *words):
        out = self.command(*words)
        if not out.startswith("saved "):
            raise Failed(f"gridward-device {words[0]} did not say saved: {out}")
        self.saved.append(out.split()[1])
        return self.saved[-1]

    def status(self):
        return json.loads(self.command("status", "--json"))

    def drained(self):
        status = self.status()
        return status["waiting_records"] == 0 and status["waiting_media"] == 0 and status["pending_points"] == 0


class Facts:
    """What was looked at, each with its outcome."""

    def __init__(self):
        self.failed = []
        self.count = 0

    def hold(self, ok, text):
        self.count += 1
        if not ok:
            self.failed.append(text)
        say(f"  {'yes' if ok else 'NO'}: {text}")
        return ok


def pictures(stack, folder):
    """Two photographs: real ones where they are, else drawn."""
    real = sorted(glob.glob(os.path.join(SHARED, "photos", "*.jpg")), key=os.path.getsize)
    if len(real) >= 2:
        return real[-1], real[-2]
    os.makedirs(folder, exist_ok=True)
    drawn = [os.path.join(folder, name) for name in ("before.jpg", "after.jpg")]
    for n, path in enumerate(drawn):
        run([stack.program("gridward-sim"), "draw", "--out", path, "--seed", str(n + 1)], "drawing a photo")
    return drawn


def receiver_log(stack):
    logs = [os.path.join(SHARED, "nmea", name) for name in ("gpsd__quectel-eg25-g.log", "gpsd__garmin-geko201.log")]
    return next((log for log in logs if os.path.exists(log)), None)


class Watch:
    """Listens to the live push as an open page does, and notes when each case was first told of."""

    def __init__(self, api):
        self.first = {}
        self.kinds = set()
        self.thread = threading.Thread(target=self.listen, args=(api,), daemon=True)
        self.thread.start()

    def listen(self, api):
        while True:
            try:
                for _, data in api.live():
                    self.kinds.add(data.get("kind"))
                    self.first.setdefault(data.get("id"), now_ms())
            except (OSError, Refused, ValueError):
                pass
            time.sleep(0.1)


def story(stack, facts):
    operator, unit = stack.login("operator"), stack.login("unit")
    me = operator.get("/api/me")
    category = me["policy"]["categories"][0]["code"]
    day = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).strftime("%Y-%m-%d")
    watch = Watch(stack.login("operator"))
    handheld = Handheld(stack, stack.handhelds[0])
    member, grid = handheld.entry["member"], handheld.entry["grid"]
    ring = outline_of(grid)
    before, after = pictures(stack, stack.path("pictures"))

    say(f"Handheld {handheld.entry['device']} of {member}: receiver, sign-in, patrol")
    log = receiver_log(stack)
    if log:
        handheld.start_receiver(log)
        position = ()
    else:
        say(f"  no receiver log in {SHARED}: positions are given by hand, no track is drawn")
        lon, lat = middle_of(ring)
        position = ("--position", f"{lat:.7f},{lon:.7f}")
    handheld.start_agent()
    handheld.save("sign-in", *position)
    handheld.save("patrol", "start", *position)

    say(f"Report with {os.path.basename(before)}")
    report = handheld.save("report", "--category", category, "--text", "路面井盖破损，影响通行", "--photo", before, *position)

    def receipted():
        with open(handheld.agent.log, encoding="utf-8", errors="replace") as file:
            return f"receipted {report}" in file.read()

    wait_for(receipted, 20, "the report's receipt came")
    at_receipt = now_ms()
    row = wait_for(lambda: next(iter(operator.get("/api/cases", grid=grid)["cases"]), None), 10, "the case was in the list")
    case_id = row["id"]
    wait_for(lambda: case_id in watch.first, 10, "the page was told")
    delay = watch.first[case_id] - at_receipt
    facts.hold(delay <= 1000, f"an open page was told of case {row['number']} {max(delay, 0)} ms after its receipt")
    facts.hold(row["grid"] == grid, "the case stands in the member's grid")
    place = row.get("place")
    facts.hold(bool(place) and inside(ring, place["lon"], place["lat"]), "its position is inside the grid's outline")

    def case():
        return operator.get(f"/api/cases/{case_id}")

    say("Town centre: accept, transfer; unit: take, handle, feedback")
    operator.act(case(), "accept", note="情况属实，予以受理")
    operator.act(case(), "transfer", unit=stack.accounts["all"][stack.accounts["unit"]["login"]]["org"], note="请尽快处置")
    unit.act(unit.get(f"/api/cases/{case_id}"), "take")
    unit.act(unit.get(f"/api/cases/{case_id}"), "handle", note="已更换井盖")
    unit.act(unit.get(f"/api/cases/{case_id}"), "feedback", note="处置完毕", result_kind="handled")
    if "request_verify" in operator.possible(case()):
        operator.act(case(), "request_verify", note="请到现场核查")

    say("Handheld: the verify task comes down and is done with an after-photo")

    def task():
        tasks = json.loads(handheld.command("task", "list", "--json"))
        return next((t for t in tasks if t["case"] == case_id and t["state"] == "open"), None)

    found = wait_for(task, 20, "the verify task reached the handheld", handheld.agent)
    handheld.save("task", "done", found["task"], "--outcome", "confirmed", "--text", "现场已恢复", "--photo", after, *position)
    wait_for(lambda: case()["stage"] == "verified", 20, "the case was verified", handheld.agent)

    # The member goes off duty while the receiver keeps talking.
    if log:
        wait_for(lambda: track_points(operator, member, day), 30, "a track reached the server", handheld.agent)
    handheld.save("patrol", "stop", "--text", "沿村主路巡查一遍", "--check", "井盖=bad:已上报", "--check", "路灯=ok", *position)
    handheld.save("sign-out", *position)
    wait_for(handheld.drained, 90, "the handheld had sent everything", handheld.agent)
    signed_out = max(p["at"] for p in operator.get(f"/api/duty/{member}", day=day)["punches"] if p["act"] == "out")
    points = track_points(operator, member, day)
    if log:
        time.sleep(6)  # longer than a batch: a point taken now would have come
        wait_for(handheld.drained, 20, "the handheld had sent everything", handheld.agent)
        later = track_points(operator, member, day)
        facts.hold(len(later) == len(points) and all(p[0] <= signed_out for p in later),
                   f"{len(points)} track points, none after the sign-out")
        facts.hold(all(inside(ring, p[2], p[1]) for p in points), "the track lies in the grid")

    say("Town centre: close")
    wait_for(lambda: all(m["status"] == "derived" for m in case()["media"]) and case()["media"], 60, "previews were made")
    closed = operator.act(case(), "close", note="核查通过，予以结案", closing_basis="handled")
    final = case()
    facts.hold(final["stage"] in ("closed", "assessed"), f"the case is {final['stage']}")
    facts.hold(final["fields"].get("on_time") is True, "it was assessed: on time")
    kept = [clock for clock in final["clocks"] if clock["name"] == "handle"]
    facts.hold(len(kept) == 1 and kept[0]["kept"] is True and kept[0]["article"] != "", "its clock was kept, and names its article")
    steps = [e["type"] for e in final["events"]]
    say("  timeline: " + " → ".join(steps))
    facts.hold(all(e["actor"]["login"] and e["at"] for e in final["events"]), "every step of the timeline has actor and time")
    facts.hold(len({e["hash"] for e in final["events"]}) == len(steps), "every step has its own hash in the chain")
    after_photos = [m for m in final["media"] if m["role"] == "after"]
    facts.hold(len(after_photos) == 1 and len(final["media"]) == 2, "the case holds the scene photo and the after-photo")
    for size in ("preview", "thumb", "original"):
        for media in final["media"]:
            image = operator.request("GET", f"/api/photos/{media['sha256']}/{size}")
            facts.hold(image[:3] == b"\xff\xd8\xff" and (size == "original" or b"Exif\0\0" not in image[:65536]),
                       f"{size} of the {media['role']} photo: {len(image)} bytes of JPEG" + ("" if size == "original" else ", no EXIF"))
    try:
        unit.request("GET", f"/api/photos/{final['media'][0]['sha256']}/original")
        facts.hold(False, "the sealed original is not given to a unit")
    except Refused as refused:
        facts.hold(refused.status in (403, 404), "the sealed original is not given to a unit")

    duty = operator.get(f"/api/duty/{member}", day=day)
    acts = [p["act"] for p in duty["punches"]]
    facts.hold(acts == ["in", "out"], "the duty page has the sign-in and the sign-out")
    facts.hold(all(p["place"] in ("inside", "near_edge") for p in duty["punches"]), "both inside the grid")
    facts.hold(len(duty["patrols"]) == 1 and len(duty["patrols"][0]["checks"]) == 2, "the patrol's log has its check items")
    return 1 if closed["stage"] in ("closed", "assessed") or final["stage"] in ("closed", "assessed") else 0


def track_points(api, member, day):
    return [p for track in api.get(f"/api/duty/{member}", day=day)["tracks"] for p in track["points"]]


def main(args, build_dir, web_dir):
    begin = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    folder = args.data or tempfile.mkdtemp(prefix="gridward-check-")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o711)  # the broker's own user has to get through to its folder
    stack = Stack(folder, build_dir, web_dir, devices=max(2, args.devices), port=args.port, mqtt_port=free_port())
    facts = Facts()
    closed = 0
    result = {}
    try:
        say(f"Starting in {folder}")
        stack.start()
        say(f"  broker and server are up at {stack.url} ({time.monotonic() - begin:.1f} s)")
        fleet = start_fleet(stack)
        crash(stack, fleet)
        closed = story(stack, facts)
        finish_fleet(stack, fleet, facts)
        say("Audit of both ends")
        api = stack.login("operator")
        rows = list(api.cases())
        result = audit(stack)
        facts.hold(result["created"] > 0 and result["lost"] == 0, f"{result['created']} saved records, {result['lost']} lost")
        facts.hold(result["duplicated"] == 0, f"{result['duplicated']} counted twice")
        facts.hold(result["refused"] == 0, f"{result['refused']} refused")
        facts.hold(0 < result["photos_created"] == result["photos_verified"] and result["derivatives_missing"] == 0,
                   f"{result['photos_verified']} of {result['photos_created']} photos sealed under their hash, with preview and thumbnail")
        facts.hold(result["down_applied"] == result["down_sent"] > 0 and result["down_doubled"] == 0,
                   f"{result['down_applied']} of {result['down_sent']} items came down, none twice")
        facts.hold(len(rows) == result["reports"], f"{len(rows)} cases in the list for {result['reports']} reports")
    except (Failed, Refused, OSError) as problem:
        facts.hold(False, str(problem))
    except KeyboardInterrupt:
        facts.hold(False, "interrupted")
    finally:
        if stack.children and not stack.stop():
            facts.hold(False, "everything stopped when asked to")
    problems = result.pop("problems", []) if result else []
    for problem in problems[:20]:
        say("  " + problem)
    held = not facts.failed and closed > 0
    if held and not args.data:
        stack.remove()
    elif not held:
        say(f"What is left to look at: {folder}")
        for name in sorted(glob.glob(os.path.join(folder, "logs", "*.log"))):
            say(f"--- {os.path.basename(name)}")
            with open(name, encoding="utf-8", errors="replace") as file:
                say("".join(file.readlines()[-12:]).rstrip())
    line = {"reports": 0, "photos_verified": 0, "closed": closed, "lost": -1, "duplicated": -1, **result,
            "facts": facts.count, "failed": facts.failed, "seconds": round(time.monotonic() - begin, 1), "held": held}
    print(json.dumps(line, ensure_ascii=False), flush=True)
    return 0 if held else 1


FLEET = {"start_within_s": 0.5, "report_min_s": 1, "report_max_s": 2, "max_reports": 3, "photos": 1}


def start_fleet(stack):
    """Other handhelds report at the same time, so that the story is not told in an empty room."""
    fleet = stack.start_fleet(stack.handhelds[1:], FLEET, drain=60, photos=("2000x1500",) * 3)
    return fleet


def crash(stack, fleet):
    """The server dies in the middle of it, without a goodbye, and comes back."""
    api = stack.login("operator")
    wait_for(lambda: api.get("/api/cases")["total"] >= 2, 60, "the first cases of the fleet were there", fleet)
    stack.kill(stack.server)
    time.sleep(1)
    stack.start_server()
    say("  the server was killed with -9 while handhelds reported, and started again")


def finish_fleet(stack, fleet, facts):
    say("The simulated handhelds sign out and send what is left")
    fleet.send_signal(signal.SIGTERM)
    try:
        fleet.wait(90)
    except subprocess.TimeoutExpired:
        raise Failed("the simulated handhelds did not come to an end\n" + fleet.tail()) from None
    stack.children.remove(fleet)
    facts.hold(fleet.returncode == 0, f"{len(stack.handhelds) - 1} simulated handhelds have nothing left to send")
    if fleet.returncode != 0:
        say(fleet.tail())
