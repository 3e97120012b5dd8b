//! Text that fits: without control characters, in lines of a width, with units.

pub(crate) use case::gist::{bytes, count, grouped, words};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text without what could rewrite a terminal or turn the direction of writing: such characters
/// become `·`; line breaks and tabs stay.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '·',
            c if c.is_control() => '·',
            c => c,
        })
        .collect()
}

/// Breaks a text into lines of a width in columns, at blanks; a word that is longer than a line
/// is broken, but never a hash, which is there to be copied. The text's own line breaks stay. Never
/// empty.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.replace('\t', "    ").split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            let whole = is_hash(word);
            for c in word.chars() {
                if !whole && line.width() + c.width().unwrap_or(0) > width {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
        lines.push(line);
    }
    lines
}

/// Whether a word is a SHA-256 in hexadecimal, with or without its name and a comma behind it.
fn is_hash(word: &str) -> bool {
    let digits = word.trim_end_matches([',', ';', '.']).trim_start_matches("sha256:");
    digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Breaks lines that are longer than a width at blanks; a word is never broken. A line's indent is
/// that of its rest too, and styles take no room.
pub(crate) fn flowed(text: &str, width: usize) -> String {
    let room = |text: &str| anstream::adapter::strip_str(text).to_string().width();
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if room(line) <= width {
            lines.push(line.to_owned());
            continue;
        }
        let mut begun = String::new();
        for word in line.split_whitespace() {
            if !begun.is_empty() && room(&begun) + 1 + room(word) > width {
                lines.push(std::mem::take(&mut begun));
            }
            let gap = if begun.is_empty() { indent } else { 1 };
            begun.push_str(&" ".repeat(gap));
            begun.push_str(word);
        }
        lines.push(begun);
    }
    lines.join("\n")
}

/// Breaks lines that are longer than a width, behind a label of some columns that their rest is
/// indented by. Lines with styles stay.
pub(crate) fn hanging(text: &str, label: usize, width: usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        match line.split_at_checked(label) {
            Some((head, rest)) if line.width() > width && !line.contains('\u{1b}') => {
                for (place, part) in wrapped(rest, width.saturating_sub(label)).iter().enumerate() {
                    let head = if place == 0 { head } else { "" };
                    lines.push(format!("{head:<label$}{part}"));
                }
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_reaches_no_terminal() {
        let text = plain("\u{1b}[2Jgone\u{7}\r\u{9b}31m\u{202e}desufer\nnext");
        assert_eq!(text, "·[2Jgone···31m·desufer\nnext");
    }

    #[test]
    fn lines_fit_the_width_and_lose_nothing() {
        let text = "He said that he would not\nserve, and gave reasonswithoutanyblank.";
        let lines = wrapped(text, 12);
        assert!(lines.iter().all(|line| line.width() <= 12), "{lines:?}");
        let joined: String = lines.concat();
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(bare(&joined), bare(text));
    }

    #[test]
    fn what_is_too_long_hangs_behind_its_label() {
        let text =
            "root     12\nindex    not checked: no node runs\n\u{1b}[1mlong and styled\u{1b}[0m";
        let hung = hanging(text, 9, 22);
        let expected = "root     12\nindex    not checked:\n         no node runs\n";
        assert_eq!(hung, format!("{expected}\u{1b}[1mlong and styled\u{1b}[0m"));
        assert_eq!(hanging(text, 9, 80), text);
    }

    #[test]
    fn a_hash_stays_in_one_piece() {
        let hash = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(
            wrapped(&format!("under {hash}, as of 2024"), 40),
            ["under", &format!("{hash},"), "as of 2024"]
        );
        let word = "0g".repeat(32);
        assert_eq!(wrapped(&word, 40).len(), 2);
    }

    #[test]
    fn a_message_is_broken_at_blanks_only() {
        let style = crate::output::BAD;
        let text =
            format!("{style}error:{style:#} no node runs on /srv/a-long-name/tebessa-data here");
        let flowed_text = flowed(&text, 24);
        let shown = anstream::adapter::strip_str(&flowed_text).to_string();
        assert_eq!(shown, "error: no node runs on\n/srv/a-long-name/tebessa-data\nhere");
        assert_eq!(flowed("  to be indented so far", 14), "  to be\n  indented so\n  far");
        assert_eq!(flowed(&text, 80), text);
    }

    #[test]
    fn wide_letters_count_two_columns() {
        assert_eq!(wrapped("兵役拒否", 4), ["兵役", "拒否"]);
    }

    #[test]
    fn numbers_have_a_unit() {
        assert_eq!(count(1, "record", "records"), "1 record");
        assert_eq!(count(0, "record", "records"), "0 records");
        assert_eq!(count(1_234_567, "record", "records"), "1,234,567 records");
    }
}
