//! Maps of an object: their definitions, and the programs or maps that they begin with.

use object::read::elf::ElfSection64;
use object::{
    Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SymbolKind,
};

use super::elf::Loader;
use super::error::LoadError;
use super::map_defs;
use super::program::{MapDef, MapKind};

/// `BPF_MAP_TYPE_ARENA`.
const ARENA: MapKind = MapKind::Other(33);

impl<'a> Loader<'a> {
    /// Variables of `.maps` and `maps`, in the order of their places.
    pub fn find_maps(&mut self) -> Result<(), LoadError> {
        let mut found = Vec::new();
        for section in self.elf.sections() {
            let Ok(name) = section.name() else { continue };
            let legacy = match name {
                ".maps" => false,
                _ if name == "maps" || name.starts_with("maps/") => true,
                _ => continue,
            };
            let (_, data) = self.section_data(section.index())?;
            for symbol in self.elf.symbols() {
                if symbol.section_index() != Some(section.index())
                    || symbol.kind() != SymbolKind::Data
                {
                    continue;
                }
                let (var, offset) = (symbol.name().unwrap_or("?"), symbol.address());
                let def = if legacy {
                    map_defs::legacy(var, data, offset)
                } else {
                    map_defs::from_btf(var, self.btf.as_ref(), name)
                        .map(|def| self.with_values(def, &section, offset))
                };
                let def = def.map_err(|why| LoadError::Map {
                    file: self.file.to_owned(),
                    map: var.to_owned(),
                    why,
                })?;
                if def.kind == ARENA {
                    let why = format!(
                        "map `{var}` is an arena: the simulator lacks casts between its address spaces \
                         (addr_space_cast), loads and stores through them, and bpf_arena_alloc_pages()"
                    );
                    return Err(self.section_error(name, offset, why));
                }
                found.push(((section.index().0, offset), def));
            }
        }
        found.sort_by_key(|(place, _)| *place);
        for (place, def) in found {
            self.map_at.insert(place, self.maps.len());
            self.maps.push(def);
        }
        Ok(())
    }

    /// The programs or maps that a map begins with (`__array(values, …)`): relocations of its definition.
    fn with_values(
        &self,
        mut def: MapDef,
        section: &ElfSection64<'a, '_, Endianness>,
        start: u64,
    ) -> MapDef {
        let values = self.btf.as_ref().and_then(|btf| {
            let members = btf.variable(section.name().ok()?, &def.name)?;
            members.iter().find(|member| member.name == "values")
        });
        let Some(first) = values.map(|member| start + u64::from(member.offset / 8)) else {
            return def;
        };
        for (offset, relocation) in section.relocations() {
            let RelocationTarget::Symbol(symbol) = relocation.target() else {
                continue;
            };
            let index = offset.checked_sub(first).map(|bytes| bytes / 8);
            let index = index.and_then(|i| u32::try_from(i).ok());
            let index = index.filter(|i| *i < def.max_entries);
            let Ok(symbol) = self.elf.symbol_by_index(symbol) else {
                continue;
            };
            let (Some(index), Ok(name)) = (index, symbol.name()) else {
                continue;
            };
            match symbol.kind() {
                SymbolKind::Text => def.programs.push((index, name.to_owned())),
                SymbolKind::Data if def.kind.is_of_maps() => {
                    def.details.maps.push((index, name.to_owned()));
                }
                _ => {}
            }
        }
        def
    }
}
