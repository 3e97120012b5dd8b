//! People around a claim: representatives, consent, needs, barriers, family, and the numbers
//! under which other bodies keep the case.

use super::{BarrierMet, Consent, Event, ExternalReference, FamilyMember, Representation, State};
use crate::decide::Context;
use crate::personal::{Line, Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::token::{ActorId, Reference};
use crate::vocabulary::{
    Barrier, ConsentScope, FamilyRelation, NeedKind, ReferenceHolder, RepresentationEnd,
    RepresentationScope, Role, Safeguard,
};
use crate::{CaseId, WorldDate};

/// Appoints a representative.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AppointRepresentative {
    /// Who, by the id under which they act.
    pub representative: ActorId,
    /// Their name and office.
    pub name: Personal<Line>,
    /// How far they may act.
    pub scope: RepresentationScope,
}

/// Ends a representation.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct EndRepresentation {
    /// Whose.
    pub representative: ActorId,
    /// Why it ended.
    pub cause: RepresentationEnd,
}

/// Records the claimant's consent.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RecordConsent {
    /// To what.
    pub scope: ConsentScope,
    /// What was explained, and in which words consent was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

/// Withdraws consent. What was done before stays lawful; nothing more is done.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct WithdrawConsent {
    /// From what.
    pub scope: ConsentScope,
    /// What was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

/// Identifies a need that the procedure must meet.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct IdentifyNeed {
    /// Of what kind.
    pub kind: NeedKind,
    /// How it showed.
    pub account: Personal<Words>,
}

/// Applies a safeguard to a need that was identified.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ApplySafeguard {
    /// The need.
    pub need: NeedKind,
    /// What is done about it.
    pub safeguard: Safeguard,
    /// How.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

/// Records a barrier that stood in the way of reaching the procedure. It explains how the person
/// came, and is never held against them (I21).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RecordBarrier {
    /// Which.
    pub barrier: Barrier,
    /// When it was met.
    pub met: WorldDate,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Personal<Line>>,
    /// What happened.
    pub account: Personal<Words>,
}

/// Links the claim of a member of the family. Each member has a claim of their own, and nobody's
/// exclusion reaches another (I6). The other case needs a link of its own.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct LinkFamily {
    /// How the member stands to the claimant.
    pub relation: FamilyRelation,
    /// The member's own claim.
    pub own_claim: CaseId,
}

/// Records the number under which another body keeps the case. It stays legible, so that the case
/// is found by it.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RecordReference {
    /// Who keeps it.
    pub holder: ReferenceHolder,
    /// The number.
    pub reference: Reference,
}

/// Whether a representative may act with this service: one who was appointed within the scope,
/// and after the end not at all. One who was never appointed acts on the word of the claimant.
pub(crate) fn may_represent(
    case: &Case,
    service: &str,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    if context.by.role != Role::Representative {
        return Ok(());
    }
    let Some(representation) = case.intake.representatives.get(&context.by.id) else {
        return Ok(());
    };
    if let Some(ended) = representation.ended {
        return refuse(
            Code::NotRepresenting,
            format!("the representation ended at version {ended}"),
        );
    }
    let fits = match representation.scope {
        RepresentationScope::Full => true,
        RepresentationScope::FirstInstance => service != "appeals",
        RepresentationScope::Appeal => service == "appeals" || service == "evidence",
    };
    if fits {
        return Ok(());
    }
    refuse(
        Code::NotRepresenting,
        format!("the representation reaches: {}; not {service}", representation.scope),
    )
}

/// Who gives something up in the claimant's name is the one whom the claimant appointed, where somebody is.
pub(crate) fn represents(case: &Case, context: &Context<'_>) -> Result<(), Rejection> {
    let known = &case.intake.representatives;
    let stranger = context.by.role == Role::Representative && !known.contains_key(&context.by.id);
    if stranger && known.values().any(|one| one.ended.is_none()) {
        return refuse(
            Code::NotRepresenting,
            "somebody else represents the claimant; appoint first whoever withdraws something",
        );
    }
    Ok(())
}

/// An unaccompanied child gives up nothing alone: a representative comes first (Directive 2013/32/EU art. 25(1)).
pub(crate) fn no_child_alone(case: &Case) -> Result<(), Rejection> {
    let mut representatives = case.intake.representatives.values();
    if case.intake.unaccompanied_child() && !representatives.any(|one| one.ended.is_none()) {
        return refuse(
            Code::RepresentativeNeeded,
            "the claimant is an unaccompanied child whom nobody represents; send \
             intake.appoint-representative first",
        );
    }
    Ok(())
}

