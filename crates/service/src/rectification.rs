//! Rectification: the old value that is stated must be what the record says.
//!
//! The rules cannot look into a box, so the node compares here, after the rules and before the
//! append.

use case::registry::Event as RegistryEvent;
use case::registry::RecordRectified;
use case::{CaseId, Code, Event, Rejection};
use serde_json::Value;

use crate::blocking::blocking;
use crate::cases::raw_records;
use crate::node::Node;
use crate::personal::Opened;
use crate::queries::opened;
use crate::reply::{Failure, Reply};
use crate::request::Request;

impl Node {
    /// The refusal of a rectification whose field or old value is not the record's.
    pub(crate) async fn check_rectification(
        &self,
        request: &Request,
        event: &Event,
    ) -> Result<Option<Reply>, Failure> {
        let Event::Registry(RegistryEvent::RecordRectified(rectified)) = event else {
            return Ok(None);
        };
        let old = request.data.get("old").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (node, case, rectified) = (self.clone(), request.head.case, rectified.clone());
        blocking(move || node.compare(case, &rectified, &old)).await?
    }

    fn compare(
        &self,
        case: CaseId,
        rectified: &RecordRectified,
        old: &str,
    ) -> Result<Option<Reply>, Failure> {
        let records = raw_records(self.journal(), case, Some(rectified.target))?;
        let target = records.last().filter(|record| record.version.0 == rectified.target.0);
        let target = target.ok_or_else(|| Failure::unavailable("the record could not be read"))?;
        let fields = opened(self, target).map_err(Failure::unavailable)?;
        let rejection = match fields.get(rectified.field.as_str()) {
            Some(Opened::Words(words)) if words == old => return Ok(None),
            Some(Opened::Words(_)) => Rejection::new(
                Code::OldValueUnfit,
                format!(
                    "old is not what the field {} of version {} says",
                    rectified.field, rectified.target
                ),
            ),
            Some(Opened::Withheld(_)) => Rejection::new(
                Code::FieldUnfit,
                format!("the field {} cannot be opened", rectified.field),
            ),
            None => {
                let names: Vec<_> = fields.keys().map(String::as_str).collect();
                let message = format!(
                    "version {} has no personal field {}; it has: {}. Codes and dates are corrected by commands of their own",
                    rectified.target,
                    rectified.field,
                    names.join(", ")
                );
                Rejection::new(Code::FieldUnfit, message)
            }
        };
        Ok(Some(rejection.into()))
    }
}
