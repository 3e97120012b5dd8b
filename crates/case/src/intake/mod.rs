//! Intake: a claim is registered, the claimant's identity is asserted, a claim is withdrawn.

use guidance::Sought;

use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::personal::{Line, Personal, PrivateDate, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp};
use crate::token::{Language, ProfileName};
use crate::vocabulary::Channel;
use crate::{EvidenceId, KeyId, Version, WorldDate};

/// Registers a claim: the first event of a case.
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

commands! {
    service "intake" as Intake;
    RegisterClaim = "register-claim", "Registers a claim: the first event of a case.",
        by [Registrar, Applicant, Representative],
        personal [("name", Line), ("nationality[]", Line), ("narrative", Words)];
    AssertIdentity = "assert-identity", "Asserts the claimant's identity.",
        by [Registrar, Applicant, Representative],
        personal [("name", Line), ("aliases[]", Line), ("born", Date), ("nationality[]", Line)];
    WithdrawClaim = "withdraw-claim", "Withdraws the claim, by the claimant's explicit word.",
        by [Applicant, Representative],
        personal [("reason", Words)];
}

/// The claim was registered.
pub type ClaimRegistered = RegisterClaim;
/// The identity was asserted.
pub type IdentityAsserted = AssertIdentity;
/// The claim was withdrawn.
pub type ClaimWithdrawn = WithdrawClaim;

events! {
    service "intake" as Intake;
    ClaimRegistered = "claim-registered", "The claim was registered.";
    IdentityAsserted = "identity-asserted", "The claimant's identity was asserted.";
    ClaimWithdrawn = "claim-withdrawn", "The claim was withdrawn.";
}

/// What a case knows of its registration. It holds no words, not even sealed ones.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Registration {
    /// The profile of guidance.
    pub profile: ProfileName,
    /// What is sought.
    pub sought: Sought,
    /// The key of the claimant, under which the case's personal fields are sealed.
    pub key: KeyId,
    /// When it was registered, in the world.
    pub registered: WorldDate,
}

/// What intake knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct State {
    /// The registration; absent before the first event.
    pub registration: Option<Registration>,
    /// The event that asserted the identity last.
    pub identity: Option<Version>,
    /// The event by which the claim was withdrawn.
    pub withdrawn: Option<Version>,
}

/// Decides a command of intake.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    match command {
        Command::RegisterClaim(claim) => register(case, claim, context),
        Command::AssertIdentity(identity) => {
            case.open()?;
            for document in &identity.documents {
                case.evidence.item(*document)?;
            }
            Ok(Event::IdentityAsserted(identity.clone()))
        }
        Command::WithdrawClaim(withdrawal) => withdraw(case, withdrawal),
    }
}

fn register(case: &Case, claim: &RegisterClaim, context: &Context<'_>) -> Result<Event, Rejection> {
    if case.version > Version(0) {
        return refuse(Code::AlreadyRegistered, "the case is registered already");
    }
    if !context.law.has_profile(&claim.profile) {
        return refuse(
            Code::NoGuidance,
            format!(
                "there is no guidance for the profile {}; `tebessa guidance list` shows the profiles",
                claim.profile
            ),
        );
    }
    Ok(Event::ClaimRegistered(Box::new(claim.clone())))
}

fn withdraw(case: &Case, withdrawal: &WithdrawClaim) -> Result<Event, Rejection> {
    case.open()?;
    if case.decisions.standing().is_some() && case.appeals.pending().is_none() {
        return refuse(
            Code::NothingToWithdraw,
            "a decision stands and no appeal is pending, so there is no claim left to withdraw",
        );
    }
    Ok(Event::ClaimWithdrawn(Box::new(withdrawal.clone())))
}

/// Applies an event of intake.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    match event {
        Event::ClaimRegistered(claim) => {
            case.intake.registration = Some(Registration {
                profile: claim.profile.clone(),
                sought: claim.sought,
                key: claim.name.sealed().key,
                registered: stamp.occurred.clone(),
            });
            case.assessment.open_round(stamp.version);
        }
        Event::IdentityAsserted(_) => case.intake.identity = Some(stamp.version),
        Event::ClaimWithdrawn(_) => case.intake.withdrawn = Some(stamp.version),
    }
}
