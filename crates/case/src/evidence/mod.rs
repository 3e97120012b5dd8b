//! Evidence: items and country information are attached, assessed, linked and disclosed; the
//! claimant is interviewed; facts are found.
//!
//! Evidence never votes: a link says which way an item points, and people make the findings. How a
//! person came in never points against them (I21).

mod facts;
mod file;
mod interviews;
mod items;
mod state;

pub use self::facts::{FindFact, SupersedeFact};
pub use self::file::File;
pub use self::interviews::{
    CorrectTranscript, CorrectedItem, HoldInterview, RecordAbsence, RescheduleInterview,
    ScheduleInterview, ServeTranscript,
};
pub use self::items::{
    AssessAuthenticity, Attach, AttachCountryInfo, DiscloseCountryInfo, Link, Translate, Withdraw,
};
pub(crate) use self::items::{country_info, disclosed_on, undisclosed, withdrawn_but_relied_on};
pub use self::state::{Fact, Interview, Item, LinkState, State, Transcript};
use guidance::Value;

use crate::assessment::RecordFinding;
use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp};
use crate::vocabulary::{EvidenceKind, FactCode};

commands! {
    service "evidence" as Evidence;
    Attach = "attach", "Attaches an item of evidence by its digest.",
        by [Applicant, Representative, Registrar, Interviewer, Caseworker],
        personal [("source", Line), ("description", Words)];
    AttachCountryInfo = "attach-country-info", "Attaches country information with its dates.",
        by [CoiResearcher, Caseworker],
        personal [("source", Line)];
    Translate = "translate", "Adds a translation of an item.",
        by [Applicant, Representative, Registrar, Interviewer, Interpreter, Caseworker],
        personal [];
    AssessAuthenticity = "assess-authenticity", "Says whether an item is what it claims to be.",
        by [Caseworker],
        personal [("reason", Words)];
    Link = "link", "Links an item to a criterion.",
        by [Caseworker],
        personal [("reason", Words)];
    Withdraw = "withdraw", "Withdraws an item: nothing new may rest on it.",
        by [Applicant, Representative, Registrar, Interviewer, Caseworker, CoiResearcher],
        personal [("reason", Words)];
    DiscloseCountryInfo = "disclose-country-info", "Records that country information was disclosed.",
        by [Caseworker, CoiResearcher, Registry],
        personal [];
    ScheduleInterview = "schedule-interview", "Schedules an interview and gives notice of it.",
        by [Interviewer, Caseworker, Registry],
        personal [];
    RescheduleInterview = "reschedule-interview", "Puts an interview off, or sets a new day.",
        by [Interviewer, Caseworker, Registry],
        personal [];
    HoldInterview = "hold-interview", "Records that an interview was held.",
        by [Interviewer],
        personal [("note", Words)];
    RecordAbsence = "record-absence", "Records that the claimant did not come.",
        by [Interviewer, Registry],
        personal [("note", Words)];
    ServeTranscript = "serve-transcript", "Serves the transcript of an interview.",
        by [Interviewer, Registry],
        personal [];
    CorrectTranscript = "correct-transcript", "Corrects a transcript that was served.",
        by [Applicant, Representative, Interviewer, Interpreter],
        personal [("items[].text", Words)];
    FindFact = "find-fact", "Finds a fact to which findings and presumptions refer.",
        by [Caseworker],
        personal [("reason", Words)];
    SupersedeFact = "supersede-fact", "Supersedes a fact by another value, or by none.",
        by [Caseworker],
        personal [("reason", Words)];
}

/// An item of evidence was attached.
pub type Attached = Attach;
/// Country information was attached.
pub type CountryInfoAttached = AttachCountryInfo;
/// A translation was added.
pub type Translated = Translate;
/// An item's authenticity was assessed.
pub type AuthenticityAssessed = AssessAuthenticity;
/// An item was linked to a criterion.
pub type Linked = Link;
/// An item was withdrawn.
pub type Withdrawn = Withdraw;
/// Country information was disclosed.
pub type CountryInfoDisclosed = DiscloseCountryInfo;
/// An interview was scheduled.
pub type InterviewScheduled = ScheduleInterview;
/// An interview was put off.
pub type InterviewRescheduled = RescheduleInterview;
/// An interview was held.
pub type InterviewHeld = HoldInterview;
/// The claimant did not come to an interview.
pub type InterviewNotAttended = RecordAbsence;
/// A transcript was served.
pub type TranscriptServed = ServeTranscript;
/// A transcript was corrected.
pub type TranscriptCorrected = CorrectTranscript;
/// A fact was found.
pub type FactFound = FindFact;
/// A fact was superseded.
pub type FactSuperseded = SupersedeFact;

