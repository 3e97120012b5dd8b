//! The engine answers as an independent implementation of the same rules does, value by value.
//!
//! The other one is `evaluate.py` beside this file: written from the text of the rules, without
//! guidance files. Python 3 is needed.

use std::io::Write;
use std::process::{Command, Stdio};

use guidance::{Fixture, Library};
use serde_json::{Value as Json, json};

const FIXTURES: u64 = 20_000;
/// The other one tries every completion: 2 to the power of this many, for each fixture.
const MOST_UNDETERMINED: &str = "7";

/// A generator of numbers that are the same on every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap() % end
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// One random case. Some list few findings and some many; some are mostly met, so that every
/// outcome and every presumption comes up often.
fn fixture(number: u64, profiles: &[&str], leaves: &[&str], numbers: &mut Numbers) -> String {
    let listed = [3, 8, 20, 41][numbers.below(4)];
    let weights: &[&str] = match numbers.below(4) {
        0 => &["M", "N", "U"],
        1 => &["M", "M", "M", "M", "M", "N"],
        2 => &["M", "M", "M", "M", "M", "M", "U"],
        _ => &["M", "M", "M", "N", "N", "N", "U"],
    };
    let kind = numbers.below(2);
    let mut findings = serde_json::Map::new();
    for _ in 0..listed {
        let leaf = numbers.pick(leaves);
        // A claim that fails early tells little about what comes after.
        let bars = ["SP", "IFA"].contains(&leaf) && kind == 0;
        let value = if bars { numbers.pick(&["N", "N", "N", "U"]) } else { numbers.pick(weights) };
        findings.insert(leaf.to_owned(), json!(value));
    }
    if kind == 0 {
        for leaf in ["C2.1", "C2.2.a", "C2.3", "C2.5", "C2.6"] {
            findings.insert(leaf.to_owned(), json!(numbers.pick(&["M", "M", "M", "M", "U"])));
        }
        for leaf in ["C2.4", "NEX"] {
            findings.insert(leaf.to_owned(), json!(numbers.pick(&["U", "U", "M", "N"])));
        }
    }
    if numbers.below(5) == 0 {
        findings.insert("C1.2.d".to_owned(), json!(numbers.pick(&["M", "N", "U"])));
    }
    let mut facts = serde_json::Map::new();
    for (fact, words) in [
        ("posting", &["unknown", "unknown", "known", ""][..]),
        ("enlistment", &["conscript", "conscript", "volunteer", ""][..]),
        ("motive", &["", "", "other", "fear_of_combat_only"][..]),
        ("act", &["desertion", ""][..]),
    ] {
        let word = numbers.pick(words);
        if !word.is_empty() {
            facts.insert(fact.to_owned(), json!(word));
        }
    }
    json!({
        "id": format!("R{number}"),
        "profile": numbers.pick(profiles),
        // Before and after the Union's regulation took the place of its directive.
        "as_of": numbers.pick(&["2024-06-01", "2026-08-01"]),
        "sought": numbers.pick(&["refugee", "protection", "protection", "nonrefoulement"]),
        "facts": facts,
        "findings": findings,
    })
    .to_string()
}

/// The engine's answer in the form of the other one.
fn answer(library: &Library, line: &str) -> Json {
    let id = serde_json::from_str::<Json>(line).unwrap()["id"].clone();
    let fixture: Fixture<'_> = serde_json::from_str(line).unwrap();
    let guidance = library.require(&fixture.profile, fixture.as_of).unwrap();
    let evaluation = guidance.evaluate(&fixture.question(guidance).unwrap());
    let derived: serde_json::Map<String, Json> =
        evaluation.derived().map(|(id, value)| (id.to_owned(), json!(value))).collect();
    json!({
        "id": id,
        "derived": derived,
        "presumed": evaluation.presumed().map(|presumed| presumed.leaf).collect::<Vec<_>>(),
        "outcome": evaluation.outcome(),
        "open": evaluation.open().collect::<Vec<_>>(),
    })
}

/// What the other one answers to all lines.
fn other(lines: &str) -> Vec<Json> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/evaluate.py");
    let mut python = Command::new("python3")
        .args([script, "--most", MOST_UNDETERMINED])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is needed to compare with the independent implementation");
    let mut input = python.stdin.take().unwrap();
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_engine_answers_as_the_independent_implementation_does() {
    let library = Library::embedded().unwrap();
    let mut profiles: Vec<&str> = library.all().map(guidance::Guidance::profile).collect();
    profiles.dedup();
    assert_eq!((profiles.len(), library.all().count()), (11, 14));
    let leaves: Vec<&str> = library.all().next().unwrap().leaves().map(|(_, id)| id).collect();
    let mut numbers = Numbers(0x0295_0312);
    let mut lines: Vec<String> =
        (0..FIXTURES).map(|number| fixture(number, &profiles, &leaves, &mut numbers)).collect();
    let decided = include_str!("../fixtures/jurisprudence.jsonl");
    lines.extend(decided.lines().map(str::to_owned));

    let others = other(&lines.join("\n"));
    assert_eq!(others.len(), lines.len());
    let mut outcomes = std::collections::BTreeMap::new();
    let (mut presumed, mut compared) = (0, 0);
    for (line, other) in lines.iter().zip(others) {
        let mut own = answer(&library, line);
        *outcomes.entry(own["outcome"].to_string()).or_insert(0) += 1;
        presumed += usize::from(own["presumed"] != json!([]));
        if other["open"].is_null() {
            own["open"] = Json::Null;
        } else {
            compared += usize::from(own["open"] != json!([]));
        }
        assert_eq!(own, other, "{line}");
    }
    // A comparison that never sees a kind of answer says nothing about it.
    assert_eq!(outcomes.len(), 7, "{outcomes:?}");
    assert!(outcomes.values().all(|count| *count >= 50), "{outcomes:?}");
    assert!(presumed >= 300 && compared >= 3000, "{presumed} {compared}");
}
