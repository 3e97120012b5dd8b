//! The stream's consumers, remembered so that a new stream gets them back at their places.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_nats::jetstream::Error;
use async_nats::jetstream::response::Response;
use serde_json::Value;

use super::STREAM;
use super::error::Trouble;
use super::mirror::Mirror;
use crate::blocking::blocking;
use crate::regular;
use crate::replace::replace;

const NAME: &str = "consumers.json";
/// A consumer's configuration has about a kilobyte.
const MOST_BYTES: u64 = 64 << 20;

/// A durable consumer, and how far everything was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Consumer {
    name: String,
    /// As the server has it; fields unknown here are kept.
    config: Value,
    /// Unknown when it was first seen on a broken stream.
    acknowledged: Option<u64>,
    /// It may have been made anew, and is not known to be at its place: where it is found, that place is
    /// not believed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unplaced: bool,
}

/// What is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Remembered {
    /// The stream is being filled anew, and these are not in it yet.
    owed: bool,
    consumers: Vec<Consumer>,
}

/// The consumers as they were last seen.
#[derive(Debug)]
pub(super) struct Consumers {
    path: PathBuf,
    remembered: Remembered,
}

#[derive(serde::Deserialize)]
struct Page {
    total: usize,
    #[serde(default)]
    consumers: Vec<Listed>,
}

#[derive(serde::Deserialize)]
struct Listed {
    name: String,
    config: Value,
    ack_floor: Floor,
}

#[derive(serde::Deserialize)]
struct Floor {
    #[serde(default)]
    stream_seq: u64,
}

impl Consumers {
    /// Reads what was remembered. A file that cannot be read is as good as none: consumers then
    /// begin as their owners create them, and the log says why.
    pub(super) fn load(directory: &Path) -> Self {
        let path = directory.join(NAME);
        let remembered = read(&path).unwrap_or_else(|reason| {
            let file = path.display();
            tracing::warn!(
                %file, reason,
                "where the stream's consumers are is not known: in a stream that is made anew they begin as \
                 their owners create them"
            );
            Remembered::default()
        });
        Self { path, remembered }
    }

    /// Whether consumers wait to be put back.
    pub(super) fn owed(&self) -> bool {
        self.remembered.owed
    }

    /// Remembers the consumers as they were seen on a whole stream, unless some are owed to it.
    pub(super) async fn remember(&mut self, consumers: Vec<Consumer>) -> Result<(), Trouble> {
        if self.remembered.owed || consumers == self.remembered.consumers {
            return Ok(());
        }
        self.write(Remembered { owed: false, consumers }).await
    }

    /// Notes that the stream is about to be filled anew. `present` are the consumers that a broken
    /// stream still has. Their places are not believed: when the server loses records, it counts
    /// them as acknowledged. A place that was remembered may be some seconds old, so that some
    /// records come again; one that was never seen begins as its owner wished it.
    pub(super) async fn owe(&mut self, present: Vec<Consumer>) -> Result<(), Trouble> {
        let mut owed = Remembered { owed: true, ..self.remembered.clone() };
        for consumer in present {
            if !owed.consumers.iter().any(|other| other.name == consumer.name) {
                owed.consumers.push(Consumer { acknowledged: None, unplaced: false, ..consumer });
            }
        }
        if owed == self.remembered || owed.consumers.is_empty() {
            return Ok(());
        }
        self.write(owed).await
    }

    /// Puts back what is owed. One that its owner created meanwhile is left as it is; one that an earlier
    /// try may have left between its making and its place is put there.
    pub(super) async fn restore(&mut self, mirror: &Mirror) -> Result<(), Trouble> {
        let present = list(mirror).await?;
        for consumer in self.remembered.consumers.clone() {
            let found = present.iter().any(|other| other.name == consumer.name);
            if found && !consumer.unplaced {
                continue;
            }
            if consumer.acknowledged.is_some() {
                self.mark(&consumer.name, true);
                // On the disk before the server has it: who finds it after a crash would take it for its owner's.
                self.write(self.remembered.clone()).await?;
            }
            put_back(mirror, &consumer, found).await?;
            self.mark(&consumer.name, false);
        }
        self.write(Remembered { owed: false, ..self.remembered.clone() }).await
    }

    fn mark(&mut self, name: &str, unplaced: bool) {
        if let Some(one) = self.remembered.consumers.iter_mut().find(|one| one.name == name) {
            one.unplaced = unplaced;
        }
    }

    /// Synced when this returns: once the stream is deleted, this file is the only place that knows
    /// them. One that cannot be written must not stop the mirror, but what is owed is not forgotten in
    /// memory either.
    async fn write(&mut self, remembered: Remembered) -> Result<(), Trouble> {
        let path = self.path.clone();
        let bytes = serde_json::to_vec_pretty(&remembered).map_err(std::io::Error::other);
        self.remembered = remembered;
        let written = blocking(move || replace(&path, &bytes?)).await;
        let failed = |error: &dyn std::error::Error| {
            Trouble::away("the consumers' places cannot be written", error)
        };
        written.map_err(|failure| failed(&failure))?.map_err(|error| failed(&error))
    }
}

