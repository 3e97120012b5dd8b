//! A group on its way: staged by one thread, made durable by a second, told by a third.

use std::collections::VecDeque;
use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::frames::Frames;
use crate::append::answers::{Answers, Outcome};
use crate::append::queue::linger;
use crate::error::Error;
use crate::record::{StreamId, Version};
use crate::segments::segment::Segment;

/// A record of a group.
pub(super) struct Staged {
    pub(super) stream: StreamId,
    pub(super) version: Version,
    pub(super) time: jiff::Timestamp,
    /// The position of the stream's record before.
    pub(super) prior: u64,
    /// Its place among the answers.
    pub(super) place: u32,
}

/// Records of a group that follow one another and whose answers go the same way.
struct Run {
    answers: Answers,
    count: usize,
}

/// The records that one flush makes durable, and what is told with them.
#[derive(Default)]
pub(super) struct Group {
    /// The groups are counted from 1.
    pub(super) number: u64,
    pub(super) frames: Arc<Frames>,
    pub(super) to_tell: ToTell,
}

/// Who is to be told, and of what.
#[derive(Default)]
pub(super) struct ToTell {
    /// One for each frame.
    staged: Vec<Staged>,
    /// All of them, by where their answers go.
    runs: Vec<Run>,
    /// Refusals that rest on records of this group or of one before: told when those are durable.
    refused: Vec<(Answers, u32, Error)>,
}

impl ToTell {
    pub(super) fn is_empty(&self) -> bool {
        self.staged.is_empty() && self.refused.is_empty()
    }

    pub(super) fn staged(&self) -> &[Staged] {
        &self.staged
    }

    /// Notes a record; [`ToTell::answer_to`] is to follow.
    pub(super) fn stage(&mut self, staged: Staged) {
        self.staged.push(staged);
    }

    /// Notes that the answer to the record noted last goes to `answers`.
    pub(super) fn answer_to(&mut self, answers: &mut Answers) {
        match self.runs.last_mut().filter(|run| run.answers.are_those_of(answers)) {
            Some(run) => run.count += 1,
            None => self.runs.push(Run { answers: answers.share(), count: 1 }),
        }
    }

    /// Notes a refusal.
    pub(super) fn refuse(&mut self, place: u32, error: Error, answers: &mut Answers) {
        self.refused.push((answers.share(), place, error));
    }

    /// Answers everybody; `outcome` hears of each record with its item of `with`.
    pub(super) fn answer<T>(
        &mut self,
        with: impl Iterator<Item = T>,
        outcome: impl Fn(&Staged, T) -> Outcome,
    ) {
        let staged = self.staged.drain(..).zip(with);
        let mut outcomes = staged.map(|(staged, with)| (staged.place, outcome(&staged, with)));
        for Run { mut answers, count } in self.runs.drain(..) {
            answers.give_each(outcomes.by_ref().take(count));
        }
        for (mut answers, place, error) in self.refused.drain(..) {
            answers.give_each(iter::once((place, Err(error))));
        }
    }

    /// Tells everyone that the log could not be written.
    pub(super) fn fail(&mut self, cause: &Arc<io::Error>) {
        let poisoned = || Error::Poisoned(Arc::clone(cause));
        for (_, _, error) in &mut self.refused {
            *error = poisoned();
        }
        self.answer(iter::repeat(()), |_, ()| Err(poisoned()));
    }
}

/// A durable group that is to be told.
pub(super) struct Durable {
    pub(super) group: Group,
    pub(super) segment: Arc<Segment>,
    /// Where the group begins in the segment.
    pub(super) offset: u64,
}

#[derive(Default)]
struct Inside {
    /// Those that wait for the disk, in their order.
    next: VecDeque<Group>,
    /// A group is about to be handed over, see [`Pipe::announce`].
    announced: bool,
    /// No further group will come.
    ended: bool,
    /// A thread broke off; no group is made durable or told any more.
    broken: bool,
    /// The room of groups that were told, to be used again.
    used: Vec<ToTell>,
}

