//! Relocations of instructions: maps, data sections, functions, kernel functions (libbpf's
//! `bpf_object__relocate()`).

use std::collections::BTreeMap;

use object::{
    Object as _, ObjectSection as _, ObjectSymbol as _, RelocationFlags, RelocationTarget,
    SectionIndex, SymbolIndex, elf,
};

use super::btf::u32_at;
use super::decode::Reference;
use super::elf::{Function, Loader};
use super::error::LoadError;
use super::insn::{Callee, Wide};
use super::program::{MapDef, MapKind};

impl Loader<'_> {
    /// What relocations, and calls inside a section, make of a function's slots.
    pub fn references(
        &mut self,
        function: &Function,
        section_name: &str,
        body: &[u8],
    ) -> Result<BTreeMap<usize, Reference>, LoadError> {
        let imm = |slot: usize| u32_at(body, slot * 8 + 4).unwrap_or(0);
        let mut refs = BTreeMap::new();
        for slot in 0..body.len() / 8 {
            // A call of a static function in the same section has no relocation.
            if body[slot * 8] == 0x85 && body[slot * 8 + 1] >> 4 == 1 {
                let distance = i64::from(imm(slot) as i32) * 8 + 8;
                let target = (function.start as i64 + slot as i64 * 8).checked_add(distance);
                if let Some(id) = target.and_then(|t| self.function_at(function.section, t as u64))
                {
                    refs.insert(slot, Reference::Call(Callee::Local(id)));
                }
            }
        }
        let section = self
            .elf
            .section_by_index(function.section)
            .map_err(|e| self.section_error(section_name, 0, e.to_string()))?;
        let relocations: Vec<_> = section.relocations().collect();
        for (offset, relocation) in relocations {
            let Some(inside) = offset
                .checked_sub(function.start)
                .filter(|o| *o < function.size)
            else {
                continue;
            };
            let slot = (inside / 8) as usize;
            let fail = |me: &Self, why: &str| Err(me.section_error(section_name, offset, why));
            let (RelocationFlags::Elf { r_type }, RelocationTarget::Symbol(symbol)) =
                (relocation.flags(), relocation.target())
            else {
                return fail(self, "relocation without a symbol");
            };
            if inside % 8 != 0 {
                return fail(self, "relocation does not point at an instruction");
            }
            let reference = match (r_type, body[slot * 8]) {
                (elf::R_BPF_64_64, 0x18) => self.wide(symbol, imm(slot)),
                (elf::R_BPF_64_32, 0x85) => self.call(symbol, imm(slot) as i32),
                _ => Err(format!(
                    "relocation of type {r_type} on opcode {:02x}",
                    body[slot * 8]
                )),
            };
            refs.insert(
                slot,
                reference.map_err(|why| self.section_error(section_name, offset, why))?,
            );
        }
        Ok(refs)
    }

    fn function_at(&self, section: SectionIndex, start: u64) -> Option<usize> {
        self.functions
            .iter()
            .position(|f| f.section == section && f.start == start)
    }

    fn call(&self, symbol: SymbolIndex, imm: i32) -> Result<Reference, String> {
        let symbol = self
            .elf
            .symbol_by_index(symbol)
            .map_err(|e| e.to_string())?;
        match symbol.section_index() {
            Some(section) => {
                let target =
                    (symbol.address() as i64).wrapping_add((i64::from(imm) + 1) * 8) as u64;
                let id = self
                    .function_at(section, target)
                    .ok_or("call of something that is not a function")?;
                Ok(Reference::Call(Callee::Local(id)))
            }
            // Weak or not, kernel functions are taken as present; an unknown one is a fault when called.
            None if symbol.is_undefined() => {
                let name = symbol.name().map_err(|e| e.to_string())?.to_owned();
                Ok(Reference::Call(Callee::Kfunc(name)))
            }
            None => Err("call of a symbol without section".to_owned()),
        }
    }

    fn wide(&mut self, symbol: SymbolIndex, imm: u32) -> Result<Reference, String> {
        let symbol = self
            .elf
            .symbol_by_index(symbol)
            .map_err(|e| e.to_string())?;
        let Some(index) = symbol.section_index() else {
            let name = symbol.name().unwrap_or("?").to_owned();
            let weak = symbol.is_weak();
            return self.external(&name, weak);
        };
        let offset = symbol.address().wrapping_add(u64::from(imm));
        if let Some(id) = self.function_at(index, offset) {
            return Ok(Reference::Wide(Wide::Func(id)));
        }
        if let Some(&map) = self.map_at.get(&(index.0, offset)) {
            return Ok(Reference::Wide(Wide::Map(map)));
        }
        let map = match self.data_map.get(&index.0) {
            Some(&map) => map,
            None => {
                let def = self.data_section(index)?;
                self.data_map.insert(index.0, self.maps.len());
                self.maps.push(def);
                self.maps.len() - 1
            }
        };
        match u32::try_from(offset) {
            Ok(off) if off < self.maps[map].value_size => {
                Ok(Reference::Wide(Wide::MapValue { map, off }))
            }
            _ => Err(format!(
                "offset {offset:#x} lies outside section {}",
                self.maps[map].name
            )),
        }
    }

    /// `.rodata`, `.data`, `.bss` and their like as a map of one value.
    fn data_section(&self, index: SectionIndex) -> Result<MapDef, String> {
        let section = self
            .elf
            .section_by_index(index)
            .map_err(|e| e.to_string())?;
        let name = section.name().map_err(|e| e.to_string())?.to_owned();
        let is = |what: &str| name == what || name.starts_with(&format!("{what}."));
        let read_only = is(".rodata");
        if !read_only && !is(".data") && !is(".bss") {
            return Err(format!(
                "address of something in section {name} is not covered"
            ));
        }
        let initial = section.data().map_err(|e| e.to_string())?.to_vec();
        let value_size =
            u32::try_from(section.size()).map_err(|_| format!("{name} is too large"))?;
        Ok(MapDef {
            details: Default::default(),
            name,
            kind: MapKind::Data { read_only },
            key_size: 4,
            value_size,
            max_entries: 1,
            flags: 0,
            initial,
            programs: Vec::new(),
            entries: Vec::new(),
        })
    }
}
