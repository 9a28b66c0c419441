#[withal::scope(local)]
async fn handler(log: &Log) -> Result<Recover, LogError> {
    match log.is_open() {
        true => match yield_!().map(|error: &ValueError| error.text()) {
            Some(text) => Ok(log.suppress(text)),
            None => Ok(Recover::Propagate),
        },
        false => Err(log.is_closed()),
    }
}
