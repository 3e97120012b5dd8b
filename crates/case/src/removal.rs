//! The removal bar: may this person be removed? (I1)
//!
//! The answer is "barred" until every reason is gone. A reason is found from what the case holds and
//! never argued away by something else that it holds: an appeal without suspensive effect bars, and
//! so does a decision that was perhaps served. Whoever asks about a case that is unknown or cannot
//! be read is told "barred" by the service.

mod article_three;

use crate::appeals::{Appeal, Ruling};
use crate::deadlines::Running;
use crate::decisions::{Decision, Notified};
use crate::registry::Warning;
use crate::state::Case;
use crate::vocabulary::{BarReason, DeadlineKind, Role};
use crate::{Instant, Version};

/// The answer.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Bar {
    /// Whether the person must not be removed.
    pub barred: bool,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The instant before which the bar does not end, where every reason has one. At that instant
    /// the question is to be asked again: it is no clearance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// A reason why the person must not be removed.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Reason {
    /// The code, for programs.
    pub code: BarReason,
    /// The sentence, for people.
    pub sentence: String,
    /// The events that it rests on.
    pub versions: Vec<Version>,
    /// The instant at which it ends by itself, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

impl Bar {
    /// The bar that follows from reasons.
    #[must_use]
    pub fn of(reasons: Vec<Reason>) -> Self {
        let ends: Option<Vec<Instant>> = reasons.iter().map(|reason| reason.until).collect();
        let until = ends.and_then(|ends| ends.into_iter().max());
        Self { barred: !reasons.is_empty(), reasons, until }
    }
}

impl Reason {
    /// A reason that does not end by itself.
    #[must_use]
    pub fn new(code: BarReason, sentence: impl Into<String>, versions: Vec<Version>) -> Self {
        Self { code, sentence: sentence.into(), versions, until: None }
    }

    /// The reason as long as a time limit runs, where there is one.
    fn while_runs(self, end: Option<End>, at: Instant) -> Option<Self> {
        match end? {
            End::At(end) => (at < end).then_some(Self { until: Some(end), ..self }),
            End::Unknown => Some(self),
        }
    }
}

/// When a time limit is over. An end that is not known is later than any other: it never comes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    At(Instant),
    Unknown,
}

impl From<Option<Instant>> for End {
    fn from(known: Option<Instant>) -> Self {
        known.map_or(Self::Unknown, Self::At)
    }
}

/// Whether the person of a case must not be removed at an instant, and why.
#[must_use]
pub fn removal_bar(case: &Case, at: Instant) -> Bar {
    if case.version == Version(0) {
        return Bar::of(vec![Reason::new(BarReason::UnknownCase, "there is no such case", vec![])]);
    }
    let mut reasons = Vec::new();
    match case.decisions.standing() {
        Some(decision) => reasons.extend(of_decision(case, decision, at)),
        None if case.intake.withdrawn.is_none() => reasons.push(pending_claim(case)),
        None => {}
    }
    of_appeals(case, &mut reasons);
    of_protection(case, &mut reasons);
    of_orders(case, &mut reasons);
    of_what_comes_later(case, at, &mut reasons);
    Bar::of(reasons)
}

/// The reasons that bind also the closing of a file: none of them is protection that was granted,
/// with which a file is closed in good order.
pub(crate) fn binds_closing(case: &Case, at: Instant) -> Option<Reason> {
    let mut reasons = Vec::new();
    if let Some(appeal) = case.appeals.permission_pending() {
        reasons.push(permission(appeal.onward.as_ref().map(|onward| onward.sought)));
    }
    of_orders(case, &mut reasons);
    of_what_comes_later(case, at, &mut reasons);
    reasons.into_iter().next()
}

fn pending_claim(case: &Case) -> Reason {
    let reopened = case.decisions.all.last().and_then(|decision| decision.set_aside);
    let opened = case.assessment.round().map(|round| round.opened);
    let since = reopened.or(opened).unwrap_or(Version(1));
    Reason::new(BarReason::ClaimPending, "the claim is not decided", vec![since])
}

