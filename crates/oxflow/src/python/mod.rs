//! The Python module that a user's crate is.
//!
//! The module holds a capsule with the library's tables and nothing else of ours. Its classes and functions are made by the
//! Python package (`oxflow._extension.populate`), so that no class of `PyO3` is shared between two extensions.

mod access;
mod gather;
mod kept;
mod key;
mod layout;
mod look;
mod names;
mod objects;
mod offer;
mod read;
mod write;
mod wrong;

use crate::abi;
use crate::program::Program;
pub(crate) use objects::object_table;
use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyModule};
use std::cell::UnsafeCell;
use std::ffi::{CStr, c_int, c_void};
use std::panic::catch_unwind;
use std::ptr::NonNull;

pub use pyo3::ffi::PyObject;

/// What the interpreter keeps for a module. [`module!`](crate::module) puts one in a static.
#[derive(Debug)]
pub struct Definition {
    module: UnsafeCell<ffi::PyModuleDef>,
    slots: UnsafeCell<[ffi::PyModuleDef_Slot; 2]>,
}

// SAFETY: the interpreter alone writes to it, and an import is never run by two threads.
unsafe impl Sync for Definition {}

impl Definition {
    /// A module of this name.
    pub const fn new(name: &'static CStr) -> Self {
        let module = ffi::PyModuleDef {
            m_base: ffi::PyModuleDef_HEAD_INIT,
            m_name: name.as_ptr(),
            m_doc: std::ptr::null(),
            m_size: 0,
            m_methods: std::ptr::null_mut(),
            m_slots: std::ptr::null_mut(),
            m_traverse: None,
            m_clear: None,
            m_free: None,
        };
        let execute = ffi::PyModuleDef_Slot { slot: ffi::Py_mod_exec, value: execute as *mut c_void };
        let end = ffi::PyModuleDef_Slot { slot: 0, value: std::ptr::null_mut() };
        Self { module: UnsafeCell::new(module), slots: UnsafeCell::new([execute, end]) }
    }

    /// What the `PyInit_` function of the module returns.
    ///
    /// # Safety
    ///
    /// The interpreter calls it, to import the module.
    pub unsafe fn initialise(&'static self) -> *mut PyObject {
        // SAFETY: the interpreter is held, so nothing else touches the static; its memory never moves.
        unsafe {
            (*self.module.get()).m_slots = self.slots.get().cast();
            ffi::PyModuleDef_Init(self.module.get())
        }
    }
}

/// The interpreter calls it with the new module.
unsafe extern "C" fn execute(module: *mut PyObject) -> c_int {
    // SAFETY: an import holds the interpreter.
    let python = unsafe { Python::assume_attached() };
    // SAFETY: the import lends the module for the call.
    let module = unsafe { Bound::from_borrowed_ptr(python, module) };
    // A shape that a user wrote by hand may panic.
    let outcome = catch_unwind(std::panic::AssertUnwindSafe(|| fill(&module)))
        .unwrap_or_else(|_| Err(PyImportError::new_err("oxflow: describing the types of this module panicked")));
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            error.restore(python);
            -1
        }
    }
}

fn fill(module: &Bound<'_, PyAny>) -> PyResult<()> {
    let python = module.py();
    let table: NonNull<abi::ModuleTable> = NonNull::from(crate::module_table());
    // SAFETY: the tables are never freed and never written to.
    let capsule = unsafe { PyCapsule::new_with_pointer(python, table.cast(), abi::CAPSULE)? };
    module.setattr(abi::ATTRIBUTE, capsule)?;
    if let Some(program) = Program::registered() {
        module.setattr(abi::PIPELINE_ATTRIBUTE, program.pipeline)?;
    }
    PyModule::import(python, "oxflow._extension")?.call_method1("populate", (module,))?;
    Ok(())
}

#[doc(hidden)]
#[macro_export]
macro_rules! __python_module {
    ($name:ident, $initialise:ident) => {
        const _: () = {
            static DEFINITION: $crate::python::Definition = $crate::python::Definition::new(
                match ::core::ffi::CStr::from_bytes_with_nul(
                    ::core::concat!(::core::stringify!($name), "\0").as_bytes(),
                ) {
                    ::core::result::Result::Ok(name) => name,
                    ::core::result::Result::Err(_) => c"",
                },
            );

            #[allow(
                missing_docs,
                non_snake_case,
                unreachable_pub,
                unsafe_code,
                reason = "the loader asks for this form"
            )]
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $initialise() -> *mut $crate::python::PyObject {
                // SAFETY: only the interpreter calls this.
                unsafe { DEFINITION.initialise() }
            }
        };
        $crate::__refuse_abort! {}
    };
}
