//! A bridge's VLANs, and the commands that set them: `ip link … type bridge …`, `bridge vlan add|del`.

use super::command::{Command, Netns};
use super::error::ParseError;
use super::ip::need;
use super::lex::Args;
use super::meant::meant;
use super::topology::DevId;
use super::value::{device, number};
use crate::net::vlan;

/// What `type bridge` sets; absent: as it is, or the kernel's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BridgeOptions {
    /// `vlan_filtering 0|1`; off by default.
    pub vlan_filtering: Option<bool>,
    /// `vlan_protocol 802.1Q|802.1ad`; 802.1Q by default.
    pub vlan_protocol: Option<u16>,
    /// `vlan_default_pvid N`; 1 by default, 0 is none.
    pub vlan_default_pvid: Option<u16>,
}

/// `bridge vlan add|del vid N[-M] dev DEV [pvid] [untagged] [self|master]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BridgeVlan {
    /// `add`, not `del`.
    pub add: bool,
    /// First VLAN id.
    pub first: u16,
    /// Last VLAN id.
    pub last: u16,
    /// Untagged frames belong to it.
    pub pvid: bool,
    /// Its frames leave without a tag.
    pub untagged: bool,
    /// `self`: of the bridge itself.
    pub own: bool,
}

/// `struct net_bridge_vlan_group` (`net/bridge/br_private.h`): the VLANs of a port, or of the bridge itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VlanGroup {
    /// To which VLAN untagged frames belong; 0: to none.
    pub pvid: u16,
    /// VLAN ids, and whether their frames leave without a tag.
    pub vlans: Vec<(u16, bool)>,
}

impl VlanGroup {
    /// `br_vlan_find()`: whether frames of a VLAN leave without a tag; `None` when it is not one of the group.
    #[must_use]
    pub fn find(&self, vid: u16) -> Option<bool> {
        let found = self.vlans.iter().find(|(known, _)| *known == vid);
        found.map(|(_, untagged)| *untagged)
    }

    /// `__vlan_add()` with its flags (`__vlan_add_flags()`), or `__vlan_del()`.
    pub fn change(&mut self, vlan: BridgeVlan) {
        for vid in vlan.first..=vlan.last {
            self.vlans.retain(|(known, _)| *known != vid);
            if vlan.add {
                self.vlans.push((vid, vlan.untagged));
            }
            if vlan.add && vlan.pvid {
                self.pvid = vid;
            } else if self.pvid == vid {
                self.pvid = 0;
            }
        }
    }

    /// `br_vlan_init()`, `nbp_vlan_init()`: the default VLAN, untagged; none when it is 0.
    #[must_use]
    pub fn with_default(pvid: u16) -> Self {
        let vlans = if pvid == 0 {
            Vec::new()
        } else {
            vec![(pvid, true)]
        };
        Self { pvid, vlans }
    }
}

/// `struct net_bridge`: what a bridge device has beside a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// `BROPT_VLAN_ENABLED`.
    pub vlan_filtering: bool,
    /// Protocol of its tags.
    pub vlan_protocol: u16,
    /// The VLAN that new ports get.
    pub default_pvid: u16,
    /// Its ports, the newest first, as `br_add_if()` puts them into the list.
    pub ports: Vec<DevId>,
    /// What it has learned: addresses, their VLANs (0 without filtering) and ports.
    pub fdb: Vec<([u8; 6], u16, DevId)>,
    /// `NET_ADDR_SET`: a person chose the MAC address, so ports do not change it.
    pub address_set: bool,
    /// `BROPT_MTU_SET_BY_USER`.
    pub mtu_set: bool,
}

impl Default for Bridge {
    fn default() -> Self {
        Self {
            vlan_filtering: false,
            vlan_protocol: vlan::P_8021Q,
            default_pvid: 1,
            ports: Vec::new(),
            fdb: Vec::new(),
            address_set: false,
            mtu_set: false,
        }
    }
}

/// What stands behind `type bridge`; the inner error is an option that is known but not simulated.
pub(super) fn options(args: &mut Args<'_>) -> Result<Result<BridgeOptions, String>, ParseError> {
    let mut options = BridgeOptions::default();
    while let Some(word) = args.next() {
        match word {
            "vlan_filtering" => {
                options.vlan_filtering = Some(args.value("0 or 1", |word| match word {
                    "0" => Some(false),
                    "1" => Some(true),
                    _ => None,
                })?);
            }
            "vlan_protocol" => {
                options.vlan_protocol = Some(args.value("802.1Q or 802.1ad", protocol)?);
            }
            "vlan_default_pvid" => {
                options.vlan_default_pvid =
                    Some(args.value("a VLAN id from 0 to 4094", |word| {
                        number(word)
                            .and_then(|id| u16::try_from(id).ok())
                            .filter(|id| *id < 4095)
                    })?);
            }
            "stp_state" | "mcast_snooping" => {
                if args.expect("0 or 1")? != "0" {
                    return Ok(Err(format!("{word} {}", args.latest())));
                }
            }
            "forward_delay" | "hello_time" | "max_age" | "ageing_time" | "priority" => {
                args.expect("a number")?;
            }
            word => return Ok(Err(word.to_owned())),
        }
    }
    Ok(Ok(options))
}

