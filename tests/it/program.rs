//! One program for every runtime: nesting, an error, a stop, a timeout, and a drop by somebody else.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use withal::{
    Bracket, Launch, Outcome, Propagate, Reason, Runtime, ScopeExt, acquire, null, suppress,
    timeout, until,
};

/// What it writes, on each runtime.
const TRANSCRIPT: &[&str] = &[
    "[nested]",
    "acquire a",
    "acquire b",
    "release b after success",
    "release a after success",
    "[failing]",
    "acquire a",
    "release a after failure: no luck",
    "suppressed",
    "[stopped]",
    "acquire a",
    "acquire b",
    "release b after cancelled: enough",
    "release a after cancelled: enough",
    "cancelled: enough",
    "[timed out]",
    "the time of 0ns was up",
    "[dropped]",
    "acquire a",
    "acquire b",
    "gone",
    "release b after cancelled: the future was dropped",
    "release a after cancelled: the future was dropped",
    "[end]",
];

/// Runs the program and compares its transcript.
pub(crate) fn check<L: Launch>(launcher: &L) {
    let transcript = Transcript::default();
    let main = program(launcher.runtime(), transcript.clone());
    launcher.run(main).expect("no signal").expect("no error");
    assert_eq!(transcript.lines(), TRANSCRIPT, "on {}", L::Runtime::NAME);
}

async fn program<R: Runtime>(rt: R, transcript: Transcript) -> io::Result<()> {
    let scope = |name| transcript.scope(&rt, name);
    let stuck = || scope("a").with(async |_| scope("b").using(async |_| pending().await).await);
    let both_open = |before: usize| transcript.lines().len() == before + 2;

    transcript.say("[nested]");
    let nested = scope("a").with(async |_| scope("b").using(async |_| 7).await);
    assert_eq!(nested.await?, 7);

    transcript.say("[failing]");
    let failing = scope("a").with(async |_| Err::<(), _>(io::Error::other("no luck")));
    if suppress::<io::Error>()
        .with(async |()| failing.await)
        .await?
        .is_none()
    {
        transcript.say("suppressed");
    }

    transcript.say("[stopped]");
    let before = transcript.lines().len();
    let signal = async {
        transcript.reaches(before + 2).await;
        Reason::Requested("enough")
    };
    let stopped: Result<io::Result<()>, _> = until(signal, stuck()).await;
    transcript.say(stopped.unwrap_err().to_string());

    transcript.say("[timed out]");
    let elapsed = timeout(&rt, Duration::ZERO, pending::<()>()).await;
    transcript.say(elapsed.unwrap_err().to_string());

    transcript.say("[dropped]");
    let before = transcript.lines().len();
    null(())
        .with(async |()| {
            {
                let mut stuck = pin!(stuck());
                poll_fn(|cx| {
                    let polled: Poll<io::Result<()>> = stuck.as_mut().poll(cx);
                    assert!(polled.is_pending());
                    if both_open(before) {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
            }
            transcript.say("gone");
            io::Result::Ok(())
        })
        .await?;
    transcript.say("[end]");
    Ok(())
}

#[derive(Clone, Default)]
struct Transcript(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    said: Vec<String>,
    reader: Option<Waker>,
}

impl Transcript {
    fn say(&self, line: impl Into<String>) {
        let reader = {
            let mut lines = self.0.lock().unwrap();
            lines.said.push(line.into());
            lines.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().said.clone()
    }

    /// Waits until it has so many lines.
    async fn reaches(&self, count: usize) {
        poll_fn(|cx| {
            let mut lines = self.0.lock().unwrap();
            if lines.said.len() >= count {
                return Poll::Ready(());
            }
            lines.reader = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// A scope that suspends in its enter and in its exit, and says what it does.
    fn scope<R: Runtime>(
        &self,
        rt: &R,
        name: &'static str,
    ) -> impl Bracket<Held: 'static, View = (), Error = io::Error, Verdict = Propagate> + use<R>
    {
        let (before, after) = (self.clone(), self.clone());
        let (timer, other_timer) = (rt.clone(), rt.clone());
        let enter = async move || {
            timer.sleep(Duration::ZERO).await;
            before.say(format!("acquire {name}"));
            io::Result::Ok(())
        };
        acquire(enter).release(async move |(), outcome: Outcome<'_>| {
            let line = format!("release {name} after {outcome}");
            other_timer.sleep(Duration::ZERO).await;
            after.say(line);
            Ok(())
        })
    }
}
