//! `validate_xmit_skb()` (`net/core/dev.c`) and the device features it asks for.

use super::{Kernel, Run, not_covered};
use crate::net::{checksum, vlan};
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::{CHECKSUM_NONE, CHECKSUM_PARTIAL};
use crate::trace::SkbNo;

const FILE: &str = "net/core/dev.c";
/// `CSUM_MANGLED_0`: in UDP a checksum of 0 says that there is none.
pub(super) const CSUM_MANGLED_0: u16 = 0xffff;

impl Kernel {
    /// `validate_xmit_skb()`: does in software what the device can't.
    pub(super) fn validate_xmit_skb(&mut self, no: SkbNo) -> Run<()> {
        self.traced("validate_xmit_skb", FILE, no, |k| {
            let Some(dev) = k.skb(no).dev else {
                return not_covered("validate_xmit_skb of a packet without device");
            };
            if k.skb(no).vlan_present && !k.inserts_vlan_tags(dev) {
                k.vlan_hwaccel_push_inside(no)?;
            }
            if k.skb(no).ip_summed == CHECKSUM_PARTIAL {
                let skb = k.skb_mut(no);
                if skb.encapsulation {
                    skb.inner_transport_header = skb.csum_start;
                } else {
                    skb.transport_header = skb.csum_start;
                }
                if !k.sums(no, dev) {
                    k.skb_checksum_help(no)?;
                }
            }
            Ok(Some(no))
        })?;
        Ok(())
    }

    /// `NETIF_F_HW_VLAN_CTAG_TX` and `STAG_TX` (`VETH_FEATURES`, `netkit_setup()`, `br_dev_setup()`).
    fn inserts_vlan_tags(&self, dev: DevId) -> bool {
        matches!(
            self.topology.dev(dev).kind,
            DeviceKind::Veth { .. }
                | DeviceKind::Netkit { .. }
                | DeviceKind::Bridge
                | DeviceKind::Tun { tap: true }
        )
    }

    /// `netif_skb_features() & NETIF_F_HW_CSUM`.
    fn sums(&self, no: SkbNo, dev: DevId) -> bool {
        let skb = self.skb(no);
        let tagged = skb.vlan_present || vlan::is_vlan(skb.protocol);
        self.hw_csum(dev, skb.encapsulation) && (!tagged || self.vlan_csum(dev))
    }

    /// `NETIF_F_HW_CSUM` in `features`, or with an encapsulated packet in `hw_enc_features`, which only
    /// veth (`veth_setup()`) and VLANs on it (`vlan_tnl_features()`) have.
    fn hw_csum(&self, dev: DevId, encapsulation: bool) -> bool {
        match self.topology.dev(dev).kind {
            // macvlan_init(): always on, and hw_enc_features are the features
            DeviceKind::Veth { .. } | DeviceKind::Netkit { .. } | DeviceKind::Macvlan { .. } => {
                true
            }
            DeviceKind::Vlan { lower, .. } => {
                self.hw_csum(lower, encapsulation) && self.vlan_csum(lower)
            }
            DeviceKind::Gre(_)
            | DeviceKind::Gretap(_)
            | DeviceKind::Ipip(_)
            | DeviceKind::Ip6Gre(_)
            | DeviceKind::Ip6Gretap(_)
            | DeviceKind::Ip6Tnl(_)
            | DeviceKind::Sit(_)
            | DeviceKind::L2tpEth(..)
            | DeviceKind::Vxlan(_)
            | DeviceKind::Geneve(_)
            | DeviceKind::Bridge
            | DeviceKind::Loopback => !encapsulation,
            // tun_net_fix_features(): only what the process asked for (TUNSETOFFLOAD)
            DeviceKind::Tun { .. } => false,
            // dummy_setup(): hw_enc_features are the features
            DeviceKind::Dummy | DeviceKind::Nic(_) => true,
        }
    }

    /// `NETIF_F_HW_CSUM` in `vlan_features` (`veth_setup()`, `vxlan_setup()`, `br_dev_setup()`,
    /// `vlan_dev_init()`).
    fn vlan_csum(&self, dev: DevId) -> bool {
        match self.topology.dev(dev).kind {
            DeviceKind::Veth { .. }
            | DeviceKind::Netkit { .. }
            | DeviceKind::Macvlan { .. }
            | DeviceKind::Vxlan(_)
            | DeviceKind::Bridge
            | DeviceKind::Nic(_) => true,
            DeviceKind::Vlan { lower, .. } => self.vlan_csum(lower),
            DeviceKind::Gre(_)
            | DeviceKind::Gretap(_)
            | DeviceKind::Ipip(_)
            | DeviceKind::Ip6Gre(_)
            | DeviceKind::Ip6Gretap(_)
            | DeviceKind::Ip6Tnl(_)
            | DeviceKind::Sit(_)
            | DeviceKind::L2tpEth(..)
            | DeviceKind::Dummy
            | DeviceKind::Tun { .. }
            | DeviceKind::Geneve(_)
            | DeviceKind::Loopback => false,
        }
    }

    /// `skb_checksum_help()`: finishes the checksum in software.
    pub(super) fn skb_checksum_help(&mut self, no: SkbNo) -> Run<()> {
        self.traced("skb_checksum_help", FILE, no, |k| {
            let skb = k.skb(no);
            let start = u32::from(skb.csum_start);
            let at = start + u32::from(skb.csum_offset);
            let len = (skb.data + skb.len).saturating_sub(start);
            let check = match !checksum::sum(&k.bytes_from_head(no, start, len), 0) {
                0 => CSUM_MANGLED_0,
                check => check,
            };
            let writable = at + 2 - skb.data;
            let err = k.skb_ensure_writable(no, writable)?;
            if err != 0 {
                return Ok(err);
            }
            let at = u32::from(k.skb(no).csum_start) + u32::from(k.skb(no).csum_offset);
            let head = k.skb(no).head;
            k.buffers.patch(head, at, &check.to_be_bytes());
            k.skb_mut(no).ip_summed = CHECKSUM_NONE;
            Ok(0)
        })?;
        Ok(())
    }

    /// `lco_csum()` (`include/net/checksum.h`): the sum from the transport header on, where a device is
    /// still to fill in the inner checksum. Not inverted.
    pub(super) fn lco_csum(&self, no: SkbNo, from: u32) -> u16 {
        let skb = self.skb(no);
        let start = u32::from(skb.csum_start);
        let seed = self.bytes(no, start + u32::from(skb.csum_offset), 2);
        let partial = !crate::net::dissect::be16(seed, 0);
        checksum::sum(self.bytes(no, from, start.saturating_sub(from)), partial)
    }
}
