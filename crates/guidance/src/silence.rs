//! What a decided case does not list, in words: nobody found it, and it counts all the same.

use crate::evaluate::Evaluation;
use crate::explain::{Explanation, Line};
use crate::fixture::Fixture;
use crate::phrase::list;
use crate::value::Value;

impl Fixture<'_> {
    /// Explains the evaluation of this case's question. Of what the explanation shows, it names the
    /// leaves that the case does not list: their value is the form's, and no finding.
    #[must_use]
    pub fn explain(&self, evaluation: &Evaluation<'_>) -> Explanation {
        let explanation = evaluation.guidance().explain(evaluation);
        let mut silence =
            Silence { fixture: self, seen: Vec::new(), not_met: Vec::new(), met: Vec::new() };
        for line in &explanation.lines {
            silence.hear(line);
        }
        let silence = silence.sentence();
        Explanation { silence, ..explanation }
    }
}

struct Silence<'a> {
    fixture: &'a Fixture<'a>,
    /// The leaves that were named, also by what they stand under.
    seen: Vec<&'a str>,
    not_met: Vec<String>,
    met: Vec<String>,
}

impl<'a> Silence<'a> {
    /// Takes what is not listed of a line and what stands under it; where nothing is, it is named by
    /// what it stands under.
    fn hear(&mut self, line: &'a Line) {
        let leaves = line.leaves();
        if leaves.iter().all(|(id, _)| self.seen.contains(id)) {
            return;
        }
        let value = line.value;
        let whole = leaves.iter().all(|(id, found)| *found == value && !self.is_listed(id));
        let named = match (line.id.as_deref(), leaves.as_slice()) {
            _ if !whole => None,
            (_, [(leaf, _)]) => Some((*leaf).to_owned()),
            (Some(id), _) => Some(format!("all of {id}")),
            (None, _) => None,
        };
        match named {
            Some(named) => {
                let side = if value == Value::Met { &mut self.met } else { &mut self.not_met };
                side.push(named);
                self.seen.extend(leaves.iter().map(|(id, _)| *id));
            }
            None => line.members.iter().for_each(|member| self.hear(member)),
        }
    }

    fn is_listed(&self, id: &str) -> bool {
        self.fixture.findings.iter().any(|(listed, _)| listed == id)
    }

    fn sentence(&self) -> Option<String> {
        let counted = |ids: &[String], word: &str| match ids {
            [] => None,
            ids => Some(format!("as {word}: {}", list(ids, "and"))),
        };
        let told: Vec<String> = [counted(&self.not_met, "not met"), counted(&self.met, "met")]
            .into_iter()
            .flatten()
            .collect();
        (!told.is_empty()).then(|| format!("Not listed, counted {}.", told.join("; ")))
    }
}

impl Line {
    /// The leaves at and under this line, with their values.
    fn leaves(&self) -> Vec<(&str, Value)> {
        if self.members.is_empty() {
            return self.id.as_deref().map(|id| (id, self.value)).into_iter().collect();
        }
        self.members.iter().flat_map(Self::leaves).collect()
    }
}
