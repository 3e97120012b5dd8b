//! Intake: a claim is made, registered and lodged; who the claimant is, who speaks for them, what
//! they need; and whether another state answers for the claim.
//!
//! Three dates are kept apart: made, registered, lodged. Rights begin with the first.

mod claim;
mod people;
mod state;
mod transfer;

pub use self::claim::{
    AssertIdentity, AssessIdentity, IdentifyPerson, LodgeClaim, MakeClaim, RegisterClaim,
    WithdrawClaim,
};
pub use self::people::{
    ApplySafeguard, AppointRepresentative, EndRepresentation, IdentifyNeed, LinkFamily,
    RecordBarrier, RecordConsent, RecordReference, WithdrawConsent,
};
pub(crate) use self::people::{may_represent, no_child_alone, represents};
pub use self::state::{
    BarrierMet, Consent, ExternalReference, FamilyMember, Lodged, Made, Registration,
    Representation, State,
};
pub(crate) use self::transfer::not_of_origin;
pub use self::transfer::{
    AcceptTransfer, DecideTransfer, ExecuteTransfer, LapseTransfer, RefuseTransfer,
    RequestTransfer, Transfer,
};
use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::decisions::day;
use crate::rejection::Rejection;
use crate::state::{Case, Stamp};
use crate::vocabulary::TransferStage as Stage;

commands! {
    service "intake" as Intake;
    MakeClaim = "make-claim", "Records that somebody expressed the wish for protection.",
        by [Registrar, Applicant, Representative],
        personal [("name", Line), ("place", Line), ("wish", Words)];
    RegisterClaim = "register-claim", "Registers a claim: the first event of a case.",
        by [Registrar, Applicant, Representative],
        personal [("name", Line), ("nationality[]", Line), ("narrative", Words)];
    LodgeClaim = "lodge-claim", "Lodges the claim: the claimant sets it out in full.",
        by [Registrar, Applicant, Representative],
        personal [("narrative", Words)];
    AssertIdentity = "assert-identity", "Asserts the claimant's identity.",
        by [Registrar, Applicant, Representative],
        personal [("name", Line), ("aliases[]", Line), ("born", Date), ("nationality[]", Line)];
    AssessIdentity = "assess-identity", "Says what the authority holds of the identity.",
        by [Registrar, Caseworker],
        personal [("reason", Words)];
    IdentifyPerson = "identify-person", "Refers the case to a person of the register.",
        by [Registrar, Registry],
        personal [("reason", Words)];
    AppointRepresentative = "appoint-representative", "Appoints a representative.",
        by [Applicant, Representative, Registrar, Registry],
        personal [("name", Line)];
    EndRepresentation = "end-representation", "Ends a representation.",
        by [Applicant, Representative, Registrar, Registry],
        personal [];
    RecordConsent = "record-consent", "Records the claimant's consent.",
        by [Applicant, Representative, Registrar],
        personal [("note", Words)];
    WithdrawConsent = "withdraw-consent", "Withdraws consent.",
        by [Applicant, Representative, Registrar],
        personal [("note", Words)];
    IdentifyNeed = "identify-need", "Identifies a need that the procedure must meet.",
        by [Registrar, Interviewer, Caseworker, Representative],
        personal [("account", Words)];
    ApplySafeguard = "apply-safeguard", "Applies a safeguard to a need.",
        by [Registrar, Interviewer, Caseworker],
        personal [("note", Words)];
    RecordBarrier = "record-barrier", "Records a barrier on the way to the procedure.",
        by [Registrar, Applicant, Representative, Interviewer],
        personal [("place", Line), ("account", Words)];
    LinkFamily = "link-family", "Links the claim of a member of the family.",
        by [Registrar, Applicant, Representative, Caseworker],
        personal [];
    RecordReference = "record-reference", "Records the number under which another body keeps the case.",
        by [Registrar, Representative, Caseworker, Registry],
        personal [];
    RequestTransfer = "request-transfer", "Asks another state to answer for the claim.",
        by [Registrar, Caseworker],
        personal [("state", Line)];
    AcceptTransfer = "accept-transfer", "Records that the other state accepted.",
        by [Registrar, Caseworker],
        personal [];
    RefuseTransfer = "refuse-transfer", "Records that the other state refused.",
        by [Registrar, Caseworker],
        personal [("reason", Words)];
    DecideTransfer = "decide-transfer", "Decides the transfer that was accepted.",
        by [DecisionMaker],
        personal [("reasons", Words)];
    ExecuteTransfer = "execute-transfer", "Records that the transfer was carried out.",
        by [Registry],
        personal [];
    LapseTransfer = "lapse-transfer", "Records that the time of a transfer ran out.",
        by [Registrar, Registry, Service],
        personal [];
    WithdrawClaim = "withdraw-claim", "Withdraws the claim, by the claimant's explicit word.",
        by [Applicant, Representative],
        personal [("reason", Words)];
}

