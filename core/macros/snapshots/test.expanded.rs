/// On each runtime.
#[allow(deprecated)]
#[expect(unused_variables)]
#[cfg(test)]
async fn works<R: Runtime>(rt: R) {
    panic!("{rt:?}");
}
::withal::__private::enabled::on_tokio! {
    #[::core::prelude::v1::test] #[should_panic] #[allow(deprecated)] #[cfg_attr(miri,
    ignore)] fn works_on_tokio() { ::withal::__private::trial("works_on_tokio",
    Duration::from_secs(5), || ::withal::tokio::Launcher::multi_thread()
    .expect("tokio starts"), async | __withal_runtime | works(__withal_runtime). await,);
    }
}
::withal::__private::enabled::on_tokio! {
    #[::core::prelude::v1::test] #[should_panic] #[allow(deprecated)] #[cfg_attr(miri,
    ignore)] fn works_on_tokio_current_thread() {
    ::withal::__private::trial("works_on_tokio_current_thread", Duration::from_secs(5),
    || ::withal::tokio::Launcher::current_thread().expect("tokio starts"), async |
    __withal_runtime | works(__withal_runtime). await,); }
}
::withal::__private::enabled::on_smol! {
    #[::core::prelude::v1::test] #[should_panic] #[allow(deprecated)] #[cfg_attr(miri,
    ignore)] fn works_on_smol() { ::withal::__private::trial("works_on_smol",
    Duration::from_secs(5), || ::withal::smol::Launcher::new(), async | __withal_runtime
    | works(__withal_runtime). await,); }
}
::withal::__private::enabled::off_smol! {
    ::withal::__private::enabled::off_tokio! { #[cfg(test)]
    ::core::compile_error!("this test runs nowhere: turn on a feature of withal, one of `tokio`, `smol`");
    }
}
