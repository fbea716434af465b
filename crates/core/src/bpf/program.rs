//! What an object file holds: programs and maps, relocations resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decode::{Calls, decode};
use super::error::LoadError;
use super::insn::{Insn, Wide};

use super::maps::{MapError, Maps};

pub use super::maps::MapKind;

/// Type of a program, from the name of its section as libbpf reads it
/// (tools/lib/bpf/libbpf.c, `section_defs`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProgType {
    /// `xdp`, `xdp.frags` and what follows a `/`.
    Xdp,
    /// `tc`, `tcx/ingress`, `tcx/egress`, `netkit/primary`, `netkit/peer`, `classifier`, `action`.
    SchedCls,
    /// No hook: r1 is the address of some memory and r2 its length ([`super::vm`]).
    Plain,
    /// `lwt_xmit`: runs where a route puts something around a packet.
    LwtXmit,
    /// `lwt_in`.
    LwtIn,
    /// `lwt_out`.
    LwtOut,
    /// `lwt_seg6local`.
    LwtSeg6local,
    /// `cgroup_skb/ingress`, `cgroup_skb/egress`, `cgroup/skb`.
    CgroupSkb,
    /// `socket`.
    SocketFilter,
    /// `sk_skb/stream_parser`, `sk_skb/stream_verdict`.
    SkSkb,
    /// `netfilter`: the context is a `struct bpf_nf_ctx` (net/netfilter/nf_bpf_link.c).
    Netfilter,
    /// Another section; its name. Such a program can be listed; to run it, a user says as what
    /// ([`Program::as_type`]).
    Unknown(String),
}

impl ProgType {
    /// From a section name.
    pub fn from_section(section: &str) -> ProgType {
        let name = section.strip_prefix('?').unwrap_or(section);
        let (first, rest) = name.split_once('/').unwrap_or((name, ""));
        match first {
            "xdp" | "xdp.frags" => ProgType::Xdp,
            "tc" | "tcx" | "netkit" | "classifier" | "action" => ProgType::SchedCls,
            "lwt_xmit" => ProgType::LwtXmit,
            "lwt_in" => ProgType::LwtIn,
            "lwt_out" => ProgType::LwtOut,
            "lwt_seg6local" => ProgType::LwtSeg6local,
            "cgroup_skb" => ProgType::CgroupSkb,
            "cgroup" if rest.split('/').next() == Some("skb") => ProgType::CgroupSkb,
            "socket" => ProgType::SocketFilter,
            "sk_skb" => ProgType::SkSkb,
            "netfilter" => ProgType::Netfilter,
            _ => ProgType::Unknown(name.to_owned()),
        }
    }

    /// As bpftool names it; the section for another type.
    pub fn name(&self) -> &str {
        match self {
            ProgType::Xdp => "xdp",
            ProgType::SchedCls => "sched_cls",
            ProgType::Plain => "plain",
            ProgType::LwtXmit => "lwt_xmit",
            ProgType::LwtIn => "lwt_in",
            ProgType::LwtOut => "lwt_out",
            ProgType::LwtSeg6local => "lwt_seg6local",
            ProgType::CgroupSkb => "cgroup_skb",
            ProgType::SocketFilter => "socket_filter",
            ProgType::SkSkb => "sk_skb",
            ProgType::Netfilter => "netfilter",
            ProgType::Unknown(section) => section,
        }
    }

    /// Whether the context is a `struct __sk_buff`.
    pub fn has_skb(&self) -> bool {
        !matches!(
            self,
            ProgType::Xdp | ProgType::Netfilter | ProgType::Plain | ProgType::Unknown(_)
        )
    }
}

/// What programs must have in common to jump to each other (`__bpf_prog_map_compatible()`, kernel/bpf/core.c): type,
/// place of attachment, and whether they take packets in pieces. The place is what libbpf reads from the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailClass {
    prog_type: ProgType,
    action: bool,
    place: &'static str,
    frags: bool,
}

