//! The streams of many footers taken in at once.
//!
//! Taken in one footer after the other, every stream's entry would come from far away in memory for
//! every segment. The entries of a footer stand in the order of the ids: so all footers are walked
//! together, a small part of the ids at a time, and what belongs to these is near by then.

use crate::directory::StreamMap;
use crate::footer::Footer;
use crate::heads::HeadEntry;
use crate::postings::Lists;

/// So many bytes of footers are held until they are taken in.
const MOST_BYTES: usize = 128 << 20;
/// The ids are parted by so many of their first bits.
const PART_BITS: u32 = 13;

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
        heads: &mut StreamMap<HeadEntry>,
        postings: &mut Lists,
    ) -> Result<(), Footer> {
        let mut walks = Vec::with_capacity(self.held.len());
        for (footer, body) in &self.held {
            walks.push((footer, footer.streams(body).ok_or(*footer)?));
        }
        for part in 0..1_u128 << PART_BITS {
            for (footer, streams) in &mut walks {
                let walked = streams.visit(
                    |stream| stream.0.as_u128() >> (128 - PART_BITS) <= part,
                    &mut |stream, run| {
                        let mut position = 0;
                        for (relative, version) in run.relative.iter().zip(run.first_version..) {
                            position = footer.first + u64::from(*relative);
                            postings.add(stream, version, position);
                        }
                        let version = run.last_version();
                        heads.insert(stream, HeadEntry { version, position, leaf: None });
                    },
                );
                walked.ok_or(**footer)?;
            }
        }
        Ok(())
    }
}
