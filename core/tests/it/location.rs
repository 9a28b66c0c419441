//! The source line of a scope is that of its caller: of the call that runs it.

use std::future::{Future, pending};
use std::io;
use std::panic::Location;

use withal_core::{
    Bracket, Fault, LocalScope, Outcome, Propagate, Reason, Report, Scope, ScopeExt, until, using,
    with, with_local, with_report,
};
use withal_testing::{LostErrors, block_on, caught};

use crate::sample::Sample;

/// A scope whose exit fails.
fn failing() -> Sample<io::Error> {
    Sample::new(1).exit_fails(io::Error::other("disk full"))
}

fn here(line: u32) -> String {
    format!("{}:{line}:", file!())
}

#[test]
fn in_a_report() {
    async fn function() -> Result<(), Report> {
        with(failing(), async |_| Ok(())).await
    }
    async fn method() -> Result<(), Report> {
        failing().with(async |_| Ok(())).await
    }
    let line = line!() - 5;
    let at = |report: Report| report.primary().location().unwrap();
    let function = at(block_on(function()).unwrap_err());
    assert_eq!((function.file(), function.line()), (file!(), line));
    let method = at(block_on(method()).unwrap_err());
    assert_eq!((method.file(), method.line()), (file!(), line + 3));
}

/// What is lost of a failing exit called `name`, around a body that panics.
fn lost<T>(name: &str, run: impl Future<Output = T>) -> String {
    let lost = LostErrors::listen();
    assert!(block_on(caught(run)).is_err());
    let heard = lost.containing(&format!("exit of `{name}`"));
    assert_eq!(heard.len(), 1, "{heard:?}");
    heard.into_iter().next().unwrap()
}

#[test]
fn of_every_function_and_method() {
    let scope = |name: &'static str| failing().named(name);
    let fails = async |_: &mut _| -> io::Result<()> { panic!("body") };
    let panics = async |_: &mut _| panic!("body");
    let line = line!() + 1;
    let futures = [
        lost("line 1", with(scope("line 1"), fails)),
        lost("line 2", scope("line 2").with(fails)),
        lost("line 3", using(scope("line 3"), panics)),
        lost("line 4", scope("line 4").using(panics)),
        lost("line 5", with_report(scope("line 5"), fails)),
        lost("line 6", scope("line 6").with_report(fails)),
    ];
    for (line, heard) in (line + 1..).zip(futures) {
        assert!(heard.contains(&here(line)), "{heard} is not of line {line}");
    }
}

/// A scope with a type of its own, so that its name is.
struct Unlucky;

impl LocalScope for Unlucky {
    type Guard = std::rc::Rc<u32>;
    type Error = io::Error;
    type Verdict = Propagate;

    async fn enter(self) -> io::Result<Self::Guard> {
        Ok(Self::Guard::new(1))
    }

    async fn exit(_: Self::Guard, _: Outcome<'_>) -> io::Result<Propagate> {
        Err(io::Error::other("disk full"))
    }
}

#[test]
fn of_with_local() {
    let panics = async |_: &mut _| -> io::Result<()> { panic!("body") };
    let heard = lost("Unlucky", with_local(Unlucky, panics));
    assert!(heard.contains(&here(line!() - 1)), "{heard}");
}

#[test]
fn of_open() {
    let name = "opened here";
    let body = async |_: &mut _| {
        let open = failing().named(name).open().await;
        drop(open);
        panic!("body")
    };
    let around = Sample::<io::Error>::new(1).using(body);
    let heard = lost(name, around);
    assert!(heard.contains(&here(line!() - 6)), "{heard}");
}

#[test]
fn of_a_helper_that_tracks_its_caller() {
    #[track_caller]
    fn run<S, T, E>(
        scope: S,
        body: impl AsyncFnOnce(&mut S::View) -> Result<T, E>,
    ) -> impl Future<Output = Result<T, E>>
    where
        S: Bracket<Held: 'static, Error = E, Verdict = Propagate>,
        E: Fault,
    {
        scope.with(body)
    }
    let panics = async |_: &mut _| -> io::Result<()> { panic!("body") };
    let scope = failing().named("helped");
    let heard = lost("helped", run(scope, panics));
    assert!(heard.contains(&here(line!() - 1)), "{heard}");
}

/// The same as a trait of a user.
trait Audited: Scope<Guard: 'static, Error = io::Error, Verdict = Propagate> {
    #[track_caller]
    fn audited<T>(
        self,
        body: impl AsyncFnOnce(&mut Self::Guard) -> T,
    ) -> impl Future<Output = io::Result<T>> {
        let _here = Location::caller();
        self.using(body)
    }
}
impl<S: Scope<Guard: 'static, Error = io::Error, Verdict = Propagate>> Audited for S {}

#[test]
fn of_a_method_of_a_user_that_tracks_its_caller() {
    struct Audit;
    impl Scope for Audit {
        type Guard = ();
        type Error = io::Error;
        type Verdict = Propagate;
        async fn enter(self) -> io::Result<()> {
            Ok(())
        }
        async fn exit((): (), _: Outcome<'_>) -> io::Result<Propagate> {
            Err(io::Error::other("disk full"))
        }
    }
    let heard = lost("Audit", Audit.audited(async |()| panic!("body")));
    assert!(heard.contains(&here(line!() - 1)), "{heard}");
}

#[test]
fn of_the_exits_of_a_cut_body() {
    async fn cut() -> withal_core::Interrupted {
        let inner = async |_: &mut _| pending::<()>().await;
        let body = failing().named("inner").using(inner);
        until(async { Reason::LeaseLost }, body).await.unwrap_err()
    }
    let line = line!() - 3;
    let cut = block_on(cut());
    let exit = &cut.exits()[0];
    assert_eq!(exit.scope(), Some("inner"));
    assert_eq!(exit.location().map(Location::line), Some(line));
}

#[test]
fn of_a_canceller() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in the drop of a body");
        }
    }
    let lost = LostErrors::listen();
    let bomb = Bomb;
    let body = async move {
        let _bomb = bomb;
        pending::<()>().await;
    };
    let cut = until(async { Reason::LeaseLost }, body);
    let line = line!() - 1;
    let cut = block_on(cut).unwrap_err();
    // The canceller itself hears of it; nothing reaches the hook.
    let told = cut.exits()[0].to_string();
    assert!(told.contains(&here(line)), "{told}");
    assert!(lost.containing("in the drop of a body").is_empty());
}
