//! `tebessa register`: the authority's register, and the claims of a person.

use case::PersonId;
use case::register::{Merge, State};
use case::vocabulary::{PersonMatch, Role};
use clap::Subcommand;
use service::client::Client;
use service::queries::{PersonQuery, PersonReply, RegisterQuery, RegisterReply};

use crate::address::Address;
use crate::ask::ask;
use crate::output::{ASIDE, CliError, Exit, NAME, Output, Screen, words};

const HELP: &str = "\
The register has a stream of its own. Its id stands in the first line: commands such as
registry.merge-persons are sent with it as their case, and it has a history like a case.

Examples:
  tebessa register show
  id=$(tebessa register show --json | jq -r .register)
  tebessa case history \"$id\" --open";

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    Show(ShowArgs),
    Person(PersonArgs),
}

/// Show the register: persons that were linked or merged, guidance, officers.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct ShowArgs {
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    address: Address,
}

/// Show the claims of a person, through all merges that hold.
#[derive(Debug, clap::Args)]
pub(crate) struct PersonArgs {
    /// The person, by any of the ids that mean them.
    #[arg(value_name = "ID")]
    person: PersonId,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    address: Address,
}

/// Runs a command.
pub(crate) async fn run(command: Commands) -> Result<Exit, CliError> {
    match command {
        Commands::Show(args) => show(args).await,
        Commands::Person(args) => person(args).await,
    }
}

async fn show(args: ShowArgs) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let reply = whole(&client).await?;
    if args.json {
        return as_json(&reply);
    }
    let mut screen = Screen::stdout();
    let version = reply.version;
    screen.line(&format!(
        "{NAME}Register {}{NAME:#}  {ASIDE}version {version}{ASIDE:#}",
        reply.register
    ))?;
    persons(&reply.state, &mut screen)?;
    if !reply.state.guidance.is_empty() {
        screen.line("\nGuidance")?;
    }
    for one in &reply.state.guidance {
        let until = one.retired_from.as_ref().map(|day| format!(" to {day}")).unwrap_or_default();
        let about = format!("from {}{until}, version {}", one.effective_from, one.version);
        screen.line(&format!("  {:<12}  {ASIDE}{about}{ASIDE:#}", one.profile.as_str()))?;
        screen.indented(4, one.guidance.as_str())?;
    }
    if !reply.state.officers.is_empty() {
        screen.line("\nOfficers")?;
    }
    for (id, officer) in &reply.state.officers {
        let roles: Vec<_> = officer.roles.iter().copied().map(Role::as_str).collect();
        let retired = officer.retired.map(|version| format!("; retired at version {version}"));
        let line = format!("{}{}", words(&roles.join(", ")), retired.unwrap_or_default());
        screen.labelled(2, 20, &format!("{id} "), &line)?;
    }
    screen.flush()?;
    Ok(Exit::Done)
}

/// The whole register, page by page.
async fn whole(client: &Client) -> Result<RegisterReply, CliError> {
    let mut whole: RegisterReply = ask(client, "register", &RegisterQuery::default()).await?;
    while whole.next.is_some() {
        let page: RegisterReply =
            ask(client, "register", &RegisterQuery { after: whole.next }).await?;
        whole.state.join(page.state);
        whole.version = page.version;
        whole.next = page.next;
    }
    Ok(whole)
}

fn persons(state: &State, screen: &mut Screen) -> Result<(), CliError> {
    if !state.links.is_empty() || !state.merges.is_empty() {
        screen.line("\nPersons")?;
    }
    for link in &state.links {
        let held = match link.result {
            PersonMatch::Possible => "possibly one",
            PersonMatch::Distinct => "found to be two",
        };
        screen
            .line(&format!("  {}  {ASIDE}{held}, version {}{ASIDE:#}", link.one, link.version))?;
        screen.line(&format!("    {}", link.other))?;
    }
    state.merges.iter().try_for_each(|merge| merged(merge, screen))
}

fn merged(merge: &Merge, screen: &mut Screen) -> Result<(), CliError> {
    let held = match merge.reversed {
        None => format!("merged, version {}", merge.version),
        Some(version) => format!("merged, version {}; reversed, version {version}", merge.version),
    };
    screen.line(&format!("  {}  {ASIDE}{held}{ASIDE:#}", merge.from))?;
    screen.line(&format!("    into {}", merge.into))?;
    screen.line(&format!("    {ASIDE}merge {}{ASIDE:#}", merge.merge))
}

async fn person(args: PersonArgs) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let reply: PersonReply = ask(&client, "person", &PersonQuery { person: args.person }).await?;
    if args.json {
        return as_json(&reply);
    }
    let mut screen = Screen::stdout();
    screen.line(&format!("{NAME}Person {}{NAME:#}", reply.person))?;
    for id in reply.ids.iter().skip(1) {
        screen.line(&format!("  also  {id}"))?;
    }
    if reply.claims.is_empty() {
        screen.line("  no claim refers to this person")?;
    }
    for claim in &reply.claims {
        let outcome = claim.outcome.map(|outcome| format!(": {outcome}")).unwrap_or_default();
        let about = format!("{}, {}{outcome}", claim.profile, words(claim.status.as_str()));
        screen.line(&format!("  claim {}  {ASIDE}{about}{ASIDE:#}", claim.case))?;
    }
    screen.flush()?;
    Ok(Exit::Done)
}

fn as_json(reply: &impl serde::Serialize) -> Result<Exit, CliError> {
    let mut out = Output::stdout();
    out.json(reply)?;
    out.flush()?;
    Ok(Exit::Done)
}