/// What the file holds; nothing where there is none. The reason repeats nothing of what it holds.
fn read(path: &Path) -> Result<Remembered, String> {
    let bytes = match regular::read(path, MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Remembered::default()),
        Err(error) => return Err(error.to_string()),
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        format!("it is damaged at line {}, column {}", error.line(), error.column())
    })
}

/// Every durable consumer of the stream. Others live only as long as their client.
pub(super) async fn list(mirror: &Mirror) -> Result<Vec<Consumer>, Trouble> {
    let mut consumers = Vec::new();
    let mut seen = 0;
    loop {
        let answer: Response<Page> = mirror
            .context
            .request(format!("CONSUMER.LIST.{STREAM}"), &serde_json::json!({ "offset": seen }))
            .await
            .map_err(|error| Trouble::away("the consumers cannot be listed", &error))?;
        let page = match answer {
            Response::Ok(page) => page,
            Response::Err { error } => {
                return Err(Trouble::away("the consumers cannot be listed", &error));
            }
        };
        seen += page.consumers.len();
        let last = page.consumers.is_empty() || seen >= page.total;
        consumers.extend(
            page.consumers
                .into_iter()
                .filter(|listed| listed.config.get("durable_name").is_some_and(Value::is_string))
                .map(|listed| Consumer {
                    name: listed.name,
                    config: listed.config,
                    acknowledged: Some(listed.ack_floor.stream_seq),
                    unplaced: false,
                }),
        );
        if last {
            consumers.sort_by(|one, other| one.name.cmp(&other.name));
            return Ok(consumers);
        }
    }
}

/// Creates a consumer, unless it was found there, that goes on behind what was acknowledged. What was
/// delivered and not acknowledged comes again, as after any failure.
///
/// It is made as its owner has it and then put to its place, so that an owner who creates it at each
/// start, as clients do, finds it unchanged. A server that cannot put it there gets it with its place as
/// the beginning, and then such an owner is refused.
async fn put_back(mirror: &Mirror, consumer: &Consumer, found: bool) -> Result<(), Trouble> {
    let made =
        if found { Ok(()) } else { ask(mirror, "CREATE", consumer, &as_it_was(consumer)).await? };
    let placed = match (made, consumer.acknowledged) {
        (Err(error), _) => Err(error),
        (Ok(()), None) => Ok(()),
        (Ok(()), Some(acknowledged)) => {
            let place = serde_json::json!({ "seq": acknowledged + 1 });
            match ask(mirror, "RESET", consumer, &place).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => begin_there(mirror, consumer, acknowledged).await?,
            }
        }
    };
    match placed {
        Ok(()) => {
            tracing::info!(
                consumer = consumer.name,
                acknowledged = consumer.acknowledged,
                "consumer put back"
            );
        }
        // Its owner creates it anew when it misses it; the mirror itself must not wait for that.
        Err(error) => {
            tracing::error!(consumer = consumer.name, %error, "consumer not put back");
        }
    }
    Ok(())
}

fn as_it_was(consumer: &Consumer) -> Value {
    serde_json::json!({ "stream_name": STREAM, "config": consumer.config })
}

/// Makes the consumer anew with its place as the beginning.
async fn begin_there(
    mirror: &Mirror,
    consumer: &Consumer,
    acknowledged: u64,
) -> Result<Result<(), Error>, Trouble> {
    if let Err(error) = ask(mirror, "DELETE", consumer, &serde_json::json!({})).await? {
        return Ok(Err(error));
    }
    let mut request = as_it_was(consumer);
    if let Some(fields) = request.pointer_mut("/config").and_then(Value::as_object_mut) {
        fields.remove("opt_start_time");
        fields.insert("deliver_policy".to_owned(), "by_start_sequence".into());
        fields.insert("opt_start_seq".to_owned(), (acknowledged + 1).into());
    }
    ask(mirror, "CREATE", consumer, &request).await
}

async fn ask(
    mirror: &Mirror,
    what: &str,
    consumer: &Consumer,
    request: &Value,
) -> Result<Result<(), Error>, Trouble> {
    let subject = format!("CONSUMER.{what}.{STREAM}.{}", consumer.name);
    let answer: Response<Value> = mirror
        .context
        .request(subject, request)
        .await
        .map_err(|error| Trouble::away("a consumer cannot be put back", &error))?;
    Ok(match answer {
        Response::Ok(_) => Ok(()),
        Response::Err { error } => Err(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_damaged_is_told_from_none_without_its_words() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(NAME);
        assert_eq!(read(&path), Ok(Remembered::default()));
        std::fs::write(&path, "{\n \"owed\": \"Selam\" }").unwrap();
        let reason = read(&path).unwrap_err();
        assert!(reason.contains("line 2") && !reason.contains("Selam"), "{reason}");
        assert!(!Consumers::load(home.path()).owed());
    }

    #[test]
    fn a_file_from_before_the_mark_is_read_and_one_without_a_mark_is_written_as_before() {
        let text = r#"{"owed":true,"consumers":[{"name":"a","config":{},"acknowledged":12}]}"#;
        let read: Remembered = serde_json::from_str(text).unwrap();
        assert!(!read.consumers[0].unplaced);
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }
}
