//! Where the stream stands against the journal.

use async_nats::jetstream::stream::{Info, State};
use journal::{Journal, Position, Record};

use super::error::Trouble;
use super::mirror::Mirror;

/// What looking at the stream showed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It holds exactly the journal's records up to here.
    At(u64),
    /// It lost records in its middle or at its front: it has to be filled anew.
    Broken(&'static str),
}

/// Compares the stream with the journal: its extent, its tail's bytes and its front's. The middle
/// is told by the counts; every byte is compared by `tebessa audit verify`.
///
/// `durable` asks for the journal's last durable position; it is asked after the stream, which
/// can hold no more than that.
pub(super) async fn look(
    mirror: &Mirror,
    journal: &Journal,
    info: &Info,
    durable: impl FnOnce() -> u64,
) -> Result<Standing, Trouble> {
    let state = &info.state;
    let last = state.last_sequence;
    let durable = durable();
    if last > durable {
        return Err(Trouble::Halt(format!(
            "the stream is ahead of the journal: it ends at {last}, the journal at {durable}"
        )));
    }
    if last == 0 {
        return Ok(Standing::At(0));
    }
    for position in [last, 1] {
        let Some(found) = mirror.message(position).await? else {
            return Ok(Standing::Broken("records are missing at an end"));
        };
        let expected = read(journal, position, 1).await?.into_iter().next();
        if expected.is_none_or(|record| record.bytes != found) {
            return Err(Trouble::Halt(format!(
                "the stream holds other bytes than the journal at position {position}"
            )));
        }
    }
    if has_holes(state) {
        return Ok(Standing::Broken("records are missing in its middle"));
    }
    Ok(Standing::At(last))
}

/// Whether records are missing between the stream's first sequence and its last.
pub(super) fn has_holes(state: &State) -> bool {
    state.last_sequence > 0
        && (state.first_sequence != 1
            || state.messages != state.last_sequence
            || state.deleted_count.unwrap_or_default() > 0)
}

/// Reads records off the async threads.
pub(super) async fn read(
    journal: &Journal,
    from: u64,
    most: usize,
) -> Result<Vec<Record>, Trouble> {
    let journal = journal.clone();
    tokio::task::spawn_blocking(move || journal.read(Position(from), most))
        .await
        .map_err(|panic| Trouble::halt("the journal's reader failed", &panic))?
        .map_err(|error| Trouble::halt("the journal cannot be read", &error))
}
