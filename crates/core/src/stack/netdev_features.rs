//! What a device can do when it sends: `dev->features` and the sets for packets with a tunnel, a VLAN tag or MPLS labels
//! around them, as drivers set them up, and `netif_skb_features()` (`net/core/dev.c`).

use super::Kernel;
use crate::net::{ethernet, mpls, vlan};
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::{
    CHECKSUM_NONE, Features,
    feature::{
        FRAGLIST, GSO_ENCAP_ALL, GSO_MASK, GSO_ROBUST, GSO_SOFTWARE, HW_CSUM, HW_VLAN_TX, SG,
    },
    gso,
};
use crate::trace::SkbNo;

/// `VETH_FEATURES` and `netkit_features`, without those of VLANs.
const PAIR: Features = SG | FRAGLIST | HW_CSUM | GSO_SOFTWARE | GSO_ENCAP_ALL;
/// What tunnels over IP have: `GRE_FEATURES`, `IPIP_FEATURES` without segmentation.
const TUNNEL: Features = SG | FRAGLIST | HW_CSUM;
/// `ALWAYS_ON_FEATURES` of MACVLAN.
const MACVLAN: Features = SG | HW_CSUM | GSO_SOFTWARE | GSO_ROBUST | GSO_ENCAP_ALL;
/// What drivers of cards offer. The lists of drivers differ; all that are here have TSO, also of packets in tunnels, and
/// none takes a `frag_list`.
const NIC: Features = SG | HW_CSUM | GSO_SOFTWARE | GSO_ENCAP_ALL;
/// `gso_max_size` where nobody changed it (`GSO_LEGACY_MAX_SIZE`), bytes.
const GSO_MAX_SIZE: u32 = 65_536;

/// `netdev_fix_features()`: TSO needs scatter/gather and checksums.
fn fixed(features: Features) -> Features {
    match features & (SG | HW_CSUM) == SG | HW_CSUM {
        true => features,
        false => features & !GSO_SOFTWARE,
    }
}

impl Kernel {
    /// `dev->features`: what the driver has, less what `ethtool -K` has taken away (`netdev_get_wanted_features()`).
    pub(super) fn dev_features(&self, dev: DevId) -> Features {
        let device = self.topology.dev(dev);
        let features = match device.kind {
            // veth_fix_features()
            DeviceKind::Veth { peer } if self.native_xdp(peer).is_some() => {
                (PAIR | HW_VLAN_TX) & !GSO_SOFTWARE
            }
            DeviceKind::Veth { .. } | DeviceKind::Netkit { .. } => PAIR | HW_VLAN_TX,
            DeviceKind::Dummy => PAIR,
            DeviceKind::Nic(_) => NIC,
            DeviceKind::Loopback => TUNNEL | GSO_SOFTWARE,
            // __gre_tunnel_init(), ip6gre_tnl_init_features(): numbers can't be counted by a device
            DeviceKind::Gre(parms) | DeviceKind::Gretap(parms) if parms.oseq => TUNNEL,
            DeviceKind::Ip6Gre(parms) | DeviceKind::Ip6Gretap(parms) if parms.gre.oseq => TUNNEL,
            DeviceKind::Gre(_)
            | DeviceKind::Gretap(_)
            | DeviceKind::Ip6Gre(_)
            | DeviceKind::Ip6Gretap(_)
            | DeviceKind::Ipip(_)
            | DeviceKind::Sit(_)
            | DeviceKind::Ip6Tnl(_)
            | DeviceKind::Vxlan(_)
            | DeviceKind::Geneve(_) => TUNNEL | GSO_SOFTWARE,
            // l2tp_eth_dev_setup() sets none
            DeviceKind::L2tpEth(..) => 0,
            // tun_net_fix_features(): the rest is what the process asks for (TUNSETOFFLOAD)
            DeviceKind::Tun { .. } => SG | FRAGLIST | HW_VLAN_TX,
            DeviceKind::Vlan { lower, .. } => self.vlan_dev_features(lower),
            // macvlan_fix_features()
            DeviceKind::Macvlan { lower, .. } => MACVLAN | self.dev_features(lower) & FRAGLIST,
            DeviceKind::Bridge => self.br_features_recompute(dev),
        };
        fixed(features & !device.unwanted)
    }

