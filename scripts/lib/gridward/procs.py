"""Child processes that end with us, free ports, waiting."""
import ctypes
import os
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """What the user is told, without a traceback."""


def free_port(preferred=0):
    """A loopback TCP port that is free now: the preferred one if it is."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return s.getsockname()[1]
    raise Failed("no free port on 127.0.0.1")


def port_answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_for(condition, seconds, what, child=None):
    """Polls until condition() is true and returns its value. Fails when the time is over or `child` has ended."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if child is not None and child.poll() is not None:
            raise Failed(f"{child.title} ended with status {child.returncode} before {what}; its log: {child.log}\n{child.tail()}")
        if time.monotonic() >= end:
            raise Failed(f"waited {seconds} s in vain until {what}" + (f"\n{child.tail()}" if child else ""))
        time.sleep(0.05)


class Child(subprocess.Popen):
    """A program in a process group of its own, so that a Ctrl-C in the terminal reaches it only through us and in
    order; the kernel ends it if we are killed. With `log`, its output goes there."""

    def __init__(self, title, command, log=None, **options):
        self.title = title
        self.log = log
        self.rank = 2       # the higher, the earlier it is stopped
        self.patience = 15  # seconds it may take to stop
        parent = os.getpid()

        def in_child():
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(126)

        out = open(log, "ab") if log else options.pop("stdout", None)
        try:
            super().__init__([str(word) for word in command], stdin=options.pop("stdin", subprocess.DEVNULL), stdout=out,
                             stderr=subprocess.STDOUT if log else options.pop("stderr", None), preexec_fn=in_child,
                             start_new_session=True, **options)
        except OSError as error:
            raise Failed(f"cannot start {title}: {error}") from None
        finally:
            if log:
                out.close()

    def tail(self, lines=15):
        if not self.log:
            return ""
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return "".join("  | " + line for line in file.readlines()[-lines:])
        except OSError:
            return ""

    def stop(self, seconds=15):
        """Asks, waits, then kills. True when it ended by itself."""
        if self.poll() is None:
            self.send_signal(signal.SIGTERM)
            try:
                self.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                self.wait()
                return False
        return True


def run(command, what, **options):
    """Runs to the end; a failure tells what was tried and what came out."""
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", stdin=options.pop("stdin", subprocess.DEVNULL) if "input" not in options else None,
                            **options)
    if result.returncode != 0:
        raise Failed(f"{what} failed ({' '.join(str(w) for w in command[:3])} …, status {result.returncode}):\n{result.stdout.strip()}")
    return result.stdout
