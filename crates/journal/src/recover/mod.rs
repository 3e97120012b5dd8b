//! Opening a log: what is read, what is cut, what is refused.
//!
//! Everything is read and judged before anything is changed.

mod footers;

use std::sync::Arc;

use uuid::Uuid;

use crate::disk::{Disk, DiskFile, Pace};
use crate::envelope::Envelope;
use crate::error::{Error, Fault, disk_error};
use crate::options::{OpenReport, Options, Progress, TornTail};
use crate::proofs::tree::{TILE_LEAVES, Tree};
use crate::record::{LeafHash, Position};
use crate::recover::footers::Footers;
use crate::segments::directory::{Directory, Entry, Link};
use crate::segments::footer::{Footer, TreePart};
use crate::segments::format::{
    HeaderFault, SEGMENT_HEADER_BYTES, SegmentHeader, segment_name, segment_position,
};
use crate::segments::log::{Contents, Log, Segment};
use crate::segments::scan::{ScanEnd, Stop, Window, look_behind, scan_groups};
use crate::segments::seal::seal;
use crate::streams::heads::HeadEntry;
use crate::streams::postings::Lists;
use crate::streams::table::StreamTable;
use crate::upkeep::shelf::{SPARES, Spare};

/// A log that was read and may be written on.
pub(crate) struct Recovered {
    pub(crate) log: Log,
    pub(crate) heads: StreamTable<HeadEntry>,
    pub(crate) postings: Lists,
    pub(crate) tree: Tree,
    pub(crate) last_time_us: i64,
    /// The segment to write on, and where.
    pub(crate) tail: Tail,
    pub(crate) report: OpenReport,
}

/// The segment that groups are written to.
pub(crate) struct Tail {
    pub(crate) segment: Arc<Segment>,
    /// Where the next group begins.
    pub(crate) end: u64,
    /// The number of the tile that was unfinished when the segment began.
    pub(crate) first_tile: u64,
}

/// A segment file on the way in.
struct Found {
    name: String,
    first: u64,
    file: Arc<dyn DiskFile>,
}

/// What has been read of the log so far.
struct State {
    log: Log,
    heads: StreamTable<HeadEntry>,
    postings: Lists,
    /// Footers whose streams are still to be taken in.
    footers: Footers,
    tree: Tree,
    last_time_us: i64,
    /// Footers to write once everything was judged sound.
    unsealed: Vec<(Arc<Segment>, u64, TreePart)>,
    /// The tree's frontier behind the last sealed segment, to be compared.
    peaks: Vec<[u8; 32]>,
}

/// Reads the log on a disk and makes it ready for writing; `seen` is which log the index has seen,
/// and up to which position; `signed` is the size of the largest checkpoint.
pub(crate) fn recover(
    disk: &Arc<dyn Disk>,
    options: &Options,
    seen: Option<(Uuid, Position)>,
    signed: Position,
    progress: &mut dyn FnMut(Progress),
) -> Result<Recovered, Error> {
    let found = find_segments(disk.as_ref())?;
    let Some(last) = found.last() else {
        return begin(disk, options, seen.map_or(signed, |(_, position)| position.max(signed)));
    };
    let total = found.len() as u64;
    let mut state = State {
        log: Log::new(read_header(last)?.log, Vec::new(), 0),
        heads: StreamTable::default(),
        postings: Lists::default(),
        footers: Footers::default(),
        tree: Tree::new(),
        last_time_us: i64::MIN,
        unsealed: Vec::new(),
        peaks: Vec::new(),
    };
    let mut end = None;
    for (done, segment) in found.iter().enumerate() {
        let next = found.get(done + 1).map(|next| next.first);
        end = state.take_in(segment, next)?;
        progress(Progress::Log { done: done as u64 + 1, total });
    }
    state.take_streams()?;
    state.complete_tree()?;
    // The index of another log says nothing about this one.
    let seen =
        seen.filter(|(log, _)| *log == state.log.id).map_or(signed, |(_, at)| at.max(signed));
    state.judge_and_mend(disk, options, seen, end)
}

fn find_segments(disk: &dyn Disk) -> Result<Vec<Found>, Error> {
    let names = disk.list().map_err(disk_error("log", "listing"))?;
    let mut found = Vec::new();
    for name in names {
        if let Some(first) = segment_position(&name) {
            let file = disk.open(&name, true).map_err(disk_error(&name, "opening"))?;
            found.push(Found { name, first, file });
        }
    }
    found.sort_unstable_by_key(|segment| segment.first);
    if let Some(first) = found.first().filter(|segment| segment.first != 1) {
        return Err(fault(&first.name, 0, 1, "the segments before this one are missing"));
    }
    Ok(found)
}

