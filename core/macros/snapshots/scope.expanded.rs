/// Connects, and says goodbye.
pub fn connect(
    host: String,
) -> ::withal::ScopeFn<
    Connection,
    impl ::core::future::Future<Output = io::Result<()>> + ::core::marker::Send,
> {
    ::withal::scope_fn(async move |
            __withal_provide: ::withal::Provide<Connection>,
        | -> io::Result<()> {
            if false {
                return ::withal::__private::never::<io::Result<()>>();
            }
            {
                let host = host;
                let connection = Connection::open(&host).await?;
                let (mut connection, __withal_outcome) = __withal_provide
                    .provide(connection)
                    .await;
                let _ = &mut connection;
                let outcome = __withal_outcome;
                connection.close(outcome.is_success()).await
            }
        })
        .called("connect")
}
