//! What the processor can do many bytes at a time, chosen when the program runs.
//!
//! Each way here has a plain one beside it that gives the same, which tests compare; a way that meets anything out of the
//! ordinary gives up, and the plain one says what is wrong.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod strings;
#[cfg(target_arch = "x86_64")]
mod sums;

use std::sync::LazyLock;

use crate::error::Result;
use crate::json;
use crate::mappings::{Built, Tables};

/// One way to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Plain,
}

impl Way {
    /// All that this processor has, the quickest first.
    pub(crate) fn all() -> Vec<Self> {
        let mut ways = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if avx512::is_here() {
            ways.push(Self::Avx512);
        }
        #[cfg(target_arch = "x86_64")]
        if avx2::is_here() {
            ways.push(Self::Avx2);
        }
        ways.push(Self::Plain);
        ways
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            Self::Plain => "plain",
        }
    }

    /// Reads all segments, if this is a quick way and the text has nothing unusual.
    pub(crate) fn build(self, text: &[u8], tables: Tables) -> Option<Result<Built>> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::build(text, tables),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::build(text, tables),
            Self::Plain => {
                let _ = (text, tables);
                None
            }
        }
    }

    /// The first quote, backslash or control character from `at` on; the end of the text if there is none.
    #[inline]
    pub(crate) fn next_stop(self, text: &[u8], at: usize) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::next_stop(text, at),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::next_stop(text, at),
            Self::Plain => json::next_stop(text, at),
        }
    }

    /// The closing quote of the string whose first byte is at `start`, and whether there are escapes before it; or the place
    /// of a fault.
    #[inline]
    pub(crate) fn end_of_string(self, text: &[u8], start: usize) -> std::result::Result<(usize, bool), usize> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::end_of_string(text, start),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::end_of_string(text, start),
            Self::Plain => json::end_of_string_from(text, start, false),
        }
    }
}

/// The quickest way, or the one that the user asked for with `OXFLOW_SOURCEMAP_SIMD`, if it is there.
fn way() -> Way {
    static WAY: LazyLock<Way> = LazyLock::new(|| {
        let ways = Way::all();
        let wanted = std::env::var("OXFLOW_SOURCEMAP_SIMD").ok();
        let asked = ways.iter().find(|way| wanted.as_deref() == Some(way.name()));
        asked.or(ways.first()).copied().unwrap_or(Way::Plain)
    });
    *WAY
}

/// Reads all segments, if this processor has a quick way and the text nothing unusual.
pub(crate) fn build(text: &[u8], tables: Tables) -> Option<Result<Built>> {
    way().build(text, tables)
}

/// The first quote, backslash or control character from `at` on; the end of the text if there is none.
#[inline]
pub(crate) fn next_stop(text: &[u8], at: usize) -> usize {
    way().next_stop(text, at)
}

/// What the mappings are read with: `avx512`, `avx2` or `plain`.
pub fn level() -> &'static str {
    way().name()
}

/// The closing quote of the string whose first byte is at `start`, and whether there are escapes before it; or the place of a
/// fault.
pub(crate) fn end_of_string(text: &[u8], start: usize) -> std::result::Result<(usize, bool), usize> {
    way().end_of_string(text, start)
}
