//! Memory for writes past the system's cache, in pages as large as the system gives.
//!
//! A disk is told of each piece of memory that lies together by itself. In pages of 4 KiB those are
//! 150 for a group of 1,024 records, and the device of a virtual machine took longer for them than for
//! the bytes: 0.80 ms where one large page took 0.22.

use std::io;

use memmap2::{Advice, MmapMut};

/// The size of a large page where the processor is an x86-64, or an ARM with pages of 4 KiB. With
/// others the memory lies together as well as it can.
const LARGE_PAGE_BYTES: usize = 2 << 20;

/// Zeros at first, at the begin of a page. Where the system has no large pages they are small ones,
/// which are slower and nothing else.
#[derive(Debug)]
pub(crate) struct LargePages {
    map: MmapMut,
    start: usize,
    length: usize,
}

impl LargePages {
    /// Sets so many bytes aside. They take memory only as they are used.
    pub(crate) fn new(length: usize) -> io::Result<LargePages> {
        let room = length.next_multiple_of(LARGE_PAGE_BYTES) + LARGE_PAGE_BYTES;
        let map = MmapMut::map_anon(room)?;
        if let Err(error) = map.advise(Advice::HugePage) {
            tracing::debug!(%error, "the system gives no large pages");
        }
        let start = map.as_ptr().align_offset(LARGE_PAGE_BYTES);
        Ok(LargePages { map, start, length })
    }

    /// Takes all the memory now, which else is taken where it is first written to: on a virtual machine
    /// a large page may cost milliseconds then.
    pub(crate) fn populate(&self) {
        if let Err(error) = self.map.advise_range(Advice::PopulateWrite, self.start, self.length) {
            tracing::debug!(%error, "memory is taken as it is used");
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.map.get(self.start..self.start + self.length).unwrap_or_default()
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.map.get_mut(self.start..self.start + self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::zeros::PAGE_BYTES;

    #[test]
    fn the_memory_is_zeros_of_the_length_asked_for_at_the_begin_of_a_page() {
        for length in [1, PAGE_BYTES, LARGE_PAGE_BYTES - 1, LARGE_PAGE_BYTES, 3 << 20] {
            let mut pages = LargePages::new(length).unwrap();
            pages.populate();
            assert_eq!(pages.bytes().as_ptr().align_offset(LARGE_PAGE_BYTES), 0);
            assert_eq!(pages.bytes().len(), length);
            assert!(pages.bytes().iter().all(|byte| *byte == 0));
            pages.bytes_mut().fill(7);
            assert_eq!(pages.bytes(), vec![7; length]);
        }
    }
}
