//! The rules of assessment.

use guidance::Value;

use super::{
    AssessmentCompleted, AssessmentReviewed, Command, Complete, Event, FactUsed, FindingUsed,
    OrderEnquiry, RecordFinding, ReviewAssessment, Round,
};
use crate::Version;
use crate::decide::Context;
use crate::decisions::not_before;
use crate::evidence;
use crate::law::EXCLUSION;
use crate::rejection::{Code, Rejection, refuse};
use crate::seen;
use crate::state::{Case, need};
use crate::vocabulary::{InterviewStage, ReviewResult, Role, UReason};

/// Decides a command of assessment.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.open()?;
    match command {
        Command::OpenAssessment(opened) => {
            open_assessment(case, context)?;
            Ok(Event::AssessmentOpened(opened.clone()))
        }
        Command::OrderEnquiry(enquiry) => {
            order_enquiry(case, enquiry, context)?;
            Ok(Event::FurtherEnquiryOrdered(enquiry.clone()))
        }
        Command::RecordFinding(finding) => record_finding(case, finding, context),
        Command::OpenExclusion(exclusion) => {
            case.undecided()?;
            case.may_assess(context.by)?;
            exclusion_may_open(case, context)?;
            Ok(Event::ExclusionOpened(exclusion.clone()))
        }
        Command::Complete(complete) => complete_assessment(case, complete, context),
        Command::ReviewAssessment(review) => review_assessment(case, review, context),
    }
}

fn current(case: &Case) -> Result<&Round, Rejection> {
    need(case.assessment.round(), Code::UnknownCase, "the case is not registered")
}

fn open_assessment(case: &Case, context: &Context<'_>) -> Result<(), Rejection> {
    case.undecided()?;
    case.may_assess(context.by)?;
    if !current(case)?.assessors.is_empty() {
        return refuse(Code::AssessmentOpen, "the assessment is open already");
    }
    Ok(())
}

/// An assessor asks further at any time before the decision; a reviewer asks on what was completed.
fn order_enquiry(
    case: &Case,
    enquiry: &OrderEnquiry,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    case.undecided()?;
    if context.by.role == Role::Reviewer {
        let latest = case.assessment.latest().filter(|latest| latest.stale().is_none());
        need(latest, Code::NotComplete, "no assessment is complete that could be enquired into")?;
        may_review(case, context)?;
    } else {
        case.may_assess(context.by)?;
    }
    if enquiry.criteria.is_empty() {
        return refuse(Code::UnknownCriterion, "an enquiry names the criteria on which it bears");
    }
    for criterion in &enquiry.criteria {
        context.law.known_criterion(case, criterion)?;
    }
    enquiry.due.as_ref().map(|due| crate::decisions::day(due, "due")).transpose().map(|_| ())
}

/// I2: who assessed, or decided a claim that came back, is no second pair of eyes on it.
fn may_review(case: &Case, context: &Context<'_>) -> Result<(), Rejection> {
    if case.assessment.assessed(&context.by.id) {
        return refuse(Code::TookPart, "the actor assessed this case and may not review it");
    }
    if case.decisions.decided(&context.by.id) {
        return refuse(Code::TookPart, "the actor decided this case and may not review it");
    }
    case.impartial(&context.by.id)
}

fn record_finding(
    case: &Case,
    finding: &RecordFinding,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.undecided()?;
    case.may_assess(context.by)?;
    context.law.takes_finding(case, &finding.criterion)?;
    let undetermined = finding.value == Value::Undetermined;
    if undetermined != finding.u_reason.is_some() {
        return refuse(
            Code::UReasonUnfit,
            "a finding U says why in u_reason; a finding M or N has no u_reason",
        );
    }
    for id in &finding.evidence {
        case.evidence.relied_on(*id)?;
    }
    for id in &finding.country_info {
        evidence::country_info(case, *id)?;
    }
    evidence::entry_never_undermines(case, finding, context)?;
    for fact in &finding.facts {
        if !case.evidence.facts.contains_key(fact) {
            return refuse(
                Code::UnknownFact,
                format!("the fact {fact} was not found in this case"),
            );
        }
    }
    exclusion_fits(current(case)?, finding)?;
    Ok(Event::FindingRecorded(Box::new(finding.clone())))
}

