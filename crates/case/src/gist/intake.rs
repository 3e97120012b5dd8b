//! The events of intake and routing in words.

use crate::intake::{Event, LodgeClaim, RegisterClaim, RequestTransfer};

use crate::token::Criterion;

use super::{Gist, gist, listed, relied, words};

pub(super) fn gist_of(event: &Event) -> Gist {
    match event {
        Event::ClaimMade(claim) => {
            let language = claim.language.iter().map(|language| format!(", in {language}"));
            let about = format!("by way of: {}{}", claim.channel, language.collect::<String>());
            gist(format!("Claim made, to be assessed under {}", claim.profile), [about])
        }
        Event::ClaimRegistered(claim) => registered(claim),
        Event::ClaimLodged(claim) => lodged(claim),
        Event::IdentityAsserted(identity) => {
            gist("Identity asserted", [relied("rests on", &identity.documents)])
        }
        Event::IdentityAssessed(assessed) => gist(
            format!("Identity assessed: {}", words(assessed.finding.as_str())),
            [relied("rests on", &assessed.documents)],
        ),
        Event::PersonIdentified(identified) => {
            gist("Referred to a person of the register", [identified.person.to_string()])
        }
        Event::ClaimWithdrawn(_) => gist("Claim withdrawn", []),
        Event::RepresentativeAppointed(_)
        | Event::RepresentationEnded(_)
        | Event::ConsentRecorded(_)
        | Event::ConsentWithdrawn(_)
        | Event::NeedIdentified(_)
        | Event::SafeguardApplied(_)
        | Event::AccessBarrierRecorded(_)
        | Event::FamilyMemberLinked(_)
        | Event::ExternalReferenceRecorded(_) => of_people(event),
        Event::TransferRequested(_)
        | Event::TransferAccepted(_)
        | Event::TransferRefused(_)
        | Event::TransferDecided(_)
        | Event::TransferExecuted(_)
        | Event::TransferLapsed(_) => of_transfer(event),
    }
}

fn registered(claim: &RegisterClaim) -> Gist {
    let mut about = vec![format!("seeks {}", claim.sought)];
    about.extend(claim.language.iter().map(|language| format!("heard in {language}")));
    about.extend(claim.channel.map(|channel| format!("by way of: {channel}")));
    about.extend(claim.made.iter().map(|made| format!("made {made}")));
    let person = claim.person.map(|person| format!("person {person}")).unwrap_or_default();
    gist(format!("Claim registered under {}", claim.profile), [about.join(", "), person])
}

fn lodged(claim: &LodgeClaim) -> Gist {
    gist(
        format!("Claim lodged: {}", words(claim.act.as_str())),
        [listed("asserts", claim.categories_asserted.iter().map(Criterion::as_str))],
    )
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller sends these events only")]
fn of_people(event: &Event) -> Gist {
    match event {
        Event::RepresentativeAppointed(one) => gist(
            format!("Representative appointed: {}", one.representative),
            [format!("may act: {}", words(one.scope.as_str()))],
        ),
        Event::RepresentationEnded(one) => gist(
            format!("Representation ended: {}", one.representative),
            [words(one.cause.as_str())],
        ),
        Event::ConsentRecorded(one) => {
            gist(format!("Consent given: {}", words(one.scope.as_str())), [])
        }
        Event::ConsentWithdrawn(one) => {
            gist(format!("Consent withdrawn: {}", words(one.scope.as_str())), [])
        }
        Event::NeedIdentified(one) => {
            gist(format!("Need identified: {}", words(one.kind.as_str())), [])
        }
        Event::SafeguardApplied(one) => gist(
            format!("Safeguard applied: {}", words(one.safeguard.as_str())),
            [format!("for the need: {}", words(one.need.as_str()))],
        ),
        Event::AccessBarrierRecorded(one) => {
            gist(format!("Barrier met: {}, {}", one.barrier, one.met), [])
        }
        Event::FamilyMemberLinked(one) => gist(
            format!("Family linked: {}", one.relation),
            [format!("own claim {}", one.own_claim)],
        ),
        Event::ExternalReferenceRecorded(one) => gist(
            format!("Reference recorded: {}", one.reference),
            [format!("kept by: {}", words(one.holder.as_str()))],
        ),
        _ => gist(event.kind(), []),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller sends these events only")]
fn of_transfer(event: &Event) -> Gist {
    let until = |due: &crate::WorldDate| format!("to be carried out by {due}");
    match event {
        Event::TransferRequested(one) => requested(one),
        Event::TransferAccepted(one) => gist(
            "Transfer accepted by the other state",
            [one.transfer.to_string(), until(&one.due)],
        ),
        Event::TransferRefused(one) => {
            gist("Transfer refused by the other state", [one.transfer.to_string()])
        }
        Event::TransferDecided(one) => {
            gist("Transfer decided", [one.transfer.to_string(), until(&one.due)])
        }
        Event::TransferExecuted(one) => gist("Transfer carried out", [one.transfer.to_string()]),
        Event::TransferLapsed(one) => {
            gist("Transfer lapsed: the claim stays", [one.transfer.to_string()])
        }
        _ => gist(event.kind(), []),
    }
}

fn requested(one: &RequestTransfer) -> Gist {
    gist(
        format!("Transfer requested: {}", words(one.kind.as_str())),
        [one.transfer.to_string(), format!("answer due by {}", one.due)],
    )
}
