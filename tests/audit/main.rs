//! The audit: replay, and the dossier that no changed byte passes.

mod as_of;
mod card;
mod dossier;
mod replay;
mod time_limits;
mod what_if;

use case::Recorded;
use tests::steps::World;

/// The records of a case that took these steps.
fn records(steps: &[&str]) -> Vec<Recorded> {
    let mut world = World::default();
    for step in steps {
        world.take(step).unwrap_or_else(|rejection| panic!("{step}: {rejection}"));
    }
    world.records
}
