//! A server: an accept loop, a task for each connection, and an end at which no answer is cut off in the middle.
//!
//! Run it: `cargo run -p withal-examples -- run server`; with Ctrl-C and clients of your own: `run serve`.
//!
//! A request is a line, and its answer comes in parts, a line each, from whoever is at the other end of `desk`.

mod client;
mod connection;
mod visits;

use std::convert::Infallible;
use std::time::Duration;

use smol::channel::Sender;
use smol::net::TcpListener;
use withal::{CancelHandle, GroupError, Reason, Report, Runtime, TaskGroup, timeout, until};

use crate::Transcript;
use connection::converse;

pub(crate) const TITLE: &str = "a server that finishes its answers before it stops";
pub(crate) use visits::{TRANSCRIPT, run};

/// A request, and where the parts of its answer go.
pub(super) type Request = (String, Sender<String>);

/// How many connections there are at once.
const AT_ONCE: usize = 4;
/// How long after an error the next client is let in.
const AGAIN: Duration = Duration::from_millis(10);
/// How long an answer may take to begin, once the server is stopping.
const GRACE: Duration = Duration::from_secs(1);

/// Serves until `stop`, and then those whose requests are there; gives the largest number of connections at once.
pub(super) async fn serve<R: Runtime>(
    rt: &R,
    listener: TcpListener,
    stop: impl Future<Output = Reason>,
    desk: Sender<Request>,
    out: &Transcript,
) -> Result<usize, Report> {
    let stopping = CancelHandle::new();
    let connections = TaskGroup::new(rt).at_most(AT_ONCE);
    let served = connections.run(async |group| {
        let mut most = 0;
        let accept = async {
            loop {
                // Without room nobody is let in: who comes now waits in the queue of the system.
                group.room().await;
                let stream = match listener.accept().await {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        // A client that is gone already, or no descriptor free for it: the next may do better, a little later.
                        out.line(format_args!("lost a client: {error}"));
                        rt.sleep(AGAIN).await;
                        continue;
                    }
                };
                let connection = converse(rt.clone(), stream, stopping.clone(), desk.clone());
                let log = out.clone();
                group.spawn(async move {
                    if let Err(error) = connection.await {
                        log.line(format_args!("lost a connection: {error}"));
                    }
                    Ok::<_, Report>(())
                });
                most = most.max(group.len());
            }
        };
        let _: Result<Infallible, _> = until(stop, accept).await;
        drop(listener);
        // Only now do seats become free.
        stopping.cancel("the server is stopping");
        if timeout(rt, GRACE, group.ended()).await.is_err() {
            group.cancel("the grace is over");
        }
        Ok(most)
    });
    served.await.map_err(GroupError::into_report)
}
