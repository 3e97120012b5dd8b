//! A status: granted on a decision, looked at again, and ended on one of three distinct grounds.
//!
//! The end of a status is a decision of its own: it is served, and can be appealed. Until then, and
//! while a time limit runs or an appeal is pending, the person is not removed (I1).

use super::{Decision, Issued, day, day_since, not_before};
use crate::appeals::CriterionRuling;
use crate::decide::Context;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::token::{ActorId, Language};
use crate::vocabulary::{
    DecisionOutcome, EndGround, Retention, ServiceMethod, StatusKind, StatusReviewKind,
    StatusReviewStage,
};
use crate::{Version, WorldDate};

/// Grants a status on the decision that stands.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct GrantStatus {
    /// Which.
    pub status: StatusKind,
    /// From which day.
    pub from: WorldDate,
    /// When it is to be looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<WorldDate>,
}

/// Opens the review of a status.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct OpenStatusReview {
    /// On which of the three grounds.
    pub kind: StatusReviewKind,
    /// What gave rise to it.
    pub reason: Personal<Words>,
}

/// Records that the claimant was told of the review.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct NotifyStatusReview {
    /// How.
    pub method: ServiceMethod,
    /// In which language.
    pub language: Language,
    /// On which day service is proved.
    pub served: WorldDate,
}

/// Records that the claimant was heard in the review, or had the chance.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct HearStatusReview {
    /// Whether the claimant made use of it.
    pub attended: bool,
    /// What was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

/// Ends the review: the status stays.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct KeepStatus {
    /// Why.
    pub reason: Personal<Words>,
}

/// Ends the status.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct EndStatus {
    /// On which ground; one that belongs to the kind of the review.
    pub ground: EndGround,
    /// The outcome that stands from now on, less than the status that ends. Where nothing is said it
    /// is what a court gave instead, else `refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DecisionOutcome>,
    /// What is held now of criteria on which a finding or a court said otherwise before, such as that harm
    /// within article 3 awaits the person no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub per_criterion: Vec<CriterionRuling>,
    /// The reasons.
    pub reasons: Personal<Words>,
}

/// A status.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct StatusHeld {
    /// Which.
    pub status: StatusKind,
    /// The event that granted it.
    pub version: Version,
    /// When, in the world.
    pub on: WorldDate,
    /// The event that ended it.
    pub ended: Option<Version>,
}

/// The review of a status.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct StatusReview {
    /// On which of the three grounds.
    pub kind: StatusReviewKind,
    /// Where it stands.
    pub stage: StatusReviewStage,
    /// Who opened it.
    pub by: ActorId,
    /// The event that opened it.
    pub version: Version,
    /// When it was opened, in the world.
    pub on: WorldDate,
    /// The day on which service of the notice is proved.
    pub noticed: Option<WorldDate>,
}

impl StatusReview {
    /// Whether it is not over.
    #[must_use]
    pub const fn pending(&self) -> bool {
        !matches!(self.stage, StatusReviewStage::Kept | StatusReviewStage::Ended)
    }
}

pub(super) fn grant(case: &Case, grant: &GrantStatus) -> Result<(), Rejection> {
    case.not_closed()?;
    // Notice and hearing are about one status, and so is what they end with (I1).
    if case.decisions.status_review().is_some() {
        return refuse(
            Code::StatusReviewPending,
            "a review of the status is pending; end it or keep the status first",
        );
    }
    let kept = case.decisions.all.iter().filter_map(|decision| decision.kept);
    let outcomes: Vec<DecisionOutcome> = case.outcome().into_iter().chain(kept).collect();
    let outcome = need(outcomes.first(), Code::NoDecision, "there is no decision that grants")?;
    if let Some(held) = case.decisions.status()
        && rank(held.status) >= rank(grant.status)
    {
        return refuse(
            Code::StatusStands,
            format!("the status {} of version {} stands", held.status, held.version),
        );
    }
    if !outcomes.iter().any(|outcome| carries(*outcome, grant.status)) {
        return refuse(
            Code::StatusUnfit,
            format!("the outcome that stands is {outcome}; it does not carry {}", grant.status),
        );
    }
    let from = day(&grant.from, "from")?;
    if let Some(review) = &grant.review
        && day(review, "review")? <= from
    {
        return refuse(Code::DateUnfit, "review is not after the day from which the status runs");
    }
    Ok(())
}

/// Which status gives more: a grant replaces a lesser one and never a greater.
const fn rank(status: StatusKind) -> u8 {
    match status {
        StatusKind::NonrefoulementOnly => 0,
        StatusKind::Humanitarian => 1,
        StatusKind::Subsidiary => 2,
        StatusKind::Refugee => 3,
    }
}

