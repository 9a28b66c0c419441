//! Names: what the attributes write has none in common with what stands around it.

use withal::ScopeExt as _;
use withal_testing::block_on;

/// Names that shadow all that an expansion might use.
#[allow(non_camel_case_types, dead_code)]
mod crowded {
    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct Future;
    pub(crate) struct Send;
    pub(crate) struct Provide;
    pub(crate) struct Box;
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod withal {}

    type Returned = ::std::result::Result<(), ::withal::Never>;

    #[::withal::scope(yields = u8)]
    pub(crate) async fn provide(
        provide: u8,
        outcome: u8,
        argument_0: u8,
        argument_4: u8,
        (root, _): (u8, u8),
        scope_fn: u8,
    ) -> Returned {
        let name = provide + outcome + argument_0 + argument_4 + root + scope_fn;
        ::withal::yield_!(name);
        ::std::assert_eq!(outcome + name, 2 + 22);
        ::std::result::Result::Ok(())
    }

    #[::withal::within(provide(runtime, 2, 3, 4, (5, 6), 7))]
    pub(crate) async fn run(runtime: u8, body: u8) -> u8 {
        runtime + body
    }
}

#[test]
fn arguments_and_items_may_have_any_name() {
    let run = crowded::provide(1, 2, 3, 4, (5, 6), 7).using(async |n| *n);
    assert_eq!(block_on(run), Ok(22));
    assert_eq!(block_on(crowded::run(1, 2)), 3);
}

/// A crate by which withal is known under another name.
mod renamed {
    pub(crate) use ::withal as other;
}

#[withal::scope(yields = u8, crate = "crate::macros::hygiene::renamed::other")]
async fn elsewhere() -> Result<(), renamed::other::Never> {
    let one = 1;
    yield_!(one);
    Ok(())
}

#[withal::within(elsewhere(), crate = "renamed::other")]
async fn within_elsewhere() -> u8 {
    1
}

#[test]
fn the_crate_may_have_another_name() {
    assert_eq!(block_on(elsewhere().using(async |n| *n)), Ok(1));
    assert_eq!(block_on(within_elsewhere()), 1);
}

/// Constants that have the names of what an expansion binds.
#[allow(non_upper_case_globals, dead_code)]
mod constants {
    const provide: u8 = 1;
    const outcome: u8 = 2;
    const runtime: u8 = 3;
    const launcher: u8 = 4;

    #[::withal::scope(yields = u8)]
    pub(crate) async fn yields(_: u8) -> Result<(), ::withal::Never> {
        yield_!((provide + outcome) / 3);
        Ok(())
    }
}

#[test]
fn constants_may_have_any_name() {
    assert_eq!(block_on(constants::yields(0).using(async |n| *n)), Ok(1));
}

/// A macro of a user, whose argument is the guard.
macro_rules! yielding {
    ($name:ident, $guard:expr) => {
        #[withal::scope(yields = u8)]
        async fn $name(mut value: u8) -> Result<(), withal::Report> {
            value += 1;
            yield_!($guard);
            Err(withal::Report::msg(format!("{value}")))
        }
    };
}

yielding!(by_a_macro, 7);

#[test]
fn a_macro_may_write_it() {
    let run = by_a_macro(1).with(async |n| Ok::<_, withal::Report>(*n));
    assert_eq!(block_on(run).unwrap_err().to_string(), "2");
}

/// A crate that forbids what it is warned of, and is pedantic.
mod strict {
    #![forbid(unused, nonstandard_style)]
    #![deny(clippy::pedantic, clippy::nursery)]

    use withal::{Never, Report, scope, within};

    #[scope(yields = (Vec<u8>, u8))]
    pub(super) async fn unused(_permit: u8, limit: u8) -> Result<(), Report> {
        let rows = Vec::new();
        yield_!((rows, limit));
        Ok(())
    }

    #[scope(yields = u8)]
    async fn passed_on(_: u8, mut number: u8) -> Result<(), Never> {
        number += 1;
        let _outcome = yield_!(number);
        Ok(())
    }

    #[within(passed_on(1, 2))]
    pub(super) async fn fails() -> Result<u8, Report> {
        Ok(3)
    }

    #[within(passed_on(1, number))]
    pub(super) async fn gives(number: u8) -> u8 {
        number
    }
}

#[test]
fn a_strict_crate_is_content() {
    let run = strict::unused(1, 2).with(async |(rows, _)| Ok::<_, withal::Report>(rows.len()));
    assert_eq!(block_on(run).unwrap(), 0);
    assert_eq!(block_on(strict::fails()).unwrap(), 3);
    assert_eq!(block_on(strict::gives(4)), 4);
}

/// Which of the two macros of a runtime gives its items back.
mod enabled {
    withal::__private::enabled::on_smol! { pub(super) const SMOL: bool = true; }
    withal::__private::enabled::off_smol! { pub(super) const SMOL: bool = false; }
    withal::__private::enabled::on_async_std! { pub(super) const ASYNC_STD: bool = true; }
    withal::__private::enabled::off_async_std! { pub(super) const ASYNC_STD: bool = false; }
    withal::__private::enabled::on_tokio! { pub(super) const TOKIO: bool = true; }
    withal::__private::enabled::off_tokio! { pub(super) const TOKIO: bool = false; }
    withal::__private::enabled::on_futures! { pub(super) const FUTURES: bool = true; }
    withal::__private::enabled::off_futures! { pub(super) const FUTURES: bool = false; }
}

#[test]
fn the_attributes_know_which_runtimes_are_enabled() {
    assert_eq!(enabled::SMOL, cfg!(feature = "smol"));
    assert_eq!(enabled::ASYNC_STD, cfg!(feature = "async-std"));
    assert_eq!(enabled::TOKIO, cfg!(feature = "tokio"));
    assert_eq!(enabled::FUTURES, cfg!(feature = "futures"));
}
