#[withal::scope(local)]
async fn handler(log: &Log) -> Result<Recover, Never> {
    match log.is_open() {
        true => match yield_!().map(|error: &ValueError| error.text()) {
            Some(text) => Ok(log.suppress(text)),
            None => Ok(Recover::Propagate),
        },
        false => Ok(Recover::Propagate),
    }
}
