//! The way of a file out: `tebessa.query.evidence-file` opens it, `tebessa.query.evidence-part`
//! gives its bytes.
//!
//! A part is answered with the bytes themselves. It is asked for by a ticket that the first query
//! gave, so that the parts are those of one file as it was found, and no ticket is given before the view is
//! durable in the access log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use case::token::Sha256Hex;
use case::{CaseId, EvidenceId, KeyId};
use uuid::Uuid;

use super::store::{PART, parts};
use super::{Documents, Error, name_of};
use crate::access::{View, Viewed, Viewer};
use crate::node::Node;
use crate::reply::Failure;

/// How long a ticket is good after its last use.
const TICKET_LIFE: Duration = Duration::from_hours(1);
/// How many tickets there are at the most; beyond, those that were not used for longest end.
const MOST_TICKETS: usize = 1_000;

/// Opens the file of an item of evidence for reading.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    /// The case.
    pub case: CaseId,
    /// The item.
    pub evidence: EvidenceId,
    /// Who asks; recorded in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
}

/// A file that is open for reading.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct FileReply {
    /// The case.
    pub case: CaseId,
    /// The item.
    pub evidence: EvidenceId,
    /// SHA-256 of the file, as the record has it. Whoever reads the parts compares.
    pub sha256: Sha256Hex,
    /// The file's size in bytes.
    pub size: u64,
    /// How many parts it has; they are numbered from 0.
    pub parts: u64,
    /// The size of every part but the last, in bytes.
    pub part_bytes: u64,
    /// What the parts are asked for with; good for an hour after its last use, on this node.
    #[schemars(with = "String")]
    pub ticket: Uuid,
}

/// Asks for a part of a file. The answer is its bytes.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct PartQuery {
    /// The ticket.
    #[schemars(with = "String")]
    pub ticket: Uuid,
    /// Which part, from 0.
    pub part: u64,
}

/// A file of evidence that is kept, as the record has it.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) key: KeyId,
    pub(super) case: CaseId,
    pub(super) sha256: Sha256Hex,
    pub(super) size: u64,
}

/// What a ticket opens.
#[derive(Clone)]
struct Ticket {
    name: String,
    kept: Kept,
    used: Instant,
}

/// Answers the two queries. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reading {
    node: Node,
    pub(super) documents: Documents,
    tickets: Arc<Mutex<HashMap<Uuid, Ticket>>>,
}

impl Reading {
    pub(crate) fn new(node: Node, documents: Documents) -> Self {
        Self { node, documents, tickets: Arc::default() }
    }

    /// Finds the file and gives a ticket for it.
    pub(crate) async fn open(&self, query: &FileQuery) -> Result<FileReply, Failure> {
        let kept = self.kept(query.case, query.evidence).await?;
        let name = self.name(&kept)?;
        if !self.documents.store.holds(&name).await? {
            return Err(Error::Missing { name }.into());
        }
        let viewed = Viewed {
            opened: true,
            evidence: Some(query.evidence),
            ..Viewed::unopened(View::EvidenceFile, query.case, query.viewer.clone())
        };
        self.node.access().record(viewed).await?;
        let Kept { ref sha256, size, .. } = kept;
        Ok(FileReply {
            case: query.case,
            evidence: query.evidence,
            sha256: sha256.clone(),
            size,
            parts: parts(size),
            part_bytes: PART,
            ticket: self.issue(Ticket { name, kept, used: Instant::now() }),
        })
    }

    /// Reads and opens one part.
    pub(crate) async fn part(&self, query: &PartQuery) -> Result<Bytes, Failure> {
        let Ticket { name, kept, .. } = self.ticket(query.ticket).ok_or_else(|| {
            Failure::not_found("the ticket is not good any more; open the file again")
        })?;
        if query.part >= parts(kept.size) {
            let parts = parts(kept.size);
            return Err(Failure::malformed(format!("part: the file has parts 0 to {}", parts - 1)));
        }
        Ok(self.read(&name, &kept, query.part).await?)
    }

    /// The file that is kept of an item; 404 where there is none.
    pub(super) async fn kept(&self, id: CaseId, evidence: EvidenceId) -> Result<Kept, Failure> {
        let case = self.node.case(id).await?;
        let key = case.intake.key();
        let key = key.ok_or_else(|| Failure::no_case(id))?;
        let item = case.evidence.items.get(&evidence);
        let item =
            item.ok_or_else(|| Failure::not_found(format!("the case has no evidence {evidence}")))?;
        let Some(size) = item.upload.and(item.size) else {
            return Err(Failure::not_found("of this item only the digest is kept, not the file"));
        };
        Ok(Kept { key, case: id, sha256: item.sha256.clone(), size })
    }

    /// The name of a kept file in the store.
    pub(super) fn name(&self, kept: &Kept) -> Result<String, Error> {
        name_of(&self.node, kept.key, kept.case, &kept.sha256)
    }

    /// The plaintext of one part, which must be one of the file's.
    pub(super) async fn read(&self, name: &str, kept: &Kept, part: u64) -> Result<Bytes, Error> {
        let keys = self.node.keys();
        let cipher =
            |salt: &_| Ok(keys.document_cipher(kept.key, kept.case, kept.sha256.as_str(), salt)?);
        self.documents.store.part(name, kept.size, part, cipher).await
    }

    fn issue(&self, ticket: Ticket) -> Uuid {
        let id = Uuid::new_v4();
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.retain(|_, ticket| ticket.used.elapsed() < TICKET_LIFE);
        while tickets.len() >= MOST_TICKETS {
            let oldest = tickets.iter().min_by_key(|(_, ticket)| ticket.used).map(|(id, _)| *id);
            let Some(oldest) = oldest else { break };
            tickets.remove(&oldest);
        }
        tickets.insert(id, ticket);
        id
    }

    fn ticket(&self, id: Uuid) -> Option<Ticket> {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = tickets.get_mut(&id).filter(|ticket| ticket.used.elapsed() < TICKET_LIFE)?;
        ticket.used = Instant::now();
        Some(ticket.clone())
    }
}