/// Service, the time to appeal, and the time to go further. A file is closed by the same answer
/// (I18), so that none is closed on somebody who must not be removed.
pub(crate) fn of_decision(case: &Case, decision: &Decision, at: Instant) -> Option<Reason> {
    if let Some(ruling) = case.appeals.ruling_on(decision.version) {
        return onward(case, decision, ruling, at);
    }
    let rejected = case.appeals.against(decision.version).filter(|appeal| appeal.ended());
    let further = rejected.and_then(|appeal| {
        let (_, ruled) = appeal.late_ruled.as_ref()?;
        let computed = appeal.late_onward.filter(|_| !sought_since(case, decision, *ruled));
        let time = computed.map(End::At).max(renewal(appeal));
        let time = time.max(given(case, DeadlineKind::Onward, *ruled));
        going_further(vec![*ruled]).while_runs(time, at)
    });
    if further.is_some() {
        return further;
    }
    let Some(notified) = &decision.notified else {
        return Some(Reason::new(
            BarReason::ServiceUnproved,
            "service of the decision is not proved, so no time limit has begun",
            vec![decision.version],
        ));
    };
    Reason::new(
        BarReason::AppealWindow,
        "the time to appeal runs",
        vec![decision.version, notified.version],
    )
    .while_runs(window(case, decision, notified), at)
}

/// The time to go further: until the day that the ruling states, and as long as a deadline that was
/// set for it gives. For whom permission was sought since the ruling has used the day that it states; what
/// an earlier ruling left open says nothing of this one, and what the authority asks takes no time of the
/// claimant's. Whom one judge refused the permission has time to ask another.
fn onward(case: &Case, decision: &Decision, ruling: &Ruling, at: Instant) -> Option<Reason> {
    let sought = sought_since(case, decision, ruling.version);
    let stated = ruling.onward_deadline.as_ref().filter(|_| !sought);
    let stated = stated.map(|last| ruling.over.or_else(|| last.over_anywhere()).into());
    let set = case.deadlines.of(DeadlineKind::Onward).map(|running| running.set);
    let set = set.filter(|set| *set != ruling.version);
    let again = case.appeals.against(decision.version).and_then(renewal);
    going_further(std::iter::once(ruling.version).chain(set).collect())
        .while_runs(stated.max(again).max(given(case, DeadlineKind::Onward, ruling.version)), at)
}

/// Whether the claimant sought permission to go further since an event.
fn sought_since(case: &Case, decision: &Decision, since: Version) -> bool {
    case.appeals.all.iter().any(|appeal| {
        let theirs = appeal.onward.as_ref().filter(|onward| onward.by != Role::DecisionMaker);
        appeal.decision == decision.version && theirs.map(|onward| onward.sought) > Some(since)
    })
}

/// The end of the time to ask another judge, where one refused the permission to go further.
fn renewal(appeal: &Appeal) -> Option<End> {
    appeal.renewable.map(End::At)
}

/// The end of all time that was given since an event, also of what somebody began to use and took back.
fn given(case: &Case, kind: DeadlineKind, since: Version) -> Option<End> {
    case.deadlines.given(kind, since).map(End::At)
}

fn going_further(versions: Vec<Version>) -> Reason {
    Reason::new(BarReason::OnwardWindow, "the time to go to the next court runs", versions)
}

/// The end of the time to appeal; the later one where it was extended. Who took an appeal back has the
/// time again that was given.
fn window(case: &Case, decision: &Decision, notified: &Notified) -> Option<End> {
    let end = notified.over.or_else(|| notified.appeal_deadline.over_anywhere());
    let taken_back =
        case.appeals.all.iter().any(|one| one.decision == decision.version && one.withdrawn);
    let again = given(case, DeadlineKind::Appeal, decision.version).filter(|_| taken_back);
    let end = Some(End::from(end)).max(again);
    later(end, case.deadlines.of(DeadlineKind::Appeal))
}

/// The later end of what was said and of a deadline that runs; `None` where there is neither.
fn later(said: Option<End>, given: Option<&Running>) -> Option<End> {
    said.max(given.map(|running| End::At(running.due)))
}

/// Why a claim does not count as withdrawn yet: the claimant may still answer the warning (I13).
pub(crate) fn answerable(case: &Case, warning: &Warning, at: Instant) -> Option<String> {
    let end = warning.over.or_else(|| warning.respond_by.over_anywhere());
    match later(Some(end.into()), case.deadlines.of(DeadlineKind::Response))? {
        End::At(end) => (at < end).then(|| end.to_string()),
        End::Unknown => Some(warning.respond_by.to_string()),
    }
    .map(|until| format!("the claimant may answer the warning until {until}"))
}

