//! A small language for steps of a case, so that a rule is one line of a table.
//!
//! A command without words of its own is written by its full name and its fields, see `steps/fields.rs`:
//! `intake.lodge-claim act=desertion narrative=~ by A1`.
//!
//! `find C1.1.a M by W1 on 2024-02-01` is a command by the caseworker W1. The first letter of an
//! actor is the role: A applicant, P representative, G registrar, W caseworker, R reviewer,
//! D decision-maker, J judge, Y registry, O researcher of country information, I interviewer,
//! T interpreter, X data protection officer, U auditor, S service.

mod fields;

use std::cell::RefCell;
use std::collections::BTreeMap;

use case::record::RecordStamp;
use case::record::Unstamped;
use case::{
    Actor, Case, CaseId, Code, Context, CorrelationId, Event, EventId, KeyId, Law, Recorded,
    Rejection, Sealed, Version, WorldDate,
};
use guidance::Library;
use serde_json::{Value, json};
use uuid::Uuid;

/// The day of a step that does not say one.
const DAY: &str = "2024-01-01";

/// A case that grows step by step, without journal and messages.
pub struct World {
    /// The guidance.
    pub library: Library,
    /// The folded case.
    pub case: Case,
    /// Its records.
    pub records: Vec<Recorded>,
    ids: BTreeMap<String, Uuid>,
    /// The exact bytes of records by their leaves.
    encoded: RefCell<BTreeMap<case::Leaf, Vec<u8>>>,
}

impl Default for World {
    fn default() -> Self {
        let library = Library::embedded().expect("the built-in guidance is sound");
        Self {
            library,
            case: Case::default(),
            records: Vec::new(),
            ids: BTreeMap::new(),
            encoded: RefCell::default(),
        }
    }
}

/// A step that was read: what is sent, by whom and when.
#[derive(Debug, Clone)]
pub struct Step {
    /// The command's full name.
    pub name: String,
    /// Its data, with boxes for personal fields.
    pub data: Value,
    /// Who acts.
    pub by: Actor,
    /// When.
    pub occurred: WorldDate,
}

impl World {
    /// Forgets the case, and keeps the guidance, which takes a while to read.
    pub fn begin_anew(&mut self) {
        self.case = Case::default();
        self.records.clear();
        self.ids.clear();
        self.encoded.borrow_mut().clear();
    }

    /// A claim that was assessed, reviewed, decided and served: about 40 records.
    #[must_use]
    pub fn decided() -> Self {
        const LIFE: &[&str] = &[
            "register by G1",
            "attach E1 by P1",
            "country-info E2 by O1",
            "find-all W1 C3.1.a=U C3.1.b=M C3.1.c=M C3.1.d=M",
            "complete by W1",
            "review agree by R1",
            "issue refused onus C3.1.a by D1",
            "notify 2024-02-01 2024-03-01 by Y1",
        ];
        let mut world = Self::default();
        for step in LIFE {
            world.take(step).unwrap_or_else(|rejection| panic!("{step}: {rejection}"));
        }
        world
    }

    /// The exact bytes of the records, in order.
    #[must_use]
    pub fn encoded(&self) -> Vec<Vec<u8>> {
        let encoded = self.encoded.borrow();
        self.records.iter().map(|record| encoded[&record.leaf].clone()).collect()
    }

