"""A small client of Focalpoint: tokens, tags, pages and patience. Python 3.9 or later, nothing else.

FOCALPOINT is the server's address. FOCALPOINT_CLIENT_FILE is a file of mode 0600 with one line, id:secret.

    client = Client.from_environment()
    mission = client.get("/v1/directory/missions/" + id, lang="fr").body
    for unit in client.pages("/v1/directory/units", lang="fr"):
        print(unit["name"])
"""

import base64
import collections
import gzip
import http.client
import json
import os
import random
import time
import urllib.error
import urllib.parse
import urllib.request

Answer = collections.namedtuple("Answer", "status headers body")

# The same request may have a better answer later: too slow, too many, or the server or what is before it is ill.
MAY_PASS = {408, 429, 500, 502, 503, 504}


class Problem(Exception):
    """An answer that no repetition changes, as a problem document (RFC 9457)."""

    def __init__(self, status, headers, body):
        self.status, self.headers = status, headers
        self.body = body if isinstance(body, dict) else {}
        self.code = self.body.get("code") or self.body.get("error") or str(status)
        said = f"{status} {self.code}: {self.body.get('detail') or self.body.get('title', '')}"
        super().__init__("\n  ".join([said, *self.faults()]))

    def faults(self):
        """Each broken rule as a line for people: where, what, which rule."""
        for fault in self.body.get("errors", []):
            line = f"line {fault['line']}" if "line" in fault else fault.get("parameter", "file")
            yield f"{line} {fault.get('pointer', '')}: {fault['detail']} ({fault['rule']})"
        more = self.body.get("error_count", 0) - len(self.body.get("errors", []))
        if more > 0:
            yield f"and {more} more"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token to somebody else."""

    def redirect_request(self, *_):
        return None


class Client:
    def __init__(self, base, client_id, secret, user_agent="focalpoint.py", tries=8, timeout=60):
        self.base, self.tries, self.timeout = base.rstrip("/"), tries, timeout
        self.user_agent = user_agent
        self.basic = "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        self.token, self.renew_at = None, 0.0
        self.tagged = {}  # by address: tag and body
        self.opener = urllib.request.build_opener(NoRedirect)

    @classmethod
    def from_environment(cls, **options):
        with open(os.environ["FOCALPOINT_CLIENT_FILE"], encoding="utf-8") as file:
            client_id, _, secret = file.read().strip().partition(":")
        return cls(os.environ["FOCALPOINT"], client_id, secret, **options)

    def get(self, path, headers=None, **query):
        """A GET. What has a tag is asked for with it, and comes from memory while it is the same."""
        address = path + ("?" + urllib.parse.urlencode(query) if query else "")
        held = self.tagged.get(address)
        headers = dict(headers or {}, **({"If-None-Match": held[0]} if held else {}))
        answer = self.request("GET", address, headers=headers)
        if answer.status == 304:
            return Answer(304, answer.headers, held[1])
        if answer.headers.get("ETag"):
            self.tagged[address] = (answer.headers["ETag"], answer.body)
        return answer

    def pages(self, path, **query):
        """Every item of a list, page by page. An address is followed as the server gives it."""
        address = path + "?" + urllib.parse.urlencode({"limit": 200, **query})
        while address:
            answer = self.request("GET", address)
            yield from answer.body["items"]
            address = next_page(answer.headers.get("Link"))

    def request(self, method, address, body=None, headers=None):
        """The answer to a request, with a token that is good. Raises Problem for what is not 2xx or 304."""
        for attempt in ("with the token there is", "with a new one"):
            signed = dict(headers or {}, Authorization="Bearer " + self.bearer())
            answer = self.persist(method, address, body, signed)
            if answer.status != 401:
                break
            self.token = None
        if answer.status >= 300 and answer.status != 304:
            raise Problem(*answer)
        return answer

    def bearer(self):
        """The token, or the next one a few minutes before it ends. Counted by a clock that nobody sets."""
        if self.token is None or time.monotonic() > self.renew_at:
            asked = time.monotonic()
            form = {"Authorization": self.basic, "Content-Type": "application/x-www-form-urlencoded"}
            answer = self.persist("POST", "/oauth/token", b"grant_type=client_credentials", form)
            if answer.status != 200:
                raise Problem(*answer)
            self.token = answer.body["access_token"]
            self.renew_at = asked + answer.body["expires_in"] - 300
        return self.token

    def persist(self, method, address, body, headers):
        """Tries until there is an answer that means something. Every request of this API may be repeated.
        Raises OSError where none comes."""
        for attempt in range(self.tries):
            told = 0.0
            try:
                answer = self.once(method, address, body, headers)
                if answer.status not in MAY_PASS or attempt + 1 == self.tries:
                    return answer
                told = float(answer.headers.get("Retry-After") or 0)
            except (OSError, http.client.HTTPException, EOFError, ValueError) as trouble:
                # no connection, or it broke, or what came is not whole
                if attempt + 1 == self.tries:
                    raise OSError(f"{self.tries} tries, the last: {trouble}") from trouble
            # At least as long as the server says, and a part by chance: others wait for the same moment.
            time.sleep(told + random.uniform(0, min(60, 2**attempt)))

    def once(self, method, address, body, headers):
        headers = {"Accept-Encoding": "gzip", "User-Agent": self.user_agent, **headers}
        request = urllib.request.Request(self.base + address, body, headers, method=method)
        try:
            reply = self.opener.open(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            reply = error  # an answer as well
        with reply:
            data = reply.read()
            if reply.headers.get("Content-Encoding") == "gzip":
                data = gzip.decompress(data)
        if reply.status in MAY_PASS and "json" not in reply.headers.get("Content-Type", ""):
            return Answer(reply.status, reply.headers, None)  # of a proxy in between
        if "X-Request-Id" not in reply.headers:
            raise OSError(f"status {reply.status} is not from the server: somebody in between answers in its place")
        return Answer(reply.status, reply.headers, json.loads(data) if data else None)


def next_page(link):
    """The address with rel="next" in a Link header (RFC 8288), as the server writes it."""
    for part in (link or "").split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return address.strip().strip("<>")
    return None
