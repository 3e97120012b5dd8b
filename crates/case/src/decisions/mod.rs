//! Decisions: issued by a person on a reviewed assessment, served, withdrawn; what they grant, and
//! what bars a removal.

mod bars;
mod issue;
mod service;
mod status;

use std::collections::BTreeMap;

use guidance::{Outcome, Value};
use jiff::civil::Date;

pub use self::bars::{LiftRemovalBar, PlaceRemovalBar, RemovalBar};
pub use self::service::{DecisionNotified, FailNotification, Notify, WithdrawDecision};
pub use self::status::{
    EndStatus, GrantStatus, HearStatusReview, KeepStatus, NotifyStatusReview, OpenStatusReview,
    StatusHeld, StatusReview,
};
pub(crate) use self::status::{better, carries, protection};
use crate::appeals::Appeal;
use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::token::{ActorId, Criterion};
use crate::vocabulary::{Circumstance, DecisionOutcome, Ground, StatusReviewStage};
use crate::{Instant, Seen, Version, WorldDate};

/// A finding on the onus: an open criterion counts as not met, with reasons (I5).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct OnusFinding {
    /// The open criterion.
    pub criterion: Criterion,
    /// Why the claimant bears the consequence, although the duty to ascertain is shared.
    pub reason: Personal<Words>,
}

/// Issues the decision on the latest assessment.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// The outcome.
    pub outcome: DecisionOutcome,
    /// The grounds of the Convention: with refugee status, and only then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Ground>,
    /// The reasons.
    pub reasons: Personal<Words>,
    /// Why the decision departs from the proposal; if it does, and only then (I10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departure: Option<Personal<Words>>,
    /// Findings on the onus.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub onus: Vec<OnusFinding>,
    /// The version of the assessment that the decision-maker was shown; refused unless it is
    /// the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Version>,
    /// The case as the decision-maker was shown it; as it is at the moment of the command where nothing is
    /// said. Refused where it is not the case's, or older than the review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// The decision was issued.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DecisionIssued {
    /// The outcome.
    pub outcome: DecisionOutcome,
    /// The grounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Ground>,
    /// The reasons.
    pub reasons: Personal<Words>,
    /// Why it departs from the proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departure: Option<Personal<Words>>,
    /// What the engine had proposed.
    #[schemars(schema_with = "crate::schema::outcome")]
    pub proposal: Outcome,
    /// The event that completed the assessment.
    pub assessment: Version,
    /// The event that agreed to it.
    pub review: Version,
    /// The findings on the onus.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub onus: Vec<OnusFinding>,
    /// The criteria that stay undetermined and do not matter for the outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unresolved: Vec<Criterion>,
    /// The case as the decision-maker was shown it; absent in records from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

impl DecisionIssued {
    /// Whether it departs from the proposal (I10), whether or not it says so.
    #[must_use]
    pub fn departs(&self) -> bool {
        departs(self.proposal, self.outcome, !self.onus.is_empty())
    }
}

/// I10: whether an outcome departs from the proposal. A finding on the onus where that is undetermined is
/// no departure: it has reasons of its own.
pub(crate) fn departs(proposal: Outcome, outcome: DecisionOutcome, on_the_onus: bool) -> bool {
    DecisionOutcome::from_proposal(proposal) != Some(outcome)
        && !(proposal == Outcome::Undetermined && on_the_onus)
}

