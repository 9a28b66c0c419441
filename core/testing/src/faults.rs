//! The fault sweep: errors and panics at every enter, body and exit.

use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use withal_core::Report;

use crate::cut::caught;
use crate::ledger::{Injected, Ledger};
use crate::lost::LostErrors;

/// How a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Error,
    Panic,
}

/// Which points are to fail, and which were met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    met: usize,
    plan: Vec<(usize, Mode)>,
    struck: Vec<String>,
    sweep: u64,
}

impl Faults {
    fn new(sweep: u64, plan: &[(usize, Mode)]) -> Self {
        Self(Arc::new(Mutex::new(State {
            plan: plan.to_vec(),
            sweep,
            ..State::default()
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn meet(&self, what: &str) -> Result<(), Injected> {
        let (mode, text) = {
            let mut state = self.state();
            let number = state.met;
            state.met += 1;
            let planned = state.plan.iter().find(|(point, _)| *point == number);
            let Some(&(_, mode)) = planned else {
                return Ok(());
            };
            let text = format!("#{}.{number} {what}", state.sweep);
            state.struck.push(text.clone());
            (mode, text)
        };
        match mode {
            Mode::Error => Err(Injected(text)),
            Mode::Panic => panic!("injected panic: {text}"),
        }
    }
}

/// Keeps panics that were asked for from filling the output of a test.
pub fn hush_injected_panics() {
    static HUSHED: Once = Once::new();
    HUSHED.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.payload_as_str().unwrap_or_default();
            if !text.starts_with("injected panic") {
                others(info);
            }
        }));
    });
}

/// Runs what `program` makes again and again, with an error or a panic at each point that it meets, and with each pair of them.
///
/// Points are the enters and exits of the ledger's scopes, and [`Ledger::point`].
/// Each time the ledger must balance, and every fault that struck must be found: in the report, as the panic, or at the lost-error hook.
/// Gives the number of runs.
///
/// # Panics
///
/// If an invariant does not hold, or a fault was swallowed.
///
/// # Cancel safety
///
/// Dropping it ends the sweep.
pub async fn fault_sweep<F>(mut program: impl FnMut(&Ledger) -> F) -> usize
where
    F: Future<Output = Result<(), Report>>,
{
    hush_injected_panics();
    let points = run(&mut program, &[]).await;
    let mut runs = 1;
    for first in 0..points {
        for first_mode in [Mode::Error, Mode::Panic] {
            let single = (first, first_mode);
            let met = run(&mut program, &[single]).await;
            runs += 1;
            // The second fault may be at any point that is met after the first.
            for second in first + 1..met {
                for second_mode in [Mode::Error, Mode::Panic] {
                    run(&mut program, &[single, (second, second_mode)]).await;
                    runs += 1;
                }
            }
        }
    }
    runs
}

/// One run with `plan`; gives how many points were met.
async fn run<F>(program: &mut impl FnMut(&Ledger) -> F, plan: &[(usize, Mode)]) -> usize
where
    F: Future<Output = Result<(), Report>>,
{
    // Sweeps run side by side and share the hook: their faults differ by a number.
    static SWEEPS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let sweep = SWEEPS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let lost = LostErrors::listen();
    let faults = Faults::new(sweep, plan);
    let ledger = Ledger::faulty(faults.clone());
    let ended = caught(program(&ledger)).await;
    ledger.settled().await;
    ledger.check();
    let told = match &ended {
        Ok(Ok(())) => String::new(),
        Ok(Err(report)) => format!("{report:?}"),
        Err(panic) => panic.clone(),
    };
    let state = faults.state();
    for fault in &state.struck {
        assert!(
            told.contains(fault) || !lost.containing(fault).is_empty(),
            "{fault} was swallowed; the program ended with {told:?}\ntrace: {}",
            ledger.trace()
        );
    }
    state.met
}
