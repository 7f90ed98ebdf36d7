#!/usr/bin/env python3
"""sign_in.py: signs somebody in, and prints the answer of the token endpoint. Python 3.9 or later, nothing else.

  sign_in.py --client-id ID   you, in this computer's browser, as an app does it: it never sees a password. The app must
                              be registered with the address http://127.0.0.1/signed-in
  sign_in.py PERSON           a person of a demonstration, for tests: it plays the browser and the person as well

  --base URL           the server's address                                   (FOCALPOINT, http://127.0.0.1:8080)
  --scope "…"          what to ask for; all that the app may ask for when left out
  --credentials FILE   the demonstration's people and its app                 (var/demo.json)
  --at ADDRESS         only be the browser and the person: open this address, sign in, allow, and print where the
                       browser is sent then
"""

import argparse
import base64
import hashlib
import hmac
import html.parser
import http.cookiejar
import http.server
import json
import os
import re
import secrets
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import webbrowser

# Where nobody listens: the browser's last step is printed, not taken.
REDIRECT = "http://127.0.0.1:51004/signed-in"


class App:
    """The part of this that is an app's: docs/phone.md, section 2."""

    def __init__(self, base, client_id, redirect_uri=REDIRECT):
        # RFC 8414: where all else is. The issuer must be the address that was asked (§3.3).
        self.metadata = fetch(base + "/.well-known/oauth-authorization-server")
        assert self.metadata["issuer"] == base, f"another server: {self.metadata['issuer']}"
        self.client_id, self.redirect_uri = client_id, redirect_uri

    def address(self, **more):
        """Where the browser is sent. Remembers what the answer has to fit."""
        self.state, self.verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri,
            "state": self.state, "code_challenge": challenge, "code_challenge_method": "S256", **more,
        }
        return self.metadata["authorization_endpoint"] + "?" + urllib.parse.urlencode(query)

    def token(self, answer):
        """What the code in the browser's answer is worth."""
        said = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer).query))
        if said.get("state") != self.state or said.get("iss") != self.metadata["issuer"]:
            raise SystemExit("the answer is not one to our question")
        if "error" in said:
            raise SystemExit(f"{said['error']}: {said.get('error_description')}")
        form = {
            "grant_type": "authorization_code", "client_id": self.client_id, "code": said["code"],
            "redirect_uri": self.redirect_uri, "code_verifier": self.verifier,
        }
        return fetch(self.metadata["token_endpoint"], form)