commands! {
    service "decisions" as Decisions;
    Issue = "issue", "Issues the decision on the latest assessment.",
        by [DecisionMaker],
        personal [("reasons", Words), ("departure", Words), ("onus[].reason", Words)];
    Notify = "notify", "Records that the decision was served.",
        by [Registry], personal [];
    FailNotification = "fail-notification", "Records that an attempt to serve the decision failed.",
        by [Registry], personal [("note", Words)];
    WithdrawDecision = "withdraw", "Withdraws the decision: the claim is assessed again.",
        by [DecisionMaker], personal [("reason", Words)];
    PlaceRemovalBar = "place-removal-bar", "Places a removal bar.",
        by [Registry, DecisionMaker, AppealJudge], personal [("note", Words)];
    LiftRemovalBar = "lift-removal-bar", "Lifts a removal bar.",
        by [Registry, DecisionMaker, AppealJudge], personal [("reason", Words)];
    GrantStatus = "grant-status", "Grants a status on the decision that stands.",
        by [DecisionMaker, Registry], personal [];
    OpenStatusReview = "open-status-review", "Opens the review of a status.",
        by [DecisionMaker, Caseworker], personal [("reason", Words)];
    NotifyStatusReview = "notify-status-review", "Records that the claimant was told of the review.",
        by [Registry], personal [];
    HearStatusReview = "hear-status-review", "Records that the claimant was heard in the review.",
        by [DecisionMaker, Caseworker, Interviewer], personal [("note", Words)];
    KeepStatus = "keep-status", "Ends the review: the status stays.",
        by [DecisionMaker], personal [("reason", Words)];
    EndStatus = "end-status", "Ends the status.",
        by [DecisionMaker], personal [("reasons", Words), ("per_criterion[].reason", Words)];
}

/// Service failed.
pub type NotificationFailed = FailNotification;
/// The decision was withdrawn.
pub type DecisionWithdrawn = WithdrawDecision;
/// A removal bar was placed.
pub type RemovalBarPlaced = PlaceRemovalBar;
/// A removal bar was lifted.
pub type RemovalBarLifted = LiftRemovalBar;
/// A status was granted.
pub type StatusGranted = GrantStatus;
/// The review of a status was opened.
pub type StatusReviewOpened = OpenStatusReview;
/// The claimant was told of the review.
pub type StatusReviewNotified = NotifyStatusReview;
/// The claimant was heard in the review.
pub type StatusReviewHeard = HearStatusReview;
/// The review ended and the status stays.
pub type StatusKept = KeepStatus;
/// The status ended.
pub type StatusEnded = EndStatus;

events! {
    service "decisions" as Decisions;
    DecisionIssued = "issued", "The decision was issued.";
    DecisionNotified = "notified", "The decision was served.";
    NotificationFailed = "notification-failed", "An attempt to serve the decision failed.";
    DecisionWithdrawn = "withdrawn", "The decision was withdrawn.";
    RemovalBarPlaced = "removal-bar-placed", "A removal bar was placed.";
    RemovalBarLifted = "removal-bar-lifted", "A removal bar was lifted.";
    StatusGranted = "status-granted", "A status was granted.";
    StatusReviewOpened = "status-review-opened", "The review of a status was opened.";
    StatusReviewNotified = "status-review-notified", "The claimant was told of the review.";
    StatusReviewHeard = "status-review-heard", "The claimant was heard in the review.";
    StatusKept = "status-kept", "The review ended and the status stays.";
    StatusEnded = "status-ended", "The status ended.";
}

/// Service of a decision.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Notified {
    /// The event.
    pub version: Version,
    /// The day on which service is proved.
    pub served: WorldDate,
    /// The last day for an appeal.
    pub appeal_deadline: WorldDate,
    /// The first instant at which the time to appeal is over, where that was kept.
    pub over: Option<Instant>,
    /// The circumstance under which time runs, where it is not the ordinary one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circumstance: Option<Circumstance>,
}

/// What kind of decision it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub enum Issued {
    /// On an assessment.
    #[default]
    OnAssessment,
    /// It ended a status.
    StatusEnded,
}

/// What a case knows of a decision.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Decision {
    /// The event that issued it.
    pub version: Version,
    /// When it was issued, in the world.
    pub on: WorldDate,
    /// Who issued it.
    pub by: ActorId,
    /// What kind of decision it is.
    pub issued: Issued,
    /// The outcome.
    pub outcome: DecisionOutcome,
    /// The grounds.
    pub grounds: Vec<Ground>,
    /// The assessment it rests on.
    pub assessment: Version,
    /// The open criteria that it turned against the claimant by findings on the onus.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub onus: Vec<Criterion>,
    /// What it holds of criteria, where it ended a status.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::values")]
    pub held: BTreeMap<Criterion, Value>,
    /// Whether it departs from the proposal.
    pub departs: bool,
    /// What the decision-maker was shown.
    pub seen: Option<Seen>,
    /// Its service.
    pub notified: Option<Notified>,
    /// The attempts to serve it that failed.
    pub failed_services: Vec<Version>,
    /// The event that set it aside.
    pub set_aside: Option<Version>,
    /// The protection that it, or a court on it, gave, and that goes on although it was set aside: the
    /// claimant asked for more, and no review of a status ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<DecisionOutcome>,
}