/// The claim was made.
pub type ClaimMade = MakeClaim;
/// The claim was registered.
pub type ClaimRegistered = RegisterClaim;
/// The claim was lodged.
pub type ClaimLodged = LodgeClaim;
/// The claimant's identity was asserted.
pub type IdentityAsserted = AssertIdentity;
/// The asserted identity was assessed.
pub type IdentityAssessed = AssessIdentity;
/// The case was referred to a person of the register.
pub type PersonIdentified = IdentifyPerson;
/// A representative was appointed.
pub type RepresentativeAppointed = AppointRepresentative;
/// A representation ended.
pub type RepresentationEnded = EndRepresentation;
/// Consent was recorded.
pub type ConsentRecorded = RecordConsent;
/// Consent was withdrawn.
pub type ConsentWithdrawn = WithdrawConsent;
/// A need was identified.
pub type NeedIdentified = IdentifyNeed;
/// A safeguard was applied.
pub type SafeguardApplied = ApplySafeguard;
/// A barrier on the way to the procedure was recorded.
pub type AccessBarrierRecorded = RecordBarrier;
/// The claim of a member of the family was linked.
pub type FamilyMemberLinked = LinkFamily;
/// The number of another body was recorded.
pub type ExternalReferenceRecorded = RecordReference;
/// Another state was asked to answer for the claim.
pub type TransferRequested = RequestTransfer;
/// The other state accepted.
pub type TransferAccepted = AcceptTransfer;
/// The other state refused.
pub type TransferRefused = RefuseTransfer;
/// The transfer was decided.
pub type TransferDecided = DecideTransfer;
/// The transfer was carried out.
pub type TransferExecuted = ExecuteTransfer;
/// The time of the transfer ran out.
pub type TransferLapsed = LapseTransfer;
/// The claim was withdrawn.
pub type ClaimWithdrawn = WithdrawClaim;

events! {
    service "intake" as Intake;
    ClaimMade = "claim-made", "The claim was made.";
    ClaimRegistered = "claim-registered", "The claim was registered.";
    ClaimLodged = "claim-lodged", "The claim was lodged.";
    IdentityAsserted = "identity-asserted", "The claimant's identity was asserted.";
    IdentityAssessed = "identity-assessed", "The asserted identity was assessed.";
    PersonIdentified = "person-identified", "The case was referred to a person of the register.";
    RepresentativeAppointed = "representative-appointed", "A representative was appointed.";
    RepresentationEnded = "representation-ended", "A representation ended.";
    ConsentRecorded = "consent-recorded", "Consent was recorded.";
    ConsentWithdrawn = "consent-withdrawn", "Consent was withdrawn.";
    NeedIdentified = "need-identified", "A need was identified.";
    SafeguardApplied = "safeguard-applied", "A safeguard was applied.";
    AccessBarrierRecorded = "access-barrier-recorded", "A barrier on the way to the procedure was recorded.";
    FamilyMemberLinked = "family-member-linked", "The claim of a member of the family was linked.";
    ExternalReferenceRecorded = "external-reference-recorded", "The number of another body was recorded.";
    TransferRequested = "transfer-requested", "Another state was asked to answer for the claim.";
    TransferAccepted = "transfer-accepted", "The other state accepted.";
    TransferRefused = "transfer-refused", "The other state refused.";
    TransferDecided = "transfer-decided", "The transfer was decided.";
    TransferExecuted = "transfer-executed", "The transfer was carried out.";
    TransferLapsed = "transfer-lapsed", "The time of the transfer ran out.";
    ClaimWithdrawn = "claim-withdrawn", "The claim was withdrawn.";
}

impl Event {
    /// Whether an assessment must take the event into account (I7).
    #[must_use]
    pub const fn is_new_matter(&self) -> bool {
        matches!(
            self,
            Self::ClaimLodged(_)
                | Self::NeedIdentified(_)
                | Self::IdentityAsserted(_)
                | Self::IdentityAssessed(_)
        )
    }
}

