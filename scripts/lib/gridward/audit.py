"""Both ends held against each other: what the handhelds called saved, and what the server has. Read-only."""
import collections
import glob
import hashlib
import os
import re
import sqlite3

DERIVED = 3  # MediaStatus of server/app
WAITING, DONE, REFUSED = 0, 1, 2  # states in the outbox, of records and of photos
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
            self.records = {row[0]: (plain(row[1]), row[2].decode(), hashlib.sha256(row[3]).hexdigest(), row[4])
                            for row in db.execute("SELECT seq, id, kind, bytes, state FROM record")}
            self.photos = {plain(row[0]): row[1] for row in db.execute("SELECT sha, state FROM media")}
            self.links = {(plain(row[0]), plain(row[1])) for row in
                          db.execute("SELECT id, sha FROM record JOIN record_media USING (seq) WHERE state <> ?", (REFUSED,))}
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
        self.records = {}  # (device, epoch, number): (id, kind)
        self.links = set()
        self.down = collections.Counter()
        for path in files:
            with open(path, encoding="utf-8") as file:
                for line in file:
                    word = line.split()
                    if not line.endswith("\n"):
                        continue  # cut by a kill: nobody had been told
                    if word[0] == "saved":
                        record = plain(word[3].encode())
                        self.records.setdefault((word[1], plain(word[2].encode()), int(word[4])), (record, word[5]))
                        self.links.update((record, sha) for sha in (word[6].split(",") if len(word) > 6 else ()))
                    elif word[0] == "down":
                        self.down[(word[1], word[2], word[5], int(word[3]))] += 1  # a restored store numbers anew


class Audit:
    def __init__(self, stack, witness, restored, short):
        self.stack = stack
        self.witness = witness
        self.restored = restored
        self.short = set(short)
        self.makers = {}  # record: device
        self.out = {key: 0 for key in (
            "created", "stored", "reports", "refused", "undone_results", "given_up", "waiting", "lost", "duplicated", "photos_created", "photos_verified",
            "photos_refused", "derivatives_missing", "down_sent", "down_applied", "down_lost", "down_doubled", "jobs_left", "parts_left")}
        self.problems = []

    def tell(self, text):
        self.problems.append(text)

    def lost(self, text, count=1, device=None):
        # A handheld whose disk is full gives up what the server has; a server that is then restored to before does not have it.
        given_up = self.restored and device in self.short
        self.out["given_up" if given_up else "lost"] += count
        self.tell(text + (" (given up for room)" if given_up else ""))

    def doubled(self, text, count=1):
        self.out["duplicated"] += count
        self.tell(text)

    def run(self):
        server = self.stack.path("server")
        self.db = open_readonly(next(iter(glob.glob(os.path.join(server, "*.db")))))
        self.boxes = list(outboxes(self.stack.handhelds))
        self.records()
        self.effects()
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
        stored = {}
        for device, epoch, seq, record, digest, kind, refused in self.db.execute(
                "SELECT device, epoch, seq, id, hash, kind, refused_code FROM records JOIN streams USING (stream)"):
            stored[(device.decode(), plain(epoch), seq)] = (plain(record), kind.decode(), plain(digest), refused)
        self.out["stored"] = len(stored)
        for record, count in collections.Counter((key[0], row[0]) for key, row in stored.items()).items():
            if count > 1:
                self.doubled(f"{record[0]}: {record[1]} is on the server {count} times", count - 1)
        # Every number that an outbox gave is a record; what it was is told by the outbox, as long as it has it, and the witness.
        created = {(box.device, box.epoch, seq): None for box in self.boxes for seq in range(1, box.next_seq)}
        for box in self.boxes:
            created.update({(box.device, box.epoch, seq): row for seq, row in box.records.items()})
        for key, (record, kind) in self.witness.records.items():
            known = created.get(key)
            if known and known[0] != record:
                self.lost(f"{key[0]}: {kind} {record} was called saved as number {key[2]}, which is another record in the outbox")
            created[key] = known or (record, kind, None, DONE)
        self.out["created"] = len(created)
        self.accepted = collections.defaultdict(set)  # by kind
        for key, known in created.items():
            row = stored.pop(key, None)
            # Captured, and its process killed before anybody was told; or forgotten by now: then only the server knows what it was.
            record, kind, digest, state = known or (row[0], row[1], None, DONE) if row or known else (None, "record", None, DONE)
            name = f"{key[0]}: {kind} {record or ''} (number {key[2]})"
            self.makers[record] = key[0]
            if state == REFUSED:
                undone = kind == "task_result" and self.restored
                self.out["undone_results" if undone else "refused"] += 1
                if not undone:
                    self.tell(f"{name} was refused by the server")
            elif state == WAITING:
                self.out["waiting"] += 1
                self.tell(f"{name} still waits")
            elif row is None:
                self.lost(f"{name} is not on the server", device=key[0])
            elif row[0] != record or (digest and row[2] != digest):
                self.lost(f"{name} is another one on the server")
            elif row[3]:
                self.lost(f"{name} counts as refused on the server and as taken in the outbox")
            if row is not None and state != REFUSED and not row[3]:
                self.accepted[kind].add(record)
        for key, row in stored.items():
            if any(box.device == key[0] for box in self.boxes):
                self.doubled(f"{key[0]}: {row[1]} {row[0]} is on the server as number {key[2]}, which was never given")

    # -- each has had its effect, and once
    def effects(self):
        self.out["reports"] = len(self.accepted["report"])
        self.each_once("case", self.accepted["report"], "SELECT id FROM cases")
        self.each_once("first event", self.accepted["report"], "SELECT case_id FROM case_events WHERE n = 1")
        self.each_once("punch", self.accepted["sign"], "SELECT record FROM punches")
        for record, count in self.db.execute("SELECT record, COUNT(*) FROM tracks GROUP BY record HAVING COUNT(*) > 1"):
            self.doubled(f"track {plain(record)} is there {count} times", count - 1)
        for device, held in self.db.execute(
                "SELECT device, COUNT(*) FROM records JOIN streams USING (stream) WHERE held <> 0 GROUP BY device"):
            self.lost(f"{device.decode()}: {held} tracks still wait for records before them", held, device.decode())
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

    # -- photos: sealed under their hash, with what is made of them, and named by their records
    def photos(self, folder):
        created, waiting = set(), set()
        for box in self.boxes:
            needed = {sha for _, sha in box.links}  # what belongs to refused records only is not sent
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
                owners = {self.makers.get(record) for record, named in links if named == sha}
                self.lost(f"photo {sha}: the sealed original is missing or has other bytes",
                          device=next(iter(owners)) if len(owners) == 1 else None)
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
        for (device, _, _, n), count in self.witness.down.items():
            if count > 1:
                self.out["down_doubled"] += count - 1
                self.tell(f"{device}: item {n} was shown {count} times")


def audit(stack, witness_files=(), restored=False, short=()):
    """Counts, and a sentence for everything that is not as it should be. `witness_files`: of gridward-sim. `restored`: the server was,
    so what the desk did after the backup is gone; a result of a task that it had given then is refused, and nothing is wrong. `short`: handhelds whose disk was full."""
    return Audit(stack, Witness(witness_files), restored, short).run()


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
