//! An edition that has followed changes is the one that a new process reads.

use std::sync::Arc;
use std::time::Duration;

use api::store::Store;
use domain::inf_notes::Symbol;
use domain::{Kind, Language, MissionId, Reader, Stream};
use edition::{Collection, Cursor, Edition, Item};
use uuid::Uuid;

use crate::harness::{World, config};

/// Statements with places for chance: `{T}` a table, `{a}` an audience, `{TABLE}` some row's id. Some of them break a
/// constraint, as a hand may; then nothing is written.
const STATEMENTS: [&str; 24] = [
    "update {T} set audience = '{a}' where id = {T.id}",
    "update {T} set audience = '{a}' where id = {T.id}",
    "update {T} set closed_at = case when closed_at is null then now() end where id = {T.id}",
    "update {T} set closed_at = null",
    "delete from {T} where id = {T.id}",
    "update person set family_name = 'Renamed {n}' where id = {person}",
    "update person set job_title = '{\"en\": \"Chief of {n}\", \"fr\": \"Chef {n}\"}' where id = {person}",
    "update person set closed_at = now() where id in (select person_id from holding where function_id = {function})",
    "insert into holding (person_id, function_id) values ({person}, {function}) on conflict do nothing",
    "delete from holding where function_id = {function}",
    "update function set closed_at = now() where id in (select function_id from holding where person_id = {person})",
    "update contact_point set function_id = {function} where service_id = {service}",
    "delete from contact_point where service_id = {service}",
    "update unit set parent_id = {unit} where id = {unit}",
    "update unit set name = '{\"en\": \"Renamed {n}\"}' where id = {unit}",
    "update rate set office_unit_id = {unit} where card_id = {rate_card} and office is not null",
    "update unit set closed_at = now() where id in (select office_unit_id from rate)",
    "delete from rate where card_id = {rate_card} and position = {n} % 5",
    "update inf_note_text set title = 'Retitled {n}' where inf_note_id = {inf_note}",
    "delete from inf_note_text where inf_note_id = {inf_note} and language in ('fr', 'ru')",
    "update opening set basis_id = {bulletin} where place_id = {place}",
    "delete from opening where place_id = {place} and position = {n} % 3",
    "update bulletin set audience = '{a}', expired_at = null where id in (select basis_id from opening)",
    "delete from bulletin_reference where bulletin_id = {bulletin}",
];

const TABLES: [&str; 10] =
    ["organization", "unit", "function", "mission", "person", "service", "rate_card", "inf_note", "bulletin", "place"];

/// Chance by a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn statement(&mut self, mission: Uuid) -> String {
        let some = |table: &str, n: usize| {
            format!("(select id from {table} order by id offset {n} % (select count(*) + 1 from {table}) limit 1)")
        };
        let table = TABLES[self.roll(TABLES.len())];
        let audiences = ["public", "delegates", "secretariat", &format!("missions:{mission}")];
        let mut statement = STATEMENTS[self.roll(STATEMENTS.len())].replace("{T.id}", &some(table, self.roll(1000)));
        statement = statement.replace("{T}", table).replace("{a}", audiences[self.roll(audiences.len())]);
        statement = statement.replace("{n}", &self.roll(90).to_string());
        for table in TABLES {
            while let Some(at) = statement.find(&format!("{{{table}}}")) {
                statement.replace_range(at..at + table.len() + 2, &some(table, self.roll(1000)));
            }
        }
        statement
    }
}

fn listed<T: Item + std::fmt::Debug>(all: &Collection<T>, reader: Reader, language: Language) -> Vec<String> {
    let mut listed = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = all.page(reader, language, after.as_ref(), 50, |_| true);
        listed.extend(page.entries.iter().map(|entry| format!("{} {:?}", entry.tag, entry.value)));
        after = page.next;
        if after.is_none() {
            return listed;
        }
    }
}

