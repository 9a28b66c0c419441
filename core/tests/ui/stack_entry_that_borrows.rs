use std::rc::Rc;
use withal_core::{ExitStack, Report};

async fn borrows() -> Result<(), Report> {
    let name = String::from("name");
    ExitStack::with(async |stack| {
        stack.callback(|| println!("{name}"));
        Ok(())
    })
    .await
}

fn not_send(stack: &ExitStack) {
    let shared = Rc::new(1);
    stack.callback(move || println!("{shared}"));
}

fn main() {}
