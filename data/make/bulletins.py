#!/usr/bin/env python3
"""Makes data/demonstration/bulletins.ndjson from data/facts/security_bulletins.json and inf_notes.json.

What is closed, when and to whom comes from the facts; the words are our own (bulletins_words.py). CAP's severity,
urgency and certainty are our reading. Where a source gives no day of issue, the first day that it speaks of is
taken, and the citation says so. Invented: the three bulletins marked as samples.
"""
import json
import pathlib

import bulletins_words as w

DATA = pathlib.Path(__file__).resolve().parent.parent
FACTS = {f["id"]: f for f in json.loads((DATA / "facts/security_bulletins.json").read_text("utf-8"))}
NOTES = json.loads((DATA / "facts/inf_notes.json").read_text("utf-8"))
ASSUMED = "; day of issue assumed"
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]


def provenance(session, confidence="reported", remark=""):
    return {"confidence": confidence, "citation": FACTS[session]["source"] + remark}


def read(date, given=None):
    """A moment that a rule reads: a source's words on a date."""
    return {"date": date, "given": given} if given else {"date": date}


def bulletin(key, issuer, name, texts, provenance, **more):
    row = {
        "kind": "bulletin",
        "key": key,
        "audience": "public",
        "identifier": key.upper(),
        "issuer": {"code": issuer, "name": name},
        "duty_station": "NY",
        "time_zone": "America/New_York",
        "message_type": "alert",
        "category": "transport",
        "severity": "minor",
        "urgency": "future",
        "certainty": "likely",
        "texts": texts,
        "provenance": provenance,
    }
    return {**row, **more}


def opening(state, provenance, basis=None, **more):
    return {"state": state, **({"basis": basis} if basis else {}), **more, "provenance": provenance}


def place(key, place_kind, name, openings, provenance, **more):
    return {
        "kind": "place",
        "key": key,
        "audience": "public",
        "place_kind": place_kind,
        "duty_station": "NY",
        "time_zone": "America/New_York",
        "name": name,
        **more,
        "openings": openings,
        "provenance": provenance,
    }


def bulletins():
    yield bulletin(
        "un-2016-04-21", "un", w.UN, w.TEXT_2016, provenance("ungass2016", remark=ASSUMED),
        category="security", severity="moderate", certainty="observed",
        sent=read("2016-04-19"), onset=read("2016-04-19", "c.o.b."), expires=read("2016-04-22"),
    )
    yield bulletin(
        "nypd-usss-2019-09", "nypd-usss", w.NYPD_USSS, w.TEXT_2019, provenance("unga74-2019"),
        sent=read("2019-09-19"), onset="2019-09-22T22:00:00-04:00", expires=read("2019-09-30"),
    )
    yield bulletin(
        "nypd-2023-09", "nypd", w.NYPD, w.TEXT_2023, provenance("unga78-2023", remark=ASSUMED),
        sent=read("2023-09-17"), onset=read("2023-09-17", "afternoon"), expires=read("2023-09-23"),
    )
    yield bulletin(
        "nypd-2024-09", "nypd", w.NYPD, w.TEXT_2024,
        provenance("unga79-2024", remark=ASSUMED + "; its days are those of the high-level period"),
        sent=read("2024-09-22"), expires=read("2024-09-30"),
    )
    yield bulletin(
        "nypd-nyc-2025-09", "nypd-nyc", w.NYPD_CITY, w.TEXT_2025,
        provenance("unga80-2025", remark=ASSUMED + "; its end is that of the general debate"),
        sent=read("2025-09-23", "Sunday before the week"), expires=read("2025-09-30"),
    )
    sample = {"confidence": "sample"}
    geneva = {
        "audience": "delegates", "duty_station": "GVA", "time_zone": "Europe/Zurich", "onset": "2024-11-04T09:00:00+01:00",
    }
    yield bulletin(
        "sample-gva-1", "unog", w.UNOG, w.TEXT_SAMPLE_ALERT, sample, **geneva,
        sent="2024-11-01T10:00:00+01:00", expires=read("2024-11-04", "noon"),
    )
    yield bulletin(
        "sample-gva-2", "unog", w.UNOG, w.TEXT_SAMPLE_UPDATE, sample, **geneva, message_type="update",
        references=["sample-gva-1"], sent="2024-11-02T16:30:00+01:00", expires=read("2024-11-04", "15:00"),
    )
    yield bulletin(
        "sample-gva-3", "unog", w.UNOG, w.TEXT_SAMPLE_CANCEL, sample, **{**geneva, "onset": None},
        message_type="cancel", references=["sample-gva-2"], sent="2024-11-03T09:15:00+01:00",
    )


