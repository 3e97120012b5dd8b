//! A connection of the node's that may be cut, and may end for good.
//!
//! What somebody sends can do both. The client library (async-nats 0.51.0) gives up a connection at a message
//! whose headers it cannot read, and makes it again; what was under way on it is lost. And it panics at one
//! with a carriage return within a header's value: then its task is gone, nothing comes or goes any more, and
//! who holds the client is not told. So that is heard here, and another connection is made.
//!
//! *Invariant:* a connection that ended is never the last word: whoever uses one asks for it again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectError, ConnectOptions, Event};
use tokio::sync::watch;

use super::{Server, is_due, log_event};

/// The pauses before another connection is made where one ended. Who sends such messages without end keeps
/// the node from little else then.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// A connection that lasted so long ended by something new.
const LASTED: Duration = Duration::from_secs(2);

/// All of it, as a subscription names it.
pub(crate) const NODE_INBOX_ALL: &str = "_INBOX_tebessa.>";

/// How often a connection was cut.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Cut {
    /// Which: that for commands, queries or files.
    pub connection: String,
    /// How often since the node started. What was under way had no answer each time.
    pub times: u64,
    /// How often of these it had ended for good, at a message that the client library falls over, and another
    /// was made.
    pub ended: u64,
    /// The last time.
    pub last: case::Instant,
    /// Whether it is not there now.
    pub away: bool,
}

/// How often the connections of a node were cut. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cuts(Arc<Mutex<BTreeMap<&'static str, Cut>>>);

impl Cuts {
    /// Those that were cut at all.
    pub(crate) fn all(&self) -> Vec<Cut> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn cut(&self, connection: &'static str, ended: bool) -> u64 {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = case::Instant::new(jiff::Timestamp::now());
        let cut = known.entry(connection).or_insert_with(|| Cut {
            connection: connection.to_owned(),
            times: 0,
            ended: 0,
            last,
            away: true,
        });
        cut.times = cut.times.saturating_add(1);
        cut.ended = cut.ended.saturating_add(u64::from(ended));
        (cut.last, cut.away) = (last, true);
        cut.times
    }

    fn here(&self, connection: &'static str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cut) = known.get_mut(connection) {
            cut.away = false;
        }
    }
}

/// How a connection is made, the first time and again.
#[derive(Clone)]
pub(crate) struct Connector {
    server: Server,
    /// For whom, in a word or two, as the log and those who ask how the node is are told.
    what: &'static str,
    options: Arc<dyn Fn() -> ConnectOptions + Send + Sync>,
    cuts: Cuts,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(&self.what).finish()
    }
}

impl Connector {
    /// For what, such as "commands"; with these options beside what is known of the server.
    pub(crate) fn new(
        server: &Server,
        what: &'static str,
        cuts: &Cuts,
        options: impl Fn() -> ConnectOptions + Send + Sync + 'static,
    ) -> Self {
        let server = server.clone().as_of_node();
        Self { server, what, options: Arc::new(options), cuts: cuts.clone() }
    }

    /// The server.
    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    /// Connects; fails where the server is not there.
    pub(crate) async fn connect(&self) -> Result<Line, ConnectError> {
        self.connect_with(|options| options).await
    }

    /// The same with one more option.
    pub(crate) async fn connect_with(
        &self,
        more: impl FnOnce(ConnectOptions) -> ConnectOptions + Send,
    ) -> Result<Line, ConnectError> {
        let (here, seen) = watch::channel(false);
        let (what, cuts) = (self.what, self.cuts.clone());
        let last = Mutex::new(None);
        let options = more((self.options)()).event_callback(move |event| {
            match event {
                Event::Connected => {
                    here.send_replace(true);
                    cuts.here(what);
                }
                Event::Disconnected => {
                    here.send_replace(false);
                    let times = cuts.cut(what, false);
                    if is_due(&last) {
                        tracing::warn!(
                            times,
                            "the connection for {what} was cut, by the server or the network, or at a message \
                             whose headers cannot be read; what was under way has no answer: whoever sent it \
                             sends it again"
                        );
                    }
                }
                Event::ServerError(_)
                | Event::SlowConsumer(_)
                | Event::ClientError(_)
                | Event::Closed
                | Event::LameDuckMode
                | Event::Draining => {}
            }
            log_event(what, &event);
            std::future::ready(())
        });
        let client = Box::pin(self.server.connect(options)).await?;
        Ok(Line { client, here: seen, since: Instant::now() })
    }
}

/// A connection, and whether it still is one. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) client: Client,
    /// Its sender goes with the library's own task.
    here: watch::Receiver<bool>,
    since: Instant,
}

impl Line {
    /// Whether it is connected, as far as was heard.
    pub(crate) fn is_here(&self) -> bool {
        *self.here.borrow() && !self.is_over()
    }

    /// Whether it ended for good.
    pub(crate) fn is_over(&self) -> bool {
        self.here.has_changed().is_err()
    }

    /// Returns when it has ended for good.
    pub(crate) async fn over(&self) {
        let mut here = self.here.clone();
        while here.changed().await.is_ok() {}
    }

    /// Returns when it is cut, or has ended.
    pub(crate) async fn gone(&self) {
        // A dropped sender means the same.
        let _ = self.here.clone().wait_for(|here| !here).await;
    }

    /// Returns when it is connected, or has ended.
    pub(crate) async fn here_or_over(&self) {
        let mut here = self.here.clone();
        while !self.is_here() && here.changed().await.is_ok() {}
    }
}

/// A connection that is made again where it ended for good, of one user that looks after it.
#[derive(Debug)]
pub(crate) struct LastingLine {
    pub(crate) line: Line,
    connector: Connector,
    /// How often in a row one ended, or was not made, soon after the one before.
    tries: u32,
}

impl LastingLine {
    pub(crate) const fn new(connector: Connector, line: Line) -> Self {
        Self { line, connector, tries: 0 }
    }

    /// Puts another connection in the place of one that ended, as soon as there is one.
    pub(crate) async fn renew(&mut self) {
        let what = self.connector.what;
        if self.line.since.elapsed() >= LASTED {
            self.tries = 0;
        }
        self.connector.cuts.cut(what, true);
        tracing::error!(
            alarm = true,
            "the connection for {what} ended for good, at a message that the client library falls over: who \
             sends one may do so again; another is made, and what was under way has no answer"
        );
        loop {
            let pause = FIRST_PAUSE.saturating_mul(1 << self.tries.min(10)).min(LONGEST_PAUSE);
            self.tries = self.tries.saturating_add(1);
            tokio::time::sleep(pause).await;
            match self.connector.connect().await {
                Ok(line) => {
                    self.line = line;
                    return;
                }
                Err(error) => {
                    tracing::info!(reason = %crate::chain(&error), "no connection for {what} yet");
                }
            }
        }
    }
}

/// A connection that others look after, for many users. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct KeptLine(watch::Receiver<Line>);

impl KeptLine {
    /// With what looks after it, for as long as the node runs.
    pub(crate) fn new(mut lasting: LastingLine) -> (Self, impl Future<Output = ()> + Send) {
        let (now, kept) = watch::channel(lasting.line.clone());
        let looking_after = async move {
            loop {
                lasting.line.over().await;
                lasting.renew().await;
                now.send_replace(lasting.line.clone());
            }
        };
        (Self(kept), looking_after)
    }

    /// The connection as it is now; to be asked for again by whoever did not get on with one.
    pub(crate) fn client(&self) -> Client {
        self.0.borrow().client.clone()
    }

    /// Returns when another connection was made since this was asked last.
    pub(crate) async fn renewed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