impl std::fmt::Display for TailClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.action {
            "sched_act"
        } else {
            self.prog_type.name()
        })?;
        if !self.place.is_empty() {
            write!(f, " for {}", self.place)?;
        }
        f.write_str(if self.frags { " with frags" } else { "" })
    }
}

/// `expected_attach_type` by section (tools/lib/bpf/libbpf.c, `section_defs`); empty for 0.
fn place_of(section: &str) -> &'static str {
    match section {
        "tc/ingress" | "tcx/ingress" => "tcx/ingress",
        "tc/egress" | "tcx/egress" => "tcx/egress",
        "netkit/primary" => "netkit/primary",
        "netkit/peer" => "netkit/peer",
        "xdp/devmap" | "xdp.frags/devmap" => "a devmap",
        "xdp/cpumap" | "xdp.frags/cpumap" => "a cpumap",
        "cgroup_skb/egress" => "cgroup egress",
        "sk_skb/stream_parser" => "stream_parser",
        "sk_skb/stream_verdict" => "stream_verdict",
        "sk_skb/verdict" => "verdict",
        _ => "",
    }
}

/// A map as the object defines it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapDef {
    /// Name of the variable, or of the section for data.
    pub name: String,
    /// Type.
    pub kind: MapKind,
    /// Bytes.
    pub key_size: u32,
    /// Bytes.
    pub value_size: u32,
    /// Number of values; bytes for a ring buffer.
    pub max_entries: u32,
    /// `map_flags`.
    pub flags: u32,
    /// First content; empty means zeros.
    pub initial: Vec<u8>,
    /// Names of the programs that a map of programs begins with, by index.
    pub programs: Vec<(u32, String)>,
    /// Keys and values that a user put in before the first run ([`Object::set_map_entry`]).
    pub entries: Vec<(Vec<u8>, Vec<u8>)>,
    /// What its BTF tells. The verifier and the map itself want it; it does not go into traces.
    #[serde(skip)]
    pub details: MapDetails,
}

/// What of a map its sizes do not tell (`struct btf_record`, `inner_map_meta`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MapDetails {
    /// The type of its values is known.
    pub btf: bool,
    /// Where a `struct bpf_spin_lock` lies in each value, bytes.
    pub lock: Option<u32>,
    /// Where a `struct bpf_timer` lies in each value, bytes.
    pub timer: Option<u32>,
    /// Of a map of maps: how those must be that are put into it.
    pub inner: Option<Box<MapDef>>,
    /// Names of the maps that a map of maps begins with, by index.
    pub maps: Vec<(u32, String)>,
}

/// Bytes of a `struct bpf_spin_lock` and of a `struct bpf_timer`.
const LOCK_LEN: u32 = 4;
const TIMER_LEN: u32 = 16;

impl MapDetails {
    /// What of a value belongs to the kernel: name of the structure, offset and length in bytes.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, u32, u32)> + use<> {
        let lock = self.lock.map(|off| ("bpf_spin_lock", off, LOCK_LEN));
        let timer = self.timer.map(|off| ("bpf_timer", off, TIMER_LEN));
        lock.into_iter().chain(timer)
    }
}

/// A line of C that instructions came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// File as the compiler was given it.
    pub file: Arc<str>,
    /// Line number, from 1.
    pub line: u32,
    /// Text of the line.
    pub text: Arc<str>,
}

/// One program, with the functions it calls behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Name of the C function.
    pub name: String,
    /// Section, such as `tcx/ingress`.
    pub section: String,
    /// Type, from the section.
    pub prog_type: ProgType,
    /// Name of the object file.
    pub file: String,
    /// Instructions; a wide load is one. Jumps and calls name indexes into this list.
    pub insns: Vec<Insn>,
    /// For each instruction its line, if the object has line info.
    pub lines: Vec<Option<SourceLine>>,
    /// Names of the object's maps, by index.
    pub map_names: Arc<[String]>,
    /// The object's maps, by index, as the verifier sees them.
    pub maps: Arc<[MapDef]>,
    /// First instructions of the functions in it that are global (`BTF_FUNC_GLOBAL`), in order.
    pub globals: Arc<[usize]>,
    /// Its license fits the GPL, so that it may call all helpers (`license_is_gpl_compatible()`,
    /// include/linux/license.h).
    pub gpl: bool,
}

