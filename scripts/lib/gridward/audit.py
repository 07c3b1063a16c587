"""Both ends held against each other: what the handhelds called saved, and what the server has. Read-only."""
import glob
import hashlib
import os
import re
import sqlite3

DERIVED = 3  # MediaStatus of server/app
REFUSED_RECORD = 2  # state in the outbox
REFUSED_MEDIA = 4


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


def outboxes(handhelds):
    """(device, epoch, records, photos) of each: records {id: (kind, hash, state)}, photos {sha256: state}."""
    for handheld in handhelds:
        for path in glob.glob(os.path.join(handheld["folder"], "outbox", "*.db")):
            with open_readonly(path) as db:
                epoch = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
                records = {plain(row[0]): (row[1].decode(), hashlib.sha256(row[2]).hexdigest(), row[3])
                           for row in db.execute("SELECT id, kind, bytes, state FROM record")}
                photos = {plain(row[0]): row[1] for row in db.execute("SELECT sha, state FROM media")}
            db.close()
            yield handheld["device"], plain(epoch[0]) if epoch else "", records, photos


def audit(stack):
    server = stack.path("server")
    path = next((p for p in glob.glob(os.path.join(server, "*.db"))), None)
    out = {"records": 0, "reports": 0, "refused": 0, "lost": 0, "duplicated": 0, "photos": 0, "photos_derived": 0,
           "photos_refused": 0, "photos_lost": 0, "problems": []}
    tell = out["problems"].append
    db = open_readonly(path)
    stored = {}
    for device, epoch, record, digest, refused in db.execute(
            "SELECT device, epoch, id, hash, refused_code FROM records JOIN streams USING (stream)"):
        key = (device.decode(), plain(epoch), plain(record))
        stored.setdefault(key, []).append((plain(digest), refused))
    reports = set()
    photos = set()
    for device, epoch, records, media in outboxes(stack.handhelds):
        for record, (kind, digest, state) in records.items():
            out["records"] += 1
            found = stored.get((device, epoch, record), [])
            if state == REFUSED_RECORD:
                out["refused"] += 1
                tell(f"{device}: {kind} {record} was refused by the server")
                continue
            if not found:
                out["lost"] += 1
                tell(f"{device}: {kind} {record} is not on the server")
            elif found[0][0] != digest:
                out["lost"] += 1
                tell(f"{device}: {kind} {record} has other bytes on the server")
            elif kind == "report":
                out["reports"] += 1
                reports.add(record)
            out["duplicated"] += max(0, len(found) - 1)
        for sha, state in media.items():
            if state == REFUSED_MEDIA:
                out["photos_refused"] += 1
            else:
                photos.add(sha)

    # A record may have had its effect only once.
    for table, column in (("punches", "record"), ("tracks", "record")):
        for record, count in db.execute(f"SELECT {column}, COUNT(*) FROM {table} GROUP BY {column} HAVING COUNT(*) > 1"):
            out["duplicated"] += count - 1
            tell(f"{plain(record)} is {count} times in {table}")
    cases = {plain(row[0]) for row in db.execute("SELECT id FROM cases")}
    opened = db.execute("SELECT COUNT(*) FROM case_events WHERE n = 1").fetchone()[0]
    if len(cases) != opened:
        tell(f"{len(cases)} cases but {opened} first events")
        out["lost"] += abs(len(cases) - opened)
    if len(cases) > len(reports):
        out["duplicated"] += len(cases) - len(reports)
        tell(f"{len(cases)} cases from {len(reports)} reports")
    elif len(cases) < len(reports):
        out["lost"] += len(reports) - len(cases)
        tell(f"only {len(cases)} cases from {len(reports)} reports")

    status = {plain(row[0]): row[1] for row in db.execute("SELECT sha256, status FROM media")}
    db.close()
    files = {}
    for base, _, names in os.walk(server):
        for name in names:
            files.setdefault(name.split(".")[0].split("-")[0], []).append(os.path.join(base, name))
    for sha in sorted(photos):
        out["photos"] += 1
        original = next((p for p in files.get(sha, []) if digest_of(p) == sha), None)
        if original is None:
            out["photos_lost"] += 1
            tell(f"photo {sha}: the sealed original is missing or has other bytes")
        elif status.get(sha) != DERIVED or len(files[sha]) < 3:
            tell(f"photo {sha}: status {status.get(sha)}, {len(files[sha])} files")
        else:
            out["photos_derived"] += 1
    out["lost"] += out["photos_lost"]
    return out


def digest_of(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            sha.update(block)
    return sha.hexdigest()
