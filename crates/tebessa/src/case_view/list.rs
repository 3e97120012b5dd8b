//! `tebessa case list`: which cases there are, the oldest first.

use case::token::ProfileName;
use case::vocabulary::Status;
use service::queries::{ListQuery, ListReply, ListedCase};

use crate::address::Address;
use crate::output::{CliError, Exit};

/// List cases, the one that was recorded first before the others.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    address: Address,
    /// Only cases of this status; may stand several times.
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Vec<Status>,
    /// Only cases of this profile.
    #[arg(long, value_name = "NAME")]
    profile: Option<ProfileName>,
    /// Only cases registered at least so many days ago.
    #[arg(long, value_name = "DAYS")]
    min_age_days: Option<i64>,
    /// Only cases registered at most so many days ago.
    #[arg(long, value_name = "DAYS")]
    max_age_days: Option<i64>,
    /// Go on behind the page that gave this cursor.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<u64>,
    /// At most so many cases a page, 1 to 1,000.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: u32,
    /// All pages.
    #[arg(long)]
    all: bool,
    /// One case a line as JSON.
    #[arg(long)]
    json: bool,
}

fn status(text: &str) -> Result<Status, String> {
    Status::ALL.iter().copied().find(|status| status.as_str() == text).ok_or_else(|| {
        let names: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
        format!("one of {}", names.join(", "))
    })
}

/// Lists a page, or all of them.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let mut query = ListQuery {
        status: args.status,
        profile: args.profile,
        min_age_days: args.min_age_days,
        max_age_days: args.max_age_days,
        cursor: args.cursor,
        limit: Some(args.limit),
    };
    let mut shown = 0_u64;
    loop {
        let body = serde_json::to_vec(&query).map_err(CliError::other)?;
        let reply = client.query("list", body).await.map_err(CliError::other)?;
        let page: ListReply = serde_json::from_slice(&reply).map_err(CliError::other)?;
        for listed in &page.cases {
            if args.json {
                let line = serde_json::to_string(listed).map_err(CliError::other)?;
                crate::output::line(&line)?;
                continue;
            }
            if shown == 0 {
                crate::output::line(&heading())?;
            }
            shown += 1;
            crate::output::line(&row(listed))?;
        }
        match page.next {
            Some(next) if args.all => query.cursor = Some(next),
            Some(next) if !args.json => {
                crate::output::line(&format!("more: --cursor {next}, or --all"))?;
                return Ok(Exit::Done);
            }
            Some(_) => return Ok(Exit::Done),
            None => break,
        }
    }
    if shown == 0 && !args.json {
        crate::output::line("no cases")?;
    }
    Ok(Exit::Done)
}

fn heading() -> String {
    format!("{:<36} {:<17} {:<11} {:>6}", "CASE", "STATUS", "PROFILE", "DAYS")
}

fn row(listed: &ListedCase) -> String {
    let summary = &listed.summary;
    format!(
        "{:<36} {:<17} {:<11} {:>6}",
        summary.case.to_string(),
        summary.status.as_str(),
        summary.profile.as_str(),
        listed.age_days
    )
}