pub(super) fn granted(case: &mut Case, grant: &GrantStatus, stamp: &Stamp<'_>) {
    for lesser in &mut case.decisions.statuses {
        lesser.ended.get_or_insert(stamp.version);
    }
    case.decisions.statuses.push(StatusHeld {
        status: grant.status,
        version: stamp.version,
        on: stamp.occurred.clone(),
        ended: None,
    });
}

/// A status is reviewed when nothing else about the claim is open.
fn nothing_else_open(case: &Case) -> Result<(), Rejection> {
    // What was granted may be reviewed also where the claimant withdrew what was asked for beside it.
    if case.intake.withdrawn.is_none() {
        need(case.decisions.standing(), Code::NoDecision, "the claim is open; decide it first")?;
    }
    if case.appeals.pending().is_some() || case.appeals.permission_pending().is_some() {
        return refuse(Code::AppealPending, "an appeal is pending; the tribunal has the case");
    }
    Ok(())
}

pub(super) fn open(case: &Case) -> Result<(), Rejection> {
    case.exists()?;
    need(case.decisions.status(), Code::NoStatus, "no status stands that could be reviewed")?;
    if case.decisions.status_review().is_some() {
        return refuse(Code::StatusReviewPending, "a review of the status is pending already");
    }
    nothing_else_open(case)
}

/// The pending review, if it stands where the step begins.
pub(super) fn at<'a>(
    case: &'a Case,
    from: &[StatusReviewStage],
) -> Result<&'a StatusReview, Rejection> {
    case.exists()?;
    let review = need(
        case.decisions.status_review(),
        Code::NoStatusReview,
        "no review of a status is pending; open one with its ground",
    )?;
    if from.contains(&review.stage) {
        return Ok(review);
    }
    refuse(
        Code::StatusReviewUnfit,
        format!(
            "the review is {}: notice comes first, then the hearing, then its end",
            review.stage
        ),
    )
}

/// The claimant is told of the review once it is opened, of what was decided before.
pub(super) fn notify(case: &Case, notice: &NotifyStatusReview) -> Result<(), Rejection> {
    let review = at(case, &[StatusReviewStage::Opened])?;
    day_since(&notice.served, "served", &review.on, "the review was opened on")?;
    if let Some(held) = case.decisions.status() {
        day_since(&notice.served, "served", &held.on, "the status was granted on")?;
    }
    if let Some(last) = super::last_day(case).map(WorldDate::day) {
        day_since(&notice.served, "served", &last, "what was decided before is of")?;
    }
    Ok(())
}

/// Notice, then hearing, then the end, by another person than the one who opened the review. Gives the
/// outcome that stands then, where that is another than `refused`.
pub(super) fn end(
    case: &Case,
    end: &EndStatus,
    context: &Context<'_>,
) -> Result<Option<DecisionOutcome>, Rejection> {
    let review = at(case, &[StatusReviewStage::Heard])?;
    not_before_notice(review, context)?;
    nothing_else_open(case)?;
    if review.by == context.by.id {
        return refuse(
            Code::TookPart,
            "the actor opened the review; somebody else decides whether the status ends",
        );
    }
    case.impartial(&context.by.id)?;
    if !review.kind.grounds().contains(&end.ground) {
        return refuse(
            Code::EndGroundUnfit,
            format!("{} is no ground of {}", end.ground, review.kind),
        );
    }
    for held in &end.per_criterion {
        context.law.known_criterion(case, &held.criterion)?;
    }
    remains(case, end)
}

/// First notice, then the hearing, then the end: nobody is heard, or taken for absent, before the notice was
/// served.
pub(super) fn not_before_notice(
    review: &StatusReview,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    match &review.noticed {
        Some(noticed) => not_before(context.occurred, noticed, "notice of the review was served"),
        None => Ok(()),
    }
}

/// Who is told and does not come on the same day had no chance to come: there is a day between.
pub(super) fn hear(
    case: &Case,
    hearing: &HearStatusReview,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let review = at(case, &[StatusReviewStage::Notified, StatusReviewStage::Heard])?;
    not_before_notice(review, context)?;
    let noticed = review.noticed.as_ref().and_then(WorldDate::exact_day);
    if !hearing.attended && context.occurred.exact_day() <= noticed {
        return refuse(
            Code::DateUnfit,
            "notice was served on that day; whoever does not come is absent on the next, at soonest",
        );
    }
    Ok(())
}

