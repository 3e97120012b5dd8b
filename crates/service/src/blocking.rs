//! Work that blocks its thread, done beside the tasks.

use crate::reply::Failure;

/// Runs what waits for the disk, a lock or a processor on a thread that may wait. Once begun it goes
/// on to its end, whether or not somebody still waits for it. Fails only where it panicked, or the
/// process ends.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::because(&error))
}
