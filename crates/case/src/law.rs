//! What the rules of a case ask of the guidance.

use std::collections::{BTreeMap, BTreeSet};

use guidance::{
    Enlistment, Facts, Findings, Guidance, GuidanceHash, Kind, Library, Motive, Outcome, Posting,
    Question, Sought, Target, Value,
};
use jiff::civil::Date;

use crate::Instant;
use crate::assessment::{Assessment, Round};
use crate::clocks::{Clocks, Computed, Limit};
use crate::evidence::Fact;
use crate::intake::Registration;
use crate::rejection::{Code, Rejection};
use crate::state::{Case, need};
use crate::token::{Criterion, GuidanceId, ProfileName};
use crate::vocabulary::{Circumstance, FactCode, FactValue};

/// The leaf of exclusion under article 1F.
pub(crate) const EXCLUSION: &str = "EXC";
/// The leaf of harm within article 3 of the European Convention on Human Rights.
pub(crate) const ARTICLE_THREE: &str = "CP.1";
/// The tie between the harm and a Convention ground, without which nobody is a refugee.
const NEXUS: &str = "NEX";
/// The leaf of an area of flight at home that is safe, accessible and reasonable.
pub(crate) const FLIGHT_AT_HOME: &str = "IFA";
/// The node on which a claim not to be returned turns.
pub(crate) const ARTICLE_3: &str = "ART3";

/// The guidance as the rules see it.
#[derive(Clone, Copy)]
pub struct Law<'a> {
    library: &'a Library,
    clocks: &'a Clocks,
}

impl std::fmt::Debug for Law<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Law")
    }
}

/// What the engine derived from the findings of a round.
pub(crate) struct Proposal {
    pub(crate) profile: ProfileName,
    pub(crate) guidance: String,
    pub(crate) sought: Sought,
    pub(crate) derived: BTreeMap<String, Value>,
    pub(crate) presumed: Vec<String>,
    pub(crate) open: Vec<String>,
    pub(crate) outcome: Outcome,
}

fn registration(case: &Case) -> Result<&Registration, Rejection> {
    need(
        case.intake.registration.as_ref(),
        Code::UnknownCase,
        "there is no such case; register the claim first",
    )
}

impl<'a> Law<'a> {
    /// The rules under a library of guidance.
    #[must_use]
    pub fn new(library: &'a Library) -> Self {
        Self { library, clocks: Clocks::embedded() }
    }

    /// The same under other clocks than the built-in ones.
    #[must_use]
    pub const fn with_clocks(self, clocks: &'a Clocks) -> Self {
        Self { clocks, ..self }
    }

    /// The time limit of the case's profile from a day on; `None` where it has no such clock.
    pub(crate) fn time_limit(
        self,
        case: &Case,
        limit: impl Into<Limit>,
        circumstance: Circumstance,
        from: Date,
    ) -> Option<Computed> {
        let profile = &case.intake.registration.as_ref()?.profile;
        self.clocks.compute(profile.as_str(), limit, circumstance, from)
    }

    /// The first instant after a day, where the authority of the case's profile sits.
    pub(crate) fn over(self, case: &Case, last: Date) -> Option<Instant> {
        let profile = case.intake.registration.as_ref()?.profile.clone();
        self.clocks.after(profile.as_str(), last)
    }

    /// The first instant of a day, where the authority of the case's profile sits; in UTC as long as
    /// the case has no profile.
    pub(crate) fn begins(self, case: &Case, day: Date) -> Option<Instant> {
        let profile = case.intake.registration.as_ref().map_or("", |one| one.profile.as_str());
        self.clocks.after(profile, day.yesterday().ok()?)
    }

    /// Whether any version of a profile is known.
    pub(crate) fn has_profile(self, profile: &ProfileName) -> bool {
        self.library.all().any(|guidance| guidance.profile() == profile.as_str())
    }

