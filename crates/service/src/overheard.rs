//! Streams of somebody else that take what is sent to the node, or what it answers.
//!
//! A `JetStream` stream may be over any subject of its account. One over those of commands answers every
//! sender before the node does, with an acknowledgement of its own, and keeps names and narratives in
//! plaintext; one over those of answers keeps the words that were opened. The server makes it without a word
//! to the node. So the node asks for such streams: before it takes the first command, whenever the server
//! tells of a change, and from time to time.
//!
//! Out of scope: accounts into which these subjects are exported, whose streams no other account sees, and
//! clients that listen, of which nothing can be found afterwards.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::Message;
use async_nats::connection::State;
use async_nats::jetstream::context::{Context, ContextBuilder};
use async_nats::jetstream::response::Response;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::watch;

use crate::nats::{KeptLine, NODE_INBOX_ALL};

/// Where commands and queries go, and where clients and the node itself hear the answers.
const SUBJECTS: [&str; 4] = ["tebessa.cmd.>", "tebessa.query.>", "_INBOX.>", NODE_INBOX_ALL];
/// What the server tells of streams that were made, changed and deleted.
const CHANGES: &str = "$JS.EVENT.ADVISORY.STREAM.*.*";
/// How long the server may take to say which streams there are. One that does not let the node ask says
/// nothing, and a start waits for it.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// How often it is looked where nothing calls for it: an account may not hear of changes.
const EVERY: Duration = Duration::from_secs(30);

/// A stream of somebody else.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Overheard {
    /// Its name.
    pub stream: String,
    /// What of the node's it takes: where commands go, where queries go, where clients hear the answers.
    pub subjects: Vec<String>,
}

impl fmt::Display for Overheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the stream {} takes what is sent to {}",
            self.stream,
            self.subjects.join(" and ")
        )
    }
}

#[derive(serde::Deserialize)]
struct Names {
    /// Null where there are none.
    streams: Option<Vec<String>>,
}

/// Looks out for them.
pub(crate) struct Lookout {
    line: KeptLine,
    found: watch::Sender<Vec<Overheard>>,
    /// The log says already that they cannot be asked for.
    told: bool,
    /// How often there was a connection when the server did not let the node ask. Each time that it is asked
    /// all the same, the log has a line of the connection.
    silent: Option<u64>,
}

impl Lookout {
    /// Looks for the first time.
    pub(crate) async fn start(line: KeptLine) -> Self {
        let found = watch::Sender::new(Vec::new());
        let mut lookout = Self { line, found, told: false, silent: None };
        lookout.look().await;
        lookout
    }

    /// Those that are there, now and from now on.
    pub(crate) fn found(&self) -> watch::Receiver<Vec<Overheard>> {
        self.found.subscribe()
    }

    /// Looks again and again, and raises the alarm once for each.
    pub(crate) async fn run(mut self) {
        let mut changes = self.changes().await;
        let mut looks = tokio::time::interval(EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(_) = changes.next() => {
                    // Many at once need one look.
                    while changes.next().now_or_never().flatten().is_some() {}
                }
                () = self.line.renewed() => {
                    self.silent = None;
                    changes = self.changes().await;
                }
                _ = looks.tick() => {
                    if self.silent == Some(self.connects()) {
                        continue;
                    }
                }
            }
            self.look().await;
        }
    }

    /// An account that may not hear of them looks from time to time only.
    async fn changes(&self) -> BoxStream<'static, Message> {
        match self.line.client().subscribe(CHANGES).await {
            Ok(said) => said.boxed(),
            Err(_) => futures::stream::empty().boxed(),
        }
    }

    async fn look(&mut self) {
        let connects = self.connects();
        let client = self.line.client();
        let context = ContextBuilder::new().timeout(ANSWER_LIMIT).build(client.clone());
        match ask(&context).await {
            Ok(found) => {
                (self.told, self.silent) = (false, None);
                self.tell(found);
            }
            Err(reason) => {
                let here = client.connection_state() == State::Connected;
                if here && self.connects() == connects {
                    self.silent = Some(connects);
                    if !self.told {
                        self.told = true;
                        tracing::warn!(
                            reason,
                            "whether streams of somebody else take commands, queries or answers is not \
                             known: the node needs JetStream, and to publish to \
                             $JS.API.STREAM.NAMES"
                        );
                    }
                }
            }
        }
    }

    fn tell(&self, found: Vec<Overheard>) {
        self.found.send_if_modified(|known| {
            for new in found.iter().filter(|new| !known.contains(new)) {
                tracing::error!(
                    alarm = true,
                    "{new}: it may answer in the node's place, and keeps names and words in \
                     plaintext; delete it"
                );
            }
            for gone in known.iter().filter(|gone| !found.contains(gone)) {
                tracing::warn!("it is no longer so that {gone}");
            }
            let changed = *known != found;
            *known = found;
            changed
        });
    }

    fn connects(&self) -> u64 {
        self.line.client().statistics().connects.load(Ordering::Relaxed)
    }
}

/// The streams that have a subject in common with the node's, by their names.
async fn ask(context: &Context) -> Result<Vec<Overheard>, String> {
    let mut found: Vec<Overheard> = Vec::new();
    for subject in SUBJECTS {
        let asked = serde_json::json!({ "subject": subject });
        let answer = context.request("STREAM.NAMES", &asked).await;
        let answer: Response<Names> = answer.map_err(|error| crate::chain(&error))?;
        let names = match answer {
            Response::Ok(names) => names.streams.unwrap_or_default(),
            Response::Err { error } => return Err(crate::chain(&error)),
        };
        for stream in names {
            match found.iter_mut().find(|known| known.stream == stream) {
                Some(known) => known.subjects.push(subject.to_owned()),
                None => found.push(Overheard { stream, subjects: vec![subject.to_owned()] }),
            }
        }
    }
    found.sort_by(|one, other| one.stream.cmp(&other.stream));
    Ok(found)
}
