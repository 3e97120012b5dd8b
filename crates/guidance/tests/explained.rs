//! The explanations that the documentation shows are those that the engine gives.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use common::{CASES, library};
use guidance::{Fixture, Library, Outcome, Value};

fn explained(library: &Library, id: &str, width: usize) -> String {
    let line = CASES.lines().find(|line| line.contains(&format!("\"{id}\""))).unwrap();
    let fixture: Fixture<'_> = serde_json::from_str(line).unwrap();
    let guidance = library.require(&fixture.profile, fixture.as_of).unwrap();
    guidance.explain(&guidance.evaluate(&fixture.question(guidance).unwrap())).to_text(width)
}

#[test]
fn the_documented_explanations_are_the_engines() {
    let documented = include_str!("../EXPLAINED.md");
    let library = library();
    for id in ["GC04", "GC09", "GC10"] {
        let expected = format!("```text\n{}\n```\n", explained(&library, id, 80).trim_end());
        assert!(documented.contains(&expected), "{id} is documented otherwise than:\n{expected}");
    }
}

#[test]
fn the_presumptions_of_ez_apply_only_where_the_page_says() {
    let library = library();
    let line = CASES.lines().find(|line| line.contains("\"GC09\"")).unwrap();
    let open = |from: &str, to: &str| {
        assert!(line.contains(from), "{from}");
        let line = line.replace(from, to);
        let fixture: Fixture<'_> = serde_json::from_str(&line).unwrap();
        let guidance = library.require(&fixture.profile, fixture.as_of).unwrap();
        let evaluation = guidance.evaluate(&fixture.question(guidance).unwrap());
        assert_eq!(evaluation.outcome(), Outcome::Undetermined, "{to}");
        assert_eq!(evaluation.presumed().count(), 0, "{to}");
        evaluation.open().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(open("\"conscript\"", "\"volunteer\""), ["C2.4", "NEX"]);
    assert_eq!(open("\"posting\": \"unknown\"", "\"posting\": \"known\""), ["C2.4", "NEX"]);
    assert_eq!(open("\"profile\": \"EU\"", "\"profile\": \"NZ\""), ["C2.4", "NEX"]);
}

#[test]
fn a_presumption_is_explained_with_the_sources_of_rule_and_profile() {
    let library = library();
    let text = explained(&library, "GC09", 10_000);
    assert!(text.contains("C2.4 (personal involvement) was left undetermined and is presumed met"));
    assert!(text.contains("NEX (Convention ground) was left undetermined and is presumed met"));
    assert!(text.contains("on a conscript who does not know his future field of operation"));
    assert!(text.contains("on the strong presumption of a connection"));
}

#[test]
fn an_explanation_says_which_parts_decide() {
    let library = library();
    let line = CASES.lines().find(|line| line.contains("\"GC04\"")).unwrap();
    let fixture: Fixture<'_> = serde_json::from_str(line).unwrap();
    let guidance = library.require(&fixture.profile, fixture.as_of).unwrap();
    let explanation = guidance.explain(&guidance.evaluate(&fixture.question(guidance).unwrap()));
    let [inclusion] = explanation.lines.as_slice() else { panic!("one criterion decides") };
    assert_eq!((inclusion.id.as_deref(), inclusion.value), (Some("INC"), Value::NotMet));
    let deciding = |line: &guidance::Line| -> Vec<String> {
        line.members.iter().filter(|m| m.decides).filter_map(|m| m.id.clone()).collect()
    };
    assert_eq!(deciding(inclusion), ["PATH"]);
    let path = inclusion.members.iter().find(|m| m.id.as_deref() == Some("PATH")).unwrap();
    assert_eq!(deciding(path), ["C2"]);
    let acts = path.members.iter().find(|m| m.id.as_deref() == Some("C2")).unwrap();
    assert_eq!(deciding(acts), ["C2.4"]);
    assert!(explanation.open.is_empty());
}