/// `license_is_gpl_compatible()`, include/linux/license.h.
pub(super) fn is_gpl(license: &str) -> bool {
    matches!(
        license,
        "GPL"
            | "GPL v2"
            | "GPL and additional rights"
            | "Dual BSD/GPL"
            | "Dual MIT/GPL"
            | "Dual MPL/GPL"
    )
}

impl Program {
    /// What a program must share with this one to be its tail call's target.
    pub fn tail_class(&self) -> TailClass {
        let section = self.section.strip_prefix('?').unwrap_or(&self.section);
        let first = section.split('/').next().unwrap_or_default();
        TailClass {
            prog_type: self.prog_type.clone(),
            action: first == "action",
            place: place_of(section),
            frags: first == "xdp.frags",
        }
    }

    /// Whether an instruction names the map of that index.
    pub fn uses_map(&self, map: usize) -> bool {
        let of = |wide: &Wide| matches!(wide, Wide::Map(index) if *index == map);
        let loads = |insn: &Insn| matches!(insn, Insn::LoadImm { value, .. } if of(value));
        self.insns.iter().any(loads)
    }

    /// The same program as another type: what a user picks for a section of no known name.
    pub fn as_type(&self, prog_type: ProgType) -> Program {
        Program {
            prog_type,
            ..self.clone()
        }
    }

    /// A program from its bytes alone: no maps, no kernel functions, no line info. Calls with
    /// `src = 1` name a place in the same bytes.
    /// `section` gives the type.
    pub fn from_bytes(name: &str, section: &str, bytes: &[u8]) -> Result<Program, LoadError> {
        let decoded =
            decode(bytes, &BTreeMap::new(), Calls::Inside).map_err(|e| LoadError::Section {
                file: name.to_owned(),
                section: section.to_owned(),
                offset: e.slot as u64 * 8,
                why: e.why,
            })?;
        let insns: Vec<Insn> = decoded.into_iter().map(|d| d.insn).collect();
        Ok(Program {
            name: name.to_owned(),
            section: section.to_owned(),
            prog_type: ProgType::from_section(section),
            file: name.to_owned(),
            lines: vec![None; insns.len()],
            insns,
            map_names: Arc::from([]),
            maps: Arc::from([]),
            globals: Arc::from([]),
            gpl: true,
        })
    }
}

/// An object file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Name as given to [`super::load_object`].
    pub name: String,
    /// Programs in the order of sections and of offsets in them.
    pub programs: Vec<Program>,
    /// Maps; instructions name them by index. Data sections that are used come last.
    pub maps: Vec<MapDef>,
    /// Content of section `license`; empty if there is none.
    pub license: String,
}

impl Object {
    /// Sets a value of a map before any program runs, as `bpftool map update` would after loading. A queue, stack
    /// or bloom filter takes it without a key.
    ///
    /// # Errors
    /// No such map, a key or value of a wrong length, or what the map itself answers; nothing is changed then.
    pub fn set_map_entry(&mut self, map: &str, key: &[u8], value: &[u8]) -> Result<(), MapError> {
        let missing = || MapError::NoMap {
            map: map.to_owned(),
        };
        let place = self.maps.iter().position(|def| def.name == map);
        let place = place.ok_or_else(missing)?;
        // A trial on the maps as they will be says what is wrong.
        if let Ok(mut maps) = Maps::new(self) {
            maps.set(map, key, value)?;
        }
        self.maps[place]
            .entries
            .push((key.to_vec(), value.to_vec()));
        Ok(())
    }

    /// The program of that name.
    pub fn program(&self, name: &str) -> Option<&Program> {
        self.programs.iter().find(|p| p.name == name)
    }
}
