//! Explanations: an evaluation as a tree of plain sentences with sources.

use crate::bits::bit;
use crate::choice::Choice;
use crate::criteria::{Criterion, Source};
use crate::evaluate::Evaluation;
use crate::guidance::Guidance;
use crate::open;
use crate::phrase::name;
use crate::program::{Means, Rule, Step};
use crate::tell::cited;
use crate::terms::Outcome;
use crate::value::Value;

/// Why an outcome is proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The outcome and the question, as a sentence.
    pub headline: String,
    /// Why the outcome follows from the criteria that decide, as a sentence.
    pub reason: String,
    /// What counts without having been found, as a sentence: leaves that a decided case does not list
    /// ([`Fixture::explain`](crate::Fixture::explain)).
    pub silence: Option<String>,
    /// The guidance, standards of proof and engine that were used, as sentences.
    pub basis: Vec<String>,
    /// The way from the criteria that decide to the findings they rest on, as sentences.
    pub summary: Vec<String>,
    /// What is open and why it matters, as sentences; empty when nothing is.
    pub open: Vec<String>,
    /// The criteria that decide, each with everything that stands under it.
    pub lines: Vec<Line>,
}

/// A criterion or group in an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The criterion's id; `None` for a group without a name.
    pub id: Option<String>,
    /// Its value, a presumption included.
    pub value: Value,
    /// Whether what stands above has its value because of this one. Among paths of which none is
    /// met, only those where something was found at all.
    pub decides: bool,
    /// What it is and why it has this value.
    pub sentence: String,
    /// Where the criterion comes from; after a presumption, where that comes from.
    pub sources: Vec<Source>,
    /// How the courts of the profile read it, each with its sources.
    pub readings: Vec<(String, Vec<Source>)>,
    /// What the profile's parameters choose for it.
    pub choices: Vec<Choice>,
    /// Whether findings alone give it a certain value: no presumption, no fact that settles it.
    pub plain: bool,
    /// What stands under it, in the order of the criteria file.
    pub members: Vec<Line>,
}

/// What an explanation is made from.
pub(crate) struct Teller<'a> {
    pub(crate) guidance: &'a Guidance,
    pub(crate) evaluation: &'a Evaluation<'a>,
}

/// Explains an evaluation.
pub(crate) fn explain(guidance: &Guidance, evaluation: &Evaluation<'_>) -> Explanation {
    let teller = Teller { guidance, evaluation };
    let lines = teller.roots();
    let mut summary = Vec::new();
    for line in &lines {
        line.summarise(line.value, &mut summary);
    }
    Explanation {
        headline: teller.headline(),
        reason: teller.reason(),
        silence: None,
        summary,
        basis: teller.basis(),
        open: teller.open(),
        lines,
    }
}

