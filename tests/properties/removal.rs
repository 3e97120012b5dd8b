//! I1 stated once more and naively, over the records alone: what the removal bar must never open, and
//! that no file is closed or erased, and no claim counts as withdrawn, while a time runs (I13, I18).

use std::collections::{BTreeMap, BTreeSet};

use case::vocabulary::{
    AppealResult, DeadlineKind, DecisionOutcome, LateRuling, PermissionResult, ReviewResult, Role,
    SubmissionRuling,
};
use case::{
    AppealId, BarId, Case, DeadlineId, Event, Instant, Recorded, appeals, assessment, deadlines,
    decisions, evidence, intake, registry, removal_bar,
};
use guidance::Value;

/// Noon of days before, within and after the time limits of the steps.
const MOMENTS: &[&str] = &[
    "2024-01-15T12:00:00Z",
    "2024-02-20T12:00:00Z",
    "2024-03-02T12:00:00Z",
    "2024-04-20T12:00:00Z",
    "2024-06-10T12:00:00Z",
    "2024-07-10T12:00:00Z",
    "2026-01-01T12:00:00Z",
];

/// Before everything, for a record that says no plain day.
const MIN: jiff::Timestamp = jiff::Timestamp::MIN;

/// What a clerk would keep on a sheet of paper.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "a clerk ticks boxes")]
struct Sheet {
    claim_open: bool,
    decision_unserved: bool,
    appeal_until: Option<String>,
    ruled: bool,
    onward_until: Option<String>,
    /// The day that the last ruling states.
    stated: Option<String>,
    /// What somebody set by hand, and did not expire.
    given: BTreeMap<DeadlineId, (DeadlineKind, Instant)>,
    appeals: BTreeSet<AppealId>,
    permissions: BTreeSet<AppealId>,
    protected: bool,
    /// What was granted and is looked at again because the claimant asked for more.
    kept: bool,
    /// The authority's own decision protects.
    own: bool,
    /// Who asked to go further asked for the claimant.
    for_claimant: bool,
    /// What was found, or held by a court, of the leaves that article 3 hangs on.
    found: BTreeMap<String, Value>,
    /// What was found of them against the claimant, and nobody agreed to yet.
    alone: BTreeMap<String, Value>,
    status: bool,
    review: bool,
    bars: BTreeSet<BarId>,
    submission: bool,
    withdrawn: bool,
    reinstatable_until: Option<Instant>,
}

impl Sheet {
    fn write(&mut self, record: &Recorded) {
        self.nothing_runs_that_this_ends(record);
        if let Event::Appeals(appeals::Event::PermissionSought(_)) = &record.event {
            self.for_claimant = record.envelope.by.role != Role::DecisionMaker;
        }
        match &record.event {
            Event::Intake(event) => self.intake(event),
            Event::Decisions(event) => self.decisions(event),
            Event::Appeals(event) => self.appeals(event),
            Event::Registry(event) => self.registry(event),
            Event::Deadlines(event) => self.deadlines(event),
            // Who does what a warning asks for answers it.
            Event::Evidence(evidence::Event::InterviewHeld(_)) => self.used(DeadlineKind::Response),
            Event::Assessment(assessment::Event::FindingRecorded(one)) => {
                self.finding(&one.criterion.to_string(), one.value);
            }
            Event::Assessment(assessment::Event::AssessmentReviewed(one)) => {
                if one.result == ReviewResult::Agree {
                    self.found.append(&mut self.alone);
                }
            }
            Event::Evidence(_) | Event::Assessment(_) | Event::Register(_) => {}
        }
    }

    /// What is found for the claimant counts at once, what is found against them when a reviewer agreed, and
    /// what is left open takes nothing away.
    fn finding(&mut self, leaf: &str, value: Value) {
        self.alone.remove(leaf);
        let against = if leaf == "IFA" { Value::Met } else { Value::NotMet };
        if value == against {
            self.alone.insert(leaf.to_owned(), value);
        } else if value != Value::Undetermined {
            self.found.insert(leaf.to_owned(), value);
        }
    }

    fn nothing_runs_that_this_ends(&self, record: &Recorded) {
        let Event::Registry(event) = &record.event else { return };
        let day = record.envelope.occurred.to_string();
        let at: Instant = format!("{day}T12:00:00Z").parse().unwrap_or(Instant::new(MIN));
        match event {
            registry::Event::FileClosed(_) | registry::Event::PiiKeyDestroyed(_) => {
                assert!(self.withdrawn || !self.time_runs(&day, at), "I18: a time limit runs");
                assert!(!self.reinstatable(at) && !self.submission && self.bars.is_empty());
            }
            registry::Event::ClaimWithdrawnImplicitly(_) => {
                assert!(!self.given(DeadlineKind::Response, at), "I13: time to answer runs");
            }
            _ => {}
        }
    }

