//! How much of what comes in is kept: the lanes of queries, and the room for commands.
//!
//! Whoever may only ask keeps nobody from an answer and takes no memory without bound. So a query that finds
//! its lane full is told so at once, one that is longer than any is refused before it waits, and reading
//! whole files, going through all cases, and how the node is, have lanes of their own. Commands are many at times, and short: they
//! are counted by their bytes, and one that finds no room is told so at once, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_nats::service::Request as Message;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::queries::{LaneName, Query};
use crate::reply::Failure;

/// Files that are read to their end at once: two, as many as `audit verify` asks for, so that the disk is
/// not only theirs.
const CHECKS: Room = Room { at_once: 2, waiting: 14 };
/// How the node is: what must have an answer soon, and reads next to nothing.
const HEALTH: Room = Room { at_once: 4, waiting: 252 };
/// All cases are gone through, which takes the longer the more there are, and keeps a processor busy: few at
/// once, so that what concerns one case does not wait for them.
const WALKS: Room = Room { at_once: 4, waiting: 60 };
/// All others. Each has an answer of up to 900 kB in memory when it has its turn, and 64 KiB at the most
/// while it waits: some 320 MiB if all are as long as they may be, and a thousandth of it if they are as
/// most are.
const OTHERS: Room = Room { at_once: 64, waiting: 4_032 };

/// What all commands of a node that were taken and not answered yet may have in memory as they came, in
/// bytes: some 90,000 short ones, or 2,000 of the longest.
const COMMAND_BYTES: usize = 128 << 20;
/// What a message takes beside its payload and subjects, in bytes, rounded up.
const OVERHEAD: usize = 1_024;

/// How many a lane takes.
#[derive(Clone, Copy)]
struct Room {
    at_once: usize,
    waiting: usize,
}

/// The lanes. Cheap to clone.
#[derive(Clone)]
pub(super) struct Lanes {
    checks: Lane,
    health: Lane,
    walks: Lane,
    others: Lane,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            checks: Lane::new("files are checked", CHECKS),
            health: Lane::new("questions how the node is are answered", HEALTH),
            walks: Lane::new("queries through all cases are answered", WALKS),
            others: Lane::new("queries are answered", OTHERS),
        }
    }

    /// A place for a query in its lane; 503 where all are taken.
    pub(super) fn enter(&self, query: Query) -> Result<LanePermit, Failure> {
        match query.lane() {
            LaneName::Checks => self.checks.enter(),
            LaneName::Health => self.health.enter(),
            LaneName::Walks => self.walks.enter(),
            LaneName::Others => self.others.enter(),
        }
    }
}

#[derive(Clone)]
struct Lane {
    what: &'static str,
    room: Room,
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    /// Whether the log says already that it is full: once, and not for each that is turned away.
    told: Arc<AtomicBool>,
}

impl Lane {
    fn new(what: &'static str, room: Room) -> Self {
        Self {
            what,
            room,
            places: Arc::new(Semaphore::new(room.at_once + room.waiting)),
            turns: Arc::new(Semaphore::new(room.at_once)),
            told: Arc::default(),
        }
    }

    fn enter(&self) -> Result<LanePermit, Failure> {
        let Room { at_once, waiting } = self.room;
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            if self.places.available_permits() > waiting / 2 {
                self.told.store(false, Ordering::Relaxed);
            }
            return Ok(LanePermit { _place: place, turns: Arc::clone(&self.turns) });
        }
        let what = self.what;
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                at_once,
                waiting,
                "no more {what} for now: who asks is told to ask again"
            );
        }
        Err(Failure::unavailable(format!(
            "the node is busy: {at_once} {what} at once, and {waiting} wait already; ask again"
        )))
    }
}

/// The room for commands. Cheap to clone.
#[derive(Clone)]
pub(super) struct CommandRoom {
    bytes: Arc<Semaphore>,
    /// Whether the log says already that there is none: once, and not for each that is refused.
    told: Arc<AtomicBool>,
}

impl CommandRoom {
    pub(super) fn new() -> Self {
        Self { bytes: Arc::new(Semaphore::new(COMMAND_BYTES)), told: Arc::default() }
    }

