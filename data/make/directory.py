#!/usr/bin/env python3
"""Makes data/demonstration/directory.ndjson from data/facts and the tables in data/make/directory.

Facts (codes, dates, telephone numbers, links) come from data/facts; the tables add what no source
has: names in six languages, parents, job titles, and invented people. The same input always makes
the same bytes. The result is checked before it is written; any fault stops the run.
"""

import csv
import json
import re
import sys
import unicodedata
from datetime import date
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent
TABLES = DATA / "make" / "directory"
LANGUAGES = ("en", "fr", "es", "ru", "zh", "ar")
INVENTED = "Invented for demonstration"
ENTITIES = "united-nations/open, entities of the United Nations system"
BUDGET = "united-nations/open, programme budget for 2025"
STRUCTURE = "Structure of the Organization as generally known; no stored source"

# Entities that the directory leaves out, and why.
LEFT_OUT = {
    "heading, not an entity": {"Boards", "Other Committees", "Working Groups", "Ad Hoc Bodies", "Standing Committees"},
    "no unit to ask: an account, a staff union": {"DA", "UNSU"},
    "ended, or merged into another": {
        "MINUSMA",
        "UNSOM",
        "2253 Ombudsperson",
        "OSASG-Genocide",
        "Ad Hoc Committee on a Comprehensive and Integral International Convention on Protection and Promotion "
        "of the Rights and Dignity of Persons with Disabilities",
        "Ad Hoc Committee on the Elaboration of a Convention Against Corruption",
        "Ad Hoc Committee on the Scope of Legal Protection under the Convention on the Safety of United Nations "
        "and Associated Personnel",
        "Ad Hoc Committee on the Administration of Justice at the United Nations",
        "Ad Hoc Committee on Criminal Accountability of United Nations Officials and Experts on Mission",
    },
    "pledging meeting, award or internal committee": {
        "Ad Hoc Committee of the General Assembly for the Announcement of Voluntary Contributions to the United "
        "Nations Relief and Works Agency for Palestine Refugees in the Near East",
        "Ad Hoc Committee of the General Assembly for the Announcement of Voluntary Contributions to the Programme "
        "of the United Nations High Commissioner for Refugees",
        "Committee for the United Nations Population Award",
        "Advisory Committee on the United Nations Programme of Assistance in the Teaching, Study, Dissemination and "
        "Wider Appreciation of International Law",
        "United Nations Staff Pension Committee",
        "Investments Committee",
    },
}

# Where the subprogrammes of a budget section hang: id of a node in secretariat_tree.csv to the
# organization and unit. The conference services of section 2 stand in units.psv as divisions.
SUBPROGRAMMES = {
    "section-9": ("un-secretariat", "desa"),
    "section-3~department-of-political-and-peacebuilding-affairs": ("un-secretariat", "dppa"),
    "section-4": ("un-secretariat", "oda"),
    "section-5~department-of-peace-operations": ("un-secretariat", "dpo"),
    "section-8~office-of-legal-affairs": ("un-secretariat", "ola"),
    "section-10": ("un-secretariat", "ohrlls"),
    "section-11": ("un-secretariat", "osaa"),
    "section-12": ("un-secretariat", "unctad"),
    "section-14": ("un-secretariat", "unep"),
    "section-15": ("un-secretariat", "un-habitat"),
    "section-16": ("un-secretariat", "unodc"),
    "section-17": ("un-women", None),
    "section-18~economic-commission-for-africa": ("un-secretariat", "eca"),
    "section-19": ("un-secretariat", "escap"),
    "section-20": ("un-secretariat", "ece"),
    "section-21": ("un-secretariat", "eclac"),
    "section-22": ("un-secretariat", "escwa"),
    "section-24~office-of-the-united-nations-high-commissioner-for-human-rig": ("un-secretariat", "ohchr"),
    "section-27~office-for-the-coordination-of-humanitarian-affairs": ("un-secretariat", "ocha"),
    "section-28": ("un-secretariat", "dgc"),
    "section-29A": ("un-secretariat", "dmspc"),
    "section-29B": ("un-secretariat", "dos"),
    "section-29C": ("un-secretariat", "oict"),
    "section-29D": ("unon", None),
    "section-29E": ("unog", None),
    "section-29F": ("unov", None),
    "section-30": ("un-secretariat", "oios"),
    "section-34": ("un-secretariat", "dss"),
}

