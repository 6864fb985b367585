//! Each handle is given up once: passed on, encoded, or freed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use oxflow::abi::{Faults, Handle, Rows, TypeTable};

use super::*;
use crate::extension::NONE;

thread_local! {
    static FREED: AtomicUsize = const { AtomicUsize::new(0) };
    static RELEASED: AtomicUsize = const { AtomicUsize::new(0) };
}

fn count(counter: &'static std::thread::LocalKey<AtomicUsize>) -> usize {
    counter.with(|counter| counter.load(Ordering::Relaxed))
}

unsafe extern "C" fn decode(_: u32, _: *const Rows, _: *const Faults) -> Held {
    Held { handle: ptr::dangling_mut(), len: 1 }
}

unsafe extern "C" fn encode(_: u32, _: *mut Handle, _: *const Faults) -> *mut Encoded {
    let nothing = Encoded {
        len: 0,
        rows: ptr::null(),
        ends: ptr::null(),
        data: ptr::null(),
        data_len: 0,
        changes: ptr::null(),
        changes_len: 0,
    };
    Box::into_raw(Box::new(nothing))
}

unsafe extern "C" fn free(_: *mut Handle) {
    FREED.with(|freed| freed.fetch_add(1, Ordering::Relaxed));
}

unsafe extern "C" fn release(encoded: *mut Encoded) {
    // SAFETY: `encode` made it, and it is released once.
    drop(unsafe { Box::from_raw(encoded) });
    RELEASED.with(|released| released.fetch_add(1, Ordering::Relaxed));
}

unsafe extern "C" fn take_unknown() -> u64 {
    0
}

fn held() -> HeldRows {
    let table = TypeTable {
        size: size_of::<TypeTable>(),
        library: ptr::null(),
        key: 0,
        hash: 0,
        codec: abi::Codec::Json as u32,
        public: 0,
        name: NONE,
        doc: NONE,
        shape: NONE,
        decode,
        encode,
        free,
        release,
        take_unknown,
        objects: ptr::null(),
        codecs: abi::Codec::Json.bit(),
        absent: 0,
    };
    let owner = PayloadType::of(Box::leak(Box::new(table)));
    HeldRows { held: Held { handle: ptr::dangling_mut(), len: 1 }, owner }
}

#[test]
fn a_handle_that_is_not_passed_on_is_freed() {
    drop(held());
    assert_eq!(1, count(&FREED));
}

#[test]
fn a_lane_that_unwinds_frees_its_handle() {
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _rows = held();
        panic!("in the engine, between two entries");
    }));
    assert!(unwound.is_err());
    assert_eq!(1, count(&FREED));
}

#[test]
fn a_handle_that_is_encoded_is_not_freed_and_its_rows_are_released() {
    held().encode(abi::Codec::Json, &mut Reports::default(), |_| {});
    assert_eq!((0, 1), (count(&FREED), count(&RELEASED)));
}

#[test]
fn what_was_encoded_is_released_also_where_the_copying_of_it_unwinds() {
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        held().encode(abi::Codec::Json, &mut Reports::default(), |_| panic!("no memory"))
    }));
    assert!(unwound.is_err());
    assert_eq!((0, 1), (count(&FREED), count(&RELEASED)));
}