    /// `vlan_dev_fix_features()`: TCP may always be cut later.
    fn vlan_dev_features(&self, lower: DevId) -> Features {
        PAIR & self.vlan_features(lower) & self.dev_features(lower) | GSO_SOFTWARE
    }

    /// `br_features_recompute()`: of those that one port is enough for (`NETIF_F_ONE_FOR_ALL`), what any port has.
    fn br_features_recompute(&self, bridge: DevId) -> Features {
        const ONE_FOR_ALL: Features = SG | FRAGLIST | GSO_SOFTWARE | GSO_ROBUST;
        let own = SG | FRAGLIST | HW_CSUM | GSO_MASK | HW_VLAN_TX;
        let devices = self.topology.devices.iter().enumerate();
        let ports = devices.filter(|(_, port)| port.master == Some(bridge));
        let of_ports = ports
            .map(|(id, _)| self.dev_features(DevId(id)))
            .reduce(|all, one| all | one);
        match of_ports {
            None => own,
            // netdev_add_tso_features()
            Some(one) => own & !ONE_FOR_ALL | one & ONE_FOR_ALL | crate::skb::feature::ALL_TSO,
        }
    }

    /// `dev->hw_enc_features`, with what `register_netdevice()` adds.
    fn hw_enc_features(&self, dev: DevId) -> Features {
        SG | match self.topology.dev(dev).kind {
            DeviceKind::Veth { .. } | DeviceKind::Netkit { .. } => PAIR | HW_VLAN_TX,
            DeviceKind::Dummy => PAIR,
            DeviceKind::Nic(_) => NIC,
            DeviceKind::Vxlan(_) | DeviceKind::Geneve(_) => PAIR,
            DeviceKind::Tun { .. } => {
                SG | FRAGLIST | HW_CSUM | crate::skb::feature::ALL_TSO | HW_VLAN_TX
            }
            // vlan_tnl_features()
            DeviceKind::Vlan { lower, .. } => {
                let below = self.hw_enc_features(lower);
                match below & GSO_ENCAP_ALL != 0 && below & HW_CSUM != 0 {
                    true => below & (HW_CSUM | GSO_SOFTWARE | GSO_ENCAP_ALL),
                    false => 0,
                }
            }
            DeviceKind::Macvlan { lower, .. } => MACVLAN | self.dev_features(lower) & FRAGLIST,
            _ => 0,
        }
    }

    /// `dev->vlan_features`.
    fn vlan_features(&self, dev: DevId) -> Features {
        match self.topology.dev(dev).kind {
            DeviceKind::Veth { .. } | DeviceKind::Netkit { .. } => PAIR,
            DeviceKind::Nic(_) => NIC,
            DeviceKind::Vxlan(_) => TUNNEL | GSO_SOFTWARE,
            DeviceKind::Tun { .. } => SG | FRAGLIST | HW_CSUM | crate::skb::feature::ALL_TSO,
            DeviceKind::Bridge => SG | FRAGLIST | HW_CSUM | GSO_MASK,
            DeviceKind::Vlan { lower, .. } => self.vlan_features(lower),
            DeviceKind::Macvlan { lower, .. } => MACVLAN | self.vlan_features(lower) & FRAGLIST,
            _ => 0,
        }
    }

    /// `dev->mpls_features`, with what `register_netdevice()` adds.
    fn mpls_features(&self, dev: DevId) -> Features {
        match self.topology.dev(dev).kind {
            DeviceKind::Veth { .. } | DeviceKind::Netkit { .. } | DeviceKind::Nic(_) => {
                SG | HW_CSUM | GSO_SOFTWARE
            }
            DeviceKind::Vlan { lower, .. } => self.mpls_features(lower),
            _ => SG,
        }
    }

    /// Features for what is segmented inside a tunnel (`skb->dev->hw_enc_features`).
    pub(super) fn features_inside(&self, no: SkbNo) -> Features {
        self.skb(no).dev.map_or(0, |dev| self.hw_enc_features(dev))
    }

