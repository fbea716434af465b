//! Programs of a run: loaded, fixed up for the design, run over a packet.

use std::sync::Arc;

use thiserror::Error;

use super::Kernel;
use super::prog_load::can_be_bound;
use crate::bpf::insn::{Callee, Insn};
use crate::bpf::{
    Judgement, LoadError, MapKind, Maps, Object, Prepared, ProgType, Program, Rules, Workshop,
};
use crate::design::MetadataDesign;
use crate::design::policy::DynptrAccess;
use crate::scenario::command::TcProgram;
use crate::scenario::meant::did_you_mean;
use crate::scenario::topology::{DevId, ProgId};
use crate::trace::BufferNo;

/// A program that can't be attached.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProgramError {
    /// No loaded object has it.
    #[error("there is no program `{name}`{}; there are: {known}", did_you_mean(.name, .known))]
    NotFound {
        /// The name asked for.
        name: String,
        /// The names that are there.
        known: String,
    },
    /// Its section says that it belongs to another hook.
    #[error("program `{name}` (section `{section}`) is no {wanted} program")]
    WrongType {
        /// Program name.
        name: String,
        /// Section name.
        section: String,
        /// What the hook takes.
        wanted: &'static str,
    },
    /// The design's kernel has not what the program calls.
    #[error("program `{name}` is refused: {what}")]
    Refused {
        /// Program name.
        name: String,
        /// What it asks for.
        what: String,
    },
    /// It can't be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// A program, ready to run under the kernel's design.
#[derive(Clone)]
pub struct Loaded {
    pub(super) name: String,
    section: String,
    kind: ProgType,
    pub(super) prepared: Result<Arc<Prepared>, LoadError>,
    /// What the design's kernel has not, and the program calls.
    refused: Option<&'static str>,
    /// Maps of its object; programs of one object share them. Taken out while the program runs.
    pub(super) maps: usize,
    /// The one device that it was loaded for (`prog->aux->offload->netdev`).
    bound: Option<DevId>,
}

impl Loaded {
    /// The one device that it was loaded for.
    pub(super) fn bound(&self) -> Option<DevId> {
        self.bound
    }

    /// Whether the kernel has taken it.
    pub(super) fn verified(&self) -> Result<(), LoadError> {
        match &self.prepared {
            Ok(_) => Ok(()),
            Err(error) => Err(error.clone()),
        }
    }
}

/// Address of a buffer's `head` in a program's eyes: a fixed, kernel-looking number.
pub(crate) fn address_of(head: BufferNo) -> u64 {
    // far from the addresses that the BPF engine gives out (bpf/memory.rs)
    const DIRECT_MAP: u64 = 0xffff_8882_0000_0000;
    DIRECT_MAP + u64::from(head.0) * 0x4_0000
}

/// `BPF_F_XDP_HAS_FRAGS`: libbpf sets it for programs in a section `xdp.frags`.
pub(super) fn xdp_frags_section(section: &str) -> bool {
    let section = section.strip_prefix('?').unwrap_or(section);
    section.split('/').next() == Some("xdp.frags")
}

/// What programs have left for their next runs; a program that runs has its own with it.
pub(super) type Workshops = Vec<Option<Box<Workshop>>>;

/// Maps of the loaded objects.
pub(super) type ObjectMaps = Vec<Option<Maps>>;

fn map_error(object: &Object, map: &str, why: String) -> LoadError {
    LoadError::Map {
        file: object.name.clone(),
        map: map.to_owned(),
        why,
    }
}

/// `__bpf_prog_map_compatible()` (kernel/bpf/core.c): the first program that names a map of programs, or is put into it,
/// says which class all others must have.
fn check_owner(object: &Object, map: usize) -> Result<(), LoadError> {
    let Some(def) = object.maps.get(map) else {
        return Ok(());
    };
    if def.kind != MapKind::ProgArray {
        return Ok(());
    }
    let users = object
        .programs
        .iter()
        .filter(|program| program.uses_map(map));
    let targets = def
        .programs
        .iter()
        .filter_map(|(_, name)| object.program(name));
    let mut owner: Option<&Program> = None;
    for program in users.chain(targets) {
        let first = owner.get_or_insert(program);
        let (wanted, class) = (first.tail_class(), program.tail_class());
        if wanted != class {
            let why = format!(
                "error -22: the map is for programs like {} ({wanted}), and {} is {class}",
                first.name, program.name
            );
            return Err(map_error(object, &def.name, why));
        }
    }
    Ok(())
}

