//! The modules that were given the runtime's table, each one of its own.
#![allow(unsafe_code)]

use oxflow::abi::ModuleTable;
use oxflow::abi::host::HostApi;

use super::api;
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
    fn tell(self) {
        // SAFETY: the module follows the ABI; the table lives as long as the process.
        unsafe { (self.module.attach)(self.host) }
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