    fn intake(&mut self, event: &intake::Event) {
        match event {
            intake::Event::ClaimMade(_) | intake::Event::ClaimRegistered(_) => {
                self.claim_open = true;
            }
            intake::Event::ClaimLodged(_) => self.used(DeadlineKind::Response),
            intake::Event::ClaimWithdrawn(_) => {
                self.claim_open = false;
                self.appeals.clear();
                self.permissions.clear();
                self.withdrawn = true;
                self.used(DeadlineKind::Appeal);
                self.used(DeadlineKind::Response);
            }
            _ => {}
        }
    }

    fn decisions(&mut self, event: &decisions::Event) {
        match event {
            decisions::Event::DecisionIssued(issued) => {
                self.fresh_decision();
                self.used(DeadlineKind::Response);
                self.protected = issued.outcome.protects();
                self.own = self.protected;
            }
            decisions::Event::StatusEnded(end) => {
                self.fresh_decision();
                // It is served and appealed like any decision, also where the claim was withdrawn.
                self.withdrawn = false;
                self.status = false;
                self.review = false;
                self.kept = false;
                self.protected = end.outcome.is_some_and(DecisionOutcome::protects);
                self.own = self.protected;
            }
            decisions::Event::DecisionNotified(served) => {
                self.decision_unserved = false;
                self.appeal_until = Some(served.appeal_deadline.to_string());
            }
            decisions::Event::DecisionWithdrawn(_) => self.claim_opens_again(),
            decisions::Event::RemovalBarPlaced(bar) => drop(self.bars.insert(bar.bar)),
            decisions::Event::RemovalBarLifted(bar) => drop(self.bars.remove(&bar.bar)),
            decisions::Event::StatusGranted(_) => self.status = true,
            decisions::Event::StatusReviewOpened(_) => self.review = true,
            decisions::Event::StatusKept(_) => self.review = false,
            _ => {}
        }
    }

    fn fresh_decision(&mut self) {
        self.claim_open = false;
        self.for_claimant = true;
        self.decision_unserved = true;
        self.appeal_until = None;
        self.onward_until = None;
        self.ruled = false;
    }

    fn claim_opens_again(&mut self) {
        self.fresh_decision();
        self.decision_unserved = false;
        self.claim_open = true;
        self.protected = false;
        self.alone.clear();
        self.used(DeadlineKind::Appeal);
        self.appeals.clear();
        self.permissions.clear();
    }

    fn appeals(&mut self, event: &appeals::Event) {
        match event {
            appeals::Event::AppealFiled(filed) => {
                self.appeals.insert(filed.appeal);
                self.used(DeadlineKind::Appeal);
            }
            appeals::Event::LateFilingRuled(ruled) if ruled.ruling == LateRuling::Rejected => {
                self.appeals.remove(&ruled.appeal);
                // It may be taken further, as long as the profile gives time for it.
                self.onward_until = ruled.onward_deadline.as_ref().map(ToString::to_string);
                self.stated = self.onward_until.clone();
            }
            appeals::Event::AppealDecided(decided) => {
                self.appeals.remove(&decided.appeal);
                self.ruled = true;
                for held in &decided.per_criterion {
                    if held.value == Value::Undetermined {
                        continue;
                    }
                    self.found.insert(held.criterion.to_string(), held.value);
                }
                self.onward_until = decided.onward_deadline.as_ref().map(ToString::to_string);
                if let Some(outcome) = decided.outcome {
                    self.protected = outcome.protects();
                }
                if decided.to.is_some() {
                    // The first tribunal has it again: nothing is ruled, and what was given is kept.
                    self.kept |= self.for_claimant && self.protected;
                    (self.protected, self.ruled) = (self.own, false);
                    self.appeals.insert(decided.appeal);
                } else if decided.result == AppealResult::Remitted {
                    self.kept |= if self.for_claimant { self.protected } else { self.own };
                    self.claim_opens_again();
                }
                self.stated = self.onward_until.clone();
            }
            appeals::Event::AppealWithdrawn(one) => {
                // What was asked for last; the time for it is what it was.
                if self.permissions.remove(&one.appeal) || self.ruled {
                    self.onward_until.clone_from(&self.stated);
                }
                self.appeals.remove(&one.appeal);
            }
            appeals::Event::PermissionSought(one) => {
                self.permissions.insert(one.appeal);
                self.onward_until = None;
                self.used(DeadlineKind::Onward);
            }
            appeals::Event::PermissionDecided(one) => {
                self.permissions.remove(&one.appeal);
                if one.result == PermissionResult::Granted {
                    self.appeals.insert(one.appeal);
                } else {
                    // Another judge may be asked, as long as the profile gives time for it.
                    self.onward_until = one.renew_by.as_ref().map(ToString::to_string);
                }
            }
            _ => {}
        }
    }

