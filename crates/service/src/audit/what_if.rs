//! What if, over one case or the whole log: which outcomes would turn, and by what.
//!
//! The report depends on its inputs alone, which it names with their hashes: the same log up to the
//! same record, the same guidance, engine and suppositions give the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::slice;

use case::replay::Shelf;
use case::what_if::{Answer, Asking, Supposed, Supposition, Turn};
use case::{CaseId, Version};
use guidance::{Library, Outcome};
use journal::{Reader, Record, StreamId};

use super::walk::{Walk, walk};
use super::{AuditError, next, of_a_case};

/// What went into a report.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Inputs {
    /// Which log.
    pub log: uuid::Uuid,
    /// How many of its records were read.
    pub records: u64,
    /// The root of the tree over these, in hexadecimal.
    pub root: String,
    /// The engine that derived.
    pub engine: String,
    /// The only case that was asked about, if there was one.
    pub case: Option<CaseId>,
    /// Only cases whose standing outcome, or the proposed one where nothing was decided, is this.
    pub only: Option<String>,
    /// The profile that was supposed.
    pub profile: Option<String>,
    /// The day whose guidance was supposed.
    pub as_of: Option<jiff::civil::Date>,
    /// The findings that were supposed.
    pub set: BTreeMap<String, String>,
    /// The hashes of all guidance that could be found; `null` where each assessment's own held.
    pub law: Option<Vec<String>>,
    /// The hashes of all guidance among which an assessment's own was looked for.
    pub known: Vec<String>,
}

/// A case whose outcome turns, or could not be derived.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct WhatIfEntry {
    /// The case.
    pub case: CaseId,
    /// What came out.
    #[serde(flatten)]
    pub answer: Answer,
}

/// Cases that turn in the same way by the same criterion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Cause {
    /// The outcome that was proposed.
    pub recorded: String,
    /// The outcome that comes out.
    pub supposed: String,
    /// The criterion that turns it.
    pub by: Turn,
    /// How many cases.
    pub cases: u64,
}

/// What would turn.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WhatIf {
    /// What it rests on.
    pub inputs: Inputs,
    /// Cases with an assessment that were asked about.
    pub assessed: u64,
    /// Those whose outcome stays.
    pub same: u64,
    /// Those whose outcome turns.
    pub turned: u64,
    /// Those that could not be derived.
    pub not_derived: u64,
    /// The causes, the most frequent first.
    pub causes: Vec<Cause>,
    /// The cases that turn or could not be derived, in the order of their assessments.
    pub entries: Vec<WhatIfEntry>,
}

/// What is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// Only this case.
    pub case: Option<CaseId>,
    /// Only cases whose standing outcome, or the proposed one where nothing was decided, is this.
    pub only: Option<String>,
    /// The guidance that records name.
    pub known: Shelf<'a>,
    /// What is supposed.
    pub supposition: Supposition<'a>,
}

/// Asks about the first `records` records of the log in a data directory. Nothing is written.
/// `progress` is told how many records are done.
pub fn what_if(
    directory: &Path,
    records: u64,
    question: &Question<'_>,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<WhatIf, AuditError> {
    let reader = Reader::open(directory)?;
    let mut found = if let Some(case) = question.case {
        let mut stream = reader.read_stream(StreamId(case.0), None)?;
        stream.retain(|record| record.position.0 <= records);
        if stream.is_empty() {
            return Err(AuditError::UnknownCase(case));
        }
        of_a_case(&stream)?;
        let (mut asking, mut found) = (Asking::default(), Vec::new());
        for record in &stream {
            question.take(&mut asking, record, &mut found)?;
        }
        question.end(case, asking, &mut found);
        found
    } else {
        walk(directory, records, question, progress)?
    };
    found.sort_unstable_by_key(|entry| entry.answer.position);
    let inputs = question.inputs(reader.id(), records, &reader.root_at(records)?);
    Ok(WhatIf::of(inputs, found))
}

impl Walk for Question<'_> {
    type State = Asking;
    type Found = WhatIfEntry;

    fn take(
        &self,
        asking: &mut Asking,
        record: &Record,
        _: &mut Vec<WhatIfEntry>,
    ) -> Result<(), AuditError> {
        let read = next(record, Version(asking.version().0))?;
        asking.take(&read, self.known, &self.supposition);
        Ok(())
    }

    fn end(&self, case: CaseId, asking: Asking, found: &mut Vec<WhatIfEntry>) {
        let Some(answer) = asking.end() else { return };
        if self.only.as_deref().is_none_or(|only| only == answer.stands()) {
            found.push(WhatIfEntry { case, answer });
        }
    }
}

impl Question<'_> {
    fn inputs(&self, log: uuid::Uuid, records: u64, root: &[u8; 32]) -> Inputs {
        let Supposition { law, profile, as_of, set } = &self.supposition;
        let set = set.iter().map(|(id, value)| (id.to_string(), value.to_string())).collect();
        Inputs {
            log,
            records,
            root: hex::encode(root),
            engine: guidance::ENGINE_VERSION.to_owned(),
            case: self.case,
            only: self.only.clone(),
            profile: profile.as_ref().map(ToString::to_string),
            as_of: *as_of,
            set,
            law: law.map(|law| hashes(slice::from_ref(law))),
            known: hashes(self.known.0),
        }
    }
}

/// The hashes of all guidance of some libraries, in order, each once.
fn hashes(libraries: &[Library]) -> Vec<String> {
    let all = libraries.iter().flat_map(Library::all);
    let hashes: BTreeSet<String> = all.map(|guidance| guidance.hash().to_string()).collect();
    hashes.into_iter().collect()
}

impl WhatIf {
    fn of(inputs: Inputs, found: Vec<WhatIfEntry>) -> Self {
        let mut report = Self {
            inputs,
            assessed: found.len() as u64,
            same: 0,
            turned: 0,
            not_derived: 0,
            causes: Vec::new(),
            entries: Vec::new(),
        };
        let mut causes: BTreeMap<(Outcome, Outcome, Turn), u64> = BTreeMap::new();
        for entry in found {
            match &entry.answer.supposed {
                Supposed::Same => report.same += 1,
                Supposed::NotDerived { .. } => report.not_derived += 1,
                Supposed::Turned { outcome, by } => {
                    report.turned += 1;
                    *causes.entry((entry.answer.recorded, *outcome, by.clone())).or_default() += 1;
                }
            }
            if entry.answer.supposed != Supposed::Same {
                report.entries.push(entry);
            }
        }
        report.causes = causes
            .into_iter()
            .map(|((recorded, supposed, by), cases)| Cause {
                recorded: recorded.to_string(),
                supposed: supposed.to_string(),
                by,
                cases,
            })
            .collect();
        report.causes.sort_by_key(|cause| std::cmp::Reverse(cause.cases));
        report
    }
}
