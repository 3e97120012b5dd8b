//! What a command says of time that only the clock of a node can judge.

use crate::{Command, WorldDate, appeals, deadlines, decisions, intake, registry};

impl Command {
    /// Whether the command is taken only because a time is over.
    #[must_use]
    pub const fn needs_time_over(&self) -> bool {
        matches!(
            self,
            Self::Deadlines(deadlines::Command::ExpireDeadline(_))
                | Self::Registry(
                    registry::Command::CloseFile(_)
                        | registry::Command::DestroyKey(_)
                        | registry::Command::WithdrawImplicitly(_)
                )
        )
    }

    /// The day beside `occurred` on which what the command tells of happened, with its field's name.
    /// What lies ahead, such as a hearing or a last day, is no such day. Nor is what a document says of
    /// itself, which is recorded as it stands there (`dated`, `published` and `valid_from` of evidence
    /// and country information), or the day as of which a finding holds or guidance applies (`as_of`),
    /// which is supposed and does not happen.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other commands name no day that was")]
    pub fn happened(&self) -> Option<(&'static str, &WorldDate)> {
        match self {
            Self::Intake(intake::Command::RegisterClaim(claim)) => {
                claim.made.as_ref().map(|made| ("made", made))
            }
            Self::Intake(intake::Command::RecordBarrier(one)) => Some(("met", &one.met)),
            Self::Decisions(decisions::Command::Notify(one)) => Some(("served", &one.served)),
            Self::Decisions(decisions::Command::FailNotification(one)) => {
                Some(("attempted", &one.attempted))
            }
            Self::Decisions(decisions::Command::NotifyStatusReview(one)) => {
                Some(("served", &one.served))
            }
            Self::Appeals(appeals::Command::FileAppeal(one)) => Some(("filed", &one.filed)),
            Self::Appeals(appeals::Command::SeekPermission(one)) => Some(("sought", &one.sought)),
            Self::Registry(registry::Command::WarnWithdrawal(one)) => Some(("served", &one.served)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_filing_happened_on_its_day_and_a_hearing_is_to_come() {
        let sealed =
            json!({ "key": "00000000-0000-0000-0000-000000000001", "box": "", "commit": "" });
        let id = "00000000-0000-0000-0000-000000000002";
        let parse = |name: &str, data| {
            let entry = crate::catalogue_entry("appeals", name).unwrap();
            (entry.parse)(data).unwrap()
        };
        let filed =
            parse("file", json!({ "appeal": id, "grounds": sealed, "filed": "2024-02-01" }));
        assert_eq!(
            filed.happened().map(|(field, day)| (field, day.as_str())),
            Some(("filed", "2024-02-01"))
        );
        let listed =
            parse("list-hearing", json!({ "appeal": id, "hearing": id, "at": "2030-02-01" }));
        assert_eq!(listed.happened(), None);
        assert!(!filed.needs_time_over());
    }
}
