use withal_core::{ExitStack, Recover};

async fn rollback() {}

fn added(stack: &ExitStack<Recover>) {
    stack.callback(rollback);
    stack.push((), async |(), _| rollback());
}

fn main() {}
