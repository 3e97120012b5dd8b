//! `tebessa guidance show`: the tree of a profile with questions and sources.

use std::collections::BTreeSet;
use std::path::Path;

use ::guidance::{Criterion, Guidance, Join, Kind, Source, Target};
use anstyle::Style;
use serde_json::json;

use super::version::with_version;
use crate::law;
use crate::output::{ASIDE, CliError, Exit, NAME, Output, Screen};

/// The arguments of `tebessa guidance show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
    args: &Args,
    directory: Option<&Path>,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let library = law::library(directory)?;
    with_version(&library, &args.version, |guidance| {
        let wanted = args.criterion.as_deref();
        let top = match wanted {
            None => guidance.roots().collect(),
            Some(id) => vec![guidance.criterion(id).ok_or_else(|| {
                CliError::message(format!("{} has no criterion `{id}`", guidance.profile()))
            })?],
        };
        if args.json {
            let mut out = Output::stdout();
            out.json(&as_json(guidance))?;
            return out.flush();
        }
        if wanted.is_none() {
            profile(guidance, screen)?;
        }
        let mut tree = Tree { guidance, seen: BTreeSet::new(), screen };
        for criterion in top {
            tree.criterion(criterion, 0, "")?;
        }
        if wanted.is_none() {
            rules(guidance, screen)?;
        }
        screen.flush()
    })??;
    Ok(Exit::Done)
}

fn heading(screen: &mut Screen, text: &str) -> Result<(), CliError> {
    screen.line(&format!("{NAME}{text}{NAME:#}\n"))
}

fn cited(sources: &[Source]) -> String {
    let cited: Vec<String> = sources.iter().map(Source::to_string).collect();
    format!("[{}]", cited.join("; "))
}

/// What the profile is, its standards of proof and its parameters.
fn profile(guidance: &Guidance, screen: &mut Screen) -> Result<(), CliError> {
    let plain = Style::new();
    screen.paragraph(NAME, &format!("{}: {}", guidance.profile(), guidance.title()), 0, 2)?;
    let end = guidance.valid_to().map_or_else(String::new, |end| format!(" to {end}"));
    screen.paragraph(plain, &format!("in force from {}{end}", guidance.valid_from()), 0, 2)?;
    screen.paragraph(plain, &guidance.hash().to_string(), 0, 2)?;
    screen.paragraph(plain, &format!("criteria {}", guidance.criteria_hash()), 0, 2)?;
    screen.paragraph(ASIDE, &cited(guidance.sources()), 0, 2)?;
    screen.line("")?;
    heading(screen, "Standards of proof")?;
    for standard in guidance.standards() {
        let text = format!("{}: {} ({})", standard.of, standard.standard, standard.words);
        screen.paragraph(plain, &text, 2, 2)?;
        screen.paragraph(plain, &standard.note, 4, 0)?;
        screen.paragraph(ASIDE, &cited(&standard.sources), 4, 2)?;
    }
    screen.line("")?;
    heading(screen, "Parameters")?;
    for setting in guidance.settings() {
        screen.paragraph(plain, &format!("{} = {}", setting.parameter, setting.value), 2, 2)?;
        screen.paragraph(plain, &setting.note, 4, 0)?;
        screen.paragraph(ASIDE, &cited(&setting.sources), 4, 2)?;
    }
    screen.line("")?;
    heading(screen, "Criteria")
}

/// Presumptions, overrides and annotations.
fn rules(guidance: &Guidance, screen: &mut Screen) -> Result<(), CliError> {
    let plain = Style::new();
    heading(screen, "Presumptions")?;
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
        screen.paragraph(plain, &condition, 2, 2)?;
        screen.paragraph(plain, &presumption.why, 4, 0)?;
        screen.paragraph(ASIDE, &cited(&presumption.sources), 4, 2)?;
    }
    screen.line("")?;
    heading(screen, "Facts that settle a criterion")?;
    for settled in guidance.overrides() {
        let (fact, word) = &settled.fact;
        let text = format!("{fact} {word}: {} is {}", settled.criterion, settled.value.words());
        screen.paragraph(plain, &text, 2, 2)?;
        screen.paragraph(plain, &settled.why, 4, 0)?;
        screen.paragraph(ASIDE, &cited(&settled.sources), 4, 2)?;
    }
    screen.line("")?;
    heading(screen, "Recorded beside the tree")?;
    for annotation in guidance.annotations() {
        screen.paragraph(NAME, &format!("{}  {}", annotation.id, annotation.title), 2, 2)?;
        screen.paragraph(plain, &annotation.question, 4, 0)?;
        screen.paragraph(plain, &annotation.why, 4, 0)?;
        list(screen, "Words", &annotation.words, 4)?;
        list(screen, "Facts", &annotation.facts, 4)?;
        list(screen, "For", &annotation.supports, 4)?;
        list(screen, "Against", &annotation.undermines, 4)?;
        screen.paragraph(ASIDE, &cited(&annotation.sources), 4, 2)?;
    }
    Ok(())
}

