//! A record as a message: its subject and headers, taken from its envelope.

use std::borrow::Cow;

use async_nats::HeaderMap;
use async_nats::header::{NATS_EXPECTED_LAST_SEQUENCE, NATS_EXPECTED_STREAM, NATS_MESSAGE_ID};
use uuid::Uuid;

/// The subjects of the stream.
pub(super) const SUBJECTS: &str = "tebessa.case.>";

/// The fields of a record that its message shows. The rest is not looked at.
#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    #[serde(borrow, default)]
    traceparent: Option<Cow<'a, str>>,
}

/// What a record is published with.
#[derive(Debug)]
pub(super) struct Addressed {
    pub(super) subject: String,
    pub(super) headers: HeaderMap,
}

/// Addresses a record; none when its envelope is not one of ours.
pub(super) fn address(position: u64, record: &[u8]) -> Option<Addressed> {
    let envelope: Envelope<'_> = serde_json::from_slice(record).ok()?;
    let subject = subject(&envelope.subject, &envelope.kind)?;
    canonical(&envelope.id)?;
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, envelope.id.as_ref());
    headers.insert(NATS_EXPECTED_STREAM, super::STREAM);
    headers.insert(NATS_EXPECTED_LAST_SEQUENCE, position.checked_sub(1)?.to_string());
    headers.insert("Content-Type", "application/cloudevents+json");
    if let Some(trace) = envelope.traceparent.filter(|trace| is_trace(trace)) {
        headers.insert("traceparent", trace.as_ref());
    }
    Some(Addressed { subject, headers })
}

/// The subject of an event: `tebessa.case.<case id>.<service>.<event>`. The type is
/// `tebessa.<service>.<event>.v<number>`, its words in kebab case. None when the case id is
/// not in canonical form or the type is none of ours, so that nothing of a record can change what
/// a subject matches.
#[must_use]
pub fn subject(case: &str, kind: &str) -> Option<String> {
    canonical(case)?;
    let mut parts = kind.strip_prefix("tebessa.")?.split('.');
    let (service, event, version) = (parts.next()?, parts.next()?, parts.next()?);
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'-'))
    };
    let number = version.strip_prefix('v')?;
    let is_version = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_word(service) || !is_word(event) || !is_version || parts.next().is_some() {
        return None;
    }
    Some(format!("tebessa.case.{case}.{service}.{event}"))
}

fn canonical(text: &str) -> Option<()> {
    let id = Uuid::try_parse(text).ok()?;
    (id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(())
}

fn is_trace(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = "0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11";
    const EVENT: &str = "01985d00-0000-7000-8000-000000000001";

    #[test]
    fn a_type_gives_service_and_event() {
        assert_eq!(
            subject(CASE, "tebessa.intake.claim-registered.v1"),
            Some(format!("tebessa.case.{CASE}.intake.claim-registered"))
        );
        assert_eq!(
            subject(CASE, "tebessa.appeals.filed.v12"),
            Some(format!("tebessa.case.{CASE}.appeals.filed"))
        );
    }

    #[test]
    fn nothing_in_a_record_can_widen_a_subject() {
        for kind in [
            "tebessa.intake.*.v1",
            "tebessa.>.filed.v1",
            "tebessa.appeals.filed",
            "tebessa.appeals.filed.v",
            "tebessa.appeals.filed.v1.x",
            "tebessa.appeals..v1",
            "other.appeals.filed.v1",
            "tebessa.appeals.fi led.v1",
            "tebessa.evidence.item_attached.v1",
        ] {
            assert_eq!(subject(CASE, kind), None, "{kind}");
        }
        for case in ["*", "", "a.b", "0B9F4CE8-2C1E-4A7E-9F0A-3F1F6F0F7A11"] {
            assert_eq!(subject(case, "tebessa.appeals.filed.v1"), None, "{case}");
        }
    }

    #[test]
    fn a_message_names_its_event_and_the_sequence_before_it() {
        let record = format!(
            r#"{{"id":"{EVENT}","type":"tebessa.appeals.filed.v1","subject":"{CASE}","traceparent":"00-0af7-b7ad-01","data":{{}}}}"#
        );
        let addressed = address(17, record.as_bytes()).unwrap();
        let header = |name: &str| addressed.headers.get(name).map(ToString::to_string);
        assert_eq!(header("Nats-Msg-Id").as_deref(), Some(EVENT));
        assert_eq!(header("Nats-Expected-Last-Sequence").as_deref(), Some("16"));
        assert_eq!(header("Content-Type").as_deref(), Some("application/cloudevents+json"));
        assert_eq!(header("traceparent").as_deref(), Some("00-0af7-b7ad-01"));
    }

    #[test]
    fn a_record_that_is_not_ours_has_no_address() {
        assert!(address(1, b"not json").is_none());
        assert!(address(1, br#"{"id":"1","type":"x","subject":"y"}"#).is_none());
    }
}
