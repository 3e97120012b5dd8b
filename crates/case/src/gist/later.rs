//! What comes later, in words: warnings, withdrawals without a word, submissions, reopening.

use crate::registry::Event;

use super::{Gist, gist, listed, words};

#[expect(clippy::wildcard_enum_match_arm, reason = "the other events are told elsewhere")]
pub(super) fn gist_of(event: &Event) -> Gist {
    match event {
        Event::WithdrawalWarned(one) => gist(
            format!("Warned that the claim may count as withdrawn: {}", words(one.cause.as_str())),
            [
                format!("served on {} in {}", one.served, one.language),
                format!("time to answer until {}", one.respond_by),
            ],
        ),
        Event::WarningAnswered(_) => gist("Warning answered", []),
        Event::ClaimWithdrawnImplicitly(one) => {
            let until = one.reinstatable_until.as_ref();
            let until = until.map(|until| format!("may be taken up again until {until}"));
            gist(
                "Claim counts as withdrawn",
                [
                    format!("after the warning of version {}", one.warning),
                    until.unwrap_or_default(),
                ],
            )
        }
        Event::ClaimReinstated(_) => gist("Claim taken up again", []),
        Event::FurtherSubmissionMade(one) => gist(
            "Further submission made",
            [
                one.submission.to_string(),
                listed("brings", one.evidence.iter().map(ToString::to_string)),
            ],
        ),
        Event::FurtherSubmissionRuled(one) => {
            gist(format!("Further submission {}", one.ruling), [one.submission.to_string()])
        }
        Event::ClaimReopened(one) => {
            gist(format!("Claim reopened: {}", words(one.ground.as_str())), [])
        }
        Event::FileArchived(one) => {
            let until = one.until.as_ref().map(|until| format!("until {until}"));
            gist("File archived", until)
        }
        _ => gist("", []),
    }
}
