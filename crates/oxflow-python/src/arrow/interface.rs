//! The structs of the Arrow C data interface, and how they are taken from capsules: each once, and freed by the function in it.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods};

use super::read::{Column, Wrong, read};

#[repr(C)]
pub(super) struct Schema {
    pub(super) format: *const c_char,
    pub(super) name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    pub(super) n_children: i64,
    pub(super) children: *mut *mut Schema,
    pub(super) dictionary: *mut Schema,
    release: Option<unsafe extern "C" fn(*mut Schema)>,
    private_data: *mut c_void,
}

#[repr(C)]
pub(super) struct Array {
    pub(super) length: i64,
    pub(super) null_count: i64,
    pub(super) offset: i64,
    pub(super) n_buffers: i64,
    pub(super) n_children: i64,
    pub(super) buffers: *mut *const c_void,
    pub(super) children: *mut *mut Array,
    dictionary: *mut Array,
    release: Option<unsafe extern "C" fn(*mut Array)>,
    private_data: *mut c_void,
}

#[repr(C)]
struct Stream {
    get_schema: Option<unsafe extern "C" fn(*mut Stream, *mut Schema) -> c_int>,
    get_next: Option<unsafe extern "C" fn(*mut Stream, *mut Array) -> c_int>,
    get_last_error: Option<unsafe extern "C" fn(*mut Stream) -> *const c_char>,
    release: Option<unsafe extern "C" fn(*mut Stream)>,
    private_data: *mut c_void,
}

/// One that nobody has to free any more. All fields may be zeros: pointers are null, functions absent.
trait Structure: Sized {
    fn release(&mut self);

    fn empty() -> Self {
        // SAFETY: the structs have only pointers, integers and optional functions, for which zeros are values.
        unsafe { std::mem::zeroed() }
    }

    /// Moves it out of a capsule, which then has nothing to free.
    fn moved(capsule: &Bound<'_, PyAny>, name: &CStr) -> PyResult<Owned<Self>> {
        let capsule = capsule.cast::<PyCapsule>().map_err(PyErr::from)?;
        let pointer = capsule.pointer_checked(Some(name))?.cast::<Self>();
        // SAFETY: a capsule of this name holds such a struct, and the interpreter is held, so nobody else takes it now.
        Ok(Owned(unsafe { std::mem::replace(&mut *pointer.as_ptr(), Self::empty()) }))
    }
}

macro_rules! structures {
    ($($name:ident)*) => {$(
        impl Structure for $name {
            fn release(&mut self) {
                if let Some(release) = self.release {
                    // SAFETY: whoever made the struct gave it this function, which is called once: it is absent after it.
                    unsafe { release(self) };
                }
            }
        }
    )*};
}

structures!(Schema Array Stream);

/// A struct that is freed when it is dropped.
struct Owned<T: Structure>(T);

impl<T: Structure> Drop for Owned<T> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// What an object gave.
pub(super) enum Exported {
    Array(Whole),
    Stream(Chunks),
}

/// A schema and the one array of it.
pub(super) struct Whole(Owned<Schema>, Owned<Array>);

/// A stream of arrays of one schema.
pub(super) struct Chunks(Owned<Stream>);

// SAFETY: the structs may be used and freed on any thread, by one at a time.
unsafe impl Send for Exported {}

/// What an object exports, if it does.
pub(super) fn take(object: &Bound<'_, PyAny>) -> PyResult<Option<Exported>> {
    if let Some(export) = object.getattr_opt("__arrow_c_stream__")? {
        let stream = Stream::moved(&export.call0()?, c"arrow_array_stream")?;
        return Ok(Some(Exported::Stream(Chunks(stream))));
    }
    let Some(export) = object.getattr_opt("__arrow_c_array__")? else { return Ok(None) };
    let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) = export.call0()?.extract()?;
    let exported = Whole(Schema::moved(&schema, c"arrow_schema")?, Array::moved(&array, c"arrow_array")?);
    if exported.0.0.release.is_none() || exported.1.0.release.is_none() {
        return Err(PyValueError::new_err("its capsules were taken before"));
    }
    Ok(Some(Exported::Array(exported)))
}

impl Exported {
    /// Copies what is in it.
    pub(super) fn read(self) -> Result<Column, Wrong> {
        match self {
            Self::Array(Whole(schema, array)) => {
                // SAFETY: both were exported together, and live until they are dropped here.
                unsafe { read(&schema.0, &[&array.0]) }
            }
            Self::Stream(Chunks(stream)) => stream.read(),
        }
    }
}

impl Owned<Stream> {
    fn read(mut self) -> Result<Column, Wrong> {
        // Whoever takes a stream out of its capsule leaves the other pointers.
        let (Some(_), Some(get_schema), Some(get_next)) = (self.0.release, self.0.get_schema, self.0.get_next) else {
            return Err(Wrong("its capsule was taken before".to_owned()));
        };
        let mut schema = Owned(Schema::empty());
        // SAFETY: the stream was not released, and the schema is empty.
        let code = unsafe { get_schema(&raw mut self.0, &raw mut schema.0) };
        self.check(code)?;
        let mut arrays: Vec<Owned<Array>> = Vec::new();
        loop {
            let mut array = Owned(Array::empty());
            // SAFETY: as above.
            let code = unsafe { get_next(&raw mut self.0, &raw mut array.0) };
            self.check(code)?;
            if array.0.release.is_none() {
                break;
            }
            arrays.push(array);
        }
        let all: Vec<&Array> = arrays.iter().map(|array| &array.0).collect();
        // SAFETY: all of them are of the stream's schema, and live until they are dropped here.
        unsafe { read(&schema.0, &all) }
    }

    fn check(&mut self, code: c_int) -> Result<(), Wrong> {
        if code == 0 {
            return Ok(());
        }
        let told = self.0.get_last_error.and_then(|last| {
            // SAFETY: the stream was not released, and its last call failed; the text lives until the next call.
            let text = unsafe { last(&raw mut self.0) };
            // SAFETY: it is null, or a text that ends.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
        });
        Err(Wrong(told.unwrap_or_else(|| format!("its stream failed with the code {code}"))))
    }
}
