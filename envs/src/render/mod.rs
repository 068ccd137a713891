//! Pictures from primitives, with nothing but + - * / and sqrt, so that the bytes are the same on every machine.

pub mod flat;
