//! The exchange as one `AsyncAPI` document, for the tools of integrators: every subject with its
//! messages, made from the catalogue, the queries and their schemas.
//!
//! `AsyncAPI` 3.0.0 with the NATS binding 0.1.0. What that does not say of streams stands in `x-` members.

use serde_json::{Map, Value, json};

use crate::queries::Query;
use crate::serve::{COMMAND_PREFIX, QUERY_PREFIX};

/// The queue group of the NATS service API, of which each message reaches one member.
const QUEUE: &str = "q";
/// The form of the files in `schemas/`.
const SCHEMA_FORMAT: &str = "application/schema+json;version=draft-2020-12";

const DESCRIPTION: &str = "\
The record of protection claims by people who flee conscription. A command is a request and is \
answered when its event is durable; a query is a request; every event is in a JetStream stream, whose \
sequence is the event's position in the log. Payloads are JSON, but for the parts of files.";

const FAILURE: &str = "\
No answer: 400 malformed, 404 no such case or item, 409 conflict after retries, 413 too large, 503 try \
again or see to the node. It has no payload.";

/// The document. References are to the files beside it, in `schemas/`.
#[must_use]
pub fn document() -> Value {
    let mut parts = Parts::default();
    parts.replies();
    for entry in case::commands() {
        parts.command(&entry.full_name(), entry.service, entry.summary);
    }
    for query in Query::ALL {
        parts.query(*query);
    }
    for entry in case::events() {
        parts.event(entry.kind, entry.summary);
    }
    let Parts { channels, operations, messages } = parts;
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tebessa",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "127.0.0.1:4222",
                "protocol": "nats",
                "description": "NATS 2.14.5 or later with JetStream. `tebessa up` prints its URL.",
            },
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": {
                "traced": {
                    "type": "object",
                    "properties": {
                        "traceparent": {
                            "type": "string",
                            "description": "W3C Trace Context; it goes into the event.",
                        },
                    },
                },
            },
        },
    })
}

#[derive(Default)]
struct Parts {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    messages: Map<String, Value>,
}

impl Parts {
    /// What several operations are answered with.
    fn replies(&mut self) {
        let payload = payload("replies/command.json");
        let summary = "Accepted and durable, or rejected by the rules.";
        let reply = json!({ "name": "reply", "summary": summary, "payload": payload });
        self.messages.insert("replies.command".to_owned(), reply);
        let text = |description: &str| json!({ "type": "string", "description": description });
        let failure = json!({
            "name": "failure",
            "summary": FAILURE,
            "headers": {
                "type": "object",
                "required": ["Nats-Service-Error", "Nats-Service-Error-Code"],
                "properties": {
                    "Nats-Service-Error": text("What was wrong, where, and what to do."),
                    "Nats-Service-Error-Code": text("The number, such as 400."),
                },
            },
        });
        self.messages.insert("failure".to_owned(), failure);
        self.reply_channel("replies.command");
    }

    /// The channel of a reply: its address is the inbox that the request names.
    fn reply_channel(&mut self, name: &str) {
        let messages = json!({ "reply": message(name), "failure": message("failure") });
        self.channels.insert(name.to_owned(), json!({ "address": null, "messages": messages }));
    }

    /// A subject on which the node answers requests.
    fn request(&mut self, name: &str, subject: &str, reply: &str, tag: &str, summary: &str) {
        let asked = json!({ "address": subject, "messages": { "request": message(name) } });
        self.channels.insert(name.to_owned(), asked);
        let channel = channel(reply);
        let of_reply =
            |which: &str| json!({ "$ref": format!("#/channels/{reply}/messages/{which}") });
        let operation = json!({
            "action": "receive",
            "channel": self::channel(name),
            "summary": summary,
            "tags": [{ "name": tag }],
            "bindings": { "nats": { "queue": QUEUE, "bindingVersion": "0.1.0" } },
            "reply": { "channel": channel, "messages": [of_reply("reply"), of_reply("failure")] },
        });
        self.operations.insert(name.to_owned(), operation);
    }

    fn command(&mut self, full_name: &str, service: &str, summary: &str) {
        let name = format!("commands.{full_name}");
        let said = json!({
            "name": full_name,
            "summary": summary,
            "headers": { "$ref": "#/components/schemas/traced" },
            "payload": payload(&format!("commands/{full_name}.json")),
        });
        self.messages.insert(name.clone(), said);
        let subject = format!("{COMMAND_PREFIX}.{full_name}");
        self.request(&name, &subject, "replies.command", service, summary);
    }

    fn query(&mut self, query: Query) {
        let (name, summary) = (format!("queries.{}", query.name()), query.sentence());
        let payload_of = |folder: &str| payload(&format!("{folder}/{}.json", query.name()));
        let asked =
            json!({ "name": query.name(), "summary": summary, "payload": payload_of("queries") });
        self.messages.insert(name.clone(), asked);
        let reply = format!("replies.{}", query.name());
        let answer = if query == Query::EvidencePart {
            let bytes = "Bytes of the file, as they are.";
            let content = "application/octet-stream";
            json!({ "name": "part", "summary": bytes, "contentType": content })
        } else {
            json!({ "name": query.name(), "payload": payload_of("replies") })
        };
        self.messages.insert(reply.clone(), answer);
        self.reply_channel(&reply);
        let subject = format!("{QUERY_PREFIX}.{}", query.name());
        self.request(&name, &subject, &reply, "queries", summary);
    }

    /// An event; all versions of its type have one subject.
    fn event(&mut self, kind: &str, summary: &str) {
        let said = kind.strip_prefix("tebessa.").unwrap_or(kind);
        let subject = said.rsplit_once(".v").map_or(said, |(subject, _)| subject);
        let service = subject.split('.').next().unwrap_or(subject);
        let text = |description: &str| json!({ "type": "string", "description": description });
        let event = json!({
            "name": kind,
            "summary": summary,
            "contentType": "application/cloudevents+json",
            "headers": {
                "type": "object",
                "required": ["Nats-Msg-Id"],
                "properties": {
                    "Nats-Msg-Id": text("The event's id, by which the stream knows it again."),
                    "traceparent": text("The trace of the command."),
                },
            },
            "payload": payload(&format!("events/{kind}.json")),
        });
        self.messages.insert(format!("events.{said}"), event);
        let name = format!("events.{subject}");
        let fresh = json!({
            "address": format!("tebessa.case.{{case}}.{subject}"),
            "parameters": { "case": { "description": "The case: an opaque id." } },
            "messages": {},
            "x-jetstream": { "stream": crate::follower::STREAM },
        });
        let channel = self.channels.entry(name.clone()).or_insert(fresh);
        if let Some(messages) = channel["messages"].as_object_mut() {
            messages.insert(said.to_owned(), message(&format!("events.{said}")));
        }
        let operation = json!({
            "action": "send",
            "channel": self::channel(&name),
            "summary": summary,
            "tags": [{ "name": service }],
        });
        self.operations.insert(name, operation);
    }
}

fn message(name: &str) -> Value {
    json!({ "$ref": format!("#/components/messages/{name}") })
}

fn channel(name: &str) -> Value {
    json!({ "$ref": format!("#/channels/{name}") })
}

fn payload(file: &str) -> Value {
    json!({ "schemaFormat": SCHEMA_FORMAT, "schema": { "$ref": format!("./{file}") } })
}