    /// Takes a step and applies its event. Steps that stand for several are taken one by one.
    pub fn take(&mut self, step: &str) -> Result<&'static str, Rejection> {
        let words: Vec<&str> = step.split_whitespace().collect();
        if let ["find-all", rest @ ..] = words.as_slice() {
            return self.find_all(rest);
        }
        let step = self.read(&words);
        self.apply(&step)
    }

    /// `find-all W1 C1.1.a=M NEX=U …`: a finding on every leaf of the profile, as in the decided
    /// cases where nothing is said.
    fn find_all(&mut self, words: &[&str]) -> Result<&'static str, Rejection> {
        let (by, given) = words.split_first().expect("find-all names its actor");
        let given: BTreeMap<&str, &str> =
            given.iter().map(|pair| pair.split_once('=').expect("LEAF=VALUE")).collect();
        let profile = self.case.intake.registration.as_ref().expect("registered").profile.clone();
        let guidance = self.library.in_force(profile.as_str(), DAY.parse().unwrap()).unwrap();
        let leaves: Vec<String> =
            guidance.leaves().map(|(_, id)| id.to_owned()).filter(|id| id != "EXC").collect();
        let mut last = "";
        for leaf in leaves {
            let value = given.get(leaf.as_str()).copied().unwrap_or(match leaf.as_str() {
                "G.ID" | "LIAB" | "NEX" | "WFF.harm" => "M",
                _ => "N",
            });
            if value == "-" {
                continue;
            }
            last = self.take(&format!("find {leaf} {value} by {by}"))?;
        }
        Ok(last)
    }

    /// Decides a step and applies its event.
    pub fn apply(&mut self, step: &Step) -> Result<&'static str, Rejection> {
        let event = self.decide(step)?;
        let kind = event.kind();
        let record = self.record(step, event);
        self.case.evolve(&record);
        self.records.push(record);
        Ok(kind)
    }

    /// Decides a step on the case as it is.
    pub fn decide(&self, step: &Step) -> Result<Event, Rejection> {
        let (service, name) = step.name.split_once('.').expect("service.command");
        let entry = case::catalogue_entry(service, name)
            .unwrap_or_else(|| panic!("no command {}", step.name));
        let command = (entry.parse)(step.data.clone())
            .unwrap_or_else(|error| panic!("{}: {error} in {}", step.name, step.data));
        let law = Law::new(&self.library);
        case::decide(&self.case, &command, &Context { by: &step.by, occurred: &step.occurred, law })
    }

    /// The record that an event becomes.
    #[must_use]
    pub fn record(&self, step: &Step, event: Event) -> Recorded {
        let version = Version(self.case.version.0 + 1);
        let unstamped = Unstamped {
            id: EventId(Uuid::now_v7()),
            source: "tebessa/test".to_owned(),
            case: self.case.id.unwrap_or(CaseId(Uuid::from_u128(1))),
            command: case::CommandId(Uuid::now_v7()),
            correlation: CorrelationId(Uuid::from_u128(2)),
            causation: None,
            digest: "0".repeat(64),
            by: step.by.clone(),
            occurred: step.occurred.clone(),
            traceparent: None,
            event,
        };
        let prev = self.case.head().map_or_else(|| "0".repeat(64), |head| head.leaf.to_string());
        let time = jiff::Timestamp::from_microsecond(i64::try_from(version.0).unwrap()).unwrap();
        let stamp = RecordStamp { version, prev: &prev, time };
        let bytes = serde_json::to_vec(&unstamped.written(Some(&stamp))).expect("a record");
        let record = Recorded::decode(&bytes, version.0).expect("what was written can be read");
        let leaf = case::Leaf::of(&bytes);
        self.encoded.borrow_mut().insert(leaf, bytes.clone());
        assert_eq!(record, unstamped.recorded(&stamp, version.0, leaf), "the round trip is exact");
        record
    }

    fn id(&mut self, name: &str) -> Uuid {
        let next = Uuid::from_u128(0x1000 + self.ids.len() as u128);
        *self.ids.entry(name.to_owned()).or_insert(next)
    }

    /// Reads a step.
    pub fn read(&mut self, words: &[&str]) -> Step {
        let (words, options) = options(words);
        let by = actor(options.get("by").copied().expect("a step says by whom"));
        let occurred = options.get("on").copied().unwrap_or(DAY).parse_date();
        let (name, data) = self.command(&words, &options);
        Step { name: name.to_owned(), data, by, occurred }
    }

    fn command(&mut self, words: &[&str], options: &BTreeMap<&str, &str>) -> (&'static str, Value) {
        if let Some((name, fields)) = words.split_first()
            && let Some(entry) = case::commands().find(|entry| entry.full_name() == *name)
        {
            let name = Box::leak(entry.full_name().into_boxed_str());
            let mut data = fields::data(fields, &mut |name| self.id(name));
            if let Some(held) = options.get("holds") {
                data["per_criterion"] = held.split(',').map(ruled).collect();
            }
            return (name, data);
        }
        match words {
            ["register"] => (
                "intake.register-claim",
                json!({
                    "name": sealed(), "nationality": [sealed()],
                    "profile": options.get("profile").unwrap_or(&"EU"),
                    "sought": options.get("sought").unwrap_or(&"refugee"),
                }),
            ),
            ["identity"] => ("intake.assert-identity", json!({ "name": sealed() })),
            ["withdraw"] => ("intake.withdraw-claim", json!({ "reason": sealed() })),
            ["attach", item] => ("evidence.attach", attached(self.id(item))),
            ["country-info", item] => ("evidence.attach-country-info", country_info(self.id(item))),
            ["authenticity", item, result] => (
                "evidence.assess-authenticity",
                json!({ "evidence": self.id(item), "result": result, "reason": sealed() }),
            ),
            ["link", item, criterion, polarity] => (
                "evidence.link",
                json!({
                    "evidence": self.id(item), "criterion": criterion, "polarity": polarity,
                    "reason": sealed(),
                }),
            ),
            ["fact", fact, value] => {
                ("evidence.find-fact", json!({ "fact": fact, "value": value, "reason": sealed() }))
            }
            ["find", criterion, value] => self.finding(criterion, value, options),
            ["open-exclusion"] => ("assessment.open-exclusion", json!({ "trigger": sealed() })),
            ["complete"] => {
                let data = self.with_seen(json!({}), options);
                ("assessment.complete", with(data, "as_of", options))
            }
            ["review", result] => (
                "assessment.review",
                with_number(
                    self.with_seen(json!({ "result": result, "reason": sealed() }), options),
                    "assessment",
                    options,
                ),
            ),
            ["issue", outcome] => {
                ("decisions.issue", self.with_seen(issue(outcome, options), options))
            }
            ["notify", served, deadline] => (
                "decisions.notify",
                json!({
                    "method": "post", "language": "en", "served": served,
                    "appeal_deadline": deadline,
                }),
            ),
            ["file", appeal, filed] => (
                "appeals.file",
                json!({ "appeal": self.id(appeal), "grounds": sealed(), "filed": filed }),
            ),
            ["rule", appeal, ruling] => (
                "appeals.rule-late-filing",
                json!({ "appeal": self.id(appeal), "ruling": ruling, "reason": sealed() }),
            ),
            ["decide", appeal, result] => {
                let data =
                    json!({ "appeal": self.id(appeal), "result": result, "reasons": sealed() });
                let mut data = self.with_seen(data, options);
                if let Some(held) = options.get("holds") {
                    data["per_criterion"] = held.split(',').map(ruled).collect();
                }
                let data = with(with(data, "outcome", options), "to", options);
                ("appeals.decide", with(data, "onward_deadline", options))
            }
            ["close", retention] => ("registry.close-file", json!({ "retention": retention })),
            other => panic!("no such step: {other:?}"),
        }
    }

    /// `seen -0` is the case as it is, `seen -2` two versions before, `seen -0~` a leaf that is
    /// not that version's.
    fn with_seen(&self, mut data: Value, options: &BTreeMap<&str, &str>) -> Value {
        if let Some(seen) = options.get("seen") {
            let back: u64 = seen.trim_matches(['-', '~']).parse().expect("how many versions");
            let version = Version(self.case.version.0.saturating_sub(back));
            let leaf = self.case.leaf(version).unwrap_or(case::Leaf([0; 32]));
            let leaf = if seen.ends_with('~') { case::Leaf::of(&leaf.0) } else { leaf };
            data["seen"] = json!(case::Seen { version, leaf });
        }
        data
    }

    fn finding(
        &mut self,
        criterion: &str,
        value: &str,
        options: &BTreeMap<&str, &str>,
    ) -> (&'static str, Value) {
        let mut data = json!({ "criterion": criterion, "value": value, "reason": sealed() });
        if value == "U" && options.get("because") != Some(&"-") {
            data["u_reason"] = json!(options.get("because").unwrap_or(&"no_evidence"));
        } else if let Some(reason) = options.get("because").filter(|reason| **reason != "-") {
            data["u_reason"] = json!(reason);
        }
        if let Some(item) = options.get("evidence") {
            data["evidence"] = json!([self.id(item)]);
        }
        if let Some(item) = options.get("country-info") {
            data["country_info"] = json!([self.id(item)]);
        }
        ("assessment.record-finding", with(data, "clause", options))
    }
}

