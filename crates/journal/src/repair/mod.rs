//! Restores damaged records from elsewhere, where the log itself proves them identical.
//!
//! Everything is read, fetched and proved before anything is changed. The damaged files are kept
//! aside; a segment is replaced in one step, so that a crash leaves the old one or the new one.

mod examine;
mod notes;
mod report;
mod walk;
mod write;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use uuid::Uuid;

use crate::disk::lock::Lock;
use crate::disk::{Disk, RealDisk};
use crate::error::{Error, disk_error, fault};
use crate::index::seen::seen_in;
use crate::journal::LOG_DIRECTORY;
use crate::reader::Reader;
use crate::record::{MAX_RECORD_BYTES, Position};
use crate::segments::files::{check_length, segment_names};
use crate::segments::footer::Footer;
use crate::segments::format::{SEGMENT_HEADER_BYTES, SegmentHeader, frame_checksum, segment_name};
use crate::segments::scan::{Window, gap_fault, scan_groups};
use crate::signed::note::VerifierKey;

use examine::{Piece, Remains, State, examine, remains};
pub use notes::RepairedCheckpoint;
pub use report::{RepairReport, RepairedSegment, Restored};
pub use walk::ProvedBy;
pub(crate) use walk::{Promise, Stop, Walk};

/// Where lost records are fetched from: the stream, a backup, another node's log.
///
/// It need not be trusted: what it gives is written only where the damaged log proves it.
pub trait Source {
    /// The exact bytes of the record at a position; `None` where it has none.
    fn record(&mut self, position: Position) -> Result<Option<Vec<u8>>, Error>;
    /// Which log it is of, where it knows.
    fn log(&self) -> Option<Uuid>;
}

impl Source for Reader {
    fn record(&mut self, position: Position) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.read(position, 1)?.pop().map(|record| record.bytes))
    }

    fn log(&self) -> Option<Uuid> {
        Some(self.id())
    }
}

/// What a repair may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct RepairOptions<'k> {
    /// The last position that the source or anyone else has seen: what the log lacks up to it is
    /// fetched too, and what its index and its checkpoints have seen.
    pub seen: Position,
    /// The keys of the log: a checkpoint that none of them signed proves nothing.
    pub keys: &'k [VerifierKey],
    /// Signed notes of elsewhere, such as those of the source: one that a key of the log signed takes
    /// the place of a damaged one of its size. Any other is passed over.
    pub notes: &'k [String],
    /// Also write records that follow the ones before them, but that nothing left in the log
    /// proves: such as lost ones behind the last checkpoint. And put a damaged checkpoint aside for
    /// which there is no other.
    pub accept_unproved: bool,
}

/// A segment that is made anew has about so many bytes of records, as others have.
const SEGMENT_BYTES: usize = 60 << 20;

/// A segment as it will be written.
struct Plan {
    name: String,
    first: u64,
    records: Vec<Vec<u8>>,
    report: RepairedSegment,
}

/// Restores what is damaged or missing in the log of a data directory that is held.
///
/// Nothing is changed unless every lost record is there and proved; the error then names the first
/// that is not. The index is removed where a segment was replaced: the next start builds it anew,
/// and makes the footers again. Blocks; `progress` hears of records that were looked at.
pub fn repair(
    held: &Lock,
    source: &mut dyn Source,
    options: RepairOptions<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<RepairReport, Error> {
    let directory = held.directory();
    let disk = RealDisk::new(directory.join(LOG_DIRECTORY));
    let notes = notes::read(directory, &options)?;
    let pieces = pieces(&disk)?;
    let log = which_log(&pieces, source)?;
    // The index of another log says nothing about this one.
    let indexed = seen_in(&directory.join("index")).filter(|(of, _)| *of == log);
    let indexed = indexed.map_or(0, |(_, position)| position.0);
    let seen = options.seen.0.max(notes.signed).max(indexed);
    let mut doubted = BTreeSet::new();
    let (walk, plans) = loop {
        let walk = Walk::new(notes.promises.clone());
        let (doubted_now, plans) = (&doubted, Vec::new());
        let mut repair = Repair { source, walk, plans, seen, progress, doubted: doubted_now };
        match repair.take_in(&pieces) {
            Ok(()) => break (repair.walk, repair.plans),
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Doubt { error, suspects }) => {
                let changed = changed(&pieces, source, suspects)?;
                let before = doubted.len();
                doubted.extend(changed);
                if doubted.len() == before {
                    return Err(error);
                }
            }
        }
    };
    let restored: Vec<Restored> = walk
        .restored
        .iter()
        .map(|(position, proved_by)| Restored {
            position: Position(*position),
            proved_by: *proved_by,
        })
        .collect();
    let unproved = restored.iter().find(|restored| restored.proved_by <= ProvedBy::Checksum);
    if let Some(restored) = unproved.filter(|_| !options.accept_unproved) {
        let what = format!(
            "the record at position {} follows the ones before it, but nothing in the log proves \
             that it is the one that was lost; nothing was changed",
            restored.position
        );
        return Err(Error::Request(what));
    }
    let mut report = RepairReport {
        last: Position(walk.size()),
        segments: plans.iter().map(|plan| plan.report.clone()).collect(),
        checkpoints: notes.plans.iter().map(|plan| plan.report.clone()).collect(),
        restored,
        kept_in: None,
    };
    if !plans.is_empty() || !notes.plans.is_empty() {
        write::replace(directory, log, &plans, &notes.plans, &mut report)?;
    }
    Ok(report)
}