events! {
    service "evidence" as Evidence;
    Attached = "attached", "An item of evidence was attached.";
    CountryInfoAttached = "country-info-attached", "Country information was attached.";
    Translated = "translated", "A translation was added.";
    AuthenticityAssessed = "authenticity-assessed", "An item's authenticity was assessed.";
    Linked = "linked", "An item was linked to a criterion.";
    Withdrawn = "withdrawn", "An item was withdrawn.";
    CountryInfoDisclosed = "country-info-disclosed", "Country information was disclosed.";
    InterviewScheduled = "interview-scheduled", "An interview was scheduled.";
    InterviewRescheduled = "interview-rescheduled", "An interview was put off.";
    InterviewHeld = "interview-held", "An interview was held.";
    InterviewNotAttended = "interview-not-attended", "The claimant did not come to an interview.";
    TranscriptServed = "transcript-served", "A transcript was served.";
    TranscriptCorrected = "transcript-corrected", "A transcript was corrected.";
    FactFound = "fact-found", "A fact was found.";
    FactSuperseded = "fact-superseded", "A fact was superseded.";
}

impl Event {
    /// Whether the event brings what an assessment must take into account. What only arranges or
    /// tells, such as notice of an interview, voids none (I7).
    #[must_use]
    pub const fn is_new_matter(&self) -> bool {
        match self {
            Self::Attached(_)
            | Self::CountryInfoAttached(_)
            | Self::Translated(_)
            | Self::AuthenticityAssessed(_)
            | Self::Linked(_)
            | Self::Withdrawn(_)
            | Self::InterviewHeld(_)
            | Self::TranscriptCorrected(_)
            | Self::FactFound(_)
            | Self::FactSuperseded(_) => true,
            Self::CountryInfoDisclosed(_)
            | Self::InterviewScheduled(_)
            | Self::InterviewRescheduled(_)
            | Self::InterviewNotAttended(_)
            | Self::TranscriptServed(_) => false,
        }
    }
}

/// I21: the refusal of what would hold the way of entry against the claimant.
fn entry_undermines<T>(criterion: &str) -> Result<T, Rejection> {
    refuse(
        Code::EntryUndermines,
        format!(
            "how the person came in never stands against them: it cannot be held against them on {criterion} (1951 Convention art. 31)"
        ),
    )
}

/// I21: no finding against the claimant rests on the way of entry, nor one that leaves open what a finding
/// on the onus would turn against them.
pub(crate) fn entry_never_undermines(
    case: &Case,
    finding: &RecordFinding,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let of_entry = |id| {
        case.evidence.items.get(id).is_some_and(|item| item.kind == EvidenceKind::IrregularEntry)
    };
    let rests = finding.facts.contains(&FactCode::Entry) || finding.evidence.iter().any(of_entry);
    let in_favour = match context.law.adverse(case, &finding.criterion)? {
        Value::Met => Value::NotMet,
        Value::NotMet | Value::Undetermined => Value::Met,
    };
    if rests && finding.value != in_favour {
        return entry_undermines(finding.criterion.as_str());
    }
    Ok(())
}

