use withal_core::ScopeExt;

struct Connection;

async fn connected() -> Result<(), std::io::Error> {
    Connection.with(async |_| Ok(())).await
}

fn main() {}