fn read_header(found: &Found) -> Result<SegmentHeader, Error> {
    header_of(&found.name, found.file.as_ref(), found.first)
}

/// Reads a segment's header and checks that it is the one that its name says.
pub(crate) fn header_of(
    name: &str,
    file: &dyn DiskFile,
    first: u64,
) -> Result<SegmentHeader, Error> {
    let mut bytes = [0; SEGMENT_HEADER_BYTES as usize];
    file.read_at(0, &mut bytes).map_err(disk_error(name, "reading"))?;
    match SegmentHeader::decode(&bytes) {
        Ok(header) if header.first == first => Ok(header),
        Ok(_) => Err(fault(name, 0, first, "the segment's header has another first position")),
        Err(HeaderFault::Damaged) => Err(fault(name, 0, first, "the segment's header is damaged")),
        Err(HeaderFault::Version(version)) => {
            Err(Error::UnknownFormat { file: name.to_owned(), version })
        }
    }
}

pub(crate) fn fault(file: &str, offset: u64, position: u64, what: &str) -> Error {
    Error::Corrupt(Fault {
        file: file.to_owned(),
        offset,
        position: Some(Position(position)),
        stream: None,
        what: what.to_owned(),
    })
}

/// What is wrong where the groups of a segment end too early.
pub(crate) fn stop_fault(name: &str, end: &ScanEnd) -> Error {
    match &end.stop {
        Stop::Version(version) => Error::UnknownFormat { file: name.to_owned(), version: *version },
        Stop::Damaged { offset, position, what } | Stop::Wrong { offset, position, what } => {
            fault(name, *offset, *position, what)
        }
        Stop::Empty | Stop::Bound => fault(name, end.end, end.next, "records are missing here"),
    }
}

impl State {
    /// Takes in the next segment. The last one without a footer gives where its groups end.
    fn take_in(&mut self, found: &Found, next: Option<u64>) -> Result<Option<ScanEnd>, Error> {
        if read_header(found)?.log != self.log.id {
            return Err(fault(&found.name, 0, found.first, "the segment is of another log"));
        }
        if self.log.durable() + 1 != found.first {
            let what = "the segment before this one is missing or too short";
            return Err(fault(&found.name, 0, self.log.durable() + 1, what));
        }
        if let Some((footer, body)) = self.footer(found, next)? {
            self.take_footer(found, footer, body)?;
            return Ok(None);
        }
        self.take_streams()?;
        self.complete_tree()?;
        let first_tile = self.tree.size() / TILE_LEAVES;
        let (directory, end) = self.read_groups(found, next)?;
        self.last_time_us = self.last_time_us.max(directory.last_time_us);
        let last = directory.next() - 1;
        let segment = Segment::new(
            found.name.clone(),
            found.first,
            Arc::clone(&found.file),
            Contents::Unsealed(directory),
        );
        self.log.push(Arc::clone(&segment));
        self.log.set_durable(last);
        self.postings.reach(last);
        let Some(next) = next else { return Ok(Some(end)) };
        if end.next != next {
            return Err(stop_fault(&found.name, &end));
        }
        let part = TreePart { tiles: self.tree.tiles_from(first_tile), peaks: self.tree.peaks() };
        self.unsealed.push((segment, end.end, part));
        Ok(None)
    }

    /// The footer of a segment, if it is sound and fits between its neighbours.
    fn footer(&self, found: &Found, next: Option<u64>) -> Result<Option<(Footer, Vec<u8>)>, Error> {
        let file = found.file.as_ref();
        let read = disk_error(&found.name, "reading the footer");
        let Some(footer) = Footer::read(file).map_err(read)? else { return Ok(None) };
        let fits = footer.log == self.log.id
            && footer.first == found.first
            && next.is_none_or(|next| footer.last() + 1 == next);
        if !fits {
            return Ok(None);
        }
        let body = footer.body(file).map_err(disk_error(&found.name, "reading the footer"))?;
        Ok(body.map(|body| (footer, body)))
    }

    fn take_streams(&mut self) -> Result<(), Error> {
        let footers = std::mem::take(&mut self.footers);
        footers.take_in(&mut self.heads, &mut self.postings).map_err(|at| {
            let segment = self.log.segment(at.first);
            let name = segment.map_or_else(|_| String::new(), |segment| segment.name.clone());
            fault(&name, at.start, at.first, "the footer is unreadable")
        })
    }

