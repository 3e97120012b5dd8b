//! A durable group becomes visible: directory, tree, heads, position, and then the answers.

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
pub(super) fn tell(shared: &Shared, durable: Durable) -> Group {
    let Durable { mut group, segment, offset } = durable;
    if !group.staged.is_empty() {
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