/// I6: exclusion has its own examination and names its clause.
fn exclusion_fits(round: &Round, finding: &RecordFinding) -> Result<(), Rejection> {
    let excludes = finding.criterion.as_str() == EXCLUSION;
    if excludes && round.exclusion.is_none() {
        return refuse(
            Code::ExclusionNotOpened,
            "exclusion is examined apart: send assessment.open-exclusion first",
        );
    }
    if finding.clause.is_some() != (excludes && finding.value == Value::Met) {
        return refuse(
            Code::ClauseUnfit,
            "a clause of article 1F belongs to EXC found M, and only there",
        );
    }
    Ok(())
}

/// I6: first inclusion, then exclusion. Inclusion is found when the findings so far, without
/// exclusion, lead to a status.
fn exclusion_may_open(case: &Case, context: &Context<'_>) -> Result<(), Rejection> {
    let round = current(case)?;
    if round.exclusion.is_some() {
        return refuse(Code::ExclusionOpen, "the examination of exclusion is open already");
    }
    let day = context.day()?;
    let proposal = context.law.propose(case, round, day)?;
    if !matches!(proposal.outcome, guidance::Outcome::Refugee | guidance::Outcome::Subsidiary) {
        return refuse(
            Code::ExclusionBeforeInclusion,
            format!(
                "inclusion comes first: the findings so far lead to {}, not to a status",
                proposal.outcome
            ),
        );
    }
    Ok(())
}

fn complete_assessment(
    case: &Case,
    complete: &Complete,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.undecided()?;
    case.may_assess(context.by)?;
    let round = current(case)?;
    if let Some(latest) = round.assessments.last()
        && latest.stale().is_none()
        && !latest.returned()
    {
        return refuse(
            Code::AlreadyComplete,
            format!("the assessment was completed at version {} and still holds", latest.version),
        );
    }
    let day = match &complete.as_of {
        Some(date) => need(date.exact_day(), Code::DateUnfit, "as_of must be a whole day")?,
        None => context.day()?,
    };
    follows(case, round, context)?;
    all_asked(case, round, context, day)?;
    nothing_withdrawn(case)?;
    no_fact_fell(case, round)?;
    let seen = seen::shown(case, complete.seen, newest_used(case, round))?;
    let proposal = context.law.propose(case, round, day)?;
    Ok(Event::AssessmentCompleted(Box::new(AssessmentCompleted {
        round: u32::try_from(case.assessment.rounds.len()).unwrap_or(u32::MAX),
        profile: proposal.profile,
        guidance: proposal.guidance,
        engine: guidance::ENGINE_VERSION.to_owned(),
        as_of: crate::WorldDate::day(day),
        sought: proposal.sought,
        findings: round
            .findings
            .iter()
            .map(|(id, f)| (id.clone(), FindingUsed { value: f.value, version: f.version }))
            .collect(),
        facts: case
            .evidence
            .facts
            .iter()
            .map(|(code, f)| (*code, FactUsed { value: f.value, version: f.version }))
            .collect(),
        derived: proposal.derived,
        presumed: proposal.presumed,
        open: proposal.open,
        outcome: proposal.outcome,
        seen,
    })))
}

/// An assessment is dated no earlier than what made it necessary: else the decision on it would be served, and
/// the time to appeal over, before it is there (I1, I11). Findings are dated by what was found.
fn follows(case: &Case, round: &Round, context: &Context<'_>) -> Result<(), Rejection> {
    not_before(context.occurred, &round.since, "the claim was registered or came back")?;
    if let Some(claim) = &case.intake.lodged {
        not_before(context.occurred, &claim.lodged, "the claim was lodged")?;
    }
    let interviews = case.evidence.interviews.values();
    for held in interviews.filter(|interview| interview.stage == InterviewStage::Held) {
        not_before(context.occurred, &held.at, "an interview was held")?;
    }
    Ok(())
}

