//! The usual slip: the function of a scope returns a `Result`.

#[withal::scope]
async fn forgotten() -> Result<(), withal::Never> {
    yield_!();
}

#[withal::scope]
async fn another_value() -> Result<(), withal::Never> {
    yield_!();
    7
}

#[withal::within(withal::null(()))]
async fn within_forgotten() -> Result<(), withal::Report> {
    std::future::ready(()).await;
}

fn main() {}
