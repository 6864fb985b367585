//! Maps that are compressed, as servers and disks have them.

use std::io::Read;
use std::sync::Arc;

use brotli_decompressor::Decompressor;
use flate2::read::MultiGzDecoder;

use crate::buffer::Buffer;
use crate::error::{Error, Limits, Result};

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// `gzip`, by its first bytes.
    Gzip,
    /// `zstd`, by its first bytes.
    Zstd,
    /// `br`, which can't be told from its bytes.
    Brotli,
}

impl Packing {
    /// By the word of HTTP or the end of a file's name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "gzip" | "gz" | "x-gzip" => Some(Self::Gzip),
            "zstd" | "zst" => Some(Self::Zstd),
            "br" => Some(Self::Brotli),
            _ => None,
        }
    }

    /// By the first bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The bytes as they were before they were compressed; as they are, if they weren't. `named` is what the sender says.
pub fn unpacked(buffer: &Buffer, named: Option<Packing>, limits: &Limits) -> Result<Buffer> {
    let bytes: &[u8] = (**buffer).as_ref();
    let Some(packing) = Packing::of(bytes).or(named.filter(|named| *named == Packing::Brotli)) else {
        return Ok(Buffer::clone(buffer));
    };
    let unpacked = match packing {
        Packing::Gzip => limited(MultiGzDecoder::new(bytes), limits),
        Packing::Zstd => match zstd::stream::read::Decoder::with_buffer(bytes) {
            Ok(decoder) => limited(decoder, limits),
            Err(error) => Err(damaged(&error)),
        },
        Packing::Brotli => limited(Decompressor::new(bytes, 4096), limits),
    };
    unpacked.map(|bytes| -> Buffer { Arc::new(bytes) })
}

fn limited(reader: impl Read, limits: &Limits) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limits.bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    if bytes.len() as u64 > limits.bytes {
        return Err(Error::Limit { what: "the size of the map in bytes", limit: limits.bytes });
    }
    Ok(bytes)
}

fn damaged(error: &std::io::Error) -> Error {
    Error::Json { line: 1, column: 1, reason: format!("the compressed map can't be read: {error}") }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;

    use super::*;

    /// `{"version":3}` as brotli has it.
    const BROTLI: &[u8] = b"\x0b\x06\x80{\"version\":3}\x03";

    fn unpack(bytes: Vec<u8>, named: Option<Packing>, most: u64) -> Result<Vec<u8>> {
        let buffer: Buffer = Arc::new(bytes);
        unpacked(&buffer, named, &Limits { bytes: most, ..Limits::default() }).map(|bytes| (*bytes).as_ref().to_vec())
    }

    #[test]
    fn every_packing_is_undone_up_to_the_limit() {
        let text = b"{\"version\":3}".to_vec();
        let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&text).unwrap();
        let packed = [
            (gzip.finish().unwrap(), None),
            (zstd::encode_all(&*text, 1).unwrap(), None),
            (BROTLI.to_vec(), Packing::named("br")),
        ];
        for (bytes, named) in packed {
            assert_eq!(Ok(text.clone()), unpack(bytes.clone(), named, 13));
            assert!(matches!(unpack(bytes.clone(), named, 12), Err(Error::Limit { .. })));
            assert!(matches!(unpack(bytes[..bytes.len() - 6].to_vec(), named, 99), Err(Error::Json { .. })));
        }
        assert_eq!(Ok(text.clone()), unpack(text, None, 1));
    }
}
