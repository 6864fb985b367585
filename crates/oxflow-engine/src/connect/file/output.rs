//! A file that is written, compressed or not, by the end of its name.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::compression::ending;

/// A file that is written.
pub(super) struct Output {
    file: File,
    /// Begins a frame, where the file is compressed.
    begin: Option<Begin>,
    /// Absent after a write that failed: what it left over must not follow what others write.
    encoder: Option<Encoder>,
    /// The file is empty, and no frame was begun.
    blank: bool,
    /// Bytes of content that came so far, beginning with what was in the file.
    taken: u64,
    /// Up to where the file holds whole writes, or whole frames; none of a pipe or device, which can't be cut.
    whole: Option<u64>,
    /// Why the first write that failed did: those after it fail for the same reason, whoever hears of one first.
    failed: Option<io::Error>,
}

type Begin = fn(BufWriter<File>) -> io::Result<Encoder>;

enum Encoder {
    /// Of a compressed file: between two frames.
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
    Zstd(ZstdEncoder<'static, BufWriter<File>>),
}

impl Output {
    /// Writes from where the file stands, compressed as the name of it says.
    pub(super) fn new(path: &Path, mut file: File) -> io::Result<Self> {
        let begin: Option<Begin> = match ending(path) {
            Some("gz") => Some(|file| Ok(Encoder::Gzip(GzEncoder::new(file, Compression::default())))),
            Some("zst") => Some(|file| Ok(Encoder::Zstd(ZstdEncoder::new(file, 0)?))),
            _ => None,
        };
        let regular = file.metadata()?.is_file();
        let start = if regular { file.stream_position()? } else { 0 };
        let writer = BufWriter::with_capacity(256 << 10, file.try_clone()?);
        let encoder = Some(Encoder::Plain(writer));
        Ok(Self {
            file,
            begin,
            encoder,
            blank: start == 0,
            taken: start,
            whole: regular.then_some(start),
            failed: None,
        })
    }

    /// Writes all bytes. A file that can't take them is cut to what it held before, so that no half line stays.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.encode(bytes);
        self.or_cut(written)
    }

    /// Ends the frame, if one is open, and hands everything to the system. What is written next begins a new frame, so
    /// that the file is whole here.
    pub(super) fn flush(&mut self) -> io::Result<&File> {
        let flushed = self.end_frame();
        self.or_cut(flushed)?;
        Ok(&self.file)
    }

    /// Ends the file. Of a compressed one without content there is one frame at least: no tool reads one that has none.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if self.blank {
            let begun = self.begin_frame();
            self.or_cut(begun)?;
        }
        self.flush().map(drop)
    }

    /// The file itself.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    fn encode(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.begin_frame()?;
        match self.encoder.as_mut().ok_or_else(|| closed(self.failed.as_ref()))? {
            Encoder::Plain(file) => {
                file.write_all(bytes)?;
                self.taken += bytes.len() as u64;
                // A buffer is written out before it is given part of a write, so that it begins with a whole one.
                let whole = self.taken - file.buffer().len() as u64;
                self.whole.iter_mut().for_each(|end| *end = whole);
                Ok(())
            }
            Encoder::Gzip(frame) => frame.write_all(bytes),
            Encoder::Zstd(frame) => frame.write_all(bytes),
        }
    }

    fn begin_frame(&mut self) -> io::Result<()> {
        self.blank = false;
        let Some(begin) = self.begin else { return Ok(()) };
        self.encoder = match self.encoder.take() {
            Some(Encoder::Plain(file)) => Some(begin(file)?),
            other => other,
        };
        Ok(())
    }

    fn end_frame(&mut self) -> io::Result<()> {
        let mut file = match self.encoder.take().ok_or_else(|| closed(self.failed.as_ref()))? {
            Encoder::Plain(file) => file,
            Encoder::Gzip(frame) => frame.finish()?,
            Encoder::Zstd(frame) => frame.finish()?,
        };
        let flushed = file.flush();
        self.encoder = Some(Encoder::Plain(file));
        flushed?;
        if let Some(whole) = &mut self.whole {
            *whole = self.file.stream_position()?;
        }
        Ok(())
    }

    fn or_cut(&mut self, result: io::Result<()>) -> io::Result<()> {
        if let Err(error) = &result {
            self.failed.get_or_insert_with(|| again(error));
            // Dropping it writes what it still holds, as far as there is room.
            drop(self.encoder.take());
            self.whole.map_or(Ok(()), |whole| self.file.set_len(whole))?;
        }
        result
    }
}

fn closed(failed: Option<&io::Error>) -> io::Error {
    failed.map_or_else(|| io::Error::other("an earlier write failed"), again)
}

/// The same error once more.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{File, Output};

    #[test]
    #[cfg(target_os = "linux")]
    fn what_comes_after_a_write_that_failed_fails_for_the_same_reason() {
        for name in ["full", "full.gz", "full.zst"] {
            let full = File::options().write(true).open("/dev/full").expect("Linux has it");
            let mut output = Output::new(Path::new(name), full).expect("a file that is always full");
            output.write_all(&[b'x'; 10]).expect("room in the buffer");
            let first = output.flush().map(drop).expect_err("no room");
            let then = [output.flush().map(drop), output.write_all(b"y"), output.finish()];
            for later in then {
                assert_eq!(first.to_string(), later.expect_err("no room either").to_string());
            }
        }
    }
}
