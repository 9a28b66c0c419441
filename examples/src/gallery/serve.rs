//! The server of the example `server`, for clients of your own. It repeats what they say, slowly.
//!
//! Run it: `cargo run -p withal-examples -- run serve --runtime smol`, talk to it by `nc 127.0.0.1 PORT`, and press Ctrl-C while it answers.

use std::net::SocketAddr;
use std::time::Duration;

use smol::channel::{Receiver, unbounded};
use smol::net::TcpListener;
use withal::{GroupError, Reason, Report, Runtime, shield, task_group};

use super::server::{Request, serve};
use crate::Transcript;

pub(crate) const TITLE: &str = "serves until Ctrl-C, and finishes its answers";
pub(crate) const TRANSCRIPT: &[&str] = &["listening on 127.0.0.1:8080", "closed"];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    out.line(format_args!("listening on {}", listener.local_addr()?));
    let (rt, out) = (rt.clone(), out.clone());
    // Ctrl-C cancels the program, too. A shield is waited for, as exits are: so there is time for the answers.
    let program = shield(async move {
        let ctrl_c = rt.interrupted();
        let stop = async {
            ctrl_c.await;
            Reason::Shutdown
        };
        let (desk, requests) = unbounded();
        let both = task_group(&rt, async |group| {
            group.spawn(repeat(rt.clone(), requests));
            serve(&rt, listener, stop, desk, &out).await?;
            Ok(())
        });
        both.await.map_err(GroupError::into_report)?;
        out.line("closed");
        Ok(())
    });
    program.named("server").await
}

/// Answers each request with its own words, until the server is gone.
async fn repeat<R: Runtime>(rt: R, requests: Receiver<Request>) -> Result<(), Report> {
    let answers = task_group(&rt, async |group| {
        while let Ok((request, parts)) = requests.recv().await {
            let rt = rt.clone();
            group.spawn(async move {
                for word in request.split_whitespace() {
                    rt.sleep(Duration::from_millis(200)).await;
                    // Nobody listens any more if it cannot be sent.
                    if parts.send(word.to_owned()).await.is_err() {
                        break;
                    }
                }
                Ok::<_, Report>(())
            });
        }
        Ok(())
    });
    answers.await.map_err(GroupError::into_report)
}