# Names of States that the source lacks or has in another form than the other languages.
STATE_NAMES = {
    ("CIV", "formal"): {
        "fr": "République de Côte d'Ivoire",
        "es": "República de Côte d'Ivoire",
        "ru": "Республика Кот-д'Ивуар",
        "zh": "科特迪瓦共和国",
        "ar": "جمهورية كوت ديفوار",
    },
    ("TUR", "formal"): {
        "fr": "République de Türkiye",
        "es": "República de Türkiye",
        "ru": "Турецкая Республика",
        "zh": "土耳其共和国",
        "ar": "جمهورية تركيا",
    },
    ("NLD", "short"): {"en": "Netherlands (Kingdom of the)", "ar": "هولندا (مملكة -)"},
    ("IRL", "formal"): {"ar": "آيرلندا"},
    ("GBR", "formal"): {"ar": "المملكة المتحدة لبريطانيا العظمى وآيرلندا الشمالية"},
}

GENEVA_MISSIONS = "ARG BRA CHE CHN DEU EGY FRA IND ITA JPN KEN LKA MEX MMR NGA NPL PAK SRB USA ZAF".split()

INVENTED_ADDRESS = {
    "en": "{} (invented address)",
    "fr": "{} (adresse fictive)",
    "es": "{} (dirección ficticia)",
    "ru": "{} (вымышленный адрес)",
    "zh": "{}（虚构地址）",
    "ar": "{} (عنوان غير حقيقي)",
}

# What contact_points.json writes behind a number, for readers.
YEARS_OF_A_NUMBER = {
    "to 2017": {
        "en": "In use until 2017",
        "fr": "En service jusqu'en 2017",
        "es": "En uso hasta 2017",
        "ru": "Использовался до 2017 года",
        "zh": "使用至2017年",
        "ar": "كان مستخدما حتى عام 2017",
    },
    "2021-2022": {
        "en": "Published in 2021 and 2022",
        "fr": "Publié en 2021 et 2022",
        "es": "Publicado en 2021 y 2022",
        "ru": "Публиковался в 2021 и 2022 годах",
        "zh": "2021年和2022年公布",
        "ar": "نُشر في عامي 2021 و2022",
    },
}


def facts(name):
    with open(DATA / "facts" / name, encoding="utf-8", newline="") as file:
        return json.load(file) if name.endswith(".json") else list(csv.DictReader(file))


def table(name):
    """The rows of a table in which `|` parts the columns and `#` opens a remark."""
    lines = (TABLES / name).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines if line.strip() and line[0] != "#"]


def tidy(text):
    """NFC, single blanks, straight apostrophes as in the other texts."""
    return unicodedata.normalize("NFC", " ".join(text.split())).replace("\u2019", "'")


def localized(cells):
    return {language: tidy(text) for language, text in zip(LANGUAGES, cells) if text}


def acronyms(cell):
    """`UN; fr ONU; zh 联合国`: the one without a tag is English."""
    found = {}
    for part in filter(None, map(str.strip, cell.split(";"))):
        tag, _, rest = part.partition(" ")
        found.update({tag: rest} if tag in LANGUAGES else {"en": part})
    return found


def row(kind, key, **fields):
    """A row without its empty fields."""
    return {"kind": kind, "key": key} | {name: value for name, value in fields.items() if value}


def provenance(confidence, citation=None, as_of=None):
    return {"confidence": confidence} | ({"citation": citation} if citation else {}) | ({"as_of": as_of} if as_of else {})


def contact(telephones=(), emails=(), **fields):
    filled = {"telephones": list(telephones), "emails": list(emails)} | fields
    return {name: value for name, value in filled.items() if value}


def entities():
    """UN entities by acronym, or by name where they have none."""
    return {entity["entity"] or entity["entity_long"]: entity for entity in facts("un_entities.json")}


def link(entity):
    url = (entity.get("entity_link") or "").strip()
    return url if url.startswith("http") else None


def former_names():
    return json.loads((TABLES / "former_names.json").read_text(encoding="utf-8"))


def organizations(known, former):
    for key, entity, short, *names in table("organizations.psv"):
        yield row(
            "organization",
            key,
            audience="public",
            name=localized(names),
            acronym=acronyms(short),
            former_names=former.pop(key, None),
            contact=contact(url=link(known.get(entity, {}))),
            provenance=provenance("reported", ENTITIES) if entity else provenance("inferred", STRUCTURE),
        )


