//! The few things that the spool asks of a file, so that tests can be a disk that fails.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes at places, which survive a crash once [`Medium::sync`] has returned Ok.
pub(crate) trait Medium: Send + 'static {
    fn read_all(&mut self) -> io::Result<Vec<u8>>;

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn read_all(&mut self) -> io::Result<Vec<u8>> {
        let size = self.metadata()?.len();
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        self.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        // The file never grows while it is in use, so its data are all there is to sync.
        self.sync_data()
    }
}
