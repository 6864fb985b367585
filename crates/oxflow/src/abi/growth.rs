//! Structs that grow: how a side reads what the other side, of another minor version, has made.
//!
//! Each such struct tells its size. A shorter one lacks the last entries, a longer one has some that this side doesn't know.
//! [`read`] gives a copy as this side knows it: entries that aren't there are zero, and what lies beyond the size is never
//! touched. So nobody asks for a size but here, and an entry that may be absent has a type that says so.

use super::host::{Entry, HostApi, Instrument};
use super::{Bytes, Fault, FunctionTable, GatherTable, ModuleTable, ObjectTable, OfferTable, TypeTable};
use std::mem::{MaybeUninit, offset_of};
use std::ptr;

/// A struct that may be shorter or longer on the other side.
///
/// # Safety
///
/// The struct is `repr(C)`, and its entries are plain data. A `usize` lies at `SIZE`. Whatever lies behind the first of `ENDS` may
/// be all zeros.
pub unsafe trait Grows: Sized {
    /// Where it tells its size.
    const SIZE: usize;
    /// Where it ended in [`OLDEST_MINOR`](super::OLDEST_MINOR), and then the end of each entry that was appended since.
    const ENDS: &'static [usize];
}

/// An entry that is all zeros where it isn't there.
///
/// # Safety
///
/// All zeros are a value of the type.
pub unsafe trait Absent {}

// SAFETY: a number.
unsafe impl Absent for u32 {}
// SAFETY: a number.
unsafe impl Absent for u64 {}
// SAFETY: null is a pointer.
unsafe impl<T> Absent for *const T {}
// SAFETY: null and a number: no value.
unsafe impl Absent for Bytes {}

macro_rules! functions_may_be_absent {
    ($($($argument:ident)*;)+) => {$(
        // SAFETY: null is `None`.
        unsafe impl<R, $($argument),*> Absent for Option<unsafe extern "C" fn($($argument),*) -> R> {}
    )+};
}

functions_may_be_absent! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
}

/// Reads a struct of the other side; none if it is shorter than it ever was.
///
/// # Safety
///
/// `from` points to such a struct, which has as many bytes as it says.
pub unsafe fn read<T: Grows>(from: *const T) -> Option<T> {
    // SAFETY: the caller's promise: the size stands before the end that each minor version has.
    let size = unsafe { from.byte_add(T::SIZE).cast::<usize>().read() };
    let known = T::ENDS.iter().copied().take_while(|end| *end <= size).last()?;
    let mut whole = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes are there, and no more than a `T` has. The bytes behind them are zero, which their entries may be.
    unsafe {
        ptr::copy_nonoverlapping(from.cast::<u8>(), whole.as_mut_ptr().cast::<u8>(), known);
        Some(whole.assume_init())
    }
}

/// Where an entry ends.
const fn end<T, F>(offset: usize, _entry: fn(&T) -> &F) -> usize {
    offset + size_of::<F>()
}

/// The same of an entry that may be absent.
const fn later<T, F: Absent>(offset: usize, entry: fn(&T) -> &F) -> usize {
    end(offset, entry)
}

macro_rules! grow {
    ($($type:ty: $last:ident $(, $more:ident)*;)+) => {$(
        // SAFETY: the struct is one of the ABI; `later` takes entries only that may be zero.
        unsafe impl Grows for $type {
            const SIZE: usize = offset_of!(Self, size);
            const ENDS: &'static [usize] = &[
                end(offset_of!(Self, $last), |table: &Self| &table.$last),
                $(later(offset_of!(Self, $more), |table: &Self| &table.$more),)*
            ];
        }

        const _: () = assert!(
            matches!(<$type as Grows>::ENDS, [.., end] if *end == size_of::<$type>()),
            "list each entry that is appended; none may lie where older versions have padding"
        );
    )+};
}

// Of each the last entry of minor 4, and what was appended since.
grow! {
    ModuleTable: unused;
    TypeTable: absent;
    FunctionTable: wishes;
    Fault: wish;
    HostApi: measure;
    Entry: fields;
    Instrument: doc;
    ObjectTable: release, gather, offer;
    // As minor 5 made it, which was the first to have it.
    GatherTable: end;
    // As minor 6 made it, likewise.
    OfferTable: close;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    /// Every way to cut a struct: `bytes` of it lie at the very end of an allocation, so that to read on is a fault that a
    /// sanitizer sees.
    #[track_caller]
    fn cut<T: Grows + Debug>(bytes: usize) -> Option<T> {
        let mut words = vec![0x0101_0101_0101_0101_usize; bytes.div_ceil(8)].into_boxed_slice();
        words[T::SIZE / 8] = bytes;
        // SAFETY: the words are `bytes` long, rounded up to the next word, which is read by nobody.
        unsafe { read::<T>(words.as_ptr().cast()) }
    }

    fn is_read_from_minor_4_on<T: Grows + Debug>() {
        let least = T::ENDS[0];
        assert!(cut::<T>(least).is_some(), "as minor 4 made it");
        assert!(cut::<T>(least - 1).is_none(), "shorter than minor 4 made it");
        assert!(cut::<T>(size_of::<T>() + 64).is_some(), "with entries that nobody knows here");
    }

    #[test]
    fn every_struct_is_read_as_minor_4_made_it_and_with_entries_to_come() {
        is_read_from_minor_4_on::<ModuleTable>();
        is_read_from_minor_4_on::<TypeTable>();
        is_read_from_minor_4_on::<FunctionTable>();
        is_read_from_minor_4_on::<Fault>();
        is_read_from_minor_4_on::<HostApi>();
        is_read_from_minor_4_on::<Entry>();
        is_read_from_minor_4_on::<Instrument>();
        is_read_from_minor_4_on::<ObjectTable>();
        is_read_from_minor_4_on::<GatherTable>();
        is_read_from_minor_4_on::<OfferTable>();
    }

    /// A struct with an entry of each kind that may be appended.
    #[repr(C)]
    #[derive(Debug)]
    struct Grown {
        size: usize,
        old: usize,
        number: u64,
        function: Option<unsafe extern "C" fn(u32) -> u32>,
        text: Bytes,
        pointer: *const u8,
    }

    grow! { Grown: old, number, function, text, pointer; }

    fn of_size(size: usize) -> Option<Grown> {
        cut::<Grown>(size)
    }

    #[test]
    fn an_entry_that_the_size_does_not_cover_is_absent() {
        let is_there = |size| {
            let grown = of_size(size).expect("as long as the oldest");
            let text = (!grown.text.data.is_null(), grown.text.len != 0);
            (grown.number != 0, grown.function.is_some(), text, !grown.pointer.is_null())
        };
        assert_eq!((false, false, (false, false), false), is_there(16));
        assert_eq!((true, false, (false, false), false), is_there(24));
        assert_eq!((true, true, (false, false), false), is_there(32));
        assert_eq!((true, true, (true, true), false), is_there(48));
        assert_eq!((true, true, (true, true), true), is_there(56));
    }

    #[test]
    fn half_an_entry_is_none() {
        assert!(of_size(31).is_some_and(|grown| grown.function.is_none()));
        assert!(of_size(47).is_some_and(|grown| grown.text.data.is_null()));
        assert!(of_size(15).is_none());
    }
}