/// `802.1Q` or `802.1ad`, as on the wire.
pub(super) fn protocol(word: &str) -> Option<u16> {
    match word.to_ascii_lowercase().as_str() {
        "802.1q" => Some(vlan::P_8021Q),
        "802.1ad" => Some(vlan::P_8021AD),
        _ => None,
    }
}

/// `bridge [-n NS] vlan add|del …`; what else `bridge` can do is *not covered*.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    let netns = if args.take("-n") || args.take("-netns") {
        Some(args.expect("a namespace")?.to_owned())
    } else {
        netns.clone()
    };
    let object = args.expect("vlan")?;
    if meant(object, "vlan").is_some() {
        return Err(args.unexpected("vlan"));
    }
    let verb = args.next().unwrap_or_default();
    let add = match (object, verb) {
        ("vlan", "add") => true,
        ("vlan", "del" | "delete") => false,
        (_, "" | "show" | "list" | "lst") => {
            return Ok(Command::NoEffect {
                why: "it only shows what is there",
            });
        }
        _ => {
            let what = format!("bridge {object} {verb}");
            let known = if object == "vlan" {
                "add or del"
            } else {
                "add"
            };
            return args.not_covered(what, known);
        }
    };
    let (mut dev, mut range) = (None, None);
    let (mut pvid, mut untagged, mut own) = (false, false, false);
    while let Some(word) = args.next() {
        match word {
            "dev" => dev = Some(args.value("a device", device)?),
            "vid" => {
                range = Some(args.value("a VLAN id from 1 to 4094, or two with - between", vids)?)
            }
            "pvid" => pvid = true,
            "untagged" => untagged = true,
            "self" => own = true,
            "master" => own = false,
            "tunnel_info" => {
                let what = format!("bridge vlan {verb} … tunnel_info");
                return Ok(Command::NotCovered { what });
            }
            _ => return Err(args.unexpected("dev DEV, vid N, pvid, untagged, self or master")),
        }
    }
    let dev = need(&mut args, dev, "dev and a device")?;
    let (first, last) = need(&mut args, range, "vid and a VLAN id")?;
    let vlan = BridgeVlan {
        add,
        first,
        last,
        pvid,
        untagged,
        own,
    };
    Ok(Command::BridgeVlan { netns, dev, vlan })
}

/// `N` or `N-M`, each from 1 to 4094.
fn vids(word: &str) -> Option<(u16, u16)> {
    let vid = |word: &str| {
        let vid = number(word).and_then(|vid| u16::try_from(vid).ok())?;
        (1..4095).contains(&vid).then_some(vid)
    };
    match word.split_once('-') {
        Some((first, last)) => {
            Some((vid(first)?, vid(last)?)).filter(|(first, last)| first <= last)
        }
        None => vid(word).map(|vid| (vid, vid)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn vlan(text: &str) -> BridgeVlan {
        match parse(text).unwrap().lines.remove(0).command {
            Command::BridgeVlan { vlan, .. } => vlan,
            other => panic!("{other:?}"),
        }
    }

    /// `__vlan_add_flags()` (`net/bridge/br_vlan.c`): an entry that is added again takes the new flags, and a VLAN
    /// that is added without `pvid` is the pvid no more.
    #[test]
    fn the_newest_word_about_a_vlan_counts() {
        let mut group = VlanGroup::with_default(1);
        assert_eq!(
            (group.pvid, group.find(1), group.find(7)),
            (1, Some(true), None)
        );
        group.change(vlan("bridge vlan add dev p vid 7 pvid"));
        assert_eq!((group.pvid, group.find(7)), (7, Some(false)));
        group.change(vlan("bridge vlan add dev p vid 7-8 untagged"));
        assert_eq!(
            (group.pvid, group.find(7), group.find(8)),
            (0, Some(true), Some(true))
        );
        group.change(vlan("bridge vlan del dev p vid 8"));
        assert_eq!(group.find(8), None);
    }

    #[test]
    fn mistakes_are_told_by_their_place() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(
            error("bridge vlan add dev p vid 9999"),
            "Line 1, column 27: `9999` does not fit here, expected a VLAN id from 1 to 4094, or two with - between."
        );
        assert_eq!(
            error("bridge vlan add vid 7"),
            "Line 1, column 22: the command ends here, expected dev and a device."
        );
    }
}
