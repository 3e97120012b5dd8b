//! A firing as a command, and what its answer means.

use std::time::Duration;

use async_nats::service::NATS_SERVICE_ERROR_CODE;
use case::Code;
use case::deadlines::expiry_command;
use serde_json::json;

use super::queue::Firing;
use crate::reply::Reply;
use crate::serve::COMMAND_PREFIX;

/// How long the answer to a firing may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// After no answer, and after an acceptance whose event has not come, a firing is tried again.
const PAUSE: Duration = Duration::from_secs(5);
/// After the node said that its clock is not there yet.
const LONG_PAUSE: Duration = Duration::from_mins(1);
/// On which basis a timer acts.
const BASIS: &str = "Time limit set in the record";

/// What became of a firing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fired {
    /// Accepted, now or before: its event is in the log. Or no answer: it is tried again.
    AgainAfter(Duration),
    /// There is nothing to expire: the deadline ended or moved, and the stream will say so.
    Settled,
}

/// Sends the command of a firing and waits for its answer.
pub(super) async fn fire(client: &async_nats::Client, firing: Firing) -> Fired {
    let Firing { due, case, deadline } = firing;
    let command = json!({
        "id": expiry_command(case, deadline, due), "case": case,
        "actor": { "id": "deadlines", "role": "service", "basis": BASIS },
        "occurred": due.to_string(), "data": { "deadline": deadline, "due": due },
    });
    let request =
        async_nats::Request::new().payload(command.to_string().into()).timeout(Some(ANSWER_LIMIT));
    let answer = client.send_request(format!("{COMMAND_PREFIX}.deadlines.expire"), request).await;
    let message = match answer {
        Ok(message) => message,
        Err(error) => {
            tracing::warn!(%case, %deadline, reason = %crate::chain(&error), "no answer to a deadline's end");
            return Fired::AgainAfter(PAUSE);
        }
    };
    let failed = message.headers.as_ref().and_then(|h| h.get(NATS_SERVICE_ERROR_CODE));
    match (failed, serde_json::from_slice::<Reply>(&message.payload)) {
        (None, Ok(Reply::Accepted { position, .. })) => {
            tracing::info!(%case, %deadline, position, "a deadline ran out");
            Fired::AgainAfter(PAUSE)
        }
        (None, Ok(Reply::Rejected { code: Code::OccurredInFuture | Code::NotDue, .. })) => {
            tracing::warn!(%case, %deadline, "the node's clock is behind the timer's");
            Fired::AgainAfter(LONG_PAUSE)
        }
        (None, Ok(Reply::Rejected { code, .. })) => {
            tracing::info!(%case, %deadline, code = code.as_str(), "nothing to expire");
            Fired::Settled
        }
        (Some(code), _) => {
            tracing::warn!(%case, %deadline, code = code.as_str(), "a deadline's end failed");
            Fired::AgainAfter(PAUSE)
        }
        (None, Err(_)) => {
            tracing::warn!(%case, %deadline, "the answer to a deadline's end cannot be read");
            Fired::AgainAfter(LONG_PAUSE)
        }
    }
}
