"""The town's desk while everything breaks: takes cases through their stages, so that there is always something to send down, and
remembers every act that the server said yes to."""
import http.client
import threading
import time

from .api import Refused

UNREACHABLE = (OSError, http.client.HTTPException, ValueError)  # ValueError: an answer that was cut
NOTES = {"accept": "情况属实，予以受理", "transfer": "请尽快处置", "take": "", "handle": "已处置", "feedback": "处置完毕",
         "request_verify": "请到现场核查", "close": "核查通过，予以结案"}
FIELDS = {"feedback": {"result_kind": "handled"}, "close": {"closing_basis": "handled"}}
NEXT = ["accept", "transfer", "take", "handle", "feedback", "request_verify", "close"]


class Desk(threading.Thread):
    """`pace`: acts a second, at most."""

    def __init__(self, stack, pace):
        super().__init__(daemon=True)
        self.stack = stack
        self.pause = 1 / pace
        self.stopping = threading.Event()
        self.acked = []  # (when, case, version after it, action)
        self.tries = 0
        self.refused = []
        self.apis = {}

    def api(self, who):
        if who not in self.apis:
            self.apis[who] = self.stack.login(who)
        return self.apis[who]

    def run(self):
        while not self.stopping.is_set():
            try:
                self.round()
            except UNREACHABLE:
                self.stopping.wait(0.2)
            except Refused as refused:
                if refused.status == 401:
                    self.apis = {}
                elif refused.status not in (409, 429, 503):
                    self.refused.append(str(refused))
                self.stopping.wait(0.2)

    def round(self):
        """Those that were verified are closed first, so that the whole way is walked."""
        for stage in ("verified", "transferred", "accepted", "reported"):
            for row in self.api("operator").get("/api/cases", stage=stage, limit=20)["cases"]:
                while not self.stopping.is_set() and self.step(row["id"]):
                    self.stopping.wait(self.pause)
        self.stopping.wait(self.pause)

    def step(self, case_id):
        """One act, when there is one for us."""
        for who in ("operator", "unit"):
            try:
                case = self.api(who).get(f"/api/cases/{case_id}")
            except Refused as refused:
                if refused.status in (403, 404):  # not the unit's
                    continue
                raise
            possible = self.api(who).possible(case)
            action = next((a for a in NEXT if a in possible), None)
            if action is None:
                continue
            words = {"note": NOTES[action], **FIELDS.get(action, {})}
            if action == "transfer":
                words["unit"] = self.stack.accounts["all"][self.stack.accounts["unit"]["login"]]["org"]
            self.tries += 1
            after = self.api(who).act(case, action, **words)
            self.acked.append((time.monotonic(), case_id.replace("-", ""), after["version"], action))
            return True
        return False

    def stop(self):
        self.stopping.set()
        self.join()

    def missing(self, db, undone=()):
        """Acts that the server had said yes to and does not know any more. `undone`: times (from, to) of which a restore knows
        nothing."""
        there = {(bytes(case).decode(), n, kind.decode()) for case, n, kind in db.execute("SELECT case_id, n, type FROM case_events")}
        # Closing brings the assessment with it, in the same version step or the next.
        return [(case, version, action) for at, case, version, action in self.acked
                if not any((case, n, action) in there for n in (version, version - 1)) and not any(a <= at <= b for a, b in undone)]
