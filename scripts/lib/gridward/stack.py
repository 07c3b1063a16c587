"""One running system in one data folder: keys, broker, server, demo district, enrolled handhelds."""
import concurrent.futures
import csv
import fcntl
import hashlib
import json
import os
import pwd
import secrets
import shutil
import stat
import time

from .api import Api
from .build import ROOT, say
from .procs import Child, Failed, free_port, port_answers, run, wait_for

DEMO = os.path.join(ROOT, "server", "demo")
TOWN = "120116135"
DEMO_FILES = ["orgs.csv", "units.json", "outlines.geojson"]
CERTIFICATE_DAYS = 825
PHOTOS = 7
PROBLEMS = ["litter", "manhole", "pothole", "lamp", "puddle", "parking", "stall"]

OWN_FILES = ["accounts.json", "broker", "devices", "fleet.json", "import", "imported.json", "logs", "photos", "server",
             "server.json", "server.password", "tls"]

# A handheld writes and reads its own topics only; the server reads what comes up and writes what goes down.
ACL = """user server
topic read gridward/1/up/#
topic read gridward/1/media/#
topic write gridward/1/down/#

pattern write gridward/1/up/+/%u
pattern write gridward/1/media/+/%u
pattern read gridward/1/down/+/%u
"""


def write_private(path, text):
    """Whole or not at all, and never readable by others, not even for a moment."""
    new = path + ".new"
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(new, path)


def read_json(path, default=None):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return default


def password():
    # No 0/O, 1/l/I: it is read from a screen and typed.
    return "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(12))


def may_enter(path, uid):
    """May this user walk down to `path`? Groups aside, which is enough for a folder in somebody's home."""
    path = os.path.realpath(path)
    while True:
        info = os.stat(path)
        if not (info.st_mode & stat.S_IXOTH or (info.st_uid == uid and info.st_mode & stat.S_IXUSR)):
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


