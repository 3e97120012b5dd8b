//! The streams of many footers taken in at once.
//!
//! Taken in one footer after the other, every stream's entry would come from far away in memory for
//! every segment. The entries of a footer stand in the order of the ids: so all footers are walked
//! together, a small part of the ids at a time, and each stream is looked for once. Most of the time
//! goes by waiting for memory even so, and several threads share the ids.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use crate::record::StreamId;
use crate::segments::directory::Run;
use crate::segments::footer::Footer;
use crate::streams::heads::HeadEntry;
use crate::streams::postings::{self, List, Lists};
use crate::streams::table::{PART_BITS, StreamMap, StreamTable};

/// So many bytes of footers are held until they are taken in.
const MOST_BYTES: usize = 128 << 20;
/// At a time those ids are walked that begin with the same bits, so many.
const WALK_BITS: u32 = 13;

/// Footers, in the order of their segments.
#[derive(Default)]
pub(crate) struct Footers {
    held: Vec<(Footer, Vec<u8>)>,
    bytes: usize,
}

impl Footers {
    /// Holds another footer with its body. Says whether there are enough to be taken in.
    pub(crate) fn push(&mut self, footer: Footer, body: Vec<u8>) -> bool {
        self.bytes += body.len();
        self.held.push((footer, body));
        self.bytes >= MOST_BYTES
    }

    /// Takes all streams in; gives back the footer that cannot be read, if there is one.
    pub(crate) fn take_in(
        &self,
        heads: &mut StreamTable<HeadEntry>,
        postings: &mut Lists,
    ) -> Result<(), Footer> {
        if self.held.is_empty() {
            return Ok(());
        }
        let (heads, lists) = (heads.parts_mut(), postings.parts_mut());
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = heads.len().div_ceil(threads);
        thread::scope(|scope| {
            let shares = heads.chunks_mut(share).zip(lists.chunks_mut(share)).zip(0..);
            let walks: Vec<_> = shares
                .map(|((heads, lists), number)| {
                    scope.spawn(move || self.walk(number * share, heads, lists))
                })
                .collect();
            let walked = walks
                .into_iter()
                .map(|walk| walk.join().unwrap_or_else(|panic| resume_unwind(panic)));
            walked.collect()
        })
    }

    /// Takes in the streams of some parts of the table, from the one with number `first` on.
    fn walk(
        &self,
        first: usize,
        heads: &mut [StreamMap<HeadEntry>],
        lists: &mut [StreamMap<List>],
    ) -> Result<(), Footer> {
        let mut gathered = Gathered::default();
        let mut walks = Vec::with_capacity(self.held.len());
        let bits = |stream: StreamId, bits| stream.0.as_u128() >> (u128::BITS - bits);
        for (footer, body) in &self.held {
            let mut streams = footer.streams(body).ok_or(*footer)?;
            streams.skip(|stream| bits(stream, PART_BITS) < first as u128);
            walks.push((footer, streams));
        }
        for ((heads, lists), part) in heads.iter_mut().zip(lists).zip(first as u128..) {
            let walked = part << (WALK_BITS - PART_BITS)..(part + 1) << (WALK_BITS - PART_BITS);
            for some in walked {
                for (footer, streams) in &mut walks {
                    let visited = streams.visit(
                        |stream| bits(stream, WALK_BITS) <= some,
                        &mut |stream, run| {
                            gathered.add(stream, footer.first, run);
                        },
                    );
                    visited.ok_or(**footer)?;
                }
                gathered.give(heads, lists);
            }
        }
        Ok(())
    }
}

/// Runs of a stream that follow each other.
struct Joined {
    first_version: u64,
    positions: Vec<u64>,
}

impl Joined {
    /// The version that the next record has.
    fn next_version(&self) -> u64 {
        self.first_version.saturating_add(self.positions.len() as u64)
    }
}

/// The runs of a few streams.
#[derive(Default)]
struct Gathered {
    /// Of a stream whose runs have a gap between them, those behind the gap; and the ones before it in
    /// `before`, in their order.
    streams: StreamMap<Joined>,
    before: Vec<(StreamId, Joined)>,
    /// Room for positions, to be used again.
    used: Vec<Vec<u64>>,
}

