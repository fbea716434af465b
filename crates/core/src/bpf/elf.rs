//! From the bytes of an ELF object to programs and maps, as libbpf does it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use object::elf;
use object::read::elf::{ElfFile64, FileHeader};
use object::{
    Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, SectionIndex, SymbolFlags,
    SymbolKind,
};

use super::btf::Btf;
use super::btf_ext::{self, LineRecord};
use super::core_relo::{self, CoreRelo};
use super::decode::{Calls, Reference, decode};
use super::error::LoadError;
use super::insn::{Callee, Insn, Wide};
use super::program::{MapDef, Object, ProgType, Program, SourceLine, is_gpl};

type Elf<'a> = ElfFile64<'a, Endianness>;

/// Instructions all programs of an object may have together; Linux allows one million each.
const MAX_INSNS: usize = 1_000_000;

/// Reads an object file made by clang or by aya. `name` is only used in messages.
///
/// Never panics, whatever the bytes: a cut-off or inconsistent file is a [`LoadError`] that names
/// section and offset.
pub fn load_object(name: &str, bytes: &[u8]) -> Result<Object, LoadError> {
    Loader::new(name, bytes)?.load()
}

/// Where a file that should be an ELF object ends too early, or what its first bytes are instead.
fn cut_off(bytes: &[u8]) -> Option<(&'static str, u64, String)> {
    const HEADER: usize = 64;
    const CLASS_64: u8 = 2;
    let len = bytes.len() as u64;
    let ends = |what: &str| format!("{what}, and the file has {len:#x} bytes");
    let magic = bytes.len().min(4);
    if bytes[..magic] != elf::ELFMAG[..magic] {
        let why = "an object begins with the bytes 7f 45 4c 46".to_owned();
        return Some(("ELF header", 0, why));
    }
    let Some(header) = bytes.get(..HEADER) else {
        return Some(("ELF header", len, ends("an ELF header has 0x40 bytes")));
    };
    if header[4] != CLASS_64 {
        return Some(("ELF header", 4, "not an ELF file of 64 bits".to_owned()));
    }
    let half = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let start = (0x28..0x30)
        .rev()
        .fold(0, |n, at| n << 8 | u64::from(header[at]));
    let end = start.saturating_add(half(0x3a) * half(0x3c));
    let little = header[5] == 1;
    (little && end > len).then(|| {
        let what = format!("they end at {end:#x}");
        ("section headers", start, ends(&what))
    })
}

/// A program of several functions: instructions, their lines, where global functions begin.
type Linked = (Vec<Insn>, Vec<Option<SourceLine>>, Vec<usize>);

/// `STV_HIDDEN` or `STV_INTERNAL`.
fn is_hidden<'s>(symbol: &impl object::ObjectSymbol<'s>) -> bool {
    match symbol.flags() {
        SymbolFlags::Elf { st_other, .. } => {
            matches!(st_other & 3, elf::STV_HIDDEN | elf::STV_INTERNAL)
        }
        _ => false,
    }
}

/// A function in an executable section.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub name: String,
    pub section: SectionIndex,
    /// Bytes from the start of the section.
    pub start: u64,
    pub size: u64,
    pub global: bool,
    /// Others may see it too; libbpf makes hidden ones static (`bpf_object__add_programs()`).
    exported: bool,
}

pub(super) struct Loader<'a> {
    pub file: &'a str,
    pub elf: Elf<'a>,
    pub functions: Vec<Function>,
    pub maps: Vec<MapDef>,
    /// `.maps` and `maps` variables: (section, offset) → map.
    pub map_at: BTreeMap<(usize, u64), usize>,
    /// Data sections: section → map.
    pub data_map: BTreeMap<usize, usize>,
    /// Values of the configuration: name → place in their map.
    pub kconfig_at: BTreeMap<String, u32>,
    line_info: Vec<LineRecord>,
    pub btf: Option<Btf>,
    core_relos: Vec<CoreRelo>,
    /// Instructions decoded so far, over all programs.
    decoded: usize,
}

