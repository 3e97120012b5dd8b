//! Everything between a command and its append: where it goes, its key, the seal, the rules.

use case::record::Unstamped;
use case::{
    Answer, Case, Code, Command, CommandEntry, Context, EventId, Instant, KeyId, Law, Rejection,
    Sealed, admit,
};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::Node;
use crate::blocking::blocking;
use crate::erasure;
use crate::keys;
use crate::personal::{self, SealError};
use crate::reply::{Failure, Reply};
use crate::request::Request;

/// A draft of an event, and the key that was taken for it.
pub(super) type Decided = (Unstamped, Option<KeyId>);

impl Node {
    /// Everything before the append: repeated or fresh, the seal, the rules.
    pub(super) async fn decide(&self, case: &Case, request: &Request) -> Result<Decided, Refusal> {
        self.goes_where_it_belongs(request)?;
        let (key, fresh_key) = self.key_of(case, request.entry).await?;
        let result = self.decide_with(case, request, key);
        if result.is_err() {
            self.give_back(fresh_key);
        }
        result.map(|draft| (draft, fresh_key))
    }

    /// What concerns no single case goes to the register, and nothing else does.
    fn goes_where_it_belongs(&self, request: &Request) -> Result<(), Refusal> {
        let register = self.register();
        let case = request.head.case;
        let fits = if request.entry.of_register() {
            case == register
        } else {
            self.registers().all(|register| case != register)
        };
        if fits {
            return Ok(());
        }
        let message = if request.entry.of_register() {
            format!("this goes to the authority's register: set case to {register}")
        } else {
            "this goes to a case, and the id is that of the authority's register".to_owned()
        };
        Err(Rejection::new(Code::NotTheRegister, message).into())
    }

    fn decide_with(
        &self,
        case: &Case,
        request: &Request,
        key: KeyId,
    ) -> Result<Unstamped, Refusal> {
        match erasure::answer(case, request) {
            Some(Ok(first)) => return Err(Refusal::Answer(Box::new(first))),
            Some(Err(erased)) => return Err(erased.into()),
            None => {}
        }
        let head = &request.head;
        let digest = self
            .keys()
            .digest(key, head.case.0, &request.canonical)
            .map(hex::encode)
            .map_err(|error| Failure::because(&error))?;
        if let Some(answer) = admit(case, head.id, &digest, head.expected_version)? {
            return Err(Refusal::Answer(Box::new(reply(case, answer)?)));
        }
        let context = Context {
            by: &head.actor,
            occurred: &head.occurred,
            law: Law::new(&self.inner.library).with_clocks(&self.inner.clocks),
        };
        let event = EventId(uuid::Uuid::now_v7());
        let command = self.seal(request, key, event)?;
        not_in_future(head.occurred.first_day(), &command, context.instant(case))?;
        let decided = case::decide(case, &command, &context)?;
        Ok(Unstamped {
            id: event,
            source: self.inner.source.clone(),
            case: head.case,
            command: head.id,
            correlation: head
                .correlation
                .or(case.correlation)
                .unwrap_or(case::CorrelationId(head.id.0)),
            causation: head.causation,
            digest,
            by: head.actor.clone(),
            occurred: head.occurred.clone(),
            traceparent: request.trace.clone(),
            event: decided,
        })
    }

    /// The key of the case or the register; a fresh one for a claim that is being made or registered, and
    /// for the first command to the register.
    async fn key_of(
        &self,
        case: &Case,
        entry: &CommandEntry,
    ) -> Result<(KeyId, Option<KeyId>), Refusal> {
        if let Some(key) = case.key() {
            return Ok((key, None));
        }
        if !entry.of_register() && !entry.begins_a_case() {
            let message = "there is no such case; register the claim first";
            return Err(Rejection::new(Code::UnknownCase, message).into());
        }
        let key = self.fresh_key().await?;
        Ok((key, Some(key)))
    }

    /// A fresh key from the pool. Where that is empty, one at a time waits for the disk: if each did, on
    /// a thread of its own, they would take all those on which cases are read.
    async fn fresh_key(&self) -> Result<KeyId, Failure> {
        let at_once = || self.keys().try_take().map_err(|error| Failure::because(&error));
        if let Some(key) = at_once()? {
            return Ok(key);
        }
        let _turn = self.inner.waits_for_key.lock().await;
        if let Some(key) = at_once()? {
            return Ok(key);
        }
        let node = self.clone();
        blocking(move || node.keys().take()).await?.map_err(|error| Failure::because(&error))
    }

