//! A disk in memory that forgets, tears and fails on purpose.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard};

use journal::disk::{Disk, DiskFile};

/// The unit that reaches a disk whole.
const SECTOR: usize = 512;
/// What the real disk writes at once at the least.
const PAGE: u64 = 4096;
/// How long a sync of a slow disk takes: long enough for a group to gather.
const SLOW: std::time::Duration = std::time::Duration::from_micros(300);

/// A small generator: the same seed gives the same numbers everywhere.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit.max(1)
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Default, Clone)]
struct Bytes {
    /// What would be there after a power failure.
    durable: Vec<u8>,
    /// What the system shows.
    shown: Vec<u8>,
    /// What was changed since the last sync.
    changes: Vec<Change>,
}

#[derive(Debug, Clone)]
enum NameChange {
    Set(String, usize),
    Remove(String),
}

/// What the disk does wrong, counted in deeds of the writer's thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The power fails.
    Power,
    /// One sync fails; what it should have made durable may be lost.
    Sync,
    /// A write fails because the disk is full.
    Full,
    /// A write fails with an input/output error, and nothing of it is there.
    Write,
    /// Nothing fails, but every sync takes a while.
    Slow,
}

#[derive(Debug, Default)]
struct Inside {
    files: Vec<Bytes>,
    durable_names: BTreeMap<String, usize>,
    names: BTreeMap<String, usize>,
    name_changes: Vec<NameChange>,
    fault: Option<(Fault, u64)>,
    off: bool,
    deeds: u64,
    /// Who hears of files that are refused for want of room.
    refused: Option<Sender<()>>,
}

/// The disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<Inside>>);

impl SimDisk {
    /// A disk with one durable file.
    pub fn with_file(name: &str, bytes: &[u8]) -> SimDisk {
        SimDisk::with_files(&[(name.to_owned(), bytes.to_vec())])
    }

    /// A disk with durable files.
    pub fn with_files(files: &[(String, Vec<u8>)]) -> SimDisk {
        let disk = SimDisk::default();
        let mut inside = disk.inside();
        for (at, (name, bytes)) in files.iter().enumerate() {
            inside.files.push(Bytes {
                durable: bytes.clone(),
                shown: bytes.clone(),
                changes: Vec::new(),
            });
            inside.names.insert(name.clone(), at);
            inside.durable_names.insert(name.clone(), at);
        }
        drop(inside);
        disk
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    /// Lets something go wrong after so many deeds of the writer.
    pub fn fail_after(&self, fault: Fault, deeds: u64) {
        let mut inside = self.inside();
        inside.fault = Some((fault, inside.deeds + deeds));
    }

    /// Has no room for a new file, and tells of each that it refuses; `None` makes room.
    pub fn refuse_files(&self, told: Option<Sender<()>>) {
        self.inside().refused = told;
    }

    /// What a file shows.
    pub fn shown(&self, name: &str) -> Vec<u8> {
        let inside = self.inside();
        inside.files[inside.names[name]].shown.clone()
    }

    /// The disk as the next start finds it after a power failure: of what was not synced, any part
    /// may be there, sector by sector.
    pub fn after_power_failure(&self, dice: &mut Dice) -> SimDisk {
        let inside = self.inside();
        let mut names = inside.durable_names.clone();
        let kept = dice.below(inside.name_changes.len() as u64 + 1);
        for change in inside.name_changes.iter().take(usize::try_from(kept).unwrap()) {
            match change {
                NameChange::Set(name, file) => {
                    names.retain(|_, other| other != file);
                    names.insert(name.clone(), *file);
                }
                NameChange::Remove(name) => {
                    names.remove(name);
                }
            }
        }
        let files = inside.files.iter().map(|file| file.after_power_failure(dice)).collect();
        SimDisk(Arc::new(Mutex::new(Inside {
            files,
            durable_names: names.clone(),
            names,
            ..Inside::default()
        })))
    }
}

impl Bytes {
    fn write(bytes: &mut Vec<u8>, offset: usize, new: &[u8]) {
        if bytes.len() < offset + new.len() {
            bytes.resize(offset + new.len(), 0);
        }
        bytes[offset..offset + new.len()].copy_from_slice(new);
    }

