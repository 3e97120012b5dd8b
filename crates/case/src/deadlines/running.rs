//! The deadlines that run in a case, and what each event changes about them.
//!
//! Case, summary and timers apply the same changes, so that all see what the rules see.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Event as DeadlineEvent;
use crate::vocabulary::{DeadlineEnd, DeadlineKind};
use crate::{
    CaseId, CommandId, DeadlineId, Event, Instant, Recorded, Version, appeals, decisions, evidence,
    intake, registry,
};

/// A deadline that runs.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Running {
    /// Its id.
    pub deadline: DeadlineId,
    /// What it is for.
    pub kind: DeadlineKind,
    /// The first instant at which it is over.
    pub due: Instant,
    /// The event that set it.
    pub set: Version,
}

/// The end of a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Ended {
    /// How it ended.
    pub how: DeadlineEnd,
    /// The event that ended it.
    pub version: Version,
    /// What it was for.
    pub kind: DeadlineKind,
    /// The first instant at which it was over, as it was extended last.
    pub due: Instant,
    /// The event that set it.
    pub set: Version,
}

/// What a case knows of its deadlines.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct State {
    /// Those that run, the earliest first.
    pub running: Vec<Running>,
    /// Those that ended.
    pub ended: BTreeMap<DeadlineId, Ended>,
}

impl State {
    /// A deadline that runs.
    #[must_use]
    pub fn running(&self, id: DeadlineId) -> Option<&Running> {
        self.running.iter().find(|running| running.deadline == id)
    }

    /// The deadline of a kind that is due last.
    #[must_use]
    pub fn of(&self, kind: DeadlineKind) -> Option<&Running> {
        self.running.iter().rev().find(|running| running.kind == kind)
    }

    /// The first instant at which all the time of a kind that was given is over: by a deadline that
    /// runs, and by those that were set since an event and ended. That the timer was there before what
    /// the time was given for takes nothing of it, and neither does what was asked for in that time and
    /// taken back.
    #[must_use]
    pub fn given(&self, kind: DeadlineKind, since: Version) -> Option<Instant> {
        let ended = self.ended.values().filter(|ended| ended.kind == kind && ended.set >= since);
        let running = self.of(kind).map(|running| running.due);
        ended.map(|ended| ended.due).chain(running).max()
    }

    /// The end of a deadline that does not run any more.
    #[must_use]
    pub fn ended(&self, id: DeadlineId) -> Option<Ended> {
        self.ended.get(&id).copied()
    }

    pub(super) fn knows(&self, id: DeadlineId) -> bool {
        self.running(id).is_some() || self.ended.contains_key(&id)
    }

    pub(crate) fn apply(&mut self, event: &Event, case: CaseId, version: Version) {
        for change in changes(event, case, version) {
            for (over, how) in change.apply_to(&mut self.running) {
                let Running { deadline, kind, due, set } = over;
                self.ended.insert(deadline, Ended { how, version, kind, due, set });
            }
        }
    }
}

/// What an event changes about the deadlines that run.
pub(crate) enum Change {
    Start(Running),
    Move(DeadlineId, Instant),
    End(DeadlineId, DeadlineEnd),
    EndKind(DeadlineKind),
}

impl Change {
    /// Applies the change to the deadlines that run and returns those that it ended.
    pub(crate) fn apply_to(self, running: &mut Vec<Running>) -> Vec<(Running, DeadlineEnd)> {
        let mut ended = Vec::new();
        match self {
            Self::Start(deadline) => running.push(deadline),
            Self::Move(id, due) => {
                for moved in running.iter_mut().filter(|running| running.deadline == id) {
                    moved.due = due;
                }
            }
            Self::End(id, how) => {
                let over = running.extract_if(.., |running| running.deadline == id);
                ended.extend(over.map(|over| (over, how)));
            }
            Self::EndKind(kind) => {
                let of_kind = running.extract_if(.., |running| running.kind == kind);
                ended.extend(of_kind.map(|over| (over, DeadlineEnd::Met)));
            }
        }
        running.sort_by_key(|running| (running.due, running.deadline));
        ended
    }
}

/// Brings the deadlines that run in a case up to a record: for a timer that follows records.
pub fn follow(running: &mut Vec<Running>, record: &Recorded) {
    for change in changes(&record.event, record.envelope.case, record.envelope.version) {
        change.apply_to(running);
    }
}

/// What an event changes about the deadlines.
pub(crate) fn changes(event: &Event, case: CaseId, version: Version) -> Vec<Change> {
    let mut changes = Vec::new();
    changes.extend(ends(event).iter().map(|kind| Change::EndKind(*kind)));
    changes.extend(begins(event).map(|(kind, due)| {
        Change::Start(Running { deadline: set_by(case, version), kind, due, set: version })
    }));
    let Event::Deadlines(event) = event else { return changes };
    changes.push(match event {
        DeadlineEvent::DeadlineSet(deadline) => Change::Start(Running {
            deadline: deadline.deadline,
            kind: deadline.kind,
            due: deadline.due,
            set: version,
        }),
        DeadlineEvent::DeadlineExtended(deadline) => Change::Move(deadline.deadline, deadline.due),
        DeadlineEvent::DeadlineExpired(deadline) => {
            Change::End(deadline.deadline, DeadlineEnd::Expired)
        }
    });
    changes
}

