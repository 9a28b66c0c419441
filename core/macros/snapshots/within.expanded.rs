pub async fn fetch(&self, id: u32) -> io::Result<String> {
    use ::withal::__private::WithinValue as _;
    ::withal::__private::Within::<io::Result<String>>::new()
        .run(
            measure("fetch", id),
            async move |_| -> io::Result<String> {
                if false {
                    return ::withal::__private::never::<io::Result<String>>();
                }
                {
                    use ::withal::__private::WithinValue as _;
                    ::withal::__private::Within::<io::Result<String>>::new()
                        .run(
                            permit(self.limit.clone()),
                            async move |_| -> io::Result<String> {
                                if false {
                                    return ::withal::__private::never::<io::Result<String>>();
                                }
                                { self.client.get(id).await }
                            },
                        )
                        .await
                }
            },
        )
        .await
}
