"""A PostgreSQL of our own, as tests/support/include/gridward/test/postgres.hpp starts one: a cluster in a folder of its own, reached
through a Unix socket there, thrown away at the end."""
import glob
import os
import pwd
import shutil
import signal
import tempfile

from .procs import Child, Failed, run, wait_for


def programs():
    """The newest one's folder; None: not installed."""
    found = [os.path.dirname(path) for path in glob.glob("/usr/lib/postgresql/*/bin/initdb")]
    return max(found, key=lambda folder: int(folder.split("/")[4]), default=None)


class Postgres:
    def __init__(self):
        self.programs = programs()
        if not self.programs:
            raise Failed("PostgreSQL is not installed: scripts/install-deps test")
        self.folder = tempfile.mkdtemp(prefix="gridward-pg-")  # short: a socket's path has at most 107 characters
        self.child = None
        self.user = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")  # it refuses to run as root
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self.user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        try:
            data = os.path.join(self.folder, "data")
            # A locale that does not sort by bytes, as a county's database may have one.
            run([f"{self.programs}/initdb", "-D", data, "-U", "gridward", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8",
                 "--locale-provider=icu", "--icu-locale=zh-CN"], "initdb", cwd=self.folder, **self.user)
            self.child = Child("postgres", [f"{self.programs}/postgres", "-D", data, "-k", self.folder, "-c", "listen_addresses=", "-c",
                                            "fsync=off", "-c", "max_connections=50"], stdout=open(os.path.join(self.folder, "log"), "ab"),
                               stderr=-2, cwd=self.folder, **self.user)
            wait_for(lambda: os.path.exists(os.path.join(self.folder, ".s.PGSQL.5432")) and self.answers(), 60, "PostgreSQL answered",
                     self.child)
        except BaseException:
            self.stop()
            raise

    def psql(self, sql):
        return run([f"{self.programs}/psql", "-h", self.folder, "-U", "gridward", "-d", "postgres", "-qXc", sql], "psql")

    def answers(self):
        try:
            return self.psql("SELECT 1")
        except Failed:
            return False

    def new_database(self, name):
        self.psql(f"CREATE DATABASE {name}")
        return f"postgresql:///{name}?host={self.folder}&user=gridward"

    def stop(self):
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGQUIT)  # at once: it is thrown away
            self.child.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)
