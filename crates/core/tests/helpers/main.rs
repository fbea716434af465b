//! Helpers, kernel functions and maps, each with the results and error codes that Linux 7.2 gives
//! (`net/core/filter.c`, `kernel/bpf/helpers.c`, `kernel/bpf/*map*.c`), worked out by hand from its source.

mod bench;
mod context;
mod dynptr;
mod maps;
mod packet;
mod redirect;
mod room;
mod route;
mod tails;
mod task;
mod text;
mod unknown;