impl Teller<'_> {
    fn headline(&self) -> String {
        let (sought, profile) = (self.evaluation.question().sought, self.guidance.profile());
        match self.evaluation.outcome() {
            Outcome::Undetermined => {
                format!(
                    "The findings leave the outcome undetermined (sought: {sought}; {profile})."
                )
            }
            outcome @ (Outcome::Refugee
            | Outcome::Subsidiary
            | Outcome::NonrefoulementOnly
            | Outcome::Refused
            | Outcome::Excluded
            | Outcome::ExcludedNotRemovable) => {
                format!("The engine proposes: {outcome} (sought: {sought}; {profile}).")
            }
        }
    }

    /// Why the outcome follows; where a parameter of the profile has a part in it, with its sources.
    fn reason(&self) -> String {
        let row = self.guidance.criteria.decisions.get(usize::from(self.evaluation.answer.row));
        let parameters = row.into_iter().flat_map(|row| &row.parameters);
        let sources: Vec<Source> = parameters
            .flat_map(|(parameter, _)| self.guidance.setting_sources(parameter))
            .cloned()
            .collect();
        match sources.as_slice() {
            [] => self.evaluation.reason().to_owned(),
            sources => format!("{} {}", self.evaluation.reason(), cited(sources)),
        }
    }

    fn basis(&self) -> Vec<String> {
        let guidance = self.guidance;
        let mut told = vec![format!(
            "Guidance {} ({}), in force from {}, engine {}.",
            guidance.hash(),
            guidance.title(),
            guidance.valid_from(),
            crate::ENGINE_VERSION
        )];
        for standard in guidance.standards() {
            let of = match standard.of.as_str() {
                "past_facts" => "What happened",
                "future_risk" => "What may happen",
                _ => "Exclusion",
            };
            told.push(format!(
                "{of} is judged by `{}`: {}. {}",
                standard.standard,
                standard.words,
                cited(&standard.sources)
            ));
        }
        told
    }

    fn open(&self) -> Vec<String> {
        let told: Vec<String> = self
            .evaluation
            .open()
            .filter_map(|id| self.guidance.criterion(id))
            .map(|criterion| {
                format!("{} ({}): {}", criterion.id, criterion.title, criterion.question)
            })
            .collect();
        if told.is_empty() && self.evaluation.outcome() == Outcome::Undetermined {
            return vec![
                "No single answer can turn the outcome: however the undetermined leaves are \
                 settled, the same outcome follows."
                    .to_owned(),
            ];
        }
        told
    }

    /// The criteria that the decision rests on; while it is open, those it may come to rest on.
    fn roots(&self) -> Vec<Line> {
        let row = self.guidance.criteria.decisions.get(usize::from(self.evaluation.answer.row));
        let program = &self.guidance.program;
        let open = open::live(program, self.evaluation.values, self.evaluation.answer);
        let read = |(place, slot): &(usize, &u8)| {
            row.is_some_and(|row| row.criteria.iter().any(|(root, _)| root == place))
                || open & bit(**slot) != 0
        };
        let roots = program.roots.iter().enumerate().filter(read);
        roots.map(|(_, slot)| Line { decides: true, ..self.line(*slot) }).collect()
    }

    fn line(&self, slot: u8) -> Line {
        let step = self.guidance.program.steps.iter().find(|step| step.slot == slot);
        let value = self.evaluation.values.get(slot);
        match step {
            None => self.found(slot, value),
            Some(step) => self.derived(step, value),
        }
    }

    pub(crate) fn criterion(&self, place: usize) -> Option<&Criterion> {
        self.guidance.criteria().get(place)
    }

    /// A leaf that a person found.
    fn found(&self, slot: u8, value: Value) -> Line {
        let place = self.guidance.program.leaves.get(usize::from(slot)).copied();
        let Some(criterion) = place.and_then(|place| self.criterion(place)) else {
            return Line::bare(value, String::new());
        };
        let sentence = match value {
            Value::Met | Value::NotMet => {
                format!("{} is {}.", name(criterion), value.words())
            }
            Value::Undetermined if self.evaluation.open & bit(slot) != 0 => {
                format!("{} is undetermined. It is open: {}", name(criterion), criterion.question)
            }
            Value::Undetermined => {
                format!("{} is undetermined; it cannot turn the outcome.", name(criterion))
            }
        };
        self.about(criterion, value, sentence)
    }

    fn about(&self, criterion: &Criterion, value: Value, sentence: String) -> Line {
        let readings = self.guidance.readings().iter();
        let readings = readings.filter(|reading| reading.criterion == criterion.id);
        Line {
            id: Some(criterion.id.clone()),
            value,
            decides: false,
            sentence,
            sources: criterion.sources.clone(),
            readings: readings.map(|r| (r.text.clone(), r.sources.clone())).collect(),
            choices: Vec::new(),
            plain: value != Value::Undetermined,
            members: Vec::new(),
        }
    }

    fn derived(&self, step: &Step, value: Value) -> Line {
        match &step.rule {
            Rule::Presumable { leaf, presumption, .. } => {
                let mut line = self.found(*leaf, value);
                if self.evaluation.presumed & (1 << presumption) != 0 {
                    self.presumed(usize::from(*presumption), &mut line);
                }
                line
            }
            Rule::Join { all, settled, members, .. } => {
                let facts = self.evaluation.question().facts.bits();
                let override_used = settled.is_some_and(|(fact, _)| facts & fact != 0);
                let why = self.why(*all, members, value);
                let mut line = match step.means {
                    Means::Group => {
                        let words = if *all { "All of these" } else { "One of these" };
                        Line::bare(value, format!("{words}, {}: {why}", value.words()))
                    }
                    Means::Criterion(place) => match self.criterion(place) {
                        None => Line::bare(value, why),
                        Some(criterion) if override_used => self.settled(criterion, value),
                        Some(criterion) => {
                            let sentence =
                                format!("{} is {}: {why}", name(criterion), value.words());
                            self.about(criterion, value, sentence)
                        }
                    },
                };
                line.choices = self.choices(step, override_used);
                line.members = members
                    .iter()
                    .map(|member| {
                        let line = self.line(member.0);
                        let decides = !override_used && self.decides(*all, value, *member, &line);
                        Line { decides, ..line }
                    })
                    .collect();
                line
            }
        }
    }

    /// Whether a join has its value because of a member.
    fn decides(&self, all: bool, value: Value, member: (u8, bool), line: &Line) -> bool {
        match (all, value) {
            (true, Value::Met) => true,
            (false, Value::NotMet) => !line.is_blank(),
            (true, Value::NotMet) | (false, Value::Met) | (_, Value::Undetermined) => {
                self.counts(member) == value
            }
        }
    }

    /// What a member counts as in its join.
    pub(crate) fn counts(&self, (slot, negated): (u8, bool)) -> Value {
        match (self.evaluation.values.get(slot), negated) {
            (Value::Met, true) => Value::NotMet,
            (Value::NotMet, true) => Value::Met,
            (found, _) => found,
        }
    }

    fn presumed(&self, place: usize, line: &mut Line) {
        let Some(presumption) = self.guidance.presumptions().get(place) else { return };
        let title = self.guidance.criterion(&presumption.leaf).map(name).unwrap_or_default();
        line.sentence = format!(
            "{title} was left undetermined and is presumed met: {} The presumption can be \
             rebutted by a finding with reasons.",
            presumption.why
        );
        line.plain = false;
        line.sources.clone_from(&presumption.sources);
        line.rest_on(self.guidance.setting_sources(&presumption.when.0));
    }

    fn settled(&self, criterion: &Criterion, value: Value) -> Line {
        let found = self.guidance.overrides().iter().find(|o| o.criterion == criterion.id);
        let why = found.map_or("", |settled| settled.why.as_str());
        let sentence =
            format!("{} is {} whatever its parts say: {why}", name(criterion), value.words());
        let mut line = self.about(criterion, value, sentence);
        line.plain = false;
        line.rest_on(found.map_or(&[], |settled| settled.sources.as_slice()));
        line
    }
}

