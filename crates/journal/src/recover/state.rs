//! What is read of a log while it is opened, segment by segment.

use std::sync::Arc;

use uuid::Uuid;

use crate::disk::{Disk, DiskFile};
use crate::envelope::Envelope;
use crate::error::{Error, disk_error, fault};
use crate::proofs::tree::{TILE_LEAVES, Tree};
use crate::record::LeafHash;
use crate::recover::footers::Footers;
use crate::segments::directory::{Directory, Entry, Link, offset_of};
use crate::segments::files::{header_of, segment_names};
use crate::segments::footer::{Footer, TreePart};
use crate::segments::format::SegmentHeader;
use crate::segments::log::Log;
use crate::segments::scan::{
    ScanEnd, Window, gap_fault, missing_fault, nothing_behind, scan_groups,
};
use crate::segments::segment::{Contents, Segment};
use crate::streams::heads::HeadEntry;
use crate::streams::postings::Lists;
use crate::streams::table::StreamTable;

/// A segment file on the way in.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) first: u64,
    file: Arc<dyn DiskFile>,
}

impl Found {
    /// Reads its header and checks that it is the one that its name says.
    pub(super) fn header(&self) -> Result<SegmentHeader, Error> {
        header_of(&self.name, self.file.as_ref(), self.first)
    }
}

/// What has been read of the log so far.
pub(super) struct State {
    pub(super) log: Log,
    pub(super) heads: StreamTable<HeadEntry>,
    pub(super) postings: Lists,
    /// Footers whose streams are still to be taken in.
    footers: Footers,
    pub(super) tree: Tree,
    pub(super) last_time_us: i64,
    /// Footers to write once everything was judged sound.
    pub(super) unsealed: Vec<(Arc<Segment>, u64, TreePart)>,
    /// The tree's frontier behind the last sealed segment, to be compared.
    peaks: Vec<[u8; 32]>,
}

/// The segments in order, open for writing.
pub(super) fn find_segments(disk: &dyn Disk) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for (name, first) in segment_names(disk)? {
        let file = disk.open(&name, true).map_err(disk_error(&name, "opening"))?;
        found.push(Found { name, first, file });
    }
    if let Some(first) = found.first().filter(|segment| segment.first != 1) {
        return Err(fault(&first.name, 0, 1, "the segments before this one are missing"));
    }
    Ok(found)
}

impl State {
    /// Nothing has been read of a log yet.
    pub(super) fn of(log: Uuid) -> State {
        State {
            log: Log::new(log, Vec::new(), 0),
            heads: StreamTable::default(),
            postings: Lists::default(),
            footers: Footers::default(),
            tree: Tree::new(),
            last_time_us: i64::MIN,
            unsealed: Vec::new(),
            peaks: Vec::new(),
        }
    }

    /// Takes in the next segment. The last one without a footer gives where its groups end.
    pub(super) fn take_in(
        &mut self,
        found: &Found,
        next: Option<u64>,
    ) -> Result<Option<ScanEnd>, Error> {
        if found.header()?.log != self.log.id {
            return Err(fault(&found.name, 0, found.first, "the segment is of another log"));
        }
        if self.log.durable() + 1 != found.first {
            return Err(gap_fault(&found.name, self.log.durable() + 1));
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
            return Err(missing_fault(&found.name, &end, next));
        }
        nothing_behind(&found.name, found.file.as_ref(), &end)?;
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

    pub(super) fn take_streams(&mut self) -> Result<(), Error> {
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
    pub(super) fn complete_tree(&mut self) -> Result<(), Error> {
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
                offset: offset_of(frame.offset)?,
                time_us: envelope.time.as_microsecond(),
            });
            tree.push(leaf);
            Ok(())
        });
        Ok((directory, end.map_err(disk_error(&found.name, "reading"))?))
    }
}
