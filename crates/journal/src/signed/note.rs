//! C2SP signed notes: a text and lines of signatures, Ed25519, verified strictly.
//!
//! The verifier takes names and keys from its own policy, never from the note.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The signature type of plain Ed25519 in a signed note.
const ED25519: u8 = 1;
/// What a signing key's text begins with.
const PRIVATE: &str = "PRIVATE+KEY+";
/// More signature lines than this are refused before any is looked at.
const MOST_SIGNATURES: usize = 16;
/// A note longer than this is refused; a checkpoint has some hundred bytes, and each of 16 signatures
/// may have nearly 5 kB (C2SP signed-note).
const MOST_BYTES: usize = 128 << 10;

/// Why a note or a key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The text is not a note or not a key. Nothing in it may be believed.
    #[error("this is not a signed note or key: {0}")]
    Malformed(&'static str),
    /// No line is signed by a key of the policy.
    #[error("the note is signed by no known key")]
    Unknown,
    /// A line claims a key of the policy, but the signature is not that key's.
    #[error("a signature of the note is wrong")]
    WrongSignature,
    /// The system gave no random numbers for a key. Try again later.
    #[error("the system gave no random numbers")]
    NoRandomness,
}

/// A key that signs notes. Debug shows its name only.
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

/// A key that notes are checked against; safe to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let wrong = name.is_empty()
        || name.chars().any(|letter| letter.is_whitespace() || letter.is_control())
        || name.contains('+');
    if wrong {
        Err(NoteError::Malformed("a key's name is empty or has a space or +"))
    } else {
        Ok(())
    }
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', ED25519]);
    hasher.update(key.as_bytes());
    let hash: [u8; 32] = hasher.finalize().into();
    hash.first_chunk().copied().unwrap_or_default()
}

impl SigningKey {
    /// Makes a new key for a name such as `tebessa.example`.
    pub fn generate(name: &str) -> Result<SigningKey, NoteError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| NoteError::NoRandomness)?;
        SigningKey::from_seed(name, &seed)
    }

    /// The key of a seed of 32 secret bytes.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<SigningKey, NoteError> {
        check_name(name)?;
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        Ok(SigningKey { name: name.to_owned(), key })
    }

    /// Reads the form `PRIVATE+KEY+name+id+base64`, as other signed note tools write it.
    pub fn parse(text: &str) -> Result<SigningKey, NoteError> {
        let wrong = NoteError::Malformed("a signing key is PRIVATE+KEY+name+id+key");
        let rest = text.strip_prefix(PRIVATE).ok_or(wrong)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong);
        };
        let bytes = Zeroizing::new(STANDARD.decode(key).map_err(|_| wrong)?);
        let [ED25519, seed @ ..] = bytes.as_slice() else { return Err(wrong) };
        let key = SigningKey::from_seed(name, seed.try_into().map_err(|_| wrong)?)?;
        if hex::encode(key.verifier().id) == id { Ok(key) } else { Err(wrong) }
    }

    /// The key as text, to be kept in a file of mode 0600.
    #[must_use]
    pub fn secret(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(vec![ED25519]);
        bytes.extend_from_slice(Zeroizing::new(self.key.to_bytes()).as_slice());
        let base64 = Zeroizing::new(STANDARD.encode(bytes.as_slice()));
        let id = hex::encode(self.verifier().id);
        Zeroizing::new(format!("{PRIVATE}{}+{id}+{}", self.name, base64.as_str()))
    }

    /// The key that checks what this one signs.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        let key = self.key.verifying_key();
        VerifierKey { name: self.name.clone(), id: key_id(&self.name, &key), key }
    }

    fn sign_line(&self, text: &str) -> String {
        let mut bytes = self.verifier().id.to_vec();
        bytes.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({})", self.name)
    }
}

impl VerifierKey {
    /// The key's name, which for a log is its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads the form `name+id+base64`; refuses weak keys, for which several messages share one
    /// signature.
    pub fn parse(text: &str) -> Result<VerifierKey, NoteError> {
        let wrong = NoteError::Malformed("a verifier key is name+id+key");
        let (name, rest) = text.split_once('+').ok_or(wrong)?;
        let (id, key) = rest.split_once('+').ok_or(wrong)?;
        check_name(name)?;
        let key = STANDARD.decode(key).map_err(|_| wrong)?;
        let [ED25519, key @ ..] = key.as_slice() else { return Err(wrong) };
        let key =
            VerifyingKey::from_bytes(key.try_into().map_err(|_| wrong)?).map_err(|_| wrong)?;
        if key.is_weak() || hex::encode(key_id(name, &key)) != id {
            return Err(wrong);
        }
        Ok(VerifierKey { name: name.to_owned(), id: key_id(name, &key), key })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(out, "{}+{}+{}", self.name, hex::encode(self.id), STANDARD.encode(bytes))
    }
}

