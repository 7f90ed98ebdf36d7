"""What fuzzing must know of Focalpoint beside its contract.

Positive cases get ids that exist, and values for what is opaque: a cursor, a token or a revision that somebody made up
is refused, and rightly so. Negative cases are left as they are.
"""

import base64
import json
import os
import random
import re

import schemathesis

# By path, the ids that the server knows; `symbols` are those of notes, `stale` the contract's own example of a token.
# Written by run.py.
KNOWN = json.loads(os.environ["CONTRACT_KNOWN"])
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

REVISIONS = re.compile(r"\w+=\d+(, ?\w+=\d+)*")


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_lines(ctx, value):
    """One row of the schema is a file of one line."""
    if isinstance(value, (bytes, str)):
        return value if isinstance(value, bytes) else value.encode("utf-8", "replace")
    return json.dumps(value).encode() + b"\n"


@schemathesis.hook
def before_call(context, case, kwargs):
    if REVISIONS.fullmatch(str((case.query or {}).get("min_rev"))):
        # the server would wait for it, and say 503 in the end
        case.query["min_rev"] = "directory=0, notes=0"
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # the same case gets the same values, so that a seed still means the same run
    chance = random.Random(repr((case.path_parameters, case.query, case.body)))
    path = case.operation.path
    ids = KNOWN.get(path, [])
    given = (case.path_parameters or {}).get("id")
    if ids and given not in ids and chance.random() < 0.9:
        case.path_parameters["id"] = chance.choice(ids)
    for name in list(case.query or {}):
        replace(case.query, name, path, chance)
    query = case.query or {}
    if path == "/v1/exports/directory" and ("source" in query or query.get("keys") == "source"):
        # one is nothing without the other, which a schema cannot say
        query.update(source=query.get("source", "demonstration"), keys="source")
    if path == "/oauth/token" and isinstance(case.body, dict) and "scope" in case.body:
        case.body["scope"] = "read"


def replace(query, name, path, chance):
    value = query[name]
    if name == "cursor" and not is_ours(value, path):
        del query[name]
    elif name == "token" and (len(str(value)) < 100 or value in KNOWN["stale"]):
        del query[name]
    elif name == "symbol":
        query[name] = chance.choice(KNOWN["symbols"])
    elif name == "root":
        query[name] = chance.choice(KNOWN["/v1/directory/units/{id}"])
    elif name == "on":
        query[name] = f"20{chance.randrange(10, 30)}-09-22"
    elif name == "q":
        # text that shows nothing, or what no line holds, is refused
        is_fine = re.fullmatch(r"[\w ]*\w[\w ]*", str(value), re.ASCII)
        query[name] = value if is_fine else chance.choice(["DPI", "visa", "Türkiye", "安全", "Cote dIvoire"])
    elif name == "at":
        query[name] = chance.choice(["2016-04-21T09:00:00-04:00", "2026-09-22T12:00:00Z", "2031-01-01T00:00:00+05:30"])


def is_ours(cursor, path):
    """A cursor that this list gave: JSON in base64url that begins with the list's path."""
    try:
        decoded = json.loads(base64.urlsafe_b64decode(str(cursor) + "=="))
        return decoded[0] == path and UUID.fullmatch(decoded[2]) is not None
    except (ValueError, TypeError, IndexError):
        return False