/// What a design's kernel has not and the program calls: the instruction, and the function.
pub(super) fn lacks(
    design: &dyn MetadataDesign,
    program: &Program,
) -> Option<(usize, &'static str)> {
    const DYNPTR: &str = "bpf_dynptr_from_skb_meta";
    if design.dynptr() != DynptrAccess::Absent {
        return None;
    }
    let calls = |insn: &Insn| matches!(insn, Insn::Call(Callee::Kfunc(name)) if name == DYNPTR);
    Some((program.insns.iter().position(calls)?, DYNPTR))
}

impl Kernel {
    /// Loads all programs of an object.
    ///
    /// # Errors
    /// What is wrong with the object's maps. A program that can't be fixed up says so when it is attached.
    pub fn load(&mut self, object: &Object) -> Result<(), LoadError> {
        let number = self.maps.len();
        self.maps.push(None);
        self.load_at(number, object, None)
    }

    /// As [`Kernel::load`], the object of that number; its XDP programs are for device `bound`.
    pub(super) fn load_at(
        &mut self,
        number: usize,
        object: &Object,
        bound: Option<DevId>,
    ) -> Result<(), LoadError> {
        let limits = self.limits;
        let judged = object.programs.iter().map(|program| {
            let bound = bound.is_some() && can_be_bound(&program.prog_type);
            program.judge_by(limits, self.rules_for(bound))
        });
        self.put(number, object, &judged.collect::<Vec<_>>(), bound)
    }

    /// As [`Kernel::load`]; `judged` are the object's programs.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn load_judged(
        &mut self,
        object: &Object,
        judged: &[Judgement<'_>],
    ) -> Result<(), LoadError> {
        let number = self.maps.len();
        self.maps.push(None);
        self.put(number, object, judged, None)
    }

