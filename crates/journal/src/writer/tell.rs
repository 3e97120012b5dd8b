//! A durable group becomes visible: directory, tree, heads, position, and then the answers.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::group::{Durable, Group, Pipe};
use crate::directory::Entry;
use crate::heads::HeadEntry;
use crate::journal::Shared;
use crate::log::Contents;
use crate::record::Position;

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
pub(super) fn tell(shared: &Shared, durable: Durable) -> Group {
    let Durable { mut group, segment, offset } = durable;
    if !group.staged.is_empty() {
        let (first, behind) = (group.buffer.first(), shared.with_tree(|tree| tree.size()));
        if first != behind + 1 {
            let what = format!("position {first} was to be told behind {behind}");
            let cause = Arc::new(io::Error::other(what));
            shared.set_poison(&cause);
            group.fail(&shared.poison().unwrap_or(cause));
            return group;
        }
        segment.change(|contents| {
            if let Contents::Unsealed(directory) = contents {
                for staged in &group.staged {
                    directory.add(Entry {
                        stream: staged.stream,
                        version: staged.appended.version.0,
                        prior: staged.prior,
                        offset: (offset + staged.at as u64) as u32,
                        time_us: staged.appended.time.as_microsecond(),
                    });
                }
            }
        });
        shared.with_tree(|tree| {
            group.staged.iter().for_each(|staged| tree.push(staged.appended.leaf));
        });
        shared.heads.set(group.staged.iter().map(|staged| {
            let head = HeadEntry {
                version: staged.appended.version.0,
                position: staged.appended.position.0,
                leaf: Some(staged.appended.leaf),
            };
            (staged.stream, head)
        }));
        let last = Position(group.buffer.next() - 1);
        shared.log.set_durable(last.0);
        shared.durable.send_replace(last);
    }
    for staged in group.staged.drain(..) {
        staged.answer.give(Ok(staged.appended));
    }
    for (to, error) in group.refused.drain(..) {
        to.give(Err(error));
    }
    group
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::answers::Answer;
    use crate::disk::RealDisk;
    use crate::error::Error;
    use crate::journal::Journal;
    use crate::options::Options;
    use crate::record::{Appended, LeafHash, StreamId, Version};
    use crate::writer::group::Staged;

    #[test]
    fn a_group_that_is_not_the_next_is_refused_and_poisons() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Arc::new(RealDisk::new(directory.path().to_owned()));
        let (journal, _) = Journal::open_on(disk, Options::default()).unwrap();
        let (answer, pending) = Answer::one();
        let mut group = Group::default();
        group.begin(2, 2);
        group.buffer.push(|out| out.push(b'x')).unwrap();
        let appended = Appended {
            position: Position(2),
            version: Version(1),
            leaf: LeafHash::NONE,
            time: jiff::Timestamp::UNIX_EPOCH,
        };
        let stream = StreamId(uuid::Uuid::from_u128(1));
        group.staged.push(Staged { stream, appended, prior: 0, at: 32, answer });
        let segment = journal.shared.log.segment(1).unwrap();
        let group = tell(&journal.shared, Durable { group, segment, offset: 64 });
        assert!(group.is_empty());
        assert!(matches!(pending.wait(), Err(Error::Poisoned(_))));
        assert!(journal.shared.poison().is_some());
        assert_eq!(journal.root().0, 0);
        assert_eq!(journal.head(stream).unwrap(), None);
    }
}
