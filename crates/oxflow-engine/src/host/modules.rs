//! The modules that were given the runtime's table, each one of its own.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use oxflow::abi::ModuleTable;
use oxflow::abi::host::HostApi;

use super::api;

/// Grows without a lock, which a fork might leave closed.
static MODULES: Link = Link(OnceLock::new());

#[derive(Debug)]
struct Link(OnceLock<(Attached, Box<Link>)>);

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
    if all().any(|attached| std::ptr::eq(attached.module, module)) {
        return;
    }
    let attached = Attached { module, host: api::table(name) };
    attached.tell();
    let (mut link, mut new) = (&MODULES, (attached, Box::new(Link(OnceLock::new()))));
    while let Err(refused) = link.0.set(new) {
        new = refused;
        match link.0.get() {
            Some((_, next)) => link = next,
            None => return,
        }
    }
}

/// Tells all modules that whom anyone listens to has changed.
pub(super) fn attach_all() {
    all().for_each(Attached::tell);
}

fn all() -> impl Iterator<Item = Attached> {
    let mut link = &MODULES;
    std::iter::from_fn(move || {
        let (attached, next) = link.0.get()?;
        link = next;
        Some(*attached)
    })
}
