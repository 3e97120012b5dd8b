//! A reader without a lock: beside a live writer, or without one.

use std::path::Path;
use std::sync::OnceLock;

use crate::disk::{Disk, DiskFile, RealDisk};
use crate::envelope::Envelope;
use crate::error::{Error, disk_error, fault};
use crate::journal::LOG_DIRECTORY;
use crate::proofs::heads_tree::{HeadsTree, StreamHead};
use crate::proofs::proof::{ConsistencyProof, InclusionProof};
use crate::proofs::prover::Prover;
use crate::proofs::stream_proof::StreamProof;
use crate::proofs::tree::Tree;
use crate::record::{LeafHash, Position, Record, StreamId, Version};
use crate::segments::directory::{Directory, Entry, Link, UNKNOWN_PRIOR, offset_of};
use crate::segments::files::{header_of, segment_names};
use crate::segments::footer::Footer;
use crate::segments::log::{Log, read_places};
use crate::segments::scan::{
    ScanEnd, Stop, Window, is_still_broken, look_behind, scan_groups, stop_fault,
};
use crate::segments::segment::{Contents, Segment};
use crate::signed::checkpoint::Checkpoint;
use crate::signed::checkpoints::signed_up_to;
use crate::streams::table::StreamMap;

/// Reads a log that someone else may be writing. It changes nothing and needs no lock.
///
/// It sees the whole groups that were there when it was opened. A group is written only after the
/// one before it is durable, so all but the very last one is known to be durable. What is no whole
/// group at the end may be one that is being written, or was when the power went; where a later group
/// stands behind it, it was durable, and the log is refused as damaged.
pub struct Reader {
    log: Log,
    /// Whether the footers were found right, see [`Reader::check_footers`].
    checked: OnceLock<()>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Reader")
            .field("log", &self.log.id)
            .field("last", &self.log.durable())
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens the log in a data directory as it stands now. One that ends before what a checkpoint beside it
    /// signed is an [`Error::LogLostRecords`]: what is read of it would look whole.
    pub fn open(directory: &Path) -> Result<Reader, Error> {
        // Before the log, which may grow and be signed meanwhile.
        let signed = signed_up_to(directory)?;
        let reader = Reader::open_as_it_is(directory)?;
        if reader.last() < signed {
            return Err(Error::LogLostRecords { log: reader.last(), index: signed });
        }
        Ok(reader)
    }

    /// The same, whatever was signed.
    pub(crate) fn open_as_it_is(directory: &Path) -> Result<Reader, Error> {
        Reader::open_on(&RealDisk::new(directory.join(LOG_DIRECTORY)))
    }

    /// Which log is in a data directory, by its first segment's header alone: also of one that is
    /// damaged behind that.
    pub fn id_in(directory: &Path) -> Result<uuid::Uuid, Error> {
        let disk = RealDisk::new(directory.join(LOG_DIRECTORY));
        let names = segment_names(&disk)?;
        let (name, first) = names.first().ok_or_else(no_log)?;
        let file = disk.open(name, false).map_err(disk_error(name, "opening"))?;
        Ok(header_of(name, file.as_ref(), *first)?.log)
    }

    /// The same of a log whose last segment may be damaged: as far as that is whole. For a source that
    /// a log is repaired from, which need not be trusted; what it gives is no whole log.
    pub fn open_what_is_whole(directory: &Path) -> Result<Reader, Error> {
        let disk = RealDisk::new(directory.join(LOG_DIRECTORY));
        Reader::open_with(&disk, &|name, first, file| {
            read_directory(name, first, file, None).map(|(directory, _)| directory)
        })
    }

    /// Opens the log on any disk.
    pub fn open_on(disk: &dyn Disk) -> Result<Reader, Error> {
        Reader::open_with(disk, &read_whole)
    }

