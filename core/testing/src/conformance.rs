//! The conformance suite: what must hold on every runtime, as plain async functions, and the macro that makes tests of them.
//!
//! An adapter runs all of it in one line for each flavour of its runtime:
//!
//! ```
//! # use withal_testing::Manual;
//! withal_testing::conformance!(manual: Manual::new());
//! ```

pub mod adoption;
pub mod anyio;
pub mod asyncio;
pub mod bridging;
pub mod budgets;
pub mod cancelling;
pub mod capabilities;
mod cases;
pub mod closing;
pub mod composing;
pub mod contextlib;
pub mod deadlines;
pub mod dropping;
mod entries;
pub mod escalating;
pub mod forcing;
pub mod functions;
pub mod futurelock;
pub mod grouping;
pub mod handles;
pub mod local;
pub mod nesting;
pub mod panics;
pub mod programs;
pub mod protocol;
pub mod sharing;
pub mod shielding;
pub mod stacks;
pub mod tc39;
pub mod trio;

/// Makes a test of each case of the suite for one runtime: `conformance!(name: expression that makes its launcher)`.
#[macro_export]
macro_rules! conformance {
    ($runtime:ident: $launcher:expr) => { $crate::cases! { $runtime: $launcher } };
    // The names of all cases, for the tests of the documents that name them.
    (@ names; $($area:ident { $($case:ident)* })*; $($program:ident)*) => {
        [
            $($(concat!(stringify!($area), "::", stringify!($case)),)*)*
            $(concat!("programs::", stringify!($program)),)*
        ]
    };
    (@ $runtime:ident: $launcher:expr; $($area:ident { $($case:ident)* })*; $($program:ident)*) => {
        mod $runtime {
            #[allow(unused_imports)] // the expression may name things around the macro
            use super::*;
            use $crate::conformance as suite;
            use withal_core::Launch as _;
            $(mod $area {
                #[allow(unused_imports)] // as above
                use super::*;
                $(#[test] fn $case() {
                    let launcher = $launcher;
                    launcher.block_on(suite::$area::$case(launcher.runtime()));
                })*
            })*
            mod programs { use super::*; $(#[test] fn $program() { suite::programs::$program(|| $launcher); })* }
        }
    };
}
