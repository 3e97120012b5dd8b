//! Parts of a node that run as long as it does: that one ended is heard while the node runs.
//!
//! A task that panics, or ends where nobody thought that it could, says so to nobody but whoever awaits it,
//! and that is the stop. Meanwhile what it told last stands: that the timers wait, though no deadline
//! expires any more. So each holds something for as long as it runs, and that it was let go of is awaited.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A part that runs, seen from outside. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    name: &'static str,
    held: watch::Receiver<()>,
}

impl Part {
    /// Starts a part of this name as a task.
    pub(crate) fn spawn<W>(name: &'static str, work: W) -> (JoinHandle<()>, Self)
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let (work, part) = Self::of(name, work);
        (tokio::spawn(work), part)
    }

    /// The work of a part of this name, to be spawned by who calls, and the part. It counts as ended once the work has
    /// returned, has panicked or was dropped.
    pub(crate) fn of<W>(name: &'static str, work: W) -> (impl Future<Output = ()> + use<W>, Self)
    where
        W: Future<Output = ()>,
    {
        let (token, held) = watch::channel(());
        let work = async move {
            let _token = token;
            work.await;
        };
        (work, Self { name, held })
    }

    /// Returns the part's name once it has ended. Whether that was asked of it, who waits knows.
    pub(crate) async fn ended(mut self) -> &'static str {
        while self.held.changed().await.is_ok() {}
        self.name
    }
}

/// Returns the name of the first of them that has ended; never where there are none.
pub(crate) async fn first_ended(parts: impl IntoIterator<Item = Part>) -> &'static str {
    let ended: Vec<Pin<Box<_>>> = parts.into_iter().map(|part| Box::pin(part.ended())).collect();
    if ended.is_empty() {
        return std::future::pending().await;
    }
    futures::future::select_all(ended).await.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_or_returns_is_named_and_one_that_runs_is_not() {
        let (lasts, runs) = Part::spawn("the one that lasts", std::future::pending());
        let (falls, fallen) = Part::spawn("the one that panics", async { panic!("in a test") });
        assert_eq!(first_ended([runs.clone(), fallen.clone()]).await, "the one that panics");
        assert!(falls.await.unwrap_err().is_panic());
        let (returns, returned) = Part::spawn("the one that returns", async {});
        assert_eq!(first_ended([runs.clone(), returned]).await, "the one that returns");
        returns.await.unwrap();
        // Told also to who asks behind it.
        assert_eq!(fallen.ended().await, "the one that panics");
        assert!(!lasts.is_finished());
        lasts.abort();
        assert_eq!(runs.ended().await, "the one that lasts");
    }
}