/// Signs a text, which must end with a line's end, with every key: two while keys are rotated.
#[must_use]
pub fn sign(text: &str, keys: &[&SigningKey]) -> String {
    let lines: String = keys.iter().map(|key| key.sign_line(text)).collect();
    format!("{text}\n{lines}")
}

/// The text of a note that at least one of the keys has signed.
///
/// Lines of other keys are passed over; a wrong signature under one of the keys refuses the note.
pub fn verify<'n>(note: &'n str, keys: &[VerifierKey]) -> Result<&'n str, NoteError> {
    if note.len() > MOST_BYTES {
        return Err(NoteError::Malformed("it is too long"));
    }
    if note.chars().any(|letter| letter != '\n' && letter < ' ') {
        return Err(NoteError::Malformed("it has control characters"));
    }
    let end = note.rfind("\n\n").ok_or(NoteError::Malformed("it has no signatures"))?;
    let (text, signatures) = note.split_at(end + 1);
    let lines = signatures.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
    let lines = lines.ok_or(NoteError::Malformed("it does not end with a line's end"))?;
    if lines.split('\n').count() > MOST_SIGNATURES {
        return Err(NoteError::Malformed("it has too many signatures"));
    }
    let mut known = false;
    for line in lines.split('\n') {
        let wrong = NoteError::Malformed("a signature line is wrong");
        let rest = line.strip_prefix("\u{2014} ").ok_or(wrong)?;
        let (name, signature) = rest.split_once(' ').ok_or(wrong)?;
        check_name(name)?;
        let bytes = STANDARD.decode(signature).map_err(|_| wrong)?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or(wrong)?;
        let Some(key) = keys.iter().find(|key| key.name == name && key.id == *id) else {
            continue;
        };
        let signature = Signature::from_slice(signature).map_err(|_| NoteError::WrongSignature)?;
        key.key
            .verify_strict(text.as_bytes(), &signature)
            .map_err(|_| NoteError::WrongSignature)?;
        known = true;
    }
    if known { Ok(text) } else { Err(NoteError::Unknown) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification: C2SP, signed-note.
    const EXAMPLE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        MjH9eGz4iyYzXhoVEdB0KFD+2cYOoMPfl5ZQ6+aBYCkJ0Jug7dHjjEcWEIvjm4uL6rN5sOmHIYB1tKmhYmgmpxrBTgw=\n";

    #[test]
    fn a_note_is_read_back_by_either_key_of_a_rotation_and_by_no_other() {
        let old = SigningKey::from_seed("tebessa.example", &[1; 32]).unwrap();
        let new = SigningKey::from_seed("tebessa.example", &[2; 32]).unwrap();
        let other = SigningKey::from_seed("tebessa.example", &[3; 32]).unwrap().verifier();
        let (first, second) = (old.verifier(), new.verifier());
        let note = sign("a\nb\n", &[&old, &new]);
        assert_eq!(verify(&note, std::slice::from_ref(&first)), Ok("a\nb\n"));
        assert_eq!(verify(&note, &[second]), Ok("a\nb\n"));
        assert_eq!(verify(&note, &[other]), Err(NoteError::Unknown));
        assert_eq!(VerifierKey::parse(&first.to_string()), Ok(first));
    }

    #[test]
    fn a_signing_key_is_read_back_and_a_changed_one_is_not() {
        let key = SigningKey::from_seed("tebessa.example", &[7; 32]).unwrap();
        let text = key.secret();
        assert_eq!(SigningKey::parse(&text).unwrap().verifier(), key.verifier());
        assert!(SigningKey::parse(&text.replace("tebessa", "Tebessa")).is_err());
        assert!(SigningKey::parse(&key.verifier().to_string()).is_err());
    }

    #[test]
    fn no_changed_letter_passes() {
        let key = SigningKey::from_seed("tebessa.example", &[1; 32]).unwrap();
        let keys = [key.verifier()];
        let note = sign("origin\n17\nroot\n", &[&key]);
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(verify(&changed, &keys).is_err(), "letter {at}");
            }
        }
        assert!(verify(&format!("{note} "), &keys).is_err());
        assert!(verify("", &keys).is_err());
    }

    #[test]
    fn a_note_of_a_stranger_is_a_note_but_not_believed() {
        let key = SigningKey::from_seed("tebessa.example", &[1; 32]).unwrap();
        assert_eq!(verify(EXAMPLE, &[key.verifier()]), Err(NoteError::Unknown));
    }

    #[test]
    fn a_weak_or_misnamed_key_is_refused() {
        let mut weak = vec![ED25519];
        weak.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        weak.extend_from_slice(&[0; 16]);
        let text = format!("name+00000000+{}", STANDARD.encode(weak));
        assert!(VerifierKey::parse(&text).is_err());
        assert!(SigningKey::from_seed("a b", &[1; 32]).is_err());
        assert!(SigningKey::from_seed("a+b", &[1; 32]).is_err());
    }
}
