//! `tebessa case find`: cases by the number of another body, or by their thread.

use case::CorrelationId;
use case::token::Reference;
use service::queries::{SearchQuery, SearchReply};

use crate::address::Address;
use crate::ask::ask;
use crate::output::{
    ASIDE, CliError, Exit, Output, Screen, Table, count, note, of_outcome, of_status,
};

const HELP: &str = "\
A number is found letter by letter, as it was recorded.

Examples:
  tebessa case find --reference EA/01234/2024
  tebessa case find --correlation 3f0c9a52-6d0e-4c8e-9a54-2f1d7f4c1b11 --json";

/// Find cases by the number under which a tribunal or another authority keeps them.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
#[group(required = true, multiple = false, args = ["reference", "correlation"])]
pub(crate) struct Args {
    /// The number.
    #[arg(long, value_name = "NUMBER")]
    reference: Option<Reference>,
    /// The thread through several cases and authorities, from intake to tribunal.
    #[arg(long, value_name = "UUID")]
    correlation: Option<CorrelationId>,
    /// One line of JSON a case.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    address: Address,
}

/// Shows what is found.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let query = SearchQuery { reference: args.reference, correlation: args.correlation };
    let reply: SearchReply = ask(&client, "search", &query).await?;
    if args.json {
        let mut out = Output::stdout();
        reply.cases.iter().try_for_each(|summary| out.json(summary))?;
        out.flush()?;
        return Ok(Exit::Done);
    }
    let mut screen = Screen::stdout();
    let mut table = Table::new(screen.width, &["CASE", "PROFILE", "STATUS"], true);
    table.fixed(0, 36);
    for summary in &reply.cases {
        let (status, style) = match summary.outcome {
            Some(outcome) => (format!("{}: {outcome}", summary.status), of_outcome(outcome)),
            None => (summary.status.to_string(), of_status(summary.status)),
        };
        let plain = anstyle::Style::new();
        let row = [(summary.case.to_string(), plain), (summary.profile.to_string(), plain)];
        table.row(&[row.as_slice(), &[(status, style)]].concat());
    }
    if !reply.cases.is_empty() {
        table.show(&mut screen)?;
    }
    screen.flush()?;
    let cases = count(reply.cases.len() as u64, "case", "cases");
    note(&match (reply.cases.is_empty(), reply.more) {
        (true, _) => "no such case".to_owned(),
        (false, false) => format!("{ASIDE}{cases}{ASIDE:#}"),
        (false, true) => format!("{ASIDE}the first {cases}; there are more{ASIDE:#}"),
    });
    Ok(Exit::Done)
}