    fn put(
        &mut self,
        number: usize,
        object: &Object,
        judged: &[Judgement<'_>],
        bound: Option<DevId>,
    ) -> Result<(), LoadError> {
        let maps = Some(Maps::new(object)?);
        if let Some(place) = self.maps.get_mut(number) {
            *place = maps;
        }
        for judged in judged {
            let program = judged.program();
            let prologue = judged.facts().map(|facts| self.design.prologue(facts));
            let prepared = prologue.and_then(|prologue| judged.fixed_up(prologue));
            self.programs.push(Loaded {
                name: program.name.clone(),
                section: program.section.clone(),
                kind: program.prog_type.clone(),
                prepared,
                refused: self.refused(program),
                maps: number,
                bound: bound.filter(|_| can_be_bound(&program.prog_type)),
            });
        }
        self.fill_program_maps(number, object)
    }

    fn rules_for(&self, bound: bool) -> Rules {
        Rules {
            device_bound: if bound { Some(true) } else { self.device_bound },
            ..self.rules()
        }
    }

    /// How the design's kernel judges programs: the August 2026 series gives its dynptr to all types that have an skb;
    /// for the others it is only assumed.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            meta_everywhere: self.assumes_dynptr || self.design.dynptr_everywhere(),
            proposed: super::exec::proposed(&*self.design),
            device_bound: self.device_bound,
        }
    }

    /// The programs of an object that another kernel of the same design has loaded, with fresh maps.
    ///
    /// # Errors
    /// What is wrong with the object's maps.
    pub(super) fn load_again(
        &mut self,
        object: &Object,
        programs: &[Loaded],
    ) -> Result<(), LoadError> {
        let number = self.maps.len();
        self.maps.push(Some(Maps::new(object)?));
        self.programs.extend_from_slice(programs);
        self.fill_program_maps(number, object)
    }

    /// What was loaded.
    pub(super) fn loaded(&self) -> &[Loaded] {
        &self.programs
    }

    /// The programs that maps of programs begin with.
    fn fill_program_maps(&mut self, number: usize, object: &Object) -> Result<(), LoadError> {
        let Some(Some(maps)) = self.maps.get_mut(number) else {
            return Ok(());
        };
        for (at, def) in object.maps.iter().enumerate() {
            check_owner(object, at)?;
            for (index, name) in &def.programs {
                let fail = |why: String| map_error(object, &def.name, why);
                let loaded = self.programs.iter().rev().find(|p| p.name == *name);
                let loaded = loaded.ok_or_else(|| fail(format!("there is no program `{name}`")))?;
                if loaded.bound.is_some() {
                    // bpf_prog_map_compatible()
                    let why = format!("error -22: `{name}` was loaded for one device");
                    return Err(fail(why));
                }
                let prepared = loaded.prepared.clone()?;
                maps.set_program(&def.name, *index, prepared)
                    .map_err(|error| fail(error.to_string()))?;
            }
        }
        Ok(())
    }

    fn refused(&self, program: &Program) -> Option<&'static str> {
        lacks(&*self.design, program).map(|(_, what)| what)
    }

    /// The program of that name, loaded last, if the hook takes its kind.
    pub(super) fn find_program(&self, name: &str, kind: ProgType) -> Result<ProgId, ProgramError> {
        let found = match self.pinned(name) {
            Some(pinned) => Some(pinned.0),
            None => self.programs.iter().rposition(|loaded| loaded.name == name),
        };
        let Some((id, loaded)) = found.and_then(|id| Some((id, self.programs.get(id)?))) else {
            let known: Vec<_> = self
                .programs
                .iter()
                .map(|loaded| loaded.name.as_str())
                .collect();
            let known = if known.is_empty() {
                "none".into()
            } else {
                known.join(", ")
            };
            return Err(ProgramError::NotFound {
                name: name.into(),
                known,
            });
        };
        if loaded.kind != kind {
            let wanted = match kind {
                ProgType::Xdp => "XDP",
                ProgType::LwtXmit => "LWT xmit",
                ProgType::LwtIn => "LWT in",
                ProgType::LwtOut => "LWT out",
                ProgType::CgroupSkb => "cgroup_skb",
                ProgType::SocketFilter => "socket filter",
                ProgType::Netfilter => "netfilter",
                _ => "TC",
            };
            return Err(ProgramError::WrongType {
                name: name.into(),
                section: loaded.section.clone(),
                wanted,
            });
        }
        if let Some(what) = loaded.refused {
            return Err(ProgramError::Refused {
                name: name.into(),
                what: format!("this kernel has no {what}"),
            });
        }
        match &loaded.prepared {
            Ok(_) => Ok(ProgId(id)),
            Err(error) => Err(error.clone().into()),
        }
    }

    /// Section of a program.
    pub(super) fn section_of(&self, program: ProgId) -> Option<&str> {
        let loaded = self.programs.get(program.0)?;
        Some(loaded.section.as_str())
    }

    /// The LWT program of a section, loaded last; or the one that is pinned under that name.
    pub(super) fn lwt_program(
        &self,
        section: &str,
        kind: ProgType,
    ) -> Result<ProgId, ProgramError> {
        let fits = |loaded: &&Loaded| loaded.kind == kind && loaded.section == section;
        match self.programs.iter().rev().find(fits) {
            Some(loaded) => self.find_program(&loaded.name, kind),
            None => self.find_program(section, kind),
        }
    }

    /// The TC program that a filter names.
    pub(super) fn tc_program(&self, program: &TcProgram) -> Result<ProgId, ProgramError> {
        let name = match program {
            TcProgram::Name(name) => name,
            TcProgram::Section(section) => {
                let fits = |loaded: &&Loaded| {
                    loaded.kind == ProgType::SchedCls && loaded.section == *section
                };
                let found = self.programs.iter().rev().find(fits);
                found.map_or(section, |loaded| &loaded.name)
            }
        };
        self.find_program(name, ProgType::SchedCls)
    }
}