impl Decision {
    /// A fresh decision, not served.
    fn new(stamp: &Stamp<'_>, outcome: DecisionOutcome, assessment: Version) -> Self {
        Self {
            version: stamp.version,
            on: stamp.occurred.clone(),
            by: stamp.by.id.clone(),
            issued: Issued::OnAssessment,
            outcome,
            grounds: Vec::new(),
            assessment,
            onus: Vec::new(),
            held: BTreeMap::new(),
            departs: false,
            seen: None,
            notified: None,
            failed_services: Vec::new(),
            set_aside: None,
            kept: None,
        }
    }
}

/// What the decisions service knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct State {
    /// The decisions in order.
    pub all: Vec<Decision>,
    /// The removal bars in order.
    pub bars: Vec<RemovalBar>,
    /// The statuses in order.
    pub statuses: Vec<StatusHeld>,
    /// The reviews of statuses in order.
    pub reviews: Vec<StatusReview>,
}

impl State {
    /// The decision that stands: the last, unless it was set aside.
    #[must_use]
    pub fn standing(&self) -> Option<&Decision> {
        self.all.last().filter(|decision| decision.set_aside.is_none())
    }

    /// Whether somebody issued a decision in this case, standing or not.
    pub(crate) fn decided(&self, actor: &ActorId) -> bool {
        self.all.iter().any(|decision| decision.by == *actor)
    }

    /// The status that stands.
    #[must_use]
    pub fn status(&self) -> Option<&StatusHeld> {
        self.statuses.iter().rev().find(|held| held.ended.is_none())
    }

    /// The review of a status that is pending.
    #[must_use]
    pub fn status_review(&self) -> Option<&StatusReview> {
        self.reviews.last().filter(|review| review.pending())
    }
}

/// Decides a command of decisions.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    use StatusReviewStage as Stage;
    Ok(match command {
        Command::Issue(decision) => {
            case.open()?;
            return issue::issue(case, decision, context);
        }
        Command::Notify(service) => return service::notify(case, service, context),
        Command::FailNotification(failed) => {
            service::fail(case, failed)?;
            Event::NotificationFailed(failed.clone())
        }
        Command::WithdrawDecision(withdrawal) => {
            service::withdraw(case)?;
            Event::DecisionWithdrawn(withdrawal.clone())
        }
        Command::PlaceRemovalBar(bar) => {
            bars::place(case, bar)?;
            Event::RemovalBarPlaced(bar.clone())
        }
        Command::LiftRemovalBar(lift) => {
            bars::lift(case, lift, context)?;
            Event::RemovalBarLifted(lift.clone())
        }
        Command::GrantStatus(grant) => {
            status::grant(case, grant)?;
            Event::StatusGranted(grant.clone())
        }
        Command::OpenStatusReview(review) => {
            status::open(case)?;
            Event::StatusReviewOpened(review.clone())
        }
        Command::NotifyStatusReview(notice) => {
            status::notify(case, notice)?;
            Event::StatusReviewNotified(notice.clone())
        }
        Command::HearStatusReview(hearing) => {
            status::hear(case, hearing, context)?;
            Event::StatusReviewHeard(hearing.clone())
        }
        Command::KeepStatus(kept) => {
            status::at(case, &[Stage::Opened, Stage::Notified, Stage::Heard])?;
            Event::StatusKept(kept.clone())
        }
        Command::EndStatus(end) => {
            let outcome = status::end(case, end, context)?;
            Event::StatusEnded(Box::new(EndStatus { outcome, ..(**end).clone() }))
        }
    })
}

