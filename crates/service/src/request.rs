//! A command as it comes in: bytes to a checked envelope and data, before any case is touched.

use case::evidence::File;
use case::strict::{self, Malformed};
use case::token::TraceParent;
use case::{CommandEntry, Head, KeyId, Sealed, catalogue_entry};
use serde_json::Value;

use crate::personal;

/// The longest command in bytes; the record that it becomes has the same limit.
pub const MAX_COMMAND_BYTES: usize = 65_535;

/// A command that is well formed. Its personal fields are still plaintext: no `Debug`.
pub struct Request {
    /// The entry of the catalogue.
    pub entry: &'static CommandEntry,
    /// The envelope.
    pub head: Head,
    /// The data, with plaintext in the personal fields.
    pub data: Value,
    /// The bytes of which the digest is made: the command as canonical JSON, without the
    /// expected version, which is a condition and no content.
    pub canonical: Vec<u8>,
    /// The trace context that came beside it.
    pub trace: Option<TraceParent>,
    /// The file that came before it, if it names one.
    pub file: Option<File>,
}

/// Why bytes are no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not of a command's form. Fix the sender.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// Longer than [`MAX_COMMAND_BYTES`]. Send less; files go beside the command.
    #[error("the command has {0} bytes; at most {MAX_COMMAND_BYTES} are taken")]
    TooLarge(usize),
}

/// Refuses what is longer than any command.
pub(crate) fn check_length(bytes: &[u8]) -> Result<(), Refused> {
    if bytes.len() > MAX_COMMAND_BYTES {
        return Err(Refused::TooLarge(bytes.len()));
    }
    Ok(())
}

impl Request {
    /// Reads a command whose name the subject says, such as `intake` and `register-claim`.
    pub fn read(service: &str, name: &str, bytes: &[u8]) -> Result<Self, Refused> {
        check_length(bytes)?;
        let entry = catalogue_entry(service, name).ok_or_else(|| unknown(service))?;
        let value = strict::parse(bytes)?;
        Ok(Self::of(entry, value)?)
    }

    fn of(entry: &'static CommandEntry, value: Value) -> Result<Self, Malformed> {
        let Value::Object(mut body) = value else {
            return Err(Malformed::at("", "is not a JSON object"));
        };
        body.insert("command".to_owned(), named(entry, body.get("command"))?);
        let data = body
            .get("data")
            .cloned()
            .ok_or_else(|| Malformed::at("data", "is missing; expected an object"))?;
        if !data.is_object() {
            return Err(Malformed::at("data", "is not a JSON object"));
        }
        let mut head = body.clone();
        head.remove("data");
        let head: Head = strict::typed("", Value::Object(head))?;
        body.remove("expected_version");
        let mut request = Self {
            entry,
            head,
            data,
            canonical: strict::canonical(&Value::Object(body)),
            trace: None,
            file: None,
        };
        if let case::Command::Evidence(command) = request.check()? {
            request.file = command.file();
        }
        Ok(request)
    }

    /// Reads the data into its type with boxes in the place of the words, so that a malformed
    /// command is refused before a case is loaded or a key is taken.
    fn check(&self) -> Result<case::Command, Malformed> {
        let mut data = self.data.clone();
        personal::seal(
            self.entry,
            &mut data,
            |_, _| Ok::<_, std::convert::Infallible>(empty_box()),
        )
        .map_err(|refused| match refused {
            personal::SealError::Malformed(malformed) => malformed,
            personal::SealError::Seal(never) => match never {},
        })?;
        (self.entry.parse)(data)
    }
}

fn empty_box() -> Sealed {
    Sealed { key: KeyId(uuid::Uuid::max()), sealed_box: String::new(), commit: String::new() }
}

/// The name in the body, if there is one, must be the subject's.
fn named(entry: &CommandEntry, given: Option<&Value>) -> Result<Value, Malformed> {
    let name = entry.full_name();
    match given {
        Some(Value::String(given)) if *given != name => {
            Err(Malformed::at("command", format!("is not {name}, which the subject names")))
        }
        Some(Value::String(_)) | None => Ok(Value::String(name)),
        Some(_) => Err(Malformed::at("command", "is not a string")),
    }
}

fn unknown(service: &str) -> Malformed {
    let names: Vec<_> =
        case::commands().filter(|entry| entry.service == service).map(|e| e.name).collect();
    if names.is_empty() {
        return Malformed::at(
            "",
            format!("no such service; there are {}", case::SERVICES.join(", ")),
        );
    }
    Malformed::at("", format!("no such command; the service takes {}", names.join(", ")))
}