    fn after_power_failure(&self, dice: &mut Dice) -> Bytes {
        let mut durable = self.durable.clone();
        // Sometimes nothing, sometimes all, mostly some of it reached the disk.
        let percent = [0, 100, 20, 50, 80][usize::try_from(dice.below(5)).unwrap()];
        for change in &self.changes {
            match change {
                Change::Length(length) if dice.chance(percent) => durable.resize(*length, 0),
                Change::Length(_) => {}
                Change::Write(offset, new) => {
                    let mut at = 0;
                    while at < new.len() {
                        let length = (SECTOR - (offset + at) % SECTOR).min(new.len() - at);
                        if dice.chance(percent) {
                            Bytes::write(&mut durable, offset + at, &new[at..at + length]);
                        }
                        at += length;
                    }
                }
            }
        }
        Bytes { shown: durable.clone(), durable, changes: Vec::new() }
    }
}

impl Inside {
    /// Counts a deed of the writer; says what goes wrong with it.
    fn deed(&mut self) -> Result<Option<Fault>, io::Error> {
        if self.off {
            return Err(io::Error::other("the power is off"));
        }
        // Only the writer's deeds are counted, so that a seed means the same in every run.
        if matches!(std::thread::current().name(), Some("journal-disk" | "journal-writer")) {
            self.deeds += 1;
        }
        match self.fault {
            Some((Fault::Power, at)) if self.deeds > at => {
                self.off = true;
                Err(io::Error::other("the power is off"))
            }
            Some((fault, at)) if self.deeds > at => Ok(Some(fault)),
            Some(_) | None => Ok(None),
        }
    }
}

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.inside().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut inside = self.inside();
        inside.deed()?;
        if let Some(refused) = &inside.refused {
            refused.send(()).unwrap();
            return Err(io::Error::from_raw_os_error(28));
        }
        let file = inside.files.len();
        inside.files.push(Bytes::default());
        inside.names.insert(name.to_owned(), file);
        inside.name_changes.push(NameChange::Set(name.to_owned(), file));
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn open(&self, name: &str, _write: bool) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.inside().names.get(name).copied();
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inside = self.inside();
        inside.deed()?;
        let file = inside.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        inside.names.insert(to.to_owned(), file);
        inside.name_changes.push(NameChange::Set(to.to_owned(), file));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inside = self.inside();
        inside.deed()?;
        inside.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        inside.name_changes.push(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut inside = self.inside();
        if inside.deed()? == Some(Fault::Sync) {
            return Err(io::Error::from_raw_os_error(5));
        }
        inside.durable_names = inside.names.clone();
        inside.name_changes.clear();
        Ok(())
    }
}

struct SimFile {
    disk: SimDisk,
    file: usize,
}

impl DiskFile for SimFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.inside().files[self.file].shown.len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let inside = self.disk.inside();
        let shown = &inside.files[self.file].shown;
        let from = usize::try_from(offset).unwrap().min(shown.len());
        let length = out.len().min(shown.len() - from);
        out[..length].copy_from_slice(&shown[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut inside = self.disk.inside();
        let fault = inside.deed()?;
        let offset = usize::try_from(offset).unwrap();
        let file = &mut inside.files[self.file];
        if fault == Some(Fault::Full) {
            // A part may be written before the disk is full.
            let part = &bytes[..bytes.len() / 2];
            Bytes::write(&mut file.shown, offset, part);
            file.changes.push(Change::Write(offset, part.to_vec()));
            return Err(io::Error::from_raw_os_error(28));
        }
        if fault == Some(Fault::Write) {
            return Err(io::Error::from_raw_os_error(5));
        }
        Bytes::write(&mut file.shown, offset, bytes);
        file.changes.push(Change::Write(offset, bytes.to_vec()));
        Ok(())
    }

    /// As the real one does: what is before the bytes in their page is written again.
    fn append_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let page = offset - offset % PAGE;
        let mut all = vec![0; usize::try_from(offset - page).unwrap()];
        self.read_at(page, &mut all)?;
        all.extend_from_slice(bytes);
        self.write_at(page, &all)?;
        self.sync()
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut inside = self.disk.inside();
        inside.deed()?;
        let length = usize::try_from(length).unwrap();
        let file = &mut inside.files[self.file];
        file.shown.resize(length, 0);
        file.changes.push(Change::Length(length));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inside = self.disk.inside();
        match inside.deed()? {
            Some(Fault::Sync) => return Err(io::Error::from_raw_os_error(5)),
            Some(Fault::Slow) => std::thread::sleep(SLOW),
            Some(Fault::Power | Fault::Full | Fault::Write) | None => {}
        }
        let file = &mut inside.files[self.file];
        file.durable = file.shown.clone();
        file.changes.clear();
        Ok(())
    }
}
