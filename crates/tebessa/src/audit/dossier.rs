//! `tebessa audit dossier`: a case in one file that proves itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::guidance::Library;
use case::{CaseId, EvidenceId, Recorded};
use journal::{Checkpoint, Reader};
use service::access::{AccessLog, View, Viewed};
use service::audit::dossier::{Disclosure, DossierError, Materials, disclosures, make, names};
use service::keys::KeyStore;
use service::logs::Log;
use service::node::keys_dir;
use service::queries::{DisclosuresQuery, DisclosuresReply};

use super::evidence_files;
use crate::address::Address;
use crate::ask::ask;
use crate::data_directory;
use crate::files::OutFile;
use crate::law;
use crate::output::{CliError, Exit, GOOD, bytes, count, line};
use crate::viewing::Viewing;

const HELP: &str = "\
The file holds all records of the case with the proof that they are all, the signed checkpoint, the
guidance that was applied, findings, read sets and derivations, and a page to read: index.html. Who
has it and a key of the log checks it with `tebessa audit check-dossier`, without this node.

Personal fields stay sealed unless they are disclosed, each by its salt and words:
  --disclose all          every field whose key still exists
  --disclose reason       this field wherever it stands: reasons, onus[].reason
  --disclose 12:reason    this field of the event of version 12
What is left out or was erased changes nothing about the proofs. The file is readable by you alone.

Of evidence the digests are in it; the files themselves only with --files all, or --files EVIDENCE for
each item. A running node gives them out, each with its entry in the access log. With all, items of
which no file is kept, or not any more, are passed over.

Examples:
  tebessa audit dossier --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11 \\
      --out case.dossier
  tebessa audit dossier --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11 \\
      --out case.dossier --disclose reasons --disclose departure --files all";

/// Hand over a case as one file that can be checked without trust.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The case.
    #[arg(long, value_name = "CASE")]
    pub(super) case: CaseId,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Personal fields to disclose: all, none, a path, or VERSION:path; may be given several times.
    #[arg(long, value_name = "FIELD", default_value = "none")]
    disclose: Vec<String>,
    /// Files of evidence to put in: all, none, or the id of an item; may be given several times.
    #[arg(long, value_name = "EVIDENCE", default_value = "none", value_parser = wanted_file)]
    pub(super) files: Vec<WantedFile>,
    /// A directory with guidance files beside the built-in ones; may be given several times.
    #[arg(long, value_name = "DIR")]
    guidance: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) viewing: Viewing,
    #[command(flatten)]
    pub(super) address: Address,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Which files of evidence are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WantedFile {
    /// No file.
    None,
    /// The files of all items, as far as they are kept.
    All,
    /// The file of this item, which must be kept.
    Item(EvidenceId),
}

fn wanted_file(text: &str) -> Result<WantedFile, String> {
    match text {
        "none" => Ok(WantedFile::None),
        "all" => Ok(WantedFile::All),
        id => id.parse().map(WantedFile::Item).map_err(|_| {
            "expected all, none, or the id of an item of evidence, as `tebessa case show` has it"
                .to_owned()
        }),
    }
}

/// What was made.
#[derive(serde::Serialize)]
struct Made {
    case: CaseId,
    file: String,
    bytes: u64,
    disclosed: u64,
    files: u64,
    log: String,
    size: u64,
}

/// Makes the dossier.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let directory = data_directory::record(&args.address.data, Log::Cases)?;
    // Before anything is asked for: what is opened is in the access log.
    let out = OutFile::begin(&args.out, &args.address.data)?;
    let signed = data_directory::checkpoint(&args.address, Log::Cases).await?;
    let (note, size) = (signed.note, signed.size);
    let wanted: Vec<String> =
        args.disclose.iter().filter(|field| *field != "none").cloned().collect();
    let asked = if wanted.is_empty() { None } else { asked(&args, &wanted).await? };
    let files = evidence_files::fetch_all(&args, &directory, size).await?;
    let made = tokio::task::spawn_blocking(move || {
        let made = build(&args, &directory, note, &wanted, (asked, files), out)?;
        Ok::<_, CliError>((made, args.json))
    });
    let (made, json) = made.await.map_err(CliError::other)??;
    let text = if json {
        serde_json::to_string(&made).map_err(CliError::other)?
    } else {
        format!(
            "{GOOD}made{GOOD:#}  {}, {}, {} disclosed, {} of evidence\n      \
             check it with: tebessa audit check-dossier {} --key KEY",
            made.file,
            bytes(made.bytes),
            count(made.disclosed, "personal field", "personal fields"),
            count(made.files, "file", "files"),
            made.file
        )
    };
    line(&text)?;
    Ok(Exit::Done)
}

/// Asks the node that holds the keys; `None` where none runs.
async fn asked(args: &Args, fields: &[String]) -> Result<Option<Vec<Disclosure>>, CliError> {
    if !args.address.has_node() {
        return Ok(None);
    }
    let client = args.address.connect().await?;
    let mut query = DisclosuresQuery {
        case: args.case,
        fields: fields.to_vec(),
        after: case::Version(0),
        viewer: args.viewing.viewer(),
    };
    let mut all = Vec::new();
    loop {
        let page: DisclosuresReply = ask(&client, "audit.disclosures", &query).await?;
        all.extend(page.disclosures);
        let Some(next) = page.next else { return Ok(Some(all)) };
        query.after = next;
    }
}