    /// The profile of a guidance, where it is known.
    pub(crate) fn profile_of(self, id: &GuidanceId) -> Option<&'a str> {
        let hash: GuidanceHash = id.as_str().parse().ok()?;
        self.library.by_hash(&hash).map(Guidance::profile)
    }

    fn in_force(self, case: &Case, day: Date) -> Result<&'a Guidance, Rejection> {
        let registration = registration(case)?;
        self.library
            .require(registration.profile.as_str(), day)
            .map_err(|error| Rejection::new(Code::NoGuidance, error.to_string()))
    }

    fn versions(self, case: &Case) -> Result<impl Iterator<Item = &'a Guidance>, Rejection> {
        let profile = registration(case)?.profile.clone();
        Ok(self.library.all().filter(move |guidance| guidance.profile() == profile.as_str()))
    }

    /// Refuses an id that takes no finding in any version of the case's profile.
    pub(crate) fn takes_finding(self, case: &Case, id: &Criterion) -> Result<(), Rejection> {
        let takes = self.versions(case)?.any(|guidance| {
            let mut probe = guidance.undetermined_findings();
            guidance.find(&mut probe, id.as_str(), Value::Undetermined).is_ok()
        });
        need(
            takes.then_some(()),
            Code::UnknownCriterion,
            &format!("{id} takes no finding; `tebessa guidance show` lists the leaves"),
        )
    }

    /// Refuses an id that no version of the case's profile knows, as leaf, node or annotation.
    pub(crate) fn known_criterion(self, case: &Case, id: &Criterion) -> Result<(), Rejection> {
        let known = self.versions(case)?.any(|guidance| {
            guidance.criterion(id.as_str()).is_some()
                || guidance.annotations().iter().any(|annotation| annotation.id == id.as_str())
        });
        need(
            known.then_some(()),
            Code::UnknownCriterion,
            &format!("{id} is no criterion; `tebessa guidance show` lists them"),
        )
    }

    /// The value of a criterion that stands against the claimant: N, and M for exclusion and for what
    /// a version of the case's profile counts the other way round, as national protection and flight
    /// within the country.
    pub(crate) fn adverse(self, case: &Case, id: &Criterion) -> Result<Value, Rejection> {
        let id = id.as_str();
        let turned = self.versions(case)?.any(|guidance| {
            guidance.roots().any(|root| counts_against(guidance, &root.id, id, false))
        });
        Ok(if id == EXCLUSION || turned { Value::Met } else { Value::NotMet })
    }

    /// Derives a proposal from the findings of a round under the guidance of a day.
    pub(crate) fn propose(
        self,
        case: &Case,
        round: &Round,
        day: Date,
    ) -> Result<Proposal, Rejection> {
        derive(self.in_force(case, day)?, case, round)
    }

    /// The outcome of an assessment, with some open leaves counted as not met.
    pub(crate) fn with_onus(
        self,
        case: &Case,
        assessment: &Assessment,
        converted: &BTreeSet<Criterion>,
    ) -> Result<Outcome, Rejection> {
        outcome_with_onus(self.guidance_of(assessment)?, case, converted)
    }

    /// What is left where somebody is held to be no refugee whatever was found: the outcome, and the leaves
    /// that are open for it, with some of them counted as not met.
    pub(crate) fn without_inclusion(
        self,
        case: &Case,
        assessment: &Assessment,
        converted: &BTreeSet<Criterion>,
    ) -> Result<(Outcome, Vec<String>), Rejection> {
        let guidance = self.guidance_of(assessment)?;
        let mut findings = findings(guidance, current(case)?, converted);
        // Without it there is no inclusion; a profile that has no such leaf has no inclusion either.
        let _ = guidance.find(&mut findings, NEXUS, Value::NotMet);
        let proposal = proposal(guidance, case, findings)?;
        Ok((proposal.outcome, proposal.open))
    }

    /// Whether a leaf is, or may come to be, presumed met in an assessment.
    pub(crate) fn may_be_presumed(
        self,
        case: &Case,
        assessment: &Assessment,
        converted: &BTreeSet<Criterion>,
        leaf: &Criterion,
    ) -> Result<bool, Rejection> {
        let guidance = self.guidance_of(assessment)?;
        let (sought, facts) = (registration(case)?.sought, facts(&case.evidence.facts));
        let findings = findings(guidance, current(case)?, converted);
        let evaluation = guidance.evaluate(&Question { sought, facts, findings });
        Ok(evaluation.may_be_presumed(leaf.as_str()))
    }

    /// What an assessment would come to if nothing excluded the claimant.
    pub(crate) fn without_exclusion(
        self,
        case: &Case,
        assessment: &Assessment,
    ) -> Result<Outcome, Rejection> {
        let guidance = self.guidance_of(assessment)?;
        let mut findings = findings(guidance, current(case)?, &BTreeSet::new());
        // In a profile that has no such leaf nothing excludes.
        let _ = guidance.find(&mut findings, EXCLUSION, Value::NotMet);
        Ok(proposal(guidance, case, findings)?.outcome)
    }

    /// The leaves that are open where an assessment does not say whether article 3 of the European Convention
    /// on Human Rights forbids a return; none where it says so, either way.
    pub(crate) fn open_on_article_three(
        self,
        case: &Case,
        assessment: &Assessment,
    ) -> Result<Vec<String>, Rejection> {
        let guidance = self.guidance_of(assessment)?;
        let (sought, facts) = (registration(case)?.sought, facts(&case.evidence.facts));
        let findings = findings(guidance, current(case)?, &BTreeSet::new());
        let evaluation = guidance.evaluate(&Question { sought, facts, findings });
        if !evaluation.all().any(|it| it == (ARTICLE_3, Value::Undetermined)) {
            return Ok(Vec::new());
        }
        let mut leaves = BTreeSet::new();
        collect(guidance, ARTICLE_3, &mut leaves);
        let open = |id: &String| {
            guidance.leaf(id).is_some_and(|leaf| findings.get(leaf) == Value::Undetermined)
        };
        Ok(leaves.into_iter().filter(open).collect())
    }

    fn guidance_of(self, assessment: &Assessment) -> Result<&'a Guidance, Rejection> {
        let hash: Option<GuidanceHash> = assessment.guidance.parse().ok();
        need(
            hash.and_then(|hash| self.library.by_hash(&hash)),
            Code::NoGuidance,
            &format!("the guidance {} of the assessment is missing", assessment.guidance),
        )
    }

    /// The leaves that must be asked before an assessment is complete: all that the profile uses.
    /// Where only the protection from return is sought, those on which it turns.
    pub(crate) fn leaves_to_ask(self, case: &Case, day: Date) -> Result<Vec<String>, Rejection> {
        let guidance = self.in_force(case, day)?;
        let mut asked = BTreeSet::new();
        if registration(case)?.sought == Sought::Nonrefoulement {
            collect(guidance, ARTICLE_3, &mut asked);
        } else {
            for root in guidance.roots() {
                collect(guidance, &root.id, &mut asked);
            }
        }
        let in_order = guidance.leaves().map(|(_, id)| id);
        Ok(in_order.filter(|id| asked.contains(*id)).map(str::to_owned).collect())
    }
}