impl Gathered {
    /// Adds the run of a stream in the segment that begins at position `first`.
    fn add(&mut self, stream: StreamId, first: u64, run: &Run) {
        let positions = run.relative.iter().map(|relative| first + u64::from(*relative));
        let new = || Joined {
            first_version: run.first_version,
            positions: self.used.pop().unwrap_or_default(),
        };
        let joined = self.streams.entry(stream).or_insert_with(new);
        if joined.next_version() != run.first_version {
            let next = Joined { first_version: run.first_version, positions: Vec::new() };
            self.before.push((stream, std::mem::replace(joined, next)));
        }
        joined.positions.extend(positions);
    }

    /// Hands all over, and is empty then.
    fn give(&mut self, heads: &mut StreamMap<HeadEntry>, lists: &mut StreamMap<List>) {
        for (stream, mut joined) in self.before.drain(..).chain(self.streams.drain()) {
            if let Some(position) = joined.positions.last().copied() {
                let version = joined.next_version() - 1;
                heads.insert(stream, HeadEntry { version, position, leaf: None });
            }
            postings::add_run(lists, stream, joined.first_version, &joined.positions);
            joined.positions.clear();
            self.used.push(joined.positions);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::disk::{Disk, RealDisk};
    use crate::segments::directory::{Directory, Entry, Link};
    use crate::segments::footer::{TreePart, encode};
    use crate::streams::postings::Postings;

    /// A stream with an id of its own first bits.
    fn stream(number: u8) -> StreamId {
        StreamId(Uuid::from_u128(u128::from(number) << 120 | u128::from(number) << 60))
    }

    /// The records of a segment: the stream's number, and whether a version is left out before it.
    type Segment = Vec<(u8, bool)>;

    /// What is known of each record: its stream, version and position.
    type Known = Vec<(StreamId, u64, u64)>;

    fn footers(segments: &[Segment]) -> (Footers, Known) {
        let directory = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(directory.path().to_owned());
        let (mut footers, mut known, mut versions) = (Footers::default(), Known::new(), [0; 256]);
        for (segment, number) in segments.iter().zip(0..) {
            let first = known.len() as u64 + 1;
            let mut directory = Directory::new(first);
            let mut here = std::collections::HashMap::new();
            for (number, gap) in segment {
                let stream = stream(*number);
                let version: &mut u64 = &mut versions[usize::from(*number)];
                // Within a segment there are none: a run has its first version only.
                let position = known.len() as u64 + 1;
                let prior = here.insert(*number, position);
                *version += if *gap && prior.is_none() { 2 } else { 1 };
                known.push((stream, *version, position));
                let link = Link { stream, version: *version, prior: prior.unwrap_or(0) };
                directory.add(Entry { link, offset: 0, time_us: 0 });
            }
            let file = disk.create(&format!("{number}")).unwrap();
            let bytes = encode(&directory, Uuid::nil(), 0, &TreePart::default());
            file.write_at(0, &bytes).unwrap();
            let footer = Footer::read(file.as_ref()).unwrap().unwrap();
            let body = footer.body(file.as_ref()).unwrap().unwrap();
            assert!(!footers.push(footer, body));
        }
        (footers, known)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn taken_in_together_they_give_what_each_record_by_itself_gives(
            segments in prop::collection::vec(
                prop::collection::vec((any::<u8>(), prop::bool::weighted(0.02)), 1..300),
                1..12,
            ),
        ) {
            let (footers, known) = footers(&segments);
            let (mut heads, mut lists) = (StreamTable::default(), Lists::default());
            footers.take_in(&mut heads, &mut lists).unwrap();
            let (mut wanted_heads, mut wanted) = (StreamTable::default(), Lists::default());
            for (stream, version, position) in known {
                wanted_heads.insert(stream, HeadEntry { version, position, leaf: None });
                wanted.add(stream, version, position);
            }
            let (lists, wanted) = (Postings::new(lists), Postings::new(wanted));
            for number in 0..=255 {
                let stream = stream(number);
                prop_assert_eq!(heads.get(stream), wanted_heads.get(stream));
                prop_assert_eq!(lists.of(stream, u64::MAX), wanted.of(stream, u64::MAX));
            }
        }
    }

    #[test]
    fn a_footer_that_cannot_be_read_is_named() {
        let (mut footers, _) = footers(&[vec![(1, false); 9], vec![(200, false); 9]]);
        let (footer, body) = &mut footers.held[1];
        let damaged = *footer;
        let runs = body.len() - damaged.run_bytes as usize;
        body[runs..].fill(0xff);
        let taken = footers.take_in(&mut StreamTable::default(), &mut Lists::default());
        assert_eq!(taken, Err(damaged));
    }
}
