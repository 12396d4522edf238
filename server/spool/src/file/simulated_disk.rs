//! A disk on which tests inject failed writes and power loss.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use crate::file::Storage;

/// Disks write whole sectors: in a crash, each unsynced sector is either written or lost.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
pub(super) struct SimulatedDisk(Arc<Mutex<Platter>>);

#[derive(Debug)]
struct Platter {
    durable: Vec<u8>,
    /// The contents that reads return while there is power.
    cached: Vec<u8>,
    /// The sectors that the next sync writes.
    dirty: BTreeSet<usize>,
    fault: Option<Fault>,
    /// How many more writes and syncs succeed before the power fails.
    power_for: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A write fails and writes nothing.
    Write,
    /// A sync fails and loses the unsynced bytes. As on Linux, the next sync does not retry them.
    Sync,
}

impl SimulatedDisk {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Platter {
            durable: bytes.clone(),
            cached: bytes,
            dirty: BTreeSet::new(),
            fault: None,
            power_for: None,
        })))
    }

    /// Makes the next write or sync fail.
    pub(super) fn fail_once(&self, fault: Fault) {
        self.platter(|platter| platter.fault = Some(fault));
    }

    /// Cuts the power after this many writes and syncs: all later ones fail until the crash.
    pub(super) fn lose_power_after(&self, operations: u32) {
        self.platter(|platter| platter.power_for = Some(operations));
    }

    /// Loses the unsynced sectors, except those for which `survives` returns true.
    pub(super) fn crash(&self, mut survives: impl FnMut() -> bool) {
        self.platter(|platter| {
            for sector in std::mem::take(&mut platter.dirty) {
                if survives() {
                    platter.write_back(sector);
                }
            }
            platter.cached = platter.durable.clone();
            (platter.fault, platter.power_for) = (None, None);
        });
    }

    fn platter<A>(&self, act: impl FnOnce(&mut Platter) -> A) -> A {
        act(&mut self.0.lock().expect("no code panics while it holds the lock"))
    }
}

impl Platter {
    fn write_back(&mut self, sector: usize) {
        let range = sector * SECTOR..self.cached.len().min((sector + 1) * SECTOR);
        self.durable[range.clone()].copy_from_slice(&self.cached[range]);
    }

    fn check(&mut self, operation: Fault) -> io::Result<()> {
        if let Some(operations) = &mut self.power_for {
            *operations = operations.checked_sub(1).ok_or_else(|| io::Error::other("there is no power"))?;
        }
        if self.fault.take_if(|fault| *fault == operation).is_some() {
            return Err(io::Error::other(format!("{operation:?} failed")));
        }
        Ok(())
    }
}

impl Storage for SimulatedDisk {
    fn read_all(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.platter(|platter| platter.cached.clone()))
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.platter(|platter| {
            platter.check(Fault::Write)?;
            let offset = usize::try_from(offset).map_err(io::Error::other)?;
            let target = platter.cached.get_mut(offset..offset + bytes.len());
            target.ok_or_else(|| io::Error::other("beyond the end"))?.copy_from_slice(bytes);
            platter.dirty.extend(offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR));
            Ok(())
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.platter(|platter| {
            if let Err(error) = platter.check(Fault::Sync) {
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