/// Derives a proposal from the findings of a round under one guidance, in force or not.
pub(crate) fn derive(
    guidance: &Guidance,
    case: &Case,
    round: &Round,
) -> Result<Proposal, Rejection> {
    proposal(guidance, case, findings(guidance, round, &BTreeSet::new()))
}

/// The same of the round that is open, with some findings as they are supposed to be. A leaf that
/// the guidance does not know is refused.
pub(crate) fn suppose(
    guidance: &Guidance,
    case: &Case,
    set: &BTreeMap<Criterion, Value>,
) -> Result<Proposal, Rejection> {
    let round = need(case.assessment.round(), Code::NotComplete, "no assessment is open")?;
    let mut findings = findings(guidance, round, &BTreeSet::new());
    for (id, value) in set {
        guidance
            .find(&mut findings, id.as_str(), *value)
            .map_err(|error| Rejection::new(Code::UnknownCriterion, error.to_string()))?;
    }
    proposal(guidance, case, findings)
}

fn proposal(guidance: &Guidance, case: &Case, findings: Findings) -> Result<Proposal, Rejection> {
    let sought = registration(case)?.sought;
    let facts = facts(&case.evidence.facts);
    let evaluation = guidance.evaluate(&Question { sought, facts, findings });
    Ok(Proposal {
        profile: registration(case)?.profile.clone(),
        guidance: guidance.hash().to_string(),
        sought,
        derived: evaluation.derived().map(|(id, value)| (id.to_owned(), value)).collect(),
        presumed: evaluation.presumed().map(|used| used.leaf.to_owned()).collect(),
        open: evaluation.open().map(str::to_owned).collect(),
        outcome: evaluation.outcome(),
    })
}

/// The round on whose findings an assessment was completed.
fn current(case: &Case) -> Result<&Round, Rejection> {
    need(case.assessment.round(), Code::NotComplete, "no assessment is complete")
}

