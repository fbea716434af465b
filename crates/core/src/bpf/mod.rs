//! The BPF engine: load → verify → fix up → lower → run in `rbpf`.
//!
//! `rbpf` executes arithmetic and jumps; every memory access, call and exit is carried out by the
//! core on its own memory, so no pointer made by a program is ever dereferenced by the host, every
//! instruction can be stepped, and any program ends within a budget.
//!
//! ```text
//! load_object ─ elf, relocations, btf, btf_ext, map_defs, decode ─► Object { programs, maps }
//! Program::facts ─ verifier ─► Facts        what Linux refuses; which prologue a design wants
//! fix_up ─ layout, fixup, code, piece, flow, chunk, disasm ─► Prepared { listing, steps, pieces, chunks }
//! run ─ machine, memory, maps, helpers, dynptr, printk ─► r0, through a Host
//! ```
//!
//! Addresses that a program sees are constants of `memory.rs`, of `maps.rs` and the host's
//! `packet_address()`; nothing depends on where the host keeps its bytes.

mod asm;
mod btf;
mod btf_ext;
mod callbacks;
mod chunk;
mod chunk_run;
mod code;
mod core_relo;
mod decode;
mod decode_jump;
mod disasm;
mod dynptr;
mod dynptr_ops;
mod effects;
mod elf;
mod elf_maps;
mod error;
mod externs;
mod facts;
mod fault;
mod fixup;
mod flow;
mod frames;
mod helper_names;
mod helpers;
mod hex;
pub mod host;
pub mod insn;
mod kernel_types;
mod layout;
mod lazy_chunks;
pub mod listing;
mod machine;
mod map_defs;
mod map_types;
mod map_values;
mod maps;
mod memory;
mod piece;
mod printk;
mod program;
mod proposed;
mod random;
mod registers;
mod relocations;
mod run;
mod verifier;
pub mod vm;

pub use asm::{AsmError, assemble, lines as asm_lines};
pub use disasm::texts;
pub use effects::{Effects, effects};
pub use elf::load_object;
pub use error::LoadError;
pub use facts::{Facts, Judgement};
pub use fault::{Fault, NotForType};
pub use fixup::{Prepared, Prologue, fix_up, fix_up_unverified};
pub use helpers::{has_helper, has_kfunc, name as helper_name};
pub use hex::{HexError, parse_hex};
pub use host::{Budget, CtxField, Host, MapChange, Meta, RxHint, RxHintAnswer, XdpTarget};
pub use layout::offsets;
pub use listing::{Access, Branch, Listing, ListingLine};
pub use map_types::{Form, Leaf, MapTypes, map_types};
pub use maps::{MapError, MapState, Maps, map_at};
pub use memory::{CTX_ADDRESS, STACK_TOP};
pub use program::{MapDef, MapKind, Object, ProgType, Program, SourceLine, TailClass};
pub(crate) use proposed::SKB_EXT_CREATE;
pub use proposed::{Proposed, TraitCall};
pub use run::{RunStats, Workshop, run, run_counted, run_in};
pub use verifier::{Behind, Held, Rules, Warning};
