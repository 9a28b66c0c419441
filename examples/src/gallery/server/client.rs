//! A client of the server.

use std::io;
use std::net::SocketAddr;

use smol::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use smol::net::TcpStream;
use smol::stream::StreamExt;

/// One client: what is said to it, line by line.
pub(super) struct Client(Lines<BufReader<TcpStream>>);

impl Client {
    /// Connects, and asks.
    pub(super) async fn ask(address: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"well?\n").await?;
        Ok(Self(BufReader::new(stream).lines()))
    }

    /// The next line; none when the server has closed the connection.
    pub(super) async fn hear(&mut self) -> Option<String> {
        self.0.next().await?.ok()
    }

    /// All lines to the end.
    pub(super) async fn hear_all(mut self) -> String {
        let mut all = String::new();
        while let Some(line) = self.hear().await {
            all = all + &line + ", ";
        }
        all + "goodbye"
    }
}
