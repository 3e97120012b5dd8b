//! `tebessa evidence put`: a file goes into the inbox, and its command makes it evidence.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use case::token::{ActorId, Basis, Language, MediaType};
use case::vocabulary::{EvidenceKind, Role};
use case::{CaseId, Code, CommandId, EvidenceId, UploadId, WorldDate};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};
use service::client::Client;
use service::documents::MOST_DOCUMENT_BYTES;
use service::reply::Reply;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use uuid::Uuid;

use crate::address::Address;
use crate::files;
use crate::output::{Bar, CliError, Exit, bytes, line, note};
use crate::viewing::roles;

const HELP: &str = "\
The file is read twice: for its digest, and on its way. It is put into the inbox of the node's NATS
server, and the command evidence.attach names it; accepted means that the node has checked it
against its digest and keeps it, sealed under the claimant's key. A TEXT that begins with @ names a
file that holds the text, so that it stands in no list of processes.

Exit codes: 0 accepted, 3 rejected, 1 no answer. The same line with the same --id gets the first
answer, and sends the file only where it is not kept yet; --occurred belongs to it, for today is
another day tomorrow.

Examples:
  tebessa evidence put 3f0c9a52-6d0e-4c8e-9a54-2f1d7f4c1b11 summons.pdf \\
      --kind summons --source @source.txt --language ru \\
      --media-type application/pdf --as registrar-1 \\
      --basis 'Immigration Rules para 339I'";

/// The basis where nobody states one: that of no authority's law, so that none is said of another's.
const BASIS: &str = "UNHCR Handbook, paragraph 205";

/// What stands behind "Usage: ", which the library does not wrap.
const USAGE: &str = "\
tebessa evidence put [OPTIONS] --kind <KIND> --source <TEXT> --as <ACTOR>
                            <CASE> <FILE>";

/// Attach a file to a case as evidence.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, override_usage = USAGE)]
pub(crate) struct Args {
    /// The case.
    #[arg(value_name = "CASE")]
    case: CaseId,
    /// The file, at most 1 GiB.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What kind of thing it is.
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    kind: EvidenceKind,
    /// Who or what it comes from.
    #[arg(long, value_name = "TEXT")]
    source: String,
    /// The language it is in, such as ru; `und` where nobody knows.
    #[arg(long, value_name = "TAG", default_value = "und")]
    language: Language,
    /// Its media type, such as application/pdf.
    #[arg(long, value_name = "TYPE", default_value = "application/octet-stream")]
    media_type: MediaType,
    /// The date that it bears.
    #[arg(long, value_name = "DATE", value_parser = WorldDate::new)]
    dated: Option<WorldDate>,
    /// How it was obtained, and what it is.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The item's id; by default a fresh one, or with --id the one that belongs to that.
    #[arg(long, value_name = "UUID")]
    evidence: Option<EvidenceId>,
    /// The command's id; a fresh one where nothing is said.
    #[arg(long, value_name = "UUID")]
    id: Option<CommandId>,
    /// Who acts.
    #[arg(long = "as", value_name = "ACTOR", env = "TEBESSA_AS")]
    actor: ActorId,
    /// In which capacity.
    #[arg(long, value_name = "ROLE", default_value = "registrar", env = "TEBESSA_ROLE",
        value_parser = roles())]
    role: Role,
    /// On which legal basis: that of the authority's own law belongs here. By default the
    /// examiner's duty to have all available evidence, which is of no authority's law.
    #[arg(long, value_name = "BASIS", default_value = BASIS)]
    basis: Basis,
    /// The day on which it was handed in; today where nothing is said.
    #[arg(long, value_name = "DATE", value_parser = WorldDate::new)]
    occurred: Option<WorldDate>,
    /// The node's answer as JSON, with the item's id.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    address: Address,
}

fn kinds() -> impl TypedValueParser<Value = EvidenceKind> {
    PossibleValuesParser::new(EvidenceKind::ALL.iter().map(|kind| kind.as_str())).try_map(|text| {
        EvidenceKind::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or("unknown")
    })
}

/// Sends the file and its command.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let size = size(&args.file)?;
    let client = args.address.connect().await?;
    let sha256 = digest(&args.file, size).await?;
    let upload = UploadId(id_of("upload", args.id));
    let evidence = args.evidence.unwrap_or_else(|| EvidenceId(id_of("item", args.id)));
    let body = command(&args, upload, evidence, size, &sha256)?;
    // A fresh id was never answered. One that is given may have been: the file is sent if not.
    if args.id.is_some() {
        let reply = attach(&client, body.clone()).await?;
        if !lacks_file(&reply)? {
            return tell(&args, evidence, size, &reply);
        }
    }
    send(&client, &args.file, upload, size).await?;
    let reply = attach(&client, body).await?;
    tell(&args, evidence, size, &reply)
}

/// The id of what comes with a command: the same for the same command, since what is sent again with
/// another body is refused. Fresh where the command's own is.
fn id_of(what: &str, command: Option<CommandId>) -> Uuid {
    let Some(command) = command else { return Uuid::new_v4() };
    let digest = Sha256::new()
        .chain_update("tebessa evidence put: ")
        .chain_update(what)
        .chain_update(command.0)
        .finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, of_digest)| *byte = of_digest);
    Uuid::new_v8(bytes)
}

