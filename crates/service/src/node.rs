//! A node: the journal, the rules, the keys and the cases in memory, without any message.

mod decide;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use case::clocks::Clocks;
use case::record::{RecordStamp, Unstamped};
use case::{Case, CaseId, KeyId, Version};
use guidance::Library;
use journal::{Expected, Journal, StreamId};
use tokio::sync::watch;

use self::decide::{Refusal, accepted};
use crate::access::AccessLog;
pub use crate::authority::Authority;
use crate::blocking::blocking;
use crate::cases::{Cases, load};
use crate::checkpoints::{Signed, Signer};
use crate::draft::EventDraft;
use crate::keys::{self, KeyStore};
use crate::logs::Log;
use crate::registers;
use crate::reply::{Failure, Reply};
use crate::request::Request;
use crate::summaries::Summaries;

/// How many folded cases are kept in memory.
const CASES_IN_MEMORY: usize = 20_000;
/// How often a command is decided anew when somebody else was faster.
const MOST_TRIES: usize = 5;

/// Why a node could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal; see its own error.
    #[error("the journal could not be opened{}", advice(.0))]
    Journal(#[from] journal::Error),
    /// The key store; see its own error.
    #[error("the key store could not be opened")]
    Keys(#[from] keys::Error),
    /// The log has records and a file of the key store is not there: what its keys seal could not be
    /// opened, and claims would get keys of a new store, which the right one lacks. Restore it.
    #[error(
        "the log has records, but {} is missing: restore the key store beside the log, `node.key` and \
         `slots` of one copy; where they are lost for good, `tebessa up --lost-keys` begins a new one",
        .0.display()
    )]
    KeysMissing(PathBuf),
    /// The log is that of another authority, whose register would be out of sight: a mistyped name, or one
    /// that was not given. Start it under the name that the message says.
    #[error(
        "the log was made by the authority `{log}`, and this node is to be `{}`: its register would be another, \
         and no merge of persons in it would count; start it with --authority {log} (TEBESSA_AUTHORITY)",
        given.as_str()
    )]
    OtherAuthority {
        /// Whose log it is.
        log: String,
        /// Who the node was to be.
        given: Authority,
    },
    /// Which registers the log has could not be found out. Look at the index, as the message says.
    #[error("it could not be made sure which registers the log has: {}", .0.message)]
    Registers(Failure),
}

/// What helps where the log is not what it was; its own error says no more than what is wrong.
const fn advice(error: &journal::Error) -> &'static str {
    if matches!(error, journal::Error::Corrupt(_) | journal::Error::LogLostRecords { .. }) {
        "; `tebessa audit verify` looks through all of it, and `tebessa journal repair` brings back what is \
         lost, from the stream, a backup or another node"
    } else {
        ""
    }
}

/// By which law a node decides.
pub struct GivenLaw {
    /// The guidance.
    pub library: Library,
    /// The clocks by which time limits are computed.
    pub clocks: Clocks,
}

struct Inner {
    journal: Journal,
    signer: Signer,
    keys: KeyStore,
    /// Whose turn it is to wait for a key that is being made.
    waits_for_key: tokio::sync::Mutex<()>,
    access: AccessLog,
    library: Library,
    clocks: Clocks,
    cases: Cases,
    authority: Authority,
    source: String,
    register: CaseId,
    other_registers: OnceLock<Vec<CaseId>>,
    failed: watch::Sender<Option<String>>,
}

/// A node. Cheap to clone.
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

/// The journal's directory within a data directory.
#[must_use]
pub fn journal_dir(data: &Path) -> PathBuf {
    data.join("journal")
}

/// The key store's directory within a data directory: beside the log and outside it.
#[must_use]
pub fn keys_dir(data: &Path) -> PathBuf {
    data.join("keys")
}

