//! What the operating system says of the disk and of this process.

use std::path::Path;

use api::DiskState;

/// The disk that holds `folder`.
pub fn disk(folder: &Path, database_bytes: u64) -> Option<DiskState> {
    let found = rustix::fs::statvfs(folder).ok()?;
    let data_folder = folder.parent().unwrap_or(folder);
    Some(DiskState {
        folder: data_folder.display().to_string(),
        // What is left for this user, not what is kept for root.
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        database_bytes,
    })
}

/// The machine's name.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Resident; 0 where there is no /proc.
pub fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    resident_bytes(&status).unwrap_or(0)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_resident_memory() {
        assert_eq!(resident_bytes("VmPeak:\t  9 kB\nVmRSS:\t    2048 kB\n"), Some(2 * 1024 * 1024));
        assert_eq!(resident_bytes(""), None);
    }

    #[test]
    fn a_disk_has_a_size() {
        let disk = disk(Path::new("."), 7).expect("there is a disk");
        assert!(disk.total_bytes >= disk.free_bytes && disk.total_bytes > 0);
    }
}
