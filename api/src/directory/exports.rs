//! The directory's export: entries as the rows that the import takes.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, get};
use uuid::Uuid;

use super::STREAMS;
use super::imports::{
    COLUMNS, ContactPointRow, DirectoryRow, FormerNameRow, FunctionRow, HoldingRow, KINDS, MissionRow, OrganizationRow,
    PersonNameRow, PersonRow, ServiceRow, StateRow, UnitRow,
};
use crate::answers::{Published, Tag, answer_in_all};
use crate::exports::{Format, Place, Rows, respond, set_vary};
use crate::identity::{Allowed, Read};
use crate::imports::AudienceBody;
use crate::imports::csv::Columns;
use crate::params::Params;
use crate::problem::ApiError;
use crate::rows::{ContactRow, Localize};
use domain::directory::{FormerName, Function, Mission, Organization, Person, Service, Unit};
use domain::{Audience, Broken, Kind, Language, Localized, Reader, Rule, Scope, Source};
use edition::{Collection, Directory, Item};

/// What is to be exported.
struct DirectoryRows {
    directory: Arc<Directory>,
    reader: Reader,
    kinds: Vec<Kind>,
    /// This source's rows alone, named as there; else all, named by their ids.
    source: Option<Source>,
}

/// Writes the rows of one pass.
struct Writer<'a> {
    rows: &'a DirectoryRows,
    uris: bool,
}

impl DirectoryRows {
    fn is_wanted(&self, id: Uuid) -> bool {
        self.source.as_ref().is_none_or(|source| self.directory.origins.find(id).is_some_and(|(s, _)| s == source))
    }

    /// An entry's name: its id, or where keys are asked for its key, `source:key` for another source's.
    fn name(&self, id: Uuid) -> String {
        let origin = self.source.as_ref().and_then(|own| Some((own, self.directory.origins.find(id)?)));
        match origin {
            Some((own, (source, key))) if own == source => key.to_owned(),
            Some((_, (source, key))) => format!("{}:{key}", source.as_str()),
            None => id.to_string(),
        }
    }

    fn part<T: Item>(
        &self,
        collection: &Collection<T>,
        place: Place,
        most: usize,
        mut each: impl FnMut(&T),
    ) -> Option<Place> {
        let mut seen = 0;
        for entry in collection.in_order_from(Language::En, place.entries).take(most) {
            seen += 1;
            if entry.value.audience().admits(self.reader) && self.is_wanted(entry.value.id()) {
                each(&entry.value);
            }
        }
        match seen == most {
            true => Some(Place { entries: place.entries + seen, ..place }),
            false => (place.part + 1 < self.kinds.len()).then_some(Place { part: place.part + 1, entries: 0 }),
        }
    }
}

impl Rows for DirectoryRows {
    type Row = DirectoryRow;
    const COLUMNS: Columns = COLUMNS;

    fn rows(&self, place: Place, most: usize, uris: bool, mut each: impl FnMut(DirectoryRow)) -> Option<Place> {
        let (writer, directory) = (Writer { rows: self, uris }, &self.directory);
        match self.kinds.get(place.part)? {
            Kind::Organization => self.part(&directory.organizations, place, most, |o| each(writer.organization(o))),
            Kind::Unit => self.part(&directory.units, place, most, |u| each(writer.unit(u))),
            Kind::Function => self.part(&directory.functions, place, most, |f| each(writer.function(f))),
            Kind::Mission => self.part(&directory.missions, place, most, |m| each(writer.mission(m))),
            Kind::Person => self.part(&directory.people, place, most, |p| each(writer.person(p))),
            Kind::Service => self.part(&directory.services, place, most, |s| each(writer.service(s))),
            Kind::RateCard | Kind::InfNote | Kind::Bulletin | Kind::Place => None,
        }
    }
}

fn texts(text: Option<&Localized>) -> Option<Localize> {
    text.map(Localize::from)
}

fn owned(text: &Option<Box<str>>) -> Option<String> {
    text.as_deref().map(str::to_owned)
}

