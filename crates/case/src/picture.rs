//! A case as it was known at a moment, in lines that can be compared.
//!
//! Two axes of time: what the record knew (its first so many events) and, where asked, what of that
//! had happened in the world by a day. The rules fold every event that was known; what had not
//! happened yet is left out of the lines, not out of the fold, for a history with gaps follows no
//! rules. So `status`, `outcome` and the removal bar are always those of all that was known, of this claim
//! alone: a person may be barred by another.

use guidance::{Guidance, GuidanceHash};
use jiff::civil::Date;

use crate::appeals::Appeal;
use crate::assessment::{Assessment, Round};
use crate::card::Appealed;
use crate::decisions::Decision;
use crate::replay::Shelf;
use crate::vocabulary::{DecisionOutcome, Status};
use crate::{CaseId, Instant, Recorded, Version, WorldDate, gist, removal_bar};
use crate::{record::Envelope, state::Case};

/// One thing that is known.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Line {
    /// What it is about: an id, a criterion, a code, or the event's number.
    pub key: String,
    /// What is known of it, in words; nothing personal.
    pub text: String,
    /// The event that it rests on.
    pub version: Version,
    /// When that happened in the world.
    pub occurred: String,
    /// Whether that was perhaps only after the day asked for: its date is too inexact to tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uncertain: bool,
}

/// What a section of a picture is about.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Evidence, country information included.
    Evidence,
    /// Facts of the claim.
    Facts,
    /// Findings of the round that is open or was last.
    Findings,
    /// Assessments of all rounds.
    Assessments,
    /// Decisions.
    Decisions,
    /// Appeals.
    Appeals,
    /// Deadlines that run.
    Deadlines,
}

impl Section {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Evidence,
        Self::Facts,
        Self::Findings,
        Self::Assessments,
        Self::Decisions,
        Self::Appeals,
        Self::Deadlines,
    ];

    /// The heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Evidence => "Evidence",
            Self::Facts => "Facts",
            Self::Findings => "Findings",
            Self::Assessments => "Assessments",
            Self::Decisions => "Decisions",
            Self::Appeals => "Appeals",
            Self::Deadlines => "Deadlines",
        }
    }
}

/// What a removal bar takes into account.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Considered {
    /// This claim, and no other of the same person.
    #[default]
    ThisClaimAlone,
}

/// A case as it was known.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Picture {
    /// The case.
    pub case: CaseId,
    /// How many of its events were known.
    pub version: Version,
    /// The position of the last of them in the log.
    pub position: u64,
    /// When the last of them was recorded.
    pub recorded: Instant,
    /// How many of its events were recorded only later.
    pub later: u64,
    /// The day by which things had to have happened to be in the lines, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub happened_by: Option<Date>,
    /// How many of the known events had surely not happened by that day.
    pub not_happened: u64,
    /// Where the case stood, by all that was known.
    pub status: Status,
    /// The outcome that stood, by all that was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DecisionOutcome>,
    /// Why this claim barred the removal of the person, by all that was known of it, at `barred_at`. Empty
    /// is no clearance: another claim of the person may bar, which only the query `removal-bar` looks at.
    pub barred: Vec<String>,
    /// The moment for which that is said: the one that was asked for, or when the last event was recorded
    /// where a version or a position was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barred_at: Option<Instant>,
    /// What the bar takes into account.
    #[serde(default)]
    pub barred_by: Considered,
    /// What was known, section by section; a section without lines is left out.
    pub sections: std::collections::BTreeMap<Section, Vec<Line>>,
    /// The events, in order.
    pub events: Vec<Line>,
}