/// What a court gave instead of the status stays, and the authority may leave more than nothing.
fn remains(case: &Case, end: &EndStatus) -> Result<Option<DecisionOutcome>, Rejection> {
    let held = need(case.decisions.status(), Code::NoStatus, "no status stands")?.status;
    // A humanitarian stay is given beside what protects from return, and takes nothing of that with it.
    let beside = held == StatusKind::Humanitarian;
    let given = case.outcome().filter(|outcome| outcome.protects());
    let given = given.filter(|outcome| beside || !carries(*outcome, held));
    let Some(stated) = end.outcome else { return Ok(given) };
    let lesser = status_of(stated).is_none_or(|status| rank(status) < rank(held));
    if stated == DecisionOutcome::Inadmissible
        || !lesser
        || given.is_some_and(|given| given != stated)
    {
        return refuse(
            Code::OutcomeUnfit,
            format!("{stated} is not what can stand where the status {held} ends"),
        );
    }
    Ok((stated != DecisionOutcome::Refused).then_some(stated))
}

/// The status that an outcome that protects carries.
fn status_of(outcome: DecisionOutcome) -> Option<StatusKind> {
    let all = [StatusKind::Refugee, StatusKind::Subsidiary, StatusKind::NonrefoulementOnly];
    all.into_iter().find(|status| carries(outcome, *status))
}

/// The one of two outcomes that gives more.
pub(crate) fn better(
    one: Option<DecisionOutcome>,
    other: Option<DecisionOutcome>,
) -> Option<DecisionOutcome> {
    one.into_iter().chain(other).max_by_key(|outcome| status_of(*outcome).map(rank))
}

/// How long the file of somebody who has protection is kept: by the best of what was decided, was kept, and
/// was granted.
pub(crate) fn protection(case: &Case) -> Option<Retention> {
    let held = case.decisions.status().map(|held| (rank(held.status), Retention::Granted));
    let kept = case.decisions.all.iter().filter_map(|decision| decision.kept);
    let given = kept.chain(case.outcome());
    let given = given.filter_map(|it| Some((rank(status_of(it)?), it.retention())));
    held.into_iter().chain(given).max_by_key(|(rank, _)| *rank).map(|(_, retention)| retention)
}

/// Whether a status is that of an outcome.
pub(crate) fn carries(outcome: DecisionOutcome, status: StatusKind) -> bool {
    match status {
        StatusKind::Refugee => outcome == DecisionOutcome::Refugee,
        StatusKind::Subsidiary => outcome == DecisionOutcome::Subsidiary,
        StatusKind::NonrefoulementOnly => matches!(
            outcome,
            DecisionOutcome::NonrefoulementOnly | DecisionOutcome::ExcludedNotRemovable
        ),
        StatusKind::Humanitarian => {
            !matches!(outcome, DecisionOutcome::Refugee | DecisionOutcome::Subsidiary)
        }
    }
}

pub(super) fn notified(case: &mut Case, notice: &NotifyStatusReview) {
    step(case, StatusReviewStage::Notified);
    if let Some(review) = case.decisions.reviews.last_mut() {
        review.noticed = Some(notice.served.clone());
    }
}

pub(super) fn step(case: &mut Case, stage: StatusReviewStage) {
    if let Some(review) = case.decisions.reviews.last_mut() {
        review.stage = stage;
    }
}

pub(super) fn opened(case: &mut Case, review: &OpenStatusReview, stamp: &Stamp<'_>) {
    case.decisions.reviews.push(StatusReview {
        kind: review.kind,
        stage: StatusReviewStage::Opened,
        by: stamp.by.id.clone(),
        version: stamp.version,
        on: stamp.occurred.clone(),
        noticed: None,
    });
}

/// The end of a status stands as a decision to be served, from which time to appeal runs. A file
/// that was closed is open again.
pub(super) fn ended(case: &mut Case, end: &EndStatus, stamp: &Stamp<'_>) {
    step(case, StatusReviewStage::Ended);
    // A lesser status that ends takes nothing of what was given beside it, and a humanitarian stay nothing at
    // all.
    let held = case.decisions.status().map(|held| held.status);
    if held != Some(StatusKind::Humanitarian) {
        let ended = held.map_or(0, rank);
        for decision in &mut case.decisions.all {
            decision.kept =
                decision.kept.filter(|kept| status_of(*kept).is_some_and(|it| rank(it) > ended));
        }
    }
    for held in &mut case.decisions.statuses {
        held.ended.get_or_insert(stamp.version);
    }
    case.open_again();
    case.intake.withdrawn = None;
    case.registry.later.implicit = None;
    let assessment = case.decisions.all.last().map(|last| last.assessment).unwrap_or_default();
    case.decisions.all.push(Decision {
        issued: Issued::StatusEnded,
        held: end.per_criterion.iter().map(|one| (one.criterion.clone(), one.value)).collect(),
        ..Decision::new(stamp, end.outcome.unwrap_or(DecisionOutcome::Refused), assessment)
    });
}
