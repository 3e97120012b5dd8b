//! The claim: made, registered, lodged, withdrawn; and who the claimant is.

use guidance::Sought;

use super::people;
use crate::decide::Context;
use crate::decisions::not_before;
use crate::personal::{Line, Personal, PrivateDate, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::Case;
use crate::token::{Criterion, Language, ProfileName};
use crate::vocabulary::{Act, Channel, IdentityFinding};
use crate::{EvidenceId, PersonId, Version, WorldDate};

/// Records that somebody expressed the wish for protection, to any officer and in any form. From
/// then on there is a claimant; registration may come days later, and lodging later still.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct MakeClaim {
    /// The claimant's name as given.
    pub name: Personal<Line>,
    /// The profile of guidance under which it is to be assessed.
    pub profile: ProfileName,
    /// How it reached the authority.
    pub channel: Channel,
    /// Where it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Personal<Line>>,
    /// The wish in the words that were used.
    pub wish: Personal<Words>,
    /// The language in which it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// Registers a claim: the first event of a case, unless the making of the claim was recorded.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RegisterClaim {
    /// The claimant's name as given.
    pub name: Personal<Line>,
    /// The nationalities as given. Sealed: no rule may ever look at them (I15).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nationality: Vec<Personal<Line>>,
    /// The profile of guidance under which the claim is assessed.
    pub profile: ProfileName,
    /// What is sought; `protection` where nothing is said.
    #[serde(default = "protection")]
    #[schemars(schema_with = "crate::schema::sought")]
    pub sought: Sought,
    /// The language in which the claimant is heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// How the claim reached the authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// When the wish for protection was first expressed; it may be long before registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<WorldDate>,
    /// What the claimant says, in the claimant's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrative: Option<Personal<Words>>,
    /// The person in the authority's register, where the id is known already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
}

const fn protection() -> Sought {
    Sought::Protection
}

/// Asserts the claimant's identity, with what is known of it.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AssertIdentity {
    /// The name.
    pub name: Personal<Line>,
    /// Other names and spellings; they are kept, never merged away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Personal<Line>>,
    /// The date of birth, as exactly as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<Personal<PrivateDate>>,
    /// The nationalities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nationality: Vec<Personal<Line>>,
    /// The items of evidence on which the identity rests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<EvidenceId>,
}

/// Withdraws the claim, by the claimant's own and explicit word.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct WithdrawClaim {
    /// The reason, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Words>>,
}

/// Lodges the claim: the claimant sets it out in full. The categories that are asserted limit
/// nothing: all of them are examined.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct LodgeClaim {
    /// In which way service was refused.
    pub act: Act,
    /// The criteria that the claimant asserts, such as C1 or C3.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories_asserted: Vec<Criterion>,
    /// The account.
    pub narrative: Personal<Words>,
    /// The language it was given in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// Says what the authority holds of the asserted identity.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AssessIdentity {
    /// What it holds.
    pub finding: IdentityFinding,
    /// The items of evidence on which it rests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<EvidenceId>,
    /// Why.
    pub reason: Personal<Words>,
}

/// Refers the case to a person of the authority's register. A wrong one is replaced by the next;
/// the register, and never the case, says which ids are one person.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct IdentifyPerson {
    /// The person.
    pub person: PersonId,
    /// Why.
    pub reason: Personal<Words>,
}

pub(super) fn make(case: &Case, claim: &MakeClaim, context: &Context<'_>) -> Result<(), Rejection> {
    if case.version > Version(0) {
        return refuse(Code::AlreadyRegistered, "the claim was made or registered already");
    }
    known_profile(&claim.profile, context)
}

pub(super) fn register(
    case: &Case,
    claim: &RegisterClaim,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    if case.version > Version(0) && !case.intake.waits_for_registration() {
        return refuse(Code::AlreadyRegistered, "the case is registered already");
    }
    if case.version > Version(0) {
        case.alive()?;
    }
    if let Some(made) = &claim.made {
        not_before(context.occurred, made, "the claim was made")?;
    }
    known_profile(&claim.profile, context)
}

fn known_profile(profile: &ProfileName, context: &Context<'_>) -> Result<(), Rejection> {
    if context.law.has_profile(profile) {
        return Ok(());
    }
    refuse(
        Code::NoGuidance,
        format!(
            "there is no guidance for the profile {profile}; `tebessa guidance list` shows the profiles"
        ),
    )
}

pub(super) fn lodge(
    case: &Case,
    claim: &LodgeClaim,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    case.open()?;
    case.undecided()?;
    if let Some(lodged) = &case.intake.lodged {
        return refuse(
            Code::AlreadyLodged,
            format!(
                "the claim was lodged at version {}; further words are evidence",
                lodged.version
            ),
        );
    }
    for criterion in &claim.categories_asserted {
        context.law.known_criterion(case, criterion)?;
    }
    Ok(())
}

pub(super) fn assess_identity(case: &Case, identity: &AssessIdentity) -> Result<(), Rejection> {
    case.open()?;
    if case.intake.identity.is_none() {
        return refuse(Code::NoIdentity, "no identity was asserted yet; assert it first");
    }
    identity.documents.iter().try_for_each(|id| case.evidence.relied_on(*id).map(|_| ()))
}

pub(super) fn withdraw(case: &Case, context: &Context<'_>) -> Result<(), Rejection> {
    case.alive()?;
    people::represents(case, context)?;
    people::no_child_alone(case)?;
    if case.decisions.standing().is_some() && case.appeals.pending().is_none() {
        return refuse(
            Code::NothingToWithdraw,
            "a decision stands and no appeal is pending, so there is no claim left to withdraw",
        );
    }
    Ok(())
}
