pub async fn fetch(&self, id: u32) -> io::Result<String> {
    #[allow(unused_imports)]
    use ::withal::WithinValue as _;
    ::withal::Within::<io::Result<String>>::new()
        .run(
            measure("fetch", id),
            async |_| -> io::Result<String> {
                #[allow(unused_imports)]
                use ::withal::WithinValue as _;
                ::withal::Within::<io::Result<String>>::new()
                    .run(
                        self.limit.permit(),
                        async |_| -> io::Result<String> { self.client.get(id).await },
                    )
                    .await
            },
        )
        .await
}
