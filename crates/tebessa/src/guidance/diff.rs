//! `tebessa guidance diff`: what differs between two versions, by criterion and parameter.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::{Failure, files, json_line, text};
use ::guidance::Difference;

/// The arguments of `tebessa guidance diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The first version: a profile (EU), a profile at a date (EU@2020-11-19), a hash or a file
    before: String,
    /// The second version, named in the same way
    after: String,
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
    let differences = files::with_version(&library, &arguments.before, |before| {
        files::with_version(&library, &arguments.after, |after| ::guidance::compare(before, after))
    })??;
    if arguments.json {
        for difference in &differences {
            json_line(
                out,
                &serde_json::json!({
                    "subject": difference.subject,
                    "field": difference.field,
                    "before": difference.before,
                    "after": difference.after,
                }),
            )?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    write(&differences, out)?;
    Ok(ExitCode::SUCCESS)
}

fn write(differences: &[Difference], out: &mut dyn Write) -> std::io::Result<()> {
    let mut subject = "";
    for difference in differences {
        if difference.subject != subject {
            subject = &difference.subject;
            let name = text::NAME;
            writeln!(out, "{name}{subject}{name:#}")?;
        }
        writeln!(out, "  {}", difference.field)?;
        if let Some(before) = &difference.before {
            text::paragraph(out, text::GONE, &format!("- {before}"), 4, 2)?;
        }
        if let Some(after) = &difference.after {
            text::paragraph(out, text::NEW, &format!("+ {after}"), 4, 2)?;
        }
    }
    if differences.is_empty() {
        writeln!(out, "no difference")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Arguments, run};

    fn printed(before: &str, after: &str) -> String {
        let arguments = Arguments { before: before.into(), after: after.into(), json: false };
        let mut out = Vec::new();
        run(&arguments, None, &mut out).unwrap();
        String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap()
    }

    #[test]
    fn a_parameter_that_differs_is_shown_with_both_values() {
        let text = printed("UNHCR", "EU");
        assert!(
            text.contains("parameter nexus_presumed\n  value\n    - no\n    + yes\n"),
            "{text}"
        );
        assert!(!text.contains("criterion "), "both pin the same criteria\n{text}");
    }

    #[test]
    fn a_version_does_not_differ_from_itself() {
        assert_eq!(printed("EU", "EU@2020-11-19"), "no difference\n");
    }
}