fn permission(sought: Option<Version>) -> Reason {
    Reason::new(
        BarReason::PermissionPending,
        "permission to go to the next court is sought and not decided",
        sought.into_iter().collect(),
    )
}

fn of_appeals(case: &Case, reasons: &mut Vec<Reason>) {
    for appeal in case.appeals.all.iter().filter(|appeal| appeal.pending()) {
        reasons.push(Reason::new(
            BarReason::AppealPending,
            "an appeal is not decided, whether or not it suspends",
            vec![appeal.version],
        ));
    }
    for appeal in case.appeals.all.iter().filter(|appeal| appeal.permission_pending()) {
        reasons.push(permission(appeal.onward.as_ref().map(|onward| onward.sought)));
    }
}

fn of_protection(case: &Case, reasons: &mut Vec<Reason>) {
    if let Some(outcome) = case.outcome()
        && outcome.protects()
        && let Some(decision) = case.decisions.standing()
    {
        let ruling = case.appeals.ruling_on(decision.version).map(|ruling| ruling.version);
        reasons.push(Reason::new(
            BarReason::ProtectionGranted,
            format!("the outcome that stands is {outcome}, which protects from return"),
            [Some(decision.version), ruling].into_iter().flatten().collect(),
        ));
    }
    for decision in &case.decisions.all {
        let Some(kept) = decision.kept else { continue };
        reasons.push(Reason::new(
            BarReason::ProtectionGranted,
            format!("{kept} was granted and set aside only to look again; no review ended it"),
            std::iter::once(decision.version).chain(decision.set_aside).collect(),
        ));
    }
    reasons.extend(article_three::of(case));
    if let Some(held) = case.decisions.status() {
        reasons.push(Reason::new(
            BarReason::StatusStands,
            format!("the status {} stands", held.status),
            vec![held.version],
        ));
    }
}

fn of_orders(case: &Case, reasons: &mut Vec<Reason>) {
    for bar in case.decisions.bars.iter().filter(|bar| bar.lifted.is_none()) {
        reasons.push(Reason::new(
            BarReason::BarActive,
            format!("a removal bar is in force: {}", bar.basis),
            vec![bar.version],
        ));
    }
    if let Some(review) = case.decisions.status_review() {
        reasons.push(Reason::new(
            BarReason::StatusReviewPending,
            format!("a review of the status is pending: {}", review.kind),
            vec![review.version],
        ));
    }
}

fn of_what_comes_later(case: &Case, at: Instant, reasons: &mut Vec<Reason>) {
    let submissions = &case.registry.later.submissions;
    for submission in submissions.iter().filter(|submission| submission.pending()) {
        reasons.push(Reason::new(
            BarReason::SubmissionPending,
            "a further submission is pending, or was admitted and the claim is not reopened",
            vec![submission.version],
        ));
    }
    reasons.extend(reinstatable(case, at));
}

/// A claim that counts as withdrawn, as long as it may be taken up again; and one that the claimant
/// withdrew, as long as a deadline for that runs.
fn reinstatable(case: &Case, at: Instant) -> Option<Reason> {
    let withdrawn = case.intake.withdrawn?;
    let given = case.deadlines.of(DeadlineKind::Reinstatement);
    // Where the profile has no clock, the time is what was given, and without end before.
    let counted = case.registry.later.implicit.as_ref().map(|implicit| {
        implicit
            .over
            .or_else(|| case.deadlines.given(DeadlineKind::Reinstatement, withdrawn))
            .into()
    });
    let set = given.map(|running| running.set).filter(|set| *set != withdrawn);
    let sentence = if later(counted, given) == Some(End::Unknown) {
        "the claim counts as withdrawn and may be taken up again; the profile has no clock that ends this: \
         give the time with deadlines.set, kind reinstatement"
    } else {
        "the claim counts as withdrawn and may be taken up again"
    };
    Reason::new(BarReason::Reinstatable, sentence, std::iter::once(withdrawn).chain(set).collect())
        .while_runs(later(counted, given), at)
}
