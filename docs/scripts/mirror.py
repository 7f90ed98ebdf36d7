#!/usr/bin/env python3
"""mirror.py DATABASE [--lang LANG] [--every SECONDS]: keeps a copy of what is published in a SQLite database.

Tables:
  object   (kind, id, body)              the copy
  change   (n, at, op, kind, id)         what was put and removed, in order: a program that acts on changes
                                         remembers the last n that it has done
  place    (lang, token, synced_at)      where the copy stands

It ends after one round, unless told to come back every so many seconds.
"""

import argparse
import json
import sqlite3
import sys
import time
import urllib.parse

import focalpoint

SCHEMA = """
create table if not exists object (kind text, id text, body text not null, primary key (kind, id)) without rowid;
create table if not exists change (n integer primary key autoincrement, at text not null default current_timestamp,
    op text not null, kind text not null, id text not null);
create table if not exists place (lang text primary key, token text not null, synced_at text not null);
"""


def sync(client, db, lang):
    """One round: all of it in one transaction, so that the copy is whole at any moment. Returns what came and went."""
    with db:
        row = db.execute("select token from place where lang = ?", [lang]).fetchone()
        token = row and row[0]
        anew, seen = token is None, set()
        put = removed = 0
        complete = False
        while not complete:
            try:
                query = {"lang": lang, "token": token} if token else {"lang": lang}
                reply = client.request("GET", "/v1/sync?" + urllib.parse.urlencode(query)).body
            except focalpoint.Problem as problem:
                if token is None or problem.status not in (400, 410):
                    raise
                # The copy cannot be continued: another begins. Readers see the old one until it is whole.
                print(f"starting again: {problem.body.get('reason', problem.code)}", file=sys.stderr)
                token, anew, seen = None, True, set()
                continue
            for entry in reply["put"]:
                seen.add((entry["kind"], entry["id"]))
                put += store(db, entry)
            for entry in reply["remove"]:
                removed += forget(db, entry["kind"], entry["id"])
            token, complete = reply["token"], reply["complete"]
        if anew:
            for kind, id in set(db.execute("select kind, id from object")) - seen:
                removed += forget(db, kind, id)
        db.execute("delete from place")  # a copy is in one language: the place of another would lead astray
        db.execute("insert into place values (?, ?, current_timestamp)", [lang, token])
    return put, removed


def store(db, entry):
    """Puts an object; tells whether that changed anything. A reply that came twice changes nothing."""
    body = json.dumps(entry["object"], ensure_ascii=False, sort_keys=True)
    key = [entry["kind"], entry["id"]]
    held = db.execute("select body from object where kind = ? and id = ?", key).fetchone()
    if held and held[0] == body:
        return 0
    db.execute("insert or replace into object values (?, ?, ?)", [*key, body])
    db.execute("insert into change (op, kind, id) values ('put', ?, ?)", key)
    return 1


def forget(db, kind, id):
    """Removes an object; tells whether there was one."""
    if db.execute("delete from object where kind = ? and id = ?", [kind, id]).rowcount == 0:
        return 0
    db.execute("insert into change (op, kind, id) values ('remove', ?, ?)", [kind, id])
    return 1


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("database")
    options.add_argument("--lang", default="en")
    options.add_argument("--every", type=float)
    options = options.parse_args()
    client = focalpoint.Client.from_environment(user_agent="mirror.py (it@mission.example)")
    db = sqlite3.connect(options.database)
    db.execute("pragma journal_mode = wal")
    db.executescript(SCHEMA)
    while True:
        try:
            put, removed = sync(client, db, options.lang)
            print(json.dumps({"put": put, "removed": removed}), flush=True)
        except OSError as trouble:  # no network, and all tries used up: the copy stays as it is
            print(f"no answer: {trouble}", file=sys.stderr)
            if options.every is None:
                return 1
        except focalpoint.Problem as problem:
            print(problem, file=sys.stderr)
            if options.every is None or problem.status in (401, 403):
                return 1
        if options.every is None:
            return 0
        time.sleep(options.every)


if __name__ == "__main__":
    sys.exit(main())
