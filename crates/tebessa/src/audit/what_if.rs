//! `tebessa audit what-if`: which outcomes would turn under other guidance or other findings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ::guidance::Value;
use case::CaseId;
use case::replay::Shelf;
use case::token::{Criterion, ProfileName};
use case::what_if::{Supposed, Supposition};
use jiff::civil::Date;
use journal::Reader;
use service::audit::{
    Question, WhatIf, WhatIfEntry, check_leaf, check_outcome, check_profile, what_if,
};

use super::known::Source;
use super::signed_report;
use crate::arguments::day;
use crate::files::OutFile;
use crate::law;
use crate::output::{ASIDE, BAD, Bar, CliError, Exit, GOOD, NAME, Output, Screen, count, words};

const HELP: &str = "\
The latest assessment of each case is derived again with what is supposed on top of what was recorded:
the guidance in force in --under (or the built-in one) for --profile and --as-of, and findings by
--set. What is not supposed stays as it was. Named is the criterion that turns an outcome: from the
first root that comes out otherwise down to the deepest one whose own members explain no more.

Nothing is written. The report names its inputs with their hashes; the same inputs give the same
bytes. It is a question, not a decision: onus and review are people's and are not supposed.

Exit codes: 0 asked, whether or not something turns; 1 no such case, or the log cannot be read.

Examples:
  tebessa audit what-if --only refused --as-of 2024-09-01
  tebessa audit what-if --set C2.4=M --only refused --sign report.signed
  tebessa audit what-if --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11 \\
      --profile UNHCR";

/// Derive assessments again under other guidance or findings; show what would turn.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Only this case.
    #[arg(long, value_name = "CASE")]
    case: Option<CaseId>,
    /// Only cases with this outcome: the one that stands, else the one proposed.
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    only: Option<String>,
    /// Suppose the guidance files of this directory in place of the built-in ones.
    #[arg(long, value_name = "DIR")]
    under: Option<PathBuf>,
    /// Suppose this profile.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<ProfileName>,
    /// Suppose the guidance in force on this day.
    #[arg(long, value_name = "DAY", value_parser = day)]
    as_of: Option<Date>,
    /// Suppose this finding; may be given several times.
    #[arg(long, value_name = "LEAF=M|N|U", value_parser = finding)]
    set: Vec<(Criterion, Value)>,
    /// Also write the report, signed with the node's key, to this file, which must not be there.
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn finding(text: &str) -> Result<(Criterion, Value), String> {
    let form = || "expected a leaf and M, N or U, such as C2.4=M".to_owned();
    let (leaf, value) = text.split_once('=').ok_or_else(form)?;
    Ok((leaf.parse().map_err(|_| form())?, value.parse().map_err(|_| form())?))
}

/// An outcome of a decision, or one that is only proposed.
fn outcome(text: &str) -> Result<String, String> {
    check_outcome(text).map(|()| text.to_owned()).map_err(|bad| bad.to_string())
}

/// Asks.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    tokio::task::spawn_blocking(move || ask(&args)).await.map_err(CliError::other)?
}

fn ask(args: &Args) -> Result<Exit, CliError> {
    let directory = args.source.journal()?;
    let libraries = args.source.libraries()?;
    let supposed = law::library(args.under.as_deref())?;
    let mut set: BTreeMap<Criterion, Value> = BTreeMap::new();
    for (leaf, value) in &args.set {
        if set.insert(leaf.clone(), *value).is_some() {
            return Err(CliError::usage(format!("--set {leaf} is given twice; suppose one value")));
        }
    }
    set.keys().try_for_each(|leaf| check_leaf(&supposed, leaf)).map_err(CliError::other)?;
    if let Some(profile) = &args.profile {
        check_profile(&supposed, profile).map_err(CliError::other)?;
    }
    let other_law = args.under.is_some() || args.profile.is_some() || args.as_of.is_some();
    let question = Question {
        case: args.case,
        only: args.only.clone(),
        known: Shelf(&libraries),
        supposition: Supposition {
            law: other_law.then_some(&supposed),
            profile: args.profile.clone(),
            as_of: args.as_of,
            set,
        },
    };
    let out = args.sign.as_ref().map(|file| OutFile::begin_new(file, &args.source.data));
    let out = out.transpose()?;
    let records = Reader::open(&directory).map_err(CliError::other)?.last().0;
    let mut bar = Bar::new("Asking");
    let mut told = |done| bar.show(done, records, "records");
    let report = what_if(&directory, records, &question, &mut told).map_err(CliError::other)?;
    drop(bar);
    if let Some(out) = out {
        let text = serde_json::to_string(&report).map_err(CliError::other)?;
        signed_report::write(out, &text, &args.source.data)?;
    }
    if args.json {
        let mut out = Output::stdout();
        out.json(&report)?;
        out.flush()?;
    } else {
        show(&report, &mut Screen::stdout())?;
    }
    Ok(Exit::Done)
}

fn show(report: &WhatIf, screen: &mut Screen) -> Result<(), CliError> {
    for cause in &report.causes {
        let title = if cause.by.title.is_empty() {
            String::new()
        } else {
            format!(" ({})", cause.by.title)
        };
        screen.line(&format!(
            "{NAME}{}: {} -> {}{NAME:#}",
            count(cause.cases, "case", "cases"),
            words(&cause.recorded),
            words(&cause.supposed),
        ))?;
        let (before, after) = (&cause.by.recorded, &cause.by.supposed);
        let text = format!("{}{title}: {before} -> {after}", cause.by.node);
        screen.labelled(2, 4, "by", &text)?;
        for entry in &report.entries {
            if let Supposed::Turned { outcome, by } = &entry.answer.supposed
                && *by == cause.by
                && outcome.to_string() == cause.supposed
                && entry.answer.recorded.to_string() == cause.recorded
            {
                show_entry(entry, screen)?;
            }
        }
        screen.line("")?;
    }
    for entry in &report.entries {
        if let Supposed::NotDerived { why } = &entry.answer.supposed {
            screen.line(&format!("{BAD}not derived{BAD:#}  {}", entry.case))?;
            screen.labelled(2, 4, "", why)?;
        }
    }
    let lead = if report.not_derived == 0 { GOOD } else { BAD };
    screen.line(&format!(
        "{lead}{} of {} would turn{lead:#}, {} the same, {} not derived",
        report.turned,
        count(report.assessed, "assessed case", "assessed cases"),
        report.same,
        report.not_derived,
    ))?;
    let inputs = &report.inputs;
    let (records, engine) = (count(inputs.records, "record", "records"), &inputs.engine);
    let root = inputs.root.get(..16).unwrap_or_default();
    screen.line(&format!("{ASIDE}{records}, root {root}…; engine {engine}{ASIDE:#}"))?;
    screen.flush()
}

fn show_entry(entry: &WhatIfEntry, screen: &mut Screen) -> Result<(), CliError> {
    screen.line(&format!("  {}", entry.case))?;
    let decided = entry.answer.decided.map_or_else(
        || "not decided".to_owned(),
        |outcome| format!("stands: {}", words(outcome.as_str())),
    );
    let answer = &entry.answer;
    let text = format!("{}, assessed by version {}, {decided}", answer.profile, answer.version);
    screen.labelled(2, 4, "", &text)
}
