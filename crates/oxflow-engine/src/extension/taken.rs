//! Takes a module: reads each of its tables once, and keeps what was read.
//!
//! A module may be of another minor version than the runtime, so its tables may be shorter or longer than those here.
//! [`abi::read`] makes whole ones of them, in which what a module doesn't have is absent. The copies point to each other, and
//! never to a table of the module: whoever has one need not know of versions. They are kept for good, as the module is, and a
//! module that is taken again has the same ones.
#![allow(unsafe_code)]

use std::ptr;

use oxflow::abi::{self, FunctionTable, GatherTable, Grows, ModuleTable, ObjectTable, OfferTable, TypeTable};

use super::{Incompatible, array};
use crate::chain::Chain;

static TAKEN: Chain<Taken> = Chain::new();

/// The table of a module, and the copy of it.
#[derive(Clone, Copy, Debug)]
struct Taken {
    origin: *const ModuleTable,
    table: &'static ModuleTable,
}

// SAFETY: nothing that the pointers lead to is ever written to.
unsafe impl Send for Taken {}
// SAFETY: as above.
unsafe impl Sync for Taken {}

/// The copy of a module's table; the same one whenever the module is taken.
///
/// # Safety
///
/// As for [`Module::from_table`](super::Module::from_table).
pub(super) unsafe fn take(origin: *const ModuleTable) -> Result<&'static ModuleTable, Incompatible> {
    if let Some(taken) = TAKEN.iter().find(|taken| taken.origin == origin) {
        return Ok(taken.table);
    }
    // SAFETY: the caller's promise.
    let table = unsafe { copy(origin)? };
    Ok(TAKEN.find_or_push(Taken { origin, table }, |taken| taken.origin == origin).table)
}

/// # Safety
///
/// As for [`take`].
unsafe fn copy(origin: *const ModuleTable) -> Result<&'static ModuleTable, Incompatible> {
    // SAFETY: the caller's promise.
    let module = unsafe { head(origin)? };
    // SAFETY: a module that this runtime reads has arrays of these lengths.
    let (types, functions) =
        unsafe { (array(module.types, module.types_len), array(module.functions, module.functions_len)) };
    // SAFETY: each entry points to a table that lives for good.
    let copies = types.iter().map(|table| unsafe { payload_type(*table, module.minor) });
    let copies: Vec<*const TypeTable> = copies.collect::<Result<_, _>>()?;
    let copy_of =
        |table: *const TypeTable| types.iter().zip(&copies).find_map(|(of, copy)| (*of == table).then_some(*copy));
    let functions = functions.iter().map(|table| {
        // SAFETY: as above.
        let function = unsafe { whole::<FunctionTable>(*table, "a function", module.minor)? };
        let (input, output) = copy_of(function.input).zip(copy_of(function.output)).ok_or(Incompatible::Untyped)?;
        Ok(leak(FunctionTable { input, output, ..function }))
    });
    let functions: Vec<*const FunctionTable> = functions.collect::<Result<_, _>>()?;
    let module = ModuleTable { types: copies.leak().as_ptr(), functions: functions.leak().as_ptr(), ..module };
    Ok(Box::leak(Box::new(module)))
}

/// # Safety
///
/// `table` is one of the module's.
unsafe fn payload_type(table: *const TypeTable, minor: u32) -> Result<*const TypeTable, Incompatible> {
    // SAFETY: the caller's promise.
    let mut table = unsafe { whole::<TypeTable>(table, "a type", minor)? };
    if !table.objects.is_null() {
        // SAFETY: the module's own.
        let mut objects = unsafe { whole::<ObjectTable>(table.objects, "a type's objects", minor)? };
        if !objects.gather.is_null() {
            // SAFETY: as above.
            objects.gather = leak(unsafe { whole::<GatherTable>(objects.gather, "a type's gathering", minor)? });
        }
        if !objects.offer.is_null() {
            // SAFETY: as above.
            objects.offer = leak(unsafe { whole::<OfferTable>(objects.offer, "a type's offers", minor)? });
        }
        table.objects = leak(objects);
    }
    Ok(leak(table))
}

/// The module's own table, once it is clear that this runtime may read it.
///
/// # Safety
///
/// As for [`take`].
unsafe fn head(origin: *const ModuleTable) -> Result<ModuleTable, Incompatible> {
    if origin.is_null() {
        return Err(Incompatible::NotAModule);
    }
    // SAFETY: these fields are those of every version.
    let (magic, major, minor) = unsafe { ((*origin).magic, (*origin).major, (*origin).minor) };
    if magic != abi::MAGIC {
        return Err(Incompatible::NotAModule);
    }
    if major != abi::MAJOR || minor < abi::OLDEST_MINOR {
        return Err(Incompatible::Version { major, minor });
    }
    // SAFETY: the caller's promise: so does the size.
    let module: ModuleTable = unsafe { whole(origin, "the module", minor)? };
    if module.needs > abi::MINOR {
        return Err(Incompatible::Needs { minor, needs: module.needs });
    }
    Ok(module)
}

/// # Safety
///
/// `table` is null or points to one of this kind, which has as many bytes as it says.
unsafe fn whole<T: Grows>(table: *const T, of: &'static str, minor: u32) -> Result<T, Incompatible> {
    if table.is_null() {
        return Err(Incompatible::TooShort { of, minor });
    }
    // SAFETY: the caller's promise.
    unsafe { abi::read(table) }.ok_or(Incompatible::TooShort { of, minor })
}

fn leak<T>(value: T) -> *const T {
    ptr::from_ref(Box::leak(Box::new(value)))
}
