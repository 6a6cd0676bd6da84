//! What the fuzz targets assert: one function a target, from bytes to nothing
//! or a panic.

#[allow(dead_code, reason = "the targets read no files")]
#[path = "../../examples/count/columns.rs"]
mod columns;
#[allow(dead_code, reason = "the targets read no files")]
#[path = "../../examples/count/counting.rs"]
mod counting;
#[path = "../../examples/count/csv_rows.rs"]
mod csv_rows;
#[allow(dead_code, reason = "the targets read no files")]
#[path = "../../examples/count/fault.rs"]
mod fault;
#[allow(dead_code, reason = "the targets read no files")]
#[path = "../../examples/count/input.rs"]
mod input;
#[path = "../../examples/count/json_rows.rs"]
mod json_rows;
#[path = "../../tests/model/mod.rs"]
mod model;
#[path = "../../examples/count/pieces.rs"]
mod pieces;
#[path = "../../examples/count/relay.rs"]
mod relay;
#[allow(dead_code, reason = "the targets read no files")]
#[path = "../../examples/count/rows.rs"]
mod rows;
#[path = "../../tests/seal/mod.rs"]
mod seal;
#[path = "../../examples/count/table.rs"]
mod table;
#[allow(dead_code, reason = "the targets read no files")]
#[path = "../../examples/count/terms.rs"]
mod terms;

mod agreement;
mod files;
mod operations;
mod policy;
mod snapshot;
mod text;

pub use files::{csv, jsonl, toml};
pub use operations::operations;
pub use policy::policy;
pub use snapshot::snapshot;
pub use text::text;

/// A target, which panics where an assertion fails.
pub type Target = fn(&[u8]);

/// The targets by name, which is also that of their folder of seeds.
pub const TARGETS: [(&str, Target); 7] = [
    ("policy", policy),
    ("text", text),
    ("operations", operations),
    ("snapshot", snapshot),
    ("csv", csv),
    ("jsonl", jsonl),
    ("toml", toml),
];
