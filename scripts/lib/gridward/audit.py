"""Both ends held against each other: what the handhelds called saved, and what the server has. Read-only."""
import collections
import glob
import hashlib
import os
import re
import sqlite3

DERIVED = 3  # MediaStatus of server/app
WAITING, REFUSED = 0, 2  # states in the outbox, of records and of photos
DOWN_KEPT = 500  # acknowledged items that an outbox keeps


def open_readonly(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    db.text_factory = bytes
    return db


def plain(value):
    """An id or hash as hexadecimal digits, whether it is kept as bytes, as hexadecimal text or as a written UUID."""
    value = bytes(value)
    if len(value) in (16, 32) and not re.fullmatch(rb"[0-9a-f-]+", value):
        return value.hex()
    return value.decode().replace("-", "")


class Outbox:
    """One handheld's own account of itself."""

    def __init__(self, device, path):
        self.device = device
        with open_readonly(path) as db:
            meta = {key.decode(): value for key, value in db.execute("SELECT key, value FROM meta")}
            self.epoch = plain(meta["epoch"]) if "epoch" in meta else ""
            self.next_seq = meta.get("next_seq", 1)
            self.ack = meta.get("down_ack", 0)
            self.records = {plain(row[0]): (row[1].decode(), hashlib.sha256(row[2]).hexdigest(), row[3])
                            for row in db.execute("SELECT id, kind, bytes, state FROM record")}
            self.photos = {plain(row[0]): row[1] for row in db.execute("SELECT sha, state FROM media")}
            self.links = {(plain(row[0]), plain(row[1])) for row in
                          db.execute("SELECT id, sha FROM record JOIN record_media USING (seq)")}
            self.down = {row[0] for row in db.execute("SELECT n FROM down")}
            self.tasks = {plain(row[0]) for row in db.execute("SELECT id FROM task")}
        db.close()


def outboxes(handhelds):
    for handheld in handhelds:
        for path in glob.glob(os.path.join(handheld["folder"], "outbox", "*.db")):
            yield Outbox(handheld["device"], path)


class Witness:
    """What the simulator was told, kept beside the outboxes: an outbox that lost a record cannot hide it here."""

    def __init__(self, files):
        self.records = {}  # (device, epoch, id): kind
        self.links = set()
        self.down = collections.Counter()
        self.doubled = []
        for path in files:
            with open(path, encoding="utf-8") as file:
                for line in file:
                    word = line.split()
                    if not line.endswith("\n"):
                        continue  # cut by a kill: nobody had been told
                    if word[0] == "saved":
                        key = (word[1], plain(word[2].encode()), plain(word[3].encode()))
                        if key in self.records:
                            self.doubled.append(key)
                        self.records[key] = word[5]
                        self.links.update((key[2], sha) for sha in (word[6].split(",") if len(word) > 6 else ()))
                    elif word[0] == "down":
                        self.down[(word[1], word[2], int(word[3]))] += 1


class Audit:
    def __init__(self, stack, witness, restored):
        self.stack = stack
        self.witness = witness
        self.restored = restored
        self.out = {key: 0 for key in (
            "created", "stored", "reports", "refused", "undone_results", "waiting", "lost", "duplicated", "photos_created", "photos_verified",
            "photos_refused", "derivatives_missing", "down_sent", "down_applied", "down_lost", "down_doubled", "jobs_left", "parts_left")}
        self.problems = []

    def tell(self, text):
        self.problems.append(text)

    def lost(self, text, count=1):
        self.out["lost"] += count
        self.tell(text)

    def doubled(self, text, count=1):
        self.out["duplicated"] += count
        self.tell(text)

    def run(self):
        server = self.stack.path("server")
        self.db = open_readonly(next(iter(glob.glob(os.path.join(server, "*.db")))))
        self.boxes = list(outboxes(self.stack.handhelds))
        self.records()
        self.effects()
        self.streams()
        self.photos(os.path.join(server, "photos"))
        self.down()
        for table in ("photo_jobs", "signature_jobs"):
            self.out["jobs_left"] += self.db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        if self.out["jobs_left"]:
            self.tell(f"{self.out['jobs_left']} jobs are not done")
        self.db.close()
        return {**self.out, "problems": self.problems}

    # -- every record of both accounts, with its bytes
    def records(self):
        stored = collections.defaultdict(list)
        for device, epoch, record, digest, kind in self.db.execute(
                "SELECT device, epoch, id, hash, kind FROM records JOIN streams USING (stream)"):
            stored[(device.decode(), plain(epoch), plain(record))].append((plain(digest), kind.decode()))
        self.out["stored"] = sum(len(rows) for rows in stored.values())
        created = {}  # key: (kind, digest or None)
        self.accepted = collections.defaultdict(set)  # by kind
        for box in self.boxes:
            for record, (kind, digest, state) in box.records.items():
                created[(box.device, box.epoch, record)] = (kind, digest)
                if state == REFUSED and kind == "task_result" and self.restored:
                    self.out["undone_results"] += 1
                elif state == REFUSED:
                    self.out["refused"] += 1
                    self.tell(f"{box.device}: {kind} {record} was refused by the server")
                elif state == WAITING:
                    self.out["waiting"] += 1
                    self.tell(f"{box.device}: {kind} {record} still waits")
        for key, kind in self.witness.records.items():
            created.setdefault(key, (kind, None))
        for key in self.witness.doubled:
            self.doubled(f"{key[0]}: {key[2]} was called saved twice")
        states = {(box.device, box.epoch, record): row[2] for box in self.boxes for record, row in box.records.items()}
        for key, (kind, digest) in created.items():
            self.out["created"] += 1
            found = stored.pop(key, [])
            if states.get(key) == REFUSED or (not found and states.get(key) == WAITING):
                continue
            if not found:
                self.lost(f"{key[0]}: {kind} {key[2]} is not on the server")
            elif digest and found[0][0] != digest:
                self.lost(f"{key[0]}: {kind} {key[2]} has other bytes on the server")
            else:
                self.accepted[kind].add(key[2])
            if len(found) > 1:
                self.doubled(f"{key[0]}: {kind} {key[2]} is on the server {len(found)} times", len(found) - 1)
        if not self.witness.records:
            return  # then what an outbox has forgotten is known to nobody
        for key, found in stored.items():
            # The agent's own records have no witness, and an outbox may have forgotten them when its disk was full.
            if found[0][1] not in ("status", "track", "patrol"):
                self.doubled(f"{key[0]}: {key[2]} is on the server and nobody made it")

    # -- each has had its effect, and once
    def effects(self):
        self.out["reports"] = len(self.accepted["report"])
        self.each_once("case", self.accepted["report"], "SELECT id FROM cases")
        self.each_once("first event", self.accepted["report"], "SELECT case_id FROM case_events WHERE n = 1")
        self.each_once("punch", self.accepted["sign"], "SELECT record FROM punches")
        for record, count in self.db.execute("SELECT record, COUNT(*) FROM tracks GROUP BY record HAVING COUNT(*) > 1"):
            self.doubled(f"track {plain(record)} is there {count} times", count - 1)
        held = self.db.execute("SELECT COUNT(*) FROM records WHERE held <> 0").fetchone()[0]
        if held:
            self.lost(f"{held} tracks still wait for records before them", held)
        verified = self.db.execute("SELECT COUNT(*) FROM case_events WHERE type = 'verify'").fetchone()[0]
        results = len(self.accepted["task_result"])
        if verified < results:
            self.lost(f"{results} task results, {verified} verified cases", results - verified)
        elif verified > results:
            self.doubled(f"{results} task results, {verified} verified cases", verified - results)

    def each_once(self, what, records, query):
        found = collections.Counter(plain(row[0]) for row in self.db.execute(query))
        for record in records - found.keys():
            self.lost(f"{record} has no {what}")
        for record, count in found.items():
            if record not in records:
                self.doubled(f"a {what} of {record}, which nobody made", count)
            elif count > 1:
                self.doubled(f"{record} has {count} times a {what}", count - 1)

    # -- also of what neither account still has: no number is missing
    def streams(self):
        rows = {(device.decode(), plain(epoch)): (contiguous, newest) for device, epoch, contiguous, newest in
                self.db.execute("SELECT device, epoch, contiguous, newest FROM streams")}
        for box in self.boxes:
            contiguous, newest = rows.get((box.device, box.epoch), (0, 0))
            if contiguous < box.next_seq - 1 and not any(row[2] != 1 for row in box.records.values()):
                self.lost(f"{box.device}: numbered up to {box.next_seq - 1}, the server has all up to {contiguous} and at most {newest}",
                          box.next_seq - 1 - contiguous)

    # -- photos: sealed under their hash, with what is made of them, and named by their records
    def photos(self, folder):
        created, waiting = set(), set()
        for box in self.boxes:
            # What belongs to refused records only is not sent.
            needed = {sha for record, sha in box.links if box.records[record][2] != REFUSED}
            for sha, state in box.photos.items():
                if sha not in needed:
                    continue
                if state == REFUSED:
                    self.out["photos_refused"] += 1
                    self.tell(f"{box.device}: photo {sha} was refused by the server")
                elif state == WAITING:
                    self.out["waiting"] += 1
                    waiting.add(sha)
                    self.tell(f"{box.device}: photo {sha} still waits")
                created.add(sha)
        links = {(record, sha) for record, sha in set(self.witness.links).union(*(box.links for box in self.boxes))
                 if any(record in ids for ids in self.accepted.values())}
        created |= {sha for _, sha in links}
        status = {plain(row[0]): row[1] for row in self.db.execute("SELECT sha256, status FROM media")}
        for sha in sorted(created):
            self.out["photos_created"] += 1
            digest = digest_of(os.path.join(folder, "original", sha[:2], sha))
            if digest is None and sha in waiting:
                continue
            if digest != sha:
                self.lost(f"photo {sha}: the sealed original is missing or has other bytes")
                continue
            self.out["photos_verified"] += 1
            missing = [size for size in ("preview", "thumb") if not whole_jpeg(os.path.join(folder, size, sha[:2], sha + ".jpg"))]
            if status.get(sha) != DERIVED or missing:
                self.out["derivatives_missing"] += 1
                self.tell(f"photo {sha}: status {status.get(sha)}, without {' and '.join(missing) or 'nothing'}")
        self.out["parts_left"] = sum(len(os.listdir(os.path.join(folder, name))) for name in ("part", "tmp"))
        if self.out["parts_left"]:
            self.tell(f"{self.out['parts_left']} files are left of photos that came or were derived")
        there = {(plain(row[0]), plain(row[1])) for row in self.db.execute("SELECT id, sha256 FROM media_links JOIN records USING (record) JOIN media USING (media)")}
        for record, sha in sorted(links - there):
            self.lost(f"photo {sha} is not named by its record {record}")

    # -- what was numbered for each handheld has been stored there, each once
    def down(self):
        sent = {row[0].decode()[5:]: row[1] for row in self.db.execute("SELECT name, n FROM counters WHERE name LIKE 'down/%'")}
        tasks = collections.defaultdict(set)
        for task, device in self.db.execute("SELECT id, device FROM verify_tasks"):
            tasks[device.decode()].add(plain(task))
        for box in self.boxes:
            count = sent.get(box.device, 0)
            self.out["down_sent"] += count
            missing = [n for n in range(1, count + 1) if n not in box.down and n > box.ack - DOWN_KEPT]
            self.out["down_applied"] += count - len(missing)
            for n in missing:
                self.out["down_lost"] += 1
                self.tell(f"{box.device}: item {n} of {count} never came down")
            # A restored server counts on from what the handheld tells it, when it has something to send.
            for n in sorted(box.down if not self.restored else ()):
                if n > count:
                    self.out["down_doubled"] += 1
                    self.tell(f"{box.device}: item {n} came down, of {count}")
            for task in tasks[box.device] - box.tasks:
                self.out["down_lost"] += 1
                self.tell(f"{box.device}: task {task} never came down")
        for (device, _, n), count in self.witness.down.items():
            if count > 1:
                self.out["down_doubled"] += count - 1
                self.tell(f"{device}: item {n} was shown {count} times")


def audit(stack, witness_files=(), restored=False):
    """Counts, and a sentence for everything that is not as it should be. `witness_files`: of gridward-sim. `restored`: the server was,
    so what the desk did after the backup is gone; a result of a task that it had given then is refused, and nothing is wrong."""
    return Audit(stack, Witness(witness_files), restored).run()


def held(result):
    """Nothing lost, doubled, missing or left over."""
    return result["created"] > 0 and not any(result[key] for key in (
        "waiting", "lost", "duplicated", "refused", "photos_refused", "derivatives_missing", "down_lost", "down_doubled", "jobs_left", "parts_left"))


def whole_jpeg(path):
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return False
    return data.startswith(b"\xff\xd8\xff") and data.rstrip(b"\0").endswith(b"\xff\xd9")


def digest_of(path):
    sha = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                sha.update(block)
    except OSError:
        return None
    return sha.hexdigest()
