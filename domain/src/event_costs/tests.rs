//! Estimates as facts: what is charged, why, and what is not.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use iso_currency::Currency;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{Audience, Confidence, DutyStation, Key, Language, Localized, Provenance};

fn date(text: &str) -> NaiveDate {
    parse_date(text).unwrap()
}

fn words(text: &str) -> Localized {
    Localized::only(Language::En, text)
}

fn reported() -> Provenance {
    Provenance::parse(Confidence::Reported, Some("https://example.org/rates"), None).unwrap()
}

fn usd(low: i64, high: i64) -> Price {
    Price::parse(low.into(), high.into(), Currency::USD).unwrap()
}

fn percent(percent: i64, of: Base) -> Charge {
    Charge::percentage(percent.into(), of, None).unwrap()
}

fn ten_to_six() -> RegularHours {
    RegularHours::parse(parse_time("10:00").unwrap(), parse_time("18:00").unwrap()).unwrap()
}

fn office(name: &str, kind: OfficeKind) -> Option<Office> {
    Some(Office { name: words(name), kind, unit: None })
}

fn rate(code: &str, category: Category, unit: Unit, charge: Charge, applies_when: AppliesWhen) -> Rate {
    Rate {
        code: Key::parse(code).unwrap(),
        category,
        item: words(code),
        unit,
        charge,
        applies_when,
        scope: Scope::default(),
        office: office("Conference support", OfficeKind::UnitedNations),
        note: None,
        provenance: reported(),
    }
}

fn rule(code: &str, effect: Effect, categories: &[Category]) -> ChargeRule {
    ChargeRule {
        code: Key::parse(code).unwrap(),
        text: words(code),
        effect,
        categories: categories.iter().copied().collect(),
        scope: Scope::default(),
        applies_when: AppliesWhen::Always,
        lead_hours: None,
        provenance: reported(),
    }
}

fn card(place: Option<&str>, years: Option<(i32, i32)>, rates: Vec<Rate>, rules: Vec<ChargeRule>) -> RateCard {
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day);
    let (from, until) = years.map_or((None, None), |(from, until)| (day(from, 1, 1), day(until, 12, 31)));
    RateCard {
        id: RateCardId(Uuid::from_u128(1)),
        audience: Audience::Delegates,
        duty_station: place.map(|place| DutyStation::parse(place).unwrap()),
        title: words("Rates"),
        validity: Validity::parse(from, until, false).unwrap(),
        currency: Currency::USD,
        interpreters: Interpreters::default(),
        provenance: reported(),
        rates: Distinct::parse(rates).unwrap(),
        rules: Distinct::parse(rules).unwrap(),
    }
}

/// The rates of New York as a source of 2016 tells them.
fn new_york() -> RateCard {
    let (av, tech) = (Category::Audiovisual, Unit::TechnicianMeeting);
    let outside = AppliesWhen::OutsideRegularHours(ten_to_six());
    let security = Rate {
        office: office("Security", OfficeKind::UnitedNations),
        ..rate("security", Category::Security, Unit::Event, Charge::Price(usd(400, 400)), AppliesWhen::Always)
    };
    let captions = Rate {
        office: office("Outside suppliers", OfficeKind::External),
        ..rate("cart", Category::Captioning, Unit::Event, Charge::Price(usd(200, 300)), AppliesWhen::OnRequest)
    };
    let rates = vec![
        rate("av", av, tech, Charge::Price(usd(260, 260)), AppliesWhen::OnRequest),
        rate("av-extra", av, tech, Charge::Price(usd(260, 260)), outside),
        rate("engineer", Category::Engineering, Unit::Hour, Charge::Price(usd(75, 75)), outside),
        security,
        captions,
    ];
    let side_events = Scope { kinds: [EventKind::SideEvent].into(), ..Scope::default() };
    let no_interpretation = rule("no-interpretation", Effect::NotOffered, &[Category::Interpretation]);
    let tickets = ChargeRule { lead_hours: Some(Count::parse(48).unwrap()), ..rule("tickets", Effect::Informs, &[]) };
    let rules = vec![ChargeRule { scope: side_events, ..no_interpretation }, tickets];
    card(Some("NY"), Some((2016, 2016)), rates, rules)
}

fn everywhere() -> RateCard {
    let support = Rate {
        office: None,
        ..rate("support", Category::ProgrammeSupport, Unit::Share, percent(13, Base::Expenditure), AppliesWhen::Always)
    };
    RateCard {
        validity: Validity::parse(Some(date("1980-01-01")), None, true).unwrap(),
        ..card(None, None, vec![support], vec![])
    }
}

