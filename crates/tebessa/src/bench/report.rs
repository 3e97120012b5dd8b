//! The figures as a table for people.

use anstyle::Style;
use journal::measure::Figure;

use crate::output::{ASIDE, CliError, NAME, Screen, Table, bytes, grouped};

/// Shows all figures.
pub(super) fn show(figures: &[Figure]) -> Result<(), CliError> {
    let mut screen = Screen::stdout();
    let headings = ["measure", "records/s", "limit", "ratio", "p99", "limit's", "besides"];
    let mut table = Table::new(screen.width, &headings, true);
    for figure in figures {
        let plain = |text: Option<String>| (text.unwrap_or_default(), Style::new());
        table.row(&[
            (name(figure), NAME),
            plain(Some(grouped(whole(figure.records_per_s)))),
            plain(figure.limit_records_per_s.map(|limit| grouped(whole(limit)))),
            plain(figure.ratio.map(|ratio| format!("{} %", whole(ratio * 100.0)))),
            plain(figure.p99_us.map(milliseconds)),
            plain(figure.limit_p99_us.map(milliseconds)),
            (besides(figure).join(", "), ASIDE),
        ]);
    }
    table.show(&mut screen)?;
    screen.flush()
}

/// A rate in words.
pub(super) fn rate(records_per_s: f64) -> String {
    format!("{} records/s", grouped(whole(records_per_s)))
}

fn name(figure: &Figure) -> String {
    let bench = figure.bench.replace('_', " ");
    match (figure.bench.as_str(), figure.group, figure.threads) {
        ("append", Some(group), _) => format!("append {}", grouped(group)),
        ("append_contended", Some(callers), _) => format!("{callers} callers"),
        (_, _, Some(1)) => format!("{bench}, 1 core"),
        (_, _, Some(threads)) => format!("{bench}, {threads} cores"),
        ("growth", ..) => format!("at {}", grouped(figure.records)),
        _ => bench,
    }
}

fn besides(figure: &Figure) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(cost_us) = figure.us_per_append {
        said.push(format!("{cost_us:.2} µs an append"));
    }
    if let (Some(half), Some(limit)) = (figure.p50_us, figure.limit_p50_us) {
        said.push(format!("p50 {} for {}", milliseconds(half), milliseconds(limit)));
    }
    if let Some(p99) = figure.loaded_p99_us {
        said.push(format!("p99 of 8 at once {}", milliseconds(p99)));
    }
    if let Some(hashes) = figure.hash_limit_records_per_s {
        said.push(format!("hashing {}/s", grouped(whole(hashes))));
    }
    if let Some(streams) = figure.streams_per_s {
        said.push(format!("{} cases/s", grouped(whole(streams))));
    }
    if figure.bench == "open" {
        said.push(format!("{:.2} s", figure.seconds));
    }
    if let Some(overhead) = figure.log_overhead {
        said.push(format!("log {overhead:.3} B/B"));
    }
    if let Some(index) = figure.index_bytes_per_record {
        said.push(format!("index {index:.0} B a record"));
    }
    if let Some(resident) = figure.resident_bytes {
        said.push(format!("memory {}", bytes(resident)));
    }
    said
}

fn milliseconds(us: f64) -> String {
    format!("{:.2} ms", us / 1e3)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are positive and far below 2^63"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}
