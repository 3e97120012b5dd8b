//! Rejections: the answers "no" of the rules, each with a stable code.

use crate::invariant::Invariant;

macro_rules! codes {
    ($($(#[$meta:meta])* $variant:ident = $text:literal, $invariant:expr;)*) => {
        /// Why the rules refuse a command. The codes are a promise to programs.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum Code {
            $($(#[$meta])* #[serde(rename = $text)] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as programs see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The invariant that the refusal protects, if it protects one.
            #[must_use]
            pub const fn invariant(self) -> Option<Invariant> {
                match self { $(Self::$variant => $invariant,)* }
            }
        }
    };
}

use Invariant::{I1, I2, I3, I4, I5, I6, I7, I8, I10, I11, I12, I13, I14, I17, I18, I20, I21, I22};

codes! {
    /// The command id was used before, with another body.
    CommandReused = "command_reused", Some(I22);
    /// The case is not at the version that the sender expected.
    StaleVersion = "stale_version", None;
    /// The actor's role may not send this command.
    WrongRole = "wrong_role", None;
    /// There is no such case.
    UnknownCase = "unknown_case", None;
    /// The case is registered already.
    AlreadyRegistered = "already_registered", Some(I17);
    /// The claim was made and not registered yet.
    NotRegistered = "not_registered", None;
    /// The claim was lodged already.
    AlreadyLodged = "already_lodged", Some(I17);
    /// No identity was asserted.
    NoIdentity = "no_identity", None;
    /// The actor or the one named does not represent the claimant, or not in this.
    NotRepresenting = "not_representing", None;
    /// An unaccompanied child does this with a representative only.
    RepresentativeNeeded = "representative_needed", None;
    /// The one named represents the claimant already.
    AlreadyRepresenting = "already_representing", None;
    /// There is no consent.
    NoConsent = "no_consent", None;
    /// No such need was identified.
    UnknownNeed = "unknown_need", None;
    /// The claim is linked already, or is the case's own.
    FamilyLinkUnfit = "family_link_unfit", None;
    /// The reference is recorded already.
    ReferenceExists = "reference_exists", None;
    /// The recipient is the state of origin, acts for it, or is not attested to do neither.
    RecipientOfOrigin = "recipient_of_origin", Some(I20);
    /// The recipient is of a class to which this does not go.
    RecipientUnfit = "recipient_unfit", None;
    /// The id names another transfer already.
    TransferExists = "transfer_exists", Some(I17);
    /// Another transfer is pending.
    TransferPending = "transfer_pending", None;
    /// The case has no such transfer.
    UnknownTransfer = "unknown_transfer", None;
    /// The transfer does not stand where this step begins.
    TransferStageUnfit = "transfer_stage_unfit", None;
    /// The file is closed.
    FileClosed = "file_closed", Some(I18);
    /// The claim was withdrawn.
    ClaimWithdrawn = "claim_withdrawn", None;
    /// The command says that it happened in the future.
    OccurredInFuture = "occurred_in_future", None;
    /// No guidance of this profile is in force on that day.
    NoGuidance = "no_guidance", None;
    /// The guidance has no such criterion, or it is derived and not found.
    UnknownCriterion = "unknown_criterion", None;
    /// The case has no such item of evidence.
    UnknownEvidence = "unknown_evidence", None;
    /// The id names another item already.
    EvidenceExists = "evidence_exists", Some(I17);
    /// The command goes to the register, and this is a case; or the other way round.
    NotTheRegister = "not_the_register", None;
    /// The ids mean one person already, or one of them does not lead.
    SamePerson = "same_person", None;
    /// They were found to be two persons.
    DistinctPersons = "distinct_persons", None;
    /// The id names another merge already.
    MergeExists = "merge_exists", Some(I17);
    /// The register has no such merge.
    UnknownMerge = "unknown_merge", None;
    /// The merge was reversed already.
    MergeReversed = "merge_reversed", Some(I17);
    /// The guidance was published already.
    GuidancePublished = "guidance_published", Some(I17);
    /// The officer is not enrolled, or acts in no capacity.
    OfficerUnfit = "officer_unfit", None;
    /// The case has no such version, or none is named.
    UnknownVersion = "unknown_version", None;
    /// Who asks does not approve.
    ApproverUnfit = "approver_unfit", None;
    /// The record has no such personal field.
    FieldUnfit = "field_unfit", None;
    /// The old value is not what the record says.
    OldValueUnfit = "old_value_unfit", Some(I17);
    /// The case is on hold.
    OnHold = "on_hold", None;
    /// The case is not on hold.
    NotOnHold = "not_on_hold", None;
    /// Nothing is erased before the file is closed.
    ErasureEarly = "erasure_early", None;
    /// The case was erased; nothing more happens in it.
    Erased = "erased", None;
    /// The item was withdrawn.
    EvidenceWithdrawn = "evidence_withdrawn", None;
    /// The item was brought by the other side.
    NotYoursToWithdraw = "not_yours_to_withdraw", None;
    /// Country information on which findings rest was not disclosed.
    NotDisclosed = "not_disclosed", Some(I8);
    /// How the person came in would stand against them.
    EntryUndermines = "entry_undermines", Some(I21);
    /// The id names another interview already.
    InterviewExists = "interview_exists", Some(I17);
    /// The case has no such interview.
    UnknownInterview = "unknown_interview", None;
    /// The interview does not stand where this step begins.
    InterviewStageUnfit = "interview_stage_unfit", None;
    /// Who interviews does not interpret.
    InterpreterUnfit = "interpreter_unfit", None;
    /// The transcript was served already.
    TranscriptServed = "transcript_served", Some(I17);
    /// The transcript was not served, or no place of it is named.
    NoTranscript = "no_transcript", None;
    /// The fact that is to be superseded, or on which a finding rests, does not stand any more.
    FactNotCurrent = "fact_not_current", Some(I17);
    /// The inbox holds no such upload.
    UnknownUpload = "unknown_upload", None;
    /// The uploaded file has another size or digest than the command says.
    UploadUnfit = "upload_unfit", None;
    /// The file is larger than what is kept.
    FileTooLarge = "file_too_large", None;
    /// The item is not country information.
    NotCountryInfo = "not_country_info", None;
    /// A fact of this code cannot have this value.
    FactValueUnfit = "fact_value_unfit", None;
    /// The fact was not found in this case.
    UnknownFact = "unknown_fact", None;
    /// U needs its reason, M and N have none.
    UReasonUnfit = "u_reason_unfit", None;
    /// A decision stands; findings are closed.
    AlreadyDecided = "already_decided", Some(I17);
    /// The assessor of the remitted assessment may not assess again.
    SameAssessor = "same_assessor", Some(I14);
    /// Exclusion was not opened.
    ExclusionNotOpened = "exclusion_not_opened", Some(I6);
    /// Inclusion is not found yet.
    ExclusionBeforeInclusion = "exclusion_before_inclusion", Some(I6);
    /// The examination of exclusion is open already.
    ExclusionOpen = "exclusion_open", Some(I6);
    /// A clause of article 1F is needed, or stands where none belongs.
    ClauseUnfit = "clause_unfit", Some(I6);
    /// Criteria were not asked.
    NotAsked = "not_asked", Some(I4);
    /// The assessment is complete already.
    AlreadyComplete = "already_complete", Some(I17);
    /// There is no completed assessment.
    NotComplete = "not_complete", Some(I3);
    /// Something newer than the assessment voided its completion.
    AssessmentVoided = "assessment_voided", Some(I7);
    /// The sender looked at another assessment than the latest.
    NotLatest = "not_latest", Some(I3);
    /// What the sender says to have been shown is not what the case was at that version.
    SeenUnknown = "seen_unknown", None;
    /// What the sender says to have been shown is older than what the step rests on.
    SeenTooOld = "seen_too_old", None;
    /// The latest assessment was reviewed and agreed already.
    AlreadyReviewed = "already_reviewed", Some(I17);
    /// The latest assessment has no agreed review.
    NotReviewed = "not_reviewed", Some(I3);
    /// The actor took an earlier part that this step must be free of.
    TookPart = "took_part", Some(I2);
    /// The outcome is undetermined.
    Undetermined = "undetermined", Some(I5);
    /// A finding on the onus names a criterion that is not open.
    OnusUnfit = "onus_unfit", Some(I5);
    /// The outcome excludes, but exclusion was not found.
    ExclusionNotFound = "exclusion_not_found", Some(I6);
    /// The outcome departs from the proposal without reasons, or reasons a departure that is none.
    DepartureUnfit = "departure_unfit", Some(I10);
    /// Grounds are missing, or stand where none belong.
    GroundsUnfit = "grounds_unfit", None;
    /// There is no decision.
    NoDecision = "no_decision", None;
    /// The decision was served already.
    AlreadyNotified = "already_notified", Some(I17);
    /// A date is less exact than a day, or before the one that it must follow.
    DateUnfit = "date_unfit", None;
    /// An appeal is pending already.
    AppealPending = "appeal_pending", None;
    /// The id names another appeal already.
    AppealExists = "appeal_exists", Some(I17);
    /// The case has no such appeal.
    UnknownAppeal = "unknown_appeal", None;
    /// The appeal is not pending.
    NotPending = "not_pending", Some(I17);
    /// What is to be withdrawn was asked for by the other side.
    NotTheirs = "not_theirs", None;
    /// The appeal was filed late and not ruled on.
    LateNotRuled = "late_not_ruled", Some(I12);
    /// The appeal was filed in time, or was ruled on already.
    NothingToRule = "nothing_to_rule", Some(I12);
    /// Nobody is there to whom the case could be given back so.
    RemittalUnfit = "remittal_unfit", None;
    /// The result of the appeal and the stated outcome do not fit.
    OutcomeUnfit = "outcome_unfit", None;
    /// A decision stands; the claim can no longer be withdrawn.
    NothingToWithdraw = "nothing_to_withdraw", None;
    /// A time limit runs, an appeal is pending, or service is unproved.
    WindowOpen = "window_open", Some(I18);
    /// The id names another deadline already.
    DeadlineExists = "deadline_exists", Some(I17);
    /// The case has no event of that version.
    NoSuchEvent = "no_such_event", None;
    /// The case has no such deadline.
    UnknownDeadline = "unknown_deadline", None;
    /// The deadline does not run any more: it expired, or what it waited for happened.
    DeadlineEnded = "deadline_ended", Some(I17);
    /// The deadline is due at another instant than the command says: it was extended since.
    DeadlineMoved = "deadline_moved", None;
    /// The deadline is not due yet.
    NotDue = "not_due", None;
    /// The profile has no clock for this time limit, and none was stated.
    DeadlineUnknown = "deadline_unknown", Some(I11);
    /// The stated last day gives less time than the profile.
    DeadlineShort = "deadline_short", Some(I11);
    /// The tribunal ruled on the decision.
    AppealRuled = "appeal_ruled", Some(I17);
    /// The id names another removal bar already.
    BarExists = "bar_exists", Some(I17);
    /// No such removal bar is in force.
    UnknownBar = "unknown_bar", None;
    /// A judge placed the bar.
    BarOfJudge = "bar_of_judge", Some(I1);
    /// A status stands, and ends only by its review.
    StatusStands = "status_stands", Some(I1);
    /// The outcome does not carry this status.
    StatusUnfit = "status_unfit", None;
    /// No status stands.
    NoStatus = "no_status", None;
    /// A review of the status is pending already.
    StatusReviewPending = "status_review_pending", None;
    /// No review of a status is pending.
    NoStatusReview = "no_status_review", None;
    /// The review does not stand where this step begins.
    StatusReviewUnfit = "status_review_unfit", None;
    /// The ground does not belong to the kind of the review.
    EndGroundUnfit = "end_ground_unfit", None;
    /// The profile has no clock of this kind, and no instant was stated.
    NoClock = "no_clock", None;
    /// Something of the case bars a removal, so its file is not closed.
    RemovalBarred = "removal_barred", Some(I1);
    /// The assessment is open already.
    AssessmentOpen = "assessment_open", None;
    /// The id names another hearing already.
    HearingExists = "hearing_exists", Some(I17);
    /// The appeal has no such hearing.
    UnknownHearing = "unknown_hearing", None;
    /// The hearing does not stand where this step begins.
    HearingStageUnfit = "hearing_stage_unfit", None;
    /// The appeal was not ruled on.
    NotRuled = "not_ruled", None;
    /// Permission to go further was sought already.
    PermissionSought = "permission_sought", Some(I17);
    /// A warning stands unanswered.
    WarningStands = "warning_stands", None;
    /// The claimant was not warned.
    NotWarned = "not_warned", Some(I13);
    /// The profile has no clock for the answer, and none was stated.
    ResponseTimeUnknown = "response_time_unknown", Some(I13);
    /// The time to answer is less than the profile gives.
    ResponseTimeShort = "response_time_short", Some(I13);
    /// The time to answer the warning runs.
    ResponseTimeRuns = "response_time_runs", Some(I13);
    /// The claim does not count as withdrawn.
    NothingToReinstate = "nothing_to_reinstate", None;
    /// The id names another submission already.
    SubmissionExists = "submission_exists", Some(I17);
    /// A further submission is pending already.
    SubmissionPending = "submission_pending", None;
    /// The case has no such submission, or none that was admitted.
    UnknownSubmission = "unknown_submission", None;
    /// The submission was ruled on already.
    SubmissionRuled = "submission_ruled", Some(I17);
    /// The file is not closed.
    FileNotClosed = "file_not_closed", None;
    /// The retention class does not fit how the case ended.
    RetentionUnfit = "retention_unfit", None;
}

/// A refusal by the rules: an answer, never an error of the system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// The stable code.
    pub code: Code,
    /// A sentence for people: what stands against it and what to do.
    pub message: String,
}

impl Rejection {
    /// A refusal with its sentence.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The invariant that the refusal protects.
    #[must_use]
    pub const fn invariant(&self) -> Option<Invariant> {
        self.code.invariant()
    }
}

/// Shorthand for a refusal as an `Err`.
pub(crate) fn refuse<T>(code: Code, message: impl Into<String>) -> Result<T, Rejection> {
    Err(Rejection::new(code, message))
}
