//! What tasks and timeouts cost beside those of the runtimes themselves.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use withal_core::{Launch, Never, task_group, timeout};
use withal_smol::Smol;
use withal_tokio::Tokio;

/// One comparison with a peer.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What is compared, and with what.
    pub what: &'static str,
    /// Of each task or call, in nanoseconds: the peer's, and ours.
    pub times: [f64; 2],
    /// The median of the ratios of rounds side by side.
    pub ratio: f64,
    /// What that may be.
    pub budget: f64,
}

impl Peer {
    /// Measures all of them; a smoke run only shows that they run.
    ///
    /// # Panics
    ///
    /// If a runtime cannot be made.
    pub fn measure(smoke: bool) -> Vec<Self> {
        let tasks = if smoke { 1000 } else { 100_000 };
        let (rounds, calls) = if smoke { (3, 1000) } else { (25, 100_000) };
        let current = withal_tokio::Launcher::current_thread().expect("a runtime");
        let multi = withal_tokio::Launcher::multi_thread().expect("a runtime");
        let smol = withal_smol::Launcher::new();
        let compare =
            |what, n, budget, run: [&dyn Fn(); 2]| Self::compare(what, n, rounds, budget, run);
        vec![
            compare(
                "task of a group : `JoinSet`, tokio, current-thread",
                tasks,
                1.15,
                [&|| current.block_on(join_set(tasks)), &|| {
                    current.block_on(group(tasks));
                }],
            ),
            compare(
                "task of a group : `JoinSet`, tokio, multi-thread",
                tasks,
                1.15,
                [&|| multi.block_on(join_set(tasks)), &|| {
                    multi.block_on(group(tasks));
                }],
            ),
            compare(
                "`timeout` : tokio's, current-thread",
                calls,
                1.1,
                [&|| current.block_on(tokio_timeouts(calls)), &|| {
                    current.block_on(timeouts(&Tokio, calls));
                }],
            ),
            compare(
                "`timeout` : a race with a timer, smol",
                calls,
                1.0,
                [&|| smol.block_on(races(calls)), &|| {
                    smol.block_on(timeouts(&Smol, calls));
                }],
            ),
        ]
    }

    fn compare(
        what: &'static str,
        n: u64,
        rounds: usize,
        budget: f64,
        run: [&dyn Fn(); 2],
    ) -> Self {
        let time = |run: &dyn Fn()| {
            let since = Instant::now();
            run();
            since.elapsed().as_secs_f64() * 1e9 / n as f64
        };
        run.iter().for_each(|run| run());
        let rounds: Vec<[f64; 2]> = (0..rounds).map(|_| run.map(time)).collect();
        let median = |of: &dyn Fn(&[f64; 2]) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        Self {
            what,
            times: [median(&|round| round[0]), median(&|round| round[1])],
            ratio: median(&|round| round[1] / round[0]),
            budget,
        }
    }

    /// Whether it keeps to its budget.
    pub fn is_within(&self) -> bool {
        self.ratio <= self.budget
    }
}

/// Suspends once.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn work(number: u64) -> u64 {
    yield_now().await;
    black_box(number)
}

async fn join_set(tasks: u64) {
    let mut set = tokio::task::JoinSet::new();
    for number in 0..tasks {
        set.spawn(work(number));
    }
    while let Some(ended) = set.join_next().await {
        assert!(ended.is_ok(), "no task fails");
    }
}

async fn group(tasks: u64) {
    let ended = task_group(&Tokio, async |group| {
        for number in 0..tasks {
            group.spawn(async move { Ok::<_, Never>(work(number).await) });
        }
        Ok(())
    });
    assert!(ended.await.is_ok(), "no task fails");
}

const LONG: Duration = Duration::from_secs(60);

async fn tokio_timeouts(calls: u64) {
    for number in 0..calls {
        assert!(tokio::time::timeout(LONG, work(number)).await.is_ok());
    }
}

async fn timeouts<R: withal_core::Timer + Clone>(rt: &R, calls: u64) {
    for number in 0..calls {
        assert!(timeout(rt, LONG, work(number)).await.is_ok());
    }
}

async fn races(calls: u64) {
    for number in 0..calls {
        let mut body = pin!(work(number));
        let mut timer = pin!(smol::Timer::after(LONG));
        let won = poll_fn(|cx| {
            if let Poll::Ready(value) = body.as_mut().poll(cx) {
                return Poll::Ready(Some(value));
            }
            timer.as_mut().poll(cx).map(|_| None)
        });
        assert!(won.await.is_some());
    }
}