fn session(day: &str, start: &str, end: &str) -> Session {
    Session::parse(date(day), parse_time(start).unwrap(), parse_time(end).unwrap(), false).unwrap()
}

/// A side event in New York on Thursday 22 September 2016 from 18:30 to 20:00.
fn side_event(wishes: Wishes) -> Plan {
    Plan {
        duty_station: DutyStation::parse("NY").unwrap(),
        kind: EventKind::SideEvent,
        organizer: Organizer::PermanentMission,
        sessions: Sessions::parse(vec![session("2016-09-22", "18:30", "20:00")]).unwrap(),
        participants: None,
        wishes,
        cancelled_days_before: None,
    }
}

fn technicians(number: i64) -> Wishes {
    Wishes { technicians: Count::parse(number).unwrap(), ..Wishes::default() }
}

fn on_time() -> NaiveDate {
    date("2016-09-01")
}

fn lines(lines: &[Line<'_>]) -> Vec<(String, String)> {
    lines.iter().map(|line| (line.rate.code.as_str().to_owned(), line.amount.to_string())).collect()
}

fn totals(estimate: &Estimate<'_>) -> Vec<String> {
    estimate.totals().iter().map(Price::to_string).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(code, amount)| ((*code).to_owned(), (*amount).to_owned())).collect()
}

#[test]
fn three_technicians_after_hours_in_new_york_cost_their_rate_twice() {
    let (ny, all) = (new_york(), everywhere());
    let estimate = estimate(&side_event(technicians(3)), &[&all, &ny], on_time());
    let expected =
        [("av", "780.00 USD"), ("av-extra", "780.00 USD"), ("security", "400.00 USD"), ("support", "254.80 USD")];
    assert_eq!(lines(&estimate.lines), pairs(&expected));
    assert_eq!(totals(&estimate), ["2214.80 USD"]);
    assert_eq!(
        estimate.lines[1].reason.text(Language::En),
        "Charged for time outside the regular hours of 10:00 to 18:00, Monday to Friday; sessions concerned: 1 of 1."
    );
    assert_eq!(
        estimate.lines[3].reason.text(Language::Fr),
        "13 % de la base suivante : dépenses de l'Organisation des Nations Unies (1960.00 USD)."
    );
    let offices: Vec<_> = estimate
        .by_office()
        .into_iter()
        .map(|(office, totals)| (office.map(|o| o.name.get(Language::En).1), totals.get(Currency::USD).to_string()))
        .collect();
    assert_eq!(
        offices,
        [
            (Some("Conference support"), "1560.00 USD".into()),
            (Some("Security"), "400.00 USD".into()),
            (None, "254.80 USD".into())
        ]
    );
}

#[test]
fn moving_into_regular_hours_spares_the_additional_rate_and_its_programme_support() {
    let (ny, all) = (new_york(), everywhere());
    let estimate = estimate(&side_event(technicians(3)), &[&all, &ny], on_time());
    let savings: Vec<_> = estimate.savings.iter().map(|s| (s.alternative.code(), s.spared[0].to_string())).collect();
    assert_eq!(
        savings,
        [("regular_hours", "881.40 USD".to_owned()), ("one_technician_fewer", "587.60 USD".to_owned())]
    );
    let moved = estimate.savings[0].plan.sessions.first();
    assert_eq!((moved.starts().to_string(), moved.ends().to_string()), {
        ("2016-09-22 16:30:00".into(), "2016-09-22 18:00:00".into())
    });
}

#[test]
fn a_lunchtime_event_pays_nothing_additional_and_nothing_cheaper_in_hours_is_offered() {
    let ny = new_york();
    let noon = Sessions::parse(vec![session("2016-09-22", "13:15", "14:30")]).unwrap();
    let estimate = estimate(&Plan { sessions: noon, ..side_event(technicians(1)) }, &[&ny], on_time());
    assert_eq!(lines(&estimate.lines), pairs(&[("av", "260.00 USD"), ("security", "400.00 USD")]));
    assert_eq!(estimate.savings, []);
}

