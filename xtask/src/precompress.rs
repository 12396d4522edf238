//! Compresses the client's files at the highest level, so that the server never compresses them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context;
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::fingerprint;

/// Writes NAME.br and NAME.gz beside each file, if they are smaller than it.
pub(crate) fn folder(folder: &Path) -> anyhow::Result<()> {
    for file in originals(folder)? {
        let content = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        for (ending, packed) in [("br", brotli(&content)?), ("gz", gzip(&content)?)] {
            if packed.len() < content.len() {
                fs::write(beside(&file, ending), packed)?;
            }
        }
    }
    Ok(())
}

/// The sizes of the files, one per line.
pub(crate) fn report(folder: &Path) -> anyhow::Result<String> {
    let mut report = format!("{:>9} {:>9} {:>9}  bytes\n", "as it is", "gzip", "brotli");
    for file in originals(folder)? {
        let size = |path: PathBuf| fs::metadata(path).map_or_else(|_| "-".to_owned(), |data| data.len().to_string());
        let (gz, br) = (size(beside(&file, "gz")), size(beside(&file, "br")));
        let name = file.strip_prefix(folder).unwrap_or(&file).display();
        writeln!(report, "{:>9} {gz:>9} {br:>9}  {name}", size(file.clone()))?;
    }
    Ok(report)
}

pub(crate) fn originals(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    fingerprint::collect(folder, &mut files)?;
    files.retain(|file| file.extension().is_none_or(|ending| ending != "br" && ending != "gz"));
    files.sort();
    Ok(files)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    // 2^22 bytes hold the whole client, and every browser supports a window of this size.
    let parameters = BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: content.len(), ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut packed, &parameters)?;
    Ok(packed)
}

fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use xshell::Shell;

    use super::*;

    #[test]
    fn decompressing_returns_the_original() {
        let shell = Shell::new().expect("a shell");
        let dist = shell.create_temp_dir().expect("a folder");
        let text = "search4letters ".repeat(1000);
        shell.write_file(dist.path().join("app.js"), &text).expect("written");
        shell.write_file(dist.path().join("tiny.txt"), "x").expect("written");
        folder(dist.path()).expect("compressed");

        let mut unpacked = String::new();
        let gz = fs::File::open(dist.path().join("app.js.gz")).expect("made");
        GzDecoder::new(gz).read_to_string(&mut unpacked).expect("gzip");
        assert_eq!(unpacked, text);
        let br = fs::File::open(dist.path().join("app.js.br")).expect("made");
        unpacked.clear();
        brotli::Decompressor::new(br, 4096).read_to_string(&mut unpacked).expect("brotli");
        assert_eq!(unpacked, text);
        assert!(!dist.path().join("tiny.txt.br").exists(), "one byte gets no smaller");
        assert!(!dist.path().join("tiny.txt.gz").exists(), "one byte gets no smaller");
    }
}