    /// The same behind MPLS labels (`skb->dev->mpls_features`).
    pub(super) fn features_behind_labels(&self, no: SkbNo) -> Features {
        self.skb(no).dev.map_or(0, |dev| self.mpls_features(dev))
    }

    /// `netif_skb_features()`: what the device can do with this very packet.
    pub(super) fn netif_skb_features(&self, no: SkbNo, dev: DevId) -> Features {
        let skb = self.skb(no);
        let mut features = self.dev_features(dev);
        if self.skb_is_gso(no) {
            features = self.gso_features_check(no, features);
        }
        if skb.encapsulation {
            features &= self.hw_enc_features(dev);
        }
        let in_frame = vlan::is_vlan(skb.protocol);
        if skb.vlan_present || in_frame {
            features &= self.vlan_features(dev) | HW_VLAN_TX;
            if self.is_vlan_tagged_multi(no) && !self.passes_features(dev) {
                features &= SG | HW_CSUM | FRAGLIST | HW_VLAN_TX;
            }
        }
        // harmonize_features()
        if self.skb_network_protocol(no).0 == mpls::P_MPLS_UC {
            features &= self.mpls_features(dev);
        }
        if skb.ip_summed != CHECKSUM_NONE && features & HW_CSUM == 0 {
            features &= !GSO_MASK;
        }
        features
    }

    /// `gso_features_check()`. (Equal ids, `mangleid_features`, are asked for where the first packet may be cut.)
    fn gso_features_check(&self, no: SkbNo, features: Features) -> Features {
        let skb = self.skb(no);
        let gso_type = self.buffers.get(skb.head).shinfo.gso_type;
        if skb.len >= GSO_MAX_SIZE || gso_type == 0 {
            return features & !GSO_MASK;
        }
        if gso_type & gso::TCPV4 == 0 {
            return features;
        }
        let at = match skb.encapsulation {
            true => skb.inner_network_header,
            false => skb.network_header,
        };
        let frag_off = self.bytes(no, u32::from(at) + 6, 2);
        match crate::net::dissect::be16(frag_off, 0) & crate::net::ipv4::DF {
            0 => features & !Features::from(gso::TCP_FIXEDID_FEATURE),
            _ => features,
        }
    }

    /// `ndo_features_check` is `passthru_features_check()`: two VLAN tags are no matter.
    fn passes_features(&self, dev: DevId) -> bool {
        matches!(
            self.topology.dev(dev).kind,
            DeviceKind::Veth { .. }
                | DeviceKind::Netkit { .. }
                | DeviceKind::Bridge
                | DeviceKind::Macvlan { .. }
                | DeviceKind::Tun { tap: true }
        )
    }

    /// `skb_vlan_tagged_multi()` of a packet that has one tag at least.
    fn is_vlan_tagged_multi(&self, no: SkbNo) -> bool {
        let skb = self.skb(no);
        match skb.vlan_present {
            true => vlan::is_vlan(skb.protocol),
            false => {
                let next = self.bytes(no, skb.data + ethernet::HLEN + 2, 2);
                vlan::is_vlan(crate::net::dissect::be16(next, 0))
            }
        }
    }

    /// `skb_network_protocol()`: the protocol behind VLAN tags, and how long the link header with them is.
    pub(super) fn skb_network_protocol(&self, no: SkbNo) -> (u16, u32) {
        let skb = self.skb(no);
        let mut protocol = skb.protocol;
        if protocol == ethernet::P_TEB {
            protocol = crate::net::dissect::be16(self.bytes(no, skb.data + 12, 2), 0);
        }
        let mut depth = u32::from(skb.mac_len);
        if !vlan::is_vlan(protocol) {
            return (protocol, depth);
        }
        // __vlan_get_protocol()
        depth = match depth {
            0 => ethernet::HLEN,
            depth => depth.saturating_sub(vlan::HLEN),
        };
        while vlan::is_vlan(protocol) && depth + vlan::HLEN <= skb.headlen() {
            protocol = crate::net::dissect::be16(self.bytes(no, skb.data + depth + 2, 2), 0);
            depth += vlan::HLEN;
        }
        (protocol, depth)
    }
}
