#!/usr/bin/env python3
"""phone_copy.py: keeps a copy as docs/phone.md says, sections 3 to 7. Python 3.9 or later, nothing else.

  phone_copy.py COPY.db [--lang fr] [--wait SECONDS] [--pages N]

  --wait SECONDS   wait for news so long, at most 25
  --pages N        give up after so many pages, as a phone does in a lift: the next run goes on behind them

  FOCALPOINT       the server's address      (http://127.0.0.1:8080)
  ACCESS_TOKEN     of somebody who may read

In COPY.db: object (kind, id, body) is the copy, whole at any moment; place (lang, token) is where it stands. What has
come of the next one waits in `pending` until all of it is there: a body to put, or null to forget.
"""

import argparse
import gzip
import json
import os
import sqlite3
import sys
import urllib.error
import urllib.parse
import urllib.request

SCHEMA = """
create table if not exists object (kind text, id text, body text not null, primary key (kind, id)) without rowid;
create table if not exists pending (kind text, id text, body text, primary key (kind, id)) without rowid;
create table if not exists place (lang text primary key, token text, next_token text, anew integer not null);
"""


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("database")
    options.add_argument("--lang", default="en")
    options.add_argument("--wait", type=int)
    options.add_argument("--pages", type=int, default=10_000)
    options = options.parse_args()
    db = sqlite3.connect(options.database)
    db.executescript(SCHEMA)
    done = {"pages": 0, "bytes": 0, "complete": False}
    while not done["complete"] and done["pages"] < options.pages:
        sync_page(db, options.lang, options.wait, done)
    done["objects"] = db.execute("select count(*) from object").fetchone()[0]
    print(json.dumps(done))


def sync_page(db, lang, wait, done):
    """Asks for one page and keeps what it says, in one transaction."""
    # A copy is in one language: with another one a new copy begins.
    row = db.execute("select token, next_token, anew from place where lang = ?", [lang]).fetchone()
    token, next_token, anew = row or (None, None, True)
    query = {"lang": lang, "shape": "columns"}
    if next_token or token:
        query["token"] = next_token or token
        if wait:
            query["wait"] = wait
    status, page, size = ask("/v1/sync?" + urllib.parse.urlencode(query))
    if status in (400, 410) and "token" in query:
        # It cannot be continued. What is pending goes; the copy stays until the next one is whole, unless the user
        # has other rights now: then it is not shown any more.
        print("starting again:", page.get("reason", page["code"]), file=sys.stderr)
        with db:
            db.execute("delete from pending")
            db.execute("insert or replace into place values (?, null, null, true)", [lang])
            if page.get("reason") == "audience-changed":
                db.execute("delete from object")
        return
    if status != 200:
        raise SystemExit(f"{status}: {page}")
    with db:
        if row is None:
            db.execute("delete from pending")
            db.execute("delete from place")
        for table in page.get("tables", []):  # first what comes by column, then by row, then what goes
            for body in objects(table):
                keep(db, table["kind"], body["id"], body)
        for put in page["put"]:
            keep(db, put["kind"], put["id"], put["object"])
        for gone in page["remove"]:
            keep(db, gone["kind"], gone["id"], None)
        if page["complete"]:
            if anew:
                db.execute("delete from object")
            db.execute("delete from object where (kind, id) in (select kind, id from pending)")
            db.execute("insert into object select kind, id, body from pending where body is not null")
            db.execute("delete from pending")
            token, next_token, anew = page["token"], None, False
        else:
            next_token = page["token"]
        db.execute("insert or replace into place values (?, ?, ?, ?)", [lang, token, next_token, anew])
    done["pages"] += 1
    done["bytes"] += size
    done["complete"] = page["complete"]


def keep(db, kind, id, body):
    text = None if body is None else json.dumps(body, ensure_ascii=False, sort_keys=True)
    db.execute("insert or replace into pending values (?, ?, ?)", [kind, id, text])


def ask(path):
    base = os.environ.get("FOCALPOINT", "http://127.0.0.1:8080")
    headers = {"Authorization": "Bearer " + os.environ["ACCESS_TOKEN"], "Accept-Encoding": "gzip"}
    try:
        with urllib.request.urlopen(urllib.request.Request(base + path, headers=headers), timeout=40) as reply:
            raw = reply.read()
            text = gzip.decompress(raw) if reply.headers.get("Content-Encoding") == "gzip" else raw
            return reply.status, json.loads(text), len(raw)
    except urllib.error.HTTPError as refused:
        raw = refused.read()
        text = gzip.decompress(raw) if refused.headers.get("Content-Encoding") == "gzip" else raw
        return refused.code, json.loads(text), len(raw)


def objects(table):
    """The objects of a table: each is made of what the columns have at its place."""
    for body in rows(table["columns"], table["count"]):
        if table["kind"] == "person":
            names = [body[name] for name in ("given_name", "family_name") if name in body]
            body.setdefault("full_name", " ".join(names))
        for telephone in body.get("contact", {}).get("telephones", []):
            digits = [c for c in telephone["display"] if c in "0123456789"]
            telephone.setdefault("number", "+" + "".join(digits))
            extension = ";ext=" + telephone["extension"] if "extension" in telephone else ""
            telephone.setdefault("uri", f"tel:{telephone['number']}{extension}")
        yield body


def rows(columns, count):
    made = [{} for _ in range(count)]
    for field, column in columns.items():
        for row, value in zip(made, values(column, count)):
            if value is not None:  # null: it has no such field
                row[field] = value
    return made


def values(column, count):
    if isinstance(column, list):
        return column
    if "all" in column:
        return [column["all"]] * count
    if "fields" in column:
        present = column.get("present", [True] * count)
        made = iter(rows(column["fields"], sum(present)))
        return [next(made) if there else None for there in present]
    made = iter(rows(column["items"], sum(n or 0 for n in column["counts"])))
    return [None if n is None else [next(made) for _ in range(n)] for n in column["counts"]]


if __name__ == "__main__":
    main()
