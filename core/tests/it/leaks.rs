//! What was left unclosed is counted by the line that made it.

use std::future::pending;

use withal_core::inspect::{Leak, leaks};
use withal_core::{Outcome, Reason, ScopeExt, null, until};
use withal_testing::block_on;

fn leak(name: &str) -> Option<Leak> {
    leaks().into_iter().find(|leak| leak.name() == name)
}

#[test]
fn an_open_that_is_dropped_names_its_line() {
    let mut line = 0;
    block_on(async {
        for _ in 0..3 {
            line = line!() + 1;
            let Ok(open) = null(()).named("leaky").open().await;
            drop(open);
        }
    });
    let leak = leak("leaky").unwrap();
    assert_eq!(
        (leak.location().file(), leak.location().line()),
        (file!(), line)
    );
    assert_eq!(leak.count(), 3);
    let expected = format!("`leaky` ({}): 3 left unclosed", leak.location());
    assert_eq!(leak.to_string(), expected);
}

#[test]
fn a_close_that_was_skipped_is_a_leak() {
    block_on(async {
        let mut closing = Box::pin(async {
            let Ok(open) = null(()).named("skipped").open().await;
            let number: u8 = "x".parse()?;
            let Ok(_) = open.close(Outcome::Success).await;
            Ok::<_, std::num::ParseIntError>(number)
        });
        assert!(closing.as_mut().await.is_err());
    });
    assert_eq!(leak("skipped").unwrap().count(), 1);
}

#[test]
fn what_is_closed_or_cut_is_none() {
    block_on(async {
        let Ok(open) = null(()).named("tight").open().await;
        let Ok(_) = open.close(Outcome::Success).await;
        let cut = until(async { Reason::Timeout }, async {
            let Ok(_open) = null(()).named("tight").open().await;
            pending::<()>().await;
        });
        assert!(cut.await.is_err());
    });
    assert!(leak("tight").is_none());
}
