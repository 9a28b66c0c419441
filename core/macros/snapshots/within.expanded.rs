pub async fn fetch(&self, id: u32) -> io::Result<String> {
    use ::withal::__private::WithinValue as _;
    ::withal::__private::Within::<io::Result<String>>::new()
        .run(
            measure("fetch", id),
            async |_| -> io::Result<String> {
                use ::withal::__private::WithinValue as _;
                ::withal::__private::Within::<io::Result<String>>::new()
                    .run(
                        permit(self.limit.clone()),
                        async |_| -> io::Result<String> { self.client.get(id).await },
                    )
                    .await
            },
        )
        .await
}
