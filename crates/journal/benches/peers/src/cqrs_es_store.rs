//! cqrs-es with postgres-es: the repository's `persist`, without loading an aggregate before it.

use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::{Failure, Store, body};

/// The crate's repository.
pub struct Cqrs(PostgresEventRepository);

impl Cqrs {
    /// Makes the table anew, as the crate's documentation has it.
    pub async fn new(pool: PgPool) -> Result<Cqrs, Failure> {
        sqlx::query("drop table if exists events").execute(&pool).await?;
        let make = "create table events (aggregate_type text not null, aggregate_id text not null, \
            sequence bigint check (sequence >= 0) not null, event_type text not null, \
            event_version text not null, payload json not null, metadata json not null, \
            primary key (aggregate_type, aggregate_id, sequence))";
        sqlx::query(make).execute(&pool).await?;
        Ok(Cqrs(PostgresEventRepository::new(pool)))
    }
}

impl Store for Cqrs {
    async fn append(&self, stream: u64, number: u64) -> Result<(), Failure> {
        let event = SerializedEvent::new(
            stream.to_string(),
            usize::try_from(number)?,
            Case::TYPE.to_owned(),
            "a".to_owned(),
            "1".to_owned(),
            body(),
            serde_json::json!({}),
        );
        self.0.persist::<Case>(&[event], None).await?;
        Ok(())
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Case;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Happened;

impl DomainEvent for Happened {
    fn event_type(&self) -> String {
        "a".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Case {
    const TYPE: &'static str = "case";
    type Command = ();
    type Event = Happened;
    type Error = std::fmt::Error;
    type Services = ();

    async fn handle(&mut self, _: (), _: &(), _: &EventSink<Case>) -> Result<(), std::fmt::Error> {
        Ok(())
    }

    fn apply(&mut self, _: Happened) {}
}