/// Everything that a reader can learn from an edition.
fn told(edition: &Edition, reader: Reader, language: Language) -> Vec<(&'static str, Vec<String>)> {
    let (directory, notes, bulletins) = (&edition.directory, &edition.inf_notes, &edition.bulletins);
    let everyone = Reader::Secretariat;
    let functions = directory.functions.visible(reader).map(|f| (f.value.id, directory.holders(&f.value, reader)));
    let units = directory.units.visible(everyone).map(|unit| unit.value.id.0);
    let above = units.chain(directory.organizations.visible(everyone).map(|organization| organization.value.id.0));
    let below = |id| directory.units_below(id, reader, language).iter().map(|unit| unit.value.id.0).collect::<Vec<_>>();
    let people = ["ren", "chief", "renamd", "okafor", "a", "press officer", "963"].map(|query| {
        let hits = directory.search(query, language, reader, |_| true, None, 60).unwrap();
        hits.iter().map(|hit| format!("{query} {:?} {} {} {:?}", hit.kind, hit.id, hit.score, hit.matched)).collect()
    }) as [Vec<String>; 7];
    let notes_found = ["retitled", "election", "genral debate", "a/inf/7"].map(|query| {
        let found = notes.search(query, reader, language, None, 60, |_| true).unwrap();
        found.hits.iter().map(|(note, matched)| format!("{query} {} {matched:?}", note.value.id.0)).collect()
    }) as [Vec<String>; 4];
    let symbols: Vec<Symbol> = notes.notes().visible(everyone).map(|note| note.value.content.symbol).collect();
    let standing = |bulletin: &Arc<domain::bulletins::Bulletin>| {
        let followers: Vec<_> = bulletins.register.followers(bulletin.id, reader).map(|b| b.id).collect();
        format!("{:?} {:?} {followers:?}", bulletin.id, bulletins.register.standing(bulletin, reader))
    };
    let origin = |person: &edition::Entry<_>| format!("{:?}", directory.origins.find(Item::id(&person.value)));
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    vec![
        ("organizations", listed(&directory.organizations, reader, language)),
        ("units", listed(&directory.units, reader, language)),
        ("functions", listed(&directory.functions, reader, language)),
        ("missions", listed(&directory.missions, reader, language)),
        ("people", listed(&directory.people, reader, language)),
        ("services", listed(&directory.services, reader, language)),
        ("holders", sorted(functions.map(|function| format!("{function:?}")).collect())),
        ("units below", sorted(above.map(|id| format!("{id} {:?}", below(id))).collect())),
        ("people found", people.concat()),
        ("origins", sorted(directory.people.visible(reader).map(origin).collect())),
        ("notes", listed(notes.notes(), reader, language)),
        ("notes found", notes_found.concat()),
        ("chains", sorted(symbols.iter().map(|symbol| format!("{:?}", notes.chain(*symbol, reader))).collect())),
        ("bulletins", listed(&bulletins.issued, reader, language)),
        ("standing", sorted(bulletins.issued.visible(reader).map(|entry| standing(&entry.value)).collect())),
        ("places", listed(&bulletins.places, reader, language)),
        ("rate cards", listed(&edition.event_costs.rate_cards, reader, language)),
    ]
}

/// The editions of two processes, once both stand at the same place: a scheduler may still have something to write.
async fn alike(one: &Store, other: &Store) -> (Arc<Edition>, Arc<Edition>) {
    let positions = |edition: &Edition| Stream::PUBLISHED.map(|stream| edition.position(stream));
    let mut editions = (Arc::clone(&one.edition()), Arc::clone(&other.edition()));
    for _ in 0..1000 {
        if positions(&editions.0) == positions(&editions.1) {
            return editions;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        editions = (Arc::clone(&one.edition()), Arc::clone(&other.edition()));
    }
    panic!("{:?} and {:?}", positions(&editions.0), positions(&editions.1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_that_has_followed_changes_is_the_one_that_a_new_process_reads() {
    let world = World::demonstration().await;
    let psql = world.database.psql().await;
    let mission: Uuid = psql.query_one("select id from mission order by id limit 1", &[]).await.unwrap().get(0);
    let seed = Uuid::now_v7().as_u128() as u64;
    let mut dice = Dice(seed);
    let mut written = 0;
    for _ in 0..3 {
        for _ in 0..60 {
            let statements: Vec<String> = (0..1 + dice.roll(3)).map(|_| dice.statement(mission)).collect();
            written += u32::from(psql.batch_execute(&statements.join("; ")).await.is_ok());
        }
        let fresh = api::start(config(&world.database.url)).await.unwrap();
        let (followed, made) = alike(&world.server.state.store, &fresh.state.store).await;
        for reader in [Reader::Stranger, Reader::Mission(MissionId(mission)), Reader::Secretariat] {
            for language in Language::ALL {
                let (followed, made) = (told(&followed, reader, language), told(&made, reader, language));
                for ((what, followed), (_, made)) in followed.into_iter().zip(made) {
                    assert_eq!(followed, made, "{what} for {reader:?} in {language}, seed {seed}");
                }
            }
        }
        fresh.stop().await.unwrap();
    }
    assert!(written > 50, "{written}, seed {seed}");
    let kinds = Kind::ALL.map(|kind| world.server.state.store.edition().len(kind.stream()));
    assert!(kinds.iter().all(|len| *len > 0), "{kinds:?}");
}
