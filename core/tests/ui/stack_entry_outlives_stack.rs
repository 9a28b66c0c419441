use withal_core::{ExitStack, Never, Outcome, Report, sync};

async fn used_after_the_block() -> Result<usize, Report> {
    let list = ExitStack::with(async |stack| {
        let Ok(list) = stack.enter(sync(vec![1])).await;
        Ok::<_, Report>(list)
    });
    Ok(list.await?.len())
}

async fn used_after_the_stack() -> Result<usize, Never> {
    let stack = ExitStack::new();
    let list = stack.enter(sync(vec![1])).await?;
    drop(stack);
    Ok(list.len())
}

async fn moved() {
    let stack = ExitStack::new();
    let moved = stack;
    moved.callback(|| ());
    stack.callback(|| ());
}

async fn closed_entry() {
    let stack = ExitStack::new();
    let list = stack.push(vec![1], async |_, _: Outcome<'_>| ());
    let _ = list.close().await;
    println!("{}", list.len());
}

fn main() {}