impl Line {
    /// Adds sources; one that is there already is not named twice.
    fn rest_on(&mut self, sources: &[Source]) {
        for source in sources {
            if !self.sources.contains(source) {
                self.sources.push(source.clone());
            }
        }
    }

    fn bare(value: Value, sentence: String) -> Self {
        Self {
            id: None,
            value,
            decides: false,
            sentence,
            sources: Vec::new(),
            readings: Vec::new(),
            choices: Vec::new(),
            plain: value != Value::Undetermined,
            members: Vec::new(),
        }
    }
}

impl Line {
    /// Adds the sentences on the way from this line to the findings it rests on; `above` is the
    /// value of what stands above.
    fn summarise(&self, above: Value, told: &mut Vec<String>) {
        if !self.decides {
            return;
        }
        if let Some(sentence) = self.summary(above).filter(|sentence| !told.contains(sentence)) {
            told.push(sentence);
        }
        for member in &self.members {
            member.summarise(self.value, told);
        }
    }

    /// What a summary says about this line alone; what the line above has said already is left out.
    fn summary(&self, above: Value) -> Option<String> {
        self.id.as_ref()?;
        if !self.members.is_empty() || self.value == Value::Undetermined {
            let deciding = self.choices.iter().filter(|choice| choice.decides);
            let told =
                deciding.map(|choice| format!(" {} {}", choice.sentence, cited(&choice.sources)));
            return Some(self.sentence.clone() + &told.collect::<String>());
        }
        if !self.plain {
            return Some(format!("{} {}", self.sentence, cited(&self.sources)));
        }
        let (reading, sources) = self.readings.first().filter(|_| above == Value::NotMet)?;
        Some(format!("{} {reading} {}", self.sentence, cited(sources)))
    }

    /// Not met, because nobody found anything under it met.
    fn is_blank(&self) -> bool {
        self.value == Value::NotMet && self.plain && self.members.iter().all(Self::is_blank)
    }
}
