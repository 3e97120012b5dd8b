//! One node answers on a NATS server.
//!
//! A second one, of another log or of a copy of the same, would take every other command and answer
//! half of the queries from a record that knows nothing of them; two copies of one log would each
//! acknowledge what the other never has. So a node that starts looks for another first. It is no lease:
//! two that start in the same instant do not see each other. There is one stream, and whose record comes
//! second at a position finds the other's there: its follower halts, and its commands get 503.

use std::time::Duration;

use async_nats::RequestErrorKind;

use crate::serve::QUERY_PREFIX;

/// How long a node may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether another node answers on the server.
pub(crate) async fn another_answers(client: &async_nats::Client) -> bool {
    let request = async_nats::Request::new().payload("{}".into()).timeout(Some(PATIENCE));
    match client.send_request(format!("{QUERY_PREFIX}.node"), request).await {
        // An error of the service is an answer too.
        Ok(_) => true,
        Err(error) if error.kind() == RequestErrorKind::NoResponders => false,
        Err(error) => {
            // Such as one whose machine went down, and whose connection the server has not given up.
            tracing::warn!(reason = %error, "whether another node answers on NATS is not known");
            false
        }
    }
}
