//! esrs: the store's `persist` on an aggregate whose state is in memory.

use std::collections::HashMap;

use esrs::store::EventStore;
use esrs::store::postgres::{PgStore, PgStoreBuilder};
use esrs::{Aggregate, AggregateState};
use sqlx::PgPool;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{Failure, Store, body};

/// The crate's store, and the states: they count the records.
pub struct Esrs {
    store: PgStore<Case>,
    states: HashMap<u64, Mutex<AggregateState<()>>>,
}

impl Esrs {
    /// Makes the table by the crate's own migrations.
    pub async fn new(pool: PgPool) -> Result<Esrs, Failure> {
        let store = PgStoreBuilder::new(pool).try_build().await?;
        let state = |stream| (stream, Mutex::new(AggregateState::with_id(Uuid::new_v4())));
        let streams = crate::CALLERS * crate::STREAMS_EACH;
        Ok(Esrs { store, states: (0..streams).map(state).collect() })
    }
}

impl Store for Esrs {
    async fn append(&self, stream: u64, _number: u64) -> Result<(), Failure> {
        let state = self.states.get(&stream).ok_or("no such stream")?;
        self.store.persist(&mut *state.lock().await, vec![body()]).await?;
        Ok(())
    }
}

/// An aggregate without any state.
pub struct Case;

impl Aggregate for Case {
    const NAME: &'static str = "case";
    type State = ();
    type Command = ();
    type Event = serde_json::Value;
    type Error = std::fmt::Error;

    fn handle_command(_: &(), _: ()) -> Result<Vec<serde_json::Value>, std::fmt::Error> {
        Ok(Vec::new())
    }

    fn apply_event(_: (), _: serde_json::Value) {}
}
