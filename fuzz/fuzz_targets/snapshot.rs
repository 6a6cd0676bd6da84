#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headcount_fuzz::snapshot(data));
