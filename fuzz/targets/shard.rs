//! Fuzz target: any bytes, parsed as a shard.
#![no_main]

#[path = "../../tests/common/bytes.rs"]
mod bytes;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| bytes::shard(data));
