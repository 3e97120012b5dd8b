//! The events of decisions in words.

use crate::decisions::{DecisionIssued, DecisionNotified, Event};

use super::{Gist, gist, listed, words};

pub(super) fn gist_of(event: &Event) -> Gist {
    match event {
        Event::DecisionIssued(issued) => of_issue(issued),
        Event::DecisionNotified(service) => of_service(service),
        Event::NotificationFailed(failed) => gist(
            format!("Service failed: {}", words(failed.cause.as_str())),
            [format!("{}, attempted on {}", words(failed.method.as_str()), failed.attempted)],
        ),
        Event::DecisionWithdrawn(one) => {
            let by = format!("on the motion of: {}", one.by);
            gist("Decision withdrawn: to be assessed again", [by])
        }
        Event::RemovalBarPlaced(bar) => gist(
            format!("Removal bar placed: {}", words(bar.basis.as_str())),
            [bar.bar.to_string()],
        ),
        Event::RemovalBarLifted(lift) => gist("Removal bar lifted", [lift.bar.to_string()]),
        Event::StatusGranted(grant) => {
            let review = grant.review.as_ref().map(|day| format!("to be reviewed on {day}"));
            gist(
                format!("Status granted: {}", words(grant.status.as_str())),
                [format!("from {}", grant.from), review.unwrap_or_default()],
            )
        }
        Event::StatusReviewOpened(review) => {
            gist(format!("Review of the status opened: {}", review.kind), [])
        }
        Event::StatusReviewNotified(notice) => gist(
            format!("Told of the review on {}", notice.served),
            [format!("{}, in {}", words(notice.method.as_str()), notice.language)],
        ),
        Event::StatusReviewHeard(heard) => {
            let was = if heard.attended { "Heard" } else { "Had the chance to be heard" };
            gist(format!("{was} in the review of the status"), [])
        }
        Event::StatusKept(_) => gist("Review over: the status stays", []),
        Event::StatusEnded(end) => {
            let stands = end.outcome.map(|outcome| format!("what stands: {outcome}"));
            let held = end.per_criterion.iter();
            let held = held.map(|held| format!("{} = {}", held.criterion, held.value));
            let held = Some(listed("held", held)).filter(|held| !held.is_empty());
            gist(
                format!("Status ended: {}", words(end.ground.as_str())),
                stands.into_iter().chain(held),
            )
        }
    }
}

fn of_issue(issued: &DecisionIssued) -> Gist {
    let departs = issued.departs().then(|| {
        let silent = if issued.departure.is_none() { ", and does not say so" } else { "" };
        format!("departs from the proposal, which was {}{silent}", issued.proposal)
    });
    gist(
        format!("Decision issued: {}", issued.outcome),
        [
            listed("grounds", issued.grounds.iter().map(|ground| ground.as_str())),
            departs.unwrap_or_default(),
            format!(
                "on the assessment of version {}, agreed to by version {}",
                issued.assessment, issued.review
            ),
            listed("found on the onus", issued.onus.iter().map(|onus| onus.criterion.as_str())),
            listed("left undetermined", issued.unresolved.iter().map(ToString::to_string)),
        ],
    )
}

fn of_service(service: &DecisionNotified) -> Gist {
    let circumstance = service.circumstance.map(|one| format!("circumstance: {one}"));
    let computed = service.computed.as_ref().filter(|day| **day != service.appeal_deadline);
    let computed = computed.map(|day| format!("the clocks of the profile give until {day}"));
    gist(
        format!("Decision served on {}", service.served),
        [
            format!(
                "{}, in {}; appeal until {}",
                words(service.method.as_str()),
                service.language,
                service.appeal_deadline
            ),
            circumstance.unwrap_or_default(),
            computed.unwrap_or_default(),
        ],
    )
}
