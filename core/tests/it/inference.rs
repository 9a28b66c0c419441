//! Bodies need no annotation in tail position, and one elsewhere.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::num::ParseIntError;

use withal_core::{Never, Report, ScopeError, ScopeExt, suppress, sync, using, with, with_report};
use withal_testing::{block_on, yield_now};

use crate::app_error::AppError;
use crate::sample::Sample;

fn file() -> Sample<io::Error> {
    Sample::new(1)
}

#[test]
fn the_tail_position_needs_no_annotation() {
    async fn nested(text: &str) -> Result<Option<u32>, AppError> {
        file()
            .with(async |file| {
                let n: u32 = text.parse()?;
                suppress::<ParseIntError>()
                    .with(async |()| {
                        yield_now().await;
                        Ok(file.value + n)
                    })
                    .await
            })
            .await
    }
    assert_eq!(block_on(nested("4")).unwrap(), Some(5));
    let failed = block_on(nested("x")).unwrap_err();
    assert!(matches!(failed, AppError::Parse(_)), "{failed}");
}

#[test]
fn the_free_functions_infer_as_the_methods_do() {
    async fn sum() -> Result<u32, AppError> {
        with(file(), async |a| {
            with(file(), async |b| Ok(a.value + b.value)).await
        })
        .await
    }
    assert_eq!(block_on(sum()).unwrap(), 2);
}

#[test]
fn in_the_middle_the_error_is_said_once() {
    async fn two_in_a_row() -> Result<u32, AppError> {
        let a = file()
            .with(async |file| -> Result<_, AppError> { Ok(file.value + "4".parse::<u32>()?) })
            .await?;
        let b = with(file(), async |file| io::Result::Ok(file.value)).await?;
        Ok(a + b)
    }
    assert_eq!(block_on(two_in_a_row()).unwrap(), 6);
}

/// One body with the errors of io, of parsing and of the scope, for each application error.
macro_rules! question_mark {
    ($name:ident, $error:ty) => {
        #[test]
        fn $name() {
            async fn read(scope: Sample<io::Error>, text: &str) -> Result<u32, $error> {
                scope
                    .with(async |file| {
                        if text.is_empty() {
                            Err(io::Error::other("no text"))?;
                        }
                        let n: u32 = text.parse()?;
                        using(sync(n), async |n| *n).await.unwrap_or(0);
                        Ok(file.value + n)
                    })
                    .await
            }
            let text = |scope, input| block_on(read(scope, input)).unwrap_err().to_string();
            assert_eq!(block_on(read(file(), "4")).unwrap(), 5);
            assert!(text(file(), "").ends_with("no text"));
            assert!(text(file(), "x").ends_with("invalid digit found in string"));
            let enter = file().enter_fails(io::Error::other("no file"));
            assert!(text(enter, "4").ends_with("no file"));
            let exit = file().exit_fails(io::Error::other("disk full"));
            assert!(text(exit, "4").ends_with("disk full"));
        }
    };
}

question_mark!(question_mark_into_a_thiserror_enum, AppError);
question_mark!(question_mark_into_anyhow, anyhow::Error);
question_mark!(
    question_mark_into_a_boxed_error,
    Box<dyn Error + Send + Sync>
);
question_mark!(question_mark_into_a_report, Report);

#[test]
fn strings_are_errors_too() {
    async fn length(text: &str) -> Result<usize, String> {
        Sample::<String>::new(1)
            .with(async |_| {
                if text.is_empty() {
                    Err("empty")?;
                }
                Ok(text.len())
            })
            .await
    }
    assert_eq!(block_on(length("abc")), Ok(3));
    assert_eq!(block_on(length("")), Err("empty".to_owned()));
}

#[test]
fn a_body_that_cannot_fail_needs_no_error() {
    async fn length() -> io::Result<usize> {
        let names = vec!["a", "b"];
        let with_file = file()
            .using(async |file| names.len() + file.value as usize)
            .await?;
        // The error of a scope that cannot fail is matched away.
        let Ok(plain) = using(sync(names), async |names| names.len()).await;
        Ok(with_file + plain)
    }
    assert_eq!(block_on(length()).unwrap(), 5);
    let failed = file()
        .exit_fails(io::Error::other("disk full"))
        .using(async |_| ());
    assert_eq!(block_on(failed).unwrap_err().to_string(), "disk full");
}

#[test]
fn using_a_recovering_scope_gives_an_option() {
    let Ok(value) = block_on(suppress::<io::Error>().using(async |()| 7));
    assert_eq!(value, Some(7));
}

#[test]
fn with_report_keeps_both_types() {
    type Both = ScopeError<ParseIntError, io::Error>;
    async fn parse(scope: Sample<io::Error>, text: &str) -> Result<u32, Both> {
        with_report(scope, async |file| Ok(file.value + text.parse::<u32>()?)).await
    }
    assert_eq!(block_on(parse(file(), "4")).unwrap(), 5);
    let body = block_on(file().with_report(async |_| "x".parse::<u32>()));
    assert!(matches!(body, Err(ScopeError::Body(_))));
    let enter = parse(file().enter_fails(io::Error::other("enter")), "4");
    assert!(matches!(block_on(enter), Err(ScopeError::Enter(_))));
    let exit = parse(file().exit_fails(io::Error::other("exit")), "4");
    assert!(matches!(block_on(exit), Err(ScopeError::Exit(_))));
    let both = parse(file().exit_fails(io::Error::other("exit")), "x");
    assert!(matches!(
        block_on(both),
        Err(ScopeError::BodyAndExit { .. })
    ));
}

#[test]
fn bodies_are_plain_closures_otherwise() {
    async fn first_even(numbers: &[u32]) -> Result<Option<u32>, Never> {
        let mut seen = HashMap::new();
        let found = sync(0)
            .using(async |tries| {
                for n in numbers {
                    *tries += 1;
                    seen.insert(*n, *tries);
                    if n % 2 == 0 {
                        return Some(*n);
                    }
                    yield_now().await;
                }
                None
            })
            .await?;
        assert_eq!(seen.get(&4), Some(&3));
        Ok(found)
    }
    assert_eq!(block_on(first_even(&[1, 3, 4, 6])), Ok(Some(4)));
}
