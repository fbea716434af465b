//! `bpftool prog load`: an object is loaded when its command runs, and its XDP programs may be for one device
//! (`bpf_prog_dev_bound_init()`, kernel/bpf/offload.c).

use super::Kernel;
use super::execute::Done;
use super::execute_error::{Cause, exists};
use crate::bpf::{Object, ProgType};
use crate::scenario::command::ProgLoad;
use crate::scenario::topology::{DevId, DeviceKind, ProgId};

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Kernel {
    /// An object that a command will load: its number is given now, its programs and maps are not there yet.
    pub(crate) fn load_later(&mut self, object: &Object) {
        self.unloaded.push((self.maps.len(), object.clone()));
        self.maps.push(None);
    }

    /// `bpftool prog load`, `bpftool prog loadall`.
    pub(super) fn prog_load(&mut self, load: &ProgLoad) -> Done {
        let bound = match &load.xdpmeta_dev {
            Some(name) => Some(self.bound_to(load, name)?),
            None => None,
        };
        let (number, mut object) = self.take_object(&load.object)?;
        if let Some(prog_type) = &load.prog_type {
            let typed = object.programs.iter().map(|p| p.as_type(prog_type.clone()));
            object.programs = typed.collect();
        }
        let first = self.programs.len();
        self.load_at(number, &object, bound)?;
        for loaded in self.programs.get(first..).unwrap_or_default() {
            loaded.verified()?;
        }
        if load.all {
            return Ok(());
        }
        if first == self.programs.len() {
            let why = format!("{} has no program", load.object);
            return Err(Cause::Refused(why));
        }
        self.pin(&load.pin, ProgId(first))
    }

    /// The object of that name, if no command has loaded it yet.
    fn take_object(&mut self, file: &str) -> Result<(usize, Object), Cause> {
        let name = |object: &Object| file_name(&object.name) == file_name(file);
        let found = self.unloaded.iter().position(|(_, object)| name(object));
        match found {
            Some(place) => Ok(self.unloaded.remove(place)),
            None if self.loaded_files.contains(file_name(file)) => Err(Cause::NotCovered(format!(
                "an object that is loaded twice ({file})"
            ))),
            None => Err(Cause::Missing(format!("object file `{file}`"))),
        }
        .inspect(|(_, object)| {
            self.loaded_files.insert(file_name(&object.name).to_owned());
        })
    }

    /// `bpf_prog_dev_bound_init()`: the device must have `ndo_bpf()`, which says nothing of whether it has
    /// `xdp_metadata_ops`.
    fn bound_to(&mut self, load: &ProgLoad, name: &str) -> Result<DevId, Cause> {
        let id = self.find(&load.netns, name)?;
        if self.has_ndo_bpf(id) {
            return Ok(id);
        }
        Err(Cause::Refused(format!(
            "the driver of {name} has no XDP, so Linux answers *Operation not supported* \
             (bpf_dev_offload_check())"
        )))
    }

    /// Whether the device's driver has `ndo_bpf()`. netkit has one, for AF_XDP alone (`netkit_xsk()`).
    pub(super) fn has_ndo_bpf(&self, id: DevId) -> bool {
        matches!(
            self.topology.dev(id).kind,
            DeviceKind::Veth { .. }
                | DeviceKind::Nic(_)
                | DeviceKind::Netkit { .. }
                | DeviceKind::Tun { tap: true }
        )
    }

    /// `bpf_obj_pin()`. A program is attached by the last part of its path, so two of one name would be one.
    fn pin(&mut self, path: &str, program: ProgId) -> Done {
        let name = file_name(path);
        for (known, _) in &self.pins {
            if known == path {
                return Err(exists(format!("pin {path}")));
            }
            if file_name(known) == name {
                return Err(Cause::NotCovered(format!(
                    "two pins of one name in different directories ({known}, {path})"
                )));
            }
        }
        self.pins.push((path.to_owned(), program));
        Ok(())
    }

    /// The program that is pinned under that name.
    pub(super) fn pinned(&self, name: &str) -> Option<ProgId> {
        let mut pins = self.pins.iter().rev();
        let (_, program) = pins.find(|(path, _)| file_name(path) == name)?;
        Some(*program)
    }

    /// `dev_xdp_install()` (net/core/dev.c) of a program that was loaded for one device.
    pub(super) fn dev_bound_fits(&self, dev: DevId, program: ProgId, generic: bool) -> Done {
        let Some(bound) = self.programs.get(program.0).and_then(|p| p.bound()) else {
            return Ok(());
        };
        let name = &self.topology.dev(dev).name;
        if bound != dev {
            let other = &self.topology.dev(bound).name;
            return Err(Cause::Refused(format!(
                "{name}: the program was loaded for {other}, so Linux answers *Program bound to different device* (EINVAL)"
            )));
        }
        if generic {
            return Err(Cause::Refused(format!(
                "{name}: Linux answers *Can't attach device-bound programs in generic mode* (EINVAL)"
            )));
        }
        Ok(())
    }
}

/// Types that can be loaded for one device.
pub(super) fn can_be_bound(prog_type: &ProgType) -> bool {
    *prog_type == ProgType::Xdp
}
