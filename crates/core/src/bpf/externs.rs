//! What an object wants from outside: values of the kernel's configuration, addresses of kernel symbols
//! (libbpf's `bpf_object__resolve_externs()`).

use super::decode::Reference;
use super::elf::Loader;
use super::helpers;
use super::insn::Wide;
use super::program::{MapDef, MapKind};

/// A kernel function's address in the eyes of a program that asks whether it exists
/// (`bpf_ksym_exists()`): any number but 0.
const KSYM_ADDRESS: u64 = 0xffff_ffff_81e0_0000;
/// `KERNEL_VERSION(7, 2, 13)`, the kernel of the recordings.
const KERNEL_VERSION: u64 = 7 << 16 | 2 << 8 | 13;
/// The map in which libbpf keeps values of the configuration.
const KCONFIG: &str = ".kconfig";

impl Loader<'_> {
    /// The value or address of an undefined symbol.
    pub fn external(&mut self, name: &str, weak: bool) -> Result<Reference, String> {
        let kconfig = self
            .btf
            .as_ref()
            .and_then(|btf| btf.size(btf.variable_type(KCONFIG, name)?));
        if let Some(size) = kconfig {
            return self.kconfig(name, weak, size);
        }
        match helpers::knows_kfunc(name) {
            true => Ok(Reference::Wide(Wide::Number(KSYM_ADDRESS))),
            false if weak => Ok(Reference::Wide(Wide::Number(0))),
            false => Err(format!(
                "kernel symbol {name}: the simulator has no such function or variable; a program may declare it \
                 __weak and ask bpf_ksym_exists()"
            )),
        }
    }

    /// The place of a configuration value in a map of its own.
    fn kconfig(&mut self, name: &str, weak: bool, size: u32) -> Result<Reference, String> {
        let value = match name {
            "LINUX_KERNEL_VERSION" => KERNEL_VERSION,
            "LINUX_HAS_BPF_COOKIE" | "LINUX_HAS_SYSCALL_WRAPPER" => 1,
            _ if weak => 0,
            _ => {
                return Err(format!(
                    "kconfig value {name}: the simulator has no kernel configuration; a program may declare it __weak, \
                     it is 0 then"
                ));
            }
        };
        let known = self.maps.iter().position(|def| def.name == KCONFIG);
        let map = known.unwrap_or_else(|| {
            self.maps.push(MapDef {
                details: Default::default(),
                name: KCONFIG.to_owned(),
                kind: MapKind::Data { read_only: true },
                key_size: 4,
                value_size: 0,
                max_entries: 1,
                flags: 0,
                initial: Vec::new(),
                programs: Vec::new(),
                entries: Vec::new(),
            });
            self.maps.len() - 1
        });
        let place = self.kconfig_at.get(name).copied();
        let def = &mut self.maps[map];
        let off = place.unwrap_or(def.value_size);
        if place.is_none() {
            def.initial.extend(value.to_le_bytes());
            let more = u64::from(size).next_multiple_of(8) as usize;
            def.initial.resize(off as usize + more.max(8), 0);
            def.value_size = def.initial.len() as u32;
            self.kconfig_at.insert(name.to_owned(), off);
        }
        Ok(Reference::Wide(Wide::MapValue { map, off }))
    }
}