/// A refusal as it stands in a table: `rejected I2 took_part`.
#[must_use]
pub fn refusal(rejection: &Rejection) -> String {
    let code: Code = rejection.code;
    match rejection.invariant() {
        Some(invariant) => format!("rejected {invariant} {}", code.as_str()),
        None => format!("rejected - {}", code.as_str()),
    }
}

trait ParseDate {
    fn parse_date(&self) -> WorldDate;
}

impl ParseDate for &str {
    fn parse_date(&self) -> WorldDate {
        WorldDate::new(self).expect("a date")
    }
}

/// Splits `by W1 on 2024-02-01 clause 1Fa` from the words of the step.
fn options<'a>(words: &[&'a str]) -> (Vec<&'a str>, BTreeMap<&'a str, &'a str>) {
    const NAMES: &[&str] = &[
        "by",
        "on",
        "profile",
        "sought",
        "as_of",
        "because",
        "evidence",
        "country-info",
        "clause",
        "grounds",
        "departure",
        "onus",
        "assessment",
        "seen",
        "outcome",
        "onward_deadline",
        "holds",
        "to",
    ];
    let mut plain = Vec::new();
    let mut options = BTreeMap::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if NAMES.contains(word) && !plain.is_empty() {
            options.insert(*word, *words.next().expect("an option has a value"));
        } else {
            plain.push(*word);
        }
    }
    (plain, options)
}

