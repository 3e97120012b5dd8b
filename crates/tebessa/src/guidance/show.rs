//! `tebessa guidance show`: the tree of a profile with questions and sources.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use ::guidance::{Criterion, Guidance, Join, Kind, Source, Target};
use anstyle::Style;
use serde_json::json;

use super::text::{ASIDE, NAME, paragraph};
use super::{Failure, files, json_line};

/// The arguments of `tebessa guidance show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A profile (EU), a profile at a date (EU@2020-11-19), a hash or a profile file
    #[arg(default_value = "UNHCR")]
    version: String,
    /// Only this criterion and what stands under it
    #[arg(long, value_name = "ID")]
    criterion: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    arguments: &Arguments,
    directory: Option<&Path>,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let library = files::library(directory)?;
    files::with_version(&library, &arguments.version, |guidance| {
        let wanted = arguments.criterion.as_deref();
        let top = match wanted {
            None => guidance.roots().collect(),
            Some(id) => vec![guidance.criterion(id).ok_or_else(|| {
                Failure::NotFound(format!("{} has no criterion `{id}`", guidance.profile()))
            })?],
        };
        if arguments.json {
            return json_line(out, &as_json(guidance));
        }
        if wanted.is_none() {
            profile(guidance, out)?;
        }
        let mut tree = Tree { guidance, seen: BTreeSet::new(), out };
        for criterion in top {
            tree.criterion(criterion, 0, "")?;
        }
        if wanted.is_none() {
            rules(guidance, out)?;
        }
        Ok(())
    })??;
    Ok(ExitCode::SUCCESS)
}

fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "{NAME}{text}{NAME:#}\n")
}

fn cited(sources: &[Source]) -> String {
    let cited: Vec<String> = sources.iter().map(Source::to_string).collect();
    format!("[{}]", cited.join("; "))
}

/// What the profile is, its standards of proof and its parameters.
fn profile(guidance: &Guidance, out: &mut dyn Write) -> io::Result<()> {
    let plain = Style::new();
    paragraph(out, NAME, &format!("{}: {}", guidance.profile(), guidance.title()), 0, 2)?;
    let end = guidance.valid_to().map_or_else(String::new, |end| format!(" to {end}"));
    paragraph(out, plain, &format!("in force from {}{end}", guidance.valid_from()), 0, 2)?;
    paragraph(out, plain, &guidance.hash().to_string(), 0, 2)?;
    paragraph(out, plain, &format!("criteria {}", guidance.criteria_hash()), 0, 2)?;
    paragraph(out, ASIDE, &cited(guidance.sources()), 0, 2)?;
    writeln!(out)?;
    heading(out, "Standards of proof")?;
    for standard in guidance.standards() {
        let text = format!("{}: {} ({})", standard.of, standard.standard, standard.words);
        paragraph(out, plain, &text, 2, 2)?;
        paragraph(out, plain, &standard.note, 4, 0)?;
        paragraph(out, ASIDE, &cited(&standard.sources), 4, 2)?;
    }
    writeln!(out)?;
    heading(out, "Parameters")?;
    for setting in guidance.settings() {
        paragraph(out, plain, &format!("{} = {}", setting.parameter, setting.value), 2, 2)?;
        paragraph(out, plain, &setting.note, 4, 0)?;
        paragraph(out, ASIDE, &cited(&setting.sources), 4, 2)?;
    }
    writeln!(out)?;
    heading(out, "Criteria")
}

