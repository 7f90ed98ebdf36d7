use domain::Language;
use proptest::prelude::*;

use super::*;

/// Documents by number, as (field, language, text).
type Doc = &'static [(Field, Option<Language>, &'static str)];

const FRANCE: Doc = &[
    (Field::Name, Some(Language::En), "France"),
    (Field::Name, Some(Language::Ar), "فرنسا"),
    (Field::Name, Some(Language::Zh), "法国"),
    (Field::Name, Some(Language::Ru), "Франция"),
];
const IVORY_COAST: Doc =
    &[(Field::Name, Some(Language::En), "Côte d’Ivoire"), (Field::Name, Some(Language::Zh), "科特迪瓦")];
const TURKEY: Doc = &[(Field::Name, Some(Language::En), "Türkiye"), (Field::Keyword, None, "Turkey")];
const DGC: Doc = &[
    (Field::Name, Some(Language::En), "Department of Global Communications"),
    (Field::Name, Some(Language::Fr), "Département de la communication globale"),
    (Field::Acronym, None, "DGC"),
    (Field::FormerName, Some(Language::En), "Department of Public Information"),
    (Field::FormerAcronym, None, "DPI"),
];
const DGACM: Doc = &[(Field::Name, Some(Language::En), "Conference Management"), (Field::Acronym, None, "DGACM")];
const PASSES: Doc =
    &[(Field::Name, Some(Language::En), "Grounds passes"), (Field::Keyword, Some(Language::En), "badge")];
const OKAFOR: Doc = &[
    (Field::Name, None, "Okafor, Ada"),
    (Field::Title, Some(Language::En), "Chief of Protocol"),
    (Field::Number, None, "+1 212 963 7351"),
];
const NOTE: Doc = &[
    (Field::Acronym, None, "A/INF/76/4"),
    (Field::Title, Some(Language::En), "Arrangements for the high-level meetings"),
    (Field::Body, Some(Language::En), "Access to the grounds is by pass only. Delegates of France …"),
    (Field::Body, Some(Language::Zh), "代表团凭出入证进入总部大院。"),
];
const WANG: Doc = &[(Field::Name, Some(Language::Zh), "王小明"), (Field::Name, Some(Language::En), "Wang Xiaoming")];
const ALGERIA: Doc = &[(Field::Name, Some(Language::Ar), "الجزائر"), (Field::Name, Some(Language::Es), "Argelia")];

const ALL: [Doc; 10] = [FRANCE, IVORY_COAST, TURKEY, DGC, DGACM, PASSES, OKAFOR, NOTE, WANG, ALGERIA];

fn index(docs: &[Doc]) -> Index {
    let mut builder = Builder::new();
    for (doc, texts) in docs.iter().enumerate() {
        for (field, language, text) in *texts {
            builder.add(doc as u32, *field, *language, text);
        }
    }
    builder.finish()
}

fn found(docs: &[Doc], query: &str) -> Vec<u32> {
    index(docs).search(query, Language::En, |_| true, None, 20).iter().map(|hit| hit.rank.doc).collect()
}

/// The first of all documents found, and how.
fn first(query: &str) -> Option<(Doc, How)> {
    let index = index(&ALL);
    let hits = index.search(query, Language::En, |_| true, None, 20);
    hits.first().map(|hit| (ALL[hit.rank.doc as usize], hit.matched.how))
}

#[track_caller]
fn finds(query: &str, doc: Doc, how: How) {
    let (found, found_how) = first(query).unwrap_or_else(|| panic!("nothing found for {query}"));
    assert_eq!((found[0].2, found_how), (doc[0].2, how), "{query}");
}

#[test]
fn a_former_acronym_finds_the_unit_and_says_so() {
    let index = index(&ALL);
    let hits = index.search("DPI", Language::En, |_| true, None, 20);
    let matched = Matched { field: Field::FormerAcronym, text: "DPI", language: None, how: How::Whole };
    assert_eq!((hits[0].rank.doc, hits[0].matched), (3, matched));
}

