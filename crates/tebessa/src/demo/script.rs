//! What is done in each case of the demo: the commands of a claim's life, in order.

#![expect(clippy::indexing_slicing, reason = "it inserts a member into an object made just above")]

use ::guidance::{Guidance, Outcome, Value};
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::fixture::Decided;

/// A command as it is sent: its full name and its body.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) body: Json,
}

/// The commands of one case.
pub(crate) struct Script {
    pub(crate) label: String,
    pub(crate) case: Uuid,
    pub(crate) steps: Vec<Step>,
}

/// Who acts, by role; ids of the authority's own, never names.
const REGISTRAR: (&str, &str) = ("registrar-1", "registrar");
const REPRESENTATIVE: (&str, &str) = ("representative-1", "representative");
const CASEWORKER: (&str, &str) = ("caseworker-1", "caseworker");
const SECOND_CASEWORKER: (&str, &str) = ("caseworker-2", "caseworker");
const REVIEWER: (&str, &str) = ("reviewer-1", "reviewer");
const DECISION_MAKER: (&str, &str) = ("decision-maker-1", "decision_maker");
const JUDGE: (&str, &str) = ("judge-1", "appeal_judge");
const REGISTRY: (&str, &str) = ("registry-1", "registry");

/// How long before the court's day each step happened, in days. Only the order matters: the
/// sources give the day of the judgment.
mod days {
    pub(super) const MADE: i64 = 420;
    pub(super) const REGISTERED: i64 = 410;
    pub(super) const EVIDENCE: i64 = 300;
    pub(super) const FOUND: i64 = 250;
    pub(super) const DECIDED: i64 = 240;
    pub(super) const SERVED: i64 = 230;
    pub(super) const APPEALED: i64 = 220;
    pub(super) const DEADLINE: i64 = 170;
    pub(super) const REMITTED: i64 = 30;
    /// After the court's day: the time to go to the next court is over.
    pub(super) const CLOSED: i64 = -80;
}

struct Writer<'d> {
    decided: &'d Decided,
    guidance: &'d Guidance,
    script: Script,
}

/// Writes the script of a decided case. All of them were decided by courts and boards of appeal:
/// a refusal was upheld, a grant was won on appeal against a refusal that departed from what the
/// findings proposed, and an open case was remitted.
pub(crate) fn of_decided(decided: &Decided, guidance: &Guidance) -> Script {
    let mut writer = Writer::new(decided, guidance);
    writer.intake();
    writer.evidence();
    match decided.outcome.as_str() {
        "undetermined" => writer.remitted(),
        "refused" | "excluded" | "excluded_not_removable" => writer.upheld(),
        _ => writer.won_on_appeal(),
    }
    writer.script
}

/// Writes the script of a claim that is granted at first instance, served and closed.
pub(crate) fn of_granted(decided: &Decided, guidance: &Guidance) -> Script {
    let mut writer = Writer::new(decided, guidance);
    writer.intake();
    writer.evidence();
    writer.assess(CASEWORKER, days::FOUND, |value| value);
    writer.review("agree", "The findings are reasoned and the sources are named.");
    writer.decide(&decided.outcome);
    writer.notify();
    writer.close("granted", 0);
    writer.script
}

impl<'d> Writer<'d> {
    fn new(decided: &'d Decided, guidance: &'d Guidance) -> Self {
        let script = Script { label: decided.id.clone(), case: Uuid::new_v4(), steps: Vec::new() };
        Self { decided, guidance, script }
    }

