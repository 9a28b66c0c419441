/// The receiver is held as a whole, and what is not used, too.
#[withal::scope(yields = Session)]
async fn session(self, _permit: Permit, #[cfg(unix)] r#type: u8) -> io::Result<()> {
    let session = self.pool.session(r#type).await?;
    yield_!(session);
    self.pool.put_back(session).await
}
