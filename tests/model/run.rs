//! Runs many histories, makes the first that fails smaller, and reports.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::history::{Climate, History, histories};
use super::mutants::Mutant;
use super::oracle::Violation;
use super::scene::{Count, Scene};

/// After so many histories a new database and a new process.
const ON_ONE_SCENE: u32 = 25;

/// How often a history that failed is tried smaller.
const SMALLER: u32 = 40;

/// Which histories are carried out.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    seed: u64,
    histories: u32,
    /// How many at a time.
    abreast: u32,
    climate: Climate,
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value}")))
}

impl Plan {
    /// As `script/model` tells it; otherwise a few.
    pub(super) fn from_environment() -> Self {
        Self {
            seed: setting("FOCALPOINT_MODEL_SEED", 1),
            histories: setting("FOCALPOINT_MODEL_HISTORIES", 15) as u32,
            abreast: setting("FOCALPOINT_MODEL_ABREAST", 1) as u32,
            climate: Climate { rough: 20, postgres: 2 },
        }
    }

    /// With a seed that is known to find it soon.
    pub(super) fn for_mutant(mutant: Mutant) -> Self {
        let soon = match mutant {
            Mutant::BigserialCursor => 1,
            Mutant::ClockCursor => 31,
            Mutant::MissingNonceCheck => 1,
            Mutant::VisibilityByClock => 21,
            Mutant::NoTombstone => 2,
            Mutant::LatestStepOnly => 4,
        };
        // Only a restore can tell it.
        let rough = if mutant == Mutant::MissingNonceCheck { 90 } else { 20 };
        Self {
            seed: setting("FOCALPOINT_MODEL_MUTANT_SEED", soon),
            histories: setting("FOCALPOINT_MODEL_MUTANT_HISTORIES", 100) as u32,
            abreast: 1,
            climate: Climate { rough, postgres: 0 },
        }
    }
}

/// A history that broke a promise.
pub(super) struct Failure {
    pub(super) seed: u64,
    pub(super) violation: Violation,
    history: History,
    /// The smallest that was found to break one, too, and which.
    smallest: Option<(History, Violation)>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        writeln!(f, "repeat it: script/model --seed {} 1", self.seed)?;
        match &self.smallest {
            Some((history, violation)) => writeln!(f, "the smallest found:\n{history}{violation}"),
            None => writeln!(f, "alone it did not fail again; the history:\n{}", self.history),
        }
    }
}

/// What many histories came to.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) count: Count,
    pub(super) failures: Vec<Failure>,
    seeds: String,
    took: Duration,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Count { histories, operations, transactions, refused, pulls, gone, faults } = &self.count;
        writeln!(f, "histories            {histories:>9}   in {:.0} s, seeds {}", self.took.as_secs_f64(), self.seeds)?;
        writeln!(f, "operations           {operations:>9}   refused by the database: {refused}")?;
        writeln!(f, "transactions         {transactions:>9}")?;
        writeln!(f, "pulls                {pulls:>9}   answered 410: {gone}")?;
        faults.iter().try_for_each(|(name, count)| writeln!(f, "{name:<28} {count:>6}"))
    }
}

/// The tree of the history of a seed.
fn tree(seed: u64, climate: Climate) -> impl ValueTree<Value = History> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    histories(climate).new_tree(&mut runner).unwrap()
}

/// A history on a scene of its own.
async fn alone(history: &History, mutant: Option<Mutant>) -> Option<Violation> {
    let mut scene = Scene::new(history.kills_postgres(), mutant).await?;
    scene.play(history).await.err()
}

/// Carries out histories until one breaks a promise.
pub(super) async fn run(plan: Plan, mutant: Option<Mutant>) -> Outcome {
    let began = Instant::now();
    let failed = Arc::new(AtomicBool::new(false));
    let lane = |lane| tokio::spawn(run_lane(plan.clone(), lane, mutant, failed.clone()));
    let lanes: Vec<_> = (0..plan.abreast).map(lane).collect();
    let mut outcome = Outcome::default();
    for lane in lanes {
        let (count, failure) = lane.await.unwrap();
        outcome.count.add(&count);
        outcome.failures.extend(failure);
    }
    outcome.seeds = format!("{} to {}", plan.seed, plan.seed + u64::from(plan.histories) - 1);
    if let (Some(failure), None) = (outcome.failures.first_mut(), mutant) {
        failure.smallest = smaller(failure.seed, plan.climate).await;
    }
    outcome.took = began.elapsed();
    outcome
}

async fn run_lane(plan: Plan, lane: u32, mutant: Option<Mutant>, failed: Arc<AtomicBool>) -> (Count, Option<Failure>) {
    let mut count = Count::default();
    let mut scene: Option<Scene> = None;
    for (n, seed) in
        (plan.seed..).take(plan.histories as usize).skip(lane as usize).step_by(plan.abreast as usize).enumerate()
    {
        if failed.load(Ordering::Relaxed) {
            break;
        }
        let history = tree(seed, plan.climate).current();
        let outcome = if history.kills_postgres() {
            let Some(mut own) = Scene::new(true, mutant).await else { continue };
            let outcome = own.play(&history).await;
            count.add(&own.count);
            outcome
        } else {
            if (n as u32).is_multiple_of(ON_ONE_SCENE) {
                scene = None;
            }
            if scene.is_none() {
                scene = Scene::new(false, mutant).await;
            }
            let shared = scene.as_mut().expect("a database on the shared server");
            shared.count = Count { histories: shared.count.histories, ..Count::default() };
            let before = shared.count.histories;
            let outcome = shared.play(&history).await;
            count.add(&Count { histories: shared.count.histories - before, ..shared.count.clone() });
            outcome
        };
        if std::env::var_os("FOCALPOINT_MODEL_VERBOSE").is_some() {
            println!("seed {seed}: {} steps", history.steps.len());
        }
        if let Err(violation) = outcome {
            failed.store(true, Ordering::Relaxed);
            return (count, Some(Failure { seed, violation, history, smallest: None }));
        }
    }
    (count, None)
}

/// The smallest history that fails, too, each tried on a scene of its own.
async fn smaller(seed: u64, climate: Climate) -> Option<(History, Violation)> {
    let mut smallest = None;
    let mut tries = SMALLER;
    let first = tree(seed, climate).current();
    smallest = alone(&first, None).await.map(|violation| (first, violation)).or(smallest);
    smallest.as_ref()?;
    let mut tree = tree(seed, climate);
    while tries > 0 && tree.simplify() {
        tries -= 1;
        let history = tree.current();
        match alone(&history, None).await {
            Some(violation) => smallest = Some((history, violation)),
            None => {
                if !tree.complicate() {
                    break;
                }
            }
        }
    }
    smallest
}