def april_2016():
    """Entrances, garage and crossings of 21 April 2016. Whom a source sends to an entrance it reserves, it does not
    send to another reserved one."""
    source, basis = provenance("ungass2016"), "un-2016-04-21"
    day = {"from": read("2016-04-21"), "until": read("2016-04-21")}

    def entrance(key, name, state, note, **more):
        return place(key, "entrance", name, [opening(state, source, basis, period=day, note=note, **more)], source)

    yield entrance("ny-42nd-street-staff-entrance", w.STAFF_42, "open", w.STAFF_CROSS, passes=["staff"])
    yield entrance(
        "ny-46th-street-south", w.SOUTH_46, "restricted", w.VIPS_AND_DELEGATIONS, passes=["vip", "delegate"],
        directed_elsewhere=["staff", "media", "ngo", "affiliate"],
    )
    yield entrance(
        "ny-46th-street-north", w.NORTH_46, "open", w.OTHER_PASSES, passes=["ngo", "affiliate"], screening="required",
    )
    yield entrance(
        "ny-47th-street", w.MEDIA_47, "restricted", w.MEDIA_SCREENING, passes=["media"], screening="required",
        directed_elsewhere=["staff", "vip", "delegate", "ngo", "affiliate"],
    )
    closed, reopens = "2016-04-20T20:00:00-04:00", "2016-04-21T04:00:00-04:00"
    garage = [
        opening("closed", source, basis, period={"from": closed, "until": reopens}, note=w.GARAGE_SWEEP),
        opening("restricted", source, basis, period={"from": reopens}, screening="required", note=w.GARAGE_REOPENS),
    ]
    yield place("ny-garage", "garage", w.GARAGE, garage, source)
    public = {"from": read("2016-04-19", "c.o.b."), "until": read("2016-04-22", "c.o.b.")}
    yield place(
        "ny-headquarters", "building", w.HEADQUARTERS,
        [opening("closed", source, basis, passes=["visitor"], period=public, note=w.PUBLIC_CLOSED)], source,
    )
    yield place(
        "ny-crossing-46th-first", "crossing", w.corner(w.CROSSING, "First", 46),
        [opening(
            "restricted", source, basis, period=day, note=w.CROSS_46,
            passes=["vip", "permanent_representative", "gold", "protocol_access", "ngo"],
        )], source,
    )
    yield place(
        "ny-crossing-42nd-first", "crossing", w.corner(w.CROSSING, "First", 42),
        [opening("open", source, basis, period=day, passes=["staff"], note=w.STAFF_CROSS)], source,
    )


def checkpoints():
    source = provenance("unga78-2023")
    (fact,) = [item for item in FACTS["unga78-2023"]["items"] if item["kind"] == "checkpoint"]
    daily = fact["hours"]
    for at in fact["at"]:
        avenue, _, street = at.partition(" & ")
        avenue, number = {"1st": "First", "2nd": "Second"}[avenue.split()[0]], int(street[:2])
        hours = {"daily": [daily], "outside": "unknown"}
        yield place(
            f"ny-checkpoint-{avenue.lower()}-{number}", "checkpoint", w.corner(w.CHECKPOINT, avenue, number),
            [opening("restricted", source, "nypd-2023-09", hours=hours, note=w.ON_FOOT)], source,
        )