impl<'a> Loader<'a> {
    fn new(file: &'a str, bytes: &'a [u8]) -> Result<Self, LoadError> {
        let not = |why: String| LoadError::NotAnObject {
            file: file.to_owned(),
            why,
        };
        if let Some((place, offset, why)) = cut_off(bytes) {
            return Err(not(format!("{place}, offset {offset:#x}: {why}")));
        }
        let elf = Elf::parse(bytes)
            .map_err(|e| not(format!("ELF header or section headers, offset 0x0: {e}")))?;
        let endian = elf.endian();
        if endian == Endianness::Big {
            return Err(not("big-endian BPF is not covered".to_owned()));
        }
        if elf.elf_header().e_machine(endian) != elf::EM_BPF {
            return Err(not("ELF file, but not for the BPF machine".to_owned()));
        }
        if elf.elf_header().e_type(endian) != elf::ET_REL {
            return Err(not("not a relocatable object".to_owned()));
        }
        Ok(Loader {
            file,
            elf,
            functions: Vec::new(),
            maps: Vec::new(),
            map_at: BTreeMap::new(),
            data_map: BTreeMap::new(),
            kconfig_at: BTreeMap::new(),
            line_info: Vec::new(),
            btf: None,
            core_relos: Vec::new(),
            decoded: 0,
        })
    }

    pub fn section_error(&self, section: &str, offset: u64, why: impl Into<String>) -> LoadError {
        LoadError::Section {
            file: self.file.to_owned(),
            section: section.to_owned(),
            offset,
            why: why.into(),
        }
    }

    pub fn section_data(&self, index: SectionIndex) -> Result<(String, &'a [u8]), LoadError> {
        let section = self
            .elf
            .section_by_index(index)
            .map_err(|e| self.section_error(&format!("#{}", index.0), 0, e.to_string()))?;
        let name = section
            .name()
            .map_err(|e| self.section_error(&format!("#{}", index.0), 0, e.to_string()))?
            .to_owned();
        let data = section
            .data()
            .map_err(|e| self.section_error(&name, 0, e.to_string()))?;
        Ok((name, data))
    }