#[test]
fn rates_of_other_years_are_historical_with_their_years() {
    let (ny, all) = (new_york(), everywhere());
    let plan = Plan {
        sessions: Sessions::parse(vec![session("2027-09-22", "11:00", "12:00")]).unwrap(),
        ..side_event(technicians(1))
    };
    let later = estimate(&plan, &[&ny, &all], date("2027-01-01"));
    let bases: Vec<_> = later.lines.iter().map(|l| (l.rate.code.as_str(), l.basis.code())).collect();
    assert_eq!(bases, [("av", "historical"), ("security", "historical"), ("support", "current")]);
    assert_eq!(later.basis(), Some(Basis::Historical([2016].into())));
    // run out by now: of that year, and no tariff any more
    let looking_back = estimate(&side_event(technicians(1)), &[&ny], date("2027-01-01"));
    assert_eq!(looking_back.basis(), Some(Basis::Historical([2016].into())));
    let then = estimate(&side_event(technicians(1)), &[&ny], on_time());
    assert_eq!(then.basis(), Some(Basis::Current));
}

#[test]
fn of_two_years_only_the_better_card_is_charged() {
    let older = card(Some("NY"), Some((2012, 2012)), new_york().rates.iter().cloned().collect(), vec![]);
    let (undated, ny) = (card(Some("NY"), None, older.rates.iter().cloned().collect(), vec![]), new_york());
    let plan = side_event(technicians(1));
    let estimate = estimate(&plan, &[&undated, &older, &ny], date("2026-01-01"));
    assert_eq!(estimate.basis(), Some(Basis::Historical([2016].into())));
    assert_eq!(totals(&estimate), ["920.00 USD"]);
}

#[test]
fn a_wish_without_a_rate_is_named_with_its_reason() {
    let precedent = rate(
        "montreal",
        Category::Interpretation,
        Unit::Precedent,
        Charge::Price(usd(70_000, 70_000)),
        AppliesWhen::OnRequest,
    );
    let vienna = card(Some("VIE"), Some((2016, 2016)), vec![precedent], vec![]);
    let interpretation = [Language::En, Language::Fr].into();
    let wishes = Wishes { interpretation, webcast: true, supervisors: Count::parse(1).unwrap(), ..technicians(1) };
    let reasons = |plan: &Plan, cards: &[&RateCard]| {
        let estimate = estimate(plan, cards, on_time());
        let gaps = estimate.not_priced.iter().map(|gap| (gap.category.code(), gap.why.code()));
        gaps.collect::<Vec<_>>()
    };
    let ny = new_york();
    let mut plan = side_event(wishes);
    assert_eq!(reasons(&plan, &[&ny, &vienna]), [("interpretation", "not_offered"), ("webcast", "no_rate")]);
    plan.sessions = Sessions::parse(vec![session("2016-09-22", "11:00", "12:00")]).unwrap();
    plan.kind = EventKind::Meeting;
    assert_eq!(
        reasons(&plan, &[&ny]),
        [("engineering", "rate_does_not_apply"), ("interpretation", "no_rate"), ("webcast", "no_rate")]
    );
    plan.duty_station = DutyStation::parse("VIE").unwrap();
    let vienna_reasons = reasons(&plan, &[&ny, &vienna]);
    assert!(vienna_reasons.contains(&("interpretation", "only_precedent")), "{vienna_reasons:?}");
    assert_eq!(vienna_reasons.len(), 4);
}

#[test]
fn a_team_of_interpreters_is_sized_by_the_card_that_states_it() {
    let numbers = [("ar", 3), ("en", 2), ("es", 2), ("fr", 2), ("ru", 2), ("zh", 3)];
    let staffing = RateCard {
        interpreters: Interpreters::parse(&numbers.map(|(l, n)| (l.to_owned(), n)).into()).unwrap(),
        ..card(None, None, vec![], vec![])
    };
    let freelance = rate(
        "freelance",
        Category::Interpretation,
        Unit::InterpreterDay,
        Charge::Price(usd(666, 666)),
        AppliesWhen::OnRequest,
    );
    let ny = card(Some("NY"), None, vec![freelance], vec![]);
    let wishes = Wishes { interpretation: Language::ALL.into(), ..Wishes::default() };
    let days = vec![
        session("2016-09-22", "10:00", "13:00"),
        session("2016-09-22", "15:00", "18:00"),
        session("2016-09-23", "10:00", "13:00"),
    ];
    let plan = Plan { kind: EventKind::Meeting, sessions: Sessions::parse(days).unwrap(), ..side_event(wishes) };
    let full = estimate(&plan, &[&ny, &staffing], on_time());
    assert_eq!(lines(&full.lines), pairs(&[("freelance", "18648.00 USD")]));
    assert!(matches!(full.lines[0].reason, Reason::Interpreters { team: 14, .. }));
    assert_eq!(full.basis(), Some(Basis::Undated));
    let unknown = estimate(&plan, &[&ny], on_time());
    assert_eq!((unknown.lines.len(), &unknown.not_priced[0].why), (0, &Why::UnknownTeam));
}

