/// The program.
fn main() -> ::withal::__private::Ended<Result<(), Report>> {
    async fn main(rt: &Tokio) -> Result<(), Report> {
        serve(rt).await
    }
    let __withal_launcher = ::withal::tokio::Launcher::multi_thread()
        .expect("tokio starts")
        .with_exit_budget(Duration::from_secs(30));
    let __withal_runtime = ::withal::Launch::runtime(&__withal_launcher);
    ::withal::__private::Ended::from(
        ::withal::Launch::run(&__withal_launcher, main(&__withal_runtime)),
    )
}
