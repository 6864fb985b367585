//! Files, compressed or not, by the end of their name.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

/// Decompressed bytes that nobody needs to be asked about: a short file may become many times as long.
const FREE_BYTES: u64 = 8 << 20;

/// What was written into a file.
pub(in super::super) trait Content: Read + Send {
    /// Bytes of the file that were read, and how many it has now.
    fn lengths(&mut self) -> io::Result<(u64, u64)>;
    /// Passes over the first bytes of the content.
    fn skip(&mut self, bytes: u64) -> io::Result<()>;
    /// Bytes of the file that were read for it, if these are not the content itself.
    fn compressed(&self) -> Option<u64> {
        None
    }
}

/// Reads what was written into a file, several compressed members one after the other included. It may become `ratio` times
/// as long. An empty file is empty content, compressed or not.
pub(in super::super) fn reader(file: File, path: &Path, ratio: u64) -> io::Result<Box<dyn Content>> {
    let ending = ending(path).filter(|ending| matches!(*ending, "gz" | "zst"));
    let Some(ending) = ending else { return Ok(Box::new(file)) };
    let mut input = BufReader::new(Counted { file, bytes: 0 });
    if input.fill_buf()?.is_empty() {
        return Ok(Box::new(input.into_inner().file));
    }
    Ok(match ending {
        "gz" => Box::new(Proportionate { decoder: MultiGzDecoder::new(input), given: 0, ratio }),
        _ => Box::new(Proportionate { decoder: ZstdDecoder::with_buffer(input)?, given: 0, ratio }),
    })
}

impl Content for File {
    fn lengths(&mut self) -> io::Result<(u64, u64)> {
        Ok((self.stream_position()?, self.metadata()?.len()))
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if self.metadata()?.len() < bytes {
            return Err(truncated());
        }
        self.seek(SeekFrom::Start(bytes)).map(drop)
    }
}

impl<D: Decoder> Content for Proportionate<D> {
    fn lengths(&mut self) -> io::Result<(u64, u64)> {
        let input = self.decoder.input();
        Ok((input.bytes, input.file.metadata()?.len()))
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        read_over(self, bytes)
    }

    fn compressed(&self) -> Option<u64> {
        Some(self.decoder.input().bytes)
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
        let (ratio, taken, given) = (self.ratio, self.decoder.input().bytes, self.given);
        if given > FREE_BYTES && given / ratio > taken {
            return Err(io::Error::other(Bomb { ratio, taken, given }));
        }
        Ok(read)
    }
}

/// What decompresses a file.
trait Decoder: Read + Send {
    /// The file that it reads.
    fn input(&self) -> &Counted;
}

impl Decoder for MultiGzDecoder<BufReader<Counted>> {
    fn input(&self) -> &Counted {
        self.get_ref().get_ref()
    }
}

impl Decoder for ZstdDecoder<'_, BufReader<Counted>> {
    fn input(&self) -> &Counted {
        self.get_ref().get_ref()
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

pub(super) fn ending(path: &Path) -> Option<&str> {
    path.extension().and_then(|ending| ending.to_str())
}
