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
            let host = host;
            let connection = Connection::open(&host).await?;
            #[allow(unused_variables, unused_mut)]
            let (mut connection, __withal_outcome) = __withal_provide
                .provide(connection)
                .await;
            let outcome = __withal_outcome;
            connection.close(outcome.is_success()).await
        })
        .called("connect")
}
