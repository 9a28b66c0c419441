//! Times two contenders side by side, on a machine that does other things, too.

use std::time::{Duration, Instant};

use withal_benches::rows::{Contender, Row};

/// Nanoseconds for each of `n`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) by_hand: f64,
    pub(crate) withal: f64,
    /// The median of the differences of neighbouring samples, for each level.
    pub(crate) difference: f64,
    /// Half of the distance between the quartiles of these.
    pub(crate) spread: f64,
}

/// A sample is shorter than the time slices of the system, so that most are not interrupted.
const SAMPLE: Duration = Duration::from_micros(100);

impl Times {
    /// Takes turns between the contenders, so that what slows the machine down slows both.
    pub(crate) fn measure(row: &Row, smoke: bool) -> Self {
        let rounds = if smoke { 11 } else { 4001 };
        let n = calibrate(row.withal);
        let mut by_hand = Vec::with_capacity(rounds);
        let mut withal = Vec::with_capacity(rounds);
        let mut differences = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let (one, other) = (sample(row.by_hand, n), sample(row.withal, n));
            by_hand.push(one);
            withal.push(other);
            differences.push((other - one) / f64::from(row.levels));
        }
        Self {
            by_hand: quantile(&mut by_hand, 0.5),
            withal: quantile(&mut withal, 0.5),
            difference: quantile(&mut differences, 0.5),
            spread: (quantile(&mut differences, 0.75) - quantile(&mut differences, 0.25)) / 2.0,
        }
    }
}

/// How many make a sample.
fn calibrate(contender: Contender) -> u64 {
    let mut n = 16;
    loop {
        let started = Instant::now();
        contender(n);
        if started.elapsed() >= SAMPLE {
            return n;
        }
        n *= 2;
    }
}

fn sample(contender: Contender, n: u64) -> f64 {
    let started = Instant::now();
    contender(n);
    started.elapsed().as_nanos() as f64 / n as f64
}

fn quantile(samples: &mut [f64], part: f64) -> f64 {
    let middle = ((samples.len() - 1) as f64 * part) as usize;
    *samples.select_nth_unstable_by(middle, f64::total_cmp).1
}
