//! Records of one case written again as those of another, so that a log has many cases.

use journal::{Draft, EncodeError, Slot, StreamId};

/// A record that the writer chains anew under another case.
///
/// Every case then has another chain, so what its people saw is left out.
pub struct Copied {
    stream: StreamId,
    record: serde_json::Value,
}

impl Copied {
    /// Copies a record, given by its exact bytes, to a case.
    #[must_use]
    pub fn new(bytes: &[u8], stream: StreamId) -> Self {
        let mut record: serde_json::Value = serde_json::from_slice(bytes).expect("a record");
        record["subject"] = serde_json::json!(stream.0);
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

    fn encode(&self, slot: &Slot, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut record = self.record.clone();
        record["caseversion"] = serde_json::json!(slot.version.0);
        record["prev"] = serde_json::json!(slot.prev.to_string());
        record["time"] = serde_json::json!(case::record::time_text(slot.time));
        serde_json::to_writer(out, &record).map_err(|error| EncodeError(error.to_string()))
    }
}