/// Decides a command of intake.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    Ok(match command {
        Command::MakeClaim(claim) => {
            claim::make(case, claim, context)?;
            Event::ClaimMade(claim.clone())
        }
        Command::RegisterClaim(claim) => {
            claim::register(case, claim, context)?;
            Event::ClaimRegistered(claim.clone())
        }
        Command::LodgeClaim(claim) => {
            claim::lodge(case, claim, context)?;
            Event::ClaimLodged(claim.clone())
        }
        Command::AssertIdentity(identity) => {
            case.open()?;
            identity
                .documents
                .iter()
                .try_for_each(|id| case.evidence.relied_on(*id).map(|_| ()))?;
            Event::IdentityAsserted(identity.clone())
        }
        Command::AssessIdentity(identity) => {
            claim::assess_identity(case, identity)?;
            Event::IdentityAssessed(identity.clone())
        }
        Command::IdentifyPerson(identified) => {
            case.exists()?;
            Event::PersonIdentified(identified.clone())
        }
        Command::AppointRepresentative(appointed) => {
            people::appoint(case, appointed)?;
            Event::RepresentativeAppointed(appointed.clone())
        }
        Command::EndRepresentation(end) => {
            people::end(case, end)?;
            Event::RepresentationEnded(end.clone())
        }
        Command::RecordConsent(consent) => {
            case.alive()?;
            Event::ConsentRecorded(consent.clone())
        }
        Command::WithdrawConsent(consent) => {
            people::withdraw_consent(case, consent)?;
            Event::ConsentWithdrawn(consent.clone())
        }
        Command::IdentifyNeed(need) => {
            case.alive()?;
            Event::NeedIdentified(need.clone())
        }
        Command::ApplySafeguard(applied) => {
            people::apply(case, applied)?;
            Event::SafeguardApplied(applied.clone())
        }
        Command::RecordBarrier(barrier) => {
            case.alive()?;
            Event::AccessBarrierRecorded(barrier.clone())
        }
        Command::LinkFamily(link) => {
            people::link(case, link)?;
            Event::FamilyMemberLinked(link.clone())
        }
        Command::RecordReference(reference) => {
            people::record_reference(case, reference)?;
            Event::ExternalReferenceRecorded(reference.clone())
        }
        Command::WithdrawClaim(withdrawal) => {
            claim::withdraw(case, context)?;
            Event::ClaimWithdrawn(withdrawal.clone())
        }
        Command::RequestTransfer(transfer) => {
            transfer::request(case, transfer)?;
            Event::TransferRequested(transfer.clone())
        }
        Command::AcceptTransfer(accepted) => {
            transfer::step(case, accepted.transfer, &[Stage::Requested], Stage::Accepted)?;
            day(&accepted.due, "due")?;
            Event::TransferAccepted(accepted.clone())
        }
        Command::RefuseTransfer(refused) => {
            transfer::step(case, refused.transfer, &[Stage::Requested], Stage::Refused)?;
            Event::TransferRefused(refused.clone())
        }
        Command::DecideTransfer(decided) => {
            transfer::step(case, decided.transfer, &[Stage::Accepted], Stage::Decided)?;
            transfer::may_leave(case, decided.transfer, context)?;
            day(&decided.due, "due")?;
            Event::TransferDecided(decided.clone())
        }
        Command::ExecuteTransfer(executed) => {
            transfer::step(case, executed.transfer, &[Stage::Decided], Stage::Executed)?;
            transfer::may_leave(case, executed.transfer, context)?;
            transfer::no_time_runs(case, context)?;
            Event::TransferExecuted(executed.clone())
        }
        Command::LapseTransfer(lapsed) => {
            let running = [Stage::Requested, Stage::Accepted, Stage::Decided];
            transfer::step(case, lapsed.transfer, &running, Stage::Lapsed)?;
            Event::TransferLapsed(lapsed.clone())
        }
    })
}

/// Applies an event of intake.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    // I7: the claimant's account, who they are and what they need is what an assessment is about.
    if event.is_new_matter() && case.decisions.standing().is_none() {
        if matches!(event, Event::ClaimLodged(_)) {
            case.assessment.void(stamp.version);
        } else {
            case.assessment.overtake(stamp.version);
        }
    }
    match event {
        Event::ClaimMade(claim) => {
            case.intake.made = Some(Made {
                version: stamp.version,
                made: stamp.occurred.clone(),
                key: claim.name.sealed().key,
            });
        }
        Event::ClaimRegistered(claim) => registered(case, claim, stamp),
        Event::ClaimLodged(claim) => {
            // I13: who does what was asked for is not taken for gone.
            case.registry.later.warning = None;
            case.intake.lodged = Some(Lodged {
                version: stamp.version,
                lodged: stamp.occurred.clone(),
                act: claim.act,
                categories_asserted: claim.categories_asserted.clone(),
            });
        }
        Event::IdentityAsserted(_) => case.intake.identity = Some(stamp.version),
        Event::IdentityAssessed(assessed) => {
            case.intake.identity_finding = Some(assessed.finding);
        }
        Event::PersonIdentified(identified) => case.intake.person = Some(identified.person),
        Event::ClaimWithdrawn(_) => {
            case.intake.withdrawn = Some(stamp.version);
            case.appeals.lapse(stamp.version);
            case.assessment.goes_on_since(stamp.occurred.clone());
        }
        Event::RepresentativeAppointed(_)
        | Event::RepresentationEnded(_)
        | Event::ConsentRecorded(_)
        | Event::ConsentWithdrawn(_)
        | Event::NeedIdentified(_)
        | Event::SafeguardApplied(_)
        | Event::AccessBarrierRecorded(_)
        | Event::FamilyMemberLinked(_)
        | Event::ExternalReferenceRecorded(_) => people::evolve(&mut case.intake, event, stamp),
        Event::TransferRequested(_)
        | Event::TransferAccepted(_)
        | Event::TransferRefused(_)
        | Event::TransferDecided(_)
        | Event::TransferExecuted(_)
        | Event::TransferLapsed(_) => transfer::evolve(&mut case.intake, event, stamp),
    }
}

fn registered(case: &mut Case, claim: &RegisterClaim, stamp: &Stamp<'_>) {
    case.intake.registration = Some(Registration {
        profile: claim.profile.clone(),
        sought: claim.sought,
        key: claim.name.sealed().key,
        registered: stamp.occurred.clone(),
    });
    case.intake.person = claim.person.or(case.intake.person);
    case.assessment.open_round(stamp.version, stamp.occurred.clone());
}
