//! Time limits that clocks computed, computed again from what was recorded (I11).
//!
//! In scope: every event that names a file of clocks. A time limit that a sender stated, because the node had
//! no clock for it, derives from nothing; it is told beside what the built-in clock of the profile gives. Out
//! of scope: whether a clock is right: its file says where it stands.

use jiff::civil::Date;

use crate::appeals::{self, AppealDecided, LateFilingRuled, PermissionDecided};
use crate::clocks::{Clocks, Limit, ProfileClocks};
use crate::deadlines::{self, DeadlineSet};
use crate::decisions::{self, DecisionNotified};
use crate::record::Recorded;
use crate::registry::{self, ClaimWithdrawnImplicitly, WithdrawalWarned};
use crate::replay::Divergence;
use crate::state::Case;
use crate::vocabulary::{Circumstance, DeadlineKind};
use crate::{AppealId, Event, Instant, Version, WorldDate, token};

/// Files of clocks that are found by their hash, in force or not.
#[derive(Debug, Clone, Copy)]
pub struct ClockShelf<'a>(pub &'a [Clocks]);

impl<'a> ClockShelf<'a> {
    /// The clocks of a file, and their profile.
    #[must_use]
    pub fn find(self, hash: &str) -> Option<(&'a str, &'a ProfileClocks)> {
        self.0.iter().find_map(|clocks| clocks.by_hash(hash))
    }
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Verdict {
    /// What was recorded.
    Reproduced,
    /// Something else.
    Diverged(Divergence),
    /// Nothing: the file of clocks is not here.
    NotDerived,
    /// Nothing: a sender stated it.
    Stated(Stated),
}

/// A time limit that was stated without a clock.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Stated {
    /// The last day as it was stated, where it was not an instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<WorldDate>,
    /// The last day by the clock of the profile that is built in, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built_in: Option<WorldDate>,
    /// Whether less was stated than that clock gives.
    pub less: bool,
}

/// A time limit of a case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TimeLimit {
    /// What it is for.
    pub kind: DeadlineKind,
    /// Its event.
    pub version: Version,
    /// The position of its record.
    pub position: u64,
    /// The day after which time runs.
    pub from: WorldDate,
    /// The first instant at which it is over, as recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<Instant>,
    /// The file of clocks that the event names, as `sha256:` and 64 hexadecimal digits; absent where it was
    /// stated without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clocks: Option<token::ClocksId>,
    /// What came out.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Computes the time limit of an event again, or says what the built-in clock gives where it was stated;
/// `None` where the event has none. The case is as it was before the event.
#[must_use]
pub fn again(case: &Case, record: &Recorded, known: ClockShelf<'_>) -> Option<TimeLimit> {
    let told = Told::of(case, record)?;
    let registered = case.intake.registration.as_ref();
    let registered = registered.map_or("", |registration| registration.profile.as_str());
    let verdict = match told.clocks.map(|named| known.find(named.as_str())) {
        None => Verdict::Stated(told.beside_built_in(registered)),
        Some(None) => Verdict::NotDerived,
        Some(Some((profile, clocks))) => {
            let found = differs("profile", registered, profile).or_else(|| told.against(clocks));
            found.map_or(Verdict::Reproduced, Verdict::Diverged)
        }
    };
    Some(TimeLimit {
        kind: told.limit.kind,
        version: record.envelope.version,
        position: record.position,
        from: told.from.clone(),
        over: told.over,
        clocks: told.clocks.cloned(),
        verdict,
    })
}

/// What an event tells of its time limit.
struct Told<'e> {
    limit: Limit,
    /// None where the event does not say it.
    circumstance: Option<Circumstance>,
    from: &'e WorldDate,
    /// The last day as it was computed.
    computed: Option<&'e WorldDate>,
    /// The last day as it was given, which may be later.
    given: Option<&'e WorldDate>,
    over: Option<Instant>,
    /// None where it was stated.
    clocks: Option<&'e token::ClocksId>,
}

/// The time to go further from the ruling of a court on an appeal that so many ruled on before.
fn after_ruling(case: &Case, appeal: AppealId) -> Limit {
    Limit::onward(courts(case, appeal).saturating_add(1), false)
}

fn courts(case: &Case, appeal: AppealId) -> u8 {
    let found = case.appeals.all.iter().find(|one| one.id == appeal);
    found.map_or(0, appeals::Appeal::courts)
}