/// Decides a command of evidence.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    if !is_awaited(case, command) {
        case.open()?;
    }
    case.exists()?;
    Ok(match command {
        Command::Attach(item) => {
            case.evidence.fresh(item.evidence)?;
            Event::Attached(item.clone())
        }
        Command::AttachCountryInfo(info) => {
            case.evidence.fresh(info.evidence)?;
            Event::CountryInfoAttached(info.clone())
        }
        Command::Translate(translated) => {
            case.evidence.relied_on(translated.evidence)?;
            Event::Translated(translated.clone())
        }
        Command::AssessAuthenticity(assessed) => {
            case.evidence.relied_on(assessed.evidence)?;
            Event::AuthenticityAssessed(assessed.clone())
        }
        Command::Link(link) => {
            items::link(case, link, context)?;
            Event::Linked(link.clone())
        }
        Command::Withdraw(withdrawn) => {
            items::withdraw(case, withdrawn, context)?;
            Event::Withdrawn(withdrawn.clone())
        }
        Command::DiscloseCountryInfo(disclosed) => {
            items::disclose(case, disclosed)?;
            Event::CountryInfoDisclosed(disclosed.clone())
        }
        Command::ScheduleInterview(scheduled) => {
            interviews::schedule(case, scheduled, context)?;
            Event::InterviewScheduled(scheduled.clone())
        }
        Command::RescheduleInterview(moved) => {
            interviews::reschedule(case, moved, context)?;
            Event::InterviewRescheduled(moved.clone())
        }
        Command::HoldInterview(held) => {
            interviews::hold(case, held, context)?;
            Event::InterviewHeld(held.clone())
        }
        Command::RecordAbsence(missed) => {
            interviews::miss(case, missed)?;
            Event::InterviewNotAttended(missed.clone())
        }
        Command::ServeTranscript(served) => {
            interviews::serve(case, served)?;
            Event::TranscriptServed(served.clone())
        }
        Command::CorrectTranscript(corrected) => {
            interviews::correct(case, corrected)?;
            Event::TranscriptCorrected(corrected.clone())
        }
        Command::FindFact(found) => {
            facts::find(case, found, context)?;
            Event::FactFound(found.clone())
        }
        Command::SupersedeFact(newer) => {
            facts::supersede(case, newer, context)?;
            Event::FactSuperseded(newer.clone())
        }
    })
}

/// What a further submission rests on comes in although the file is closed or the claim withdrawn, and so
/// does what explains why the claimant kept silent: else nobody could rule on it.
fn is_awaited(case: &Case, command: &Command) -> bool {
    let of_items = matches!(
        command,
        Command::Attach(_) | Command::Translate(_) | Command::AssessAuthenticity(_)
    );
    let later = &case.registry.later;
    let may_return = later.implicit.is_some() && case.registry.closed.is_none();
    of_items && (may_return || later.submissions.iter().any(|one| one.ruling.is_none()))
}

/// Applies an event of evidence.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    let state = &mut case.evidence;
    match event {
        Event::Attached(item) => items::attached(state, item, stamp),
        Event::CountryInfoAttached(info) => items::country_info_attached(state, info, stamp),
        Event::Translated(translated) => {
            if let Some(item) = state.items.get_mut(&translated.evidence) {
                item.translations.push(stamp.version);
            }
        }
        Event::AuthenticityAssessed(assessed) => {
            if let Some(item) = state.items.get_mut(&assessed.evidence) {
                item.authenticity = Some(assessed.result);
            }
        }
        Event::Linked(link) => items::linked(state, link, stamp),
        Event::Withdrawn(withdrawn) => {
            if let Some(item) = state.items.get_mut(&withdrawn.evidence) {
                item.withdrawn = Some(stamp.version);
            }
        }
        Event::CountryInfoDisclosed(disclosed) => items::disclosed(state, disclosed, stamp),
        Event::InterviewScheduled(scheduled) => interviews::scheduled(state, scheduled, stamp),
        Event::InterviewRescheduled(moved) => interviews::rescheduled(state, moved, stamp),
        Event::InterviewHeld(held) => {
            interviews::held(state, held, stamp);
            // I13: who does what was asked for is not taken for gone.
            case.registry.later.warning = None;
        }
        Event::InterviewNotAttended(missed) => interviews::missed(state, missed, stamp),
        Event::TranscriptServed(served) => interviews::served(state, served, stamp),
        Event::TranscriptCorrected(corrected) => interviews::corrected(state, corrected, stamp),
        Event::FactFound(found) => {
            facts::found(state, found.fact, found.value, stamp);
            case.assessment.took_part(stamp.by);
        }
        Event::FactSuperseded(newer) => {
            match newer.value {
                Some(value) => facts::found(state, newer.fact, value, stamp),
                None => drop(state.facts.remove(&newer.fact)),
            }
            case.assessment.took_part(stamp.by);
        }
    }
    // I7: what is newer than a completed assessment voids its completion. After the decision it
    // belongs to the appeal.
    if event.is_new_matter() && case.decisions.standing().is_none() {
        case.assessment.void(stamp.version);
    }
}
