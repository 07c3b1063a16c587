"""scripts/run: a running system until Ctrl-C, or with --check the main job once."""
import argparse
import http.client
import os
import queue
import signal
import sys
import threading
import time
import unicodedata

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gridward import build, check  # noqa: E402
from gridward.api import Refused  # noqa: E402
from gridward.build import ROOT, say  # noqa: E402
from gridward.procs import Failed  # noqa: E402
from gridward.stack import Stack  # noqa: E402

STAGES = {"reported": "上报", "accepted": "受理", "transferred": "转办", "verified": "核查", "closed": "结案", "assessed": "考核"}
LINES_A_SECOND = 4
OWN_SCENES = 50  # handhelds; of more, drawing a scene for each report would take a core


def options():
    parser = argparse.ArgumentParser(prog="scripts/run", description="Gridward from a clone to a running system.")
    parser.add_argument("--devices", type=int, default=None, metavar="N", help="simulated handhelds (default 5)")
    parser.add_argument("--port", type=int, default=None, metavar="P", help="of the pages (default 8080, or another when it is taken)")
    parser.add_argument("--data", metavar="DIR", help="data folder (default ./data)")
    parser.add_argument("--check", action="store_true", help="do the main job once, headless, in a temporary folder")
    parser.add_argument("--fresh", action="store_true", help="throw the data folder away first")
    parser.add_argument("--no-build", action="store_true", help="use what is built; installs nothing")
    parser.add_argument("--https", action="store_true", help="pages over HTTPS, with a certificate of the CA in DIR/tls/ca.crt")
    parser.add_argument("--idle", action="store_true", help="enrol the handhelds but leave them to others (the stories), and obey lines on "
                        "stdin: kill, start (the server)")
    parser.add_argument("--build-dir", metavar="DIR", help="default build/release")
    args = parser.parse_args()
    if args.devices is not None and not 0 <= args.devices <= 10000:
        parser.error("--devices: 0 to 10000")
    if args.port is not None and not 1 <= args.port <= 65535:
        parser.error("--port: 1 to 65535")
    return args


class Progress:
    """One line for each change of a case, as an open page is told of it; a sum when there are too many."""

    def __init__(self, stack):
        self.api = stack.login("operator")
        self.seen = {}
        self.second, self.lines, self.left_out = 0, 0, 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                for _, event in self.api.live():
                    if event.get("kind") == "case":
                        self.tell(event["id"])
            except (OSError, http.client.HTTPException, Refused, ValueError, KeyError):
                time.sleep(1)

    def tell(self, case_id):
        now = int(time.monotonic())
        if now != self.second:
            if self.left_out:
                counts = self.api.get("/api/cases/counts")
                say(f"{time.strftime('%H:%M:%S')}  … {self.left_out} more; now "
                    + ", ".join(f"{STAGES.get(k, k)} {v}" for k, v in counts.items() if v))
            self.second, self.lines, self.left_out = now, 0, 0
        if self.lines >= LINES_A_SECOND:
            self.left_out += 1
            return
        case = self.api.get(f"/api/cases/{case_id}")
        state = (case["stage"], case["step"], case["version"])
        if self.seen.get(case_id) == state:
            return
        self.seen[case_id] = state
        self.lines += 1
        last = case["events"][-1] if case["events"] else None
        who = f" by {last['actor']['name'] or last['actor']['login']}" if last else ""
        say(f"{time.strftime('%H:%M:%S')}  {case['number']}  {STAGES.get(case['stage'], case['stage'])} {case['stage']}/{case['step']}"
            f"  {case['category_name']} · {case['grid_name']}{who}")


WHO = (("operator", "town operator 网格中心"), ("unit", "handling unit 承办单位"), ("leader", "leader 领导"), ("member", "grid member 网格员"))


def column(text, width):
    """Padded as a terminal shows it, where a Chinese character takes two places."""
    return text + " " * (width - sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text))


def welcome(stack, idle):
    say("")
    say(f"  Open in a browser 浏览器打开   {stack.url}")
    say("")
    say(f"  {column('log in as 登录身份', 26)}{column('login 账号', 14)}password 密码")
    for key, title in WHO:
        account = stack.accounts[key]
        say(f"  {column(title, 26)}{column(account['login'], 14)}{account['password']}")
    say(f"  the other {len(stack.accounts['all']) - len(WHO)} accounts 其余账号: {stack.path('accounts.json')}")
    say("")
    if idle:
        say(stack.ready_line())
    say(f"{len(stack.handhelds)} handhelds {'are enrolled' if idle else 'report'}; Ctrl-C stops everything.")


def orders():
    """Lines on stdin, for the main thread."""
    lines = queue.Queue()

    def listen():
        for line in sys.stdin:
            lines.put(line.strip())

    threading.Thread(target=listen, daemon=True).start()
    return lines


def obey(stack, order):
    if order == "kill":
        stack.kill(stack.server)
    elif order == "start":
        stack.start_server()
    else:
        raise Failed(f"unknown order on stdin: {order!r}")
    say(f"done {order}")


def main():
    args = options()
    try:
        build_dir = os.path.abspath(args.build_dir or os.path.join(ROOT, "build", "release"))
        if not args.no_build:
            build.programs("release", build_dir)
        web = os.path.join(ROOT, "server", "web", "dist") if args.no_build else build.web()
        if not os.path.exists(os.path.join(web, "index.html")):
            web = None
        if args.check:
            args.devices = 4 if args.devices is None else args.devices
            return check.main(args, build_dir, web)
        stack = Stack(args.data or os.path.join(ROOT, "data"), build_dir, web, devices=5 if args.devices is None else args.devices,
                      port=args.port or 8080, fixed_port=args.port is not None, https=args.https)
    except Failed as problem:
        print(f"scripts/run: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130

    def interrupted(*_):
        raise KeyboardInterrupt

    status = 0
    try:
        signal.signal(signal.SIGTERM, interrupted)
        stack.lock(fresh=args.fresh)
        begin = time.monotonic()
        say("Starting")
        stack.start()
        say(f"Ready after {time.monotonic() - begin:.1f} s")
        welcome(stack, args.idle)
        Progress(stack)
        if not args.idle:
            stack.start_fleet(**({"photos": ()} if len(stack.handhelds) <= OWN_SCENES else {}))
        lines = orders() if args.idle else queue.Queue()
        while True:
            try:
                obey(stack, lines.get(timeout=0.5))
            except queue.Empty:
                pass
            child = stack.ended()
            if child is not None:
                raise Failed(f"{child.title} ended with status {child.returncode}; its log: {child.log}\n{child.tail()}")
    except Failed as problem:
        print(f"scripts/run: {problem}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print(flush=True)
    finally:
        # Once is enough: what follows takes a few seconds at most.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        say("Stopping")
        clean = stack.stop()
        say("Stopped" if clean else "Stopped; some had to be killed")
    return status


if __name__ == "__main__":
    sys.exit(main())