def units(known, former, sources):
    for key, place, kind, station, entity, short, *names in table("units.psv"):
        organization, _, parent = place.partition("/")
        name = localized(names)
        if "en" not in name:
            name = {"en": tidy(known[entity]["entity_long"])} | name
        told = sources.get(key) or (("reported", ENTITIES) if entity else ("inferred", STRUCTURE))
        yield row(
            "unit",
            key,
            organization=organization,
            parent=parent,
            name=name,
            acronym=acronyms(short),
            unit_kind=kind,
            former_names=former.pop(key, None),
            duty_station=station,
            contact=contact(url=link(known.get(entity, {}))),
            provenance=provenance(*told),
        )


def subprogrammes():
    nodes = facts("secretariat_tree.csv")
    children, labels = {}, {node["label"].strip() for node in nodes}
    for node in nodes:
        children.setdefault(node["parent_id"], []).append(node)
    for root, (organization, unit) in sorted(SUBPROGRAMMES.items()):
        if root not in children:
            sys.exit(f"{root} is not in secretariat_tree.csv")
        stem, seen = unit or organization, set()
        for path, label in below(children, root, ()):
            key = f"{stem}-sp-{'-'.join(path)}"
            if key in seen:
                continue
            seen.add(key)
            name, earlier = plain(label, labels)
            yield row(
                "unit",
                key,
                organization=organization,
                parent=f"{stem}-sp-{'-'.join(path[:-1])}" if path[1:] else unit,
                name={"en": name},
                unit_kind="programme",
                former_names=[{"name": {"en": earlier}}] if earlier else None,
                provenance=provenance("reported", BUDGET),
            )


def below(children, node_id, path):
    """Subprogrammes under a node, with the numbers that lead to each; parts of a subprogramme too."""
    for node in sorted(children.get(node_id, []), key=lambda n: (n["code"].zfill(3), n["label"], n["id"])):
        if node["label"].startswith(("Executive direction", "Programme support", "Policymaking")):
            continue
        if node["kind"] == "subprogramme" or path:
            yield (*path, node["code"]), node["label"]
            yield from below(children, node["id"], (*path, node["code"]))
        else:
            yield from below(children, node["id"], path)


def plain(label, labels):
    """A label without number, footnote letter and remark, and the former name in the remark."""
    label = label.strip()
    if label[-1] in "abc" and label[:-1] in labels:
        label = label[:-1]
    label = re.sub(r"^(?:Subprogramme|Component) \d+\. |^\([a-z]\) ", "", label)
    former = re.search(r" \(formerly ([^)]+)\)$", label)
    return tidy(re.sub(r" \((?:formerly|to be discontinued) [^)]*\)$", "", label)), former and former.group(1)


def contact_points():
    """The functional contact points by unit and duty station, with `same` replaced by the source meant."""
    found, source = {}, None
    for point in facts("contact_points.json")["contacts"]:
        source = source if point["source"] == "same" else point["source"]
        found[point["unit"], point["duty_station"]] = point | {"source": source}
    return found


def telephone(text):
    number, _, years = text.partition(" (")
    return {"number": number} | ({"note": YEARS_OF_A_NUMBER[years.rstrip(")")]} if years else {})


def function_sources(written, points):
    """Where a function's statement comes from."""
    source = points[tuple(written["fact"])]["source"] if "fact" in written else INVENTED
    return written["confidence"], written.get("citation", source), written.get("as_of")


def functions(written, points):
    for entry in written:
        point = points.pop(tuple(entry["fact"])) if "fact" in entry else {}
        told = function_sources(entry, {tuple(entry.get("fact", ())): point})
        # A number no longer in use goes behind the others.
        phones = [telephone(number) for number in sorted(point.get("phones", []), key=lambda text: "(to " in text)]
        phones += [{"number": point["fax"], "kind": "fax"}] if "fax" in point else []
        phones += [{"number": number, "kind": "mobile"} for number in entry.get("telephones", [])]
        yield row(
            "function",
            f"focal-{entry['key']}",
            audience=entry.get("audience"),
            unit=entry["unit"],
            title=entry["title"],
            duty_station=point.get("duty_station") or entry["duty_station"],
            contact=contact(
                phones,
                [point["email"]] if "email" in point else [],
                url=f"https://{point['url']}" if "url" in point else None,
                location=entry.get("location"),
                hours=entry.get("hours"),
            ),
            provenance=provenance(*told),
        )


def services():
    for entry in json.loads((TABLES / "services.json").read_text(encoding="utf-8")):
        words = {language: [word.strip() for word in entry["keywords"][language].split(",")] for language in LANGUAGES}
        keywords = [
            {language: words[language][at] for language in LANGUAGES if at < len(words[language])}
            for at in range(max(map(len, words.values())))
        ]
        yield row(
            "service",
            f"service-{entry['key']}",
            name=entry["name"],
            description=entry["description"],
            keywords=keywords,
            contact_points=[
                {"duty_station": station, "function": f"focal-{function}"}
                for station, function in entry["contact_points"].items()
            ],
            provenance=provenance("inferred", "Grouped from the functional contact points in data/facts/contact_points.json"),
        )