fn actor(name: &str) -> Actor {
    let role = match name.chars().next() {
        Some('A') => "applicant",
        Some('P') => "representative",
        Some('G') => "registrar",
        Some('W') => "caseworker",
        Some('R') => "reviewer",
        Some('D') => "decision_maker",
        Some('J') => "appeal_judge",
        Some('Y') => "registry",
        Some('O') => "coi_researcher",
        Some('I') => "interviewer",
        Some('T') => "interpreter",
        Some('X') => "dpo",
        Some('U') => "auditor",
        Some('S') => "service",
        _ => panic!("no such actor: {name}"),
    };
    // `J:W1` is the person W1 who acts as a judge.
    let id = name.split_once(':').map_or(name, |(_, id)| id);
    serde_json::from_value(json!({ "id": id, "role": role, "basis": "test" })).expect("an actor")
}

/// A box that no key opens: the rules never look inside.
#[must_use]
pub fn sealed() -> Value {
    let key = KeyId(Uuid::from_u128(7));
    serde_json::to_value(Sealed { key, sealed_box: "AA==".to_owned(), commit: "0".repeat(64) })
        .expect("plain values")
}

fn attached(id: Uuid) -> Value {
    json!({
        "evidence": id, "kind": "testimony", "source": sealed(), "language": "en",
        "sha256": "0".repeat(64), "size": 1, "media_type": "text/plain",
    })
}

fn country_info(id: Uuid) -> Value {
    json!({
        "evidence": id, "source": sealed(), "published": "2023-12", "valid_from": "2023",
        "language": "en", "sha256": "0".repeat(64), "size": 1, "media_type": "text/html",
    })
}

fn issue(outcome: &str, options: &BTreeMap<&str, &str>) -> Value {
    let mut data = json!({ "outcome": outcome, "reasons": sealed() });
    if let Some(grounds) = options.get("grounds") {
        data["grounds"] = grounds.split(',').map(Value::from).collect();
    }
    if options.contains_key("departure") {
        data["departure"] = sealed();
    }
    if let Some(onus) = options.get("onus") {
        data["onus"] = onus
            .split(',')
            .map(|criterion| json!({ "criterion": criterion, "reason": sealed() }))
            .collect();
    }
    with_number(data, "assessment", options)
}

/// `CP.1=N`: what a tribunal holds.
fn ruled(held: &str) -> Value {
    let (criterion, value) = held.split_once('=').expect("CRITERION=VALUE");
    json!({ "criterion": criterion, "value": value, "reason": sealed() })
}

fn with(mut data: Value, name: &str, options: &BTreeMap<&str, &str>) -> Value {
    if let Some(value) = options.get(name) {
        data[name] = json!(value);
    }
    data
}

fn with_number(mut data: Value, name: &str, options: &BTreeMap<&str, &str>) -> Value {
    if let Some(value) = options.get(name) {
        data[name] = json!(value.parse::<u64>().expect("a number"));
    }
    data
}