/// Presumptions, overrides and annotations.
fn rules(guidance: &Guidance, out: &mut dyn Write) -> io::Result<()> {
    let plain = Style::new();
    heading(out, "Presumptions")?;
    for presumption in guidance.presumptions() {
        let (parameter, value) = &presumption.when;
        let has = guidance.setting(parameter) == Some(value.as_str());
        let facts: Vec<String> =
            presumption.facts.iter().map(|(fact, word)| format!(", {fact} is {word}")).collect();
        let condition = format!(
            "{} is presumed met where it is undetermined, {} is met{} ({})",
            presumption.leaf,
            presumption.requires,
            facts.concat(),
            if has { "in this profile" } else { "not in this profile" }
        );
        paragraph(out, plain, &condition, 2, 2)?;
        paragraph(out, plain, &presumption.why, 4, 0)?;
        paragraph(out, ASIDE, &cited(&presumption.sources), 4, 2)?;
    }
    writeln!(out)?;
    heading(out, "Facts that settle a criterion")?;
    for settled in guidance.overrides() {
        let (fact, word) = &settled.fact;
        let text = format!("{fact} {word}: {} is {}", settled.criterion, settled.value.words());
        paragraph(out, plain, &text, 2, 2)?;
        paragraph(out, plain, &settled.why, 4, 0)?;
        paragraph(out, ASIDE, &cited(&settled.sources), 4, 2)?;
    }
    writeln!(out)?;
    heading(out, "Recorded beside the tree")?;
    for annotation in guidance.annotations() {
        paragraph(out, NAME, &format!("{}  {}", annotation.id, annotation.title), 2, 2)?;
        paragraph(out, plain, &annotation.question, 4, 0)?;
        paragraph(out, plain, &annotation.why, 4, 0)?;
        list(out, "Words", &annotation.words, 4)?;
        list(out, "Facts", &annotation.facts, 4)?;
        list(out, "For", &annotation.supports, 4)?;
        list(out, "Against", &annotation.undermines, 4)?;
        paragraph(out, ASIDE, &cited(&annotation.sources), 4, 2)?;
    }
    Ok(())
}

fn list(out: &mut dyn Write, name: &str, words: &[String], indent: usize) -> io::Result<()> {
    if words.is_empty() {
        return Ok(());
    }
    paragraph(out, Style::new(), &format!("{name}: {}", words.join("; ")), indent, 2)
}

/// Writes criteria one under the other, each once.
struct Tree<'a> {
    guidance: &'a Guidance,
    seen: BTreeSet<String>,
    out: &'a mut dyn Write,
}

