"""The app of a third party: authlib as its OAuth client, and a listener to which the browser comes back."""

import http.server
import queue
import threading
import time
import urllib.parse

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

WELL_KNOWN = "/.well-known/oauth-authorization-server"
BACK = "Back in the app"


def metadata(url):
    answer = requests.get(url + WELL_KNOWN, timeout=10)
    answer.raise_for_status()
    return answer.json()


class Listener(http.server.ThreadingHTTPServer):
    """Where a native app listens for its answer (RFC 8252 §7.3), on a port of the moment."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers = queue.Queue()
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.address = f"{self.origin}/signed-in"
        # shutdown() waits for the loop to look up
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_answer = self.path.startswith("/signed-in?")
        if is_answer:
            self.server.answers.put(self.server.origin + self.path)
        page = f"<!doctype html><html lang=en><title>{BACK}</title><h1>{BACK}</h1>".encode()
        self.send_response(200 if is_answer else 204)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page) if is_answer else 0))
        self.end_headers()
        if is_answer:
            self.wfile.write(page)

    def log_message(self, *_):
        pass


class App(OAuth2Session):
    """Configures itself by the server's metadata alone (RFC 8414), as a public client with PKCE."""

    def __init__(self, url, client_id, listener, scope="read account", **more):
        self.server = metadata(url)
        self.listener = listener
        methods = {"token_endpoint_auth_method": "none", "code_challenge_method": "S256", **more}
        super().__init__(client_id, scope=scope, redirect_uri=listener.address, default_timeout=10, **methods)

    def ask(self, **more):
        """The address to open in a browser."""
        self.verifier = generate_token(64)
        endpoint = self.server["authorization_endpoint"]
        address, self.asked = self.create_authorization_url(endpoint, code_verifier=self.verifier, **more)
        return address

    def answer(self):
        """What the browser brings, once it is sure that it is the answer to what was asked."""
        address = self.listener.answers.get(timeout=10)
        assert self.listener.answers.empty(), "one answer"
        told = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query, strict_parsing=True))
        assert told["state"] == self.asked
        # RFC 9207 §2.4: before anything else is done with it
        assert self.server["authorization_response_iss_parameter_supported"] is True
        assert told["iss"] == self.server["issuer"]
        return address, told

    def exchange(self):
        """The token for the code that the browser brings."""
        address, told = self.answer()
        assert "error" not in told, told
        endpoint = self.server["token_endpoint"]
        return self.fetch_token(endpoint, authorization_response=address, state=self.asked, code_verifier=self.verifier)

    def renew(self, token):
        return self.refresh_token(self.server["token_endpoint"], refresh_token=token)

    def sign_out(self, token):
        return self.revoke_token(self.server["revocation_endpoint"], token=token, token_type_hint="refresh_token")

    def status(self):
        """What the API says to the token that the app holds."""
        return self.get(self.server["issuer"] + "/v1/sync").status_code

    def is_out(self):
        """Whether its token is refused, at the latest within a second."""
        give_up = time.monotonic() + 1
        while self.status() != 401:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.01)
        return True
