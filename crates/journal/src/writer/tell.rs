//! A durable group becomes visible: directory, tree, heads, position, and then the answers.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::group::{Durable, Group, Pipe};
use crate::record::{Appended, Position};
use crate::segments::directory::{Entry, Link};
use crate::segments::segment::Contents;
use crate::shared::Shared;
use crate::streams::heads::HeadEntry;

/// Tells of durable groups in their order, until none will come.
pub(super) fn run(shared: &Arc<Shared>, pipe: &Pipe, durable: &Receiver<Durable>) {
    while let Ok(durable) = durable.recv() {
        pipe.count_late(tell(shared, durable));
    }
}

/// The group is durable: readers may see it, and callers are answered. Gives back its room.
///
/// A group that is not the next one is not told: the tree and the places would be those of another
/// log, and the footer made of them would say so for ever. That is a defect of the writer, which is
/// poisoned by it; the records on the disk are whole.
#[expect(clippy::cast_possible_truncation, reason = "the options limit the bytes of a segment")]
pub(super) fn tell(shared: &Shared, durable: Durable) -> Group {
    let Durable { mut group, segment, offset } = durable;
    let (frames, to_tell) = (&group.frames, &mut group.to_tell);
    frames.hash_all();
    let leaves = frames.leaves();
    if frames.count() > 0 {
        let (first, behind) = (frames.first(), shared.with_tree(|tree| tree.size()));
        if first != behind + 1 {
            let what = format!("position {first} was to be told behind {behind}");
            let cause = Arc::new(io::Error::other(what));
            shared.set_poison(&cause);
            to_tell.fail(&shared.poison().unwrap_or(cause));
            return group;
        }
        segment.change(|contents| {
            if let Contents::Unsealed(directory) = contents {
                for (staged, at) in to_tell.staged().iter().zip(frames.places()) {
                    let (stream, version) = (staged.stream, staged.version.0);
                    directory.add(Entry {
                        link: Link { stream, version, prior: staged.prior },
                        offset: (offset + u64::from(at)) as u32,
                        time_us: staged.time.as_microsecond(),
                    });
                }
            }
        });
        shared.with_tree(|tree| frames.add_to(tree));
        let staged = to_tell.staged().iter().zip(&leaves);
        shared.heads.set((first..).zip(staged).map(|(position, (staged, leaf))| {
            let head = HeadEntry { version: staged.version.0, position, leaf: Some(*leaf) };
            (staged.stream, head)
        }));
        let last = Position(frames.next() - 1);
        shared.log.set_durable(last.0);
        shared.durable.send_replace(last);
    }
    to_tell.answer((frames.first()..).zip(leaves), |staged, (position, leaf)| {
        let (version, time) = (staged.version, staged.time);
        Ok(Appended { position: Position(position), version, leaf, time })
    });
    group
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::append::answers::Answers;
    use crate::disk::RealDisk;
    use crate::error::Error;
    use crate::journal::Journal;
    use crate::options::Options;
    use crate::record::{StreamId, Version};
    use crate::writer::frames::Frames;
    use crate::writer::group::{Staged, ToTell};

    #[test]
    fn a_group_that_is_not_the_next_is_refused_and_poisons() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Arc::new(RealDisk::new(directory.path().to_owned()));
        let (journal, _) = Journal::open_on(disk, Options::default()).unwrap();
        let (mut answers, pending) = Answers::one();
        let mut frames = Frames::default();
        frames.begin(2);
        frames.push(|out| out.push(b'x')).unwrap();
        let stream = StreamId(uuid::Uuid::from_u128(1));
        let (version, time) = (Version(1), jiff::Timestamp::UNIX_EPOCH);
        let mut to_tell = ToTell::default();
        to_tell.stage(Staged { stream, version, time, prior: 0, place: 0 });
        to_tell.answer_to(&mut answers);
        let group = Group { number: 1, frames: Arc::new(frames), to_tell };
        let segment = journal.shared.log.segment(1).unwrap();
        let group = tell(&journal.shared, Durable { group, segment, offset: 64 });
        assert!(group.to_tell.is_empty());
        assert!(matches!(pending.wait(), Err(Error::Poisoned(_))));
        assert!(journal.shared.poison().is_some());
        assert_eq!(journal.root().0, 0);
        assert_eq!(journal.head(stream).unwrap(), None);
    }
}
