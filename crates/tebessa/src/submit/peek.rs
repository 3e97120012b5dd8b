//! What must be known of a line before it is sent: its command and its case. The service judges
//! the rest, on the bytes as they are.

use std::borrow::Cow;

use case::{CaseId, CommandEntry, SERVICES, strict};

use super::answer::Answer;
use super::input::Line;

/// The way of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// The command's full name, such as `intake.register-claim`.
    pub(super) command: String,
    /// The case, where the line names one; commands of one case go one after the other.
    pub(super) case: Option<CaseId>,
}

/// Only what is needed, and leniently.
#[derive(serde::Deserialize)]
struct Peeked<'a> {
    #[serde(borrow)]
    command: Cow<'a, str>,
    #[serde(default)]
    case: Option<serde_json::Value>,
}

/// Looks at a line; one that cannot be sent is answered here.
pub(super) fn way(line: &Line) -> Result<Way, Answer> {
    if line.too_long() {
        let message = "the command is longer than the 65,535 bytes that are taken";
        return Err(Answer::failed(line.number, 413, message));
    }
    let malformed = |reason: String| Answer::failed(line.number, 400, &reason);
    let peeked: Peeked<'_> =
        serde_json::from_slice(&line.bytes).map_err(|_| malformed(why_not(&line.bytes)))?;
    let command = known(&peeked.command).map_err(malformed)?;
    let case = peeked.case.as_ref().and_then(|case| case.as_str()?.parse().ok());
    Ok(Way { command, case })
}

/// The strict reason why a line cannot even be looked at.
fn why_not(bytes: &[u8]) -> String {
    let value = match strict::parse(bytes) {
        Err(malformed) => return malformed.to_string(),
        Ok(value) => value,
    };
    match (value.is_object(), value.get("command")) {
        (false, _) => "is not a JSON object".to_owned(),
        (true, None) => {
            "command: is missing; expected a name such as intake.register-claim".to_owned()
        }
        (true, Some(_)) => "command: is not a string".to_owned(),
    }
}

/// The full name of a command that exists. The error does not repeat what stood there, for a
/// misplaced name or sentence must not travel into a log.
fn known(name: &str) -> Result<String, String> {
    let (service, command) = name.split_once('.').unwrap_or((name, ""));
    if let Some(entry) = case::catalogue_entry(service, command) {
        return Ok(entry.full_name());
    }
    let of_service: Vec<_> = case::commands()
        .filter(|entry| entry.service == service)
        .map(CommandEntry::full_name)
        .collect();
    Err(if of_service.is_empty() {
        format!("command: names no service; there are {}", SERVICES.join(", "))
    } else {
        format!("command: is none of the service's; there are {}", of_service.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(bytes: &[u8]) -> Result<Way, String> {
        let line = Line { number: 7, bytes: bytes.to_vec(), length: bytes.len() as u64 };
        way(&line).map_err(|answer| String::from_utf8(answer.line).unwrap())
    }

    #[test]
    fn command_and_case_are_all_that_is_looked_at() {
        let line = br#"{"command":"intake.register-claim","nonsense":[1.5],
            "case":"0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11"}"#;
        let way = look(line).unwrap();
        assert_eq!(way.command, "intake.register-claim");
        assert!(way.case.is_some());
    }

    #[test]
    fn a_case_that_is_none_is_left_to_the_service() {
        for case in ["", r#","case":7"#, r#","case":"x""#, r#","case":null"#] {
            let line = format!(r#"{{"command":"evidence.attach"{case}}}"#);
            assert_eq!(look(line.as_bytes()).unwrap().case, None, "{case}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_answered_with_its_line_and_reason() {
        let deep = format!(r#"{{"case":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        for (bytes, reason) in [
            (&b"nope"[..], "is not JSON"),
            (b"[1]", "is not a JSON object"),
            (b"{}", "command: is missing; expected a name such as intake.register-claim"),
            (br#"{"command":5}"#, "command: is not a string"),
            (br#"{"command":"a","command":"b"}"#, "command: stands twice in one object"),
            (b"{\"command\":\"\xff\"}", "is not valid UTF-8"),
            (deep.as_bytes(), "nested deeper than 32 levels"),
            (br#"{"command":"nowhere.do"}"#, "names no service; there are intake, evidence"),
            (br#"{"command":"intake.>"}"#, "there are intake.make-claim, intake.register-claim"),
        ] {
            let answer = look(bytes).unwrap_err();
            assert!(answer.starts_with(r#"{"outcome":"failed","code":400,"#), "{answer}");
            assert!(answer.contains("line 7: ") && answer.contains(reason), "{answer}");
        }
    }

    #[test]
    fn what_stood_in_the_place_of_a_command_is_not_repeated() {
        let answer = look(br#"{"command":"Selam Haile"}"#).unwrap_err();
        assert!(!answer.contains("Selam"), "{answer}");
    }

    #[test]
    fn a_line_that_is_too_long_is_answered_413() {
        let answer = look(&vec![b' '; 65_536]).unwrap_err();
        assert!(answer.contains(r#""code":413"#), "{answer}");
    }
}
