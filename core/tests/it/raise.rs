//! The error of a scope, whatever it is, arrives as the error of the body.

use std::convert::Infallible;
use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::num::ParseIntError;

use withal_core::{Fault, Never, Or, Raise, Report, ScopeExt};
use withal_testing::block_on;

use crate::app_error::AppError;
use crate::sample::Sample;

type Boxed = Box<dyn Error + Send + Sync>;

/// Lets enter and then exit fail with an `X`, around a body whose error is `E`.
///
/// What it is called with says the types once; how the one becomes the other is inferred.
fn arrives<X, E, How>(error: impl Fn() -> X, text: &str)
where
    X: Fault + Raise<E, How>,
    E: Fault,
{
    let body = async |_: &mut _| Ok::<(), E>(());
    let enter = Sample::new(1).enter_fails(error()).with(body);
    assert_eq!(block_on(enter).unwrap_err().to_string(), text);
    let exit = Sample::new(1).exit_fails(error()).with(body);
    assert_eq!(block_on(exit).unwrap_err().to_string(), text);
}

/// A scope whose error has no value: the body's error comes back as it is.
fn is_passed_on<X, E, How>(error: impl Fn() -> E)
where
    X: Fault + Raise<E, How>,
    E: Fault + Debug,
{
    let body = Sample::<X>::new(1).with(async |_| Err::<(), E>(error()));
    assert_eq!(block_on(body).unwrap_err().to_string(), error().to_string());
    let well = Sample::<X>::new(1).with(async |sample| Ok::<_, E>(sample.value));
    assert_eq!(block_on(well).unwrap(), 1);
}

fn disk() -> io::Error {
    io::Error::other("disk")
}

fn number() -> ParseIntError {
    "x".parse::<u32>().unwrap_err()
}

const NUMBER: &str = "invalid digit found in string";

#[test]
fn a_standard_error() {
    arrives::<io::Error, io::Error, _>(disk, "disk");
    arrives::<io::Error, AppError, _>(disk, "io: disk");
    arrives::<io::Error, anyhow::Error, _>(disk, "disk");
    arrives::<io::Error, Boxed, _>(disk, "disk");
    arrives::<io::Error, Report, _>(disk, "disk");
}

#[test]
fn an_application_error() {
    arrives::<anyhow::Error, anyhow::Error, _>(|| anyhow::anyhow!("app"), "app");
    arrives::<anyhow::Error, Boxed, _>(|| anyhow::anyhow!("app"), "app");
    arrives::<Boxed, Boxed, _>(|| Boxed::from("app"), "app");
    arrives::<Report, Report, _>(|| Report::msg("app"), "app");
    arrives::<Report, Boxed, _>(|| Report::msg("app"), "app");
}

#[test]
fn a_string() {
    arrives::<String, String, _>(|| "text".to_owned(), "text");
    arrives::<String, Boxed, _>(|| "text".to_owned(), "text");
}

#[test]
fn never() {
    is_passed_on::<Never, io::Error, _>(disk);
    is_passed_on::<Never, AppError, _>(|| AppError::Io(disk()));
    is_passed_on::<Never, anyhow::Error, _>(|| anyhow::anyhow!("app"));
    is_passed_on::<Never, Boxed, _>(|| Boxed::from("app"));
    is_passed_on::<Never, Report, _>(|| Report::msg("app"));
    is_passed_on::<Never, String, _>(|| "text".to_owned());
    let infallible = Sample::<Never>::new(1).with(async |s| Ok::<_, Infallible>(s.value));
    assert_eq!(block_on(infallible), Ok(1));
}

#[test]
fn one_of_several() {
    type Two = Or<io::Error, ParseIntError>;
    arrives::<Two, AppError, _>(|| Or::A(disk()), "io: disk");
    arrives::<Two, AppError, _>(|| Or::B(number()), &format!("parse: {NUMBER}"));
    arrives::<Two, anyhow::Error, _>(|| Or::B(number()), NUMBER);
    arrives::<Two, Report, _>(|| Or::A(disk()), "disk");

    type Deep = Or<io::Error, Or<Never, ParseIntError>>;
    arrives::<Deep, AppError, _>(|| Or::B(Or::B(number())), &format!("parse: {NUMBER}"));
    is_passed_on::<Or<io::Error, Or<Never, anyhow::Error>>, anyhow::Error, _>(|| {
        anyhow::anyhow!("app")
    });
    is_passed_on::<Or<String, Never>, String, _>(|| "text".to_owned());
}

#[test]
fn all_of_it_without_a_word_of_types() {
    async fn nested() -> Result<u32, AppError> {
        Sample::<Or<io::Error, Never>>::new(1)
            .with(async |a| {
                Sample::<Never>::new(2)
                    .with(async |b| {
                        Sample::<ParseIntError>::new(3)
                            .with(async |c| Ok(a.value + b.value + c.value))
                            .await
                    })
                    .await
            })
            .await
    }
    assert_eq!(block_on(nested()).unwrap(), 6);
}
