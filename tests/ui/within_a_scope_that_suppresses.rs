//! In a scope that may suppress its error, a function returns an `Option`.

#[withal::within(withal::suppress::<std::io::Error>())]
async fn number() -> std::io::Result<u32> {
    Ok(7)
}

fn main() {}
