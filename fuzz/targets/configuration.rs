//! Fuzz target: any bytes, parsed as a configuration file.
#![no_main]

#[path = "../../tests/common/bytes.rs"]
mod bytes;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| bytes::configuration(data));