def streets():
    """Each stretch of street, with every closure of it."""
    first, found = {}, {}

    def say(key, name, state, session, basis, order=first, **more):
        order.setdefault(key, name)
        found.setdefault(key, []).append(opening(state, provenance(session), basis, **more))

    upper, north = ("ny-first-avenue-42-48", w.first_avenue(42, 48)), ("ny-first-avenue-48-49", w.first_avenue(48, 49))
    tunnel = ("ny-first-avenue-tunnel", w.TUNNEL)
    say(
        *upper, "closed", "ungass2016", "un-2016-04-21", note=w.MOTORCADES,
        period={"from": read("2016-04-21"), "until": read("2016-04-22")},
    )
    say(*upper, "closed", "unga74-2019", "nypd-usss-2019-09")
    say(*tunnel, "open", "unga74-2019", "nypd-usss-2019-09")
    say(
        "ny-42nd-street-first-fifth", w.stretch(42, "First", "Fifth"), "restricted", "unga74-2019", "nypd-usss-2019-09",
        note=w.EMERGENCY_LANE,
    )
    say(*upper, "closed", "unga78-2023", "nypd-2023-09")

    def between(number):
        return f"ny-{w.ordinal(number)}-street-first-second", w.stretch(number, "First", "Second")

    for number in range(42, 48):
        days = {"from": read("2023-09-17"), "until": read("2023-09-23")}
        say(*between(number), "closed", "unga78-2023", "nypd-2023-09", period=days)
    for stretch in (upper, north):
        say(*stretch, "closed", "unga79-2024", "nypd-2024-09", note=w.MANAGED)
    say(*tunnel, "restricted", "unga79-2024", "nypd-2024-09", note=w.TUNNEL_2024)
    say(
        "ny-42nd-street-fdr-second", w.stretch(42, "FDR", "Second"), "closed", "unga79-2024", "nypd-2024-09",
        note=w.RAMP,
    )
    for number in range(43, 47):
        say(*between(number), "closed", "unga79-2024", "nypd-2024-09")
    say("ny-48th-street-first-fdr", w.stretch(48, "First", "FDR"), "closed", "unga79-2024", "nypd-2024-09")
    say(*upper, "closed", "unga80-2025", "nypd-nyc-2025-09")
    for number in range(44, 49):
        say(*between(number), "closed", "unga80-2025", "nypd-nyc-2025-09", note=w.DAILY)
    for key, openings in found.items():
        other = {"other_names": [w.TUNNEL_OTHER]} if key == tunnel[0] else {}
        yield place(key, "street", first[key], openings, openings[0]["provenance"], **other)


def offices():
    """The pass office and the Visitors Centre in September 2024. Two sources disagree about the pass office."""
    passes, visitors = [f for f in NOTES["facts"] if f["session"] == 79 and f.get("hours")]
    official = {"confidence": "reported", "citation": NOTES["sources"][0]}
    copy = {"confidence": "reported", "citation": NOTES["sources"][1] + " (a mission's copy of the note)"}

    def hours(rows, source, **more):
        for first, last, start, end in rows:
            period = {"from": read(first), "until": read(last)}
            if start is None:
                yield opening("closed", source, period=period)
            else:
                daily = {"daily": [f"{start}-{end}"], "outside": "closed"}
                yield opening("open", source, period=period, hours=daily, **more)

    eight = [[a, b, "08:00", end] for a, b, start, end in passes["hours"] if start == "07:00" and a < "2024-09-23"]
    yield place(
        "ny-pass-office", "building", w.PASS_OFFICE,
        [*hours(passes["hours"], official), *hours(eight, copy)], official,
        other_names=[w.PASS_OFFICE_OTHER], address={"en": "320 East 45th Street"},
    )
    yield place(
        "ny-visitors-centre", "building", w.VISITORS_CENTRE,
        [*hours(visitors["hours"], official, passes=["media"], note=w.MEDIA_PASSES)], official,
        address={"en": "801 First Avenue"},
    )


def geneva():
    source, standing = provenance("unog-gates-2024"), {"from": read("2024-01-01")}
    where = {"duty_station": "GVA", "time_zone": "Europe/Zurich"}

    def gate(key, name, openings, address=None):
        return place(key, "entrance", name, openings, source, **where, **({"address": address} if address else {}))

    def weekdays(daily, outside="closed"):
        return {"daily": [daily], "weekdays": WEEKDAYS, "outside": outside}

    yield gate(
        "gva-pregny-gate", w.PREGNY,
        [opening(
            "open", source, passes=["conference_participant"], period=standing, hours=weekdays("08:00-17:00"),
            note=w.FIRST_ENTRY,
        )],
        {"en": "14 avenue de la Paix", "fr": "14, avenue de la Paix"},
    )
    yield gate(
        "gva-peace-gate", w.PEACE,
        [
            opening(
                "open", provenance("unog-gates-2024", "inferred"), passes=["visitor"], period=standing,
                hours=weekdays("08:00-17:00", "unknown"), note=w.VISITORS_BADGES,
            ),
            opening(
                "open", source, passes=["long_term"], period={"from": read("2023-01-01")},
                hours=weekdays("07:00-20:00"), note=w.LONG_TERM,
            ),
        ],
        {"en": "Place des Nations"},
    )
    yield gate("gva-peace-gate-bis", w.PEACE_BIS, [opening("closed", source, period=standing)])


def main():
    rows = [*bulletins(), *april_2016(), *checkpoints(), *streets(), *offices(), *geneva()]
    assert len({row["key"] for row in rows}) == len(rows), "a key is given twice"
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (DATA / "demonstration/bulletins.ndjson").write_text("".join(lines), "utf-8")


main()
