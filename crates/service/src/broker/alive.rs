//! A server that runs and answers nobody: stopped by a signal, or stuck.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// How often it is looked whether the server answers, and how long it may take for that.
pub(super) const EVERY: Duration = Duration::from_secs(5);
/// So many looks in a row without an answer, and it is taken to be stuck.
const MOST_MISSED: u32 = 3;

/// Returns when the server on a port was silent for a while: it says who it is to whoever connects. A
/// connection that fails at once says nothing of the server: it died, which is seen otherwise, or this
/// process has no room for one more.
pub(super) async fn stuck(port: u16, every: Duration) {
    let mut missed = 0;
    while missed < MOST_MISSED {
        tokio::time::sleep(every).await;
        let silent = tokio::time::timeout(every, hear(port)).await.is_err();
        missed = if silent { missed + 1 } else { 0 };
    }
}

async fn hear(port: u16) -> std::io::Result<u8> {
    TcpStream::connect(("127.0.0.1", port)).await?.read_u8().await
}
