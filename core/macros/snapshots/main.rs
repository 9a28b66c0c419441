/// The program.
#[withal::main(tokio, exit_budget = Duration::from_secs(30))]
async fn main(rt: &Tokio) -> Result<(), Report> {
    serve(rt).await
}
