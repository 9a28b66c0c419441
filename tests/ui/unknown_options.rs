//! Options that there are not, or that lack their value.

#[withal::scope(yield = u8)]
async fn misspelled() -> Result<(), withal::Never> {
    yield_!();
    Ok(())
}

#[withal::scope(yields)]
async fn without_a_type() -> Result<(), withal::Never> {
    yield_!();
    Ok(())
}

#[withal::test(timeout)]
async fn without_a_limit() {}

#[withal::within]
async fn without_a_scope() {}

#[withal::main]
async fn without_a_runtime() {}

#[withal::main(smol, current_thread)]
async fn without_that_flavour() {}

#[withal::test(embassy)]
async fn on_an_unknown_runtime() {}

#[withal::test(smol)]
async fn with_two_arguments(_: withal::smol::Smol, _: u8) {}

fn main() {}
