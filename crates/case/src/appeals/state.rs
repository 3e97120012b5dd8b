//! What a case knows of its appeals, and how their events change it.

use std::collections::BTreeMap;

use guidance::Value;
use jiff::civil::Date;

use super::hearings::{self, Hearing, Onward};
use super::{AppealDecided, Event};
use crate::decisions::{self, Issued, better, carries};
use crate::rejection::{Code, Rejection};
use crate::state::{Case, Stamp, need};
use crate::token::{ActorId, Criterion};
use crate::vocabulary::{
    AppealResult, DecisionOutcome, LateRuling, PermissionResult, RemittedTo, Role,
    SuspensiveEffect, TakenBack,
};
use crate::{AppealId, Instant, Seen, Version, WorldDate};

/// The end of an appeal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Ruling {
    /// The event.
    pub version: Version,
    /// When it was made, in the world.
    pub on: WorldDate,
    /// Who decided.
    pub by: ActorId,
    /// How it ended.
    pub result: AppealResult,
    /// The outcome that now stands; absent where it is the decision's.
    pub outcome: Option<DecisionOutcome>,
    /// What the courts held by then, criterion by criterion.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::values")]
    pub held: BTreeMap<Criterion, Value>,
    /// The last day for a further appeal.
    pub onward_deadline: Option<WorldDate>,
    /// The first instant at which the time for it is over, where that was kept.
    pub over: Option<Instant>,
    /// What the judge was shown.
    pub seen: Option<Seen>,
}

/// What a case knows of an appeal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Appeal {
    /// Its id.
    pub id: AppealId,
    /// The event that filed it.
    pub version: Version,
    /// The event that issued the decision.
    pub decision: Version,
    /// The day of filing.
    pub filed: WorldDate,
    /// Whether it was in time.
    pub in_time: bool,
    /// What was ruled on late filing.
    pub late: Option<LateRuling>,
    /// Who ruled on that, by which event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_ruled: Option<(ActorId, Version)>,
    /// When that was, in the world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_ruled_on: Option<WorldDate>,
    /// The first instant at which the time to take the rejection of a late filing further is over, where
    /// it was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_onward: Option<Instant>,
    /// How it ended.
    pub ruling: Option<Ruling>,
    /// The rulings before it, in order, where a next court ruled too. Where that gave the appeal back to the
    /// first tribunal, none of them stands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Ruling>,
    /// The event by which it has nothing to decide any more: its decision fell, or it was withdrawn.
    pub lapsed: Option<Version>,
    /// Whether it was withdrawn, so that it stands in no other's way.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// What was determined of its effect meanwhile.
    pub suspensive: Option<SuspensiveEffect>,
    /// Its hearings, in order.
    pub hearings: Vec<Hearing>,
    /// The permission to go further.
    pub onward: Option<Onward>,
    /// The first instant at which the claimant's time to ask another judge for it is over, where one refused
    /// it: whatever the authority asks meanwhile, and whatever of their own they take back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewable: Option<Instant>,
}

impl Appeal {
    /// Whether it waits for a ruling of any kind.
    #[must_use]
    pub fn pending(&self) -> bool {
        let waits = self.ruling.is_none() && self.late != Some(LateRuling::Rejected);
        self.lapsed.is_none() && (waits || self.before_the_next_court())
    }

    /// Whether it ended, so that there is something to take further: it was ruled on, or rejected as
    /// late.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.lapsed.is_none() && (self.ruling.is_some() || self.late == Some(LateRuling::Rejected))
    }

    /// How many courts ruled on it, one that rejected it as late among them; none that ruled before a court
    /// gave it back to the first.
    #[must_use]
    pub fn courts(&self) -> u8 {
        let rejected = self.late == Some(LateRuling::Rejected);
        let stand = |ruling: &&Ruling| ruling.result != AppealResult::Remitted;
        let rulings = self.earlier.iter().rev().take_while(stand).count();
        let rulings = rulings + usize::from(self.ruling.is_some());
        u8::try_from(rulings + usize::from(rejected)).unwrap_or(u8::MAX)
    }

    /// Whether the next court has it: permission was granted and not ruled upon.
    #[must_use]
    pub fn before_the_next_court(&self) -> bool {
        self.onward.as_ref().is_some_and(|onward| {
            onward.result == Some(PermissionResult::Granted) && onward.ruled.is_none()
        })
    }

    /// The days on which what it is about to be ruled on was there: filing, rulings, permission, hearings.
    pub(crate) fn days(&self) -> impl Iterator<Item = Date> {
        let ruled = self.earlier.iter().chain(&self.ruling).map(|ruling| &ruling.on);
        let ruled = ruled.chain(&self.late_ruled_on);
        let onward = self.onward.iter();
        let sought = onward.flat_map(|one| one.sought_on.iter().chain(&one.decided_on));
        let heard = self.hearings.iter().filter_map(|hearing| hearing.held.as_ref());
        let all = std::iter::once(&self.filed).chain(ruled).chain(sought).chain(heard);
        all.filter_map(WorldDate::exact_day)
    }

    /// What a court ruled last, also where that gave the appeal back to the one below.
    #[must_use]
    pub fn last_ruling(&self) -> Option<&Ruling> {
        self.ruling.as_ref().or(self.earlier.last())
    }

    /// Whether a next court gave it back, and it waits for a ruling as at first.
    #[must_use]
    pub fn given_back(&self) -> bool {
        self.ruling.is_none() && !self.earlier.is_empty()
    }

    /// Whether permission to go further is sought and not decided.
    #[must_use]
    pub fn permission_pending(&self) -> bool {
        self.lapsed.is_none() && self.onward.as_ref().is_some_and(|onward| onward.result.is_none())
    }
}

