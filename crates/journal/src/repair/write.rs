//! Writes the mended segments, keeps the damaged ones aside, and leaves a report.

use std::fs;
use std::io;
use std::path::Path;

use uuid::Uuid;

use super::notes::NotePlan;
use super::{Plan, RepairReport};
use crate::disk::{RealDisk, sync_directory, write_whole};
use crate::error::{Error, disk_error};
use crate::journal::LOG_DIRECTORY;
use crate::segments::format::SegmentHeader;
use crate::segments::group::GroupBuffer;
use crate::signed::checkpoints::CHECKPOINT_DIRECTORY;

/// Where damaged files are kept, within the data directory.
const ASIDE: &str = "repaired";
/// The most records and bytes of a group that is written anew.
const GROUP_RECORDS: u64 = 4096;
const GROUP_BYTES: usize = 4 << 20;

/// Replaces the segments and the checkpoints, one by one, each in one step.
pub(super) fn replace(
    directory: &Path,
    log: Uuid,
    plans: &[Plan],
    notes: &[NotePlan],
    report: &mut RepairReport,
) -> Result<(), Error> {
    let name = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S%.6fZ").to_string();
    let aside = directory.join(ASIDE).join(name);
    let wrong = |source| disk_error(aside.display(), "writing")(source);
    RealDisk::make_private(&aside).map_err(wrong)?;
    report.kept_in = Some(aside.clone());
    let log_directory = directory.join(LOG_DIRECTORY);
    for plan in plans {
        let damaged = log_directory.join(&plan.name);
        if damaged.exists() {
            fs::hard_link(&damaged, aside.join(&plan.name)).map_err(wrong)?;
        }
    }
    for plan in notes {
        let damaged = directory.join(&plan.report.file);
        let name = damaged.file_name().unwrap_or_default();
        // What is no file has no second name, and nothing takes its place by one.
        if damaged.is_file() && plan.note.is_some() {
            fs::hard_link(&damaged, aside.join(name)).map_err(wrong)?;
        } else {
            fs::rename(&damaged, aside.join(name)).map_err(wrong)?;
        }
    }
    let text = serde_json::to_vec_pretty(&report)
        .map_err(|error| Error::Request(format!("the report: {error}")))?;
    // With it the names of the damaged files are durable, too.
    write_whole(&aside.join("report.json"), "report.new", &text).map_err(wrong)?;
    // An index knows where frames begin, which may be elsewhere now. It is kept: nothing else may know
    // how far the log was.
    if !plans.is_empty() {
        match fs::rename(directory.join("index"), aside.join("index")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(disk_error("index", "putting aside")(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    // Before a segment is replaced: the index must not come back beside the new ones.
    for directory in [aside.as_path(), directory] {
        sync_directory(directory).map_err(wrong)?;
    }
    for plan in notes {
        let file = directory.join(&plan.report.file);
        let wrong = |source| disk_error(file.display(), "writing")(source);
        match &plan.note {
            Some(note) => write_whole(&file, "mended", note.as_bytes()).map_err(wrong)?,
            None => sync_directory(&directory.join(CHECKPOINT_DIRECTORY)).map_err(wrong)?,
        }
    }
    for plan in plans {
        let wrong = |source| disk_error(&plan.name, "writing")(source);
        let bytes = encode(log, plan).map_err(wrong)?;
        write_whole(&log_directory.join(&plan.name), "mended", &bytes).map_err(wrong)?;
    }
    Ok(())
}

fn encode(log: Uuid, plan: &Plan) -> io::Result<Vec<u8>> {
    let mut out = SegmentHeader { log, first: plan.first }.encode();
    let mut group = GroupBuffer::default();
    group.begin(plan.first);
    let mut count = 0;
    for record in &plan.records {
        if count >= GROUP_RECORDS || group.length() >= GROUP_BYTES {
            out.extend_from_slice(group.finish());
            let next = group.next();
            group.begin(next);
            count = 0;
        }
        let added = group.push(|out| out.extend_from_slice(record));
        added.map_err(|length| io::Error::other(format!("a record has {length} bytes")))?;
        count += 1;
    }
    if count > 0 {
        out.extend_from_slice(group.finish());
    }
    Ok(out)
}