    fn take_footer(&mut self, found: &Found, footer: Footer, body: Vec<u8>) -> Result<(), Error> {
        let unreadable =
            || fault(&found.name, footer.start, footer.first, "the footer is unreadable");
        let part = footer.tree(&body).ok_or_else(unreadable)?;
        self.tree.drop_unfinished();
        for tile in part.tiles {
            self.tree.restore_tile(tile);
        }
        self.peaks = part.peaks;
        self.last_time_us = self.last_time_us.max(footer.last_time_us);
        self.log.push(Segment::new(
            found.name.clone(),
            found.first,
            Arc::clone(&found.file),
            Contents::Sealed(footer),
        ));
        self.log.set_durable(footer.last());
        self.postings.reach(footer.last());
        if self.footers.push(footer, body) {
            self.take_streams()?;
        }
        Ok(())
    }

    /// Hashes the leaves behind the last full tile again, and compares the frontier.
    fn complete_tree(&mut self) -> Result<(), Error> {
        if self.tree.size() == self.log.durable() {
            return Ok(());
        }
        let tree = &mut self.tree;
        self.log.scan(tree.size() + 1, &mut |_, _, _, bytes| {
            tree.push(LeafHash::of(bytes));
            Ok(true)
        })?;
        if self.tree.peaks() != self.peaks {
            let segment = self.log.segment(self.log.durable())?;
            let what = "the footer's frontier is not that of the records";
            return Err(segment.fault(0, self.log.durable(), what));
        }
        Ok(())
    }

    fn read_groups(
        &mut self,
        found: &Found,
        bound: Option<u64>,
    ) -> Result<(Directory, ScanEnd), Error> {
        let mut directory = Directory::new(found.first);
        directory.last_time_us = self.last_time_us;
        let mut window = Window::new(found.file.as_ref());
        let (heads, postings, tree) = (&mut self.heads, &mut self.postings, &mut self.tree);
        let end = scan_groups(&mut window, 0, found.first, bound, &mut |_, frame| {
            let envelope = Envelope::parse(frame.bytes)?;
            let leaf = LeafHash::of(frame.bytes);
            let version = envelope.version.0;
            let entry = HeadEntry { version, position: frame.position, leaf: Some(leaf) };
            let before = heads.insert(envelope.stream, entry);
            if before.map_or(0, |before| before.version) + 1 != version {
                return Err("the record's caseversion does not follow its stream".to_owned());
            }
            postings.add(envelope.stream, version, frame.position);
            let prior = before.map_or(0, |before| before.position);
            directory.add(Entry {
                link: Link { stream: envelope.stream, version, prior },
                offset: frame.offset as u32,
                time_us: envelope.time.as_microsecond(),
            });
            tree.push(leaf);
            Ok(())
        });
        Ok((directory, end.map_err(disk_error(&found.name, "reading"))?))
    }

    /// Decides whether the end is sound, torn or damaged; only then changes anything.
    fn judge_and_mend(
        mut self,
        disk: &Arc<dyn Disk>,
        options: &Options,
        index: Position,
        end: Option<ScanEnd>,
    ) -> Result<Recovered, Error> {
        let last = Position(self.log.durable());
        let mut report = OpenReport { last, ..OpenReport::default() };
        let tail_segment = self
            .log
            .segments()
            .pop()
            .ok_or_else(|| Error::Request("the log has no segment".to_owned()))?;
        let torn = match &end {
            Some(end) => judge_tail(&tail_segment, end, index)?,
            None => None,
        };
        if index > last {
            return Err(Error::LogLostRecords { log: last, index });
        }
        report.footers_remade = self.unsealed.len() as u64;
        for (segment, end, part) in self.unsealed.drain(..) {
            seal(&segment, self.log.id, end, &part)?;
        }
        let sync = disk_error(&tail_segment.name, "syncing");
        if let Some(torn) = torn {
            cut(disk.as_ref(), &tail_segment, &torn)?;
            report.torn_tail = Some(torn);
        }
        tail_segment.file.sync().map_err(sync)?;
        disk.sync_directory().map_err(disk_error("log", "syncing"))?;
        let first_tile = (tail_segment.first - 1) / TILE_LEAVES;
        let tail = if let Some(end) = end {
            Tail { segment: tail_segment, end: end.end, first_tile }
        } else {
            let segment = make_segment(disk, options, self.log.id, last.0 + 1)?;
            self.log.push(Arc::clone(&segment));
            let first_tile = self.tree.size() / TILE_LEAVES;
            Tail { segment, end: SEGMENT_HEADER_BYTES, first_tile }
        };
        let State { log, heads, postings, tree, last_time_us, .. } = self;
        Ok(Recovered { log, heads, postings, tree, last_time_us, tail, report })
    }
}