    fn day(&self, before: i64) -> Date {
        // Dates of judgments lie far from the ends of the calendar.
        self.decided.as_of.checked_sub(before.days()).unwrap_or(self.decided.as_of)
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers build it in place")]
    fn push(&mut self, name: &'static str, by: (&str, &str), before: i64, data: Json) {
        let body = json!({
            "command": name,
            "id": Uuid::now_v7(),
            "case": self.script.case,
            "actor": { "id": by.0, "role": by.1, "basis": "demo" },
            "occurred": self.day(before).to_string(),
            "data": data,
        });
        self.script.steps.push(Step { name: name.to_owned(), body });
    }

    fn intake(&mut self) {
        let decided = self.decided;
        let made = self.day(days::MADE).to_string();
        self.push(
            "intake.register-claim",
            REGISTRAR,
            days::REGISTERED,
            json!({
                "name": decided.claimant, "profile": decided.profile, "sought": decided.sought,
                "channel": "inland", "language": "en", "made": made, "narrative": decided.summary,
            }),
        );
        self.push(
            "intake.assert-identity",
            REGISTRAR,
            days::REGISTERED,
            json!({ "name": decided.claimant, "born": "unknown" }),
        );
    }

    fn evidence(&mut self) {
        let testimony = Uuid::new_v4();
        let digest = decided_digest(self.decided);
        self.push(
            "evidence.attach",
            REPRESENTATIVE,
            days::EVIDENCE,
            json!({
                "evidence": testimony, "kind": "testimony", "source": "the claimant",
                "language": "en", "sha256": digest, "size": self.decided.summary.len(),
                "media_type": "text/plain",
            }),
        );
        self.push(
            "evidence.assess-authenticity",
            CASEWORKER,
            days::EVIDENCE,
            json!({
                "evidence": testimony, "result": "genuine",
                "reason": "Given in person and read back.",
            }),
        );
        let met: Vec<String> = self
            .decided
            .findings
            .iter()
            .filter(|(_, value)| **value == Value::Met)
            .map(|(id, _)| id.clone())
            .collect();
        for criterion in met {
            self.push(
                "evidence.link",
                CASEWORKER,
                days::EVIDENCE,
                json!({
                    "evidence": testimony, "criterion": criterion, "polarity": "supports",
                    "reason": "The account bears on it.",
                }),
            );
        }
        for (fact, value) in self.decided.facts.clone() {
            self.push(
                "evidence.find-fact",
                CASEWORKER,
                days::EVIDENCE,
                json!({ "fact": fact, "value": value, "reason": "As the court found." }),
            );
        }
    }

    /// Findings on every leaf, exclusion last and only where it was examined, and completion.
    fn assess(&mut self, by: (&str, &str), before: i64, shift: fn(Value) -> Value) {
        let mut leaves: Vec<(String, Value)> = self
            .guidance
            .leaves()
            .map(|(_, id)| (id.to_owned(), shift(self.decided.value(id))))
            .collect();
        leaves.retain(|(id, _)| id != "EXC");
        for (id, value) in leaves {
            self.find(by, before, &id, value);
        }
        if let Some(value) = self.decided.findings.get("EXC") {
            self.push(
                "assessment.open-exclusion",
                by,
                before,
                json!({ "trigger": "The account tells of acts that must be examined." }),
            );
            self.find(by, before, "EXC", shift(*value));
        }
        let day = self.day(0).to_string();
        self.push("assessment.complete", by, before, json!({ "as_of": day }));
    }

    fn find(&mut self, by: (&str, &str), before: i64, id: &str, value: Value) {
        let mut data = json!({
            "criterion": id, "value": value, "reason": self.reason(id, value),
        });
        if value == Value::Undetermined {
            data["u_reason"] = json!(self.decided.u_reason(id));
        }
        if id == "EXC" && value == Value::Met {
            data["clause"] = json!("1Fa");
        }
        self.push("assessment.record-finding", by, before, data);
    }

    fn reason(&self, id: &str, value: Value) -> String {
        if self.decided.findings.contains_key(id) {
            format!("{}: {}", self.decided.title, value.words())
        } else {
            "Nothing in the judgment bears on it.".to_owned()
        }
    }

    fn review(&mut self, result: &str, reason: &str) {
        self.push(
            "assessment.review",
            REVIEWER,
            days::DECIDED,
            json!({ "result": result, "reason": reason }),
        );
    }

    fn decide(&mut self, outcome: &str) {
        let mut data = json!({
            "outcome": outcome, "reasons": format!("As reasoned in {}.", self.decided.title),
        });
        if outcome == "refugee" {
            data["grounds"] = json!([self.decided.ground]);
        }
        self.push("decisions.issue", DECISION_MAKER, days::DECIDED, data);
    }

    /// Refuses; against the proposal where the findings do not lead to a refusal, and then with findings on
    /// the onus of what else is open.
    fn refuse(&mut self, shift: fn(Value) -> Value) {
        let mut data = json!({
            "outcome": "refused", "reasons": format!("As reasoned in {}.", self.decided.title),
        });
        let proposed = self.decided.question(self.guidance, shift);
        let departs = proposed
            .filter(|question| self.guidance.evaluate(question).outcome() != Outcome::Refused);
        if let Some(mut question) = departs {
            data["departure"] =
                json!("The authority read the law more narrowly than the findings propose.");
            // It holds that the claimant is no refugee.
            let _ = self.guidance.find(&mut question.findings, "NEX", Value::NotMet);
            let left = self.guidance.evaluate(&question);
            let onus = left.open().map(|criterion| {
                json!({ "criterion": criterion, "reason": "Nothing more came from the claimant." })
            });
            if left.outcome() == Outcome::Undetermined {
                data["onus"] = onus.collect();
            }
        }
        self.push("decisions.issue", DECISION_MAKER, days::DECIDED, data);
    }

    fn notify(&mut self) {
        let served = self.day(days::SERVED).to_string();
        let deadline = self.day(days::DEADLINE).to_string();
        self.push(
            "decisions.notify",
            REGISTRY,
            days::SERVED,
            json!({
                "method": "post", "language": "en", "served": served, "appeal_deadline": deadline,
            }),
        );
    }

    fn appeal(&mut self, result: &str, outcome: Option<&str>, before: i64) {
        let appeal = Uuid::new_v4();
        let filed = self.day(days::APPEALED).to_string();
        self.push(
            "appeals.file",
            REPRESENTATIVE,
            days::APPEALED,
            json!({
                "appeal": appeal, "filed": filed,
                "grounds": "The decision misreads the law and the evidence.",
            }),
        );
        let mut data = json!({
            "appeal": appeal, "result": result,
            "reasons": format!("{}: {}", self.decided.title, self.decided.summary),
        });
        if let Some(outcome) = outcome {
            data["outcome"] = json!(outcome);
        }
        self.push("appeals.decide", JUDGE, before, data);
    }

    /// Closes the file, where the day for it has come.
    fn close(&mut self, retention: &str, before: i64) {
        if self.day(before) <= jiff::Zoned::now().date() {
            self.push("registry.close-file", REGISTRY, before, json!({ "retention": retention }));
        }
    }

    fn upheld(&mut self) {
        self.assess(CASEWORKER, days::FOUND, |value| value);
        self.review("agree", "The findings carry the proposal.");
        let outcome = self.decided.outcome.clone();
        self.decide(&outcome);
        self.notify();
        self.appeal("dismissed", None, 0);
        self.close(if outcome == "refused" { "refused" } else { "excluded" }, days::CLOSED);
    }

    fn won_on_appeal(&mut self) {
        self.assess(CASEWORKER, days::FOUND, |value| value);
        self.review("agree", "The findings are complete; the departure is the decider's own.");
        self.refuse(|value| value);
        self.notify();
        let outcome = self.decided.outcome.clone();
        self.appeal("allowed", Some(&outcome), 0);
    }

    /// The authority took for not met what could not be determined; the court sent it back, and
    /// a second caseworker finds as the court held. The assessment goes back for further enquiry.
    fn remitted(&mut self) {
        let settled = |value| if value == Value::Undetermined { Value::NotMet } else { value };
        self.assess(CASEWORKER, days::FOUND, settled);
        self.review("agree", "The findings are complete; the decision is the decider's own.");
        self.refuse(settled);
        self.notify();
        self.appeal("remitted", None, days::REMITTED);
        self.assess(SECOND_CASEWORKER, 0, |value| value);
        self.push(
            "assessment.review",
            REVIEWER,
            0,
            json!({ "result": "return", "reason": "What is open must be enquired into further." }),
        );
    }
}

/// A digest that stands for the file of the account, which the demo does not have.
fn decided_digest(decided: &Decided) -> String {
    journal::LeafHash::of(decided.summary.as_bytes()).to_string()
}