/// What the appeals service knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct State {
    /// The appeals in order.
    pub all: Vec<Appeal>,
}

impl State {
    /// The pending appeal; there is at most one.
    #[must_use]
    pub fn pending(&self) -> Option<&Appeal> {
        self.all.iter().find(|appeal| appeal.pending())
    }

    /// The ruling that ended the last appeal against a decision.
    #[must_use]
    pub fn ruling_on(&self, decision: Version) -> Option<&Ruling> {
        self.against(decision)?.ruling.as_ref()
    }

    /// The last appeal against a decision that was not withdrawn.
    #[must_use]
    pub fn against(&self, decision: Version) -> Option<&Appeal> {
        self.all.iter().rev().find(|appeal| appeal.decision == decision && !appeal.withdrawn)
    }

    /// Whether two appeals are one dispute: the same, or one that was taken back and the next against the
    /// same decision.
    #[must_use]
    pub fn same_dispute(&self, one: AppealId, other: AppealId) -> bool {
        let of = |id| self.all.iter().find(|appeal| appeal.id == id);
        let renewed =
            |(one, other): (&Appeal, &Appeal)| one.withdrawn && one.decision == other.decision;
        one == other || of(one).zip(of(other)).is_some_and(renewed)
    }

    /// Ends what is pending: its decision does not stand any more, or the claim was withdrawn.
    pub(crate) fn lapse(&mut self, by: Version) {
        for appeal in &mut self.all {
            if appeal.pending() || appeal.permission_pending() {
                appeal.lapsed = Some(by);
            }
        }
    }

    /// Whether the permission to go further is sought and not decided.
    #[must_use]
    pub fn permission_pending(&self) -> Option<&Appeal> {
        self.all.iter().find(|appeal| appeal.permission_pending())
    }

    pub(super) fn one(&self, id: AppealId) -> Result<&Appeal, Rejection> {
        let found = self.all.iter().find(|appeal| appeal.id == id);
        need(found, Code::UnknownAppeal, &format!("the case has no appeal {id}"))
    }
}

/// Applies an event of appeals.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    match event {
        Event::AppealFiled(filed) => {
            case.open_again();
            case.appeals.all.push(Appeal {
                id: filed.appeal,
                version: stamp.version,
                decision: filed.decision,
                filed: filed.filed.clone(),
                in_time: filed.in_time,
                late: None,
                late_ruled: None,
                late_ruled_on: None,
                late_onward: None,
                ruling: None,
                earlier: Vec::new(),
                lapsed: None,
                withdrawn: false,
                suspensive: None,
                hearings: Vec::new(),
                onward: None,
                renewable: None,
            });
        }
        Event::LateFilingRuled(ruled) => {
            if let Some(appeal) = find(case, ruled.appeal) {
                appeal.late = Some(ruled.ruling);
                appeal.late_ruled = Some((stamp.by.id.clone(), stamp.version));
                appeal.late_ruled_on = Some(stamp.occurred.clone());
                appeal.late_onward = ruled.over;
            }
        }
        Event::AppealWithdrawn(one) => {
            if let Some(appeal) = find(case, one.appeal) {
                withdrawn(appeal, one.what, stamp);
            }
        }
        Event::AppealDecided(decided) => end(case, decided, stamp),
        Event::SuspensiveEffectDetermined(_)
        | Event::HearingListed(_)
        | Event::HearingAdjourned(_)
        | Event::HearingHeld(_)
        | Event::PermissionSought(_)
        | Event::PermissionDecided(_) => {
            if matches!(event, Event::PermissionSought(_)) {
                case.open_again();
            }
            if let Some(appeal) = find(case, event.appeal()) {
                hearings::evolve(appeal, event, stamp);
            }
        }
    }
}

/// What was asked for last is withdrawn: the next court, the permission, or the appeal itself. What
/// was ruled before stands.
fn withdrawn(appeal: &mut Appeal, what: TakenBack, stamp: &Stamp<'_>) {
    match what {
        TakenBack::Permission | TakenBack::OnwardAppeal => appeal.onward = None,
        TakenBack::Appeal => {
            appeal.lapsed = Some(stamp.version);
            appeal.withdrawn = true;
        }
    }
}