impl<'e> Told<'e> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "clocks compute nothing in the other events"
    )]
    fn of(case: &Case, record: &'e Recorded) -> Option<Self> {
        let occurred = &record.envelope.occurred;
        Some(match &record.event {
            Event::Decisions(decisions::Event::DecisionNotified(event)) => Self::notified(event),
            Event::Appeals(appeals::Event::AppealDecided(event)) => {
                Self::ruled(case, event, occurred)
            }
            Event::Appeals(appeals::Event::LateFilingRuled(event)) => {
                Self::rejected(case, event, occurred)
            }
            Event::Appeals(appeals::Event::PermissionDecided(event)) => {
                Self::refused(case, event, occurred)
            }
            Event::Deadlines(deadlines::Event::DeadlineSet(event)) => {
                Self::set(case, event, occurred)
            }
            Event::Registry(registry::Event::WithdrawalWarned(event)) => Self::warned(event),
            Event::Registry(registry::Event::ClaimWithdrawnImplicitly(event)) => {
                Self::withdrawn(event, occurred)
            }
            _ => return None,
        })
        // What neither a clock nor a sender says is no time limit.
        .filter(|told| told.clocks.is_some() || told.given.is_some() || told.over.is_some())
    }

    fn notified(event: &'e DecisionNotified) -> Self {
        Self {
            limit: DeadlineKind::Appeal.into(),
            circumstance: Some(event.circumstance.unwrap_or(Circumstance::Ordinary)),
            from: &event.served,
            computed: event.computed.as_ref(),
            given: Some(&event.appeal_deadline),
            over: event.over,
            clocks: event.clocks.as_ref(),
        }
    }

    fn ruled(case: &Case, event: &'e AppealDecided, occurred: &'e WorldDate) -> Self {
        Self {
            limit: after_ruling(case, event.appeal),
            circumstance: Some(event.circumstance.unwrap_or(Circumstance::Ordinary)),
            from: event.from.as_ref().unwrap_or(occurred),
            computed: event.computed.as_ref(),
            given: event.onward_deadline.as_ref(),
            over: event.over,
            clocks: event.clocks.as_ref(),
        }
    }

    fn rejected(case: &Case, event: &'e LateFilingRuled, occurred: &'e WorldDate) -> Self {
        Self {
            limit: after_ruling(case, event.appeal),
            circumstance: Some(event.circumstance.unwrap_or(Circumstance::Ordinary)),
            from: event.from.as_ref().unwrap_or(occurred),
            computed: event.onward_deadline.as_ref(),
            given: event.onward_deadline.as_ref(),
            over: event.over,
            clocks: event.clocks.as_ref(),
        }
    }

    fn refused(case: &Case, event: &'e PermissionDecided, occurred: &'e WorldDate) -> Self {
        Self {
            limit: Limit::onward(courts(case, event.appeal), true),
            circumstance: Some(event.circumstance.unwrap_or(Circumstance::Ordinary)),
            from: event.from.as_ref().unwrap_or(occurred),
            computed: event.renew_by.as_ref(),
            given: event.renew_by.as_ref(),
            over: event.over,
            clocks: event.clocks.as_ref(),
        }
    }

    fn set(case: &Case, event: &'e DeadlineSet, occurred: &'e WorldDate) -> Self {
        Self {
            limit: deadlines::limit(case, event.kind),
            circumstance: None,
            from: event.from.as_ref().unwrap_or(occurred),
            computed: None,
            given: None,
            over: Some(event.due),
            clocks: event.clocks.as_ref(),
        }
    }

    fn warned(event: &'e WithdrawalWarned) -> Self {
        Self {
            limit: DeadlineKind::Response.into(),
            circumstance: Some(Circumstance::Ordinary),
            from: &event.served,
            computed: None,
            given: Some(&event.respond_by),
            over: event.over,
            clocks: event.clocks.as_ref(),
        }
    }

    fn withdrawn(event: &'e ClaimWithdrawnImplicitly, occurred: &'e WorldDate) -> Self {
        Self {
            limit: DeadlineKind::Reinstatement.into(),
            circumstance: Some(Circumstance::Ordinary),
            from: occurred,
            computed: event.reinstatable_until.as_ref(),
            given: event.reinstatable_until.as_ref(),
            over: event.over,
            clocks: event.clocks.as_ref(),
        }
    }

    /// What was stated beside what the built-in clock of a profile gives.
    fn beside_built_in(&self, profile: &str) -> Stated {
        let circumstance = self.circumstance.unwrap_or(Circumstance::Ordinary);
        let clocks = Clocks::embedded();
        let from = self.from.exact_day();
        let computed =
            from.and_then(|from| clocks.compute(profile, self.limit, circumstance, from));
        let less = computed.as_ref().is_some_and(|computed| {
            match (self.given.and_then(WorldDate::last_day), self.over) {
                (Some(last), _) => last < computed.last,
                (None, Some(over)) => over < computed.over,
                (None, None) => false,
            }
        });
        let built_in = computed.map(|computed| WorldDate::day(computed.last));
        Stated { last: self.given.cloned(), built_in, less }
    }

    /// The first thing that comes out otherwise.
    fn against(&self, clocks: &ProfileClocks) -> Option<Divergence> {
        let Some(from) = self.from.exact_day() else {
            return differs("from", self.from.as_str(), "no day");
        };
        let Some(circumstance) = self.circumstance else {
            return self.against_any(clocks, from);
        };
        let Some(computed) = clocks.compute(self.limit, circumstance, from) else {
            return differs("clock", self.limit.kind.as_str(), "no such clock");
        };
        let last = WorldDate::day(computed.last);
        if let Some(recorded) = self.computed
            && let Some(found) = differs("computed", recorded.as_str(), last.as_str())
        {
            return Some(found);
        }
        let given = self.given.map_or(Some(computed.last), WorldDate::exact_day);
        let Some(given) = given.filter(|given| *given >= computed.last) else {
            let given = self.given.map_or("", WorldDate::as_str);
            return differs("last day", given, &format!("at least {last}"));
        };
        let over = clocks.after(given).map(|over| over.to_string()).unwrap_or_default();
        self.over.and_then(|recorded| differs("over", &recorded.to_string(), &over))
    }

    /// The circumstance was not recorded: the end must be that of one of the file's clocks.
    fn against_any(&self, clocks: &ProfileClocks, from: Date) -> Option<Divergence> {
        let ends: Vec<String> = Circumstance::ALL
            .iter()
            .filter_map(|one| clocks.compute(self.limit, *one, from))
            .map(|computed| computed.over.to_string())
            .collect();
        let recorded = self.over.map(|over| over.to_string()).unwrap_or_default();
        if ends.contains(&recorded) {
            return None;
        }
        differs("due", &recorded, ends.first().map_or("no such clock", String::as_str))
    }
}

fn differs(node: &str, recorded: &str, derived: &str) -> Option<Divergence> {
    let (node, same) = (node.to_owned(), recorded == derived);
    let (recorded, derived) = (recorded.to_owned(), derived.to_owned());
    (!same).then_some(Divergence { node, recorded, derived })
}
