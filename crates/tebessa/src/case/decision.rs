//! `tebessa case decision`: a decision on one card.

use std::path::PathBuf;

use case::card::{Card, CriterionLine, Deed, cards};
use case::replay::Shelf;
use case::{CaseId, Recorded, Version};
use service::audit::{Words, card_page};
use service::personal::Opened;

use super::fetch::Pages;
use super::timeline::decode;
use crate::address::Address;
use crate::arguments::from_one;
use crate::output::{CliError, Exit, NAME, Output, Screen, line, words};
use crate::viewing::Viewing;
use crate::{files, law};

const HELP: &str = "\
The card says who decided what and when, on what evidence, criterion by criterion with titles and
sources, which criteria were open, what the review said, whether the decision departs from the
proposal, and what was before the decision-maker. Personal words are shown with --open only.

Examples:
  tebessa case decision 3f0c9a52-6d0e-4c8e-9a54-2f1d7f4c1b11
  tebessa case decision 3f0c9a52-6d0e-4c8e-9a54-2f1d7f4c1b11 --open \\
      --html card.html";

/// Show a decision on one card: who, when, on what, and why.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The case.
    #[arg(value_name = "ID")]
    case: CaseId,
    /// The decision that was issued by this event; the latest where nothing is said.
    #[arg(long, value_name = "VERSION", value_parser = from_one)]
    version: Option<u64>,
    /// Open the personal fields: reasons.
    #[arg(long, conflicts_with = "json")]
    open: bool,
    /// Write the card as a page into this file.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    html: Option<PathBuf>,
    /// The card as one line of JSON.
    #[arg(long)]
    json: bool,
    /// A directory with guidance files beside the built-in ones; may be given several times.
    #[arg(long, value_name = "DIR")]
    guidance: Vec<PathBuf>,
    #[command(flatten)]
    viewing: Viewing,
    #[command(flatten)]
    address: Address,
}

/// Shows the card.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let (mut records, mut said) = (Vec::<Recorded>::new(), Said::new(args.open));
    let mut pages =
        Pages::new(&client, args.case, Version(0), None, args.open).seen_by(args.viewing.viewer());
    while let Some(page) = pages.next().await? {
        for entry in page {
            let record = decode(&entry)?;
            for (path, opened) in entry.opened.into_iter().flatten() {
                said.take((record.envelope.version, path), opened);
            }
            records.push(record);
        }
    }
    let mut libraries = vec![law::library(None)?];
    for directory in &args.guidance {
        libraries.push(law::library(Some(directory))?);
    }
    let card = chosen(cards(&records, Shelf(&libraries)), &args)?;
    if args.json {
        let mut out = Output::stdout();
        out.json(&card)?;
        out.flush()?;
    } else if let Some(file) = &args.html {
        let page = card_page(&card, &said.words, &said.withheld);
        files::write(file, page.as_bytes(), &args.address.data)?;
        line(&format!("{} holds the card; print it from a browser", file.display()))?;
    } else {
        let mut screen = Screen::stdout();
        show(&card, &said, &mut screen)?;
        screen.flush()?;
    }
    Ok(Exit::Done)
}

/// What was opened, and why what could not be opened is withheld.
struct Said {
    open: bool,
    words: Words,
    withheld: Words,
}

impl Said {
    const fn new(open: bool) -> Self {
        Self { open, words: Words::new(), withheld: Words::new() }
    }

    fn take(&mut self, field: (Version, String), opened: Opened) {
        match opened {
            Opened::Words(text) => self.words.insert(field, text),
            Opened::Withheld(why) => self.withheld.insert(field, why),
        };
    }

    /// The words of a field that was asked for, or why there are none.
    fn asked(&self, version: Version, path: &str) -> Option<String> {
        let field = (version, path.to_owned());
        let withheld = || self.withheld.get(&field).map(|why| format!("[{why}]"));
        self.words.get(&field).cloned().or_else(withheld)
    }

    /// As [`Said::asked`]; says how to ask where nobody did.
    fn word(&self, version: Version, path: &str) -> String {
        let not_there = if self.open { "[withheld]" } else { "[withheld; --open shows it]" };
        self.asked(version, path).unwrap_or_else(|| not_there.to_owned())
    }
}

fn chosen(cards: Vec<Card>, args: &Args) -> Result<Card, CliError> {
    let versions: Vec<_> = cards.iter().map(|card| card.decided.version.to_string()).collect();
    let fits = |card: &Card| args.version.is_none_or(|at| card.decided.version == Version(at));
    cards.into_iter().rfind(fits).ok_or_else(|| {
        let there = if versions.is_empty() { "none".to_owned() } else { versions.join(", ") };
        CliError::message(format!(
            "case {} has no such decision; decisions by version: {there}",
            args.case
        ))
    })
}

