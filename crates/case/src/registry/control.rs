//! Control: corrections, disclosures, holds, erasure and replay. They stand beside what happened in
//! the case and change nothing of it; they are taken on a closed file too.

use crate::decide::Context;
use crate::intake::not_of_origin;
use crate::personal::{Line, Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::removal;
use crate::state::{Case, need};
use crate::token::{ActorId, Basis, Criterion, FieldPath};
use crate::vocabulary::{
    ConsentScope, DisclosureGround, DisclosureRefusal, RecipientClass, ReplayResult,
};
use crate::{EvidenceId, KeyId, Version};

/// Rectifies a personal field of a record: the old value and the new one stand side by side, and the
/// record stays what it is (I17). What the rules derive from, such as codes and dates, has commands of
/// its own to correct it. Who asks is the actor; somebody else approves.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RectifyRecord {
    /// The event whose record is wrong.
    pub target: Version,
    /// The field, by its path below `data`, such as `name` or `onus[1].reason`.
    pub field: FieldPath,
    /// What it says; it must be what the record says.
    pub old: Personal<Words>,
    /// What is right.
    pub new: Personal<Words>,
    /// Why.
    pub reason: Personal<Words>,
    /// Who approved; not the one who asks.
    pub approver: ActorId,
}

/// Records a disclosure. The sender says of what class the recipient is, and attests that it is not
/// the state of origin and does not act for it (I20): the nationality is sealed, and no rule sees it.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct MakeDisclosure {
    /// Of what class the recipient is.
    pub recipient: RecipientClass,
    /// The sender attests that it is neither the state of origin nor acts for it.
    pub independent: bool,
    /// Who received it.
    pub name: Personal<Line>,
    /// On what it rests.
    pub ground: DisclosureGround,
    /// The events whose records were disclosed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Version>,
    /// The items of evidence that were disclosed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceId>,
    /// What for.
    pub purpose: Personal<Words>,
}

/// Records that a disclosure was refused, to whomever.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RefuseDisclosure {
    /// Of what class the one who asked is.
    pub recipient: RecipientClass,
    /// Who asked.
    pub name: Personal<Line>,
    /// Why it was refused.
    pub refusal: DisclosureRefusal,
    /// What was asked for, and what was answered.
    pub reason: Personal<Words>,
}

/// Puts the case on hold: nothing of it may be erased.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct PlaceHold {
    /// Why.
    pub reason: Personal<Words>,
}

/// Lifts the hold.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct LiftHold {
    /// Why.
    pub reason: Personal<Words>,
}

/// Destroys the claimant's key: every personal field of the case is erased, here, in the stream and
/// in every copy, while records, hashes, chain and proofs stay. Nothing more happens in the case.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DestroyKey {
    /// The legal basis of the erasure.
    pub legal_basis: Basis,
    /// Who approved; not the one who sends.
    pub approver: ActorId,
}

/// The claimant's key is to be destroyed. The node does so as soon as this is durable, and again at
/// every start, so that a restored key store brings nothing back.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct PiiKeyDestroyed {
    /// The key.
    pub key: KeyId,
    /// The legal basis of the erasure.
    pub legal_basis: Basis,
    /// Who approved.
    pub approver: ActorId,
}

/// Records the result of a replay of the case (I16).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RecordReplay {
    /// The first event that was replayed.
    pub first: Version,
    /// The last.
    pub last: Version,
    /// What it gave.
    pub result: ReplayResult,
    /// The first criterion on which it diverged, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<Criterion>,
}

/// A replay was verified.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ReplayVerified {
    /// The first event that was replayed.
    pub first: Version,
    /// The last.
    pub last: Version,
    /// The version of the engine that replayed.
    pub engine: String,
    /// What it gave.
    pub result: ReplayResult,
    /// The first criterion on which it diverged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<Criterion>,
}

pub(super) fn rectify(
    case: &Case,
    rectified: &RectifyRecord,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    case.exists()?;
    known(case, rectified.target)?;
    approved_by_another(&rectified.approver, context)
}

fn known(case: &Case, version: Version) -> Result<(), Rejection> {
    let there = version > Version(0) && version <= case.version;
    need(
        there.then_some(()),
        Code::UnknownVersion,
        &format!("the case has versions 1 to {}, not {version}", case.version),
    )
}

