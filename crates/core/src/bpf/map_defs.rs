//! Map definitions: BTF-defined (`SEC(".maps")`, libbpf) and legacy (`maps`, as aya writes them).

use super::btf::{Btf, Member, u32_at};
use super::program::{MapDef, MapDetails, MapKind};

/// A variable of section `.maps`, described by its BTF type.
pub(super) fn from_btf(name: &str, btf: Option<&Btf>, section: &str) -> Result<MapDef, String> {
    let btf = btf.ok_or("the object has no BTF, so the map has no definition")?;
    let members = btf
        .variable(section, name)
        .ok_or("no BTF type for this map")?;
    from_members(name, btf, members, true)
}

/// As the members of its structure define it (`parse_btf_map_def()`); `outer`: it may hold maps.
fn from_members(name: &str, btf: &Btf, members: &[Member], outer: bool) -> Result<MapDef, String> {
    let mut def = MapDef {
        name: name.to_owned(),
        kind: MapKind::Other(0),
        key_size: 0,
        value_size: 0,
        max_entries: 0,
        flags: 0,
        initial: Vec::new(),
        programs: Vec::new(),
        entries: Vec::new(),
        details: MapDetails::default(),
    };
    for member in members {
        let number = || {
            btf.uint(member)
                .ok_or(format!("{} is not a number", member.name))
        };
        let size = || {
            btf.pointee_size(member)
                .ok_or(format!("{} has no size", member.name))
        };
        match member.name.as_str() {
            "type" => def.kind = MapKind::from_number(number()?),
            "key_size" => def.key_size = number()?,
            "value_size" => def.value_size = number()?,
            "max_entries" => def.max_entries = number()?,
            "map_flags" => def.flags = number()?,
            "key" => def.key_size = size()?,
            "value" => {
                def.value_size = size()?;
                def.details = MapDetails {
                    btf: true,
                    lock: btf.find_struct(member, "bpf_spin_lock"),
                    timer: btf.find_struct(member, "bpf_timer"),
                    ..def.details
                };
            }
            "values" => values(&mut def, btf, member, outer)?,
            _ => {}
        }
    }
    Ok(def)
}

/// Programs, or inner maps, by index: four bytes each.
fn values(def: &mut MapDef, btf: &Btf, member: &Member, outer: bool) -> Result<(), String> {
    if !matches!(def.value_size, 0 | 4) {
        return Err(format!("value_size is {}, it must be 4", def.value_size));
    }
    def.value_size = 4;
    if def.key_size == 0 {
        def.key_size = 4;
    }
    if def.kind.is_of_maps() {
        if !outer {
            return Err("multi-level inner maps are not supported".to_owned());
        }
        let members = btf
            .element_struct(member)
            .ok_or("values is no array of pointers to a map's definition")?;
        let name = format!("{}.inner", def.name);
        let inner = from_members(&name, btf, members, false)?;
        def.details.inner = Some(Box::new(inner));
    }
    Ok(())
}

/// A `struct bpf_map_def` of five or more words: type, key size, value size, entries, flags.
pub(super) fn legacy(name: &str, data: &[u8], offset: u64) -> Result<MapDef, String> {
    let start = usize::try_from(offset).map_err(|_| "lies outside its section")?;
    let word = |i: usize| start.checked_add(i * 4).and_then(|at| u32_at(data, at));
    match (word(0), word(1), word(2), word(3), word(4)) {
        (Some(kind), Some(key_size), Some(value_size), Some(max_entries), Some(flags)) => {
            Ok(MapDef {
                details: Default::default(),
                name: name.to_owned(),
                kind: MapKind::from_number(kind),
                key_size,
                value_size,
                max_entries,
                flags,
                initial: Vec::new(),
                programs: Vec::new(),
                entries: Vec::new(),
            })
        }
        _ => Err("definition is cut off".to_owned()),
    }
}
