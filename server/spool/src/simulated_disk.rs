//! A disk that fails when it is told to, and loses power.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use crate::medium::Medium;

/// The unit in which disks write: what is not synced survives a crash sector by sector, or not.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
pub(crate) struct SimulatedDisk(Arc<Mutex<Platter>>);

#[derive(Debug)]
struct Platter {
    durable: Vec<u8>,
    /// What a reader sees while there is power.
    cached: Vec<u8>,
    /// The sectors that the next sync writes.
    dirty: BTreeSet<usize>,
    fails: Option<Failing>,
    /// How many more writes and syncs there is power for.
    power_for: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failing {
    /// Writes nothing.
    Write,
    /// Writes, and does not get it to the disk. As on Linux, the next sync does not try it again.
    Sync,
}

impl SimulatedDisk {
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Platter {
            durable: bytes.clone(),
            cached: bytes,
            dirty: BTreeSet::new(),
            fails: None,
            power_for: None,
        })))
    }

    /// The next write or sync fails.
    pub(crate) fn fail_once(&self, failing: Failing) {
        self.platter(|platter| platter.fails = Some(failing));
    }

    /// The power will go after so many more writes and syncs: all that follow fail until the crash.
    pub(crate) fn lose_power_after(&self, operations: u32) {
        self.platter(|platter| platter.power_for = Some(operations));
    }

    /// The power goes. `survives` says of each sector in turn that was written and not synced
    /// whether it got to the disk.
    pub(crate) fn crash(&self, mut survives: impl FnMut() -> bool) {
        self.platter(|platter| {
            for sector in std::mem::take(&mut platter.dirty) {
                if survives() {
                    platter.write_back(sector);
                }
            }
            platter.cached = platter.durable.clone();
            (platter.fails, platter.power_for) = (None, None);
        });
    }

    fn platter<A>(&self, act: impl FnOnce(&mut Platter) -> A) -> A {
        act(&mut self.0.lock().expect("nothing panics while it is locked"))
    }
}

impl Platter {
    fn write_back(&mut self, sector: usize) {
        let range = sector * SECTOR..self.cached.len().min((sector + 1) * SECTOR);
        self.durable[range.clone()].copy_from_slice(&self.cached[range]);
    }

    fn fails(&mut self, failing: Failing) -> io::Result<()> {
        if let Some(operations) = &mut self.power_for {
            *operations = operations.checked_sub(1).ok_or_else(|| io::Error::other("there is no power"))?;
        }
        if self.fails.take_if(|fails| *fails == failing).is_some() {
            return Err(io::Error::other(format!("{failing:?} failed")));
        }
        Ok(())
    }
}

impl Medium for SimulatedDisk {
    fn read_all(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.platter(|platter| platter.cached.clone()))
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.platter(|platter| {
            platter.fails(Failing::Write)?;
            let offset = usize::try_from(offset).map_err(io::Error::other)?;
            let room = platter.cached.get_mut(offset..offset + bytes.len());
            room.ok_or_else(|| io::Error::other("beyond the end"))?.copy_from_slice(bytes);
            platter.dirty.extend(offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR));
            Ok(())
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.platter(|platter| {
            if let Err(error) = platter.fails(Failing::Sync) {
                if platter.power_for.is_none() {
                    platter.dirty.clear();
                }
                return Err(error);
            }
            let dirty = std::mem::take(&mut platter.dirty);
            dirty.into_iter().for_each(|sector| platter.write_back(sector));
            Ok(())
        })
    }
}
