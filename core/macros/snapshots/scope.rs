/// Connects, and says goodbye.
#[withal::scope(yields = Connection)]
pub async fn connect(host: String) -> io::Result<()> {
    let connection = Connection::open(&host).await?;
    let outcome = yield_!(connection);
    connection.close(outcome.is_success()).await
}
