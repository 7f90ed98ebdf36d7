//! The model: histories of writers, phones and misfortune, made by chance from a seed and carried out against the
//! program; an oracle that knows what is right; and errors made on purpose, each of which it must find.
//! docs/proof.md says what is proven and how; script/model repeats any of it.

mod history;
mod imports;
mod mutants;
mod oracle;
mod phone;
mod reads;
mod rows;
mod run;
mod scene;
mod stage;
mod statements;

use self::mutants::Mutant;
use self::run::{Plan, run};

/// A few here; script/model asks for more, and for other seeds.
#[tokio::test(flavor = "multi_thread")]
async fn a_phones_copy_never_diverges_whatever_happens() {
    let outcome = run(Plan::from_environment(), None).await;
    println!("{outcome}");
    outcome.failures.iter().for_each(|failure| println!("{failure}"));
    assert!(outcome.failures.is_empty(), "a promise was broken");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_error_made_on_purpose_is_found() {
    let mut survived = Vec::new();
    for mutant in Mutant::ALL {
        let outcome = run(Plan::for_mutant(mutant), Some(mutant)).await;
        let Some(failure) = outcome.failures.first() else {
            survived.push(mutant.name());
            continue;
        };
        let found = failure.violation.invariant.name();
        println!("{:<34} {:>4} histories, seed {:<20} {found}", mutant.name(), outcome.count.histories, failure.seed);
    }
    assert!(survived.is_empty(), "not found: {survived:?}");
}