/// The newest of the findings and facts from which the engine derives.
fn newest_used(case: &Case, round: &Round) -> Version {
    let findings = round.findings.values().map(|finding| finding.version);
    let facts = case.evidence.facts.values().map(|fact| fact.version);
    let exclusion = round.exclusion.as_ref().map(|exclusion| exclusion.version);
    findings.chain(facts).chain(exclusion).max().unwrap_or_default()
}

/// I4 and I9: every leaf that the profile uses was asked, whatever the others say. Exclusion is
/// asked only once its examination is open (I6).
fn all_asked(
    case: &Case,
    round: &Round,
    context: &Context<'_>,
    day: jiff::civil::Date,
) -> Result<(), Rejection> {
    let missing: Vec<String> = context
        .law
        .leaves_to_ask(case, day)?
        .into_iter()
        .filter(|leaf| leaf != EXCLUSION || round.exclusion.is_some())
        .filter(|leaf| {
            !round.findings.iter().any(|(id, finding)| {
                id.as_str() == leaf && finding.u_reason != Some(UReason::NotAsked)
            })
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    refuse(Code::NotAsked, format!("these criteria were not asked yet: {}", missing.join(", ")))
}

/// A finding on an item that was withdrawn since must be made again, without it.
fn nothing_withdrawn(case: &Case) -> Result<(), Rejection> {
    let withdrawn = evidence::withdrawn_but_relied_on(case);
    if withdrawn.is_empty() {
        return Ok(());
    }
    let items: Vec<_> = withdrawn.iter().map(ToString::to_string).collect();
    refuse(
        Code::EvidenceWithdrawn,
        format!("findings rest on what was withdrawn; make them again: {}", items.join(", ")),
    )
}

/// The same where a fact on which a finding rests fell away, or has another value by now.
fn no_fact_fell(case: &Case, round: &Round) -> Result<(), Rejection> {
    let facts = &case.evidence.facts;
    let holds = |(code, value): (&_, &_)| facts.get(code).is_some_and(|it| it.value == *value);
    let fell = round.findings.iter().filter(|(_, finding)| !finding.facts.iter().all(holds));
    let fell: Vec<_> = fell.map(|(criterion, _)| criterion.as_str()).collect();
    if fell.is_empty() {
        return Ok(());
    }
    refuse(
        Code::FactNotCurrent,
        format!(
            "findings rest on facts that were superseded; make them again: {}",
            fell.join(", ")
        ),
    )
}

fn review_assessment(
    case: &Case,
    review: &ReviewAssessment,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.undecided()?;
    let latest =
        need(case.assessment.latest(), Code::NotComplete, "no assessment is complete yet")?;
    if let Some(by) = latest.stale() {
        return refuse(
            Code::AssessmentVoided,
            format!("version {by} is newer than the assessment and voids it: complete it again"),
        );
    }
    if review.assessment.is_some_and(|seen| seen != latest.version) {
        return refuse(
            Code::NotLatest,
            format!("the latest assessment is version {}: review that one", latest.version),
        );
    }
    may_review(case, context)?;
    not_before(context.occurred, &latest.on, "the assessment was completed")?;
    match latest.reviews.last() {
        None => {}
        Some(last) => match last.result {
            ReviewResult::Agree => {
                return refuse(Code::AlreadyReviewed, "the assessment was agreed to already");
            }
            ReviewResult::Return => {
                return refuse(
                    Code::NotComplete,
                    "the assessment was returned: it must be completed again first",
                );
            }
            ReviewResult::Escalate => {
                if latest.reviews.iter().any(|earlier| earlier.by == context.by.id) {
                    return refuse(
                        Code::TookPart,
                        "the review was escalated: another reviewer must look",
                    );
                }
            }
        },
    }
    let seen = seen::shown(case, review.seen, latest.version)?;
    Ok(Event::AssessmentReviewed(Box::new(AssessmentReviewed {
        result: review.result,
        reason: review.reason.clone(),
        assessment: latest.version,
        seen,
    })))
}