    /// Room for a command until it is dropped; 503 where there is none.
    pub(super) fn enter(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        let count = u32::try_from(bytes).unwrap_or(u32::MAX);
        if let Ok(room) = Arc::clone(&self.bytes).try_acquire_many_owned(count) {
            if self.bytes.available_permits() > COMMAND_BYTES / 2 {
                self.told.store(false, Ordering::Relaxed);
            }
            return Ok(room);
        }
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                COMMAND_BYTES,
                "no more commands for now: who sends one is told to send it again"
            );
        }
        Err(Failure::unavailable(format!(
            "the node is busy: commands of {} MiB are worked on or wait already; send it again, with the \
             same id",
            COMMAND_BYTES >> 20
        )))
    }
}

/// What a message takes in memory while it waits, in bytes.
pub(super) fn memory_of(message: &Message) -> usize {
    let reply = message.message.reply.as_ref().map_or(0, |reply| reply.len());
    message.message.payload.len() + message.message.subject.len() + reply + OVERHEAD
}

/// A place in a lane, until it is dropped.
pub(super) struct LanePermit {
    _place: OwnedSemaphorePermit,
    turns: Arc<Semaphore>,
}

impl LanePermit {
    /// Waits for the turn, which lasts until it is dropped.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        turn.map_err(|error| Failure::because(&error))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn who_finds_a_lane_full_is_told_so_and_the_others_are_open() {
        let lanes = Lanes::new();
        let mut places: Vec<_> =
            (0..16).map(|_| lanes.enter(Query::EvidenceCheck).unwrap()).collect();
        let turned_away = lanes.enter(Query::EvidenceCheck).err().unwrap();
        assert_eq!(turned_away.code, 503);
        assert_eq!(
            turned_away.message,
            "the node is busy: 2 files are checked at once, and 14 wait already; ask again"
        );
        assert!(lanes.enter(Query::Node).is_ok() && lanes.enter(Query::Case).is_ok());
        places.pop();
        assert!(lanes.enter(Query::EvidenceCheck).is_ok(), "a place is free again");
    }

    #[test]
    fn whoever_has_all_cases_gone_through_keeps_no_removal_bar_from_its_turn() {
        let lanes = Lanes::new();
        let walks = [Query::Statistics, Query::Search, Query::Person, Query::AuditWhatIfCases];
        let places: Vec<_> =
            walks.iter().cycle().take(64).map(|query| lanes.enter(*query).unwrap()).collect();
        let turns: Vec<_> = places.iter().filter_map(|p| p.turn().now_or_never()).collect();
        assert_eq!(turns.len(), 4);
        let turned_away = lanes.enter(Query::List).err().unwrap();
        assert_eq!(
            turned_away.message,
            "the node is busy: 4 queries through all cases are answered at once, and 60 wait already; ask \
             again"
        );
        let bar = lanes.enter(Query::RemovalBar).unwrap();
        assert!(bar.turn().now_or_never().is_some());
    }

    #[test]
    fn commands_have_room_by_their_bytes() {
        let room = CommandRoom::new();
        let longest = 65_535 + OVERHEAD;
        let held: Vec<_> = std::iter::from_fn(|| room.enter(longest).ok()).collect();
        assert_eq!(held.len(), COMMAND_BYTES / longest);
        let refused = room.enter(longest).err().unwrap();
        assert_eq!(refused.code, 503);
        assert_eq!(
            refused.message,
            "the node is busy: commands of 128 MiB are worked on or wait already; send it again, with the \
             same id"
        );
        drop(held);
        assert!(room.enter(longest).is_ok());
    }

    #[test]
    fn so_many_have_their_turn_and_the_next_when_one_is_done() {
        let lane = Lane::new("queries are answered", Room { at_once: 2, waiting: 1 });
        let places: Vec<_> = (0..3).map(|_| lane.enter().unwrap()).collect();
        let first = places[0].turn().now_or_never().unwrap().unwrap();
        let second = places[1].turn().now_or_never().unwrap().unwrap();
        assert!(places[2].turn().now_or_never().is_none());
        drop(first);
        let third = places[2].turn().now_or_never();
        assert!(third.is_some());
        drop(second);
    }
}
