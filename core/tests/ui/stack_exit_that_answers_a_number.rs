use std::io;
use withal_core::ExitStack;

fn added(stack: &ExitStack) {
    stack.push((), async |(), _| 7);
    stack.defer(async || io::Result::Ok(7));
}

fn main() {}