class Stack:
    def __init__(self, data, build_dir, web_dir=None, devices=5, port=None, fixed_port=False, mqtt_port=None, server_options=(),
                 tls=True, https=False):
        self.data = os.path.abspath(data)
        self.build_dir = os.path.abspath(build_dir)
        self.web_dir = web_dir
        self.device_count = devices
        self.http_port, self.fixed_port = port, fixed_port
        self.mqtt_port = mqtt_port
        self.link_port = None  # where handhelds find the broker, when something is between
        self.server_options = list(server_options)
        self.tls = tls  # to the broker; only a benchmark goes without
        self.https = https
        self.device_config = {}  # more of every handheld's configuration
        self.own_config = {}     # … and of one: by device
        self.server_config = {}  # more of the server's
        self.children = []  # in the order they were started
        self.accounts = {}
        self.handhelds = []
        self.server = None
        self.url = None

    # -- paths
    def path(self, *parts):
        return os.path.join(self.data, *parts)

    def program(self, name):
        for folder in ("server/main", "server/vision", "device", "firmware-sim"):
            candidate = os.path.join(self.build_dir, folder, name)
            if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
                return candidate
        raise Failed(f"{name} is not built in {self.build_dir}: run without --no-build")

    # -- the folder is ours alone while we run
    def lock(self, fresh=False):
        os.makedirs(self.data, mode=0o711, exist_ok=True)
        self.lock_file = open(self.path(".lock"), "a", encoding="utf-8")
        try:
            fcntl.flock(self.lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failed(f"another scripts/run works in {self.data}; choose another folder with --data") from None
        if fresh:
            # Only what we made: a mistyped --data must not cost anybody their files.
            for name in OWN_FILES:
                path = self.path(name)
                shutil.rmtree(path) if os.path.isdir(path) else os.path.exists(path) and os.unlink(path)

    # -- before the start; each step does nothing when its result is there
    def prepare(self):
        os.makedirs(self.data, mode=0o711, exist_ok=True)
        for name in ("server", "tls", "devices", "logs"):
            os.makedirs(self.path(name), mode=0o700, exist_ok=True)
        self.make_certificates()
        self.make_accounts()
        self.make_handhelds()
        self.make_server_config()

    def make_certificates(self):
        """A CA of our own, and a certificate for this machine's loopback."""
        crt = self.path("tls", "server.crt")
        if os.path.exists(crt) and time.time() - os.path.getmtime(crt) < (CERTIFICATE_DAYS - 30) * 86400:
            return
        tls = self.path("tls")
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        run(["openssl", "req", "-x509", *key, "-days", CERTIFICATE_DAYS, "-subj", "/CN=Gridward local CA",
             "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign",
             "-keyout", f"{tls}/ca.key", "-out", f"{tls}/ca.crt"], "making the CA")
        run(["openssl", "req", *key, "-subj", "/CN=localhost", "-keyout", f"{tls}/server.key", "-out",
             f"{tls}/server.csr"], "making the server's key")
        with open(f"{tls}/san", "w", encoding="utf-8") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        run(["openssl", "x509", "-req", "-in", f"{tls}/server.csr", "-CA", f"{tls}/ca.crt", "-CAkey", f"{tls}/ca.key",
             "-CAcreateserial", "-days", CERTIFICATE_DAYS, "-extfile", f"{tls}/san", "-out", crt], "signing the server's key")
        for name in ("server.csr", "san"):
            os.unlink(os.path.join(tls, name))
        for name in ("ca.key", "server.key"):
            os.chmod(os.path.join(tls, name), 0o600)

    def people(self):
        with open(os.path.join(DEMO, "people.csv"), encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def make_accounts(self):
        people = self.people()
        known = read_json(self.path("accounts.json"), {}).get("all", {})
        everyone = {p["login"]: {**p, "password": known.get(p["login"], {}).get("password") or password()} for p in people}
        self.fresh_accounts = [login for login in everyone if login not in known]
        pick = lambda login: {k: everyone[login][k] for k in ("login", "password", "name")}
        self.accounts = {"operator": pick("town"), "unit": pick("u01"), "leader": pick("leader"), "member": pick("m0101"),
                         "all": everyone}
        if self.fresh_accounts:
            write_private(self.path("accounts.json"), json.dumps(self.accounts, ensure_ascii=False, indent=1) + "\n")

    def make_handhelds(self):
        """A key, a broker password and a configuration for each; the second and further rounds share the members."""
        members = sorted(login for login, p in self.accounts["all"].items() if p["role"] == "grid_member")
        # Not the first five grids side by side but five villages, so that a small fleet shows on the whole map.
        members.sort(key=lambda login: (login[-2:], login))
        self.secrets = read_json(self.path("devices", "secrets.json"), {"server": password(), "devices": {}})
        grids = {p["login"]: p["org"] for p in self.accounts["all"].values()}
        self.handhelds = []
        for n in range(self.device_count):
            member = members[n % len(members)]
            name = f"hh-{member[1:]}" + (f"-{n // len(members) + 1}" if n >= len(members) else "")
            self.handhelds.append({"device": name, "member": member, "grid": grids[member], "town": TOWN,
                                   "folder": self.path("devices", name),
                                   "config": self.path("devices", name, "device.json")})
        new = [h for h in self.handhelds if h["device"] not in self.secrets["devices"]]
        for h in new:
            os.makedirs(h["folder"], mode=0o700, exist_ok=True)
            self.secrets["devices"][h["device"]] = {"password": password(), "holder": h["member"]}
        self.choose_mqtt_port()
        for h in self.handhelds:
            self.write_device_config(h)
        if new:
            program = self.program("gridward-device")

            def enrol(h):
                return h, run([program, "--config", h["config"], "init"], f"initialising {h['device']}").split()[0]

            # The same enrolment as on a real handheld: it makes its key and tells only the public half.
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                for h, key in pool.map(enrol, new):
                    self.secrets["devices"][h["device"]]["public_key"] = key
            write_private(self.path("devices", "secrets.json"), json.dumps(self.secrets, indent=1) + "\n")

    def write_device_config(self, handheld):
        write_private(handheld["config"], json.dumps({
            "data_dir": "outbox", "key_file": "device.key",
            "broker": self.broker_uri(self.link_port), "ca_file": self.path("tls", "ca.crt"),
            "device": handheld["device"], "town": handheld["town"], "actor": handheld["member"],
            "password": self.secrets["devices"][handheld["device"]]["password"],
            **self.device_config, **self.own_config.get(handheld["device"], {})}, indent=1) + "\n")

    def broker_uri(self, port=None):
        return f"{'ssl' if self.tls else 'tcp'}://localhost:{port or self.mqtt_port}"

    def choose_mqtt_port(self):
        if self.mqtt_port is None:
            self.mqtt_port = free_port(18883)

    def make_server_config(self):
        if self.http_port is not None and self.fixed_port and port_answers(self.http_port):
            raise Failed(f"port {self.http_port} is in use; choose another with --port")
        self.http_port = free_port(self.http_port or 0)
        self.url = f"{'https' if self.https else 'http'}://127.0.0.1:{self.http_port}"
        write_private(self.path("server.password"), self.secrets["server"] + "\n")
        config = {
            "data_dir": "server",
            "policy.file": os.path.join(ROOT, "server", "profiles", "binhai.json"),
            "http.host": "127.0.0.1", "http.port": self.http_port,
            "mqtt.uri": self.broker_uri(), "mqtt.ca": "tls/ca.crt", "mqtt.user": "server",
            "mqtt.password_file": "server.password",
        }
        if self.web_dir:
            config["http.web_dir"] = self.web_dir
        if self.https:
            config |= {"http.tls_cert": "tls/server.crt", "http.tls_key": "tls/server.key"}
        write_private(self.path("server.json"), json.dumps(config | self.server_config, indent=1) + "\n")

    # -- broker
    def start_broker(self):
        user = {}
        folder = self.path("broker")
        if os.geteuid() == 0:
            # The broker needs no right of root, so it gets none: its own user, and a folder that user can reach.
            try:
                owner = pwd.getpwnam("mosquitto")
            except KeyError:
                raise Failed("the user `mosquitto` is missing; its package makes it: scripts/install-deps run") from None
            if not may_enter(self.data, owner.pw_uid):
                folder = os.path.join("/var/lib/mosquitto", "gridward-" + hashlib.sha256(self.data.encode()).hexdigest()[:12])
                self.outside = folder
            user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name in ("ca.crt", "server.crt", "server.key"):
            shutil.copyfile(self.path("tls", name), os.path.join(folder, name))
        lines = [f"server:{self.secrets['server']}"]
        lines += [f"{device}:{entry['password']}" for device, entry in self.secrets["devices"].items()]
        passwords = os.path.join(folder, "passwords")
        write_private(passwords, "\n".join(lines) + "\n")
        run(["mosquitto_passwd", "-U", passwords], "hashing the broker's passwords")
        write_private(os.path.join(folder, "acl"), ACL)
        write_private(os.path.join(folder, "mosquitto.conf"), f"""per_listener_settings false
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
# Without it every exchange waits 40 ms for the other side's delayed acknowledgement.
set_tcp_nodelay true
# What is dropped here is sent again by the handheld; these limits only keep that rare.
max_queued_messages 100000
max_queued_bytes 268435456
max_inflight_messages 1000
max_packet_size 1048576
persistence true
persistence_location {folder}/
autosave_interval 30
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true
listener {self.mqtt_port} 127.0.0.1
""" + (f"""cafile {folder}/ca.crt
certfile {folder}/server.crt
keyfile {folder}/server.key
tls_version tlsv1.2
""" if self.tls else ""))
        for name in os.listdir(folder):
            os.chmod(os.path.join(folder, name), 0o600)
        if user:
            for base in (folder, *(os.path.join(folder, name) for name in os.listdir(folder))):
                os.chown(base, user["user"], user["group"])
        self.broker_command = [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", os.path.join(folder, "mosquitto.conf")]
        self.broker_user = user
        self.launch_broker()
        wait_for(lambda: port_answers(self.mqtt_port), 15, "the broker answered", self.broker)

    def launch_broker(self):
        self.broker = self.spawn("mosquitto", self.broker_command, "mosquitto.log", rank=0, **self.broker_user)

    # -- server
    def server_command(self, *words):
        return [self.program("gridward-server"), *words, "--config", self.path("server.json")]

    def import_demo(self):
        """Only what is not imported yet: people with their passwords once, devices when there are new ones."""
        state = read_json(self.path("imported.json"), {})
        sha = hashlib.sha256()
        for name in DEMO_FILES + ["people.csv"]:
            with open(os.path.join(DEMO, name), "rb") as file:
                sha.update(file.read())
        devices = sorted(self.secrets["devices"])
        if state.get("demo") == sha.hexdigest() and state.get("devices") == devices and not self.fresh_accounts:
            return
        folder = self.path("import")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        people = [dict(p) for p in self.accounts["all"].values()]
        for person in people:
            if state and person["login"] not in self.fresh_accounts:
                del person["password"]  # the one there stays
        write_private(os.path.join(folder, "people.json"), json.dumps({"users": people}, ensure_ascii=False))
        write_private(os.path.join(folder, "devices.json"), json.dumps({"devices": [
            {"id": name, "town": TOWN, "holder": entry["holder"], "public_key": entry["public_key"]}
            for name, entry in self.secrets["devices"].items()]}))
        files = [os.path.join(DEMO, name) for name in DEMO_FILES]
        files += [os.path.join(folder, name) for name in ("people.json", "devices.json")]
        say("Importing the demo district")
        out = run([*self.server_command("import"), *files], "the import")
        for line in out.splitlines()[-3:]:
            say("  " + line)
        shutil.rmtree(folder)  # it held passwords
        write_private(self.path("imported.json"), json.dumps({"demo": sha.hexdigest(), "devices": devices}) + "\n")

    def launch_server(self):
        self.server = self.spawn("gridward-server", [*self.server_command("serve"), *self.server_options], "server.log", rank=1)

    def start_server(self):
        self.launch_server()

        def ready():
            try:
                health = self.api().get("/api/health")
                return health.get("ok") and health.get("mqtt") == "connected" and health
            except Exception:  # not listening yet
                return None

        wait_for(ready, 60, "the server was ready", self.server)

    def kill(self, child):
        """As a power cut would: no goodbye."""
        self.children.remove(child)
        child.kill()
        child.wait()

    # -- all of it
    def start(self):
        self.prepare()
        self.start_broker()
        self.import_demo()
        self.start_server()

    # -- simulated handhelds
    def start_fleet(self, handhelds=None, behaviour=None, drain=10, photos=("2400x1800",) * PHOTOS, name="fleet", words=(), **options):
        """All of them, or those given; they walk their members' grids and report until they are stopped. `photos`: the
        sizes of the drawings they choose from, whatever they report; none: each report has its own, which shows its
        problem. `name`: of the fleet's file, when there are several; `words`: more of gridward-sim's options."""
        handhelds = self.handhelds if handhelds is None else handhelds
        if not handhelds:
            return None
        cameras = []
        if photos:
            cameras = ["--photos", self.path("photos")]
            self.draw_photos(cameras[1], photos)
        fleet = {"outlines": os.path.join(DEMO, "outlines.geojson"), "behaviour": behaviour or {},
                 "handhelds": [{"config": h["config"], "grid": h["grid"]} for h in handhelds]}
        file = self.path(f"{name}.json")
        write_private(file, json.dumps(fleet, indent=1) + "\n")
        child = self.spawn("gridward-sim", [self.program("gridward-sim"), "run", "--fleet", file, *cameras,
                                            "--drain", drain, "--quiet", *words], f"gridward-sim-{name}.log", **options)
        child.patience = drain + 10
        return child

    def draw_photos(self, folder, sizes):
        """Those that are not there yet: a start that was interrupted goes on where it was."""
        program = self.program("gridward-sim")
        os.makedirs(folder, exist_ok=True)
        names = {f"{n:03}-{PROBLEMS[n % len(PROBLEMS)]}.jpg": size for n, size in enumerate(sizes)}
        missing = [name for name in names if not os.path.exists(os.path.join(folder, name))]
        if missing:
            say("Drawing photographs for the simulated cameras")

        def draw(name):
            new = os.path.join(self.data, name)
            run([program, "draw", "--out", new, "--seed", int(name[:3]) + 1, "--problem", name[4:-4], "--size", names[name]], "drawing a photograph")
            os.replace(new, os.path.join(folder, name))

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(draw, missing))

    def spawn(self, title, command, log, rank=2, **options):
        child = Child(title, command, self.path("logs", log), **options)
        child.rank = rank
        self.children.append(child)
        return child

    def api(self):
        return Api(self.url, self.path("tls", "ca.crt"))

    def login(self, who):
        account = self.accounts.get(who) or self.accounts["all"][who]
        api = self.api()
        api.login(account["login"], account["password"])
        return api

    def ready_line(self):
        """For programs that started us: everything they need, in one line."""
        people = {k: self.accounts[k] for k in ("operator", "unit", "leader", "member")}
        return "ready " + json.dumps({"url": self.url, "accounts": people, "data": self.data, "mqtt_port": self.mqtt_port,
                                      "devices": [h["device"] for h in self.handhelds]}, ensure_ascii=False)

    def ended(self):
        """The first child that is not there any more."""
        return next((child for child in self.children if child.poll() is not None), None)

    def stop(self, hurry=False):
        """Handhelds first, so that they hand over what they have while the server still listens; the broker last.
        hurry: what failed already need not hand over."""
        clean = True
        for child in sorted(self.children, key=lambda c: -c.rank):
            clean = child.stop(min(child.patience, 5) if hurry else child.patience) and clean
        self.children = []
        return clean

    def remove(self):
        shutil.rmtree(self.data, ignore_errors=True)
        if getattr(self, "outside", None):
            shutil.rmtree(self.outside, ignore_errors=True)
