//! `tebessa guidance list`: the profiles, their versions and hashes.

use std::path::Path;

use ::guidance::{Guidance, Library};
use anstyle::Style;

use crate::law;
use crate::output::{ASIDE, CliError, Exit, Output, Screen, Table};

/// So much of a hash is shown in the table: enough to name it.
const SHOWN_HASH: usize = "sha256:".len() + 12;

/// The arguments of `tebessa guidance list`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    args: &Args,
    directory: Option<&Path>,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let library = law::library(directory)?;
    if args.json {
        let mut out = Output::stdout();
        library.all().try_for_each(|guidance| out.json(&as_json(guidance)))?;
        out.flush()?;
    } else {
        list(&library, screen)?;
        screen.flush()?;
    }
    Ok(Exit::Done)
}

fn as_json(guidance: &Guidance) -> serde_json::Value {
    serde_json::json!({
        "profile": guidance.profile(),
        "title": guidance.title(),
        "valid_from": guidance.valid_from(),
        "valid_to": guidance.valid_to(),
        "hash": guidance.hash(),
        "criteria": guidance.criteria_hash(),
    })
}

fn list(library: &Library, screen: &mut Screen) -> Result<(), CliError> {
    let plain = Style::new();
    let mut table = Table::new(screen.width, &["profile", "in force", "hash", "title"], true);
    for guidance in library.all() {
        let end = guidance.valid_to().map_or_else(String::new, |end| format!(" to {end}"));
        let hash = guidance.hash().to_string().chars().take(SHOWN_HASH).collect();
        table.row(&[
            (guidance.profile().to_owned(), plain),
            (format!("from {}{end}", guidance.valid_from()), plain),
            (hash, plain),
            (guidance.title().to_owned(), plain),
        ]);
    }
    table.show(screen)?;
    screen.line("")?;
    screen.paragraph(ASIDE, "tebessa guidance show PROFILE: the tree; --json: whole hashes", 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_listed_within_80_columns() {
        let (mut screen, shown) = Screen::for_test(80);
        list(&law::library(None).unwrap(), &mut screen).unwrap();
        let text = shown.text();
        for profile in ["UNHCR", "EU", "UK_pre2022", "UK_post2022", "ECHR"] {
            assert!(text.lines().any(|line| line.starts_with(profile)), "{profile}\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn json_gives_one_object_a_version_with_its_whole_hash() {
        let library = law::library(None).unwrap();
        let objects: Vec<serde_json::Value> = library.all().map(as_json).collect();
        assert_eq!(objects.len(), 14);
        assert!(objects.iter().all(|object| object["hash"].as_str().unwrap().len() == 71));
    }
}