#[test]
fn a_country_is_found_in_every_script() {
    for query in ["France", "فرنسا", "法国", "Франция", "франция", "FRANCE"] {
        finds(query, FRANCE, How::Whole);
    }
    finds("الفرنسا", FRANCE, How::Whole);
    finds("جزائر", ALGERIA, How::Words);
    finds("الجز", ALGERIA, How::Part);
}

#[test]
fn apostrophes_do_not_matter() {
    for query in ["Cote dIvoire", "cote d ivoire", "Côte d'Ivoire", "COTE D’IVOIRE", "cote divoire", "d'ivoire cote"]
    {
        finds(query, IVORY_COAST, How::Whole);
    }
    finds("cote divoir", IVORY_COAST, How::Part);
    finds("cote divoirr", IVORY_COAST, How::Typo);
    let joined: Doc = &[(Field::Name, None, "Cote dIvoire")];
    for query in ["Côte d'Ivoire", "cote d ivoire", "d ivoire"] {
        assert_eq!(found(&[joined], query), [0], "{query}");
    }
}

#[test]
fn a_typo_is_found_in_every_place_and_the_first_letter() {
    for query in ["turkye", "urkiye", "Turkiyee", "Tukriye", "rTurkiye", "turkiya"] {
        finds(query, TURKEY, How::Typo);
    }
    finds("Франця", FRANCE, How::Typo);
    finds("فرسا", FRANCE, How::Typo);
    finds("科特地瓦", IVORY_COAST, How::Typo);
    finds("王晓明", WANG, How::Typo);
}

#[test]
fn a_person_is_found_in_either_order_and_by_beginnings() {
    finds("Okafor Ada", OKAFOR, How::Whole);
    finds("ada okafor", OKAFOR, How::Whole);
    finds("ad oka", OKAFOR, How::Part);
    finds("ada okafro", OKAFOR, How::Typo);
    finds("小明", WANG, How::Words);
    finds("王 小明", WANG, How::Whole);
}

#[test]
fn a_number_is_found_by_its_end_and_its_beginning() {
    for query in ["3.7351", "9637351", "963-7351", "7351", "+1 212 963", "okafor 7351", "(212) 963 7351"] {
        finds(query, OKAFOR, How::Part);
    }
    finds("+1 212 963 7351", OKAFOR, How::Whole);
    assert_eq!(first("9637352").map(|f| f.1), None);
}

#[test]
fn a_symbol_is_found_whole_and_in_part() {
    finds("A/INF/76/4", NOTE, How::Whole);
    finds("inf/76", NOTE, How::Words);
    finds("dgacm", DGACM, How::Whole);
}

#[test]
fn a_name_is_above_prose() {
    assert_eq!(found(&ALL, "grounds pas"), [5, 7]);
    assert_eq!(found(&ALL, "france"), [0, 7]);
    let index = index(&ALL);
    let hits = index.search("出入证", Language::Zh, |_| true, None, 20);
    assert_eq!((hits[0].rank.doc, hits[0].matched.field, hits[0].matched.how), (7, Field::Body, How::Words));
}

#[test]
fn the_whole_field_then_words_then_parts_then_typos() {
    let docs: [Doc; 6] = [
        &[(Field::Name, None, "Visas")],
        &[(Field::Name, None, "Vias")],
        &[(Field::Body, None, "Ask for a visa in time")],
        &[(Field::Keyword, None, "visa for a spouse")],
        &[(Field::Name, None, "Desk for a visa")],
        &[(Field::Name, None, "Visa")],
    ];
    assert_eq!(found(&docs, "visa"), [5, 4, 3, 0, 2, 1]);
}

