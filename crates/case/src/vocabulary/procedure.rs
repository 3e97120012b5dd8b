//! The vocabulary of the procedure after the fact-finding: clocks, decisions, appeals and what comes
//! later.

vocabulary! {
    /// Where an appeal stands.
    AppealStanding {
        /// It waits for a ruling, also on whether it is heard though it was late.
        Pending = "pending",
        /// It waits for the ruling of the next court, which gave permission.
        NextCourt = "before_the_next_court",
        /// It was ruled on.
        Ruled = "ruled",
        /// It was late and is not heard.
        RejectedAsLate = "rejected_as_late",
        /// Who filed it took it back.
        Withdrawn = "withdrawn",
        /// Its decision fell, or the claim was withdrawn: there is nothing left to decide.
        Lapsed = "lapsed",
    }
    /// What a deadline is for.
    DeadlineKind {
        /// A claim that was made is registered.
        Registration = "registration",
        /// A registered claim is lodged.
        Lodging = "lodging",
        /// The claim is decided on its merits.
        Merits = "merits",
        /// The decision is appealed.
        Appeal = "appeal",
        /// A further appeal, or the permission for it, is sought.
        Onward = "onward",
        /// A warning is answered before a claim counts as withdrawn.
        Response = "response",
        /// A withdrawn claim is taken up again.
        Reinstatement = "reinstatement",
        /// The next step of a transfer to another state.
        Transfer = "transfer",
        /// A status or a file is looked at again.
        Review = "review",
        /// Another one, set by a person.
        Other = "other",
    }
    /// How a deadline ended.
    DeadlineEnd {
        /// It ran out.
        Expired = "expired",
        /// What it waited for happened in time, or cannot happen any more.
        Met = "met",
    }
    /// Under which circumstance a time limit runs.
    Circumstance {
        /// No special one.
        Ordinary = "ordinary",
        /// The claimant is detained.
        Detained = "detained",
        /// The claimant is abroad.
        Abroad = "abroad",
        /// The procedure is accelerated.
        Accelerated = "accelerated",
        /// Only admissibility is examined.
        Admissibility = "admissibility",
        /// More people arrive than can be registered at once.
        Surge = "surge",
        /// A time of grace after the ordinary one.
        Grace = "grace",
    }
    /// Why service failed.
    NotificationFailure {
        /// Nobody lives there under that name.
        UnknownAddress = "unknown_address",
        /// Moved, without a new address.
        Moved = "moved",
        /// Not taken.
        Refused = "refused",
        /// Not fetched in time.
        NotCollected = "not_collected",
        /// The way did not work.
        Undeliverable = "undeliverable",
        /// Another cause.
        Other = "other",
    }
    /// On whose motion a decision is withdrawn.
    WithdrawnBy {
        /// The authority's own.
        Authority = "authority",
        /// The claimant's.
        Claimant = "claimant",
        /// Agreed before a tribunal.
        Settlement = "settlement",
    }
    /// On what a removal bar rests.
    BarBasis {
        /// An interim measure of an international court or body.
        InterimMeasure = "interim_measure",
        /// An order of a national court.
        CourtOrder = "court_order",
        /// The person's health.
        Medical = "medical",
        /// A child's interests.
        BestInterestsOfChild = "best_interests_of_child",
        /// Removals to the country are suspended.
        CountryPolicy = "country_policy",
        /// Other proceedings, such as those for extradition or of a witness.
        OtherProceedings = "other_proceedings",
        /// Another basis.
        Other = "other",
    }
    /// A status.
    StatusKind {
        /// Refugee status.
        Refugee = "refugee",
        /// Subsidiary protection.
        Subsidiary = "subsidiary",
        /// On humanitarian grounds.
        Humanitarian = "humanitarian",
        /// No more than the protection from return.
        NonrefoulementOnly = "nonrefoulement_only",
    }
    /// On which of three distinct grounds a status is reviewed.
    StatusReviewKind {
        /// Protection is no longer needed (article 1C).
        Cessation = "cessation",
        /// It should never have been granted.
        Cancellation = "cancellation",
        /// What the person did since excludes it.
        Revocation = "revocation",
    }
    /// Where the review of a status stands.
    StatusReviewStage {
        /// Opened.
        Opened = "opened",
        /// The claimant was told.
        Notified = "notified",
        /// The claimant was heard.
        Heard = "heard",
        /// Over: the status stays.
        Kept = "kept",
        /// Over: the status ended.
        Ended = "ended",
    }
    /// Why a status ends.
    EndGround {
        /// Cessation: re-availed of the protection of the state of nationality (1C(1)).
        Reavailment = "reavailment",
        /// Cessation: nationality taken up again (1C(2)).
        NationalityRegained = "nationality_regained",
        /// Cessation: a new nationality and its protection (1C(3)).
        NewNationality = "new_nationality",
        /// Cessation: settled again where persecution was feared (1C(4)).
        Reestablishment = "reestablishment",
        /// Cessation: the circumstances ceased to exist, durably (1C(5) and (6)).
        CeasedCircumstances = "ceased_circumstances",
        /// Cancellation: misrepresented or left out what was decisive.
        Misrepresentation = "misrepresentation",
        /// Cancellation: an error of the authority.
        AuthorityError = "authority_error",
        /// Cancellation: excluded already when it was granted.
        ExcludedAtGrant = "excluded_at_grant",
        /// Revocation: acts after the grant that article 1F(a) or (c) names.
        ActsOfExclusion = "acts_of_exclusion",
    }
    /// Whether an appeal suspends what was decided.
    SuspensiveEffect {
        /// It does.
        Suspensive = "suspensive",
        /// It does not, by law.
        NotSuspensive = "not_suspensive",
        /// It does not by law, and the judge ordered that it does.
        Ordered = "ordered",
        /// An order was asked for and refused.
        Refused = "refused",
    }
    /// Where a hearing stands.
    HearingStage {
        /// Listed.
        Listed = "listed",
        /// Adjourned; another is listed under an id of its own.
        Adjourned = "adjourned",
        /// Held.
        Held = "held",
    }
    /// Why a hearing is adjourned.
    AdjournmentCause {
        /// The appellant asked, or could not come.
        Appellant = "appellant",
        /// The authority asked, or could not come.
        Authority = "authority",
        /// There was no interpreter.
        Interpreter = "interpreter",
        /// Further evidence is awaited.
        Evidence = "evidence",
        /// The tribunal's own cause.
        Tribunal = "tribunal",
    }
    /// Whether an appeal may go further.
    PermissionResult {
        /// It may.
        Granted = "granted",
        /// It may not.
        Refused = "refused",
    }
    /// Why a claimant is warned that the claim may count as withdrawn.
    WarningCause {
        /// Did not lodge the claim.
        NotLodged = "not_lodged",
        /// Did not come to the interview.
        NotAttended = "not_attended",
        /// Cannot be found.
        Absconded = "absconded",
        /// Does not give what was asked for.
        NoCooperation = "no_cooperation",
    }
    /// What of an appeal was taken back.
    TakenBack {
        /// The appeal itself.
        Appeal = "appeal",
        /// The asking for permission to go further.
        Permission = "permission",
        /// What the next court had by that permission.
        OnwardAppeal = "onward_appeal",
    }
    /// What was held of a further submission.
    SubmissionRuling {
        /// It brings something new: the claim is to be reopened.
        Admitted = "admitted",
        /// It brings nothing new.
        Inadmissible = "inadmissible",
    }
    /// Why a claim is reopened.
    ReopenGround {
        /// A further submission was admitted.
        FurtherSubmission = "further_submission",
        /// Circumstances changed.
        ChangedCircumstances = "changed_circumstances",
        /// New evidence.
        NewEvidence = "new_evidence",
        /// Serious doubt that the decision was right.
        SeriousDoubt = "serious_doubt",
    }
    /// Why somebody must not be removed.
    BarReason {
        /// There is no such case.
        UnknownCase = "unknown_case",
        /// The claim is not decided.
        ClaimPending = "claim_pending",
        /// Service of the decision is not proved.
        ServiceUnproved = "service_unproved",
        /// The time to appeal runs.
        AppealWindow = "appeal_window",
        /// An appeal is not decided.
        AppealPending = "appeal_pending",
        /// The time to go to the next court runs.
        OnwardWindow = "onward_window",
        /// Permission to go to the next court is not decided.
        PermissionPending = "permission_pending",
        /// The outcome protects from return.
        ProtectionGranted = "protection_granted",
        /// Harm within article 3 of the Convention was found and no court held otherwise.
        ArticleThreeFound = "article_three_found",
        /// Whether such harm awaits the person was left undetermined by a decision that did not turn on it.
        ArticleThreeOpen = "article_three_open",
        /// A status stands.
        StatusStands = "status_stands",
        /// A removal bar is in force.
        BarActive = "bar_active",
        /// A review of the status is pending.
        StatusReviewPending = "status_review_pending",
        /// A further submission is pending.
        SubmissionPending = "submission_pending",
        /// The claim counts as withdrawn and may be taken up again.
        Reinstatable = "reinstatable",
        /// Another claim of the same person bars it.
        OtherClaim = "other_claim",
        /// The case cannot be read.
        Unreadable = "unreadable",
        /// The node is not sure that it has everything.
        NotCurrent = "not_current",
    }
}

impl StatusReviewKind {
    /// The grounds that belong to it.
    #[must_use]
    pub const fn grounds(self) -> &'static [EndGround] {
        use EndGround as G;
        match self {
            Self::Cessation => &[
                G::Reavailment,
                G::NationalityRegained,
                G::NewNationality,
                G::Reestablishment,
                G::CeasedCircumstances,
            ],
            Self::Cancellation => &[G::Misrepresentation, G::AuthorityError, G::ExcludedAtGrant],
            Self::Revocation => &[G::ActsOfExclusion],
        }
    }
}
