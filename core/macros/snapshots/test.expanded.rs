/// On each runtime.
#[cfg(test)]
async fn works<R: Runtime>(rt: R) {
    panic!("{rt:?}");
}
::withal::enabled::on_tokio! {
    #[::core::prelude::v1::test] #[should_panic] fn works_on_tokio() {
    ::withal::trial("works_on_tokio", Duration::from_secs(5), ||
    ::withal::tokio::Launcher::multi_thread().expect("tokio starts"), async | runtime |
    works(runtime). await,); }
}
::withal::enabled::on_tokio! {
    #[::core::prelude::v1::test] #[should_panic] fn works_on_tokio_current_thread() {
    ::withal::trial("works_on_tokio_current_thread", Duration::from_secs(5), ||
    ::withal::tokio::Launcher::current_thread().expect("tokio starts"), async | runtime |
    works(runtime). await,); }
}
::withal::enabled::on_smol! {
    #[::core::prelude::v1::test] #[should_panic] fn works_on_smol() {
    ::withal::trial("works_on_smol", Duration::from_secs(5), ||
    ::withal::smol::Launcher::new(), async | runtime | works(runtime). await,); }
}