/// Whenever the case exists: a representation ends also where the claim was withdrawn or the file closed.
pub(super) fn end(case: &Case, end: &EndRepresentation) -> Result<(), Rejection> {
    case.exists()?;
    let running = case.intake.representatives.get(&end.representative);
    need(
        running.filter(|one| one.ended.is_none()).map(|_| ()),
        Code::NotRepresenting,
        &format!("{} does not represent the claimant", end.representative),
    )
}

/// Also where the claim was withdrawn or the file closed: it may be taken up again, or a late appeal be
/// filed (I12), and somebody has to ask for that.
pub(super) fn appoint(case: &Case, appointed: &AppointRepresentative) -> Result<(), Rejection> {
    case.exists()?;
    let running = case.intake.representatives.get(&appointed.representative);
    if running.is_some_and(|one| one.ended.is_none() && one.scope == appointed.scope) {
        return refuse(
            Code::AlreadyRepresenting,
            format!("{} represents the claimant already", appointed.representative),
        );
    }
    Ok(())
}

/// At any time (GDPR art. 7(3)).
pub(super) fn withdraw_consent(case: &Case, withdrawn: &WithdrawConsent) -> Result<(), Rejection> {
    case.exists()?;
    need(
        case.intake.consents(withdrawn.scope).then_some(()),
        Code::NoConsent,
        &format!("there is no consent to {} to withdraw", withdrawn.scope),
    )
}

pub(super) fn apply(case: &Case, applied: &ApplySafeguard) -> Result<(), Rejection> {
    case.alive()?;
    need(
        case.intake.needs.contains_key(&applied.need).then_some(()),
        Code::UnknownNeed,
        &format!("no need {} was identified; identify it first", applied.need),
    )
}

pub(super) fn link(case: &Case, link: &LinkFamily) -> Result<(), Rejection> {
    case.alive()?;
    if case.id == Some(link.own_claim) {
        return refuse(Code::FamilyLinkUnfit, "a case is no member of its own family");
    }
    if case.intake.family.iter().any(|known| known.own_claim == link.own_claim) {
        return refuse(Code::FamilyLinkUnfit, "that claim is linked already");
    }
    Ok(())
}

pub(super) fn record_reference(case: &Case, kept: &RecordReference) -> Result<(), Rejection> {
    case.exists()?;
    let known =
        |one: &ExternalReference| one.holder == kept.holder && one.reference == kept.reference;
    if case.intake.references.iter().any(known) {
        return refuse(Code::ReferenceExists, "that reference is recorded already");
    }
    Ok(())
}

/// Applies an event about the people around a claim; others change nothing here.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other events are about the claim")]
pub(super) fn evolve(intake: &mut State, event: &Event, stamp: &Stamp<'_>) {
    let version = stamp.version;
    match event {
        Event::RepresentativeAppointed(one) => {
            let representation = Representation { scope: one.scope, version, ended: None };
            intake.representatives.insert(one.representative.clone(), representation);
        }
        Event::RepresentationEnded(one) => {
            if let Some(running) = intake.representatives.get_mut(&one.representative) {
                running.ended = Some(version);
            }
        }
        Event::ConsentRecorded(one) => {
            intake.consents.insert(one.scope, Consent { given: version, withdrawn: None });
        }
        Event::ConsentWithdrawn(one) => {
            if let Some(consent) = intake.consents.get_mut(&one.scope) {
                consent.withdrawn = Some(version);
            }
        }
        Event::NeedIdentified(one) => {
            intake.needs.entry(one.kind).or_default();
        }
        Event::SafeguardApplied(one) => {
            intake.needs.entry(one.need).or_default().insert(one.safeguard);
        }
        Event::AccessBarrierRecorded(one) => {
            let (barrier, met) = (one.barrier, one.met.clone());
            intake.barriers.push(BarrierMet { barrier, met, version });
        }
        Event::FamilyMemberLinked(one) => {
            let (relation, own_claim) = (one.relation, one.own_claim);
            intake.family.push(FamilyMember { relation, own_claim, version });
        }
        Event::ExternalReferenceRecorded(one) => {
            let (holder, reference) = (one.holder, one.reference.clone());
            intake.references.push(ExternalReference { holder, reference, version });
        }
        _ => {}
    }
}