fn pieces(disk: &RealDisk) -> Result<Vec<Piece>, Error> {
    let names = segment_names(disk)?;
    let mut pieces = Vec::with_capacity(names.len());
    for (index, (name, first)) in names.iter().enumerate() {
        let file = disk.open(name, false).map_err(disk_error(name, "opening"))?;
        check_length(name, file.as_ref(), *first)?;
        let bound = names.get(index + 1).map(|(_, first)| *first);
        pieces.push(Piece { name: name.clone(), first: *first, file, bound });
    }
    Ok(pieces)
}

struct Repair<'r> {
    source: &'r mut dyn Source,
    walk: Walk,
    plans: Vec<Plan>,
    seen: u64,
    progress: &'r mut dyn FnMut(u64),
    /// Records whose frames are whole, but which were changed since they were written.
    doubted: &'r BTreeSet<u64>,
}

impl Repair<'_> {
    fn take_in(&mut self, pieces: &[Piece]) -> Result<(), Stop> {
        for piece in pieces {
            // A segment file that is missing altogether.
            self.fetch_up_to(piece.first)?;
            if self.walk.size() + 1 != piece.first {
                return Err(gap_fault(&piece.name, self.walk.size() + 1).into());
            }
            let doubted = self.doubted.range(piece.first..piece.bound.unwrap_or(u64::MAX)).next();
            match (examine(piece, if piece.bound.is_none() { self.seen } else { 0 })?, doubted) {
                (State::Sound, None) => self.follow_sound(piece)?,
                (State::Sound, Some(first)) => {
                    let what = format!("the record at position {first} was changed");
                    self.mend(piece, &remains(piece, what, 0)?)?;
                }
                (State::Damaged(remains), _) => self.mend(piece, &remains)?,
            }
            (self.progress)(self.walk.size());
        }
        self.fetch_up_to(self.seen + 1)
    }

    fn follow_sound(&mut self, piece: &Piece) -> Result<(), Stop> {
        let mut window = Window::new(piece.file.as_ref());
        let walk = &mut self.walk;
        let mut failed = None;
        let scanned =
            scan_groups(
                &mut window,
                0,
                piece.first,
                piece.bound,
                &mut |_, frame| match walk.follow(&piece.name, frame.bytes, None) {
                    Ok(()) => Ok(()),
                    Err(error) => {
                        failed = Some(error);
                        Err(String::new())
                    }
                },
            );
        scanned.map_err(disk_error(&piece.name, "reading"))?;
        if let Some(stop) = failed {
            return Err(stop);
        }
        self.compare_footer(piece)
    }

    /// The frontier in the segment's footer vouches for all that is before it.
    fn compare_footer(&mut self, piece: &Piece) -> Result<(), Stop> {
        let read = || disk_error(&piece.name, "reading the footer");
        let file = piece.file.as_ref();
        let Some(footer) = Footer::read(file).map_err(read())? else { return Ok(()) };
        if footer.first != piece.first || footer.last() != self.walk.size() {
            return Ok(());
        }
        let body = footer.body(file).map_err(read())?;
        match body.and_then(|body| footer.tree(&body)) {
            Some(part) => self.walk.compare(&piece.name, &part.peaks),
            None => Ok(()),
        }
    }

    /// Plans a damaged segment anew: what is whole, and the rest from the source.
    fn mend(&mut self, piece: &Piece, remains: &Remains) -> Result<(), Stop> {
        let mut next = remains.next;
        match piece.bound {
            // Without a whole footer it had everything up to the segment behind it.
            Some(bound) if !has_footer(piece, next)? => next = bound,
            Some(_) => {}
            None => next = next.max(self.seen + 1),
        }
        let mut plan = Plan {
            name: piece.name.clone(),
            first: piece.first,
            records: Vec::new(),
            report: RepairedSegment {
                file: piece.name.clone(),
                what: remains.what.clone(),
                offset: remains.offset,
                whole: 0,
                fetched: 0,
            },
        };
        let mut bytes_so_far = 0;
        for position in piece.first..next {
            if bytes_so_far >= SEGMENT_BYTES && position >= remains.next {
                // The rest is of segments that are missing behind this one.
                break;
            }
            let whole = remains.record(position).filter(|_| !self.doubted.contains(&position));
            if let Some(bytes) = whole {
                self.walk.follow(&piece.name, bytes, None)?;
                bytes_so_far += bytes.len();
                plan.records.push(bytes.to_vec());
                plan.report.whole += 1;
                continue;
            }
            let bytes = self.fetch(position)?;
            let proved = remains.checks.get(&position).is_some_and(|(length, checksum)| {
                *length as usize == bytes.len() && *checksum == frame_checksum(position, &bytes)
            });
            let proved_by = if proved { ProvedBy::Checksum } else { ProvedBy::Nothing };
            self.walk.follow(&piece.name, &bytes, Some(proved_by))?;
            bytes_so_far += bytes.len();
            plan.records.push(bytes);
            plan.report.fetched += 1;
        }
        self.plans.push(plan);
        self.compare_footer(piece)
    }

    /// Plans segments of the records that are missing before a position.
    fn fetch_up_to(&mut self, before: u64) -> Result<(), Stop> {
        while self.walk.size() + 1 < before {
            self.fetch_segment(before)?;
        }
        Ok(())
    }

    /// Plans the next segment of the records that are missing before a position.
    fn fetch_segment(&mut self, before: u64) -> Result<(), Stop> {
        let first = self.walk.size() + 1;
        let name = segment_name(first);
        let (mut records, mut bytes_so_far) = (Vec::new(), 0);
        for position in first..before {
            let bytes = self.fetch(position)?;
            self.walk.follow(&name, &bytes, Some(ProvedBy::Nothing))?;
            bytes_so_far += bytes.len();
            records.push(bytes);
            if bytes_so_far >= SEGMENT_BYTES {
                break;
            }
        }
        let report = RepairedSegment {
            file: name.clone(),
            what: "its records were missing".to_owned(),
            offset: 0,
            whole: 0,
            fetched: records.len() as u64,
        };
        self.plans.push(Plan { name, first, records, report });
        Ok(())
    }

    fn fetch(&mut self, position: u64) -> Result<Vec<u8>, Error> {
        let lost = |what| fault(&segment_name(position), 0, position, what);
        match self.source.record(Position(position))? {
            Some(bytes) if bytes.len() > MAX_RECORD_BYTES => {
                Err(lost("what the source has is longer than a record may be; nothing was changed"))
            }
            Some(bytes) => Ok(bytes),
            None => {
                Err(lost("the record is lost here, and the source has none; nothing was changed"))
            }
        }
    }
}