fn build(
    args: &Args,
    directory: &Path,
    note: String,
    wanted: &[String],
    (asked, evidence): (Option<Vec<Disclosure>>, BTreeMap<String, Vec<u8>>),
    out: OutFile,
) -> Result<Made, CliError> {
    let reader = Reader::open(directory).map_err(CliError::other)?;
    let data = &args.address.data;
    let policy: Vec<_> = data_directory::keys(data, Log::Cases)?
        .known()
        .into_iter()
        .map(|known| known.key)
        .collect();
    let checkpoint = Checkpoint::verify(&note, &Log::Cases.origin(reader.id()), &policy)
        .map_err(|error| CliError::caused("the checkpoint is not one of this log", error))?;
    let (files, libraries) = guidance(&args.guidance)?;
    let mut disclosed = 0;
    let disclose = |records: &[Recorded]| {
        let found = match asked {
            // The node may have gone on since the checkpoint.
            Some(asked) => {
                let last = case::Version(records.len() as u64);
                asked.into_iter().filter(|one| one.version <= last).collect()
            }
            None if wanted.is_empty() => Vec::new(),
            None => {
                let keys = KeyStore::open(&keys_dir(data)).map_err(CliError::other)?;
                let found = disclosures(&keys, records, wanted).map_err(CliError::other)?;
                record(args, records, &found)?;
                found
            }
        };
        disclosed = found.len() as u64;
        named(wanted, &found)?;
        Ok(found)
    };
    let fetched = evidence.len() as u64;
    let materials =
        Materials { note, checkpoint: &checkpoint, files: &files, libraries: &libraries, evidence };
    let disclose = |records: &[Recorded]| disclose(records).map_err(Failed);
    let made: Result<Vec<u8>, Failed> = make(&reader, args.case, materials, disclose);
    let made = made.map_err(|Failed(error)| error)?;
    out.write_whole(&made)?;
    Ok(Made {
        case: args.case,
        file: args.out.display().to_string(),
        bytes: made.len() as u64,
        disclosed,
        files: fetched,
        log: checkpoint.origin,
        size: checkpoint.size,
    })
}

/// Records in the access log, as a running node would, what is opened without one.
fn record(args: &Args, records: &[Recorded], found: &[Disclosure]) -> Result<(), CliError> {
    let Some((first, last)) = found.first().zip(found.last()) else { return Ok(()) };
    let source = records.first().map_or("", |record| record.envelope.source.as_str());
    let log = AccessLog::open(&args.address.data, source);
    log.record_blocking(Viewed {
        case: args.case,
        view: View::Disclosures,
        viewer: args.viewing.viewer(),
        opened: true,
        versions: Some((first.version, last.version)),
        evidence: None,
    })
    .map_err(CliError::other)?;
    log.close().map_err(CliError::other)
}

/// An error of the command line among those of the making.
struct Failed(CliError);

impl From<DossierError> for Failed {
    fn from(error: DossierError) -> Self {
        Self(CliError::other(error))
    }
}

/// Each field that was asked for must be there: who hands over a dossier believes that it holds what
/// they named. One that the case does not have, or whose words were erased, is said so.
fn named(wanted: &[String], found: &[Disclosure]) -> Result<(), CliError> {
    let is_there = |field: &String| found.iter().any(|one| names(field, one.version, &one.path));
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|field| *field != "all" && !is_there(field))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(CliError::message(format!(
        "the case has no personal field {}, or it was erased; `tebessa case history` lists them",
        missing.join(", ")
    )))
}

/// The exact bytes of every guidance file at hand, and the libraries that they make.
fn guidance(directories: &[PathBuf]) -> Result<(Vec<Vec<u8>>, Vec<Library>), CliError> {
    let mut files: Vec<Vec<u8>> =
        ::guidance::embedded_files().map(|(_, text)| text.as_bytes().to_vec()).collect();
    let mut libraries = vec![law::library(None)?];
    for directory in directories {
        libraries.push(law::library(Some(directory))?);
        files.extend(law::files(directory)?.into_iter().map(|(_, bytes)| bytes));
    }
    Ok((files, libraries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_that_is_asked_for_must_be_there() {
        let found = |version, path: &str| Disclosure {
            version: case::Version(version),
            path: path.to_owned(),
            salt: String::new(),
            words: String::new(),
        };
        let found = [found(1, "name"), found(9, "onus[0].reason")];
        let asked = |fields: &[&str]| {
            let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
            named(&fields, &found).map_err(|error| error.to_string())
        };
        assert_eq!(asked(&["name", "1:name", "onus[].reason", "all"]), Ok(()));
        let said = asked(&["name", "nosuch", "2:name"]).unwrap_err();
        assert!(said.contains("no personal field nosuch, 2:name,"), "{said}");
        assert!(asked(&["all", "nosuch"]).is_err());
        assert_eq!(named(&["all".to_owned()], &[]).map_err(|error| error.to_string()), Ok(()));
    }
}
