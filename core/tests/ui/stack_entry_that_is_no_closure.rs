use withal_core::ExitStack;

fn added(stack: &ExitStack) {
    stack.defer(7);
    stack.callback();
}

fn main() {}
