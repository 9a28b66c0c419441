#[withal::within(measure("fetch", id))]
#[withal::within(permit(self.limit.clone()))]
pub async fn fetch(&self, id: u32) -> io::Result<String> {
    self.client.get(id).await
}
