//! The vocabulary of the field: closed lists, spelt as in the project's page on the domain.

macro_rules! vocabulary {
    ($($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every value, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The value as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

mod inquiry;
mod procedure;

pub use inquiry::*;
pub use procedure::*;

vocabulary! {
    /// In which capacity somebody acts.
    Role {
        /// The person who claims protection.
        Applicant = "applicant",
        /// Who speaks for the applicant.
        Representative = "representative",
        /// Registers claims and identities.
        Registrar = "registrar",
        /// Holds the personal interview.
        Interviewer = "interviewer",
        /// Interprets at the interview.
        Interpreter = "interpreter",
        /// Makes the findings and completes the assessment.
        Caseworker = "caseworker",
        /// The second pair of eyes on an assessment.
        Reviewer = "reviewer",
        /// Issues the decision.
        DecisionMaker = "decision_maker",
        /// Decides appeals.
        AppealJudge = "appeal_judge",
        /// Serves decisions and keeps files.
        Registry = "registry",
        /// Researches country information.
        CoiResearcher = "coi_researcher",
        /// Answers for the protection of the data.
        Dpo = "dpo",
        /// Reads and verifies, decides nothing.
        Auditor = "auditor",
        /// A service that acts by rule, such as a timer.
        Service = "service",
    }
    /// What kind of thing an item of evidence is.
    EvidenceKind {
        /// What the applicant or another says.
        Testimony = "testimony",
        /// A call-up paper.
        Summons = "summons",
        /// A military identity book.
        MilitaryBook = "military_book",
        /// An extract of a public register.
        RegisterExtract = "register_extract",
        /// A court's verdict.
        Verdict = "verdict",
        /// A medical report.
        Medical = "medical",
        /// Pictures and film.
        PhotoVideo = "photo_video",
        /// Found online.
        Online = "online",
        /// An expert's opinion.
        Expert = "expert",
        /// From a religious body.
        Religious = "religious",
        /// Country-of-origin information.
        Coi = "coi",
        /// A witness.
        Witness = "witness",
        /// A record of how the person came in: irregular entry, missing papers, a barrier met on
        /// the way. It never undermines a finding (I21).
        IrregularEntry = "irregular_entry",
        /// None of these.
        Other = "other",
    }
    /// Which way an item points. Evidence never votes; people make findings.
    Polarity {
        /// It speaks for the criterion being met.
        Supports = "supports",
        /// It speaks against it.
        Undermines = "undermines",
        /// It bears on it without a direction.
        Neutral = "neutral",
    }
    /// Whether a document is what it says it is.
    Authenticity {
        /// Genuine.
        Genuine = "genuine",
        /// Doubtful.
        Doubtful = "doubtful",
        /// False.
        False = "false",
        /// Cannot be determined.
        Undetermined = "undetermined",
    }
    /// Why a criterion cannot be determined.
    UReason {
        /// Nobody asked yet; blocks completion.
        NotAsked = "not_asked",
        /// There is no evidence.
        NoEvidence = "no_evidence",
        /// The evidence conflicts.
        Conflicting = "conflicting",
        /// The country information is out of date.
        CoiStale = "coi_stale",
        /// The law is unsettled.
        LawUnsettled = "law_unsettled",
    }
    /// The five grounds of the 1951 Convention, article 1A(2).
    Ground {
        /// Race.
        Race = "race",
        /// Religion.
        Religion = "religion",
        /// Nationality.
        Nationality = "nationality",
        /// Membership of a particular social group.
        Psg = "psg",
        /// Political opinion, held or imputed.
        Political = "political",
    }
    /// A standard of proof. The names are not mapped to percentages.
    Standard {
        /// On the balance of probabilities.
        Balance = "balance",
        /// Reasonable likelihood.
        ReasonableLikelihood = "reasonable_likelihood",
        /// Serious possibility.
        SeriousPossibility = "serious_possibility",
        /// Real chance.
        RealChance = "real_chance",
        /// Beachtliche Wahrscheinlichkeit.
        Beachtlich = "beachtlich",
        /// Serious reasons for considering (article 1F).
        SeriousReasons = "serious_reasons",
    }
    /// How a claim reached the authority.
    Channel {
        /// At the border.
        Border = "border",
        /// Inside the country.
        Inland = "inland",
        /// In detention.
        Detention = "detention",
        /// Through a mission or a humanitarian organisation.
        Organisation = "organisation",
        /// In writing or electronically.
        Remote = "remote",
    }
    /// How a decision was served.
    ServiceMethod {
        /// Handed over in person.
        InPerson = "in_person",
        /// By post with proof.
        Post = "post",
        /// Electronically with proof.
        Electronic = "electronic",
        /// On the representative.
        Representative = "representative",
    }
    /// What a reviewer says of an assessment.
    ReviewResult {
        /// The decision may issue.
        Agree = "agree",
        /// Back to the assessor.
        Return = "return",
        /// Another reviewer must look.
        Escalate = "escalate",
    }
    /// What a decision-maker may decide.
    DecisionOutcome {
        /// Refugee status.
        Refugee = "refugee",
        /// Subsidiary protection.
        Subsidiary = "subsidiary",
        /// No status, but no removal.
        NonrefoulementOnly = "nonrefoulement_only",
        /// Refused.
        Refused = "refused",
        /// Excluded under article 1F.
        Excluded = "excluded",
        /// Excluded, and yet not removable (article 3 ECHR is absolute).
        ExcludedNotRemovable = "excluded_not_removable",
        /// Not examined here: another state protects, or nothing new was brought.
        Inadmissible = "inadmissible",
    }
    /// The clause of article 1F on which an exclusion rests.
    ExclusionClause {
        /// Crimes against peace, war crimes, crimes against humanity.
        OneFa = "1Fa",
        /// Serious non-political crime.
        OneFb = "1Fb",
        /// Acts contrary to the purposes of the United Nations.
        OneFc = "1Fc",
    }
    /// What a judge says of an appeal that was filed late (I12: it is ruled, never auto-rejected).
    LateRuling {
        /// The appeal is heard.
        Admitted = "admitted",
        /// The appeal is not heard.
        Rejected = "rejected",
    }
    /// How an appeal ends.
    AppealResult {
        /// The appellant wins; the outcome is stated.
        Allowed = "allowed",
        /// The decision stands.
        Dismissed = "dismissed",
        /// Back to the authority, to another assessor (I14).
        Remitted = "remitted",
        /// Set aside and made anew by the tribunal; the outcome is stated.
        Substituted = "substituted",
    }
    /// To whom a court gives a case back, where not to the authority.
    RemittedTo {
        /// To the tribunal that had the appeal first, before another judge.
        Tribunal = "tribunal",
    }
    /// A fact that findings and presumptions refer to.
    FactCode {
        /// In which way service is refused.
        Act = "act",
        /// Whether the posting is known.
        Posting = "posting",
        /// Whether the person was conscripted or volunteered.
        Enlistment = "enlistment",
        /// What moves the person, as far as it bears on C3.1.
        Motive = "motive",
        /// Of what kind the conviction is.
        Conviction = "conviction",
        /// How far the conviction reaches.
        Scope = "scope",
        /// How the person came in. It never stands against a finding (I21).
        Entry = "entry",
    }
    /// The value of a fact; which values a code may have is checked by the rules.
    FactValue {
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
        /// Not known.
        Unknown = "unknown",
        /// Known.
        Known = "known",
        /// Conscripted.
        Conscript = "conscript",
        /// Volunteered.
        Volunteer = "volunteer",
        /// The sole motive is dislike or fear of combat (Handbook para 168).
        FearOfCombatOnly = "fear_of_combat_only",
        /// Any other motive.
        Other = "other",
        /// Religious.
        Religious = "religious",
        /// Pacifist.
        Pacifist = "pacifist",
        /// Ethical.
        Ethical = "ethical",
        /// Political.
        Political = "political",
        /// Against every war.
        Absolute = "absolute",
        /// Against this war.
        Selective = "selective",
        /// With the papers that the border asks for.
        Regular = "regular",
        /// Without them.
        Irregular = "irregular",
    }
    /// How long a closed file is kept, by how it ended.
    Retention {
        /// Protection was granted.
        Granted = "granted",
        /// The claim was refused.
        Refused = "refused",
        /// The person was excluded.
        Excluded = "excluded",
        /// The claim was withdrawn.
        Withdrawn = "withdrawn",
    }
    /// Where a case stands.
    Status {
        /// The wish was expressed; registration is due.
        Made = "made",
        /// Registered; nothing was found yet.
        Registered = "registered",
        /// Findings are being made.
        InAssessment = "in_assessment",
        /// Assessed; a reviewer is to look.
        AwaitingReview = "awaiting_review",
        /// Reviewed and agreed; the decision is to issue.
        AwaitingDecision = "awaiting_decision",
        /// Decided, service not proved.
        Decided = "decided",
        /// Decided and served.
        Notified = "notified",
        /// An appeal is pending.
        UnderAppeal = "under_appeal",
        /// The appeal was decided and the outcome stands.
        AppealDecided = "appeal_decided",
        /// Withdrawn by the claimant.
        Withdrawn = "withdrawn",
        /// The file is closed.
        Closed = "closed",
    }
}

impl FactCode {
    /// The values that a fact of this code may have.
    #[must_use]
    pub const fn values(self) -> &'static [FactValue] {
        use FactValue as V;
        match self {
            Self::Act => &[
                V::EvasionPreemptive,
                V::EvasionAfterSummons,
                V::RefusalAtInduction,
                V::Desertion,
                V::RefusalOfOrder,
                V::ReservistRefusal,
            ],
            Self::Posting => &[V::Unknown, V::Known],
            Self::Enlistment => &[V::Conscript, V::Volunteer],
            Self::Motive => &[V::FearOfCombatOnly, V::Other],
            Self::Conviction => &[V::Religious, V::Pacifist, V::Ethical, V::Political],
            Self::Scope => &[V::Absolute, V::Selective],
            Self::Entry => &[V::Regular, V::Irregular, V::Unknown],
        }
    }
}

impl DecisionOutcome {
    /// The proposal of the engine as an outcome that can be decided; `None` for `undetermined`.
    pub(crate) const fn from_proposal(proposal: guidance::Outcome) -> Option<Self> {
        use guidance::Outcome as P;
        Some(match proposal {
            P::Refugee => Self::Refugee,
            P::Subsidiary => Self::Subsidiary,
            P::NonrefoulementOnly => Self::NonrefoulementOnly,
            P::Refused => Self::Refused,
            P::Excluded => Self::Excluded,
            P::ExcludedNotRemovable => Self::ExcludedNotRemovable,
            P::Undetermined => return None,
        })
    }

    /// Whether it protects from return.
    #[must_use]
    pub const fn protects(self) -> bool {
        match self {
            Self::Refugee
            | Self::Subsidiary
            | Self::NonrefoulementOnly
            | Self::ExcludedNotRemovable => true,
            Self::Refused | Self::Excluded | Self::Inadmissible => false,
        }
    }

    /// The retention class of a file that ended so.
    #[must_use]
    pub const fn retention(self) -> Retention {
        match self {
            Self::Refugee | Self::Subsidiary | Self::NonrefoulementOnly => Retention::Granted,
            Self::Refused | Self::Inadmissible => Retention::Refused,
            Self::Excluded | Self::ExcludedNotRemovable => Retention::Excluded,
        }
    }
}