    /// Opens the log; `unsealed` reads a segment without a footer.
    fn open_with(disk: &dyn Disk, unsealed: &ReadUnsealed<'_>) -> Result<Reader, Error> {
        let names = segment_names(disk)?;
        let mut log: Option<Log> = None;
        for (name, first) in &names {
            let file = disk.open(name, false).map_err(disk_error(name, "opening"))?;
            let header = header_of(name, file.as_ref(), *first)?;
            let log = log.get_or_insert_with(|| Log::new(header.log, Vec::new(), first - 1));
            if header.log != log.id || log.durable() + 1 != *first {
                let what = "the segment before this one is missing, too short or of another log";
                return Err(fault(name, 0, log.durable() + 1, what));
            }
            let footer = Footer::read(file.as_ref()).map_err(disk_error(name, "reading"))?;
            let contents = match footer.filter(|footer| footer.first == *first) {
                Some(footer) => Contents::Sealed(footer),
                None => Contents::Unsealed(unsealed(name, *first, file.as_ref())?),
            };
            let last = match &contents {
                Contents::Sealed(footer) => footer.last(),
                Contents::Unsealed(directory) => directory.next() - 1,
            };
            log.push(Segment::new(name.clone(), *first, file, contents));
            log.set_durable(last);
        }
        let log = log.ok_or_else(no_log)?;
        Ok(Reader { log, checked: OnceLock::new() })
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Which log this is.
    #[must_use]
    pub fn id(&self) -> uuid::Uuid {
        self.log.id
    }

    /// The last position that was there when the log was opened.
    #[must_use]
    pub fn last(&self) -> Position {
        Position(self.log.durable())
    }

    /// Reads records in order from a position on, at most `most`.
    pub fn read(&self, from: Position, most: usize) -> Result<Vec<Record>, Error> {
        self.log.read(from, most)
    }

    /// Visits the exact bytes of the records up to a position, in order.
    pub fn scan(
        &self,
        up_to: u64,
        visit: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.log.scan(1, &mut |_, position, _, bytes| {
            if position <= up_to {
                visit(bytes)?;
            }
            Ok(position < up_to)
        })
    }

    /// Reads a stream's records in order, up to a version if one is given, by the footers alone.
    pub fn read_stream(
        &self,
        stream: StreamId,
        up_to: Option<Version>,
    ) -> Result<Vec<Record>, Error> {
        self.check_footers()?;
        let Some(head) = self.log.find_last(stream, self.log.durable() + 1)? else {
            return Ok(Vec::new());
        };
        let mut places = self.log.places(stream, head, 1)?;
        places.retain(|place| up_to.is_none_or(|version| place.version <= version.0));
        read_places(stream, &places)
    }

    /// Before a stream is looked for in the footers all of them are read once: a damaged one would not
    /// find it, and its records would be left out unseen. What a damaged one says is read from the
    /// records again.
    fn check_footers(&self) -> Result<(), Error> {
        if self.checked.get().is_some() {
            return Ok(());
        }
        for segment in self.log.segments() {
            let footer = segment.with(|contents| match contents {
                Contents::Sealed(footer) => Some(*footer),
                Contents::Unsealed(_) => None,
            });
            let Some(footer) = footer else { continue };
            let body = footer.body(segment.file.as_ref());
            if body.map_err(disk_error(&segment.name, "reading the footer"))?.is_none() {
                let file = segment.file.as_ref();
                let (directory, end) =
                    read_directory(&segment.name, segment.first, file, Some(footer.last() + 1))?;
                if end.next != footer.last() + 1 {
                    return Err(stop_fault(&segment.name, &end));
                }
                segment.change(|contents| *contents = Contents::Unsealed(directory));
            }
        }
        self.checked.get_or_init(|| ());
        Ok(())
    }

    /// The tree over all that was there, from the footers and the records behind them.
    pub(crate) fn prover(&self) -> Result<Prover<'_>, Error> {
        let mut tree = Tree::new();
        for segment in self.log.segments() {
            let footer = segment.with(|contents| match contents {
                Contents::Sealed(footer) => Some(*footer),
                Contents::Unsealed(_) => None,
            });
            let Some(footer) = footer else { break };
            let body = footer.body(segment.file.as_ref());
            let body = body.map_err(disk_error(&segment.name, "reading the footer"))?;
            let part = body.and_then(|body| footer.tree(&body));
            // A damaged footer costs time, not truth: what is behind it is hashed again.
            let Some(part) = part else { break };
            part.tiles.into_iter().for_each(|tile| tree.restore_tile(tile));
        }
        self.log.scan(tree.size() + 1, &mut |_, _, _, bytes| {
            tree.push(LeafHash::of(bytes));
            Ok(true)
        })?;
        Ok(Prover { log: &self.log, tree })
    }

