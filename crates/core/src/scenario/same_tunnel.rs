//! Tunnels that a namespace can have only once.

use super::command::{TunnelParms, UdpTunnelParms};
use super::topology::DeviceKind;

impl DeviceKind {
    /// Whether a namespace can't have both: `ip_tunnel_find()` (`net/ipv4/ip_tunnel.c`), `vxlan_vni_in_use()`,
    /// `geneve_find_dev()`.
    pub(super) fn is_same_tunnel(&self, other: &Self) -> bool {
        let ip = |a: &TunnelParms, b: &TunnelParms| {
            (a.local, a.remote, a.ikey) == (b.local, b.remote, b.ikey)
        };
        match (self, other) {
            (Self::Gre(a), Self::Gre(b))
            | (Self::Gretap(a), Self::Gretap(b))
            | (Self::Ipip(a), Self::Ipip(b))
            | (Self::Sit(a), Self::Sit(b)) => ip(a, b),
            (Self::Vxlan(a), Self::Vxlan(b)) => {
                let over6 = |parms: &UdpTunnelParms| parms.remote6.is_some();
                (a.vni, a.dstport, over6(a)) == (b.vni, b.dstport, over6(b))
            }
            (Self::Geneve(a), Self::Geneve(b)) => {
                (a.vni, a.dstport, a.remote, a.remote6) == (b.vni, b.dstport, b.remote, b.remote6)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::parse;

    /// own recording E10-decap-vxlan-to-vxlan, command 23: the second device with VNI 42 and port 4789 is refused,
    /// other addresses or not; two GRE devices need other addresses or keys.
    #[test]
    fn the_same_tunnel_twice() {
        let refused = |second: &str| {
            let first = "ip link add a type vxlan id 42 local 10.0.0.1 remote 10.0.0.2 dstport 4789\n\
                ip link add g type gre local 10.0.0.1 remote 10.0.0.2\n";
            let parsed = parse(&format!("{first}{second}")).expect("commands");
            let input = crate::simulate::Input::new("t", parsed, &[]).expect("an input");
            let result = crate::simulate::simulate(&input, crate::design::DesignName::MacHeader);
            result.err().map(|error| error.to_string())
        };
        let vxlan = |id: u32, port: u16| {
            format!(
                "ip link add b type vxlan id {id} local 10.1.0.1 remote 10.1.0.2 dstport {port}"
            )
        };
        assert!(
            refused(&vxlan(42, 4789))
                .expect("refused")
                .contains("the same tunnel as `a`")
        );
        assert_eq!(refused(&vxlan(43, 4789)), None);
        assert_eq!(refused(&vxlan(42, 4790)), None);
        let gre = "ip link add h type gre local 10.0.0.1 remote 10.0.0.2";
        assert!(
            refused(gre)
                .expect("refused")
                .contains("the same tunnel as `g`")
        );
        assert_eq!(refused(&format!("{gre} key 5")), None);
        assert_eq!(refused(&gre.replace("type gre", "type gretap")), None);
    }
}