/// What the writer's threads share.
#[derive(Default)]
pub(super) struct Pipe {
    inside: Mutex<Inside>,
    changed: Condvar,
    /// Whether a group waits for the disk, to be seen without the lock.
    any: AtomicBool,
    /// Whether the disk's thread has no group: it sleeps, looks for one, or has no core yet to take one.
    idle: AtomicBool,
    /// Whether the writer has more records already, so that the disk should not wait.
    pub(super) more: AtomicBool,
    /// The number of the last group that everybody was told of.
    told: AtomicU64,
    /// How many durable groups are not told yet.
    untold: AtomicU64,
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a group over to the disk, behind those that wait; gives back room for the next. The error
    /// is the group itself: nobody is there to write it.
    pub(super) fn hand_over(&self, group: Group) -> Result<ToTell, Group> {
        let mut inside = self.lock();
        if inside.broken {
            return Err(group);
        }
        inside.next.push_back(group);
        let used = inside.used.pop().unwrap_or_default();
        self.any.store(true, Ordering::Release);
        drop(inside);
        self.changed.notify_all();
        Ok(used)
    }

    /// Says that a group will be handed over as soon as it is stamped, so that the disk's thread, if it
    /// sleeps, wakes meanwhile. Where none comes it goes to sleep again.
    pub(super) fn announce(&self) {
        self.lock().announced = true;
        self.changed.notify_all();
    }

    /// Whether a group waits for the disk.
    pub(super) fn waits(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Whether a group waits for the disk's thread only to take it.
    pub(super) fn waits_to_be_taken(&self) -> bool {
        self.idle.load(Ordering::Acquire) && self.waits()
    }

    /// The next group for the disk; `None` when there will be none.
    pub(super) fn take(&self) -> Option<Group> {
        self.idle.store(true, Ordering::Release);
        linger(|| self.waits());
        let mut inside = self.lock();
        loop {
            if let Some(group) = inside.next.pop_front() {
                self.idle.store(false, Ordering::Release);
                self.any.store(!inside.next.is_empty(), Ordering::Release);
                inside.announced = false;
                return Some(group);
            }
            if inside.ended {
                return None;
            }
            if std::mem::take(&mut inside.announced) {
                drop(inside);
                linger(|| self.waits());
                inside = self.lock();
                continue;
            }
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nothing goes through any more; gives back the groups that wait for the disk.
    pub(super) fn break_off(&self) -> VecDeque<Group> {
        let mut inside = self.lock();
        inside.broken = true;
        inside.ended = true;
        let left = std::mem::take(&mut inside.next);
        drop(inside);
        self.changed.notify_all();
        left
    }

    /// Whether a thread broke off.
    pub(super) fn broken(&self) -> bool {
        self.lock().broken
    }

    /// No further group will come.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Counts a group that is durable and still to be told.
    pub(super) fn count_untold(&self) {
        self.untold.fetch_add(1, Ordering::AcqRel);
    }

    /// How many durable groups are not told yet.
    pub(super) fn untold(&self) -> u64 {
        self.untold.load(Ordering::Acquire)
    }

    /// Takes note that a group was told, and keeps its room.
    pub(super) fn count_told(&self, group: Group) {
        // First, so that the writer, who looks for it when it hears of this, can use it again.
        drop(group.frames);
        self.note_told(group.number);
        self.lock().used.push(group.to_tell);
    }

    /// Takes note that a group was told.
    pub(super) fn note_told(&self, number: u64) {
        self.told.fetch_max(number, Ordering::AcqRel);
    }

    /// The same of one that was counted as untold.
    pub(super) fn count_late(&self, group: Group) {
        self.count_told(group);
        self.untold.fetch_sub(1, Ordering::AcqRel);
        drop(self.lock());
        self.changed.notify_all();
    }

    /// The number of the last group that everybody was told of.
    pub(super) fn told(&self) -> u64 {
        self.told.load(Ordering::Acquire)
    }

    /// Blocks until every durable group was told, or never will be.
    pub(super) fn wait_until_told(&self) {
        let mut inside = self.lock();
        while self.untold() > 0 && !inside.broken {
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn who_was_told_that_a_group_comes_waits_for_it_however_long_it_takes() {
        let pipe = Pipe::default();
        thread::scope(|scope| {
            let disk =
                scope.spawn(|| (pipe.take().map(|group| group.number), pipe.take().is_none()));
            pipe.announce();
            // The disk's thread takes note of it, looks in vain and sleeps again.
            while pipe.lock().announced {
                thread::yield_now();
            }
            assert!(!disk.is_finished());
            assert!(pipe.hand_over(Group { number: 7, ..Group::default() }).is_ok());
            while pipe.waits() {
                thread::yield_now();
            }
            pipe.announce();
            pipe.end();
            assert_eq!(disk.join().unwrap(), (Some(7), true));
        });
    }
}
