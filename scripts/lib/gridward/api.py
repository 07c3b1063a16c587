"""The HTTP API as a page uses it: a cookie, JSON, problems as exceptions."""
import http.client
import json
import ssl
import urllib.parse


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body if isinstance(body, dict) else {}


class Api:
    def __init__(self, url, ca=None):
        """`ca`: file with the certificate that an https address is checked with."""
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        self.tls = ssl.create_default_context(cafile=ca) if parts.scheme == "https" else None
        self.cookie = None

    def connect(self, timeout):
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)

    def request(self, method, path, body=None, timeout=30):
        connection = self.connect(timeout)
        try:
            headers = {"Accept": "application/json"}
            data = None
            if self.cookie:
                headers["Cookie"] = self.cookie
            if method != "GET":
                headers["X-Gridward"] = "1"
            if body is not None:
                data = json.dumps(body).encode()
                headers["Content-Type"] = "application/json"
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            raw = answer.read()
            for value in answer.headers.get_all("Set-Cookie") or []:
                self.cookie = value.split(";")[0]
            kind = answer.headers.get_content_type()
            value = json.loads(raw) if raw and kind.endswith("json") else raw
            if answer.status >= 400:
                raise Refused(answer.status, value)
            return value
        finally:
            connection.close()

    def get(self, path, **query):
        query = {k: v for k, v in query.items() if v is not None}
        return self.request("GET", path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else ""))

    def post(self, path, body):
        return self.request("POST", path, body)

    def login(self, login, password):
        return self.post("/api/login", {"login": login, "password": password})["actor"]

    def act(self, case, action, note="", **fields):
        """One act on a case as it is now (its version comes from `case`)."""
        return self.post(f"/api/cases/{case['id']}/actions", {"action": action, "version": case["version"], "note": note, "fields": fields})

    @staticmethod
    def possible(case):
        """What may be done to the case now."""
        return [offer["action"] for offer in case["offers"] if not offer["blocked"]]

    def cases(self, **query):
        """All pages of the list."""
        cursor = None
        while True:
            page = self.get("/api/cases", limit=200, cursor=cursor, **query)
            yield from page["cases"]
            cursor = page.get("next")
            if not cursor:
                return

    def live(self, timeout=60):
        """Events of /api/live as (name, data) until the connection ends; a comment line comes every 15 s."""
        connection = self.connect(timeout)
        try:
            connection.request("GET", "/api/live", headers={"Cookie": self.cookie or "", "Accept": "text/event-stream"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise Refused(answer.status, answer.read())
            name, data = "message", []
            while True:
                line = answer.readline()
                if not line:
                    return
                line = line.decode("utf-8", "replace").rstrip("\r\n")
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    data.append(line[5:].strip())
                elif not line:
                    if data:
                        yield name, json.loads("\n".join(data))
                    name, data = "message", []
        finally:
            connection.close()
