#!/usr/bin/env python3
"""Makes a large directory and many INF notes, to try and measure Focalpoint with: invented, and the same for the same seed.

    python3 data/make/many.py --people 45000 --notes 500 --seed 2016 --out DIR

DIR/directory.ndjson and DIR/inf-notes.ndjson are what the imports take. Organizations, units and missions are the
demonstration's; every unit has three functions; people are put together from data/make/many/names.txt, notes from the
words of the demonstration's notes. DIR/queries.ndjson has, for a sample of distinct people, what somebody might type
who looks for them: the beginning of the family name, and the name with one typing error.

Rows are written as they are made, so memory does not grow with their number.
"""
import argparse
import bisect
import datetime
import functools
import itertools
import json
import random
import re
import sys
import unicodedata
from pathlib import Path

import directory
import inf_notes

TABLES = Path(__file__).resolve().parent / "many"
LANGUAGES = directory.LANGUAGES
SAMPLE = {"confidence": "sample", "citation": "Invented to measure with"}

# Numbers in North America are reserved for fiction; elsewhere 555 is invented, too. # is a digit.
NUMBERS = {
    "NY": "+1 212 555 01##",
    "GVA": "+41 22 555 ## ##",
    "VIE": "+43 1 555 ####",
    "NBO": "+254 20 555 ####",
    "ADD": "+251 11 555 ####",
    "BEY": "+961 1 555 ###",
    "BKK": "+66 2 555 ####",
    "STGO": "+56 2 2555 ####",
}
# Where the people of a unit are that has no duty station of its own, in percent.
STATIONS = {"NY": 52, "GVA": 20, "NBO": 8, "VIE": 7, "ADD": 5, "BKK": 4, "BEY": 2, "STGO": 2}
# How many people a unit has beside others.
SIZES = {"department": 30, "office": 18, "division": 14, "mission": 12, "section": 8, "programme": 8, "body": 1}
MISSION_SIZE, MISSION_STAFF = 3, 9  # a mission's weight, and how many of its job titles stand first in jobs.psv

# A script's letters for typing errors: as far as possible those of its own names.
ALPHABETS = {"latin": "abcdefghijklmnopqrstuvwxyz", "cyrillic": "абвгдежзийклмнопрстуфхцчшщыьэюя"}
QUERIES_OF_A_SCRIPT = 600


class Dice:
    """Chance by a seed. Only `random()` is the same in every version of Python, so everything comes from it."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def roll(self, sides):
        return int(self.random() * sides)

    def pick(self, items):
        return items[self.roll(len(items))]

    def percent(self, share):
        return self.random() * 100 < share


class Weighted:
    """Picks items by whole-number weights."""

    def __init__(self, weighted):
        self.items = [item for item, _ in weighted]
        self.sums = list(itertools.accumulate(weight for _, weight in weighted))

    def pick(self, dice):
        return self.items[bisect.bisect_right(self.sums, dice.roll(self.sums[-1]))]


def by_rank(items):
    """The first names of a list are frequent, the last rare, as in a telephone book (Zipf, flattened at the top)."""
    return Weighted([(item, 1_000_000 // (rank + 6)) for rank, item in enumerate(items)])


def forms(text):
    """`Nováková` of `Novák~Nováková`: the masculine and the feminine form."""
    masculine, _, feminine = text.partition("~")
    return masculine, feminine or masculine


class Culture:
    """A culture's names, and how a whole name is put together from them."""

    def __init__(self, head, lists):
        self.name, self.form, self.script, weight = head
        self.weight = int(weight)
        self.families = by_rank([self.pair(name) for name in lists["families"]])
        self.given = [by_rank([self.pair(name) for name in lists[sex]]) if lists[sex] else None for sex in ("men", "women")]
        self.fathers = [forms(name) for name in lists.get("fathers", [])]

    @staticmethod
    def pair(text):
        """A name in Latin letters and in its own, each in both forms."""
        latin, _, native = text.partition("/")
        return forms(latin), forms(native)

    def person(self, dice):
        """Sex (0 masculine), given and family name, whole native name and the family part of it; absent ones are empty."""
        sex = dice.roll(2)
        latin, native = (form[sex] for form in self.families.pick(dice))
        if self.form == "mononym":
            return sex, "", latin, native, native
        given, own = (form[sex] for form in self.given[sex].pick(dice))
        return (sex, *getattr(self, "as_" + self.form.replace("-", "_"))(dice, sex, given, own, latin, native))

    def as_plain(self, dice, sex, given, own, family, native):
        if not native and dice.percent(6):
            family += "-" + self.families.pick(dice)[0][sex]
        return given, family, native and f"{own} {native}", native

    def as_double(self, dice, sex, given, own, family, native):
        if dice.percent(30):
            given += " " + self.given[sex].pick(dice)[0][sex]
        return given, f"{family} {self.families.pick(dice)[0][sex]}", "", ""

    def as_lusophone(self, dice, sex, given, own, family, native):
        particle = dice.pick(["", "", "", "da ", "dos ", "de "])
        first = self.families.pick(dice)[0][sex] + " " if dice.percent(60) else ""
        return given, first + particle + family, "", ""

    def as_patronymic(self, dice, sex, given, own, family, native):
        return given, family + ("dóttir" if sex else "son"), "", ""

    def as_vietnamese(self, dice, sex, given, own, family, native):
        return given, family, "", ""

    def as_russian(self, dice, sex, given, own, family, native):
        if sex:
            family, native = feminine(family), feminine(native)
        father = " " + dice.pick(self.fathers)[sex] if dice.percent(50) else ""
        return given, family, f"{own}{father} {native}", native

    def as_arabic(self, dice, sex, given, own, family, native):
        father, fathers = (form[0] for form in self.given[0].pick(dice)) if dice.percent(50) else ("", "")
        return f"{given} {father}".strip(), family, " ".join(filter(None, (own, fathers, native))), native

    def as_sinitic(self, dice, sex, given, own, family, native):
        if dice.percent(88):
            second, seconds = (form[sex] for form in self.given[sex].pick(dice))
            given, own = given + ("-" if self.name == "korean" else "") + second, own + seconds
        return given[0].upper() + given[1:], family, native + own, native

    def as_family_first(self, dice, sex, given, own, family, native):
        return given, family, f"{native} {own}", native


