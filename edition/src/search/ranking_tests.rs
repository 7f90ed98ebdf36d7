//! The order that a person would call right, on a small directory in six languages.

use domain::Language::{self, Ar, En, Es, Fr, Ru, Zh};

use super::{Builder, Field, Hit, How, Index};

type Texts = &'static [(Field, Option<Language>, &'static str)];

const PEACE_OPERATIONS: Texts = &[
    (Field::Name, Some(En), "Department of Peace Operations"),
    (Field::Name, Some(Fr), "Département des opérations de paix"),
    (Field::Name, Some(Es), "Departamento de Operaciones de Paz"),
    (Field::Name, Some(Ru), "Департамент операций в пользу мира"),
    (Field::Name, Some(Zh), "和平行动部"),
    (Field::Name, Some(Ar), "إدارة عمليات السلام"),
    (Field::Acronym, None, "DPO"),
    (Field::FormerName, Some(En), "Department of Peacekeeping Operations"),
    (Field::FormerAcronym, None, "DPKO"),
];
const PEACEKEEPING_LIBRARY: Texts = &[(Field::Name, Some(En), "Peacekeeping Library"), (Field::Acronym, None, "DPKO")];
const GLOBAL_COMMUNICATIONS: Texts = &[
    (Field::Name, Some(En), "Department of Global Communications"),
    (Field::Acronym, None, "DGC"),
    (Field::FormerName, Some(En), "Department of Public Information"),
    (Field::FormerAcronym, None, "DPI"),
];
const PUBLIC_INFORMATION: Texts = &[(Field::Name, Some(En), "Department of Public Information")];
const MEETINGS: Texts = &[(Field::Name, Some(En), "Meetings Management Section"), (Field::Acronym, None, "MMS")];
const MMSABI: Texts = &[(Field::Name, None, "Neo Mmsabi")];
const IVORY_COAST: Texts = &[
    (Field::Name, Some(En), "Côte d’Ivoire"),
    (Field::Name, Some(Zh), "科特迪瓦"),
    (Field::Name, Some(Ru), "Кот-д’Ивуар"),
    (Field::Name, Some(Ar), "كوت ديفوار"),
    (Field::Acronym, None, "CIV"),
];
const ALGERIA: Texts = &[
    (Field::Name, Some(En), "Algeria"),
    (Field::Name, Some(Fr), "Algérie"),
    (Field::Name, Some(Es), "Argelia"),
    (Field::Name, Some(Ru), "Алжир"),
    (Field::Name, Some(Zh), "阿尔及利亚"),
    (Field::Name, Some(Ar), "الجزائر"),
    (Field::Acronym, None, "DZA"),
];
const WANG: Texts =
    &[(Field::Name, None, "Wang Xiaoming"), (Field::Name, None, "王小明"), (Field::Number, None, "+12129637351")];
const WANG_LI: Texts = &[(Field::Name, None, "王丽"), (Field::Number, None, "+12129637352")];
const COTTAGE: Texts = &[(Field::Name, Some(En), "Cottages of the garden")];
const MARTIN: Texts = &[(Field::Name, None, "Martin")];
const MARTINEZ: Texts = &[(Field::Name, None, "Martinez")];
const MARTEN: Texts = &[(Field::Name, None, "Marten")];

/// In the order of equal hits, the wrong one first wherever a rule decides.
const ALL: [Texts; 14] = [
    MARTEN,
    MARTINEZ,
    MARTIN,
    COTTAGE,
    GLOBAL_COMMUNICATIONS,
    PUBLIC_INFORMATION,
    PEACE_OPERATIONS,
    PEACEKEEPING_LIBRARY,
    MMSABI,
    MEETINGS,
    IVORY_COAST,
    ALGERIA,
    WANG,
    WANG_LI,
];

fn index() -> Index {
    let mut builder = Builder::new();
    for (doc, texts) in (0..).zip(ALL) {
        texts.iter().for_each(|(field, language, text)| builder.add(doc, *field, *language, text));
    }
    builder.finish()
}

/// The names of what is found, in order.
fn found(query: &str, reader: Language) -> Vec<&'static str> {
    let index = index();
    let hits = index.search(query, reader, |_| true, None, 20);
    hits.iter().map(|hit: &Hit<'_>| ALL[hit.rank.doc as usize][0].2).collect()
}

fn first(query: &str) -> Option<(&'static str, How)> {
    let index = index();
    let hits = index.search(query, En, |_| true, None, 20);
    hits.first().map(|hit| (ALL[hit.rank.doc as usize][0].2, hit.matched.how))
}

#[test]
fn an_exact_name_is_above_a_longer_one_and_that_above_a_misspelt_one() {
    assert_eq!(found("martin", En), ["Martin", "Martinez", "Marten"]);
}

#[test]
fn a_former_acronym_finds_what_is_there_now_below_a_current_acronym() {
    assert_eq!(found("dpko", En), ["Peacekeeping Library", "Department of Peace Operations"]);
    assert_eq!(found("DPI", Fr), ["Department of Global Communications"]);
}

#[test]
fn a_current_name_is_above_a_former_one() {
    let both = ["Department of Public Information", "Department of Global Communications"];
    assert_eq!(found("department of public information", En), both);
    assert_eq!(found("public inf", En), both);
}

