//! When body and exit both fail, both are heard of: in the error where it has room, else by the hook.

use std::error::Error;
use std::io;
use std::num::ParseIntError;

use withal_core::{Kind, Phase, Report, ScopeError, ScopeExt, with_local, with_report};
use withal_testing::{Injected, Ledger, LostErrors, block_on, caught};

use crate::app_error::AppError;
use crate::sample::Sample;

fn failing() -> Sample<io::Error> {
    Sample::new(1).exit_fails(io::Error::other("disk full"))
}

fn parse() -> Result<u32, ParseIntError> {
    "x".parse()
}

const PARSE: &str = "invalid digit found in string";

#[test]
fn with_report_holds_both() {
    let both = block_on(with_report(failing(), async |_| parse())).unwrap_err();
    assert_eq!(both.body(), Some(&parse().unwrap_err()));
    assert_eq!(both.exit().unwrap().to_string(), "disk full");
    assert_eq!(
        both.to_string(),
        "the body failed, and then the exit: disk full"
    );
    assert_eq!(both.source().unwrap().to_string(), PARSE);
    let ScopeError::BodyAndExit { body, exit } = both else {
        panic!("{both:?}");
    };
    assert_eq!(
        (body, exit.to_string().as_str()),
        (parse().unwrap_err(), "disk full")
    );
}

#[test]
fn the_other_cases_of_with_report() {
    let run =
        |scope, body: Result<u32, ParseIntError>| block_on(with_report(scope, async |_| body));
    let body = run(Sample::new(1), parse()).unwrap_err();
    assert!(matches!(&body, ScopeError::Body(_)) && body.exit().is_none());
    assert_eq!(body.to_string(), "the body failed");
    let exit = run(failing(), Ok(1)).unwrap_err();
    assert!(matches!(&exit, ScopeError::Exit(_)) && exit.body().is_none());
    assert_eq!(exit.to_string(), "the exit failed");
    let enter = run(
        Sample::new(1).enter_fails(io::Error::other("no file")),
        Ok(1),
    )
    .unwrap_err();
    assert!(matches!(&enter, ScopeError::Enter(_)) && enter.exit().is_none());
    assert_eq!(enter.to_string(), "the scope could not be entered");
    assert_eq!(enter.source().unwrap().to_string(), "no file");
}

#[test]
fn a_report_keeps_both_with_name_and_line() {
    let scope = failing().named("database");
    let line = line!() + 1;
    let report = block_on(scope.with(async |_| Ok::<_, Report>(parse()?))).unwrap_err();

    assert_eq!(report.to_string(), PARSE);
    assert!(report.primary().downcast_ref::<ParseIntError>().is_some());
    let [exit] = report.others() else {
        panic!("{report:?}");
    };
    assert_eq!((exit.phase(), exit.kind()), (Phase::Exit, Kind::Failed));
    assert_eq!(exit.scope(), Some("database"));
    assert_eq!(exit.location().unwrap().line(), line);
    assert_eq!(
        exit.downcast_ref::<io::Error>().unwrap().to_string(),
        "disk full"
    );

    let debug = format!("{report:?}");
    let (first, second) = debug.split_once('\n').unwrap();
    assert_eq!(first, PARSE);
    let place = format!("also: exit of `database` ({}:{line}:", file!());
    assert!(second.starts_with(&place), "{debug}");
    assert!(second.ends_with("): disk full"), "{debug}");
}

#[test]
fn a_report_of_the_scope_alone_says_where_it_is_from() {
    let well = async |_: &mut _| Ok::<_, Report>(());
    let scope = failing().named("database");
    let line = line!() + 1;
    let exit = block_on(scope.with(well)).unwrap_err();
    let place = format!("exit of `database` ({}:{line}:", file!());
    assert!(format!("{exit:?}").starts_with(&place), "{exit:?}");
    assert_eq!(exit.to_string(), "disk full");
    let scope = Sample::new(1).enter_fails(io::Error::other("no file"));
    let enter = block_on(scope.with(well)).unwrap_err();
    assert_eq!(
        (enter.primary().phase(), enter.primary().scope()),
        (Phase::Enter, Some("Sample"))
    );
}