def feminine(family):
    for masculine, ending in (("sky", "skaya"), ("skoy", "skaya"), ("ский", "ская"), ("ской", "ская")):
        if family.endswith(masculine):
            return family[: -len(masculine)] + ending
    return family + ("a" if family[-1].isascii() else "а")


def cultures():
    found, head, lists = [], None, {}
    for line in [*(TABLES / "names.txt").read_text(encoding="utf-8").splitlines(), "[]"]:
        if line.startswith("["):
            if head:
                found.append(Culture(head, lists))
            head, lists = line.strip("[]").split(), {}
        elif head and ":" in line:
            name, _, names = line.partition(":")
            lists[name] = [unicodedata.normalize("NFC", each.strip()) for each in names.split(",") if each.strip()]
    return found


def table(name):
    lines = (TABLES / name).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines if line.strip() and line[0] != "#"]


def job_titles():
    """Job titles, masculine and feminine: of a mission's staff, and of all others."""
    titles = list(directory.job_titles().values())
    for _, *cells in table("jobs.psv"):
        both = [cell.split("/") for cell in cells]
        titles.append([directory.localized(form[0] for form in both), directory.localized(form[-1] for form in both)])
    return titles[:MISSION_STAFF], titles[MISSION_STAFF:]


slug = functools.lru_cache(maxsize=100_000)(directory.slug)


class Place:
    """A unit or mission with the functions of it that nobody holds yet."""

    def __init__(self, row, functions=()):
        self.row, self.functions, self.staff = row, list(functions), 0
        self.is_mission = row["kind"] == "mission"


def frame():
    """The rows that people refer to."""
    known, former = directory.entities(), directory.former_names()
    yield from directory.organizations(known, former)
    yield from directory.units(known, former, {})
    yield from directory.subprogrammes()
    yield from directory.missions()


def functions_of(dice, unit, titles):
    station = unit.get("duty_station") or "NY"
    for name, title in titles:
        yield {
            "kind": "function",
            "key": f"{unit['key']}-{name}",
            "unit": unit["key"],
            "title": title,
            "duty_station": station,
            "contact": {
                "telephones": [{"number": number(dice, station), "extension": f"{dice.roll(9000) + 1000}"}],
                "emails": [f"{name}.{unit['key']}@un.example"],
            },
            "provenance": SAMPLE,
        }


def number(dice, station):
    return re.sub("#", lambda _: str(dice.roll(10)), NUMBERS[station])


