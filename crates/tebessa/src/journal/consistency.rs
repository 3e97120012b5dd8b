//! The proof between two checkpoints: that the log of the older is the beginning of the newer's.

use journal::note::VerifierKey;
use journal::{Checkpoint, ConsistencyProof};

use crate::output::{count, grouped, plain};

/// Two checkpoints of a log, and the proof that one is the beginning of the other.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProvedBeginning {
    /// Always [`ProvedBeginning::FORMAT`].
    pub(super) format: String,
    /// The older signed checkpoint.
    pub(super) old: String,
    /// The newer one.
    pub(super) new: String,
    /// The proof.
    pub(super) proof: ConsistencyProof,
}

impl ProvedBeginning {
    /// The name of the form.
    pub(super) const FORMAT: &str = "tebessa-consistency-proof/v1";

    /// What both checkpoints say, if keys of the origin signed them and the proof holds; else what
    /// differs. Nothing in the file is believed but what these keys signed.
    pub(super) fn check(
        &self,
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<(Checkpoint, Checkpoint), String> {
        let read = |which, note| {
            believed(note, origin, keys)
                .map_err(|why| format!("the {which} checkpoint is not believed: {why}"))
        };
        let (old, new) = (read("old", &self.old)?, read("new", &self.new)?);
        in_order(&old, &new)?;
        begins(&old, &new, &self.proof)?;
        Ok((old, new))
    }
}

/// A checkpoint that keys of this origin signed; else why it is none.
fn believed(note: &str, origin: &str, keys: &[VerifierKey]) -> Result<Checkpoint, String> {
    Checkpoint::verify(note, origin, keys).map_err(|error| match said(note) {
        Some(said) if said.origin != origin => {
            format!("it is of the log {}, and not of {origin}", plain(&said.origin))
        }
        Some(_) | None => error.to_string(),
    })
}

/// What a note says, whoever signed it.
pub(super) fn said(note: &str) -> Option<Checkpoint> {
    let (body, _) = note.rsplit_once("\n\n")?;
    Checkpoint::parse(&format!("{body}\n")).ok()
}

/// The old checkpoint is not of more records than the new one, else they are given the wrong way
/// round, or the log lost its end.
fn in_order(old: &Checkpoint, new: &Checkpoint) -> Result<(), String> {
    if old.size <= new.size {
        return Ok(());
    }
    let (old, new) = (records(old.size), records(new.size));
    Err(format!(
        "the old checkpoint is of {old} and the new one of {new}: they are swapped, or what came \
         between was taken back"
    ))
}

fn begins(old: &Checkpoint, new: &Checkpoint, proof: &ConsistencyProof) -> Result<(), String> {
    if (proof.old_size, proof.size) != (old.size, new.size) {
        let (from, to) = (records(proof.old_size), records(proof.size));
        let (old, new) = (records(old.size), records(new.size));
        return Err(format!(
            "the proof is from {from} to {to}, the checkpoints are of {old} and of {new}"
        ));
    }
    if old.size == new.size && (old.root != new.root || differ(old, new)) {
        let size = records(old.size);
        return Err(format!(
            "both checkpoints are of {size} and do not say the same: the log was signed in two forms"
        ));
    }
    if proof.proves(&old.root, &new.root) {
        return Ok(());
    }
    Err(format!(
        "the hashes do not lead from the root of {} to that of {}: the proof was changed, or a record \
         before the old checkpoint was",
        records(old.size),
        records(new.size)
    ))
}

/// Whether two checkpoints say different things of the last records of the cases.
fn differ(old: &Checkpoint, new: &Checkpoint) -> bool {
    old.heads.is_some() && new.heads.is_some() && old.heads != new.heads
}

/// What follows from a proof that holds.
pub(super) fn in_words(old: u64, new: u64) -> String {
    if old == new {
        let records = records(new);
        return format!(
            "the log of the old checkpoint is that of the new one: {records} then, {new} now, nothing \
             came, was changed or taken back",
            new = grouped(new)
        );
    }
    let records = records(old);
    format!(
        "the log of the old checkpoint is the beginning of the log of the new one: {records} then, \
         {new} now, nothing was changed or taken back",
        new = grouped(new)
    )
}

fn records(size: u64) -> String {
    count(size, "record", "records")
}

#[cfg(test)]
mod tests {
    use journal::note::{self, SigningKey};

    use super::*;

    const ORIGIN: &str = "tebessa/log/test";

    fn signed(origin: &str, size: u64, root: [u8; 32]) -> String {
        let key = SigningKey::from_seed(origin, &[7; 32]).expect("a key");
        let checkpoint = Checkpoint { origin: origin.to_owned(), size, root, heads: None };
        note::sign(&checkpoint.to_string(), &[&key])
    }

    fn refused(old: String, new: String, old_size: u64, size: u64) -> String {
        let proof = ConsistencyProof { old_size, size, path: Vec::new() };
        let proved =
            ProvedBeginning { format: ProvedBeginning::FORMAT.to_owned(), old, new, proof };
        let key = SigningKey::from_seed(ORIGIN, &[7; 32]).expect("a key").verifier();
        match proved.check(ORIGIN, &[key]) {
            Ok((old, new)) => in_words(old.size, new.size),
            Err(why) => why,
        }
    }

    #[test]
    fn what_differs_between_two_checkpoints_is_said() {
        let of = |size, root| signed(ORIGIN, size, [root; 32]);
        let empty = signed(ORIGIN, 0, journal::tree::empty_root());
        for (old, new, sizes, said) in [
            (of(2, 1), of(2, 1), (2, 2), "2 records then, 2 now, nothing came"),
            (empty, of(2, 1), (0, 2), "0 records then, 2 now, nothing was changed or taken back"),
            (of(0, 1), of(2, 1), (0, 2), "the hashes do not lead"),
            (of(2, 1), of(3, 1), (2, 3), "the hashes do not lead"),
            (of(2, 1), of(2, 2), (2, 2), "signed in two forms"),
            (of(3, 1), of(2, 1), (2, 3), "they are swapped"),
            (of(2, 1), of(3, 1), (1, 3), "the proof is from 1 record to 3 records"),
            (
                signed("other", 2, [1; 32]),
                of(2, 1),
                (2, 2),
                "old checkpoint is not believed: it is of",
            ),
            (of(2, 1), of(2, 1).replace('2', "3"), (2, 2), "new checkpoint is not believed"),
        ] {
            let why = refused(old, new, sizes.0, sizes.1);
            assert!(why.contains(said), "{said}: {why}");
        }
    }
}
