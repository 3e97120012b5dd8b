//! Whose log it is, and which registers it has.
//!
//! The register that a node asks follows from its authority's name. Under another name it would be an empty
//! one in the same log, and no merge of persons would hold: who is barred by another claim would be cleared.

use std::borrow::Cow;

use case::{CaseId, PersonId, register};
use journal::{Journal, Position, Record, StreamId};

use crate::authority::Authority;
use crate::blocking::blocking;
use crate::cases::load;
use crate::node::{Node, OpenError};
use crate::reply::Failure;
use crate::summaries::without_summary;

/// What begins the source of each record.
const SOURCE: &str = "tebessa/";

/// The source of an authority's records.
pub(crate) fn source(authority: &Authority) -> String {
    format!("{SOURCE}{}", authority.as_str())
}

/// Whose record it is, where it says so.
fn authority_of(record: &Record) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Said<'a> {
        #[serde(borrow)]
        source: Cow<'a, str>,
    }
    let said: Said<'_> = serde_json::from_slice(&record.bytes).ok()?;
    said.source.strip_prefix(SOURCE).map(ToOwned::to_owned)
}

fn authority_at(journal: &Journal, at: Position) -> Result<Option<String>, journal::Error> {
    Ok(journal.read(at, 1)?.first().and_then(authority_of))
}

/// Refuses a log that was made by another authority, by what its first record and its last one say. A log
/// that changed its name, when that was not refused yet, goes by either, and by that of a register in it.
pub(crate) fn belongs_to(
    journal: &Journal,
    last: Position,
    authority: &Authority,
) -> Result<(), OpenError> {
    let own = register::id_of(authority.as_str());
    if last.0 == 0 || journal.head(StreamId(own.0))?.is_some() {
        return Ok(());
    }
    let mut names = Vec::new();
    for at in [Position(1), last] {
        names.extend(authority_at(journal, at)?.filter(|name| !names.contains(name)));
    }
    if names.is_empty() || names.iter().any(|name| name == authority.as_str()) {
        return Ok(());
    }
    Err(OpenError::OtherAuthority { log: names.join(" and "), given: authority.clone() })
}

impl Node {
    /// Finds the registers of other names in the log, which one that changed its name has: their merges hold
    /// as well. Waits until the index has the whole log. Fails where these are the only ones, for then the
    /// node has the name that is not the log's; and where they cannot be known.
    pub async fn settle_registers(&self) -> Result<(), OpenError> {
        self.index_has_all().await;
        let node = self.clone();
        let found = blocking(move || node.other_registers()).await.and_then(|found| found);
        let found = found.map_err(OpenError::Registers)?;
        let Some((_, name)) = found.first() else { return Ok(()) };
        let own = self.journal().head(StreamId(self.register().0))?;
        if own.is_none() {
            return Err(OpenError::OtherAuthority {
                log: name.clone(),
                given: self.authority().clone(),
            });
        }
        for (register, authority) in &found {
            tracing::warn!(
                %register, authority,
                "the log has a register of another name, from before that was refused: its merges of persons \
                 hold too, and are reversed under that name"
            );
        }
        self.set_other_registers(found.into_iter().map(|(register, _)| register).collect());
        Ok(())
    }

    /// Registers that are not this node's, each with its authority. Only what is no case has no summary.
    fn other_registers(&self) -> Result<Vec<(CaseId, String)>, Failure> {
        let mut found = Vec::new();
        for (stream, first) in without_summary(self.journal())? {
            let authority = authority_at(self.journal(), first);
            let authority = authority.map_err(|error| Failure::because(&error))?;
            found.extend(authority.map(|name| (CaseId(stream.0), name)));
        }
        found.retain(|(id, name)| *id != self.register() && *id == register::id_of(name));
        Ok(found)
    }

    /// All registers of the log, the node's own first.
    pub(crate) fn registers(&self) -> impl Iterator<Item = CaseId> {
        std::iter::once(self.register()).chain(self.registers_of_other_names().iter().copied())
    }

    /// Refuses a register where a case is asked for.
    pub(crate) fn no_register(&self, id: CaseId) -> Result<(), Failure> {
        if self.registers().any(|register| register == id) {
            return Err(Failure::is_register(id));
        }
        Ok(())
    }

    /// All ids that mean a person, through all merges that hold in any register: the one that leads in the
    /// node's own first.
    pub(crate) fn same_person(&self, person: PersonId) -> Result<Vec<PersonId>, Failure> {
        let mut registers = Vec::new();
        for id in self.registers() {
            registers.push(load(self.journal(), id, None)?.register);
        }
        Ok(through_all(&registers, person))
    }
}