def people(dice, count, named, places, titles):
    """Rows of people, each with the name by which to look for them."""
    named = Weighted([(culture, culture.weight) for culture in named])
    stations = Weighted(list(STATIONS.items()))
    of_missions, of_units = map(by_rank, titles)
    for at in range(count):
        culture, place = named.pick(dice), places.pick(dice)
        sex, given, family, native, native_family = culture.person(dice)
        yield person(dice, at, place, (sex, given, family, native), stations, of_missions if place.is_mission else of_units), (
            culture.script if native else "latin",
            native or f"{given} {family}".strip(),
            native_family or family,
        )


def person(dice, at, place, called, stations, titles):
    sex, given, family, native = called
    station = place.row.get("duty_station") or stations.pick(dice)
    place.staff += 1
    name = {"given": given, "family": family, "native": native}
    if place.is_mission:
        domain = place.row["contact"]["emails"][0].partition("@")[2]
        telephone = place.row["contact"]["telephones"][0] | {"extension": str(100 + place.staff)}
    else:
        domain, telephone = "un.example", {"number": number(dice, station), "extension": f"{dice.roll(90000) + 10000}"}
    address = ".".join(filter(None, (slug(given), slug(family)))).replace("..", ".") + f"{at}@{domain}"
    contact = {"telephones": [telephone], "emails": [address]}
    if not place.is_mission and dice.percent(30):
        contact["location"] = {"en": f"{dice.pick('ABCDEFS')}-{dice.roll(3900) + 100:04}"}
    held = [{"function": place.functions.pop(), "since": day(dice, 2015)}] if place.functions else []
    row = {
        "kind": "person",
        "key": f"person-{at:07}",
        "name": {part: text for part, text in name.items() if text},
        "honorific": "Dr." if dice.percent(4) else ("Mr.", "Ms.")[sex],
        "job_title": titles.pick(dice)[sex],
        "mission" if place.is_mission else "unit": place.row["key"],
        "functions": held,
        "duty_station": station,
        "contact": contact,
        "provenance": SAMPLE,
    }
    # One in a hundred is for the Secretariat alone, or for their own mission.
    if dice.percent(1):
        row["audience"] = {"missions": [place.row["key"]]} if place.is_mission else "secretariat"
    return {field: value for field, value in row.items() if value}


def day(dice, year):
    return (datetime.date(year, 1, 1) + datetime.timedelta(days=dice.roll(3650))).isoformat()


class Queries:
    """Draws distinct people of every script and writes what is typed to find them."""

    def __init__(self, dice, count, named):
        total = sum(culture.weight for culture in named)
        shares = {culture.script: 0 for culture in named}
        for culture in named:
            shares[culture.script] += culture.weight / total
        self.dice, self.drawn = dice, dict.fromkeys(shares, 0)
        self.chance = {script: min(1.0, 1.3 * QUERIES_OF_A_SCRIPT / (share * count)) for script, share in shares.items()}
        self.letters = {script: sorted(alphabet(named, script)) for script in shares}

    def draw(self, key, script, name, family):
        if self.dice.random() >= self.chance[script] or self.drawn[script] >= QUERIES_OF_A_SCRIPT or len(name) < 3:
            return None
        self.drawn[script] += 1
        edit, typo = self.misspell(name, script)
        _, of_family = self.misspell(family, script) if len(family) >= 4 else (None, None)
        prefix = family[: min(len(family), 1 + self.dice.roll(4))].strip()
        return {"key": key, "script": script, "name": name, "family": family, "prefix": prefix, "edit": edit, "typo": typo,
                "family_typo": of_family}

    def misspell(self, word, script):
        """One insertion, deletion, substitution or transposition of letters, blanks among them.

        Korean is typed letter by letter, three or so a syllable; so are the errors made.
        """
        letters = unicodedata.normalize("NFD", word) if script == "korean" else word
        while True:
            at, letter = self.dice.roll(len(letters)), self.dice.pick(self.letters[script])
            edit = self.dice.pick(["insertion", "deletion", "substitution", "transposition"])
            wrong = {
                "insertion": letters[:at] + letter + letters[at:],
                "deletion": letters[:at] + letters[at + 1 :],
                "substitution": letters[:at] + letter + letters[at + 1 :],
                "transposition": letters[:at] + letters[at + 1 : at + 2] + letters[at] + letters[at + 2 :],
            }[edit]
            if script == "korean":
                wrong = unicodedata.normalize("NFC", wrong)
            if wrong.strip() not in ("", word) and wrong != word:
                return edit, wrong


def alphabet(named, script):
    if script in ALPHABETS:
        return ALPHABETS[script]
    names = [culture.given + [culture.families] for culture in named if culture.script == script]
    texts = (text for lists in names for names in lists if names for _, native in names.items for text in native)
    form = "NFD" if script == "korean" else "NFC"
    letters = {letter for text in texts for letter in unicodedata.normalize(form, text)}
    return {letter for letter in letters if unicodedata.category(letter).startswith("L")}


