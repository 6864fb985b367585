//! Compressed files, by the end of their name.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

/// Opens a file for reading what was written into it, several compressed members one after the other included.
pub(super) fn reader(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    Ok(match ending(path) {
        Some("gz") => Box::new(MultiGzDecoder::new(BufReader::new(file))),
        Some("zst") => Box::new(zstd::stream::read::Decoder::new(file)?),
        _ => Box::new(file),
    })
}

/// Somewhere to write that has an end to be written.
pub(super) trait Finish: Write + Send {
    /// Writes what is held back, and the end of a compressed file.
    fn finish(&mut self) -> io::Result<()>;
}

/// Compresses what is written into the file.
pub(super) fn writer(path: &Path, file: File) -> io::Result<Box<dyn Finish>> {
    Ok(match ending(path) {
        Some("gz") => Box::new(GzEncoder::new(BufWriter::new(file), Compression::default())),
        Some("zst") => Box::new(zstd::stream::write::Encoder::new(BufWriter::new(file), 0)?),
        _ => Box::new(BufWriter::with_capacity(256 << 10, file)),
    })
}

fn ending(path: &Path) -> Option<&str> {
    path.extension().and_then(|ending| ending.to_str())
}

impl Finish for BufWriter<File> {
    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

impl Finish for GzEncoder<BufWriter<File>> {
    fn finish(&mut self) -> io::Result<()> {
        self.try_finish()?;
        self.get_mut().flush()
    }
}

impl Finish for zstd::stream::write::Encoder<'_, BufWriter<File>> {
    fn finish(&mut self) -> io::Result<()> {
        self.do_finish()?;
        self.get_mut().flush()
    }
}