/// A whole day, or the refusal that says which field is less exact.
pub(crate) fn day(date: &WorldDate, field: &str) -> Result<Date, Rejection> {
    need(date.exact_day(), Code::DateUnfit, &format!("{field} must be a whole day (YYYY-MM-DD)"))
}

/// The same of a day on which what it follows was there already. A day is fit that it was anywhere.
pub(crate) fn day_since(
    date: &WorldDate,
    field: &str,
    since: &WorldDate,
    what: &str,
) -> Result<Date, Rejection> {
    let day = day(date, field)?;
    if since.earliest_day().is_some_and(|earliest| day < earliest) {
        return refuse(Code::DateUnfit, format!("{field} is {day}, and {what} {since}"));
    }
    Ok(day)
}

/// What is dated before it could be there would be served, and its time to appeal over, before it is
/// there (I1, I11). A day is fit that it was anywhere.
pub(crate) fn not_before(
    occurred: &WorldDate,
    since: &WorldDate,
    what: &str,
) -> Result<(), Rejection> {
    let early = occurred.latest_day().zip(since.earliest_day());
    if early.is_some_and(|(day, since)| day < since) {
        return refuse(Code::DateUnfit, format!("occurred is {occurred}, and {what} on {since}"));
    }
    Ok(())
}

/// The day on which a case comes back: of the event that brings it back, or of the last that happened to
/// the decision before, whichever is later.
pub(crate) fn came_back(case: &Case, stamp: &Stamp<'_>) -> WorldDate {
    let last = last_day(case).max(stamp.occurred.exact_day());
    last.map_or_else(|| stamp.occurred.clone(), WorldDate::day)
}

/// The last day on which something happened to the last decision, or to a claim that is none any more: issue,
/// service, appeals, submissions, withdrawal.
pub(crate) fn last_day(case: &Case) -> Option<Date> {
    let round = case.assessment.round().and_then(|round| round.since.exact_day());
    let submitted = case.registry.later.submissions.iter().filter_map(|one| one.on.exact_day());
    let last = case.decisions.all.last();
    submitted.chain(round).chain(last.into_iter().flat_map(|last| days_of(case, last))).max()
}

fn days_of(case: &Case, decision: &Decision) -> impl Iterator<Item = Date> {
    let served = decision.notified.as_ref().map(|notified| &notified.served);
    let own = std::iter::once(&decision.on).chain(served).filter_map(WorldDate::exact_day);
    let appeals = case.appeals.all.iter().filter(|appeal| appeal.decision == decision.version);
    own.chain(appeals.flat_map(Appeal::days))
}

/// Applies an event of decisions.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    match event {
        Event::DecisionIssued(issued) => {
            case.decisions.all.push(Decision {
                grounds: issued.grounds.clone(),
                onus: issued.onus.iter().map(|onus| onus.criterion.clone()).collect(),
                departs: issued.departs(),
                seen: issued.seen,
                ..Decision::new(stamp, issued.outcome, issued.assessment)
            });
            // I13: whoever is to be taken for gone after a decision that fell is warned anew.
            case.registry.later.warning = None;
        }
        Event::DecisionNotified(notified) => service::notified(case, notified, stamp),
        Event::NotificationFailed(_) => service::failed(case, stamp),
        Event::DecisionWithdrawn(_) => service::withdrawn(case, stamp),
        Event::RemovalBarPlaced(bar) => bars::placed(case, bar, stamp),
        Event::RemovalBarLifted(lift) => bars::lifted(case, lift, stamp),
        Event::StatusGranted(grant) => status::granted(case, grant, stamp),
        Event::StatusReviewOpened(review) => status::opened(case, review, stamp),
        Event::StatusReviewNotified(notice) => status::notified(case, notice),
        Event::StatusReviewHeard(_) => status::step(case, StatusReviewStage::Heard),
        Event::StatusKept(_) => status::step(case, StatusReviewStage::Kept),
        Event::StatusEnded(end) => status::ended(case, end, stamp),
    }
}
