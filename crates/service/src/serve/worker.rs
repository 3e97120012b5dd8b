//! What works on a message that was taken: the command or the query, and its answer.

use async_nats::service::Request as Message;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::incoming::trace;
use super::lanes::LanePermit;
use super::sending::{send, short_messages};
use super::{Desk, Workplace};
use crate::blocking::blocking;
use crate::follower;
use crate::queries::{self, Around, Query};
use crate::reply::{Failure, Reply};
use crate::request::Request;

/// For the messages of one connection. Cheap to clone.
#[derive(Clone)]
pub(super) struct Worker {
    pub(super) common: Workplace,
    pub(super) client: async_nats::Client,
    pub(super) stopping: watch::Receiver<bool>,
}

impl Worker {
    pub(super) async fn respond(&self, message: &Message, result: Result<Bytes, Failure>) {
        if let Err(failure) = &result
            && failure.code >= 500
        {
            self.common.told.tell(failure);
        }
        send(&self.client, message, result).await;
    }

    pub(super) async fn command(&self, service: &str, message: &Message) -> Result<Bytes, Failure> {
        if let follower::Status::Halted { reason } = &*self.common.desk.follower.borrow() {
            return Err(Failure::unavailable(format!(
                "the stream and the journal contradict each other, an operator must look: {reason}"
            )));
        }
        if let Some(most) = short_messages(&self.client) {
            return Err(Failure::unavailable(format!(
                "the NATS server takes messages of up to {most} bytes now, and a record may need more: its \
                 operator must set max_payload to 1MB, as it is by default"
            )));
        }
        let name = last_token(message);
        let mut request = Request::read(service, name, &message.message.payload)?;
        request.trace = trace(message);
        let reply: Reply = match &request.file {
            None => self.common.desk.node.command(&request).await?,
            Some(file) => self.common.desk.attaching.command(&request, file).await?,
        };
        tracing::debug!(
            command = %request.entry.full_name(), case = %request.head.case,
            id = %request.head.id, "command answered"
        );
        encode(&reply)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the others need the node alone")]
    pub(super) async fn query(
        &self,
        query: Query,
        message: &Message,
        place: &LanePermit,
    ) -> Result<Bytes, Failure> {
        let payload = message.message.payload.clone();
        let Desk { node, reading, follower, timers, overheard, cuts, .. } = &self.common.desk;
        // Beside the others, for nothing is done meanwhile.
        let asked = queries::wait_for_index(node, query).await;
        let _turn = place.turn().await?;
        match query {
            Query::EvidenceCheck => {
                let (reading, query) = (reading.clone(), queries::read(&payload)?);
                let runtime = Handle::current();
                // Opening and hashing a file keeps a processor busy, and would keep it from what answers others.
                let work = move || runtime.block_on(reading.check(&query));
                encode(&blocking(work).await??)
            }
            Query::EvidenceFile => encode(&reading.open(&queries::read(&payload)?).await?),
            Query::EvidencePart => reading.part(&queries::read(&payload)?).await,
            _ => {
                let node = node.clone();
                let around = Around {
                    follower: follower.borrow().clone(),
                    timers: timers.get().map(|status| status.borrow().clone()),
                    overheard: overheard.borrow().clone(),
                    cuts: cuts.all(),
                    short: short_messages(&self.client),
                };
                let work = move || queries::answer_to(&node, &around, query, asked, &payload);
                blocking(work).await?.map(Bytes::from)
            }
        }
    }
}

pub(super) fn encode(reply: &impl serde::Serialize) -> Result<Bytes, Failure> {
    let bytes = serde_json::to_vec(reply);
    bytes.map(Bytes::from).map_err(|error| Failure::because(&error))
}

pub(super) fn last_token(message: &Message) -> &str {
    message.message.subject.rsplit('.').next().unwrap_or_default()
}
