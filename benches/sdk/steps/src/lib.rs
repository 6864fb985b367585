//! The functions whose calls are measured.

mod readings;

oxflow::module!(sdk_steps);
