#!/usr/bin/env python3
"""load.py FEATURE FILE --source NAME: loads a file of rows, all of them or none.

Rehearses first, so that the run that counts finds no surprise; names every fault by line; waits until readers have
what was written. FEATURE is directory, event-costs, inf-notes or bulletins; FILE is NDJSON, or for the directory CSV
(by its name: *.csv).

  --replace    the file is all that the source has: its other rows are closed
  --force      also when that closes more than 10 % of them; for a person who has looked, never for a nightly run
  --rehearse   stop after the rehearsal
  --progress   do not wait for the answer, which may take minutes, but ask how far it is

Exit status: 0 it is in (or could be), 1 the file is refused, 2 it would close too many rows, 3 no answer, try later.
"""

import argparse
import json
import sys
import time
import urllib.parse

import focalpoint


NDJSON, CSV = "application/x-ndjson", "text/csv"


def load(client, feature, rows, media_type=NDJSON, headers=None, **options):
    """Sends a file. To repeat it is safe: what is in already is counted as unchanged."""
    address = f"/v1/imports/{feature}?{urllib.parse.urlencode(options)}"
    return client.request("POST", address, rows, {"Content-Type": media_type, **(headers or {})})


def load_and_follow(client, feature, rows, media_type=NDJSON, **options):
    """Sends a file, and tells how far it is until it is in. Raises Problem where it is refused."""
    accepted = load(client, feature, rows, media_type, {"Prefer": "respond-async"}, **options)
    told = None
    while True:
        run = client.request("GET", accepted.headers["Location"]).body
        if run["state"] in ("committed", "rehearsed"):
            return run
        if run["state"] in ("refused", "failed"):
            problem = run.get("problem", {})
            raise focalpoint.Problem(problem.get("status", 503), accepted.headers, problem)
        progress = f"{run['state']} {run['rows_done']} of {run.get('rows_total', '?')}"
        if progress != told:
            print(progress, file=sys.stderr)
        told = progress
        time.sleep(0.5)


def wait_for_readers(client, revision):
    """Returns when a reader has the revision, whichever process answers. 503 meanwhile: the client asks again."""
    query = urllib.parse.urlencode({"limit": 1, "min_rev": revision.replace(" ", "")})
    client.request("GET", f"/v1/directory/organizations?{query}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("feature")
    parser.add_argument("file")
    parser.add_argument("--source", required=True)
    parser.add_argument("--replace", action="store_true")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--progress", action="store_true")
    given = parser.parse_args()
    with open(given.file, "rb") as file:
        rows = file.read()
    options = {"source": given.source, "mode": "replace" if given.replace else "merge"}
    if given.force:
        options["force"] = "true"
    media_type = CSV if given.file.endswith(".csv") else NDJSON
    client = focalpoint.Client.from_environment(timeout=300)
    try:
        report = load(client, given.feature, rows, media_type, dry_run="true", **options)
        print(json.dumps(report.body))
        if given.rehearse:
            return 0
        if given.progress:
            run = load_and_follow(client, given.feature, rows, media_type, **options)
            print(json.dumps(run["report"]))
            return 0
        report = load(client, given.feature, rows, media_type, **options)
        print(json.dumps(report.body))
        revision = report.headers.get("Sync-Rev")
        if revision:
            wait_for_readers(client, revision)
        print(f"readers have {revision}" if revision else "nothing has changed for readers")
        return 0
    except focalpoint.Problem as problem:
        print(problem, file=sys.stderr)
        if problem.status in focalpoint.MAY_PASS:
            return 3
        return 2 if problem.code == "too_many_closed" else 1
    except OSError as trouble:
        print(f"no answer: {trouble}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
