//! `skb_shinfo()->gso_type` and the features of a device, whose bits are the same where they are about segmentation
//! (`include/linux/skbuff.h`, `include/linux/netdev_features.h`).

/// Bits of `gso_type` (`SKB_GSO_*`).
#[allow(missing_docs, reason = "names and meaning are the kernel's")]
pub mod gso {
    pub const TCPV4: u32 = 1 << 0;
    /// Somebody changed headers: `gso_size` and the headers are to be checked again.
    pub const DODGY: u32 = 1 << 1;
    pub const TCP_ECN: u32 = 1 << 2;
    /// What a device is asked for when one of the two bits below is set.
    pub const TCP_FIXEDID_FEATURE: u32 = 1 << 3;
    pub const TCPV6: u32 = 1 << 4;
    pub const GRE: u32 = 1 << 6;
    pub const GRE_CSUM: u32 = 1 << 7;
    pub const IPXIP4: u32 = 1 << 8;
    pub const IPXIP6: u32 = 1 << 9;
    pub const UDP_TUNNEL: u32 = 1 << 10;
    pub const UDP_TUNNEL_CSUM: u32 = 1 << 11;
    pub const TCP_ACCECN: u32 = 1 << 19;
    /// All have the same IPv4 id, in the only or outer header.
    pub const TCP_FIXEDID: u32 = 1 << 30;
    /// The same of the inner header.
    pub const TCP_FIXEDID_INNER: u32 = 1 << 31;
    /// What a tunnel adds (`NETIF_F_GSO_ENCAP_ALL`).
    pub const ENCAP_ALL: u32 = GRE | GRE_CSUM | IPXIP4 | IPXIP6 | UDP_TUNNEL | UDP_TUNNEL_CSUM;
    /// `skb_is_gso_tcp()` asks for one of these.
    pub const TCP: u32 = TCPV4 | TCPV6;
}

/// Features of a device, as far as sending asks for them. The low 32 bits are those of [`gso`].
pub type Features = u64;

/// Features beside those of segmentation (`NETIF_F_*`).
#[allow(missing_docs, reason = "names and meaning are the kernel's")]
pub mod feature {
    use super::{Features, gso};

    pub const SG: Features = 1 << 32;
    pub const FRAGLIST: Features = 1 << 33;
    pub const HW_CSUM: Features = 1 << 34;
    pub const HW_VLAN_CTAG_TX: Features = 1 << 35;
    pub const HW_VLAN_STAG_TX: Features = 1 << 36;
    /// Both, which drivers here have together.
    pub const HW_VLAN_TX: Features = HW_VLAN_CTAG_TX | HW_VLAN_STAG_TX;
    /// `GSO_MASK`.
    pub const GSO_MASK: Features = u32::MAX as Features;
    /// `ALL_TSO`.
    pub const ALL_TSO: Features =
        (gso::TCPV4 | gso::TCPV6 | gso::TCP_ECN | gso::TCP_FIXEDID_FEATURE) as Features;
    /// `GSO_SOFTWARE`, of it what TCP needs.
    pub const GSO_SOFTWARE: Features = ALL_TSO | gso::TCP_ACCECN as Features;
    /// `GSO_ROBUST`: the device checks headers that others have changed.
    pub const GSO_ROBUST: Features = gso::DODGY as Features;
    /// `GSO_ENCAP_ALL`.
    pub const GSO_ENCAP_ALL: Features = gso::ENCAP_ALL as Features;
}

/// `net_gso_ok()`: whether a device with these features cuts such packets itself.
#[must_use]
pub fn net_gso_ok(features: Features, gso_type: u32) -> bool {
    const FIXED: u32 = gso::TCP_FIXEDID | gso::TCP_FIXEDID_INNER;
    let fixed = match gso_type & FIXED {
        0 => 0,
        _ => gso::TCP_FIXEDID_FEATURE,
    };
    let wanted = Features::from(gso_type & !FIXED | fixed);
    features & wanted == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_the_type_must_be_a_feature() {
        let veth = feature::GSO_SOFTWARE | feature::GSO_ENCAP_ALL;
        assert!(net_gso_ok(veth, gso::TCPV4 | gso::GRE));
        assert!(!net_gso_ok(feature::GSO_SOFTWARE, gso::TCPV4 | gso::GRE));
        // a header that was changed is for no device but one that checks (NETIF_F_GSO_ROBUST)
        assert!(!net_gso_ok(veth, gso::TCPV4 | gso::DODGY));
        // equal ids are a matter of NETIF_F_TSO_MANGLEID
        assert!(net_gso_ok(veth, gso::TCPV4 | gso::TCP_FIXEDID));
        let plain = Features::from(gso::TCPV4);
        assert!(!net_gso_ok(plain, gso::TCPV4 | gso::TCP_FIXEDID_INNER));
    }
}