async fn attach(client: &Client, body: Vec<u8>) -> Result<Vec<u8>, CliError> {
    let mut bar = Bar::new("The node checks and keeps the file");
    bar.show(0, 0, "");
    let reply = client.command_with_file("evidence.attach", body).await.map_err(CliError::other)?;
    bar.finish();
    Ok(reply.to_vec())
}

/// Whether all that the command lacks is its file: none was sent, or another one under its id.
fn lacks_file(reply: &[u8]) -> Result<bool, CliError> {
    Ok(match read(reply)? {
        Reply::Accepted { .. } => false,
        Reply::Rejected { code, .. } => matches!(code, Code::UnknownUpload | Code::UploadUnfit),
    })
}

fn read<T: serde::de::DeserializeOwned>(reply: &[u8]) -> Result<T, CliError> {
    serde_json::from_slice(reply)
        .map_err(|error| CliError::caused("the node's answer cannot be read", error))
}

fn size(file: &Path) -> Result<u64, CliError> {
    let unread = |error| CliError::caused(format!("{} cannot be read", file.display()), error);
    let found = std::fs::metadata(file).map_err(unread)?;
    if !found.is_file() {
        return Err(CliError::message(format!("{} is no file", file.display())));
    }
    if found.len() > MOST_DOCUMENT_BYTES {
        return Err(CliError::message(format!(
            "{} has {}; at most 1 GiB is kept: split it",
            file.display(),
            bytes(found.len())
        )));
    }
    Ok(found.len())
}

async fn digest(file: &Path, size: u64) -> Result<String, CliError> {
    let unread = |error| CliError::caused(format!("{} cannot be read", file.display()), error);
    let mut bar = Bar::new("Reading the file");
    let mut open = File::open(file).await.map_err(unread)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut done = 0;
    loop {
        let count = open.read(&mut buffer).await.map_err(unread)?;
        if count == 0 {
            return Ok(hex::encode(digest.finalize()));
        }
        digest.update(buffer.get(..count).unwrap_or_default());
        done += count as u64;
        bar.show(done, size, "bytes");
    }
}

async fn send(client: &Client, file: &Path, upload: UploadId, size: u64) -> Result<(), CliError> {
    let open = File::open(file)
        .await
        .map_err(|error| CliError::caused(format!("{} cannot be read", file.display()), error))?;
    let mut watched = Watched { open, done: 0, size, bar: Bar::new("Sending the file") };
    client.upload(upload, &mut watched).await.map_err(CliError::other)
}

fn command(
    args: &Args,
    upload: UploadId,
    evidence: EvidenceId,
    size: u64,
    sha256: &str,
) -> Result<Vec<u8>, CliError> {
    let today = jiff::Zoned::now().date().to_string();
    let occurred = args.occurred.as_ref().map_or(today, ToString::to_string);
    let mut data = json!({
        "evidence": evidence, "kind": args.kind, "source": text(&args.source)?,
        "language": args.language, "sha256": sha256, "size": size,
        "media_type": args.media_type, "upload": upload,
    });
    if let Some(dated) = &args.dated {
        set(&mut data, "dated", json!(dated));
    }
    if let Some(description) = &args.description {
        set(&mut data, "description", json!(text(description)?));
    }
    let command = json!({
        "id": args.id.unwrap_or_else(|| CommandId(Uuid::now_v7())), "case": args.case,
        "actor": { "id": args.actor, "role": args.role, "basis": args.basis },
        "occurred": occurred, "data": data,
    });
    Ok(command.to_string().into_bytes())
}

fn set(object: &mut Value, field: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
}

/// A text that is given, or that a file holds.
fn text(given: &str) -> Result<String, CliError> {
    let Some(file) = given.strip_prefix('@') else { return Ok(given.to_owned()) };
    let text = files::read_text(Path::new(file), files::SMALL)?;
    Ok(text.trim_end().to_owned())
}

fn tell(args: &Args, evidence: EvidenceId, size: u64, reply: &[u8]) -> Result<Exit, CliError> {
    let answer: Reply = read(reply)?;
    if args.json {
        let mut shown: Value = read(reply)?;
        set(&mut shown, "evidence", json!(evidence));
        line(&shown.to_string())?;
    }
    match answer {
        Reply::Accepted { version, .. } => {
            if !args.json {
                line(&format!("evidence {evidence}, {}, version {version}", bytes(size)))?;
            }
            Ok(Exit::Done)
        }
        Reply::Rejected { code, message, .. } => {
            if !args.json {
                note(&format!("rejected {}: {message}", code.as_str()));
            }
            if code == Code::CommandReused && args.occurred.is_none() {
                note("without --occurred the day is today's; give that of the first time");
            }
            Ok(Exit::Rejected)
        }
    }
}

/// A file whose reading is shown.
struct Watched {
    open: File,
    done: u64,
    size: u64,
    bar: Bar,
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.open).poll_read(context, buffer);
        this.done += (buffer.filled().len() - before) as u64;
        this.bar.show(this.done, this.size, "bytes");
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basis_that_nobody_stated_is_one_and_no_authoritys_law() {
        let basis = Basis::new(BASIS).unwrap();
        assert!(basis.as_str().contains("Handbook"));
    }
}
