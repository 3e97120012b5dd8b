//! `tebessa guidance diff`: what differs between two versions, by criterion and parameter.

use std::path::Path;

use ::guidance::Difference;

use super::version::with_version;
use crate::law;
use crate::output::{BAD, CliError, Exit, GOOD, NAME, Output, Screen};

/// The arguments of `tebessa guidance diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The first version: a profile (EU), a profile at a date (EU@2020-11-19), a hash or a file
    before: String,
    /// The second version, named in the same way
    after: String,
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
    let differences = with_version(&library, &args.before, |before| {
        with_version(&library, &args.after, |after| ::guidance::compare(before, after))
    })??;
    if args.json {
        let mut out = Output::stdout();
        for difference in &differences {
            out.json(&serde_json::json!({
                "subject": difference.subject,
                "field": difference.field,
                "before": difference.before,
                "after": difference.after,
            }))?;
        }
        out.flush()?;
    } else {
        show(&differences, screen)?;
        screen.flush()?;
    }
    Ok(Exit::Done)
}

fn show(differences: &[Difference], screen: &mut Screen) -> Result<(), CliError> {
    let mut subject = "";
    for difference in differences {
        if difference.subject != subject {
            subject = &difference.subject;
            screen.line(&format!("{NAME}{subject}{NAME:#}"))?;
        }
        screen.line(&format!("  {}", difference.field))?;
        if let Some(before) = &difference.before {
            screen.paragraph(BAD, &format!("- {before}"), 4, 2)?;
        }
        if let Some(after) = &difference.after {
            screen.paragraph(GOOD, &format!("+ {after}"), 4, 2)?;
        }
    }
    if differences.is_empty() {
        screen.line("no difference")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> String {
        let args = Args { before: before.into(), after: after.into(), json: false };
        let (mut screen, shown) = Screen::for_test(80);
        run(&args, None, &mut screen).unwrap();
        shown.text()
    }

    #[test]
    fn a_parameter_that_differs_is_shown_with_both_values() {
        let text = shown("UNHCR", "EU");
        assert!(
            text.contains("parameter nexus_presumed\n  value\n    - no\n    + yes\n"),
            "{text}"
        );
        assert!(!text.contains("criterion "), "both pin the same criteria\n{text}");
    }

    #[test]
    fn a_version_does_not_differ_from_itself() {
        assert_eq!(shown("EU@2024-02-13", "EU@2020-11-19"), "no difference\n");
    }
}
