use std::io;
use std::num::ParseIntError;
use withal_core::{Bracket, ScopeExt};

async fn parse<S>(file: S) -> Result<u32, ParseIntError>
where
    S: Bracket<Held: 'static, Error = io::Error, Verdict = withal_core::Propagate>,
{
    file.with(async |_| "4".parse::<u32>()).await
}

fn main() {}
