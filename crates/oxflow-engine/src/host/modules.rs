//! The modules that were given the runtime's table, each one of its own.
#![allow(unsafe_code)]

use std::sync::Arc;

use oxflow::abi::ModuleTable;
use oxflow::abi::host::HostApi;

use super::api;
use super::process::process;
use crate::chain::Chain;

static MODULES: Chain<Attached> = Chain::new();

#[derive(Clone, Copy, Debug)]
struct Attached {
    module: &'static ModuleTable,
    host: &'static HostApi,
}

// SAFETY: neither table is ever written to, and their entries may be called on any thread.
unsafe impl Send for Attached {}
// SAFETY: as above.
unsafe impl Sync for Attached {}

impl Attached {
    /// Lets the module ask what is wanted, until it knows: another thread may change that meanwhile, and what the module asked
    /// first may be what it notes last. A lock would wait for ever in a child that is forked while it is held.
    fn tell(self) {
        loop {
            let asked = process().levels();
            // SAFETY: the module follows the ABI; the table lives as long as the process.
            unsafe { (self.module.attach)(self.host) }
            if Arc::ptr_eq(&asked, &process().levels()) {
                return;
            }
        }
    }
}

/// Gives a module its table, once; `name` is what users call the module.
pub(crate) fn introduce(module: &'static ModuleTable, name: &str) {
    if MODULES.iter().any(|attached| std::ptr::eq(attached.module, module)) {
        return;
    }
    let attached = Attached { module, host: api::table(name) };
    MODULES.find_or_push(attached, |other| std::ptr::eq(other.module, module)).tell();
}

/// Tells all modules that whom anyone listens to has changed.
pub(super) fn attach_all() {
    MODULES.iter().for_each(Attached::tell);
}

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::atomic::{AtomicU32, Ordering};

    use oxflow::abi::host::{Level, Recorded};
    use oxflow::abi::{MAGIC, MAJOR, MINOR, NEEDS};

    use super::*;
    use crate::extension::NONE;
    use crate::host::{Levels, set_levels};

    static NOTED: AtomicU32 = AtomicU32::new(u32::MAX);

    /// Between its question and its note of the answer somebody changes the levels, and tells all modules.
    unsafe extern "C" fn attach(host: *const HostApi) {
        // SAFETY: the table of this process.
        let level = unsafe { ((*host).max_level)((*host).context, Recorded::Event as u32) };
        // What others in this process ask about stays as it is.
        set_levels(Levels::new(vec![("elsewhere".to_owned(), Level::Trace as u32)], Level::Warn as u32));
        NOTED.store(level, Ordering::Relaxed);
    }

    #[test]
    fn a_level_that_changes_amid_an_introduction_is_noted() {
        let module = ModuleTable {
            magic: MAGIC,
            major: MAJOR,
            minor: MINOR,
            size: size_of::<ModuleTable>(),
            debug: 0,
            types_len: 0,
            functions_len: 0,
            sdk: NONE,
            types: ptr::null(),
            functions: ptr::null(),
            attach,
            needs: NEEDS,
            unused: 0,
        };
        introduce(Box::leak(Box::new(module)), "steps");
        assert_eq!(Level::Trace as u32, NOTED.load(Ordering::Relaxed));
    }
}