/// The outcome under one guidance, with some open leaves counted as not met.
pub(crate) fn outcome_with_onus(
    guidance: &Guidance,
    case: &Case,
    converted: &BTreeSet<Criterion>,
) -> Result<Outcome, Rejection> {
    let findings = findings(guidance, current(case)?, converted);
    let sought = registration(case)?.sought;
    let facts = facts(&case.evidence.facts);
    let evaluation = guidance.evaluate(&Question { sought, facts, findings });
    if evaluation.outcome() != Outcome::Undetermined || evaluation.open().next().is_some() {
        return Ok(evaluation.outcome());
    }
    // No open leaf is left: every way of settling the others leads to one outcome.
    let mut settled = findings;
    for (leaf, _) in guidance.leaves() {
        if settled.get(leaf) == Value::Undetermined {
            settled.set(leaf, Value::NotMet);
        }
    }
    Ok(guidance.evaluate(&Question { sought, facts, findings: settled }).outcome())
}

/// Collects the leaves below a criterion, as the profile's parameters admit them.
fn collect(guidance: &Guidance, id: &str, leaves: &mut BTreeSet<String>) {
    let Some(criterion) = guidance.criterion(id) else { return };
    match &criterion.kind {
        Kind::Leaf => {
            leaves.insert(id.to_owned());
        }
        Kind::Node(join) => collect_join(guidance, join, leaves),
    }
}

fn collect_join(guidance: &Guidance, join: &guidance::Join, leaves: &mut BTreeSet<String>) {
    for member in &join.members {
        let admitted = member
            .when
            .as_ref()
            .is_none_or(|(parameter, value)| guidance.setting(parameter) == Some(value.as_str()));
        match &member.target {
            _ if !admitted => {}
            Target::Criterion(id) => collect(guidance, id, leaves),
            Target::Group(group) => collect_join(guidance, group, leaves),
        }
    }
}

/// Whether a criterion stands below another behind an odd number of NOT, so that the more of it is
/// met the less of the other is.
fn counts_against(guidance: &Guidance, below: &str, id: &str, turned: bool) -> bool {
    match guidance.criterion(below).map(|criterion| &criterion.kind) {
        _ if below == id => turned,
        Some(Kind::Node(join)) => counts_against_in(guidance, join, id, turned),
        Some(Kind::Leaf) | None => false,
    }
}

fn counts_against_in(guidance: &Guidance, join: &guidance::Join, id: &str, turned: bool) -> bool {
    join.members.iter().any(|member| {
        let turned = turned != member.negated;
        match &member.target {
            Target::Criterion(below) => counts_against(guidance, below, id, turned),
            Target::Group(group) => counts_against_in(guidance, group, id, turned),
        }
    })
}

/// A leaf without a finding is undetermined; exclusion without an opened examination counts as
/// not met (I6).
fn findings(guidance: &Guidance, round: &Round, as_not_met: &BTreeSet<Criterion>) -> Findings {
    let mut findings = guidance.undetermined_findings();
    if round.exclusion.is_none()
        && let Some(exclusion) = guidance.leaf(EXCLUSION)
    {
        findings.set(exclusion, Value::NotMet);
    }
    for (id, finding) in &round.findings {
        if let Some(leaf) = guidance.leaf(id.as_str()) {
            let onus = as_not_met.contains(id);
            findings.set(leaf, if onus { Value::NotMet } else { finding.value });
        }
    }
    findings
}

fn facts(found: &BTreeMap<FactCode, Fact>) -> Facts {
    let value = |code| found.get(&code).map(|fact| fact.value);
    Facts {
        posting: value(FactCode::Posting).and_then(|value| {
            [(FactValue::Unknown, Posting::Unknown), (FactValue::Known, Posting::Known)]
                .into_iter()
                .find_map(|(ours, theirs)| (ours == value).then_some(theirs))
        }),
        enlistment: value(FactCode::Enlistment).and_then(|value| {
            [
                (FactValue::Conscript, Enlistment::Conscript),
                (FactValue::Volunteer, Enlistment::Volunteer),
            ]
            .into_iter()
            .find_map(|(ours, theirs)| (ours == value).then_some(theirs))
        }),
        motive: value(FactCode::Motive)
            .filter(|value| *value == FactValue::FearOfCombatOnly)
            .map(|_| Motive::FearOfCombatOnly),
    }
}