ORDER = ("en", "fr", "ru", "es", "zh", "ar")


def notes(dice, count):
    """Rows of notes: a document with its addenda, corrigenda and revisions, then the next."""
    subjects, made = table("subjects.psv"), 0
    for document in itertools.count():
        session, at = 67 - document % 37, 1 + document // 37
        subject = dict(zip(LANGUAGES, dice.pick(subjects)))
        base, moment = f"A/INF/{session}/{at}", datetime.datetime(1945 + session, 7, 1, 10) + datetime.timedelta(days=dice.roll(60))
        issues = [(base, "note")]
        issues += [(f"{base}/Corr.1", "corrigendum")] * dice.percent(12) + [(f"{base}/Add.1", "addendum")] * dice.percent(20)
        issues += [(f"{base}/Rev.1", "note")] * dice.percent(15)
        for symbol, part in issues:
            if made == count:
                return
            yield note(dice, symbol, part, {language: text.format(session) for language, text in subject.items()}, moment)
            made, moment = made + 1, moment + datetime.timedelta(days=2 + dice.roll(9))


def note(dice, symbol, part, title, moment):
    headings = list(inf_notes.SECTIONS)
    start, length = dice.roll(len(headings)), 2 + dice.roll(8)
    chosen = [(headings[(start + at) % len(headings)], dice.roll(12), 1 + dice.roll(3)) for at in range(length)]
    written = [name for name, texts in inf_notes.TEXTS.items() if len(texts) == 6]
    lag, texts = 0, {}
    for language in ORDER:
        texts[language] = {
            "title": title[language],
            "subtitle": inf_notes.PARTS[part][language],
            "place_dates": inf_notes.FIXED["headquarters"][language] + inf_notes.FIXED["comma"][language]
            + inf_notes.date(language, moment.date()),
            "sections": [
                {
                    "number": roman,
                    "title": inf_notes.SECTIONS[heading][language],
                    "page": 1 + page,
                    "text": "\n\n".join(inf_notes.TEXTS[written[(first + more) % len(written)]][language] for more in range(many)),
                }
                for page, (roman, (heading, first, many)) in enumerate(zip(inf_notes.ROMAN, chosen))
            ],
            "confidence": "sample",
            "appeared": {"at": f"{(moment + datetime.timedelta(hours=lag)).isoformat()}-04:00", "confidence": "sample"},
        }
        lag += 20 + dice.roll(40)
    return {
        "kind": "inf_note",
        "key": symbol,
        "audience": "delegates" if dice.percent(10) else "public",
        "symbol": symbol,
        "date": moment.date().isoformat(),
        "job_number": f"{moment.year % 100:02}-{dice.roll(90000) + 10000}",
        "distribution": "general",
        "original_language": "en",
        "session_dates": {"opens": f"{moment.year}-09-{14 + dice.roll(7)}"},
        "texts": texts,
        "provenance": SAMPLE,
    }


def write(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        count = 0
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
            count += 1
    print(f"{path}: {count} rows, {path.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


def directory_rows(seed, count, named, queries):
    dice = Dice(seed)
    titles = [(name, directory.localized(cells)) for name, *cells in table("functions.psv")]
    places = []
    for row in frame():
        yield row
        if row["kind"] == "mission":
            places.append((Place(row), MISSION_SIZE))
        elif row["kind"] == "unit":
            functions = list(functions_of(dice, row, titles))
            yield from functions
            size = SIZES.get(row["unit_kind"], 6) * (1 + dice.roll(8))
            places.append((Place(row, [function["key"] for function in reversed(functions)]), size))
    for row, (script, name, family) in people(dice, count, named, Weighted(places), job_titles()):
        yield row
        if "audience" not in row:
            queries(row["key"], script, name, family)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=45_000)
    parser.add_argument("--notes", type=int, default=500)
    parser.add_argument("--seed", type=int, default=2016)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    named = cultures()
    queries, drawn = Queries(Dice(options.seed + 1), max(options.people, 1), named), []
    ask = lambda *of: drawn.extend(filter(None, [queries.draw(*of)]))
    write(options.out / "directory.ndjson", directory_rows(options.seed, options.people, named, ask))
    write(options.out / "inf-notes.ndjson", notes(Dice(options.seed + 2), options.notes))
    write(options.out / "queries.ndjson", drawn)


if __name__ == "__main__":
    main()
