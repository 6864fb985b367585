//! The functions of a module, and what some of them are made of.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

use oxflow::abi::{self, FunctionTable, Instance};
use oxflow::closure::Maker;
use oxflow::shape::Parameter;

use super::{PayloadType, borrow, lend, text};

/// A function of an extension.
#[derive(Clone, Debug)]
pub struct Function {
    pub(super) table: &'static FunctionTable,
    /// What it was made of, if it is made of something.
    pub(super) made: Option<Arc<Made>>,
}

/// A function that a module made.
#[derive(Debug)]
pub(super) struct Made {
    table: &'static FunctionTable,
    instance: NonNull<Instance>,
    anew: Anew,
}

/// How it is made once more.
enum Anew {
    Arguments(Box<[u8]>),
    Maker(Maker),
}

/// A function that can't be made of its arguments.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// It wants to be made of arguments.
    #[error("it is made of arguments, and was given none")]
    NoArguments,
    /// It isn't made of anything.
    #[error("it takes no arguments")]
    TakesNone,
    /// Its constructor says no.
    #[error("{text}")]
    Refused {
        /// The class of its error.
        class: String,
        /// What it says.
        text: String,
    },
}

impl Function {
    /// Its table.
    pub fn table(&self) -> &'static FunctionTable {
        self.table
    }

    /// Its name in the module.
    pub fn name(&self) -> &'static str {
        text(self.table.name)
    }

    /// Its documentation.
    pub fn doc(&self) -> &'static str {
        text(self.table.doc)
    }

    /// The type that it takes.
    pub fn input(&self) -> PayloadType {
        // SAFETY: the table's types were made with it, and are never freed.
        PayloadType { table: unsafe { &*self.table.input } }
    }

    /// The type that it gives.
    pub fn output(&self) -> PayloadType {
        // SAFETY: the table's types were made with it, and are never freed.
        PayloadType { table: unsafe { &*self.table.output } }
    }

    /// How many outputs it gives; none for a kind that a newer SDK invented.
    pub fn kind(&self) -> Option<abi::Kind> {
        [abi::Kind::Map, abi::Kind::Filter, abi::Kind::FilterMap, abi::Kind::FlatMap]
            .into_iter()
            .find(|kind| *kind as u32 == self.table.kind)
    }

    /// What it is made of, in the order of the parameters; none if it is not made of anything.
    pub fn parameters(&self) -> Option<Vec<Parameter>> {
        self.table.create.map(|_| serde_json::from_str(text(self.table.parameters)).unwrap_or_default())
    }

    /// What its errors may want done with their messages.
    pub fn wishes(&self) -> impl Iterator<Item = abi::Policy> + use<> {
        let wishes = self.table.wishes;
        POLICIES.into_iter().filter(move |policy| wishes & (1 << *policy as u32) != 0)
    }

    /// The function, made of these arguments: a JSON object.
    pub fn made_of(&self, arguments: &[u8]) -> Result<Self, NotMade> {
        let made = Made::new(self.table, arguments)?;
        Ok(Self { table: self.table, made: Some(Arc::new(made)) })
    }

    /// The function, as code of this program makes it.
    pub(crate) fn made_by(&self, maker: &Maker) -> Result<Self, NotMade> {
        let instance = maker().map_err(|text| NotMade::Refused { class: String::new(), text })?;
        let made = NonNull::new(instance.cast_mut())
            .map(|instance| Arc::new(Made { table: self.table, instance, anew: Anew::Maker(Arc::clone(maker)) }));
        Ok(Self { table: self.table, made })
    }

    /// The function for one lane: one with state is made anew.
    pub fn for_lane(&self) -> Result<Self, NotMade> {
        match &self.made {
            Some(made) if self.table.stateful != 0 => match &made.anew {
                Anew::Arguments(arguments) => self.made_of(arguments),
                Anew::Maker(maker) => self.made_by(maker),
            },
            _ => Ok(self.clone()),
        }
    }

    /// What the entries of its table are called with.
    pub(crate) fn instance(&self) -> *const Instance {
        self.made.as_ref().map_or(std::ptr::null(), |made| made.instance.as_ptr().cast_const())
    }

    /// Whether it can be called: one that is made of arguments was given them.
    pub fn is_ready(&self) -> bool {
        self.made.is_some() || self.table.create.is_none()
    }

    /// True if it is a class to instantiate in Python.
    pub fn is_class(&self) -> bool {
        self.table.form == abi::Form::Class as u32
    }
}

impl fmt::Debug for Anew {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Arguments(_) => "Arguments",
            Self::Maker(_) => "Maker",
        })
    }
}

impl Made {
    fn new(table: &'static FunctionTable, arguments: &[u8]) -> Result<Self, NotMade> {
        let create = table.create.ok_or(NotMade::TakesNone)?;
        let mut refused = None;
        let faults = abi::Faults { context: (&raw mut refused).cast(), report: refuse };
        // SAFETY: the arguments and `refused` outlive the call.
        let instance = unsafe { create(lend(arguments), &raw const faults) };
        match NonNull::new(instance) {
            Some(instance) => Ok(Self { table, instance, anew: Anew::Arguments(arguments.into()) }),
            None => {
                Err(refused.unwrap_or(NotMade::Refused { class: String::new(), text: "it gave no reason".to_owned() }))
            }
        }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if let Some(destroy) = self.table.destroy {
            // SAFETY: the instance was made by the same table and is given up.
            unsafe { destroy(self.instance.as_ptr()) };
        }
    }
}

// SAFETY: the ABI lets any thread call a function of an instance, also several at once, and free it.
unsafe impl Send for Made {}
// SAFETY: as above.
unsafe impl Sync for Made {}

const POLICIES: [abi::Policy; 4] = [abi::Policy::Fail, abi::Policy::Skip, abi::Policy::DeadLetter, abi::Policy::Retry];

unsafe extern "C" fn refuse(context: *mut c_void, fault: *const abi::Fault) {
    // SAFETY: the context is the one that `Made::new` lent for this call; the fault is lent for it.
    let (refused, fault) = unsafe { (&mut *context.cast::<Option<NotMade>>(), abi::read(fault)) };
    // SAFETY: the texts are lent for the call.
    let owned = |text| String::from_utf8_lossy(unsafe { borrow(text) }.unwrap_or_default()).into_owned();
    *refused = fault.map(|fault| NotMade::Refused { class: owned(fault.class), text: owned(fault.text) });
}

// SAFETY: the table holds raw pointers, but only to statics and to functions that the ABI lets any thread call.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}