/// The ids that mean a person in any of the registers, or in one by way of another.
fn through_all(registers: &[register::State], person: PersonId) -> Vec<PersonId> {
    let mut ids = registers.first().map_or_else(|| vec![person], |own| own.same_person(person));
    let mut looked_up = 0;
    while let Some(id) = ids.get(looked_up).copied() {
        for same in registers.iter().flat_map(|register| register.same_person(id)) {
            if !ids.contains(&same) {
                ids.push(same);
            }
        }
        looked_up += 1;
    }
    ids
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use case::clocks::Clocks;
    use journal::{Draft, Expected, Options};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::keys::KeyStore;
    use crate::node::{GivenLaw, journal_dir, keys_dir};
    use crate::reply::Reply;
    use crate::request::Request;
    use crate::summaries::Summaries;

    fn open(data: &Path, authority: &str) -> Result<Node, OpenError> {
        let library = guidance::Library::embedded().unwrap();
        let law = GivenLaw { library, clocks: Clocks::embedded().clone() };
        let authority = Authority::new(authority).unwrap();
        Node::open(data, &authority, law, &mut |_| {}).map(|(node, _)| node)
    }

    async fn accepted(node: &Node, case: CaseId, command: &str, data: Value) {
        let (service, name) = command.split_once('.').unwrap();
        let command = json!({
            "id": Uuid::now_v7(), "case": case, "occurred": "2026-01-05", "data": data,
            "actor": { "id": "somebody-1", "role": "registrar", "basis": "test" },
        });
        let request = Request::read(service, name, command.to_string().as_bytes()).unwrap();
        let reply = node.command(&request).await.unwrap();
        assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
    }

    async fn merge(node: &Node, from: PersonId, into: PersonId) {
        let merge = json!({ "merge": Uuid::new_v4(), "from": from, "into": into,
            "reason": "One person.", "approver": "somebody-2" });
        accepted(node, node.register(), "registry.merge-persons", merge).await;
    }

    async fn claim(node: &Node) {
        let claim = json!({ "name": "Maximilian", "profile": "UNHCR" });
        accepted(node, CaseId(Uuid::new_v4()), "intake.register-claim", claim).await;
    }

    fn records(node: &Node) -> Vec<Record> {
        node.journal().read(Position(1), 1_000).unwrap()
    }

    /// A record of one log that goes into another.
    struct Again(StreamId, Value);

    impl Draft for Again {
        fn stream(&self) -> StreamId {
            self.0
        }
    }

    impl serde::Serialize for Again {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            self.1.serialize(to)
        }
    }

    /// A data directory with such a log as a node made that was given one name and then another.
    async fn log_of(data: &Path, records: Vec<Record>) {
        drop(KeyStore::open(&keys_dir(data)).unwrap());
        let (journal, _) = Journal::open(
            &journal_dir(data),
            Options::default(),
            Arc::new(Summaries),
            &mut |_: journal::Progress| {},
        )
        .unwrap();
        for record in records {
            let mut value: Value = serde_json::from_slice(&record.bytes).unwrap();
            for stamped in ["time", "caseversion", "prev"] {
                value[stamped] = Value::Null;
            }
            journal.append(&Again(record.stream, value), Expected::Any).await.unwrap();
        }
        journal.close().unwrap();
    }

    fn person() -> PersonId {
        PersonId(Uuid::new_v4())
    }

    fn log_is_of(refused: Result<Node, OpenError>) -> String {
        match refused {
            Err(OpenError::OtherAuthority { log, .. }) => log,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was opened"),
        }
    }

    async fn settled(data: &Path, authority: &str) -> Result<Node, OpenError> {
        let node = open(data, authority)?;
        node.settle_registers().await.map(|()| node)
    }

    #[tokio::test]
    async fn a_log_is_opened_under_its_own_name_only_whether_it_has_a_register_or_not() {
        let home = tempfile::tempdir().unwrap();
        let node = open(home.path(), "bamf").unwrap();
        claim(&node).await;
        drop(node);
        assert_eq!(log_is_of(open(home.path(), "bmaf")), "bamf");
        let node = settled(home.path(), "bamf").await.unwrap();
        merge(&node, person(), person()).await;
        drop(node);
        assert_eq!(log_is_of(open(home.path(), "bmaf")), "bamf");
        assert_eq!(settled(home.path(), "bamf").await.unwrap().registers().count(), 1);
    }

    #[tokio::test]
    async fn a_log_that_changed_its_name_goes_by_the_name_of_its_register() {
        let home = tempfile::tempdir().unwrap();
        let node = open(&home.path().join("one"), "local").unwrap();
        claim(&node).await;
        let mut both = records(&node);
        let node = open(&home.path().join("two"), "bamf").unwrap();
        merge(&node, person(), person()).await;
        both.extend(records(&node));
        let data = home.path().join("both");
        log_of(&data, both).await;
        assert_eq!(log_is_of(settled(&data, "local").await), "bamf");
        assert_eq!(log_is_of(settled(&data, "bmaf").await), "local and bamf");
        settled(&data, "bamf").await.unwrap();
    }

    #[tokio::test]
    async fn merges_of_all_registers_hold_where_a_log_has_two() {
        let home = tempfile::tempdir().unwrap();
        let persons = [person(), person(), person()];
        let node = open(&home.path().join("one"), "bamf").unwrap();
        merge(&node, persons[0], persons[1]).await;
        let mut both = records(&node);
        let node = open(&home.path().join("two"), "bmaf").unwrap();
        merge(&node, persons[1], persons[2]).await;
        both.extend(records(&node));
        let data = home.path().join("both");
        log_of(&data, both).await;
        for name in ["bamf", "bmaf"] {
            let node = settled(&data, name).await.unwrap();
            for person in persons {
                let mut same = node.same_person(person).unwrap();
                same.sort_by_key(|person| persons.iter().position(|other| other == person));
                assert_eq!(same, persons, "{name}");
            }
            let other = node.registers().nth(1).unwrap();
            assert!(node.no_register(other).is_err());
        }
    }
}
