//! Files, compressed or not, by the end of their name.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use zstd::stream::read::Decoder as ZstdDecoder;
use zstd::stream::write::Encoder as ZstdEncoder;

/// Decompressed bytes that nobody needs to be asked about: a short file may become many times as long.
const FREE_BYTES: u64 = 8 << 20;

/// What was written into a file.
pub(in super::super) trait Content: Read + Send {
    /// Passes over the first bytes of the content.
    fn skip(&mut self, bytes: u64) -> io::Result<()>;
    /// Bytes of the file that were read for it, if these are not the content itself.
    fn compressed(&self) -> Option<u64> {
        None
    }
}

/// Opens a file for reading what was written into it, several compressed members one after the other included. It may
/// become `ratio` times as long.
pub(in super::super) fn reader(path: &Path, ratio: u64) -> io::Result<Box<dyn Content>> {
    let file = File::open(path)?;
    let input = |file| BufReader::new(Counted { file, bytes: 0 });
    Ok(match ending(path) {
        Some("gz") => Box::new(Proportionate { decoder: MultiGzDecoder::new(input(file)), given: 0, ratio }),
        Some("zst") => Box::new(Proportionate { decoder: ZstdDecoder::with_buffer(input(file))?, given: 0, ratio }),
        _ => Box::new(file),
    })
}

impl Content for File {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if self.metadata()?.len() < bytes {
            return Err(truncated());
        }
        self.seek(SeekFrom::Start(bytes)).map(drop)
    }
}

impl<D: Decoder> Content for Proportionate<D> {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        read_over(self, bytes)
    }

    fn compressed(&self) -> Option<u64> {
        Some(self.decoder.taken())
    }
}

/// A compressed file that becomes longer than allowed.
#[derive(Debug, thiserror::Error)]
#[error("{taken} bytes of it gave {given}")]
pub struct Bomb {
    /// How many times as long it may become.
    pub ratio: u64,
    /// Bytes of the file that were read.
    pub taken: u64,
    /// Bytes that came out of them.
    pub given: u64,
}

/// Decompressed content that stays in proportion to its file. A few bytes can be made to stand for terabytes: memory is
/// bounded without this, but the time and the outputs of the run are not.
struct Proportionate<D> {
    decoder: D,
    given: u64,
    ratio: u64,
}

impl<D: Decoder> Read for Proportionate<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.given += read as u64;
        let (ratio, taken, given) = (self.ratio, self.decoder.taken(), self.given);
        if given > FREE_BYTES && given / ratio > taken {
            return Err(io::Error::other(Bomb { ratio, taken, given }));
        }
        Ok(read)
    }
}

/// What decompresses a file.
trait Decoder: Read + Send {
    /// Bytes of the file that were read.
    fn taken(&self) -> u64;
}

impl Decoder for MultiGzDecoder<BufReader<Counted>> {
    fn taken(&self) -> u64 {
        self.get_ref().get_ref().bytes
    }
}

impl Decoder for ZstdDecoder<'_, BufReader<Counted>> {
    fn taken(&self) -> u64 {
        self.get_ref().get_ref().bytes
    }
}

/// A file, and how much of it was read.
struct Counted {
    file: File,
    bytes: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

fn read_over(content: &mut impl Read, bytes: u64) -> io::Result<()> {
    let passed = io::copy(&mut content.by_ref().take(bytes), &mut io::sink())?;
    if passed < bytes { Err(truncated()) } else { Ok(()) }
}

fn truncated() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it was truncated: it ends before the place where reading goes on")
}

/// A file that is written.
pub(super) enum Output {
    Plain(BufWriter<File>),
    Gzip { frame: Option<GzEncoder<BufWriter<File>>>, file: Option<BufWriter<File>> },
    Zstd { frame: Option<ZstdEncoder<'static, BufWriter<File>>>, file: Option<BufWriter<File>> },
}

impl Output {
    /// Writes from where the file stands, compressed as the name of it says.
    pub(super) fn new(path: &Path, file: File) -> Self {
        match ending(path) {
            Some("gz") => Self::Gzip { frame: None, file: Some(BufWriter::new(file)) },
            Some("zst") => Self::Zstd { frame: None, file: Some(BufWriter::new(file)) },
            _ => Self::Plain(BufWriter::with_capacity(256 << 10, file)),
        }
    }

    /// Writes all bytes.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Gzip { frame, file } => {
                if let Some(file) = file.take() {
                    *frame = Some(GzEncoder::new(file, Compression::default()));
                }
                frame.as_mut().ok_or_else(closed)?.write_all(bytes)
            }
            Self::Zstd { frame, file } => {
                if let Some(file) = file.take() {
                    *frame = Some(ZstdEncoder::new(file, 0)?);
                }
                frame.as_mut().ok_or_else(closed)?.write_all(bytes)
            }
        }
    }

    /// Ends the frame, if one is open, and hands everything to the system. What is written next begins a new frame, so
    /// that the file is whole here.
    pub(super) fn flush(&mut self) -> io::Result<&File> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Gzip { frame, file } => {
                if let Some(frame) = frame.take() {
                    *file = Some(frame.finish()?);
                }
                file.as_mut().ok_or_else(closed)?
            }
            Self::Zstd { frame, file } => {
                if let Some(frame) = frame.take() {
                    *file = Some(frame.finish()?);
                }
                file.as_mut().ok_or_else(closed)?
            }
        };
        file.flush()?;
        Ok(file.get_ref())
    }
}

fn closed() -> io::Error {
    io::Error::other("an earlier write failed")
}

fn ending(path: &Path) -> Option<&str> {
    path.extension().and_then(|ending| ending.to_str())
}