def state_name(state, form):
    given = {}
    for language in LANGUAGES:
        text = tidy(state[f"{form}_{language}"].removesuffix(" *"))
        if form == "formal":
            text = re.sub({"en": r"^the ", "fr": r"^(?:la |le |les |l')", "es": r"^(?:la |el |los |las )"}.get(language, "$^"), "", text)
        given[language] = text or state[f"short_{language}"]
    return given | STATE_NAMES.get((state["iso3"], form), {})


def missions():
    states = sorted(facts("member_states.csv"), key=lambda state: state["iso3"])
    geneva = [state for state in states if state["iso3"] in GENEVA_MISSIONS]
    for at, state in enumerate(states):
        area, line = ("212", at) if at < 100 else ("646", at - 100)
        phones = [{"number": f"+1 {area} 555 01{line:02}"}]
        phones += [{"number": f"+1 332 555 01{at // 3:02}", "kind": "fax"}] if at % 3 == 0 else []
        yield mission(state, "un", "NY", "new-york", f"{100 + 4 * at} Example Avenue, New York, NY 10017", phones)
    for at, state in enumerate(geneva):
        phones = [{"number": f"+41 22 555 10 {at:02}"}]
        yield mission(state, "unog", "GVA", "geneva", f"{10 + 2 * at}, rue de l'Exemple, 1202 Genève", phones)


def mission(state, organization, station, city, address, phones):
    iso3 = state["iso3"]
    return row(
        "mission",
        mission_key(iso3, station),
        organization=organization,
        duty_station=station,
        state={name: state[name] for name in ("iso2", "iso3", "m49", "status")}
        | ({"admitted_on": state["admitted"]} if state["admitted"] else {})
        | {"region": state["region"]},
        short_name=state_name(state, "short"),
        formal_name=state_name(state, "formal"),
        contact=contact(
            phones,
            [f"{city}@{iso3.lower()}.missions.example"],
            location={language: text.format(address) for language, text in INVENTED_ADDRESS.items()},
        ),
        provenance=provenance("sample", "Names and codes: datasets/country-codes; telephone, mail and address invented"),
    )


def mission_key(iso3, station):
    return f"mission-{'' if station == 'NY' else station.lower() + '-'}{iso3.lower()}"


def job_titles():
    """Job titles by key and by grammatical gender, masculine first."""
    found = {}
    for key, *titles in table("jobs.psv"):
        forms = [title.split("/") for title in titles]
        found[key] = [localized(form[0] for form in forms), localized(form[-1] for form in forms)]
    return found


def people(rows):
    jobs, extensions, mobiles, inside = job_titles(), {}, 0, {"GVA": 0, "NBO": 0}
    for columns in table("people.psv"):
        given, family, native, honorific, job, place, *rest = columns
        function, since, audience = [*rest, "", "", ""][:3]
        address = slug(f"{given}.{family}") if given else slug(family)
        if place.startswith("mission-"):
            home = rows[place]
            extension = extensions[place] = extensions.get(place, 100) + 1
            phones = [home["contact"]["telephones"][0] | {"extension": str(extension)}]
            address += "@" + home["contact"]["emails"][0].partition("@")[2]
            workplace = {"mission": place, "duty_station": home["duty_station"]}
        else:
            station = rows[place].get("duty_station")
            phones, address = [], address + "@un.example"
            if station == "NY":
                phones, mobiles = [{"number": f"+1 917 555 01{mobiles:02}", "kind": "mobile"}], mobiles + 1
            elif station in inside:
                inside[station] += 1
                exchange = {"GVA": "+41 22 555 20 {:02}", "NBO": "+254 20 555 01{:02}"}[station]
                phones = [{"number": exchange.format(inside[station])}]
            workplace = {"unit": place, "duty_station": station}
        yield row(
            "person",
            "person-" + slug(f"{family}-{given}" if given else family),
            audience={"missions": [audience]} if audience.startswith("mission-") else audience,
            name={name: text for name, text in (("given", given), ("family", family), ("native", native)) if text},
            honorific=honorific,
            job_title=jobs[job][honorific != "Mr."],
            functions=[{"function": f"focal-{function}"} | ({"since": since} if since else {})] if function else None,
            contact=contact(phones, [address]),
            provenance=provenance("sample", INVENTED),
            **workplace,
        )