impl Node {
    /// Opens the data directory; only one node at a time may hold it. A key store is made where the log
    /// is empty, never beside records. Whether the store that is there holds the keys that they name,
    /// [`Node::settle_keys`] finds out, and [`Node::settle_registers`] whether the log has others.
    pub fn open(
        data: &Path,
        authority: &Authority,
        law: GivenLaw,
        progress: &mut dyn FnMut(journal::Progress),
    ) -> Result<(Self, journal::OpenReport), OpenError> {
        let (journal, report) = Journal::open(
            &journal_dir(data),
            journal::Options::default(),
            Arc::new(Summaries),
            progress,
        )?;
        registers::belongs_to(&journal, report.last, authority)?;
        let store = keys_dir(data);
        if report.last.0 > 0
            && let Some(missing) = KeyStore::missing(&store)?
        {
            return Err(OpenError::KeysMissing(missing));
        }
        let keys = KeyStore::open(&store)?;
        let source = registers::source(authority);
        let inner = Inner {
            access: AccessLog::open(data, &source),
            signer: Signer::new(data, Log::Cases, journal.id()),
            journal,
            keys,
            waits_for_key: tokio::sync::Mutex::default(),
            library: law.library,
            clocks: law.clocks,
            cases: Cases::new(CASES_IN_MEMORY),
            source,
            authority: authority.clone(),
            other_registers: OnceLock::new(),
            register: case::register::id_of(authority.as_str()),
            failed: watch::Sender::new(None),
        };
        Ok((Self { inner: Arc::new(inner) }, report))
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// A log; the access log may be one that could not be opened.
    pub(crate) fn log(&self, log: Log) -> Result<&Journal, Failure> {
        match log {
            Log::Cases => Ok(self.journal()),
            Log::Access => self.access().journal(),
        }
    }

    /// Signs a log as it is now: see [`Signer::sign`]. Blocks.
    pub fn checkpoint(&self, log: Log) -> Result<Signed, Failure> {
        let signed = match log {
            Log::Cases => self.inner.signer.sign(self.journal()),
            Log::Access => self.access().signer()?.sign(self.access().journal()?),
        };
        signed.map_err(|error| Failure::because(&error))
    }

    /// Why a log could not be signed when that was tried last, if so. One that cannot be opened says so
    /// itself.
    pub(crate) fn unsigned(&self, log: Log) -> Option<String> {
        match log {
            Log::Cases => self.inner.signer.failed(),
            Log::Access => self.access().signer().ok()?.failed(),
        }
    }

    /// The guidance.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.inner.library
    }

    /// The id of the authority's register.
    #[must_use]
    pub fn register(&self) -> CaseId {
        self.inner.register
    }

    /// The authority whose record it is.
    pub(crate) fn authority(&self) -> &Authority {
        &self.inner.authority
    }

