//! What the file system below does with the spool's space. Written bytes are only a reservation where a file is
//! overwritten in place.

use std::fs::File;

/// What the spool cannot promise on a file system, with the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Each write takes new blocks.
    CopyOnWrite,
    /// Nothing survives the machine's power.
    InMemory,
    /// The layer of a container is removed with it.
    Container,
    /// Locks may not keep two machines apart.
    Network,
}

impl Risk {
    pub fn text(self) -> &'static str {
        match self {
            Self::CopyOnWrite => {
                "its file system takes new blocks for each write, so that a full disk stops the spool. Reserve space for \
                 it there, or choose a folder on ext4 or XFS with --data"
            }
            Self::InMemory => {
                "it is in memory, and is lost with the machine's power. Choose a folder on a disk with --data"
            }
            Self::Container => {
                "it is in a layer of a container, and is removed with the container. Give the container a volume for the \
                 data folder"
            }
            Self::Network => {
                "it is on a network file system, where locks may not keep two machines apart. Choose a folder on a local \
                 disk with --data"
            }
        }
    }
}

/// What the kernel calls a file system (statfs(2)).
#[cfg(target_os = "linux")]
mod magic {
    pub(super) const BTRFS: u32 = 0x9123_683e;
    /// ZFS, bcachefs, F2FS and NILFS: they never overwrite in place.
    pub(super) const COPY_ON_WRITE: [u32; 4] = [0x2fc1_2fc1, 0xca45_1a4e, 0xf2f5_2010, 0x3434];
    /// tmpfs and ramfs.
    pub(super) const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];
    pub(super) const OVERLAY: u32 = 0x794c_7630;
    /// NFS, SMB, CIFS, SMB2, 9P, Ceph, AFS, Coda.
    pub(super) const NETWORK: [u32; 8] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x00c3_6400, 0x5346_414f, 0x7375_7245];
}

#[cfg(target_os = "linux")]
pub(crate) fn risk(file: &File) -> Option<Risk> {
    risk_of(kind(file)?, || is_in_place(file))
}

#[cfg(target_os = "linux")]
fn risk_of(kind: u32, is_in_place: impl FnOnce() -> bool) -> Option<Risk> {
    match kind {
        magic::BTRFS if is_in_place() => None,
        magic::BTRFS => Some(Risk::CopyOnWrite),
        magic::OVERLAY => Some(Risk::Container),
        kind if magic::COPY_ON_WRITE.contains(&kind) => Some(Risk::CopyOnWrite),
        kind if magic::IN_MEMORY.contains(&kind) => Some(Risk::InMemory),
        kind if magic::NETWORK.contains(&kind) => Some(Risk::Network),
        _ => None,
    }
}

/// Asks btrfs to overwrite this file in place, without compression. It does so only if the file is empty.
#[cfg(target_os = "linux")]
pub(crate) fn ask_for_overwriting(file: &File) {
    use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
    if kind(file) == Some(magic::BTRFS)
        && let Ok(flags) = ioctl_getflags(file)
        && let Err(error) = ioctl_setflags(file, flags | IFlags::NOCOW)
    {
        tracing::debug!(%error, "the spool's file cannot be overwritten in place");
    }
}

/// Whether a new file would be overwritten in place, and this one is not.
#[cfg(target_os = "linux")]
pub(crate) fn is_better_rewritten(file: &File) -> bool {
    kind(file) == Some(magic::BTRFS) && !is_in_place(file)
}

#[cfg(target_os = "linux")]
fn is_in_place(file: &File) -> bool {
    rustix::fs::ioctl_getflags(file).is_ok_and(|flags| flags.contains(rustix::fs::IFlags::NOCOW))
}

#[cfg(target_os = "linux")]
fn kind(file: &File) -> Option<u32> {
    rustix::fs::fstatfs(file).ok().map(|status| status.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::fs::File;

    use super::Risk;

    /// APFS never overwrites in place.
    pub(crate) fn risk(_: &File) -> Option<Risk> {
        cfg!(target_os = "macos").then_some(Risk::CopyOnWrite)
    }

    pub(crate) fn ask_for_overwriting(_: &File) {}

    pub(crate) fn is_better_rewritten(_: &File) -> bool {
        false
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{ask_for_overwriting, is_better_rewritten, risk};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_system_has_its_risk() {
        const EXT4: u32 = 0xef53;
        const XFS: u32 = 0x5846_5342;
        for (kind, is_in_place, risk) in [
            (EXT4, false, None),
            (XFS, false, None),
            (magic::BTRFS, true, None),
            (magic::BTRFS, false, Some(Risk::CopyOnWrite)),
            (magic::COPY_ON_WRITE[0], true, Some(Risk::CopyOnWrite)),
            (magic::IN_MEMORY[0], false, Some(Risk::InMemory)),
            (magic::OVERLAY, false, Some(Risk::Container)),
            (magic::NETWORK[0], false, Some(Risk::Network)),
        ] {
            assert_eq!(risk_of(kind, || is_in_place), risk, "{kind:x}");
        }
    }
}
