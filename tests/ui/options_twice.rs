//! What is said twice, or of two runtimes; and a test that is one already.

#[withal::scope(local, yields = u8, local)]
async fn scope() -> Result<(), withal::Never> {
    yield_!(1);
    Ok(())
}

#[withal::test(smol, smol)]
async fn test() {}

#[withal::test(smol)]
#[test]
async fn tested() {}

#[withal::within(withal::null(()), crate = "withal")]
#[withal::within(withal::null(()), local)]
async fn within() {}

#[withal::main(smol, tokio)]
async fn main() {
    within().await;
}