    /// The registers in the log that are not the node's own.
    pub(crate) fn registers_of_other_names(&self) -> &[CaseId] {
        self.inner.other_registers.get().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn set_other_registers(&self, others: Vec<CaseId>) {
        // Set at the start, once: no register of another name is made while a node runs.
        self.inner.other_registers.get_or_init(|| others);
    }

    /// Returns when the index has what is durable now, or is given up.
    pub(crate) async fn index_has_all(&self) {
        let last = self.journal().durable_position();
        if last.0 > 0 {
            // Where it could not be built, its summaries say so.
            let _ = self.journal().index_caught_up().wait_for(|applied| *applied >= last).await;
        }
    }

    /// The key store.
    #[must_use]
    pub fn keys(&self) -> &KeyStore {
        &self.inner.keys
    }

    /// The log of the views.
    #[must_use]
    pub fn access(&self) -> &AccessLog {
        &self.inner.access
    }

    /// Why the log can no longer be written, once it cannot: then the node must be stopped.
    #[must_use]
    pub fn failed(&self) -> watch::Receiver<Option<String>> {
        self.inner.failed.subscribe()
    }

    /// Decides a command and makes its event durable before it answers.
    ///
    /// A rejection is an answer. A failure is none: what became of the command is then found by
    /// sending it again with the same id. A command that names a file is not decided here: its
    /// file must be kept first.
    pub async fn command(&self, request: &Request) -> Result<Reply, Failure> {
        if request.file.is_some() {
            return Err(Failure::unavailable("files are taken by the evidence service only"));
        }
        self.command_with_file(request).await
    }

    /// Says how a command would be decided now, and writes nothing.
    pub(crate) async fn foresee(&self, request: &Request) -> Result<Foreseen, Failure> {
        let slot = self.inner.cases.slot(request.head.case);
        let mut guard = slot.lock().await;
        let case = match guard.take() {
            Some(case) => case,
            None => self.load(request.head.case).await?,
        };
        let decided = self.decide(&case, request).await;
        let key = case.intake.key();
        *guard = Some(case);
        match (decided, key) {
            (Err(Refusal::Answer(reply)), _) => Ok(Foreseen::Answer(*reply)),
            (Err(Refusal::Failure(failure)), _) => Err(failure),
            (Ok((_, fresh)), key) => {
                self.give_back(fresh);
                key.map(Foreseen::Fresh).ok_or_else(|| Failure::unavailable("the case has no key"))
            }
        }
    }

    /// The case as the log has it now, apart from the one that commands are decided on.
    pub(crate) async fn case(&self, id: CaseId) -> Result<Case, Failure> {
        self.load(id).await
    }

    /// Decides a command whose file, if it names one, is kept already.
    pub(crate) async fn command_with_file(&self, request: &Request) -> Result<Reply, Failure> {
        let slot = self.inner.cases.slot(request.head.case);
        let mut guard = slot.lock().await;
        for _ in 0..MOST_TRIES {
            let case = match guard.take() {
                Some(case) => case,
                None => self.load(request.head.case).await?,
            };
            let step = self.decide(&case, request).await;
            let (draft, fresh_key) = match step {
                Err(Refusal::Answer(reply)) => {
                    *guard = Some(case);
                    return Ok(*reply);
                }
                Err(Refusal::Failure(failure)) => {
                    *guard = Some(case);
                    return Err(failure);
                }
                Ok(decided) => decided,
            };
            if let Some(refused) = self.check_rectification(request, &draft.event).await? {
                *guard = Some(case);
                return Ok(refused);
            }
            match self.append(&case, draft).await {
                Ok(recorded) => {
                    let mut case = case;
                    case.evolve(&recorded);
                    if let Some(erased) = &case.registry.erased {
                        self.destroy_key(erased.key).await;
                    }
                    let reply = accepted(&case, request)?;
                    *guard = Some(case);
                    return Ok(reply);
                }
                Err(error) => {
                    // The draft was not written, or nobody knows: in both cases the case is read
                    // again from the log before anything else is decided on it.
                    if let journal::Error::Conflict { .. } = error {
                        self.give_back(fresh_key);
                        continue;
                    }
                    if let journal::Error::Encode { .. } | journal::Error::TooLong { .. } = error {
                        self.give_back(fresh_key);
                        return Err(Failure::too_large(crate::chain(&error)));
                    }
                    let reason = crate::chain(&error);
                    if let journal::Error::Poisoned(_) = error {
                        self.inner.failed.send_replace(Some(reason.clone()));
                    }
                    return Err(Failure::unavailable(reason));
                }
            }
        }
        Err(Failure::conflict("others changed the case several times meanwhile; send again"))
    }

    async fn load(&self, id: CaseId) -> Result<Case, Failure> {
        let head = self.journal().head(StreamId(id.0));
        if head.map_err(|error| Failure::because(&error))?.is_none() {
            return Ok(Case::default());
        }
        let journal = self.journal().clone();
        blocking(move || load(&journal, id, None)).await?
    }

    async fn append(
        &self,
        case: &Case,
        draft: Unstamped,
    ) -> Result<case::Recorded, journal::Error> {
        let stream = StreamId(draft.case.0);
        let prev = self
            .journal()
            .head(stream)?
            .map_or(journal::LeafHash::NONE, |head| head.leaf)
            .to_string();
        let expected = Expected::Exactly(journal::Version(case.version.0));
        let appended = self.journal().append(&EventDraft(&draft), expected).await?;
        let stamp =
            RecordStamp { version: Version(appended.version.0), prev: &prev, time: appended.time };
        Ok(draft.recorded(&stamp, appended.position.0, case::Leaf(appended.leaf.0)))
    }
}

/// How a command would be decided now.
pub(crate) enum Foreseen {
    /// It would get this answer: it was accepted before, or is refused.
    Answer(Reply),
    /// It would be accepted; the key of the case seals what belongs to it.
    Fresh(KeyId),
}
