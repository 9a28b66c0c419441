//! Feature `inspect`: what is open, and what was dropped unclosed.

use withal::inspect::{inventory, leaks};
use withal::{ScopeExt, null};
use withal_testing::block_on;

#[test]
fn a_scope_is_there_while_it_is_open() {
    let is_open = || inventory().scopes().any(|scope| scope.name() == "shown");
    block_on(async {
        let Ok(open) = null(()).named("shown").using(async |()| is_open()).await;
        assert!(open && !is_open());
        let Ok(unclosed) = null(()).named("shown").open().await;
        drop(unclosed);
        assert!(leaks().iter().any(|leak| leak.name() == "shown"));
    });
}
