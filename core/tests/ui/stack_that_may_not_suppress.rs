use std::fmt;
use withal_core::{ExitStack, Recover, suppress};

async fn swallowed(stack: &ExitStack) {
    stack.push((), async |(), _| Recover::Suppress);
    let _ = stack.enter(suppress::<fmt::Error>()).await;
}

fn callbacks_never_suppress(stack: &ExitStack<Recover>) {
    stack.defer(async || Recover::Suppress);
    stack.callback(|| Recover::Suppress);
}

fn main() {}
