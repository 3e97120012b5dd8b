//! Explanations as text: sentences that wrap, a tree by indentation.

use crate::choice::Choice;
use crate::criteria::Source;
use crate::explain::{Explanation, Line};
use crate::value::Value;

/// The sources of a sentence, in brackets.
pub(crate) fn cited(sources: &[Source]) -> String {
    let cited: Vec<String> = sources.iter().map(Source::to_string).collect();
    format!("[{}]", cited.join("; "))
}

impl Explanation {
    /// The explanation as text, wrapped at a width in characters.
    ///
    /// What was not met because nothing under it was met is told in one sentence; the tree in
    /// [`Explanation::lines`] is whole.
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        let mut text = String::new();
        wrap(&mut text, &self.headline, 0, width);
        wrap(&mut text, &self.reason, 0, width);
        if let Some(silence) = &self.silence {
            wrap(&mut text, silence, 0, width);
        }
        let parts = [
            ("In short", &self.summary),
            ("Open: an answer to one of these can turn the outcome", &self.open),
            ("By", &self.basis),
        ];
        for (heading, sentences) in parts {
            if sentences.is_empty() {
                continue;
            }
            text.push('\n');
            wrap(&mut text, &format!("{heading}:"), 0, width);
            for sentence in sentences {
                wrap(&mut text, &format!("- {sentence}"), 0, width);
            }
        }
        text.push_str("\nThe tree:\n");
        for line in &self.lines {
            line.tell(&mut text, 0, width);
        }
        text
    }
}

impl Line {
    fn tell(&self, text: &mut String, depth: usize, width: usize) {
        let indent = depth * 2;
        wrap(text, &format!("{} {}", self.value, self.sentence), indent, width);
        if !self.sources.is_empty() {
            wrap(text, &cited(&self.sources), indent + 2, width);
        }
        for (reading, sources) in &self.readings {
            wrap(text, &format!("Here: {reading} {}", cited(sources)), indent + 2, width);
        }
        for Choice { sentence, sources, .. } in &self.choices {
            wrap(text, &format!("Here: {sentence} {}", cited(sources)), indent + 2, width);
        }
        if self.members.iter().all(Self::is_plainly_not_met) && self.value == Value::NotMet {
            return;
        }
        for member in &self.members {
            member.tell(text, depth + 1, width);
        }
    }

    /// A leaf that was found not met, with nothing more to say about it.
    fn is_plainly_not_met(&self) -> bool {
        self.value == Value::NotMet && self.members.is_empty() && self.readings.is_empty()
    }
}

/// Appends a sentence, broken at blanks, behind an indent; further lines stand deeper.
fn wrap(text: &mut String, sentence: &str, indent: usize, width: usize) {
    let marked = ["- ", "M ", "N ", "U "].iter().any(|mark| sentence.starts_with(mark));
    let deeper = if marked { indent + 2 } else { indent };
    let mut column = 0;
    for word in sentence.split_whitespace() {
        let length = word.chars().count();
        let first = column == 0;
        if !first && column + 1 + length > width {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', deeper));
            column = deeper;
        } else if first {
            text.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}