    fn deadlines(&mut self, event: &deadlines::Event) {
        match event {
            deadlines::Event::DeadlineSet(set) => {
                self.given.insert(set.deadline, (set.kind, set.due));
            }
            deadlines::Event::DeadlineExtended(one) => {
                if let Some((_, due)) = self.given.get_mut(&one.deadline) {
                    *due = one.due;
                }
            }
            deadlines::Event::DeadlineExpired(one) => drop(self.given.remove(&one.deadline)),
        }
    }

    /// What the time was given for was done, or cannot be done any more.
    fn used(&mut self, used: DeadlineKind) {
        self.given.retain(|_, (kind, _)| *kind != used);
    }

    fn registry(&mut self, event: &registry::Event) {
        match event {
            registry::Event::WarningAnswered(_) => self.used(DeadlineKind::Response),
            registry::Event::ClaimWithdrawnImplicitly(one) => {
                self.claim_open = false;
                self.withdrawn = true;
                self.reinstatable_until = one.over;
                self.used(DeadlineKind::Response);
            }
            registry::Event::ClaimReinstated(_) => {
                self.claim_open = true;
                self.withdrawn = false;
                self.reinstatable_until = None;
                self.used(DeadlineKind::Reinstatement);
            }
            registry::Event::ClaimReopened(_) => {
                self.kept |= self.protected;
                self.claim_opens_again();
                self.withdrawn = false;
                self.reinstatable_until = None;
                self.used(DeadlineKind::Reinstatement);
                self.submission = false;
            }
            registry::Event::FurtherSubmissionMade(_) => self.submission = true,
            registry::Event::FurtherSubmissionRuled(ruled) => {
                // A reopened claim took it up: what is ruled on it later changes nothing.
                self.submission &= ruled.ruling == SubmissionRuling::Admitted;
            }
            _ => {}
        }
    }

    fn given(&self, wanted: DeadlineKind, at: Instant) -> bool {
        self.given.values().any(|(kind, due)| *kind == wanted && at < *due)
    }

    fn reinstatable(&self, at: Instant) -> bool {
        self.withdrawn
            && (self.reinstatable_until.is_some_and(|until| at < until)
                || self.given(DeadlineKind::Reinstatement, at))
    }

    /// A time in which the claimant may challenge what was decided.
    fn time_runs(&self, day: &str, at: Instant) -> bool {
        let runs = |last: &Option<String>| last.as_deref().is_some_and(|last| day <= last);
        (!self.ruled && runs(&self.appeal_until))
            || (!self.ruled && self.appeal_until.is_some() && self.given(DeadlineKind::Appeal, at))
            || runs(&self.onward_until)
            || (self.ruled && self.given(DeadlineKind::Onward, at))
    }

    /// Article 3 protects whatever was decided.
    fn article_three(&self) -> bool {
        let is_met = |leaf: &str| self.found.get(leaf) == Some(&Value::Met);
        is_met("CP.1") && !is_met("IFA")
    }

    /// I1 says closed.
    fn closed(&self, day: &str, at: Instant) -> bool {
        self.claim_open
            || (self.decision_unserved && !self.ruled)
            || self.time_runs(day, at)
            || !self.appeals.is_empty()
            || !self.permissions.is_empty()
            || self.protected
            || self.kept
            || self.article_three()
            || self.status
            || self.review
            || !self.bars.is_empty()
            || self.submission
            || self.reinstatable(at)
    }
}

/// After every event and at every moment: where I1 says closed, the bar is closed. Returns how often
/// it was open, so that the caller sees that it ever is.
pub(crate) fn never_open_while_closed(records: &[Recorded]) -> usize {
    let mut sheet = Sheet::default();
    let mut case = Case::default();
    let mut open = 0;
    for record in records {
        sheet.write(record);
        case.evolve(record);
        for moment in MOMENTS {
            let at: Instant = moment.parse().expect("a moment");
            let bar = removal_bar(&case, at);
            assert_eq!(bar.barred, !bar.reasons.is_empty());
            if sheet.closed(&moment[..10], at) {
                assert!(bar.barred, "open at {moment} after version {}", case.version);
            }
            if !bar.barred {
                open += 1;
            }
            if let Some(until) = bar.until {
                assert!(at < until, "a bar ends after the moment at which it is asked for");
                let before = Instant::new(until.timestamp() - jiff::SignedDuration::from_secs(1));
                assert!(removal_bar(&case, before).barred, "it holds until it ends");
            }
        }
    }
    open
}