#[test]
fn a_report_keeps_all_in_the_order_of_time() {
    let ledger = Ledger::new();
    let level = |name| ledger.scope(name).exit_fails().named(name);
    let report = block_on(level("a").with(async |_| {
        level("b")
            .with(async |_| level("c").with(async |_| Ok::<_, Report>(parse()?)).await)
            .await
    }))
    .unwrap_err();
    assert_eq!(report.len(), 4);
    let scopes: Vec<_> = report
        .others()
        .iter()
        .filter_map(|entry| entry.scope())
        .collect();
    assert_eq!(scopes, ["c", "b", "a"]);
    assert!(
        report
            .others()
            .iter()
            .all(|e| e.downcast_ref::<Injected>().is_some())
    );
    assert_eq!(format!("{report:?}").lines().count(), 4);
}

#[test]
fn a_report_shows_the_causes_of_its_primary() {
    #[derive(Debug, thiserror::Error)]
    #[error("no settings")]
    struct Settings(#[source] ParseIntError);
    let failed = failing()
        .named("database")
        .with(async |_| -> Result<(), Report> {
            parse().map_err(Settings)?;
            Ok(())
        });
    let debug = format!("{:?}", block_on(failed).unwrap_err());
    let lines: Vec<_> = debug.lines().collect();
    assert_eq!(
        lines[..2],
        [
            "no settings",
            "    caused by: invalid digit found in string"
        ]
    );
    assert!(lines[2].starts_with("also: exit of `database`"));
}

#[test]
fn a_report_becomes_a_standard_error_with_all_of_it() {
    let failed = failing().with(async |_| Ok::<_, Report>(parse()?));
    let error = block_on(failed).unwrap_err().into_error();
    assert_eq!(error.to_string(), PARSE);
    assert!(format!("{error:?}").contains("also: exit of `Sample`"));
}

/// Lets body and exit fail, with an error of the body that has no room for a second; the name of the scope tells the tests apart.
fn told_beside<E>(name: &'static str, error: E) -> (String, Vec<String>)
where
    E: withal_core::Fault + From<io::Error>,
{
    let lost = LostErrors::listen();
    let failed = failing().named(name).with(async |_| Err::<(), E>(error));
    let returned = block_on(failed).unwrap_err().to_string();
    (returned, lost.containing(&format!("exit of `{name}`")))
}

#[test]
fn otherwise_the_hook_gets_the_second() {
    let app = told_beside("beside an enum", AppError::Parse(parse().unwrap_err()));
    let boxed: Box<dyn Error + Send + Sync> = "boxed".into();
    let boxed = told_beside("beside a box", boxed);
    let any = told_beside("beside anyhow", anyhow::anyhow!("any"));
    let returned = [&app.0, &boxed.0, &any.0];
    assert_eq!(returned, [&format!("parse: {PARSE}"), "boxed", "any"]);
    for (_, told) in [app, boxed, any] {
        assert_eq!(told.len(), 1);
        assert!(told[0].contains(file!()), "{told:?}");
        assert!(told[0].ends_with("disk full"), "{told:?}");
    }
}

#[test]
fn with_a_local_scope_as_well() {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let scope = ledger.scope("local and failing").exit_fails();
    let failed = with_local(scope, async |_| Err::<(), _>(Injected("body".to_owned())));
    assert_eq!(block_on(failed), Err(Injected("body".to_owned())));
    let told = lost.containing("exit local and failing");
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("exit of `Traced`"), "{told:?}");

    let scope = ledger.scope("kept").exit_fails();
    let report = with_local(scope, async |_| Ok::<_, Report>(parse()?));
    assert_eq!(block_on(report).unwrap_err().len(), 2);
}

#[test]
fn after_a_panic_of_the_body_the_hook_gets_the_error() {
    let lost = LostErrors::listen();
    let panics = failing()
        .named("panics inside")
        .with(async |_| -> io::Result<()> {
            panic!("first");
        });
    assert_eq!(block_on(caught(panics)).unwrap_err(), "first");
    assert_eq!(lost.containing("exit of `panics inside`").len(), 1);
}

#[test]
fn when_the_exit_panics_the_hook_gets_the_error_of_the_body() {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let scope = ledger.scope("x").exit_panics().named("panics at exit");
    let panics = scope.with(async |_| Err::<(), _>(Injected("body".to_owned())));
    let message = block_on(caught(panics)).unwrap_err();
    assert_eq!(message, "injected panic: exit x");
    let told = lost.containing("body of `panics at exit`");
    assert_eq!(told.len(), 1);
    assert!(told[0].ends_with("injected error: body"), "{told:?}");
}
