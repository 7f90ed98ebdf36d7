"""Fuzzes a running server with schemathesis as a stranger, a delegate and an admin, until there are enough cases.

    run.py --url URL --credentials FILE --schemathesis PROGRAM --reports FOLDER --cases N --seed S

Every failure is printed with a curl line. Exits with 1 if there was any.
"""

import argparse
import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
IDENTITIES = ["stranger", "delegate", "admin"]
# The phase `coverage` tries every edge of every parameter: some 5,000 cases an identity, whatever the number asked for.
COVERAGE_FROM = {"admin": 2_000, "delegate": 10_000, "stranger": 15_000}
CREDENTIALS = """
[auth.openapi.oauth2]
bearer = "${CONTRACT_TOKEN}"
[auth.openapi.client_basic]
username = "${CONTRACT_CLIENT}"
password = "${CONTRACT_SECRET}"
"""


def ask(url, headers, body=None):
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        return json.load(answer)


def token(url, client):
    basic = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
    return ask(f"{url}/oauth/token", {"Authorization": f"Basic {basic}"}, b"grant_type=client_credentials")["access_token"]


def known(url, admin):
    """The ids of every list that has entries with addresses of their own."""
    bearer = {"Authorization": f"Bearer {admin}"}
    paths = ask(f"{url}/openapi.json", {})["paths"]
    found = {}
    for path in paths:
        listed = path.removesuffix("/{id}")
        if listed != path and "get" in paths.get(listed, {}):
            # what must be given, is given as the contract's examples do
            given = [p for p in paths[listed]["get"].get("parameters", []) if p.get("required")]
            query = urllib.parse.urlencode({p["name"]: p["example"] for p in given})
            found[path] = [entry["id"] for entry in ask(f"{url}{listed}?{query}", bearer)["items"][:50]]
    notes = ask(f"{url}/v1/inf-notes", bearer)["items"]
    stale = [p["example"] for p in paths["/v1/sync"]["get"]["parameters"] if p.get("name") == "token"]
    return {**found, "symbols": [note["symbol"] for note in notes], "stale": stale}


class Run:
    def __init__(self, options):
        self.options = options
        self.cases = 0
        self.failed = []
        clients = json.loads(options.credentials.read_text())
        self.clients = clients
        self.tokens = {who: token(options.url, clients[who]) for who in IDENTITIES if who != "stranger"}
        self.known = json.dumps(known(options.url, self.tokens["admin"]))

    def once(self, who, seed, phases, examples):
        name = f"{who}-{seed}"
        report = self.options.reports / f"{name}.json"
        environment = {
            **os.environ,
            "CONTRACT_KNOWN": self.known,
            "CONTRACT_TOKEN": self.tokens.get(who, ""),
            "CONTRACT_CLIENT": self.clients.get(who, {}).get("client_id", ""),
            "CONTRACT_SECRET": self.clients.get(who, {}).get("client_secret", ""),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        config = self.options.reports / f"{name}.toml"
        config.write_text((HERE / "schemathesis.toml").read_text() + (CREDENTIALS if who in self.tokens else ""))
        command = [self.options.schemathesis, "--config-file", config, "run", f"{self.options.url}/openapi.json"]
        command += ["--phases", ",".join(phases), "--max-examples", str(examples), "--seed", str(seed)]
        command += ["--workers", "2", "--report", "json", "--report-json-path", report, "--no-color"]
        done = subprocess.run(command, env=environment, cwd=HERE, capture_output=True, text=True)
        (self.options.reports / f"{name}.txt").write_text(done.stdout + done.stderr)
        count = json.loads(report.read_text())["test_cases"]["generated"] if report.exists() else 0
        self.cases += count
        print(f"{who:8} seed {seed}, {'+'.join(phases)}: {count} cases, {'nothing found' if done.returncode == 0 else 'FAILED'}", flush=True)
        if done.returncode != 0:
            self.failed.append(name)
            found = re.search(r"^=+ (ERRORS|FAILURES) =+$.*", done.stdout, re.MULTILINE | re.DOTALL)
            print(found[0] if found else done.stdout + done.stderr, flush=True)
        return count

    def all(self):
        wanted, seed = self.options.cases, self.options.seed
        # fuzzing and stateful make some 90 cases for each example an operation is allowed
        examples = max(1, min(100, wanted // 500))
        for who in IDENTITIES:
            coverage = ["coverage"] if wanted >= COVERAGE_FROM[who] else []
            self.once(who, seed, ["examples", *coverage, "fuzzing", "stateful"], examples)
        while self.cases < wanted and not self.failed:
            seed += 1
            missing = (wanted - self.cases) // 90 + 1
            for who in IDENTITIES:
                if self.cases < wanted and self.once(who, seed, ["fuzzing", "stateful"], min(100, missing // 3 + 1)) == 0:
                    sys.exit("no cases were generated")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--url", required=True)
    options.add_argument("--credentials", type=pathlib.Path, required=True)
    options.add_argument("--schemathesis", required=True)
    options.add_argument("--reports", type=pathlib.Path, required=True)
    options.add_argument("--cases", type=int, required=True)
    options.add_argument("--seed", type=int, required=True)
    run = Run(options.parse_args())
    run.all()
    verdict = f"FAILED: {', '.join(run.failed)}" if run.failed else "no violation, no 5xx"
    print(f"{run.cases} cases, seed {run.options.seed}: {verdict}")
    sys.exit(1 if run.failed else 0)


main()
