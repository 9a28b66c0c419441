fn handler(
    log: &Log,
) -> ::withal::ScopeFn<
    (),
    impl ::core::future::Future<Output = Result<Recover, LogError>>,
> {
    ::withal::scope_fn(async move |
            __withal_provide: ::withal::Provide<()>,
        | -> Result<Recover, LogError> {
            if false {
                return ::withal::__private::never::<Result<Recover, LogError>>();
            }
            {
                let log = log;
                match log.is_open() {
                    true => {
                        let ((), __withal_outcome) = __withal_provide.provide(()).await;
                        match __withal_outcome.map(|error: &ValueError| error.text()) {
                            Some(text) => Ok(log.suppress(text)),
                            None => Ok(Recover::Propagate),
                        }
                    }
                    false => Err(log.is_closed()),
                }
            }
        })
        .called("handler")
}
