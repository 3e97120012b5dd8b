//! The words of intake, routing, fact-finding and control.

vocabulary! {
    /// In which way service is refused, as the claimant says (Handbook paras 167 to 174).
    Act {
        /// Left before being called.
        EvasionPreemptive = "evasion_preemptive",
        /// Left after being called.
        EvasionAfterSummons = "evasion_after_summons",
        /// Refused at induction.
        RefusalAtInduction = "refusal_at_induction",
        /// Left the forces.
        Desertion = "desertion",
        /// Refused an order.
        RefusalOfOrder = "refusal_of_order",
        /// Refused recall from the reserve.
        ReservistRefusal = "reservist_refusal",
    }
    /// What an authority holds of an identity.
    IdentityFinding {
        /// Established by documents.
        Established = "established",
        /// Made plausible without them.
        Plausible = "plausible",
        /// Not established.
        NotEstablished = "not_established",
        /// The assertion is contradicted.
        Contradicted = "contradicted",
    }
    /// How far a representative may act.
    RepresentationScope {
        /// In the whole case.
        Full = "full",
        /// Until the decision.
        FirstInstance = "first_instance",
        /// In appeals.
        Appeal = "appeal",
    }
    /// Why a representation ended.
    RepresentationEnd {
        /// By the claimant.
        ByClaimant = "by_claimant",
        /// By the representative.
        ByRepresentative = "by_representative",
        /// By the authority or a court, as for a guardian of one who came of age.
        ByAuthority = "by_authority",
        /// Its task is done.
        Completed = "completed",
    }
    /// To what a claimant consents. Consent is never a condition of the claim.
    ConsentScope {
        /// Contact with the family.
        FamilyTracing = "family_tracing",
        /// A medical examination.
        MedicalExamination = "medical_examination",
        /// Sound or film of the interview.
        Recording = "recording",
        /// Disclosure to a named kind of recipient.
        Disclosure = "disclosure",
        /// Use in research, without the person.
        Research = "research",
    }
    /// A need that the procedure must meet (Directive 2013/32/EU art. 24).
    NeedKind {
        /// A child without a guardian.
        UnaccompaniedChild = "unaccompanied_child",
        /// Torture, rape or other serious violence.
        SurvivorOfViolence = "survivor_of_violence",
        /// Trauma or another condition of the mind.
        MentalHealth = "mental_health",
        /// Illness or injury.
        PhysicalHealth = "physical_health",
        /// Disability.
        Disability = "disability",
        /// Victim of trafficking.
        Trafficking = "trafficking",
        /// At risk for orientation or gender identity.
        Sogi = "sogi",
        /// Cannot read or write.
        Illiteracy = "illiteracy",
        /// Any other.
        Other = "other",
    }
    /// What is done about a need.
    Safeguard {
        /// A guardian was appointed.
        Guardian = "guardian",
        /// More time.
        MoreTime = "more_time",
        /// Interviewer and interpreter of a chosen sex.
        ChosenSex = "chosen_sex",
        /// A person of trust is present.
        PersonOfTrust = "person_of_trust",
        /// A specially trained interviewer.
        TrainedInterviewer = "trained_interviewer",
        /// Medical care or a report.
        MedicalCare = "medical_care",
        /// Out of an accelerated or border procedure.
        OrdinaryProcedure = "ordinary_procedure",
        /// Breaks, place or manner of the interview.
        AdaptedInterview = "adapted_interview",
        /// The papers are read out and explained.
        ReadOut = "read_out",
    }
    /// What stood in the way of reaching the procedure.
    Barrier {
        /// A visa was refused or could not be asked for.
        Visa = "visa",
        /// The border was closed.
        Border = "border",
        /// Pushed back.
        Pushback = "pushback",
    }
    /// How a member of the family stands to the claimant. Each has a claim of their own.
    FamilyRelation {
        /// Husband or wife.
        Spouse = "spouse",
        /// Partner.
        Partner = "partner",
        /// Mother or father.
        Parent = "parent",
        /// Daughter or son.
        Child = "child",
        /// Sister or brother.
        Sibling = "sibling",
        /// Guardian.
        Guardian = "guardian",
        /// Anyone else who depends or is depended on.
        Dependant = "dependant",
    }
    /// Who keeps a reference.
    ReferenceHolder {
        /// A court or tribunal.
        Tribunal = "tribunal",
        /// Another authority of the same state.
        Authority = "authority",
        /// An authority of another state that answers for claims.
        OtherState = "other_state",
        /// An international organisation.
        Organisation = "organisation",
        /// A representative's own file.
        Representative = "representative",
    }
    /// On what a transfer to another state rests.
    TransferKind {
        /// That state is to take charge of the claim.
        TakeCharge = "take_charge",
        /// That state is to take the person back.
        TakeBack = "take_back",
        /// Relocation in solidarity.
        Relocation = "relocation",
    }
    /// Where a transfer stands.
    TransferStage {
        /// Requested.
        Requested = "requested",
        /// The other state accepted.
        Accepted = "accepted",
        /// The other state refused.
        Refused = "refused",
        /// Decided by the authority.
        Decided = "decided",
        /// Carried out.
        Executed = "executed",
        /// Its time ran out: the claim stays here.
        Lapsed = "lapsed",
    }
    /// What is held of two persons of the register.
    PersonMatch {
        /// They may be one.
        Possible = "possible",
        /// They are alike and were found to be two.
        Distinct = "distinct",
    }
    /// Who receives, or asks for, what a case holds. The first two are there to be refused: a
    /// request by the persecutor is recorded, and nothing ever goes to it (I20).
    RecipientClass {
        /// An authority of the state of origin.
        OriginState = "origin_state",
        /// Anyone who acts for it.
        OriginAgent = "origin_agent",
        /// The claimant.
        Claimant = "claimant",
        /// The representative.
        Representative = "representative",
        /// A court or tribunal.
        Court = "court",
        /// Another authority of this state.
        DomesticAuthority = "domestic_authority",
        /// The state that answers for the claim.
        ResponsibleState = "responsible_state",
        /// UNHCR or a partner of it.
        Unhcr = "unhcr",
        /// A health service.
        Health = "health",
        /// Research, without the person.
        Research = "research",
        /// Anyone else.
        Other = "other",
    }
    /// On what a disclosure rests.
    DisclosureGround {
        /// The claimant's consent, which is recorded and was not withdrawn.
        Consent = "consent",
        /// A duty in law.
        LegalDuty = "legal_duty",
        /// It concerns the person's own data.
        OwnData = "own_data",
        /// The vital interest of somebody.
        VitalInterest = "vital_interest",
    }
    /// Why a disclosure was refused.
    DisclosureRefusal {
        /// The recipient is, or may act for, the state of origin (I20).
        Origin = "origin",
        /// There is no ground in law.
        NoGround = "no_ground",
        /// The claimant did not consent.
        NoConsent = "no_consent",
        /// Who asks could not be told.
        Unidentified = "unidentified",
    }
    /// The sex of interviewer and interpreter that the claimant asked for.
    InterviewerChoice {
        /// Women.
        Female = "female",
        /// Men.
        Male = "male",
        /// None.
        NoPreference = "no_preference",
    }
    /// Where an interview stands.
    InterviewStage {
        /// Notice was given.
        Scheduled = "scheduled",
        /// It was held.
        Held = "held",
        /// The claimant did not come.
        Missed = "missed",
    }
    /// Why an interview was put off.
    RescheduleCause {
        /// The claimant asked.
        Claimant = "claimant",
        /// The representative asked.
        Representative = "representative",
        /// No interpreter.
        Interpreter = "interpreter",
        /// The authority.
        Authority = "authority",
    }
    /// Why somebody did not come to an interview.
    Excuse {
        /// None was given.
        NoneGiven = "none_given",
        /// Illness.
        Illness = "illness",
        /// The summons was not received.
        NotSummoned = "not_summoned",
        /// The way there.
        Travel = "travel",
        /// Care for others.
        Care = "care",
        /// Another that is accepted.
        OtherAccepted = "other_accepted",
        /// One that is not accepted.
        NotAccepted = "not_accepted",
    }
    /// Who corrects a transcript.
    Correction {
        /// The claimant.
        Claimant = "claimant",
        /// The representative.
        Representative = "representative",
        /// The interpreter.
        Interpreter = "interpreter",
        /// The interviewer.
        Interviewer = "interviewer",
    }
    /// What a replay gave.
    ReplayResult {
        /// The recorded proposal, bit for bit.
        Reproduced = "reproduced",
        /// Another one.
        Diverged = "diverged",
    }
}
