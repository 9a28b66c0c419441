//! One connection of the server: one request after the other, and an answer that has begun is sent to its end.

use std::io;
use std::time::Duration;

use smol::channel::{Receiver, Sender, unbounded};
use smol::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use smol::net::TcpStream;
use smol::stream::StreamExt;
use withal::{CancelHandle, Report, Runtime, ScopeExt, acquire, shield, timeout, until};

use super::Request;

/// How long a client may take to read a line.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes requests until the client goes, or until the server is stopping and owes no answer.
pub(super) async fn converse<R: Runtime>(
    rt: R,
    stream: TcpStream,
    stopping: CancelHandle,
    desk: Sender<Request>,
) -> Result<(), Report> {
    let timer = rt.clone();
    let connection = acquire(async move || io::Result::Ok(stream)).release(
        async move |mut stream: TcpStream, outcome| match outcome.reason() {
            Some(reason) => say(&timer, &mut stream, &format!("sorry: {reason}")).await,
            None => Ok(()),
        },
    );
    connection
        .with(async |stream| {
            let mut requests = BufReader::new(stream.clone()).lines();
            // Who has not asked may go at once.
            while let Ok(Some(request)) = until(stopping.cancelled(), requests.next()).await {
                let (sender, parts) = unbounded();
                desk.send((request?, sender)).await?;
                // Who waits for an answer may go when the grace is over.
                let Ok(first) = parts.recv().await else {
                    continue;
                };
                // Who has heard the beginning will hear the end.
                shield(answer(rt.clone(), stream.clone(), first, parts)).await?;
            }
            Ok(())
        })
        .await
}

async fn answer<R: Runtime>(
    rt: R,
    mut stream: TcpStream,
    first: String,
    parts: Receiver<String>,
) -> io::Result<()> {
    say(&rt, &mut stream, &first).await?;
    while let Ok(part) = parts.recv().await {
        say(&rt, &mut stream, &part).await?;
    }
    Ok(())
}

/// Sends a line; a client that does not read is given up.
async fn say<R: Runtime>(rt: &R, stream: &mut TcpStream, part: &str) -> io::Result<()> {
    let line = format!("{part}\n");
    timeout(rt, PATIENCE, stream.write_all(line.as_bytes())).await?
}
