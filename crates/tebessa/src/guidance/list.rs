//! `tebessa guidance list`: the profiles, their versions and hashes.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};

use super::{Failure, files, json_line, text};
use crate::output::plain;

/// So much of a hash is shown in the table: enough to name it.
const SHOWN_HASH: usize = "sha256:".len() + 12;

/// The arguments of `tebessa guidance list`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    arguments: &Arguments,
    directory: Option<&Path>,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let library = files::library(directory)?;
    if arguments.json {
        for guidance in library.all() {
            json_line(
                out,
                &serde_json::json!({
                    "profile": guidance.profile(),
                    "title": guidance.title(),
                    "valid_from": guidance.valid_from(),
                    "valid_to": guidance.valid_to(),
                    "hash": guidance.hash(),
                    "criteria": guidance.criteria_hash(),
                }),
            )?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(80);
    table.set_header(["profile", "in force", "hash", "title"]);
    for guidance in library.all() {
        let end = guidance.valid_to().map_or_else(String::new, |end| format!(" to {end}"));
        let hash: String = guidance.hash().to_string().chars().take(SHOWN_HASH).collect();
        table.add_row([
            guidance.profile().to_owned(),
            format!("from {}{end}", guidance.valid_from()),
            hash,
            plain(guidance.title()),
        ]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    let aside = text::ASIDE;
    writeln!(
        out,
        "\n{aside}tebessa guidance show PROFILE: the tree; --json: whole hashes{aside:#}"
    )?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::{Arguments, run};

    fn printed(json: bool) -> String {
        let mut out = Vec::new();
        run(&Arguments { json }, None, &mut out).unwrap();
        String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap()
    }

    #[test]
    fn every_profile_is_listed_within_80_columns() {
        let text = printed(false);
        for profile in ["UNHCR", "EU", "UK_pre2022", "UK_post2022", "ECHR"] {
            assert!(text.lines().any(|line| line.trim().starts_with(profile)), "{profile}\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn json_gives_one_object_a_line() {
        let lines: Vec<serde_json::Value> =
            printed(true).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 11);
        assert!(lines.iter().all(|line| line["hash"].as_str().unwrap().len() == 71));
    }
}