/// The time limit that an event sets running by itself.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other events set no time limit running")]
fn begins(event: &Event) -> Option<(DeadlineKind, Instant)> {
    match event {
        Event::Decisions(decisions::Event::DecisionNotified(served)) => {
            served.over.map(|over| (DeadlineKind::Appeal, over))
        }
        Event::Appeals(appeals::Event::AppealDecided(ruling)) => {
            ruling.over.map(|over| (DeadlineKind::Onward, over))
        }
        Event::Registry(registry::Event::WithdrawalWarned(warned)) => {
            warned.over.map(|over| (DeadlineKind::Response, over))
        }
        Event::Registry(registry::Event::ClaimWithdrawnImplicitly(withdrawn)) => {
            withdrawn.over.map(|over| (DeadlineKind::Reinstatement, over))
        }
        _ => None,
    }
}

/// The kinds of time limit that wait for nothing any more after an event.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other events end no time limit")]
fn ends(event: &Event) -> &'static [DeadlineKind] {
    use DeadlineKind as K;
    match event {
        Event::Appeals(appeals::Event::AppealFiled(_))
        | Event::Decisions(decisions::Event::DecisionWithdrawn(_)) => &[K::Appeal],
        Event::Decisions(decisions::Event::DecisionIssued(_)) => &[K::Merits, K::Response],
        Event::Appeals(appeals::Event::PermissionSought(_)) => &[K::Onward],
        Event::Intake(intake::Event::ClaimRegistered(_)) => &[K::Registration],
        Event::Intake(intake::Event::ClaimLodged(_)) => &[K::Lodging, K::Response],
        Event::Intake(intake::Event::ClaimWithdrawn(_)) => &[K::Appeal, K::Response, K::Merits],
        // Who does what a warning asks for answers it.
        Event::Evidence(evidence::Event::InterviewHeld(_))
        | Event::Registry(
            registry::Event::WarningAnswered(_) | registry::Event::ClaimWithdrawnImplicitly(_),
        ) => &[K::Response],
        Event::Registry(registry::Event::ClaimReinstated(_)) => &[K::Reinstatement],
        Event::Registry(registry::Event::ClaimReopened(_)) => &[K::Reinstatement, K::Appeal],
        _ => &[],
    }
}

/// The id of the deadline that an event sets by itself: a `UUIDv8` from the case and the event's
/// number.
fn set_by(case: CaseId, version: Version) -> DeadlineId {
    let mut hash = Sha256::new();
    hash.update(b"tebessa deadline set\0");
    hash.update(case.0.as_bytes());
    hash.update(version.0.to_be_bytes());
    DeadlineId(custom(hash))
}

fn custom(hash: Sha256) -> Uuid {
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(digest) {
        *byte = hashed;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The id of the command that expires a deadline: a `UUIDv8` from the case, the deadline and the
/// instant at which it is due. A timer that fires twice sends one command twice, provided that it
/// also says that the command `occurred` at that instant; a deadline that was extended gets
/// another id for its new instant.
#[must_use]
pub fn expiry_command(case: CaseId, deadline: DeadlineId, due: Instant) -> CommandId {
    let mut hash = Sha256::new();
    hash.update(b"tebessa deadline expired\0");
    hash.update(case.0.as_bytes());
    hash.update(deadline.0.as_bytes());
    hash.update(due.timestamp().as_nanosecond().to_be_bytes());
    CommandId(custom(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn a_second_firing_is_the_same_command_and_an_extension_another() {
        let due: Instant = "2024-03-02T00:00:00Z".parse().unwrap();
        let later: Instant = "2024-03-09T00:00:00Z".parse().unwrap();
        let (case, deadline) = (CaseId(id(1)), DeadlineId(id(2)));
        let first = expiry_command(case, deadline, due);
        assert_eq!(first, expiry_command(case, deadline, due));
        assert_eq!(first.0.get_version_num(), 8);
        assert_eq!(first.to_string().parse(), Ok(first), "it is a canonical id");
        let others = [
            expiry_command(case, deadline, later),
            expiry_command(case, DeadlineId(id(3)), due),
            expiry_command(CaseId(id(3)), deadline, due),
        ];
        assert!(!others.contains(&first));
    }

    #[test]
    fn the_id_of_a_firing_is_fixed_for_ever() {
        let due: Instant = "2024-03-02T01:00:00+01:00".parse().unwrap();
        let fixed = expiry_command(CaseId(id(1)), DeadlineId(id(2)), due).to_string();
        assert_eq!(fixed, "88733d2e-ecff-83fd-83d5-4dc1821c1ff3");
    }
}
