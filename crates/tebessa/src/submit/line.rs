//! A line of input: read with bounded memory, and looked at only for its case and its command.

use std::io;

use case::strict::{self, Malformed};
use service::request::MAX_COMMAND_BYTES;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};
use uuid::Uuid;

/// A line as it will be sent, and what it says about its way.
pub(super) struct Line {
    bytes: Vec<u8>,
    peek: Result<(String, Option<Uuid>), String>,
}

/// Reads the next line into `buffer`, which keeps what was read when the caller is cancelled.
/// `None` at the end of the input. Of a line that is too long only the beginning is kept.
pub(super) async fn read<R: AsyncBufRead + Unpin>(
    reader: &mut R,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Line>> {
    loop {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() {
            let last = std::mem::take(buffer);
            return Ok((!last.is_empty()).then(|| Line::of(last)));
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(chunk.len(), |end| end + 1);
        let kept = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        let room = (MAX_COMMAND_BYTES + 2).saturating_sub(buffer.len());
        buffer.extend_from_slice(kept.get(..room.min(kept.len())).unwrap_or_default());
        reader.consume(taken);
        if end.is_some() {
            return Ok(Some(Line::of(std::mem::take(buffer))));
        }
    }
}

impl Line {
    fn of(mut bytes: Vec<u8>) -> Self {
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let peek = peek(&bytes);
        Self { bytes, peek }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The case, by which lines are kept in order.
    pub(super) fn case(&self) -> Option<Uuid> {
        self.peek.as_ref().ok()?.1
    }

    /// The command's full name, or why the line cannot be sent.
    pub(super) fn name(&self) -> Result<&str, &str> {
        match &self.peek {
            Ok((name, _)) => Ok(name),
            Err(reason) => Err(reason),
        }
    }
}

/// The service judges the rest; here it must only be known where the line goes.
fn peek(bytes: &[u8]) -> Result<(String, Option<Uuid>), String> {
    if bytes.len() > MAX_COMMAND_BYTES {
        return Err("is longer than the 65,535 bytes that a command may have".to_owned());
    }
    let value = strict::parse(bytes).map_err(|malformed| malformed.to_string())?;
    let name = value.get("command").and_then(serde_json::Value::as_str).ok_or_else(|| {
        Malformed::at("command", "is missing; expected a name such as intake.register-claim")
            .to_string()
    })?;
    let known = name
        .split_once('.')
        .is_some_and(|(service, name)| case::catalogue_entry(service, name).is_some());
    if !known {
        let names: Vec<_> = case::commands().map(case::CommandEntry::full_name).collect();
        return Err(format!("command: is none of {}", names.join(", ")));
    }
    let case = value.get("case").and_then(serde_json::Value::as_str);
    Ok((name.to_owned(), case.and_then(|case| case::parse_uuid(case).ok())))
}