/// The picture that all of `records` give, the case's first ones without a gap; `None` if there are
/// none. `later` says how many more the case has by now, `at` the moment for which the removal bar is judged,
/// never before the last of them was recorded.
#[must_use]
pub fn picture(
    records: &[Recorded],
    later: u64,
    happened_by: Option<Date>,
    at: Option<Instant>,
    known: Shelf<'_>,
) -> Option<Picture> {
    let last = records.last()?;
    let case = Case::fold(records);
    let guidance = guidance_of(&case, known);
    let frame = frame(last, later, happened_by, at, &case);
    let mut painter = Painter { records, happened_by, picture: frame };
    for record in records {
        let version = record.envelope.version;
        let text = gist::of(record);
        let by = &record.envelope.by;
        let told = painter.line(version, version.to_string(), format!("{text}, by {}", by.id));
        match told {
            Some(line) => painter.picture.events.push(line),
            None => painter.picture.not_happened += 1,
        }
    }
    painter.evidence(&case);
    if let Some(round) = case.assessment.rounds.last() {
        painter.findings(round, guidance);
    }
    for one in case.assessment.rounds.iter().flat_map(|round| &round.assessments) {
        painter.add(Section::Assessments, one.version, one.version.to_string(), assessed(one));
    }
    for one in &case.decisions.all {
        painter.add(Section::Decisions, one.version, one.version.to_string(), decided(one));
    }
    for one in &case.appeals.all {
        painter.add(Section::Appeals, one.version, one.id.to_string(), appealed(one));
    }
    for one in &case.deadlines.running {
        let text = format!("{}, over at {}", gist::words(one.kind.as_str()), one.due);
        painter.add(Section::Deadlines, one.set, one.deadline.to_string(), text);
    }
    Some(painter.picture)
}

/// The guidance whose titles fit a case: the one of the latest assessment, else the one in force at
/// registration. `None` where it is not on the shelf.
#[must_use]
pub fn guidance_of<'a>(case: &Case, known: Shelf<'a>) -> Option<&'a Guidance> {
    let mut rounds = case.assessment.rounds.iter().rev();
    if let Some(latest) = rounds.find_map(|round| round.assessments.last()) {
        let hash: GuidanceHash = latest.guidance.parse().ok()?;
        return known.0.iter().find_map(|library| library.by_hash(&hash));
    }
    let registration = case.intake.registration.as_ref()?;
    let day = registration.registered.exact_day()?;
    known.0.iter().find_map(|library| library.in_force(registration.profile.as_str(), day))
}

fn frame(
    last: &Recorded,
    later: u64,
    happened_by: Option<Date>,
    at: Option<Instant>,
    case: &Case,
) -> Picture {
    let Envelope { version, time, .. } = last.envelope;
    let recorded = Instant::new(time);
    let barred_at = at.filter(|at| *at > recorded).unwrap_or(recorded);
    let bar = removal_bar(case, barred_at);
    Picture {
        case: last.envelope.case,
        version,
        position: last.position,
        recorded,
        later,
        happened_by,
        not_happened: 0,
        status: case.status(),
        outcome: case.outcome(),
        barred: bar.reasons.into_iter().map(|reason| reason.sentence).collect(),
        barred_at: Some(barred_at),
        barred_by: Considered::ThisClaimAlone,
        sections: std::collections::BTreeMap::new(),
        events: Vec::new(),
    }
}

struct Painter<'a> {
    records: &'a [Recorded],
    happened_by: Option<Date>,
    picture: Picture,
}

