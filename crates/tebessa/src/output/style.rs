//! The few styles there are. The streams drop them where nobody looks at a terminal.

use anstyle::{AnsiColor, Style};
use case::vocabulary::{DecisionOutcome, Status};

/// What a line is about: an id, a criterion, a heading.
pub(crate) const NAME: Style = Style::new().bold();
/// What is beside the point.
pub(crate) const ASIDE: Style = Style::new().dimmed();
/// What is well, or granted.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What waits for somebody.
pub(crate) const WAITING: Style = AnsiColor::Yellow.on_default();
/// What failed, or is refused.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();

/// How a status is shown: what waits for somebody stands out.
pub(crate) const fn of_status(status: Status) -> Style {
    match status {
        Status::AwaitingReview | Status::AwaitingDecision | Status::UnderAppeal => WAITING,
        Status::Withdrawn | Status::Closed => ASIDE,
        Status::Made
        | Status::Registered
        | Status::InAssessment
        | Status::Decided
        | Status::Notified
        | Status::AppealDecided => Style::new(),
    }
}

/// How an outcome is shown.
pub(crate) const fn of_outcome(outcome: DecisionOutcome) -> Style {
    match outcome {
        DecisionOutcome::Refugee
        | DecisionOutcome::Subsidiary
        | DecisionOutcome::NonrefoulementOnly => GOOD,
        DecisionOutcome::Refused
        | DecisionOutcome::Inadmissible
        | DecisionOutcome::Excluded
        | DecisionOutcome::ExcludedNotRemovable => BAD,
    }
}
