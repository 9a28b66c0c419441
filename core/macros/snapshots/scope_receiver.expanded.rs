/// The receiver is held as a whole, and what is not used, too.
fn session(
    self,
    __withal_argument_1: Permit,
    #[cfg(unix)]
    r#type: u8,
) -> ::withal::ScopeFn<
    Session,
    impl ::core::future::Future<Output = io::Result<()>> + ::core::marker::Send,
> {
    ::withal::scope_fn(async move |
            __withal_provide: ::withal::Provide<Session>,
        | -> io::Result<()> {
            if false {
                return ::withal::__private::never::<io::Result<()>>();
            }
            {
                let _ = &self;
                let (_permit,) = (__withal_argument_1,);
                #[cfg(unix)]
                let r#type = r#type;
                let session = self.pool.session(r#type).await?;
                let (mut session, __withal_outcome) = __withal_provide
                    .provide(session)
                    .await;
                let _ = &mut session;
                let _ = __withal_outcome;
                self.pool.put_back(session).await
            }
        })
        .called("session")
}
