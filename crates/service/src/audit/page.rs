//! Pages for people: a decision card, and a whole case with its timeline. Self-contained HTML
//! without scripts; every text is escaped.

use std::collections::BTreeMap;

use case::card::{Card, CriterionLine, Deed};
use case::gist;
use case::{Recorded, Seen, Version};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The words of personal fields, by version and path; what is not there is withheld.
pub type Words = BTreeMap<(Version, String), String>;

const STYLE: &str = "\
@page{size:A4}\
body{font:9.5pt/1.35 Georgia,'Times New Roman','Liberation Serif',serif;color:#111;max-width:190mm;margin:1em auto;padding:0 1em}\
h1{font-size:14pt;margin:0 0 .2em}h2{font-size:11pt;margin:1em 0 .3em;border-bottom:1px solid #999}\
table{border-collapse:collapse;width:100%;font-size:8.5pt}\
td,th{text-align:left;vertical-align:top;padding:.15em .5em .15em 0;border-bottom:1px solid #ddd}\
th{font-weight:600}tr{break-inside:avoid}\
.id,.hash{font-family:monospace;font-size:8pt;overflow-wrap:anywhere}\
.aside{color:#555;font-size:8pt}.node td{background:#f4f4f4}.words{white-space:pre-wrap}\
.withheld{color:#777;font-style:italic}\
.criteria{table-layout:fixed}.c1{width:24%}.c2{width:7%}.c3{width:32%}\
@media print{@page{margin:9mm 10mm}body{font-size:8pt;line-height:1.2;margin:0;padding:0;max-width:none}\
h1{font-size:12pt}h2{font-size:9.5pt;margin:.6em 0 .2em;break-after:avoid}p{margin:.4em 0}\
table,.aside{font-size:7pt}.id,.hash{font-size:6.5pt}\
.criteria{line-height:1.08}td,th{padding:.08em .4em .08em 0}}";

/// What is told of personal fields.
#[derive(Clone, Copy)]
struct Told<'w> {
    words: &'w Words,
    /// Why there are no words, where they were asked for.
    withheld: &'w Words,
}

/// A page with one decision. `withheld` says why fields that were asked for have no words.
#[must_use]
pub fn card_page(card: &Card, words: &Words, withheld: &Words) -> String {
    let told = Told { words, withheld };
    frame(&format!("Decision in case {}", card.case), &of_card(card, told))
}

/// A page with the decisions of a case and its timeline.
pub(super) fn dossier_page(
    cards: &[Card],
    records: &[Recorded],
    fields: &BTreeMap<Version, Vec<String>>,
    words: &Words,
    facts: &[(&str, String)],
) -> String {
    let Some(first) = records.first() else { return String::new() };
    // Who checks a dossier makes the page again, without the node's keys.
    let told = Told { words, withheld: &Words::new() };
    let body = html! {
        table { @for (name, value) in facts { tr { th { (name) } td.hash { (value) } } } }
        @for card in cards { (of_card(card, told)) }
        h2 { "Timeline" }
        table {
            tr { th { "No" } th { "Day" } th { "What happened" } th { "Who" } }
            @for record in records { (of_record(record, fields, told)) }
        }
    };
    frame(&format!("Dossier of case {}", first.envelope.case), &body)
}

fn frame(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { h1 { (title) } (body) }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    text
}

fn of_record(record: &Recorded, fields: &BTreeMap<Version, Vec<String>>, told: Told<'_>) -> Markup {
    let envelope = &record.envelope;
    let gist = gist::full(record);
    let none = Vec::new();
    html! {
        tr {
            td { (envelope.version) }
            td { (envelope.occurred) div.aside { "recorded " (time(envelope.time)) } }
            td {
                (gist.headline)
                @for detail in &gist.details { div.aside { (detail) } }
                @for field in fields.get(&envelope.version).unwrap_or(&none) {
                    div { (said(told, envelope.version, field, field)) }
                }
            }
            td {
                (envelope.by.id)
                div.aside { (gist::words(envelope.by.role.as_str())) ", " (envelope.by.basis) }
            }
        }
    }
}

