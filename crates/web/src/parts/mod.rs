//! Components: data in, picture out.

pub mod bytes;
pub mod commands;
pub mod controls;
pub mod fields;
pub mod header;
pub mod life;
pub mod path_strip;
pub mod program;
pub mod prose;
pub mod ribbon;
pub mod say;
pub mod sheet;
pub mod stage;
pub mod stepper;
pub mod text_view;
pub mod timeline;
pub mod verdicts;