/// Which log it is, by the first whole header, else by the source, which must not be of another.
fn which_log(pieces: &[Piece], source: &dyn Source) -> Result<Uuid, Error> {
    match (pieces.iter().find_map(header_log), source.log()) {
        (Some(own), Some(log)) if own != log => {
            Err(Error::Request(format!("the source is of another log, {log}")))
        }
        (Some(log), _) | (None, Some(log)) => Ok(log),
        (None, None) => {
            let what = "no segment says which log this is; repair it from a directory of the log";
            Err(Error::Request(what.to_owned()))
        }
    }
}

/// Which of the suspects are other records in the source.
fn changed(
    pieces: &[Piece],
    source: &mut dyn Source,
    suspects: Vec<RangeInclusive<u64>>,
) -> Result<Vec<u64>, Error> {
    let mut changed = Vec::new();
    let mut at: Option<(u64, Remains)> = None;
    for position in suspects.into_iter().flatten().filter(|position| *position > 0) {
        let Some(piece) = pieces.iter().rfind(|piece| piece.first <= position) else { continue };
        if at.as_ref().is_none_or(|(first, _)| *first != piece.first) {
            at = Some((piece.first, remains(piece, String::new(), 0)?));
        }
        let own = at.as_ref().and_then(|(_, remains)| remains.record(position));
        let Some(other) = source.record(Position(position))? else { continue };
        if own.is_some_and(|own| own != other) {
            changed.push(position);
        }
    }
    Ok(changed)
}

fn header_log(piece: &Piece) -> Option<Uuid> {
    let mut head = [0; SEGMENT_HEADER_BYTES];
    piece.file.read_at(0, &mut head).ok()?;
    SegmentHeader::decode(&head).ok().map(|header| header.log)
}

/// Whether a whole footer says that the segment ends before a position.
fn has_footer(piece: &Piece, next: u64) -> Result<bool, Error> {
    let footer =
        Footer::read(piece.file.as_ref()).map_err(disk_error(&piece.name, "reading the footer"))?;
    Ok(footer.is_some_and(|footer| footer.first == piece.first && footer.last() + 1 == next))
}