fn approved_by_another(approver: &ActorId, context: &Context<'_>) -> Result<(), Rejection> {
    if *approver == context.by.id {
        return refuse(Code::ApproverUnfit, "who asks does not approve: another person must");
    }
    Ok(())
}

pub(super) fn disclose(case: &Case, made: &MakeDisclosure) -> Result<(), Rejection> {
    case.exists()?;
    not_of_origin(made.recipient, made.independent)?;
    if made.records.is_empty() && made.evidence.is_empty() {
        return refuse(Code::UnknownVersion, "say what was disclosed, in records or evidence");
    }
    made.records.iter().try_for_each(|version| known(case, *version))?;
    made.evidence.iter().try_for_each(|id| case.evidence.item(*id).map(|_| ()))?;
    let own = matches!(made.recipient, RecipientClass::Claimant | RecipientClass::Representative);
    match made.ground {
        DisclosureGround::Consent if !case.intake.consents(ConsentScope::Disclosure) => {
            refuse(Code::NoConsent, "the claimant does not consent to disclosure")
        }
        DisclosureGround::OwnData if !own => refuse(
            Code::RecipientUnfit,
            "own_data is the ground for the claimant and the representative only",
        ),
        DisclosureGround::Consent
        | DisclosureGround::OwnData
        | DisclosureGround::LegalDuty
        | DisclosureGround::VitalInterest => Ok(()),
    }
}

pub(super) fn refuse_disclosure(case: &Case, refused: &RefuseDisclosure) -> Result<(), Rejection> {
    case.exists()?;
    if refused.refusal == DisclosureRefusal::NoConsent
        && case.intake.consents(ConsentScope::Disclosure)
    {
        return refuse(
            Code::NoConsent,
            "the claimant consents to disclosure; give the right reason",
        );
    }
    Ok(())
}

pub(super) fn hold(case: &Case) -> Result<(), Rejection> {
    case.exists()?;
    if let Some(hold) = case.registry.hold {
        return refuse(Code::OnHold, format!("the case is on hold since version {hold}"));
    }
    Ok(())
}

pub(super) fn lift(case: &Case) -> Result<(), Rejection> {
    case.exists()?;
    need(case.registry.hold.map(|_| ()), Code::NotOnHold, "the case is not on hold")
}

/// Erasure could hide a wrong: it waits until nothing can be challenged any more, and two people
/// answer for it (GDPR art. 17(3)(e)).
pub(super) fn destroy_key(
    case: &Case,
    erasure: &DestroyKey,
    context: &Context<'_>,
) -> Result<PiiKeyDestroyed, Rejection> {
    case.exists()?;
    if case.registry.closed.is_none() {
        return refuse(
            Code::ErasureEarly,
            "nothing is erased before the file is closed: it may still be challenged",
        );
    }
    let at = context.at(case)?;
    if case.intake.withdrawn.is_none() {
        super::no_window_open(case, at)?;
    }
    // What came in since the file was closed is not destroyed unread.
    if let Some(reason) = removal::binds_closing(case, at) {
        return refuse(Code::RemovalBarred, format!("nothing is erased: {}", reason.sentence));
    }
    if let Some(hold) = case.registry.hold {
        return refuse(Code::OnHold, format!("the case is on hold since version {hold}"));
    }
    approved_by_another(&erasure.approver, context)?;
    let key = need(case.intake.key(), Code::UnknownCase, "the case has no key")?;
    Ok(PiiKeyDestroyed {
        key,
        legal_basis: erasure.legal_basis.clone(),
        approver: erasure.approver.clone(),
    })
}

pub(super) fn record_replay(
    case: &Case,
    replay: &RecordReplay,
) -> Result<ReplayVerified, Rejection> {
    case.exists()?;
    known(case, replay.first)?;
    known(case, replay.last)?;
    if replay.first > replay.last {
        return refuse(Code::UnknownVersion, "first lies behind last");
    }
    if replay.criterion.is_some() && replay.result == ReplayResult::Reproduced {
        return refuse(
            Code::UnknownCriterion,
            "what was reproduced did not diverge on a criterion",
        );
    }
    Ok(ReplayVerified {
        first: replay.first,
        last: replay.last,
        engine: guidance::ENGINE_VERSION.to_owned(),
        result: replay.result,
        criterion: replay.criterion.clone(),
    })
}