#[test]
fn what_an_outside_supplier_bills_bears_no_programme_support() {
    let (ny, all) = (new_york(), everywhere());
    let wishes = Wishes { captioning: true, ..Wishes::default() };
    let estimate = estimate(&side_event(wishes), &[&ny, &all], on_time());
    let expected = [("security", "400.00 USD"), ("cart", "200.00–300.00 USD"), ("support", "52.00 USD")];
    assert_eq!(lines(&estimate.lines), pairs(&expected));
    assert_eq!(totals(&estimate), ["652.00–752.00 USD"]);
}

#[test]
fn deposit_and_cancellation_stand_beside_the_total() {
    let fee = Charge::percentage(5.into(), Base::EstimatedCost, Some(usd(5_000, 5_000))).unwrap();
    let rates = vec![
        rate("room", Category::Room, Unit::Day, Charge::Price(usd(4_000, 6_000)), AppliesWhen::OnRequest),
        rate("admin", Category::Administration, Unit::Share, percent(5, Base::Charges), AppliesWhen::Always),
        rate("late", Category::Cancellation, Unit::Share, fee, AppliesWhen::CancelledWithin(14)),
        rate("deposit", Category::Deposit, Unit::Share, percent(100, Base::EstimatedCost), AppliesWhen::Always),
    ];
    let addis = card(Some("ADD"), Some((2016, 2016)), rates, vec![]);
    let plan = Plan {
        duty_station: DutyStation::parse("ADD").unwrap(),
        cancelled_days_before: Some(Count::parse(5).unwrap()),
        ..side_event(Wishes { room_equipment: true, ..Wishes::default() })
    };
    let estimate = estimate(&plan, &[&addis], on_time());
    let expected = [("room", "4000.00–6000.00 USD"), ("admin", "200.00–300.00 USD")];
    assert_eq!(lines(&estimate.lines), pairs(&expected));
    assert_eq!(lines(&estimate.deposits), pairs(&[("deposit", "4200.00–6300.00 USD")]));
    // between 4,200 and 6,300: the fee on more than 5,000 may be nothing
    assert_eq!(lines(&estimate.cancellation), pairs(&[("late", "0.00–315.00 USD")]));
    assert_eq!(totals(&estimate), ["4200.00–6300.00 USD"]);
    assert_eq!(estimate.savings[0].alternative, Alternative::EarlierCancellation { notice: 14 });
}

#[test]
fn currencies_are_never_added() {
    let franc = Price::parse(100.into(), 100.into(), Currency::CHF).unwrap();
    let rates = vec![
        rate("room", Category::Room, Unit::Event, Charge::Price(franc), AppliesWhen::OnRequest),
        rate("security", Category::Security, Unit::Event, Charge::Price(usd(50, 50)), AppliesWhen::Always),
    ];
    let (geneva, all) = (card(Some("GVA"), Some((2016, 2016)), rates, vec![]), everywhere());
    let plan = Plan {
        duty_station: DutyStation::parse("GVA").unwrap(),
        ..side_event(Wishes { room_equipment: true, ..Wishes::default() })
    };
    assert_eq!(totals(&estimate(&plan, &[&geneva, &all], on_time())), ["113.00 CHF", "56.50 USD"]);
}

#[test]
fn a_deadline_is_counted_back_from_the_first_session() {
    let ny = new_york();
    let due = |on| estimate(&side_event(technicians(1)), &[&ny], date(on)).notices[1].due.unwrap();
    assert_eq!(due("2016-09-20").by.to_string(), "2016-09-20 18:30:00");
    assert!(!due("2016-09-20").passed && due("2016-09-21").passed);
}

#[test]
fn a_card_refuses_what_contradicts_itself() {
    let twice = vec![rule("a", Effect::Informs, &[]), rule("a", Effect::Informs, &[])];
    assert_eq!(Distinct::parse(twice).unwrap_err().into_vec()[0].pointer, "/1/code");
    assert!(Validity::parse(None, Some(date("2016-01-01")), false).is_err());
    assert!(Validity::parse(Some(date("2016-01-02")), Some(date("2016-01-01")), false).is_err());
    assert!(Validity::parse(None, None, true).is_err());
    assert!(AppliesWhen::parse("outside_regular_hours", None, None).is_err());
    assert!(AppliesWhen::parse("always", Some(ten_to_six()), None).is_err());
    assert!(AppliesWhen::parse("cancelled_within", None, Some(0)).is_err());
    assert!(Charge::percentage(101.into(), Base::Charges, None).is_err());
    assert!(percent(5, Base::Charges).fits(Unit::Hour).is_err() && Charge::Price(usd(1, 1)).fits(Unit::Share).is_err());
    assert!(Interpreters::parse(&BTreeMap::from([("de".to_owned(), 2), ("fr".to_owned(), 0)])).is_err());
}