    pub(super) fn give_back(&self, key: Option<KeyId>) {
        if let Some(key) = key {
            self.keys().give_back(key);
        }
    }

    fn seal(
        &self,
        request: &Request,
        key: KeyId,
        event: EventId,
    ) -> Result<case::Command, Refusal> {
        let mut data = request.data.clone();
        let case = request.head.case.0;
        personal::seal(request.entry, &mut data, |path, words| -> Result<Sealed, keys::Error> {
            let text = serde_json::Value::String(words.to_owned()).to_string();
            self.keys().seal(key, case, event.0, path, &text)
        })
        .map_err(|error| match error {
            SealError::Malformed(malformed) => Failure::malformed(malformed.to_string()),
            SealError::Seal(error) => Failure::because(&error),
        })?;
        (request.entry.parse)(data)
            .map_err(|malformed| Failure::malformed(malformed.to_string()).into())
    }
}

/// Why there is no event.
pub(super) enum Refusal {
    Answer(Box<Reply>),
    Failure(Failure),
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Answer(Box::new(rejection.into()))
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// A time limit must not be passed by a date that is yet to come. A day's grace covers zones, but not
/// where a command is taken only because a time is over: that is so by the node's clock, or not yet.
fn not_in_future(
    occurred: Option<Date>,
    command: &Command,
    at: Option<Instant>,
) -> Result<(), Refusal> {
    let now = Timestamp::now();
    if command.needs_time_over() && at.is_some_and(|at| at.timestamp() > now) {
        let message =
            "occurred is not yet by the node's clock, and this looks whether time is over";
        return Err(Rejection::new(Code::OccurredInFuture, message).into());
    }
    let Ok(latest) = now.checked_add(24.hours()) else { return Ok(()) };
    let latest = latest.to_zoned(jiff::tz::TimeZone::UTC).date();
    let told = command.happened().map(|(field, day)| (field, day.first_day()));
    for (field, day) in [Some(("occurred", occurred)), told].into_iter().flatten() {
        if let Some(day) = day.filter(|day| *day > latest) {
            let message = format!("{field} is {day}; a command tells what happened, not what will");
            return Err(Rejection::new(Code::OccurredInFuture, message).into());
        }
    }
    Ok(())
}

pub(super) fn accepted(case: &Case, request: &Request) -> Result<Reply, Failure> {
    let answer = case
        .answers
        .get(&request.head.id)
        .ok_or_else(|| Failure::unavailable("the answer is not in the case"))?;
    reply(case, answer)
}

fn reply(case: &Case, answer: &Answer) -> Result<Reply, Failure> {
    let id = case.id.ok_or_else(|| Failure::unavailable("the case has no id"))?;
    Ok(Reply::accepted(id, answer))
}

#[cfg(test)]
mod tests {
    use case::CaseId;
    use case::clocks::Clocks;
    use uuid::Uuid;

    use super::*;
    use crate::node::{Authority, GivenLaw};

    /// More than are made ahead at a start, and on one thread: if a claim waited on it for a key, no other
    /// task would go on meanwhile.
    #[tokio::test]
    async fn more_claims_at_once_than_keys_are_ready_get_a_key_each() {
        let home = tempfile::tempdir().unwrap();
        let authority = Authority::new("test").unwrap();
        let library = guidance::Library::embedded().unwrap();
        let law = GivenLaw { library, clocks: Clocks::embedded().clone() };
        let (node, _) = Node::open(home.path(), &authority, law, &mut |_| {}).unwrap();
        let claims = (0..600).map(|_| {
            let node = node.clone();
            async move {
                let claim = serde_json::json!({
                    "id": Uuid::now_v7(), "case": CaseId(Uuid::new_v4()), "occurred": "2026-01-05",
                    "actor": { "id": "registrar-1", "role": "registrar", "basis": "test" },
                    "data": { "name": "Maximilian", "profile": "UNHCR" },
                });
                let claim = claim.to_string();
                let request = Request::read("intake", "register-claim", claim.as_bytes()).unwrap();
                node.command(&request).await.unwrap()
            }
        });
        let answers = futures::future::join_all(claims).await;
        assert!(answers.iter().all(|answer| matches!(answer, Reply::Accepted { .. })));
        assert!(node.inner.waits_for_key.try_lock().is_ok());
    }
}
