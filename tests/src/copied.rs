//! Records of one case written again as those of another, so that a log has many cases.

use journal::{Draft, StreamId};
use serde::Serialize;

/// A record that the writer chains anew under another case.
///
/// Every case then has another chain, so what its people saw is left out.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Copied {
    #[serde(skip)]
    stream: StreamId,
    record: serde_json::Value,
}

impl Copied {
    /// Copies a record, given by its exact bytes, to a case.
    #[must_use]
    pub fn new(bytes: &[u8], stream: StreamId) -> Self {
        let mut record: serde_json::Value = serde_json::from_slice(bytes).expect("a record");
        if let Some(data) = record["data"].as_object_mut() {
            data.remove("seen");
        }
        Self { stream, record }
    }
}

impl Draft for Copied {
    fn stream(&self) -> StreamId {
        self.stream
    }
}
