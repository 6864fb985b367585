//! The index file: a map that is looked up where it lies, without being read.
//!
//! All numbers are little-endian. A header of 64 bytes, then the directory, then sections that begin at multiples of 64 bytes.
//! To open one reads header, directory and a small section of facts; everything else is checked when it is used, piece by
//! piece, each with a sum of its own. So opening takes the same time whatever the size, and no damage goes unnoticed:
//!
//! - A block of mappings is summed with its own record and key and with the key of the next block. Bisection over damaged
//!   keys may lead to a wrong block, but that one then says of itself that the position does not lie in it.
//! - Strings are summed in groups, contents of sources in the frames that they are compressed in.

mod contents;
mod layout;
mod mapped;
mod read;
mod table;
mod write;

pub use mapped::mapped;
pub use read::{Opening, is_index};
pub use write::{Content, write, write_with};

pub(crate) use contents::Contents;
pub(crate) use layout::{damaged, sum, u32_at};
pub(crate) use table::{Table, write as write_table};
pub(crate) use write::UNFINISHED;
