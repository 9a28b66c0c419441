/// The program.
fn main() -> ::withal::Ended<Result<(), Report>> {
    async fn main(rt: &Tokio) -> Result<(), Report> {
        serve(rt).await
    }
    let launcher = ::withal::tokio::Launcher::multi_thread()
        .expect("tokio starts")
        .with_exit_budget(Duration::from_secs(30));
    let runtime = ::withal::Launch::runtime(&launcher);
    ::withal::Ended::from(::withal::Launch::run(&launcher, main(&runtime)))
}