#[test]
fn an_acronym_is_above_a_name_that_begins_with_it() {
    assert_eq!(found("MMS", En), ["Meetings Management Section", "Neo Mmsabi"]);
    assert_eq!(found("mms", Zh), ["Meetings Management Section", "Neo Mmsabi"]);
}

#[test]
fn accents_and_apostrophes_may_be_left_out() {
    for query in ["Côte", "cote", "COTE D'IVOIRE", "cote d ivoire", "cote divoire", "Кот д Ивуар", "كوت ديفوار"]
    {
        assert_eq!(found(query, En), ["Côte d’Ivoire"], "{query}");
    }
    assert_eq!(found("cot", En)[..2], ["Côte d’Ivoire", "Cottages of the garden"], "the shorter one of equals");
}

#[test]
fn the_arabic_article_may_be_there_or_not() {
    for query in ["الجزائر", "جزائر", "الجزاير", "الجز", "جزا"] {
        assert_eq!(found(query, Ar), ["Algeria"], "{query}");
    }
    assert_eq!(found("ادارة عمليات السلام", Ar), ["Department of Peace Operations"]);
    assert_eq!(found("سلام", Ar), ["Department of Peace Operations"]);
}

#[test]
fn chinese_is_found_by_any_part() {
    for query in ["王小明", "小明", "明", "王小", "王 小明"] {
        assert_eq!(found(query, Zh)[0], "Wang Xiaoming", "{query}");
    }
    assert_eq!(found("和平", Zh), ["Department of Peace Operations"]);
    assert_eq!(found("行动", Zh), ["Department of Peace Operations"]);
    assert_eq!(found("及利", Zh), ["Algeria"]);
}

#[test]
fn a_telephone_is_found_by_its_end() {
    for query in ["7351", "37351", "3-7351", "963 7351", "+1 212 963 7351"] {
        assert_eq!(found(query, En), ["Wang Xiaoming"], "{query}");
    }
}

#[test]
fn every_language_finds_the_same() {
    for query in
        ["peace operations", "opérations de paix", "operaciones paz", "операций мира", "和平行动", "عمليات السلام"]
    {
        assert_eq!(first(query).map(|(name, _)| name), Some("Department of Peace Operations"), "{query}");
    }
    for query in ["algeria", "algerie", "argelia", "алжир", "阿尔及利亚", "الجزائر", "dza"] {
        assert_eq!(first(query), Some(("Algeria", How::Whole)), "{query}");
    }
}

#[test]
fn a_family_name_is_above_a_given_name() {
    let mut builder = Builder::new();
    for (doc, (name, family)) in
        (0..).zip([("Thomas Adams", "Adams"), ("Anna Maria Sofia Thomas", "Thomas"), ("Фома Фоменко", "Фоменко")])
    {
        builder.add_name(doc, name, name.len() - family.len());
    }
    let index = builder.finish();
    let found = |query| {
        let hits = index.search(query, En, |_| true, None, 20);
        hits.iter().map(|hit| hit.rank.doc).collect::<Vec<_>>()
    };
    assert_eq!(found("thomas"), [1, 0]);
    assert_eq!(found("thom"), [1, 0]);
    assert_eq!(found("tomas"), [1, 0]);
    assert_eq!(found("фом"), [2]);
}

#[test]
fn a_letter_left_out_or_swapped_is_likelier_than_another_or_one_too_many() {
    let mut builder = Builder::new();
    for (doc, name) in (0..).zip(["Johanton", "Johansson", "Mohammado", "Mohammdai"]) {
        builder.add(doc, Field::Name, None, name);
    }
    let index = builder.finish();
    let found = |query| {
        let hits = index.search(query, En, |_| true, None, 20);
        hits.iter().map(|hit| hit.rank.doc).collect::<Vec<_>>()
    };
    assert_eq!(found("johanson"), [1, 0]);
    assert_eq!(found("mohammadi"), [3, 2]);
}

#[test]
fn a_letter_in_place_of_a_blank_is_forgiven() {
    let mut builder = Builder::new();
    for (doc, name) in (0..).zip(["María Fernández López", "زينب خوري", "Олена Шевченко"]) {
        builder.add(doc, Field::Name, None, name);
    }
    let index = builder.finish();
    for (doc, query) in [
        (0, "Maríaxfernández lópez"),
        (0, "maria fernandezxlopez"),
        (0, "mariafernandez lopez"),
        (1, "زينبھخوري"),
        (2, "ОленайШевченко"),
        (2, "Олен аШевченко"),
    ] {
        let hits = index.search(query, En, |_| true, None, 20);
        assert_eq!(hits.iter().map(|hit| hit.rank.doc).collect::<Vec<_>>(), [doc], "{query}");
    }
}

#[test]
fn the_family_name_begins_a_name_in_chinese_japanese_and_korean_and_ends_others() {
    let family = |name: &'static str| &name[super::family_in_native(name)..];
    assert_eq!(family("Анна Иванова"), "Иванова");
    assert_eq!(family("وليد زياد الشمري"), "الشمري");
    assert_eq!(["王小明", "佐藤 花子", "김 수은"].map(super::family_in_native), [0, 0, 0]);
    assert_eq!(["Вера", "", " "].map(super::family_in_native), [0, 0, 0]);
}