fn any_rates() -> impl Strategy<Value = Vec<Rate>> {
    let categories = prop::sample::select(Category::ALL.to_vec());
    let units = prop::sample::select(Unit::ALL.to_vec());
    let bases = prop::sample::select(Base::ALL.to_vec());
    let conditions = prop::sample::select(vec![
        AppliesWhen::Always,
        AppliesWhen::OnRequest,
        AppliesWhen::RegularHours(ten_to_six()),
        AppliesWhen::OutsideRegularHours(ten_to_six()),
        AppliesWhen::CancelledWithin(14),
    ]);
    let currencies = prop::sample::select(vec![Currency::USD, Currency::CHF, Currency::JPY]);
    let one = (
        categories,
        units,
        bases,
        conditions,
        currencies,
        0..1_000_000_i64,
        0..1_000_000_i64,
        1..10_000_i64,
        any::<bool>(),
    );
    prop::collection::vec(one, 1..12).prop_map(|rates| {
        let rates = rates.into_iter().enumerate();
        rates
            .map(|(i, (category, unit, base, condition, currency, low, more, percent, external))| {
                let money = |cents| rust_decimal::Decimal::new(cents, 3);
                let charge = match unit {
                    Unit::Share => Charge::percentage(rust_decimal::Decimal::new(percent, 2), base, None).unwrap(),
                    _ => Charge::Price(Price::parse(money(low), money(low + more), currency).unwrap()),
                };
                let kind = if external { OfficeKind::External } else { OfficeKind::UnitedNations };
                Rate { office: office("Office", kind), ..rate(&i.to_string(), category, unit, charge, condition) }
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn totals_are_the_sums_of_lines_ranges_are_in_order_and_more_technicians_never_cost_less(
        rates in any_rates(),
        few in 0..50_i64,
        more in 0..50_i64,
        start in 0..22_u32,
        length in 1..120_u32,
        people in prop::option::of(0..500_i64),
    ) {
        let card = card(Some("NY"), Some((2016, 2016)), rates, vec![]);
        let at = |minutes: u32| chrono::NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap();
        let session = Session::parse(date("2016-09-22"), at(start * 60), at(start * 60 + length), false);
        let sessions = Sessions::parse(vec![session.unwrap()]).unwrap();
        let plan = |number| Plan {
            sessions: sessions.clone(),
            participants: people.map(|p| Count::parse(p).unwrap()),
            cancelled_days_before: Some(Count::parse(3).unwrap()),
            ..side_event(technicians(number))
        };
        let estimate_of = |number| estimate(&plan(number), &[&card], on_time());
        let (less, more) = (estimate_of(few), estimate_of(few + more));
        for estimate in [&less, &more] {
            for currency in [Currency::USD, Currency::CHF, Currency::JPY] {
                let of = estimate.lines.iter().map(|l| l.amount).filter(|a| a.currency() == currency);
                let (low, high) = of.fold((0.into(), 0.into()), |(l, h): (rust_decimal::Decimal, rust_decimal::Decimal), a| (l + a.low(), h + a.high()));
                let total = estimate.totals().get(currency);
                prop_assert_eq!((total.low(), total.high()), (low, high));
                prop_assert!(total.low() <= total.high());
                let by_office = estimate.by_office();
                let offices = by_office.iter().map(|(_, totals)| totals.get(currency).high()).sum::<rust_decimal::Decimal>();
                prop_assert_eq!(offices, high);
            }
            for line in estimate.lines.iter().chain(&estimate.deposits).chain(&estimate.cancellation) {
                prop_assert!(line.amount.low() <= line.amount.high());
                prop_assert!(line.amount.low().scale() <= line.amount.currency().exponent().map_or(2, u32::from));
            }
            for saving in &estimate.savings {
                prop_assert!(saving.spared.iter().all(|s| s.low() <= s.high() && s.high() > 0.into()));
            }
        }
        for currency in [Currency::USD, Currency::CHF, Currency::JPY] {
            let (a, b) = (less.totals().get(currency), more.totals().get(currency));
            // at 0 the rates asked for fall away, those of hours may too
            prop_assert!(a.low() <= b.low() && a.high() <= b.high());
        }
    }
}