impl Writer<'_> {
    fn name(&self, id: Uuid) -> String {
        self.rows.name(id)
    }

    /// Of the missions that are named, a mission is told itself alone.
    fn audience(&self, audience: &Audience) -> Option<AudienceBody> {
        let named = match (audience, self.rows.reader) {
            (Audience::Missions(_), Reader::Mission(own)) => vec![self.name(own.0)],
            (Audience::Missions(named), _) => named.iter().map(|mission| self.name(mission.0)).collect(),
            (other, _) => return Some(AudienceBody::Word(other.to_string())),
        };
        Some(AudienceBody::Named { missions: named })
    }

    fn former_names(&self, names: &[FormerName]) -> Vec<FormerNameRow> {
        let row = |former: &FormerName| FormerNameRow {
            name: texts(former.name.as_ref()),
            acronym: owned(&former.acronym),
            until: former.until,
        };
        names.iter().map(row).collect()
    }

    fn organization(&self, o: &Organization) -> DirectoryRow {
        DirectoryRow::Organization(OrganizationRow {
            kind: Kind::Organization.name().to_owned(),
            key: self.name(o.id.0),
            audience: self.audience(&o.audience),
            name: (&o.name).into(),
            acronym: texts(o.acronym.as_ref()),
            former_names: self.former_names(&o.former_names),
            contact: ContactRow::of(&o.contact, self.uris),
            provenance: (&o.provenance).into(),
        })
    }

    fn unit(&self, u: &Unit) -> DirectoryRow {
        DirectoryRow::Unit(UnitRow {
            kind: Kind::Unit.name().to_owned(),
            key: self.name(u.id.0),
            audience: self.audience(&u.audience),
            organization: self.name(u.organization.0),
            parent: u.parent.map(|parent| self.name(parent.0)),
            name: (&u.name).into(),
            acronym: texts(u.acronym.as_ref()),
            unit_kind: u.kind,
            former_names: self.former_names(&u.former_names),
            duty_station: u.duty_station.as_ref().map(|station| station.as_str().to_owned()),
            contact: ContactRow::of(&u.contact, self.uris),
            provenance: (&u.provenance).into(),
        })
    }

    fn function(&self, f: &Function) -> DirectoryRow {
        DirectoryRow::Function(FunctionRow {
            kind: Kind::Function.name().to_owned(),
            key: self.name(f.id.0),
            audience: self.audience(&f.audience),
            unit: self.name(f.unit.0),
            title: (&f.title).into(),
            duty_station: f.duty_station.as_str().to_owned(),
            contact: ContactRow::of(&f.contact, self.uris),
            provenance: (&f.provenance).into(),
        })
    }

    fn person(&self, p: &Person) -> DirectoryRow {
        let holding = |holding: &domain::directory::Holding| HoldingRow {
            function: self.name(holding.function.0),
            since: holding.since,
        };
        DirectoryRow::Person(PersonRow {
            kind: Kind::Person.name().to_owned(),
            key: self.name(p.id.0),
            audience: self.audience(&p.audience),
            name: PersonNameRow {
                given: owned(&p.name.given),
                family: p.name.family.to_string(),
                native: owned(&p.name.native),
            },
            honorific: owned(&p.honorific),
            job_title: texts(p.job_title.as_ref()),
            unit: p.unit.map(|unit| self.name(unit.0)),
            mission: p.mission.map(|mission| self.name(mission.0)),
            functions: p.functions.iter().map(holding).collect(),
            duty_station: p.duty_station.as_ref().map(|station| station.as_str().to_owned()),
            contact: ContactRow::of(&p.contact, self.uris),
            provenance: (&p.provenance).into(),
        })
    }

    fn mission(&self, m: &Mission) -> DirectoryRow {
        let state = m.state.as_ref().map(|state| StateRow {
            iso2: state.iso2.to_string(),
            iso3: state.iso3.to_string(),
            m49: state.m49.to_string(),
            status: state.status,
            admitted_on: state.admitted_on,
            region: owned(&state.region),
        });
        DirectoryRow::Mission(MissionRow {
            kind: Kind::Mission.name().to_owned(),
            key: self.name(m.id.0),
            audience: self.audience(&m.audience),
            organization: self.name(m.organization.0),
            duty_station: m.duty_station.as_str().to_owned(),
            state,
            short_name: (&m.short_name).into(),
            formal_name: (&m.formal_name).into(),
            contact: ContactRow::of(&m.contact, self.uris),
            provenance: (&m.provenance).into(),
        })
    }

    fn service(&self, s: &Service) -> DirectoryRow {
        let point = |point: &domain::directory::ContactPoint| ContactPointRow {
            duty_station: point.duty_station.as_str().to_owned(),
            function: self.name(point.function.0),
        };
        DirectoryRow::Service(ServiceRow {
            kind: Kind::Service.name().to_owned(),
            key: self.name(s.id.0),
            audience: self.audience(&s.audience),
            name: (&s.name).into(),
            description: texts(s.description.as_ref()),
            keywords: s.keywords.iter().map(Localize::from).collect(),
            contact_points: s.contact_points.iter().map(point).collect(),
            provenance: (&s.provenance).into(),
        })
    }
}

