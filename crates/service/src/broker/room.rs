//! A server whose disk was full: it has stored nothing more in a stream since, and does so only when it
//! was started again.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

/// The server is started again only where its disk has so many bytes: with less it might not start.
const ROOM: u64 = 64 << 20;
/// And not more often than this, whatever its reason for storing nothing is.
const AT_MOST_EVERY: Duration = Duration::from_secs(30);

/// So often in a row it must not have stored: once may be a busy disk.
const OFTEN: u32 = 2;

/// Asks for the server to be started again each time that it stores nothing, though it has room. Ends
/// with whoever counts that, or with the server.
pub(super) async fn watch(
    mut refused: watch::Receiver<u32>,
    directory: PathBuf,
    again: mpsc::Sender<()>,
) {
    while refused.changed().await.is_ok() {
        if *refused.borrow_and_update() < OFTEN || !has_room(&directory) {
            continue;
        }
        if again.send(()).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(AT_MOST_EVERY) => {}
            () = again.closed() => return,
        }
    }
}

/// A disk that does not say is not waited for.
fn has_room(directory: &std::path::Path) -> bool {
    rustix::fs::statvfs(directory)
        .map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= ROOM)
}
