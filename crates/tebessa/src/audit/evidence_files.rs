//! The files of evidence that go into a dossier, from the node that keeps them.

use std::collections::BTreeMap;
use std::path::Path;

use case::{Case, EvidenceId, Recorded};
use journal::{Reader, StreamId};
use service::audit::dossier::MOST_BYTES;
use service::client::ClientError;
use service::documents::FileQuery;

use super::dossier::{Args, WantedFile};
use crate::evidence::get;
use crate::output::{CliError, bytes};

/// A service's word for what is not there: never kept, or erased.
const NOT_FOUND: u16 = 404;

/// Fetches what is asked for of the case's first records, those up to position `size`; by SHA-256.
pub(super) async fn fetch_all(
    args: &Args,
    directory: &Path,
    size: u64,
) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
    let mut files = BTreeMap::new();
    if args.files.iter().all(|wanted| *wanted == WantedFile::None) {
        return Ok(files);
    }
    let case = fold(args, directory, size)?;
    let wanted = choose(&args.files, &case)?;
    if !args.address.has_node() && !wanted.is_empty() {
        return Err(CliError::message(
            "files of evidence are given out by a running node: start it with `tebessa up`, or \
             leave out --files",
        ));
    }
    fits(&case, &wanted)?;
    let client = args.address.connect().await?;
    for (evidence, must) in wanted {
        let query = FileQuery { case: args.case, evidence, viewer: args.viewing.viewer() };
        let file = match client.open_file(&query).await {
            Err(ClientError::Service { code: NOT_FOUND, .. }) if !must => continue,
            opened => opened.map_err(|error| {
                CliError::caused(format!("the file of evidence {evidence}"), error)
            })?,
        };
        let mut content = Vec::new();
        get::fetch(&client, &file, &mut content, CliError::other).await?;
        files.insert(file.sha256.to_string(), content);
    }
    Ok(files)
}

fn fold(args: &Args, directory: &Path, size: u64) -> Result<Case, CliError> {
    let reader = Reader::open(directory).map_err(CliError::other)?;
    let mut records = Vec::new();
    for record in reader.read_stream(StreamId(args.case.0), None).map_err(CliError::other)? {
        if record.position.0 <= size {
            let read = Recorded::decode(&record.bytes, record.position.0);
            records.push(read.map_err(CliError::other)?);
        }
    }
    Ok(Case::fold(&records))
}

/// The items whose files are fetched, each with whether it must be there. A file that several items
/// have is fetched once.
fn choose(files: &[WantedFile], case: &Case) -> Result<Vec<(EvidenceId, bool)>, CliError> {
    let items = &case.evidence.items;
    let mut chosen: BTreeMap<&str, (EvidenceId, bool)> = BTreeMap::new();
    for wanted in files {
        match wanted {
            WantedFile::None => {}
            WantedFile::All => {
                for (id, item) in items.iter().filter(|(_, item)| item.upload.is_some()) {
                    chosen.entry(item.sha256.as_str()).or_insert((*id, false));
                }
            }
            WantedFile::Item(id) => {
                let item = items.get(id).ok_or_else(|| {
                    CliError::message(format!("the case has no evidence {id}; nothing was made"))
                })?;
                chosen.insert(item.sha256.as_str(), (*id, true));
            }
        }
    }
    Ok(chosen.into_values().collect())
}

/// Refuses before anything is fetched what would be too long for a dossier.
fn fits(case: &Case, wanted: &[(EvidenceId, bool)]) -> Result<(), CliError> {
    let items = wanted.iter().filter_map(|(id, _)| case.evidence.items.get(id));
    let sum: u64 = items.filter_map(|item| item.size).fold(0, u64::saturating_add);
    if sum < MOST_BYTES {
        return Ok(());
    }
    Err(CliError::message(format!(
        "the files have {}, and a dossier has at most {}; ask for fewer with --files EVIDENCE, and \
         hand over the others as `tebessa evidence get` writes them: their digests are in it",
        bytes(sum),
        bytes(MOST_BYTES)
    )))
}