fn find(case: &mut Case, id: AppealId) -> Option<&mut Appeal> {
    case.appeals.all.iter_mut().find(|appeal| appeal.id == id)
}

fn end(case: &mut Case, decided: &AppealDecided, stamp: &Stamp<'_>) {
    let stood = case.outcome().filter(|outcome| outcome.protects());
    let mut by_claimant = true;
    if let Some(appeal) = find(case, decided.appeal) {
        if let Some(onward) = appeal.onward.as_mut() {
            onward.ruled = Some(stamp.version);
            by_claimant = onward.by != Role::DecisionMaker;
        }
        appeal.renewable = None;
        let base = appeal.earlier.last().filter(|_| appeal.given_back()).cloned();
        let before = appeal.ruling.take();
        let below = decided.to == Some(RemittedTo::Tribunal);
        let ruling = Ruling {
            version: stamp.version,
            on: stamp.occurred.clone(),
            by: stamp.by.id.clone(),
            result: decided.result,
            outcome: outcome_after(before.as_ref(), decided),
            held: held_after(before.as_ref().filter(|_| !below).or(base.as_ref()), decided),
            onward_deadline: decided.onward_deadline.clone(),
            over: decided.over,
            seen: decided.seen,
        };
        appeal.earlier.extend(before);
        if below {
            appeal.earlier.push(ruling);
            // Whether it was late is ruled on anew where that was held against it.
            appeal.late = appeal.late.filter(|late| *late == LateRuling::Admitted);
            appeal.late_onward = appeal.late_onward.filter(|_| appeal.late.is_some());
        } else {
            appeal.ruling = Some(ruling);
        }
    }
    status_returns(case, decided, stamp.version);
    if decided.to == Some(RemittedTo::Tribunal) {
        // The decision stands, under appeal again; and who asked for more loses nothing that was given.
        if let Some(decision) = case.decisions.all.last_mut().filter(|_| by_claimant) {
            decision.kept = better(decision.kept, stood.filter(|it| *it != decision.outcome));
        }
        return;
    }
    if decided.result == AppealResult::Remitted {
        if let Some(decision) = case.decisions.all.last_mut() {
            decision.set_aside = Some(stamp.version);
            // Nobody loses what nobody challenged: who asks for more all that was given, and where the
            // authority asks what it had given itself.
            let own = Some(decision.outcome).filter(|outcome| outcome.protects());
            decision.kept = better(decision.kept, if by_claimant { stood } else { own });
        }
        case.assessment.open_round(stamp.version, decisions::came_back(case, stamp));
    }
}

/// A court that dismisses leaves what the court before it ruled.
fn outcome_after(before: Option<&Ruling>, decided: &AppealDecided) -> Option<DecisionOutcome> {
    let before = before.filter(|_| decided.result == AppealResult::Dismissed);
    decided.outcome.or_else(|| before?.outcome)
}

/// What the courts hold by now, criterion by criterion; of the last court where they differ. A court that
/// remits leaves nothing of the rulings before it.
fn held_after(before: Option<&Ruling>, decided: &AppealDecided) -> BTreeMap<Criterion, Value> {
    let before = before.filter(|_| decided.result != AppealResult::Remitted);
    let mut held = before.map(|ruling| ruling.held.clone()).unwrap_or_default();
    held.extend(decided.per_criterion.iter().map(|one| (one.criterion.clone(), one.value)));
    held
}

/// Where the end of a status was appealed and falls, that status stands again: when it is remitted, or
/// the outcome is the one that carries it. A next court that rules otherwise ends it again, and one that
/// dismisses leaves what the court before it ruled.
fn status_returns(case: &mut Case, decided: &AppealDecided, ruled: Version) {
    let standing = case.decisions.standing().filter(|one| one.issued == Issued::StatusEnded);
    let Some(end) = standing.map(|decision| decision.version) else { return };
    let statuses = &mut case.decisions.statuses;
    let Some(place) = statuses.iter().rposition(|held| held.version < end) else { return };
    let (earlier, later) = statuses.split_at_mut(place + 1);
    let Some(held) = earlier.last_mut() else { return };
    let falls = match decided.result {
        AppealResult::Dismissed => return,
        AppealResult::Remitted => decided.to.is_none(),
        AppealResult::Allowed | AppealResult::Substituted => decided
            .outcome
            .is_some_and(|outcome| outcome.protects() && carries(outcome, held.status)),
    };
    if falls {
        held.ended = None;
        // What was granted meanwhile gave way to it.
        for lesser in later {
            lesser.ended.get_or_insert(ruled);
        }
    } else {
        held.ended = Some(end);
    }
}