fn parse_kinds(text: &str) -> Result<Vec<Kind>, Broken> {
    let names = || KINDS.map(Kind::name).join(", ");
    let refused = || Broken::new(Rule::OneOf, format!("must be of {}, separated by commas", names()));
    let wanted: Vec<Kind> =
        text.split(',').map(|name| Kind::from_name(name).ok_or_else(refused)).collect::<Result<_, _>>()?;
    match wanted.iter().all(|kind| KINDS.contains(kind)) {
        true => Ok(KINDS.into_iter().filter(|kind| wanted.contains(kind)).collect()),
        false => Err(refused()),
    }
}

/// Export the directory
///
/// Every entry that you may see, in all languages, as the rows that `POST /v1/imports/directory` takes: NDJSON,
/// or CSV with `format=csv` or `Accept: text/csv`. For address books and other systems that take files; to keep a
/// copy up to date, `/v1/sync` is cheaper.
///
/// `key` is the entry's id, and entries refer to each other by id. With `keys=source` and a `source` they are the
/// source's own keys, and only its rows are exported: edit the file and import it again with the same `source` to
/// change those rows. This is for who may import the directory.
///
/// In CSV a column's name is the path of a field (`name.en`, `contact.telephones.0.number`), an empty cell is an
/// absent field, telephone numbers are `tel:` URIs, and a cell that a spreadsheet would take for a formula begins
/// with an apostrophe, which the import takes away again. `bom=true` is for spreadsheets that take UTF-8 for
/// something else.
#[utoipa::path(
    tag = "directory",
    operation_id = "export_directory",
    params(
        ("format" = Option<String>, Query, description = "`ndjson` or `csv`; else by `Accept`, else NDJSON", example = "csv"),
        ("kind" = Option<String>, Query, description = "Only entries of these kinds, separated by commas: `organization`, `unit`, `function`, `mission`, `person`, `service`", example = "person,unit"),
        ("keys" = Option<String>, Query, description = "`ids` (when left out) or `source`", example = "ids"),
        ("source" = Option<String>, Query, description = "With `keys=source`: whose rows"),
        ("bom" = Option<bool>, Query, description = "Begin CSV with a byte order mark"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "directory=0"),
    ),
    responses(
        (status = 200, description = "The rows", content((DirectoryRow = "application/x-ndjson"), (String = "text/csv")),
            headers(("ETag" = String, description = "For If-None-Match"), ("Content-Disposition" = String, description = "`attachment` with a file's name"))),
    ),
    security(("oauth2" = ["read"]))
)]
#[get("/v1/exports/directory")]
pub async fn export_directory(
    req: HttpRequest,
    allowed: Allowed<Read>,
    published: Published,
    mut params: Params,
) -> Result<HttpResponse, ApiError> {
    let format = Format::of(&req, &mut params)?;
    let kinds = params.get("kind", parse_kinds);
    let by_source = params.get("keys", |keys| match keys {
        "ids" => Ok(false),
        "source" => Ok(true),
        _ => Err(Broken::new(Rule::OneOf, "must be ids or source")),
    });
    let source = params.get("source", Source::parse);
    match (by_source.unwrap_or(false), params.text("source").is_some()) {
        (true, false) => params.note("source", Broken::new(Rule::Required, "must be given with keys=source")),
        (false, true) => params.note("keys", Broken::new(Rule::Required, "must be source where a source is given")),
        _ => {}
    }
    if by_source == Some(true) {
        allowed.caller.require(Scope::ImportDirectory)?;
    }
    params.finish()?;
    let (directory, reader) = (published.0.directory.clone(), allowed.reader());
    let name = match &source {
        Some(source) => format!("directory-{}", source.as_str()),
        None => "directory".to_owned(),
    };
    let rows = DirectoryRows { directory, reader, kinds: kinds.unwrap_or_else(|| KINDS.to_vec()), source };
    let tag = Tag::of_list(&published.0, STREAMS, &req).and(format!("{format:?}"));
    let mut response = answer_in_all(&req, tag, reader, async || respond(rows, format, &name).await).await?;
    set_vary(&mut response);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_exported_in_one_order() {
        assert_eq!(parse_kinds("person,unit"), Ok(vec![Kind::Unit, Kind::Person]));
        for junk in ["", "person,", "bulletin", "Person"] {
            assert!(parse_kinds(junk).is_err(), "{junk}");
        }
    }
}
