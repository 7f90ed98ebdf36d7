//! Two lists of times that are compared.

use std::time::Duration;

/// Times that something took.
#[derive(Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1e3);
    }

    /// In milliseconds.
    pub(crate) fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The time that a share of them took at most, in milliseconds.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[((sorted.len() - 1) as f64 * share) as usize]
    }

    fn variance(&self) -> f64 {
        let mean = self.mean();
        self.0.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (self.0.len() - 1) as f64
    }

    /// Welch's t: below 4.5, the two cannot be told apart by their times.
    pub(crate) fn welch(&self, other: &Self) -> f64 {
        let spread = self.variance() / self.0.len() as f64 + other.variance() / other.0.len() as f64;
        (self.mean() - other.mean()) / spread.sqrt()
    }
}

#[test]
fn lists_of_times_are_told_apart_by_their_means() {
    let of = |times: &[u64]| {
        let mut samples = Samples::default();
        times.iter().for_each(|time| samples.add(Duration::from_millis(*time)));
        samples
    };
    let (a, b, c) = (of(&[1, 2, 3, 4, 5]), of(&[2, 3, 4, 5, 6]), of(&[101, 102, 103, 104, 105]));
    assert!((a.welch(&b) + 1.0).abs() < 1e-9, "{}", a.welch(&b));
    assert!(c.welch(&a) > 99.0);
    assert!((a.quantile(0.5) - 3.0).abs() < 1e-9);
}
