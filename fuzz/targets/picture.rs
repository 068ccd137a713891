//! Fuzz target: any bytes, read as a picture.
#![no_main]

#[path = "../../tests/common/bytes.rs"]
mod bytes;

use libfuzzer_sys::fuzz_target;

thread_local!(static FOLDER: bytes::Picture = bytes::Picture(tempfile::tempdir().unwrap()));

fuzz_target!(|data: &[u8]| FOLDER.with(|folder| folder.read(data)));
