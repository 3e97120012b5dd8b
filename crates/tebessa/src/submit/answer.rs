//! What became of a line, and the count of all.

use service::reply::Reply;

use crate::output::{Exit, count};

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Accepted,
    Rejected,
    Failed,
}

/// The answer to a line: one line of JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) kind: Kind,
    /// The bytes to print.
    pub(super) line: Vec<u8>,
    /// What a person is told of a rejection or a failure.
    pub(super) about: String,
}

#[derive(serde::Serialize)]
struct Failed<'a> {
    outcome: &'static str,
    code: u16,
    message: &'a str,
}

impl Answer {
    /// The service's reply, byte for byte. What cannot be read is a failure, for nobody knows
    /// what became of the command.
    pub(super) fn of_reply(number: u64, reply: &[u8]) -> Self {
        let (kind, about) = match serde_json::from_slice(reply) {
            Ok(_) if reply.contains(&b'\n') => {
                return Self::failed(number, 502, "the reply is not one line");
            }
            Ok(Reply::Accepted { .. }) => (Kind::Accepted, String::new()),
            Ok(Reply::Rejected { code, message, .. }) => {
                (Kind::Rejected, format!("line {number}: {}: {message}", code.as_str()))
            }
            Err(_) => {
                return Self::failed(number, 502, "the reply is none that this version reads");
            }
        };
        Self { kind, line: reply.to_vec(), about }
    }

    /// No answer of the rules.
    pub(super) fn failed(number: u64, code: u16, reason: &str) -> Self {
        let message = format!("line {number}: {reason}");
        let failed = Failed { outcome: "failed", code, message: &message };
        // Three plain fields cannot fail to be written; if they do, the line stays aligned.
        let line = serde_json::to_vec(&failed).unwrap_or_else(|_| b"{}".to_vec());
        Self { kind: Kind::Failed, line, about: message }
    }
}

/// How many lines became what.
#[derive(Debug, Default)]
pub(super) struct Counts {
    accepted: u64,
    rejected: u64,
    failed: u64,
    first_rejection: Option<String>,
    first_failure: Option<String>,
}

impl Counts {
    pub(super) fn add(&mut self, answer: &Answer) {
        match answer.kind {
            Kind::Accepted => self.accepted += 1,
            Kind::Rejected => {
                self.rejected += 1;
                self.first_rejection.get_or_insert_with(|| answer.about.clone());
            }
            Kind::Failed => {
                self.failed += 1;
                self.first_failure.get_or_insert_with(|| answer.about.clone());
            }
        }
    }

    /// How many answers there were.
    pub(super) const fn all(&self) -> u64 {
        self.accepted + self.rejected + self.failed
    }

    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self { failed: 1.., .. } => Exit::Failed,
            Self { rejected: 1.., .. } => Exit::Rejected,
            Self { .. } => Exit::Done,
        }
    }

    /// The counts in words.
    pub(super) fn words(&self) -> String {
        format!("{} accepted, {} rejected, {} failed", self.accepted, self.rejected, self.failed)
    }

    /// What a person is told at the end, in lines.
    pub(super) fn summary(&self, seconds: f64) -> Vec<String> {
        let sent = count(self.all(), "command", "commands");
        let mut lines = vec![format!("{sent} in {seconds:.1} s: {}", self.words())];
        lines.extend(self.first_rejection.iter().map(|about| format!("first rejection: {about}")));
        lines.extend(self.first_failure.iter().map(|about| format!("first failure: {about}")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTED: &[u8] = br#"{"outcome":"accepted","case":"0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11","version":1,"position":4,"event":"0197b2f0-0000-7000-8000-000000000001"}"#;
    const REJECTED: &[u8] = br#"{"outcome":"rejected","code":"wrong_role","message":"no"}"#;

    #[test]
    fn replies_pass_byte_for_byte() {
        let answer = Answer::of_reply(1, ACCEPTED);
        assert_eq!((answer.kind, &answer.line[..]), (Kind::Accepted, ACCEPTED));
        let answer = Answer::of_reply(2, REJECTED);
        assert_eq!((answer.kind, &answer.line[..]), (Kind::Rejected, REJECTED));
    }

    #[test]
    fn a_reply_that_cannot_be_read_is_a_failure() {
        for reply in [&b""[..], b"{}", b"ok"] {
            let answer = Answer::of_reply(3, reply);
            assert_eq!(answer.kind, Kind::Failed);
            assert!(answer.line.starts_with(br#"{"outcome":"failed","code":502,"#));
        }
    }

    #[test]
    fn the_exit_code_tells_the_worst() {
        let mut counts = Counts::default();
        assert_eq!(counts.exit(), Exit::Done);
        counts.add(&Answer::of_reply(1, ACCEPTED));
        assert_eq!(counts.exit(), Exit::Done);
        counts.add(&Answer::of_reply(2, REJECTED));
        assert_eq!(counts.exit(), Exit::Rejected);
        counts.add(&Answer::failed(3, 400, "data.size: expected a whole number from 0"));
        assert_eq!(counts.exit(), Exit::Failed);
        assert_eq!(
            counts.summary(0.25),
            [
                "3 commands in 0.2 s: 1 accepted, 1 rejected, 1 failed",
                "first rejection: line 2: wrong_role: no",
                "first failure: line 3: data.size: expected a whole number from 0",
            ]
        );
    }
}