    fn section_by_name(&self, name: &str) -> Result<Option<&'a [u8]>, LoadError> {
        for section in self.elf.sections() {
            if section.name() == Ok(name) {
                let data = section
                    .data()
                    .map_err(|e| self.section_error(name, 0, e.to_string()))?;
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    fn load(mut self) -> Result<Object, LoadError> {
        let license = self.section_by_name("license")?.unwrap_or_default();
        let end = license
            .iter()
            .position(|&b| b == 0)
            .unwrap_or(license.len());
        let license = String::from_utf8_lossy(&license[..end]).into_owned();

        self.read_btf()?;
        self.find_functions()?;
        self.find_maps()?;

        let mut linked = Vec::new();
        for id in 0..self.functions.len() {
            let function = self.functions[id].clone();
            let (section, _) = self.section_data(function.section)?;
            // libbpf: functions in .text are subprograms, global functions elsewhere are programs; one that is
            // alone is a program in .text too (prog_is_subprog()). rustc gives each function a section of its
            // own, such as .text.memcpy.
            let alone = section == ".text" && self.functions.len() == 1;
            let text = section == ".text" || section.starts_with(".text.");
            if text && !alone || !function.global {
                continue;
            }
            linked.push((section, function.name, self.link(id)?));
        }
        let maps: Arc<[MapDef]> = self.maps.clone().into();
        // aya loads an object without a license as GPL
        let gpl = license.is_empty() || is_gpl(&license);
        let map_names: Arc<[String]> = self.maps.iter().map(|m| m.name.clone()).collect();
        let programs = linked
            .into_iter()
            .map(|(section, name, (insns, lines, globals))| Program {
                name,
                prog_type: ProgType::from_section(&section),
                section,
                file: self.file.to_owned(),
                insns,
                lines,
                map_names: Arc::clone(&map_names),
                maps: Arc::clone(&maps),
                globals: globals.into(),
                gpl,
            })
            .collect();
        Ok(Object {
            name: self.file.to_owned(),
            programs,
            maps: self.maps,
            license,
        })
    }

    fn read_btf(&mut self) -> Result<(), LoadError> {
        let Some(data) = self.section_by_name(".BTF")? else {
            return Ok(());
        };
        let btf =
            Btf::parse(data).map_err(|(offset, why)| self.section_error(".BTF", offset, why))?;
        if let Some(data) = self.section_by_name(".BTF.ext")? {
            let wrong = |(offset, why)| self.section_error(".BTF.ext", offset, why);
            let mut lines = btf_ext::line_info(data, &btf).map_err(wrong)?;
            lines.sort_by(|a, b| (&a.section, a.offset).cmp(&(&b.section, b.offset)));
            let relos = core_relo::records(data, &btf).map_err(wrong)?;
            (self.line_info, self.core_relos) = (lines, relos);
        }
        self.btf = Some(btf);
        Ok(())
    }

    /// A function's bytes, CO-RE relocations carried out.
    fn body(&self, function: &Function, section: &str, data: &[u8]) -> Result<Vec<u8>, LoadError> {
        let start = function.start as usize;
        let body = data.get(start..start + function.size as usize);
        let mut body = body.unwrap_or_default().to_vec();
        let Some(btf) = &self.btf else {
            return Ok(body);
        };
        let inside = |relo: &&CoreRelo| {
            let at = u64::from(relo.offset).checked_sub(function.start);
            relo.section == section && at.is_some_and(|at| at < function.size)
        };
        for relo in self.core_relos.iter().filter(inside) {
            let slot = (u64::from(relo.offset) - function.start) / 8;
            core_relo::apply(btf, relo, &mut body, slot as usize)
                .map_err(|why| self.section_error(section, u64::from(relo.offset), why))?;
        }
        Ok(body)
    }

    fn find_functions(&mut self) -> Result<(), LoadError> {
        for symbol in self.elf.symbols() {
            let Some(section) = symbol.section_index() else {
                continue;
            };
            if symbol.kind() != SymbolKind::Text {
                continue;
            }
            let (name, data) = self.section_data(section)?;
            let (start, size) = (symbol.address(), symbol.size());
            let fits = start
                .checked_add(size)
                .is_some_and(|end| end <= data.len() as u64);
            if !fits || size == 0 || start % 8 != 0 {
                return Err(self.section_error(&name, start, "function lies outside its section"));
            }
            self.functions.push(Function {
                name: symbol.name().unwrap_or("?").to_owned(),
                section,
                start,
                size,
                global: symbol.is_global(),
                exported: symbol.is_global() && !is_hidden(&symbol),
            });
        }
        self.functions.sort_by_key(|f| (f.section.0, f.start));
        Ok(())
    }

    /// Joins a function and all it calls into one list of instructions.
    fn link(&mut self, main: usize) -> Result<Linked, LoadError> {
        let mut order = vec![main];
        let mut start_of: BTreeMap<usize, usize> = BTreeMap::new();
        let mut insns = Vec::new();
        let mut lines = Vec::new();
        let mut next = 0;
        while let Some(&id) = order.get(next) {
            next += 1;
            start_of.insert(id, insns.len());
            let function = self.functions[id].clone();
            let (section, data) = self.section_data(function.section)?;
            let body = self.body(&function, &section, data)?;
            let refs = self.references(&function, &section, &body)?;
            let called: BTreeSet<usize> = refs
                .values()
                .filter_map(|r| match r {
                    Reference::Call(Callee::Local(id)) | Reference::Wide(Wide::Func(id)) => {
                        Some(*id)
                    }
                    _ => None,
                })
                .collect();
            order.extend(
                called
                    .into_iter()
                    .filter(|id| !order.contains(id))
                    .collect::<Vec<_>>(),
            );
            let base = insns.len();
            let decoded = decode(&body, &refs, Calls::ByReference).map_err(|e| {
                self.section_error(&section, function.start + e.slot as u64 * 8, e.why)
            })?;
            self.decoded += decoded.len();
            if self.decoded > MAX_INSNS {
                return Err(self.section_error(
                    &section,
                    function.start,
                    "the programs are too large",
                ));
            }
            for one in decoded {
                let offset = function.start + one.slot as u64 * 8;
                lines.push(self.line_of(&section, function.start, offset));
                insns.push(one.insn.retarget(|target| base + target));
            }
        }
        // Calls named functions by number so far.
        let start = |id: usize| start_of.get(&id).copied().unwrap_or_default();
        let insns = insns.into_iter().map(|insn| insn.refunction(start));
        let called = start_of.iter().filter(|(id, _)| **id != main);
        let exported =
            called.filter(|(id, _)| self.functions.get(**id).is_some_and(|f| f.exported));
        let mut globals: Vec<usize> = exported.map(|(_, start)| *start).collect();
        globals.sort_unstable();
        Ok((insns.collect(), lines, globals))
    }

    /// The record that holds at an offset: the last one not behind it, in the same function.
    fn line_of(&self, section: &str, function: u64, offset: u64) -> Option<SourceLine> {
        let behind = self
            .line_info
            .partition_point(|r| (r.section.as_str(), u64::from(r.offset)) <= (section, offset));
        let record = self.line_info.get(behind.checked_sub(1)?)?;
        (record.section == section && u64::from(record.offset) >= function && record.line != 0)
            .then(|| SourceLine {
                file: record.file.as_str().into(),
                line: record.line,
                text: record.text.as_str().into(),
            })
    }
}