    /// The root of the tree over the first `size` records.
    pub fn root_at(&self, size: u64) -> Result<[u8; 32], Error> {
        self.prover()?.root_at(size)
    }

    /// Proves that the record at a position is in the tree of the first `size` records.
    pub fn prove_inclusion(&self, position: Position, size: u64) -> Result<InclusionProof, Error> {
        self.prover()?.inclusion(position, size)
    }

    /// Proves that the tree of the first `old_size` records is the beginning of that of `size`.
    pub fn prove_consistency(&self, old_size: u64, size: u64) -> Result<ConsistencyProof, Error> {
        self.prover()?.consistency(old_size, size)
    }

    /// Proves that a stream's records are all that it has up to a checkpoint of this log. Reads
    /// the footers of the whole log.
    pub fn prove_stream(
        &self,
        stream: StreamId,
        checkpoint: &Checkpoint,
    ) -> Result<StreamProof, Error> {
        let heads = HeadsTree::new(self.heads_at(checkpoint.size)?);
        self.prover()?.stream(stream, checkpoint, &heads)
    }

    /// The heads of all streams when the log had `size` records.
    fn heads_at(&self, size: u64) -> Result<Vec<StreamHead>, Error> {
        self.check_footers()?;
        let mut heads = StreamMap::default();
        for segment in self.log.segments().iter().filter(|segment| segment.first <= size) {
            segment.heads_at(size, &mut |head| {
                heads.insert(head.stream, head);
            })?;
        }
        Ok(heads.into_values().collect())
    }
}

fn no_log() -> Error {
    Error::Request("there is no log here".to_owned())
}

/// Reads a segment without a footer, by its name and its first position.
type ReadUnsealed<'r> = dyn Fn(&str, u64, &dyn DiskFile) -> Result<Directory, Error> + 'r;

/// Reads the groups of a segment without a footer; refuses what is damaged.
fn read_whole(name: &str, first: u64, file: &dyn DiskFile) -> Result<Directory, Error> {
    let read = || disk_error(name, "reading");
    let (directory, end) = read_directory(name, first, file, None)?;
    let behind = look_behind(file, end.end, end.next).map_err(read())?;
    let broken = match end.stop {
        Stop::Wrong { .. } | Stop::Version(_) => true,
        // What came since is left out: the reader sees what was there when it looked.
        Stop::Empty | Stop::Bound | Stop::Damaged { .. } => {
            behind.later_group.is_some() && is_still_broken(file, &end).map_err(read())?
        }
    };
    if broken { Err(stop_fault(name, &end)) } else { Ok(directory) }
}

/// Reads the groups of a segment up to a position, or to the first that is not whole.
fn read_directory(
    name: &str,
    first: u64,
    file: &dyn DiskFile,
    bound: Option<u64>,
) -> Result<(Directory, ScanEnd), Error> {
    let mut directory = Directory::new(first);
    let mut window = Window::new(file);
    let mut last = StreamMap::default();
    let end = scan_groups(&mut window, 0, first, bound, &mut |_, frame| {
        let envelope = Envelope::parse(frame.bytes)?;
        let version = envelope.version.0;
        let stream = envelope.stream;
        let unknown = if version == 1 { 0 } else { UNKNOWN_PRIOR };
        let prior = last.insert(stream, frame.position).unwrap_or(unknown);
        directory.add(Entry {
            link: Link { stream, version, prior },
            offset: offset_of(frame.offset)?,
            time_us: envelope.time.as_microsecond(),
        });
        Ok(())
    })
    .map_err(disk_error(name, "reading"))?;
    Ok((directory, end))
}