fn show(card: &Card, said: &Said, screen: &mut Screen) -> Result<(), CliError> {
    let mut row = |label: &str, text: &str| screen.labelled(0, 9, label, text);
    row("case", &card.case.to_string())?;
    row("decision", &words(card.outcome.as_str()))?;
    if !card.grounds.is_empty() {
        row("grounds", &card.grounds.join(", "))?;
    }
    row("proposal", &format!("{}; {}", words(card.proposal), card.follows_in_words()))?;
    row("assessed", &deed(&card.assessed))?;
    row("reviewed", &format!("{}: {}", deed(&card.reviewed), card.review))?;
    row("decided", &deed(&card.decided))?;
    let title = card.title.as_deref().unwrap_or("not known to this program");
    row("guidance", &format!("{}, {title}, as of {}", card.profile, card.as_of))?;
    row("", &card.guidance)?;
    let seen = card.decided.seen.map_or_else(
        || "not recorded".to_owned(),
        |seen| format!("the case up to version {}, leaf {}", seen.version, seen.leaf),
    );
    row("read set", &seen)?;
    if let Some(served) = &card.notified {
        row("served", &format!("{}, appeal until {}", served.served, served.appeal_deadline))?;
    }
    for appeal in &card.appeals {
        row("appeal", &format!("version {}: {}", appeal.filed, appeal.in_words()))?;
    }
    reasons(card, said, screen)?;
    section(screen, "Criterion by criterion")?;
    for line in &card.criteria {
        criterion(line, card, said, screen)?;
    }
    section(screen, "Open, and able to turn the outcome")?;
    screen.indented(2, &listed(&card.open))?;
    section(screen, "Evidence before the decision-maker")?;
    for item in &card.evidence {
        let (kind, events) = (item.kind_in_words(), item.events_in_words());
        let text = format!("{}, {kind}, {events}", item.evidence);
        screen.labelled(2, 14, item.before_in_words(), &text)?;
    }
    Ok(())
}

fn reasons(card: &Card, said: &Said, screen: &mut Screen) -> Result<(), CliError> {
    let decided = card.decided.version;
    section(screen, "Reasons")?;
    screen.indented(2, &said.word(decided, "reasons"))?;
    if card.departs && !card.departure_undeclared {
        screen.labelled(2, 11, "departure", &said.word(decided, "departure"))?;
    }
    screen.labelled(2, 11, "review", &said.word(card.reviewed.version, "reason"))
}

fn criterion(
    line: &CriterionLine,
    card: &Card,
    said: &Said,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let marks = [
        (line.derived, "derived"),
        (line.presumed, "presumed met"),
        (line.open, "open"),
        (line.onus.is_some(), "found on the onus"),
    ];
    let marks: Vec<_> = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
    let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
    screen.labelled(2, 11, &line.id, &format!("{} {}{marks}", line.value, line.title))?;
    if let Some(found) = &line.found {
        let why = found.u_reason.map_or_else(String::new, |why| format!(", {}", words(why)));
        screen.indented(13, &format!("by {}, version {}{why}", found.by, found.version))?;
        for item in &found.evidence {
            screen.indented(13, &format!("relies on {item}"))?;
        }
        if let Some(reason) = said.asked(found.version, "reason") {
            screen.indented(13, &reason)?;
        }
    }
    if let Some(place) = line.onus
        && let Some(reason) = said.asked(card.decided.version, &format!("onus[{place}].reason"))
    {
        screen.indented(13, &format!("on the onus: {reason}"))?;
    }
    for source in &line.sources {
        screen.labelled(13, 0, "", source)?;
    }
    Ok(())
}

fn section(screen: &mut Screen, title: &str) -> Result<(), CliError> {
    screen.line("")?;
    screen.line(&format!("{NAME}{title}{NAME:#}"))
}

fn deed(deed: &Deed) -> String {
    format!(
        "{} ({}, {}), {}, version {}",
        deed.by.id,
        words(deed.by.role.as_str()),
        deed.by.basis,
        deed.occurred,
        deed.version
    )
}

fn listed(ids: &[String]) -> String {
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erased_words_are_not_said_to_be_shown_by_what_was_given() {
        let field = |path: &str| (Version(3), path.to_owned());
        let mut said = Said::new(true);
        said.take(field("reasons"), Opened::Withheld(service::erasure::WITHHELD.to_owned()));
        said.take(field("departure"), Opened::Words("Because.".to_owned()));
        assert_eq!(said.word(Version(3), "reasons"), "[withheld: key destroyed]");
        assert_eq!(said.word(Version(3), "departure"), "Because.");
        assert_eq!(said.word(Version(4), "reasons"), "[withheld]");
        assert_eq!(Said::new(false).word(Version(3), "reasons"), "[withheld; --open shows it]");
        assert_eq!(said.asked(Version(4), "reason"), None);
    }
}
