//! Lets other threads run between two pieces of a long conversion.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// How many objects are converted between two occasions for others: some tens of microseconds.
const OBJECTS: usize = 64;

/// The turns of one conversion.
///
/// `CPython` gives the interpreter to who has waited for 5 ms (`sys.getswitchinterval()`) and was not woken meanwhile, and does so
/// between two instructions of Python code. To let go of it here and to take it again would wake who waits, in vain: it is taken
/// before they are awake, and their wait begins anew. So an instruction of Python is run.
pub(crate) struct Turns<'py> {
    nothing: Bound<'py, PyAny>,
    count: usize,
}

impl<'py> Turns<'py> {
    pub(crate) fn new(py: Python<'py>) -> PyResult<Self> {
        static NOTHING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let nothing = NOTHING.get_or_try_init(py, || py.eval(c"lambda: None", None, None).map(Bound::unbind))?;
        Ok(Self { nothing: nothing.bind(py).clone(), count: 0 })
    }

    /// After each object.
    ///
    /// # Errors
    ///
    /// What a signal handler raises: Ctrl-C ends a long conversion, too.
    pub(crate) fn next(&mut self) -> PyResult<()> {
        self.count += 1;
        if self.count.is_multiple_of(OBJECTS) {
            self.nothing.call0()?;
        }
        Ok(())
    }
}