#[test]
fn an_acronym_is_above_a_name_and_a_current_one_above_a_former() {
    let docs: [Doc; 4] = [
        &[(Field::FormerAcronym, None, "OLA")],
        &[(Field::Name, None, "Ola")],
        &[(Field::Name, None, "Ola Nordmann")],
        &[(Field::Acronym, None, "OLA")],
    ];
    assert_eq!(found(&docs, "ola"), [3, 1, 0, 2]);
    let docs: [Doc; 2] =
        [&[(Field::Name, None, "Dpi Treaty")], &[(Field::FormerAcronym, None, "DPI"), (Field::Title, None, "Treaty")]];
    assert_eq!(found(&docs, "DPI treaty"), [0, 1]);
}

#[test]
fn the_readers_language_is_above_others_and_the_shorter_above_the_longer() {
    let docs: [Doc; 3] = [
        &[(Field::Name, Some(Language::Es), "Sala de prensa"), (Field::Keyword, None, "prensa")],
        &[(Field::Name, Some(Language::En), "Sala de la prensa escrita")],
        &[(Field::Name, Some(Language::En), "Sala de prensa")],
    ];
    assert_eq!(found(&docs, "sala pren"), [2, 1, 0]);
}

#[test]
fn equal_hits_stand_in_the_order_of_documents() {
    let docs = [&[(Field::Name, None, "Chen Wei")] as Doc; 30];
    assert_eq!(found(&docs, "chen"), (0..20).collect::<Vec<_>>());
}

#[test]
fn a_name_that_begins_with_the_word_is_above_one_that_contains_it() {
    let docs: [Doc; 2] = [&[(Field::Name, None, "Wei Chen")], &[(Field::Name, None, "Chen Wei")]];
    assert_eq!(found(&docs, "chen"), [1, 0]);
}

#[test]
fn words_are_joined_split_and_left_out_only_when_nothing_else_is_found() {
    finds("groundspasses", PASSES, How::Loose);
    finds("okaf or ada", OKAFOR, How::Loose);
    finds("department for the global communications", DGC, How::Loose);
    assert_eq!(first("grounds zebra"), None);
}

#[test]
fn an_empty_index_and_an_empty_query_find_nothing() {
    assert!(Index::default().search("x", Language::En, |_| true, None, 20).is_empty());
    assert!(Builder::new().finish().search("x", Language::En, |_| true, None, 20).is_empty());
    assert!(found(&ALL, "").is_empty());
    assert!(found(&ALL, " - ’ ").is_empty());
    assert!(index(&ALL).search("france", Language::En, |_| true, None, 0).is_empty());
}

#[test]
fn a_mail_address_is_found_by_its_parts_and_not_corrected() {
    let docs: [Doc; 1] = [&[(Field::Keyword, None, "ada.okafor@un.example")]];
    for query in ["ada.okafor@un.example", "okafor", "ada.oka"] {
        assert_eq!(found(&docs, query), [0], "{query}");
    }
    assert!(found(&docs, "okafro").is_empty());
}

#[test]
fn a_text_that_many_have_is_found_for_each_of_them() {
    let docs = [&[(Field::Title, Some(Language::En), "Interpreter"), (Field::Title, Some(Language::Fr), "Interprète")]
        as Doc; 70];
    assert_eq!(found(&docs, "interpreter"), (0..20).collect::<Vec<_>>());
    assert_eq!(found(&docs, "interprete"), (0..20).collect::<Vec<_>>());
    let index = index(&docs);
    let after = Some(Rank { score: u32::MAX, doc: 0 });
    let every_third = |doc: u32| doc.is_multiple_of(3);
    let hits = index.search("interp", Language::Ar, every_third, after, 30);
    assert_eq!(hits.iter().map(|hit| hit.rank.doc).collect::<Vec<_>>(), (0..70).step_by(3).collect::<Vec<_>>());
}

const ALPHABETS: [&str; 4] = [
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдежзиклмнопрстуфхцчшщыэюя",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "王李张刘陈明小国华丽",
];

