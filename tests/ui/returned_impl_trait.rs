//! A function within a scope names what it returns; and `main` is not missed beside its own error.

#[withal::within(withal::null(()))]
async fn within() -> impl Iterator<Item = u8> {
    std::iter::empty()
}

#[withal::within(withal::null(()))]
async fn boxed() -> Result<Box<impl Iterator<Item = u8>>, withal::Report> {
    Ok(Box::new(std::iter::empty()))
}

#[withal::main]
async fn main() {
    let _ = (within().await, boxed().await);
}