impl Tree<'_> {
    fn criterion(&mut self, criterion: &Criterion, depth: usize, before: &str) -> io::Result<()> {
        let indent = depth * 2;
        let title = format!("{before}{}  {}", criterion.id, criterion.title);
        if !self.seen.insert(criterion.id.clone()) {
            paragraph(self.out, NAME, &format!("{title} (shown above)"), indent, 2)?;
            return writeln!(self.out);
        }
        paragraph(self.out, NAME, &title, indent, 2)?;
        let (indent, plain) = (indent + 4, Style::new());
        paragraph(self.out, plain, &criterion.question, indent, 0)?;
        list(self.out, "Facts", &criterion.facts, indent)?;
        list(self.out, "For", &criterion.supports, indent)?;
        list(self.out, "Against", &criterion.undermines, indent)?;
        let sources = format!("{} ({})", cited(&criterion.sources), criterion.seed.join(" "));
        paragraph(self.out, ASIDE, &sources, indent, 2)?;
        let guidance = self.guidance;
        for reading in guidance.readings().iter().filter(|r| r.criterion == criterion.id) {
            let text = format!("In {}: {}", guidance.profile(), reading.text);
            paragraph(self.out, plain, &text, indent, 2)?;
            paragraph(self.out, ASIDE, &cited(&reading.sources), indent + 2, 2)?;
        }
        let Kind::Node(join) = &criterion.kind else { return writeln!(self.out) };
        paragraph(self.out, plain, &format!("Met by {join}"), indent, 2)?;
        writeln!(self.out)?;
        self.members(join, depth + 1)
    }

    fn members(&mut self, join: &Join, depth: usize) -> io::Result<()> {
        for member in &join.members {
            match &member.target {
                Target::Group(group) => self.members(group, depth)?,
                Target::Criterion(id) => {
                    if let Some(criterion) = self.guidance.criterion(id) {
                        let unused = member.when.as_ref().is_some_and(|(parameter, value)| {
                            self.guidance.setting(parameter) != Some(value.as_str())
                        });
                        let before = match (unused, member.negated) {
                            (true, _) => "(not in this profile) ",
                            (false, true) => "NOT ",
                            (false, false) => "",
                        };
                        self.criterion(criterion, depth, before)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn sources_json(sources: &[Source]) -> serde_json::Value {
    let read = |source: &Source| source.checked == ::guidance::Checked::Read;
    sources
        .iter()
        .map(|s| json!({"cite": s.cite, "pinpoint": s.pinpoint, "verified": read(s)}))
        .collect()
}

fn as_json(guidance: &Guidance) -> serde_json::Value {
    let criterion = |c: &Criterion| {
        let formula = match &c.kind {
            Kind::Leaf => None,
            Kind::Node(join) => Some(join.to_string()),
        };
        json!({
            "id": c.id, "title": c.title, "question": c.question, "facts": c.facts,
            "supports": c.supports, "undermines": c.undermines, "seed": c.seed,
            "formula": formula, "sources": sources_json(&c.sources),
        })
    };
    json!({
        "profile": guidance.profile(),
        "title": guidance.title(),
        "hash": guidance.hash(),
        "criteria_hash": guidance.criteria_hash(),
        "valid_from": guidance.valid_from(),
        "valid_to": guidance.valid_to(),
        "sources": sources_json(guidance.sources()),
        "standards": guidance.standards().iter().map(|s| json!({
            "of": s.of, "standard": s.standard, "words": s.words, "note": s.note,
            "sources": sources_json(&s.sources),
        })).collect::<Vec<_>>(),
        "parameters": guidance.settings().iter().map(|s| json!({
            "id": s.parameter, "value": s.value, "note": s.note,
            "sources": sources_json(&s.sources),
        })).collect::<Vec<_>>(),
        "criteria": guidance.criteria().iter().map(criterion).collect::<Vec<_>>(),
        "annotations": guidance.annotations().iter().map(|a| json!({
            "id": a.id, "title": a.title, "question": a.question, "why": a.why,
            "words": a.words, "seed": a.seed, "sources": sources_json(&a.sources),
        })).collect::<Vec<_>>(),
        "readings": guidance.readings().iter().map(|r| json!({
            "criterion": r.criterion, "text": r.text, "sources": sources_json(&r.sources),
        })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Arguments, run};

    fn printed(version: &str, criterion: Option<&str>, json: bool) -> String {
        let arguments =
            Arguments { version: version.into(), criterion: criterion.map(Into::into), json };
        let mut out = Vec::new();
        run(&arguments, None, &mut out).unwrap();
        String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap()
    }

    #[test]
    fn every_criterion_is_shown_with_question_and_source_within_80_columns() {
        for profile in ["UNHCR", "EU", "UK_post2022", "ECHR"] {
            let text = printed(profile, None, false);
            for id in ["INC ", "C1.1.a ", "C2.4 ", "CP.2 ", "C1.2.d ", "G.ACT "] {
                assert!(text.contains(id), "{profile} {id}");
            }
            assert!(text.contains("[not verified]"));
            let wide = text.lines().find(|line| line.chars().count() > 80);
            assert!(wide.is_none_or(|line| line.contains("sha256:")), "{wide:?}");
        }
    }

    #[test]
    fn what_a_profile_does_not_use_is_marked() {
        assert!(printed("US", Some("C2"), false).contains("(not in this profile) C2.5"));
        assert!(!printed("EU", Some("C2"), false).contains("(not in this profile) C2.5"));
    }

    #[test]
    fn an_unknown_criterion_is_refused() {
        let arguments =
            Arguments { version: "EU".into(), criterion: Some("C9".into()), json: false };
        let error = run(&arguments, None, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "EU has no criterion `C9`");
    }

    #[test]
    fn json_holds_every_criterion() {
        let shown: serde_json::Value = serde_json::from_str(&printed("EU", None, true)).unwrap();
        assert_eq!(shown["criteria"].as_array().unwrap().len(), 55);
    }
}