/// A word and what one edit makes of it.
fn misspelt() -> impl Strategy<Value = (String, String)> {
    let word = (0..ALPHABETS.len()).prop_flat_map(|a| {
        let letters: Vec<char> = ALPHABETS[a].chars().collect();
        (
            prop::collection::vec(prop::sample::select(letters.clone()), 4..12),
            0..4,
            any::<prop::sample::Index>(),
            prop::sample::select(letters),
        )
    });
    word.prop_map(|(word, edit, at, letter)| {
        let mut wrong = word.clone();
        let at = at.index(word.len());
        match edit {
            0 => wrong.insert(at, letter),
            1 => drop(wrong.remove(at)),
            2 => wrong[at] = letter,
            _ => wrong.swap(at, (at + 1) % word.len()),
        }
        // the ends are no neighbours
        let wrong = if edit == 3 && at + 1 == word.len() { word.clone() } else { wrong };
        (word.into_iter().collect(), wrong.into_iter().collect())
    })
}

/// Names of few letters, so that they have words, beginnings and near misses in common.
fn crowd() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[abc]{1,5}( [abc]{1,5}){0,2}", 1..60)
}

fn crowd_index(names: &[String], admit: impl Fn(u32) -> bool) -> Index {
    let mut builder = Builder::new();
    for (doc, name) in names.iter().enumerate().filter(|(doc, _)| admit(*doc as u32)) {
        let field = [Field::Name, Field::Acronym, Field::Keyword, Field::FormerName][doc % 4];
        builder.add(doc as u32, field, [None, Some(Language::En), Some(Language::Fr)][doc % 3], name);
        builder.add(doc as u32, Field::Body, Some(Language::Fr), name);
    }
    builder.finish()
}

proptest! {
    #[test]
    fn every_one_edit_of_a_word_finds_it((word, wrong) in misspelt(), others in prop::collection::vec(misspelt(), 0..30)) {
        let mut builder = Builder::new();
        for (doc, (other, _)) in others.iter().enumerate() {
            builder.add(doc as u32, Field::Name, None, other);
        }
        let doc = others.len() as u32;
        builder.add(doc, Field::Name, None, &word);
        let hits = builder.finish();
        let hits = hits.search(&wrong, Language::En, |_| true, None, usize::MAX);
        prop_assert!(hits.iter().any(|hit| hit.rank.doc == doc));
    }

    #[test]
    fn no_query_panics(query in "\\PC{0,300}", other in ".{0,40}") {
        let index = index(&ALL);
        for query in [query.as_str(), other.as_str()] {
            index.search(query, Language::Fr, |_| true, None, 20);
            let mut builder = Builder::new();
            builder.add(0, Field::Name, None, query);
            builder.add(0, Field::Body, None, query);
            builder.add(2, Field::Number, None, query);
            let own = builder.finish();
            own.search(query, Language::Fr, |_| true, None, 20);
            excerpt(query, other.as_str(), 20);
        }
    }

    #[test]
    fn what_is_not_admitted_has_no_influence(names in crowd(), query in "[abc]{1,5}( [abc]{1,4}){0,2}", limit in 1usize..8, hidden in 2u32..5) {
        let admit = |doc: u32| !doc.is_multiple_of(hidden);
        let everything = crowd_index(&names, |_| true);
        let visible = crowd_index(&names, admit);
        prop_assert_eq!(
            everything.search(&query, Language::En, admit, None, limit),
            visible.search(&query, Language::En, |_| true, None, limit)
        );
    }

    #[test]
    fn pages_put_together_are_the_whole(names in crowd(), query in "([abc]{1,5}( [abc]{1,4}){0,2})|[ABC]{2,3} [abc]{1,2}", limit in 1usize..8) {
        let index = crowd_index(&names, |_| true);
        let whole = index.search(&query, Language::En, |_| true, None, usize::MAX);
        prop_assert!(whole.windows(2).all(|pair| pair[0].rank < pair[1].rank));
        let mut pages = Vec::new();
        loop {
            let page = index.search(&query, Language::En, |_| true, pages.last().map(|hit: &Hit<'_>| hit.rank), limit);
            prop_assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        prop_assert_eq!(pages, whole);
    }
}
