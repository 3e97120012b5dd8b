//! A footer made from the directory of its segment.

use uuid::Uuid;

use super::runs::encode_run;
use super::{Footer, TRAILER_BYTES, TreePart};
use crate::background::let_others_go_on;
use crate::segments::by_stream::ByStream;
use crate::segments::directory::Directory;
use crate::segments::format::crc32c;

/// After so many streams others may go on.
const PAUSED_STREAMS: usize = 256;

/// Encodes the footer that seals a segment whose groups end at `start`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what a footer has of a record is shorter than the record, and a segment has at most 4 GiB"
)]
pub(crate) fn encode(directory: &Directory, log: Uuid, start: u64, tree: &TreePart) -> Vec<u8> {
    let by_stream = ByStream::of(directory);
    let mut out = Vec::with_capacity(directory.offsets.len() * 24 + TRAILER_BYTES);
    for offset in &directory.offsets {
        out.extend_from_slice(&offset.to_le_bytes());
    }
    let mut blob = Vec::with_capacity(directory.offsets.len() * 8);
    let mut streams = 0;
    let mut run = Vec::new();
    for (number, relative) in by_stream.firsts.iter().enumerate() {
        if number.is_multiple_of(PAUSED_STREAMS) {
            let_others_go_on();
        }
        let Some(first) = directory.links.get(*relative as usize) else { continue };
        out.extend_from_slice(first.stream.0.as_bytes());
        out.extend_from_slice(&(blob.len() as u32).to_le_bytes());
        run.clear();
        run.extend(by_stream.run(*relative));
        encode_run(first, &run, &mut blob);
        streams += 1;
    }
    out.extend_from_slice(&blob);
    for hash in tree.tiles.iter().chain(&tree.peaks) {
        out.extend_from_slice(hash);
    }
    let footer = Footer {
        log,
        first: directory.first,
        count: directory.offsets.len() as u64,
        last_time_us: directory.last_time_us,
        start,
        streams,
        run_bytes: blob.len() as u32,
        tiles: tree.tiles.len() as u32,
        peaks: tree.peaks.len() as u32,
        checksum: crc32c(&out),
    };
    out.extend_from_slice(&footer.encode());
    out
}