fn judge_tail(
    segment: &Segment,
    end: &ScanEnd,
    index: Position,
) -> Result<Option<TornTail>, Error> {
    if let Stop::Version(version) = end.stop {
        return Err(Error::UnknownFormat { file: segment.name.clone(), version });
    }
    if let Stop::Wrong { offset, position, what } = &end.stop {
        return Err(fault(&segment.name, *offset, *position, what));
    }
    let read = disk_error(&segment.name, "reading");
    let remains = look_behind(segment.file.as_ref(), end.end, end.next).map_err(read)?;
    if remains.last_nonzero == 0 {
        return Ok(None);
    }
    let (offset, position, what) = match &end.stop {
        Stop::Damaged { offset, position, what } | Stop::Wrong { offset, position, what } => {
            (*offset, *position, what.as_str())
        }
        Stop::Empty | Stop::Bound | Stop::Version(_) => (end.end, end.next, "the group is missing"),
    };
    if let Some((_, later)) = remains.later_group {
        let what = format!("{what}, but the group of position {later} behind it is there");
        return Err(fault(&segment.name, offset, position, &what));
    }
    if index.0 >= end.next {
        let what = format!(
            "{what}, but the index or a checkpoint has seen position {index}: it was durable"
        );
        return Err(fault(&segment.name, offset, position, &what));
    }
    Ok(Some(TornTail {
        file: segment.name.clone(),
        offset: end.end,
        bytes: remains.last_nonzero - end.end,
        position: Position(end.next),
        kept_in: format!("{:020}.torn", end.next),
    }))
}

/// Keeps the bytes of a torn tail in a file of their own, and zeroes them in the segment.
fn cut(disk: &dyn Disk, segment: &Segment, torn: &TornTail) -> Result<(), Error> {
    let wrong = |source| disk_error(&segment.name, "cutting the torn tail of")(source);
    let mut bytes = vec![0; usize::try_from(torn.bytes).unwrap_or(0)];
    segment.file.read_at(torn.offset, &mut bytes).map_err(wrong)?;
    let kept = disk.create(&torn.kept_in).map_err(wrong)?;
    kept.write_at(0, &bytes).map_err(wrong)?;
    kept.sync().map_err(wrong)?;
    disk.sync_directory().map_err(wrong)?;
    bytes.fill(0);
    segment.file.write_at(torn.offset, &bytes).map_err(wrong)
}

/// Turns a spare file into the segment that begins at `first`, durably.
pub(crate) fn name_spare(
    disk: &dyn Disk,
    Spare { name: spare, file }: &Spare,
    log: Uuid,
    first: u64,
) -> std::io::Result<Arc<Segment>> {
    file.write_at(0, &SegmentHeader { log, first }.encode())?;
    file.sync()?;
    let name = segment_name(first);
    disk.rename(spare, &name)?;
    disk.sync_directory()?;
    let contents = Contents::Unsealed(Directory::new(first));
    Ok(Segment::new(name, first, Arc::clone(file), contents))
}

fn make_segment(
    disk: &Arc<dyn Disk>,
    options: &Options,
    log: Uuid,
    first: u64,
) -> Result<Arc<Segment>, Error> {
    let [name, ..] = SPARES;
    let file = disk
        .create_zeros(name, options.segment_bytes, &mut |_| Pace::Hurried)
        .map_err(disk_error(name, "preallocating"))?;
    let spare = Spare { name, file };
    name_spare(disk.as_ref(), &spare, log, first).map_err(disk_error(name, "naming"))
}

/// Begins a new log in an empty directory.
fn begin(disk: &Arc<dyn Disk>, options: &Options, index: Position) -> Result<Recovered, Error> {
    if index > Position(0) {
        return Err(Error::LogLostRecords { log: Position(0), index });
    }
    let id = Uuid::new_v4();
    let segment = make_segment(disk, options, id, 1)?;
    Ok(Recovered {
        log: Log::new(id, vec![Arc::clone(&segment)], 0),
        heads: StreamTable::default(),
        postings: Lists::default(),
        tree: Tree::new(),
        last_time_us: i64::MIN,
        tail: Tail { segment, end: SEGMENT_HEADER_BYTES, first_tile: 0 },
        report: OpenReport::default(),
    })
}
