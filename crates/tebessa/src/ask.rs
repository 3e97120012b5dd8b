//! Questions to the node, and its answers read into types.

use serde::Serialize;
use serde::de::DeserializeOwned;
use service::client::Client;
use service::queries::NodeReply;

use crate::output::CliError;

/// Asks a query.
pub(crate) async fn ask<T: DeserializeOwned>(
    client: &Client,
    name: &str,
    query: &impl Serialize,
) -> Result<T, CliError> {
    let body = serde_json::to_vec(query).map_err(CliError::other)?;
    let reply = client.query(name, body).await.map_err(CliError::other)?;
    read(&reply)
}

/// Asks the node how it is; its answer as it came, too.
pub(crate) async fn ask_node(client: &Client) -> Result<(NodeReply, Vec<u8>), CliError> {
    let reply = client.query("node", Vec::new()).await.map_err(CliError::other)?;
    Ok((read(&reply)?, reply.to_vec()))
}

fn read<T: DeserializeOwned>(reply: &[u8]) -> Result<T, CliError> {
    serde_json::from_slice(reply).map_err(|error| {
        let message = "the node's answer is none that this version reads; are both of one version?";
        CliError::caused(message, error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_version_is_said_to_be_one() {
        let said = service::chain(&read::<NodeReply>(br#"{"position":"1"}"#).unwrap_err());
        assert!(said.contains("are both of one version?: "), "{said}");
    }
}
