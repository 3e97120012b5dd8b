//! The explanations that the documentation shows are those that the engine gives.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use common::{CASES, library};
use guidance::{Fixture, Library, Outcome, Value};

fn explained(library: &Library, id: &str, width: usize) -> String {
    let line = CASES.lines().find(|line| line.contains(&format!("\"{id}\""))).unwrap();
    let fixture: Fixture<'_> = serde_json::from_str(line).unwrap();
    let guidance = library.require(&fixture.profile, fixture.as_of).unwrap();
    fixture.explain(&guidance.evaluate(&fixture.question(guidance).unwrap())).to_text(width)
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

/// The explanation of a case from its line, without the tree.
fn in_short(library: &Library, line: &str) -> String {
    let fixture: Fixture<'_> = serde_json::from_str(line).unwrap();
    let guidance = library.require(&fixture.profile, fixture.as_of).unwrap();
    let evaluation = guidance.evaluate(&fixture.question(guidance).unwrap());
    let text = fixture.explain(&evaluation).to_text(10_000);
    text.split("\nBy:\n").next().unwrap().to_owned()
}

#[test]
fn where_a_parameter_decides_the_rule_is_named_with_its_source() {
    let library = library();
    let sepet = CASES.lines().find(|line| line.contains("\"GC01\"")).unwrap();
    let ruled = "this profile does not ask for it here. Punishing conscience alone is not persecution; \
                 the exceptions are condemned acts, disproportionate or discriminatory punishment, \
                 and the conditions of service. [Sepet and Bulbul [2003] UKHL 15, on punishment \
                 for conscience and its exceptions]";
    let found = "C3.1.d (consequence amounts to persecution) was found met; ";
    assert!(in_short(&library, sepet).contains(&format!("{found}{ruled}")));
    let open = sepet.replace(r#""C3.1.d": "M""#, r#""C3.1.d": "U""#);
    let left = "C3.1.d (consequence amounts to persecution) was left undetermined; ";
    assert!(in_short(&library, &open).contains(&format!("{left}{ruled}")));
    // A fact settles it now, and no parameter.
    let settled = sepet.replace(r#""facts": {"#, r#""facts": {"motive":"fear_of_combat_only","#);
    assert!(!in_short(&library, &settled).contains("UKHL 15"));
    // Where the profile asks for what was found, nothing is left out.
    let elsewhere = sepet.replace("UK_pre2022", "UNHCR");
    assert!(!in_short(&library, &elsewhere).contains("does not ask"));
}

#[test]
fn a_choice_that_turns_nothing_stands_in_the_tree_alone() {
    let library = library();
    let line = CASES.lines().find(|line| line.contains("\"GC10\"")).unwrap();
    let only_means = "Refusal must be the only means to avoid taking part";
    assert!(explained(&library, "GC10", 10_000).contains(&format!("Here: {only_means}")));
    assert!(!in_short(&library, line).contains(only_means));
    let line = line.replace(r#""C2.4": "N""#, r#""C2.4": "M""#);
    assert!(in_short(&library, &line).contains(only_means), "{line}");
}

#[test]
fn what_a_case_does_not_list_is_named_and_what_it_lists_is_not() {
    let library = library();
    let line = CASES.lines().find(|line| line.contains("\"GC01\"")).unwrap();
    let told = "\nNot listed, counted as not met: WFF.sought, all of C1, C2.3, C2.6, all of C3.2, \
                SP and IFA; as met: G.ID, LIAB, WFF.harm and NEX.\n";
    assert!(in_short(&library, line).contains(told));
    let mut case: serde_json::Value = serde_json::from_str(line).unwrap();
    let guidance = library.in_force("UK_pre2022", jiff::civil::date(2003, 3, 20)).unwrap();
    case["findings"] = guidance.leaves().map(|(_, id)| (id, "N")).collect();
    assert!(!in_short(&library, &case.to_string()).contains("Not listed"));
    case["findings"] = serde_json::json!({});
    let told = in_short(&library, &case.to_string());
    assert!(told.contains("all of PATH, SP and IFA; as met:"), "{told}");
}