fn of_card(card: &Card, told: Told<'_>) -> Markup {
    let decided = card.decided.version;
    html! {
        h2 { "Decision of version " (decided) ": " (gist::words(card.outcome.as_str())) }
        table {
            @if !card.grounds.is_empty() { tr { th { "Grounds" } td { (card.grounds.join(", ")) } } }
            tr {
                th { "Proposal" }
                td {
                    (gist::words(card.proposal)) "; " (card.follows_in_words())
                }
            }
            tr { th { "Assessed" } td { (deed(&card.assessed)) } }
            tr {
                th { "Reviewed" }
                td {
                    (deed(&card.reviewed)) ": " (card.review)
                    div { (said(told, card.reviewed.version, "reason", "reason")) }
                }
            }
            tr { th { "Decided" } td { (deed(&card.decided)) } }
            tr {
                th { "Guidance" }
                td {
                    (card.profile) @if let Some(title) = &card.title { ", " (title) }
                    " as of " (card.as_of) ", sought: " (gist::words(card.sought))
                    div.hash { (card.guidance) ", engine " (card.engine) }
                }
            }
            tr { th { "Read set" } td { (read_set(card.decided.seen)) } }
            @if let Some(served) = &card.notified {
                tr {
                    th { "Served" }
                    td { (served.served) ", appeal until " (served.appeal_deadline) }
                }
            }
            @if let Some(by) = card.set_aside { tr { th { "Set aside" } td { "by version " (by) } } }
            @for appeal in &card.appeals {
                tr {
                    th { "Appeal" }
                    td { "filed by version " (appeal.filed) ", " (appeal.in_words()) }
                }
            }
        }
        h2 { "Reasons" }
        div { (said(told, decided, "reasons", "reasons")) }
        @if card.departs && !card.departure_undeclared {
            div { (said(told, decided, "departure", "departure")) }
        }
        h2 { "Criterion by criterion" }
        table.criteria {
            tr { th.c1 { "Criterion" } th.c2 { "Value" } th.c3 { "Found" } th { "Source" } }
            @for line in &card.criteria { (of_criterion(line, card, told)) }
        }
        p {
            "Open, and able to turn the outcome: " (listed(&card.open)) ". "
            "Left undetermined without bearing on it: " (listed(&card.unresolved)) "."
        }
        (of_evidence(card))
    }
}

fn of_criterion(line: &CriterionLine, card: &Card, told: Told<'_>) -> Markup {
    html! {
        tr.node[line.derived] {
            td { span.id { (line.id) } " " (line.title) }
            td {
                (line.value)
                @if line.presumed { div.aside { "presumed met" } }
                @if line.open { div.aside { "open" } }
                @if let Some(place) = line.onus {
                    div.aside { "on the onus" }
                    (said(told, card.decided.version, &format!("onus[{place}].reason"), "onus"))
                }
            }
            td {
                @if let Some(found) = &line.found {
                    "version " (found.version) " by " (found.by)
                    @if let Some(reason) = found.u_reason { ", " (gist::words(reason)) }
                    "; " (disclosed(told, found.version, "reason", "reason"))
                    @for item in &found.evidence { div.id { (item) } }
                } @else { span.aside { "derived" } }
            }
            td.aside { (line.sources.join("; ")) }
        }
    }
}

fn of_evidence(card: &Card) -> Markup {
    html! {
        @if !card.evidence.is_empty() {
            h2 { "Evidence" }
            table {
                tr { th { "Item" } th { "Kind" } th { "Attached" } th { "Before the decision-maker" } }
                @for item in &card.evidence {
                    tr {
                        td { span.id { (item.evidence) } div.hash { "sha256 " (item.sha256) } }
                        td { (item.kind_in_words()) }
                        td { (item.events_in_words()) }
                        td { (item.before_in_words()) }
                    }
                }
            }
        }
    }
}

fn deed(deed: &Deed) -> Markup {
    html! {
        (deed.by.id) " (" (gist::words(deed.by.role.as_str())) ", " (deed.by.basis) "), "
        (deed.occurred)
        span.aside { ", version " (deed.version) ", recorded " (time(deed.recorded)) }
    }
}

fn read_set(seen: Option<Seen>) -> Markup {
    html! {
        @match seen {
            Some(seen) => { "the case up to version " (seen.version) div.hash { (seen.leaf) } }
            None => { "not recorded" }
        }
    }
}

fn said(told: Told<'_>, version: Version, path: &str, label: &str) -> Markup {
    html! {
        @if told.words.contains_key(&(version, path.to_owned())) { span.aside { (label) ": " } }
        (disclosed(told, version, path, label))
    }
}

/// The words alone, where what they are is plain from where they stand.
fn disclosed(told: Told<'_>, version: Version, path: &str, label: &str) -> Markup {
    let field = (version, path.to_owned());
    let withheld = told.withheld.get(&field).map(|why| why.trim_start_matches("withheld: "));
    html! {
        @match (told.words.get(&field), withheld) {
            (Some(text), _) => { span.words { (text) } }
            (None, Some(why)) => { span.withheld { "[" (label) " withheld: " (why) "]" } }
            (None, None) => { span.withheld { "[" (label) " withheld]" } }
        }
    }
}

fn listed(ids: &[String]) -> String {
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}

fn time(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
