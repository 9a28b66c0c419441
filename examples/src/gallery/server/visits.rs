//! The story of the example: clients come one after the other, and the server stops while they are there.

use std::net::SocketAddr;

use smol::channel::{Receiver, Sender, unbounded};
use smol::net::TcpListener;
use withal::{CancelHandle, GroupError, Report, Runtime, task_group};

use super::client::Client;
use super::{Request, serve};
use crate::Transcript;

pub(crate) const TRANSCRIPT: &[&str] = &[
    "four are in, the fifth waits outside",
    "one leaves: the fifth is in",
    "stop",
    "outside: goodbye",
    "idle: goodbye",
    "answered in time: here you are, goodbye",
    "waited too long: sorry: the grace is over, goodbye",
    "in the middle of an answer: two, three, sorry: the grace is over, goodbye",
    "connections at once: 4",
];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let address = listener.local_addr()?;
    let stop = CancelHandle::new();
    let (desk, requests) = unbounded();
    let program = task_group(rt, async |group| {
        let (rt, signal, log) = (rt.clone(), stop.cancelled(), out.clone());
        let server = group.spawn(async move { serve(&rt, listener, signal, desk, &log).await });
        visit(address, &requests, &stop, out).await?;
        Ok(server.await?)
    });
    let most = program.await.map_err(GroupError::into_report)?;
    out.line(format_args!("connections at once: {most}"));
    Ok(())
}

/// Each step waits for what it needs, so that it is the same story on every runtime.
async fn visit(
    address: SocketAddr,
    requests: &Receiver<Request>,
    stop: &CancelHandle,
    out: &Transcript,
) -> Result<(), Report> {
    // Comes in, and is heard at the desk.
    let enter = async || -> Result<(Client, Sender<String>), Report> {
        let client = Client::ask(address).await?;
        let (_, answer) = requests.recv().await?;
        Ok((client, answer))
    };
    let (mut leaving, answer) = enter().await?;
    answer.send("hello".to_owned()).await?;
    drop(answer);
    leaving.hear().await;
    let (idle, answer) = enter().await?;
    drop(answer);
    let (prompt, in_time) = enter().await?;
    let (mut listening, long) = enter().await?;
    long.send("one".to_owned()).await?;
    listening.hear().await;
    let waiting = Client::ask(address).await?;
    if requests.is_empty() {
        out.line("four are in, the fifth waits outside");
    }
    drop(leaving);
    let (_, never) = requests.recv().await?;
    out.line("one leaves: the fifth is in");
    let outside = Client::ask(address).await?;

    out.line("stop");
    stop.cancel("it is late");
    in_time.send("here you are".to_owned()).await?;
    drop(in_time);
    let farewell = async |who: &str, client: Client| {
        let heard = client.hear_all().await;
        out.line(format_args!("{who}: {heard}"));
    };
    farewell("outside", outside).await;
    farewell("idle", idle).await;
    farewell("answered in time", prompt).await;
    farewell("waited too long", waiting).await;
    drop(never);
    // The grace is over.
    for part in ["two", "three"] {
        long.send(part.to_owned()).await?;
    }
    drop(long);
    farewell("in the middle of an answer", listening).await;
    Ok(())
}