def slug(text):
    text = text.lower().translate(str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ß": "ss"}))
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9.]+", "-", text).strip("-")


REFERENCES = {"organization": "organization", "unit": "unit", "parent": "unit", "mission": "mission", "function": "function"}
TOLD_IN_SIX = {"organization", "function", "service", "mission"}


def check(rows, asked):
    """Every fault of the rows as a sentence."""
    try:
        import phonenumbers
    except ImportError:
        phonenumbers = None
        print("phonenumbers is not installed: telephone numbers are checked for form only", file=sys.stderr)
    kinds = {}
    for entry in rows:
        if entry["key"] in kinds:
            yield f"{entry['key']} stands twice"
        if not re.fullmatch(r"[!-~]{1,200}", entry["key"]) or set(entry["key"]) & set(':"\\'):
            yield f"{entry['key']} is no key"
        kinds[entry["key"]] = entry["kind"]
    in_six = asked | {entry["key"] for entry in rows if entry.get("unit_kind") == "department"}
    for entry in rows:
        key = entry["key"]
        for field, target in references(entry):
            if kinds.get(target) != REFERENCES[field]:
                yield f"{key}: {field} {target} is not there"
        for path, texts in localizations(entry):
            six = entry["kind"] in TOLD_IN_SIX or key in in_six or entry["kind"] == "person"
            if six and not re.search("acronym|keywords", path) and set(texts) != set(LANGUAGES):
                yield f"{key}: {path} lacks {set(LANGUAGES) - set(texts)}"
            for text in texts.values():
                if not text or text != tidy(text) or re.search(r"[\u200b\u202a-\u202e\u2066-\u2069\ufeff]", text):
                    yield f"{key}: {path} has untidy text {text!r}"
        if not entry["provenance"].get("citation"):
            yield f"{key} has no citation"
        for phone in entry.get("contact", {}).get("telephones", []):
            good = re.fullmatch(r"\+[1-9][\d ]{6,18}", phone["number"])
            if good and phonenumbers:
                good = phonenumbers.is_valid_number(phonenumbers.parse(phone["number"]))
            if not good:
                yield f"{key}: {phone['number']} is no telephone number"
        for day in [entry["provenance"].get("as_of"), entry.get("state", {}).get("admitted_on")]:
            if day:
                date.fromisoformat(day)


def references(entry):
    yield from ((field, entry[field]) for field in ("organization", "unit", "parent", "mission") if field in entry)
    yield from (("function", part["function"]) for part in entry.get("functions", []) + entry.get("contact_points", []))
    if isinstance(entry.get("audience"), dict):
        yield from (("mission", named) for named in entry["audience"]["missions"])


def localizations(value, path=""):
    """Every localized text in a row, with its path."""
    if isinstance(value, dict):
        if value and set(value) <= set(LANGUAGES):
            yield path, value
        else:
            for name, part in value.items():
                yield from localizations(part, f"{path}/{name}")
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from localizations(part, f"{path}/{at}")


def unaccounted(known):
    """Entities that are neither used nor left out on purpose."""
    used = {line[1] for line in table("organizations.psv")} | {line[4] for line in table("units.psv")}
    return sorted(set(known) - used - set().union(*LEFT_OUT.values()))


def main():
    known, former, points = entities(), former_names(), contact_points()
    written = json.loads((TABLES / "functions.json").read_text(encoding="utf-8"))
    asked = {entry["unit"] for entry in written}
    sources = {entry["unit"]: function_sources(entry, points) for entry in written if "fact" in entry}
    rows = [*organizations(known, former), *units(known, former, sources), *subprogrammes()]
    rows += [*functions(written, points), *services(), *missions()]
    rows += people({entry["key"]: entry for entry in rows})

    faults = list(check(rows, asked))
    faults += [f"{name} is neither used nor left out" for name in unaccounted(known)]
    faults += [f"former names of {key}, which is not there" for key in former]
    faults += [f"contact point {unit} at {station} is not used" for unit, station in points]
    if faults:
        sys.exit("\n".join(faults))

    target = DATA / "demonstration" / "directory.ndjson"
    target.parent.mkdir(exist_ok=True)
    lines = (json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n" for entry in rows)
    target.write_text("".join(lines), encoding="utf-8", newline="\n")
    counts = {}
    for entry in rows:
        counts[entry["kind"]] = counts.get(entry["kind"], 0) + 1
    print("directory.ndjson:", ", ".join(f"{count} {kind}" for kind, count in counts.items()), f"({target.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