def in_this_browser(base, client_id, more):
    """Opens the system's browser, and waits at a port of this computer until it comes back (RFC 8252, section 7.3)."""

    class Back(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            is_answer = self.path.startswith("/signed-in?")
            self.send_response(200 if is_answer else 404)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            if is_answer:
                self.server.answer = self.path
                self.wfile.write(b"You may close this page.\n")

        def log_message(self, *_):
            pass  # the code is in the address

    with http.server.HTTPServer(("127.0.0.1", 0), Back) as server:
        server.answer = None
        app = App(base, client_id, f"http://127.0.0.1:{server.server_port}/signed-in")
        address = app.address(**more)
        print(f"Sign in in the browser; if none opens, go to\n{address}", file=sys.stderr)
        webbrowser.open(address)
        while server.answer is None:
            server.handle_request()
    return app.token(server.answer)


def fetch(address, form=None):
    body = None if form is None else urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(address, body, timeout=30) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as refused:
        raise SystemExit(f"{refused.code}: {refused.read().decode()}") from None


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A browser would follow; here each step is looked at."""

    def redirect_request(self, *_):
        return None


class Page(html.parser.HTMLParser):
    """The first form of a page, and what it complains about."""

    def __init__(self, text):
        super().__init__()
        self.action, self.fields, self.buttons, self.alert = None, {}, [], ""
        self.inside, self.in_alert = False, False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and self.action is None:
            self.action, self.inside = attributes["action"], True
        elif tag == "input" and self.inside:
            self.fields[attributes.get("name")] = attributes.get("value", "")
        elif tag == "button" and self.inside:
            self.buttons.append((attributes["name"], attributes["value"]))
        self.in_alert = self.in_alert or attributes.get("role") == "alert"

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "form"
        self.in_alert = self.in_alert and tag != "p"

    def handle_data(self, data):
        self.alert += data if self.in_alert else ""


class Browser:
    """A browser with a person before it. It keeps its cookies in a file, as browsers do: the next time it is known,
    and the person is perhaps still signed in."""

    def __init__(self, person, cookies):
        self.person = person
        self.jar = http.cookiejar.LWPCookieJar(cookies)
        if os.path.exists(cookies):
            self.jar.load(ignore_discard=True)
        self.opener = urllib.request.build_opener(NoRedirect, urllib.request.HTTPCookieProcessor(self.jar))
        self.opener.addheaders = [("User-Agent", "sign_in.py"), ("Accept-Language", "en")]

    def visit(self, address):
        """Does what the pages ask for, until one leads away from the server: there."""
        origin = urllib.parse.urlsplit(address)[:2]
        form = None
        for _ in range(20):
            reply = self.open(address, form)
            if reply.headers.get("Location"):
                address, form = urllib.parse.urljoin(address, reply.headers["Location"]), None
                if urllib.parse.urlsplit(address)[:2] != origin:
                    self.save()
                    return address
                continue
            page = Page(reply.read().decode())
            if page.action is None:
                raise SystemExit(f"a page without a form, status {reply.status}: {address}")
            if page.alert and "code" not in page.fields:
                raise SystemExit(page.alert)
            if page.alert:  # a code is taken once, also by who is quick
                time.sleep(30 - time.time() % 30)
            form, address = self.fill_in(page), urllib.parse.urljoin(address, page.action)
        raise SystemExit("the pages lead in a circle")

    def open(self, address, form):
        body = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            return self.opener.open(address, body, timeout=30)
        except urllib.error.HTTPError as answer:  # a redirect, or a page that refuses
            return answer

    def fill_in(self, page):
        known = {"mail": self.person["mail"], "password": self.person["password"]}
        if "code" in page.fields:
            known["code"] = one_time_code(self.person["totp_secret"])
        filled = {name: known.get(name, value) for name, value in page.fields.items()}
        return {**filled, **dict([page.buttons[0]])}  # the first is the one that goes on

    def save(self):
        os.close(os.open(self.jar.filename, os.O_CREAT | os.O_WRONLY, 0o600))  # nobody else reads it
        self.jar.save(ignore_discard=True)


def one_time_code(secret, now=None):
    """The code of the moment (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, struct.pack(">Q", int(now or time.time()) // 30), "sha1")
    (number,) = struct.unpack_from(">I", mac, mac[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("person", nargs="?", help="such as delegate or admin: a key of `people` in the credentials")
    parser.add_argument("--client-id")
    parser.add_argument("--base", default=os.environ.get("FOCALPOINT", "http://127.0.0.1:8080"))
    parser.add_argument("--credentials", default="var/demo.json")
    parser.add_argument("--scope")
    parser.add_argument("--at")
    given = parser.parse_args()
    base, more = given.base.rstrip("/"), {"scope": given.scope} if given.scope else {}
    if (given.person is None) == (given.client_id is None):
        parser.error("either --client-id or a person of the demonstration")
    if given.client_id:
        print(json.dumps(in_this_browser(base, given.client_id, more), indent=2))
        return
    with open(given.credentials, encoding="utf-8") as file:
        credentials = json.load(file)
    people = credentials["people"]
    if given.person not in people:
        raise SystemExit(f"there is no {given.person}: " + ", ".join(people))
    cookies = re.sub(r"(\.json)?$", f".{given.person}.cookies", given.credentials, count=1)
    browser = Browser(people[given.person], cookies)
    if given.at:
        print(browser.visit(given.at))
        return
    app = App(base, credentials["app"]["client_id"])
    print(json.dumps(app.token(browser.visit(app.address(**more))), indent=2))


if __name__ == "__main__":
    sys.exit(main())
