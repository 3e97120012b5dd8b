//! The way of a file in: from the inbox, past size and digest, into the store; then its command.

use case::evidence::File;
use case::{CaseId, Code, KeyId, Rejection};
use futures::stream::BoxStream;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;
use zeroize::Zeroizing;

use super::entrance::Place;
use super::inbox::{Inbox, NotRead, Pieces};
use super::slips::Slip;
use super::store::{Expected, NotKept};
use super::{Documents, Error, MOST_DOCUMENT_BYTES, name_of};
use crate::blocking::blocking;
use crate::nats::KeptLine;
use crate::node::{Foreseen, Node};
use crate::reply::{Failure, Reply};
use crate::request::Request;

/// So much of an upload is read at a time where only its digest is wanted.
const PIECE: usize = 128 << 10;

/// Takes commands with files. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Attaching {
    node: Node,
    documents: Documents,
    inbox: Inbox,
}

/// Why a file was not taken.
enum NotTaken {
    /// The file does not fit: an answer.
    Refused(Rejection),
    /// No answer.
    Failed(Failure),
}

impl Attaching {
    /// Files come by way of this connection; what nobody asks for lies in the inbox for `age`.
    pub(crate) fn new(
        node: Node,
        documents: Documents,
        line: KeptLine,
        age: std::time::Duration,
    ) -> Self {
        Self { node, documents, inbox: Inbox::new(line, age) }
    }

    /// Makes the inbox, so that files can come before the first command does.
    pub(crate) async fn ready(&self) {
        if let Err(NotRead::Away(reason)) = self.inbox.ensure().await {
            tracing::warn!(reason, "the inbox for files is not there yet");
        }
    }

    /// What the server says each time when somebody deleted the inbox; nothing where it does not say so.
    pub(crate) async fn inbox_deleted(&self) -> BoxStream<'static, ()> {
        self.inbox.deleted().await
    }

    /// Refuses the commands that wait until a file can be taken in, and those that come. What is being
    /// taken in goes on, and its command has its answer.
    pub(crate) fn refuse_waiting(&self) {
        self.documents.entrance.close();
    }

    /// Decides a command that comes with a file. A file is read only for a command that would be
    /// accepted, and a command is accepted only when its file is kept. Where too many files are waited
    /// for already, it is refused at once.
    pub(crate) async fn command(&self, request: &Request, file: &File) -> Result<Reply, Failure> {
        let case = request.head.case;
        let key = match self.node.foresee(request).await? {
            Foreseen::Answer(reply) => {
                if let Reply::Accepted { .. } = reply {
                    let taken = match self.documents.entrance.enter() {
                        Ok(place) => self.same(file, &place).await,
                        Err(_) => None,
                    };
                    self.inbox.remove(file.upload, taken).await;
                }
                return Ok(reply);
            }
            Foreseen::Fresh(key) => key,
        };
        if file.size > MOST_DOCUMENT_BYTES {
            let message = format!(
                "the file has {} bytes; at most {MOST_DOCUMENT_BYTES} are kept: split it",
                file.size
            );
            return Ok(Rejection::new(Code::FileTooLarge, message).into());
        }
        let place = self.documents.entrance.enter()?;
        let name = name_of(&self.node, key, case, &file.sha256)?;
        let turn = self.documents.turn(&name).ok_or_else(|| Failure::unavailable("no turn"))?;
        let _turn = turn.lock().await;
        let slip = Slip { case, sha256: file.sha256.clone() };
        let (slips, of, written) = (self.documents.slips.clone(), name.clone(), slip.clone());
        blocking(move || slips.write(&of, &written)).await??;
        let (answer, taken) = match self.take(&name, key, case, file, &place).await {
            Ok(taken) => (self.node.command_with_file(request).await, taken),
            Err(NotTaken::Refused(rejection)) => {
                self.inbox.remove(file.upload, None).await;
                (Ok(rejection.into()), None)
            }
            Err(NotTaken::Failed(failure)) => (Err(failure), None),
        };
        self.documents.settle(&self.node, &name, &slip).await;
        if let Ok(Reply::Accepted { .. }) = answer {
            self.inbox.remove(file.upload, taken).await;
        }
        answer
    }

    /// The pieces of an upload that is the file which is kept already: read whole, so that none of them stays
    /// behind in clear. What is another file, or cannot be read, is left to its age.
    async fn same(&self, file: &File, place: &Place) -> Option<Pieces> {
        let _turn = place.turn().await.ok()?;
        let mut upload = self.inbox.open(file.upload, file.size).await.ok()?;
        let mut digest = Sha256::new();
        let mut buffer = Zeroizing::new(vec![0; PIECE]);
        loop {
            let length = upload.bytes.read(&mut buffer).await.ok()?;
            let Some(read @ [_, ..]) = buffer.get(..length) else { break };
            digest.update(read);
        }
        (hex::encode(digest.finalize()) == file.sha256.as_str()).then_some(upload.pieces)
    }

    /// Moves the file into the store, unless the case has the same one there already. The same is of the
    /// digest and as long as the command says; what else lies there proves nothing of this file, so that
    /// it is read as any other. Says which pieces were taken whole, if any were.
    async fn take(
        &self,
        name: &str,
        key: KeyId,
        case: CaseId,
        file: &File,
        place: &Place,
    ) -> Result<Option<Pieces>, NotTaken> {
        let documents = &self.documents;
        match documents.store.check_length(name, file.size).await {
            Ok(()) => {
                documents.store.make_names_durable(name).await?;
                return Ok(self.same(file, place).await);
            }
            Err(Error::Missing { .. } | Error::Damaged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let _turn = place.turn().await.map_err(NotTaken::Failed)?;
        let size = file.size;
        let mut upload = match self.inbox.open(file.upload, size).await {
            Ok(upload) => upload,
            Err(NotRead::Unfit(why)) => return Err(unfit(&why)),
            Err(NotRead::Unknown) => {
                let message = format!(
                    "the inbox {} holds no upload {}; put the file there first",
                    super::INBOX,
                    file.upload
                );
                return Err(NotTaken::Refused(Rejection::new(Code::UnknownUpload, message)));
            }
            Err(NotRead::Away(reason)) => {
                return Err(failed(format!(
                    "the inbox for files cannot be reached: {reason}; send the command again"
                )));
            }
        };
        let sha256 = file.sha256.as_str();
        let (cipher, salt) =
            self.node.keys().fresh_document(key, case, sha256).map_err(Error::from)?;
        let expected = Expected { size, sha256 };
        match documents.store.keep(name, &cipher, &salt, &expected, &mut upload.bytes).await {
            Ok(()) => Ok(Some(upload.pieces)),
            Err(NotKept::Unfit(why)) => Err(unfit(&why)),
            Err(NotKept::Source(error)) => Err(failed(format!(
                "the upload could not be read from the inbox: {error}; send the command again"
            ))),
            Err(NotKept::Failed(error)) => Err(NotTaken::Failed(error.into())),
        }
    }
}

fn unfit(why: &str) -> NotTaken {
    let message = format!("{why}: nothing is kept; upload the file again and say what it is");
    NotTaken::Refused(Rejection::new(Code::UploadUnfit, message))
}

fn failed(reason: String) -> NotTaken {
    NotTaken::Failed(Failure::unavailable(reason))
}

impl From<Error> for NotTaken {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}
