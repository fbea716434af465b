//! Maps of maps (kernel/bpf/map_in_map.c, arraymap.c, hashtab.c).

use super::{E2BIG, EINVAL, Map, MapKind, Maps};
use crate::bpf::error::LoadError;
use crate::bpf::program::{MapDef, Object};

/// `map_meta_equal`: whether a map may be put where others like `wanted` are.
fn alike(wanted: &MapDef, map: &MapDef) -> bool {
    /// `BPF_F_INNER_MAP`: arrays of other sizes too.
    const INNER_MAP: u32 = 1 << 12;
    let (a, b) = (&wanted.details, &map.details);
    let same = wanted.kind == map.kind
        && wanted.key_size == map.key_size
        && wanted.value_size == map.value_size
        && wanted.flags == map.flags
        && (a.lock, a.timer) == (b.lock, b.timer);
    let array = matches!(wanted.kind, MapKind::Array | MapKind::PercpuArray);
    let any_size = !array || wanted.flags & INNER_MAP != 0;
    same && (any_size || wanted.max_entries == map.max_entries)
}

/// `bpf_map_meta_alloc()`: types of maps that may be values of one.
fn may_be_inner(kind: MapKind) -> bool {
    !kind.is_of_maps() && !matches!(kind, MapKind::ProgArray | MapKind::Cpumap)
}

impl Map {
    fn put_map(&mut self, index: u32, map: usize) -> Result<(), i64> {
        let key = match self.def.kind {
            MapKind::ArrayOfMaps if index >= self.def.max_entries => return Err(-E2BIG),
            MapKind::ArrayOfMaps => index.to_le_bytes().to_vec(),
            // libbpf gives the index as key
            _ if self.def.key_size != 4 => return Err(-EINVAL),
            _ if self.inner.len() >= self.def.max_entries as usize => return Err(-E2BIG),
            _ => index.to_le_bytes().to_vec(),
        };
        self.inner.insert(key, map);
        Ok(())
    }
}

impl Maps {
    /// Puts the maps in that maps of maps begin with (`init_map_in_map_slots()`, tools/lib/bpf/libbpf.c).
    pub(super) fn fill_maps_of_maps(&mut self, object: &Object) -> Result<(), LoadError> {
        for (at, def) in object.maps.iter().enumerate() {
            let Some(wanted) = &def.details.inner else {
                continue;
            };
            let fail = |why: String| LoadError::Map {
                file: object.name.clone(),
                map: def.name.clone(),
                why,
            };
            if !may_be_inner(wanted.kind) {
                let kind = wanted.kind.name();
                return Err(fail(format!(
                    "error -524: maps of type {kind} cannot be its values"
                )));
            }
            for (index, name) in &def.details.maps {
                let inner = self.index_of_name(name);
                let inner = inner.ok_or_else(|| fail(format!("there is no map `{name}`")))?;
                if self.def(inner).is_none_or(|own| !alike(wanted, own)) {
                    return Err(fail(format!(
                        "error -22: map `{name}` is not like those that it holds"
                    )));
                }
                let put = self.maps.get_mut(at).map(|map| map.put_map(*index, inner));
                if let Some(Err(errno)) = put {
                    return Err(fail(format!("error {errno}: map `{name}` at {index}")));
                }
            }
        }
        Ok(())
    }

    /// The map under a key of a map of maps.
    pub(in crate::bpf) fn inner(&self, map: usize, key: &[u8]) -> Option<usize> {
        self.maps.get(map)?.inner.get(key).copied()
    }
}
