//! `tebessa case family`: the claims that are linked with a case, in both directions.

use case::CaseId;
use service::queries::{FamilyLink, FamilyQuery, FamilyReply};

use crate::address::Address;
use crate::ask::ask;
use crate::output::{ASIDE, CliError, Exit, Output, Screen};
use crate::viewing::Viewing;

/// Show the claims that are linked with a case as family, in both directions.
///
/// Each member of a family has a claim of their own, and a link is an event in the case that
/// links. Nobody's exclusion reaches another.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The case.
    #[arg(value_name = "ID")]
    case: CaseId,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    viewing: Viewing,
    #[command(flatten)]
    address: Address,
}

/// Shows the family.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let query = FamilyQuery { case: args.case, viewer: args.viewing.viewer() };
    let family: FamilyReply = ask(&client, "family", &query).await?;
    if args.json {
        let mut out = Output::stdout();
        out.json(&family)?;
        out.flush()?;
        return Ok(Exit::Done);
    }
    let mut screen = Screen::stdout();
    side(&mut screen, "The case links", &family.links)?;
    side(&mut screen, "The case is linked by", &family.linked_by)?;
    screen.flush()?;
    Ok(Exit::Done)
}

fn side(screen: &mut Screen, heading: &str, links: &[FamilyLink]) -> Result<(), CliError> {
    if links.is_empty() {
        return screen.line(&format!("{heading} no claim"));
    }
    screen.line(heading)?;
    for link in links {
        let about = format!("{}, version {}", link.relation, link.version);
        screen.line(&format!("  {}  {ASIDE}{about}{ASIDE:#}", link.case))?;
    }
    Ok(())
}