impl Painter<'_> {
    fn occurred(&self, version: Version) -> Option<&WorldDate> {
        let index = usize::try_from(version.0.checked_sub(1)?).ok()?;
        self.records.get(index).map(|record| &record.envelope.occurred)
    }

    /// A line that rests on an event; `None` if that had surely not happened.
    fn line(&self, version: Version, key: String, text: String) -> Option<Line> {
        let occurred = self.occurred(version)?;
        let mut uncertain = false;
        if let Some(day) = self.happened_by {
            if occurred.first_day().is_some_and(|first| first > day) {
                return None;
            }
            uncertain = occurred.last_day().is_none_or(|last| last > day);
        }
        Some(Line { key, text, version, occurred: occurred.as_str().to_owned(), uncertain })
    }

    fn add(&mut self, section: Section, version: Version, key: String, text: String) {
        if let Some(line) = self.line(version, key, text) {
            self.picture.sections.entry(section).or_default().push(line);
        }
    }

    fn evidence(&mut self, case: &Case) {
        let mut items: Vec<_> = case.evidence.items.iter().collect();
        items.sort_by_key(|(_, item)| item.version);
        for (id, item) in items {
            self.add(Section::Evidence, item.version, id.to_string(), item.in_words());
        }
        for (code, fact) in &case.evidence.facts {
            let (key, text) = (code.as_str().to_owned(), fact.value.to_string());
            self.add(Section::Facts, fact.version, key, text);
        }
    }

    fn findings(&mut self, round: &Round, guidance: Option<&Guidance>) {
        for (id, finding) in &round.findings {
            let title = guidance.and_then(|guidance| guidance.title_of(id.as_str()));
            let text = match title {
                Some(title) => format!("{} ({title})", finding.value),
                None => finding.value.to_string(),
            };
            self.add(Section::Findings, finding.version, id.to_string(), text);
        }
    }
}

fn assessed(one: &Assessment) -> String {
    let mut text = format!("proposes {}", gist::words(&one.outcome.to_string()));
    if !one.open.is_empty() {
        text = format!("{text}, open: {}", one.open.join(", "));
    }
    for review in &one.reviews {
        text = format!("{text}, review: {}", review.result);
    }
    if one.stale().is_some() {
        text.push_str(", voided");
    }
    text
}

fn decided(one: &Decision) -> String {
    let mut text = gist::words(one.outcome.as_str());
    if one.departs {
        text.push_str(", departs from the proposal");
    }
    if let Some(notified) = &one.notified {
        text = format!("{text}, served, appeal until {}", notified.appeal_deadline);
    }
    if one.set_aside.is_some() {
        text.push_str(", set aside");
    }
    text
}

fn appealed(one: &Appeal) -> String {
    let time = if one.in_time { "in time" } else { "late" };
    format!("against version {}, {time}, {}", one.decision, Appealed::of(one).in_words())
}

/// What became of one thing between two pictures.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Change {
    /// Where it stands.
    pub section: Section,
    /// What it is about.
    pub key: String,
    /// What was known before; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Line>,
    /// What is known after; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Line>,
}

/// What differs between two pictures of one case.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Difference {
    /// Whether nothing differs.
    pub same: bool,
    /// The first picture.
    pub from: Picture,
    /// The second.
    pub to: Picture,
    /// Events that only the second has.
    pub added: Vec<Line>,
    /// Events that only the first has.
    pub missing: Vec<Line>,
    /// What changed, section by section.
    pub changes: Vec<Change>,
}

/// Compares two pictures of one case.
#[must_use]
pub fn difference(from: Picture, to: Picture) -> Difference {
    let only = |these: &Picture, those: &Picture| -> Vec<Line> {
        let has = |line: &&Line| those.events.iter().all(|other| other.version != line.version);
        these.events.iter().filter(has).cloned().collect()
    };
    let (added, missing) = (only(&to, &from), only(&from, &to));
    let mut changes = Vec::new();
    for section in Section::ALL {
        let none = Vec::new();
        let before = from.sections.get(&section).unwrap_or(&none);
        let after = to.sections.get(&section).unwrap_or(&none);
        for line in after {
            let old = before.iter().find(|old| old.key == line.key);
            if old.is_none_or(|old| old.text != line.text) {
                let (before, after) = (old.cloned(), Some(line.clone()));
                changes.push(Change { section, key: line.key.clone(), before, after });
            }
        }
        for line in before.iter().filter(|old| after.iter().all(|line| line.key != old.key)) {
            let before = Some(line.clone());
            changes.push(Change { section, key: line.key.clone(), before, after: None });
        }
    }
    let stands = from.status == to.status && from.outcome == to.outcome && from.barred == to.barred;
    let same = stands && added.is_empty() && missing.is_empty() && changes.is_empty();
    Difference { same, from, to, added, missing, changes }
}