fn list(screen: &mut Screen, name: &str, words: &[String], indent: usize) -> Result<(), CliError> {
    if words.is_empty() {
        return Ok(());
    }
    screen.paragraph(Style::new(), &format!("{name}: {}", words.join("; ")), indent, 2)
}

/// Writes criteria one under the other, each once.
struct Tree<'a> {
    guidance: &'a Guidance,
    seen: BTreeSet<String>,
    screen: &'a mut Screen,
}

impl Tree<'_> {
    fn criterion(
        &mut self,
        criterion: &Criterion,
        depth: usize,
        before: &str,
    ) -> Result<(), CliError> {
        let indent = depth * 2;
        let title = format!("{before}{}  {}", criterion.id, criterion.title);
        if !self.seen.insert(criterion.id.clone()) {
            self.screen.paragraph(NAME, &format!("{title} (shown above)"), indent, 2)?;
            return self.screen.line("");
        }
        self.screen.paragraph(NAME, &title, indent, 2)?;
        let (indent, plain) = (indent + 4, Style::new());
        self.screen.paragraph(plain, &criterion.question, indent, 0)?;
        list(self.screen, "Facts", &criterion.facts, indent)?;
        list(self.screen, "For", &criterion.supports, indent)?;
        list(self.screen, "Against", &criterion.undermines, indent)?;
        let sources = format!("{} ({})", cited(&criterion.sources), criterion.seed.join(" "));
        self.screen.paragraph(ASIDE, &sources, indent, 2)?;
        let guidance = self.guidance;
        for reading in guidance.readings().iter().filter(|r| r.criterion == criterion.id) {
            let text = format!("In {}: {}", guidance.profile(), reading.text);
            self.screen.paragraph(plain, &text, indent, 2)?;
            self.screen.paragraph(ASIDE, &cited(&reading.sources), indent + 2, 2)?;
        }
        let Kind::Node(join) = &criterion.kind else { return self.screen.line("") };
        self.screen.paragraph(plain, &format!("Met by {join}"), indent, 2)?;
        self.screen.line("")?;
        self.members(join, depth + 1)
    }

    fn members(&mut self, join: &Join, depth: usize) -> Result<(), CliError> {
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
    use super::*;

    fn shown(version: &str, criterion: Option<&str>) -> Result<String, CliError> {
        let criterion = criterion.map(Into::into);
        let args = Args { version: version.into(), criterion, json: false };
        let (mut screen, shown) = Screen::for_test(80);
        run(&args, None, &mut screen)?;
        Ok(shown.text())
    }

    #[test]
    fn every_criterion_is_shown_with_question_and_source_within_80_columns() {
        for profile in ["UNHCR", "EU", "UK_post2022", "ECHR"] {
            let text = shown(profile, None).unwrap();
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
        assert!(shown("US", Some("C2")).unwrap().contains("(not in this profile) C2.5"));
        assert!(!shown("EU", Some("C2")).unwrap().contains("(not in this profile) C2.5"));
    }

    #[test]
    fn an_unknown_criterion_is_refused() {
        let error = shown("EU", Some("C9")).unwrap_err();
        assert_eq!(error.to_string(), "EU has no criterion `C9`");
    }

    #[test]
    fn json_holds_every_criterion() {
        let library = law::library(None).unwrap();
        let shown = with_version(&library, "EU", as_json).unwrap();
        assert_eq!(shown["criteria"].as_array().unwrap().len(), 55);
    }
}
