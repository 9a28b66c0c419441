fn handler(
    log: &Log,
) -> ::withal::ScopeFn<
    (),
    impl ::core::future::Future<Output = Result<Recover, Never>>,
> {
    ::withal::scope_fn(async move |
            provide: ::withal::Provide<()>,
        | -> Result<Recover, Never> {
            let log = log;
            match log.is_open() {
                true => {
                    #[allow(unused_variables, unused_mut)]
                    let ((), outcome) = provide.provide(()).await;
                    match outcome.map(|error: &ValueError| error.text()) {
                        Some(text) => Ok(log.suppress(text)),
                        None => Ok(Recover::Propagate),
                    }
                }
                false => Ok(Recover::Propagate),
            }
        })
        .called("handler")
}
