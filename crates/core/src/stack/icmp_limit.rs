//! How many ICMP errors a host may be told in a row: `inet_peer_xrlim_allow()` (`net/ipv4/inetpeer.c`). It also ends loops
//! of errors about errors' tunnels.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Kernel;
use crate::net::{icmp, icmpv6};
use crate::scenario::topology::NetnsId;

/// `XRLIM_BURST_FACTOR`: errors that a host may be told at once; then it is one in a second (`icmp_ratelimit`,
/// `icmp.ratelimit`).
const BURST: u32 = 6;

/// Errors that were sent to each host by each namespace since the last command.
pub(super) type Peers = BTreeMap<(NetnsId, IpAddr), u32>;

impl Kernel {
    /// Commands are typed seconds apart, so by the next one there is room again.
    pub(super) fn icmp_time_passes(&mut self) {
        self.icmp_peers.clear();
    }

    /// `icmpv4_mask_allow()` and `icmpv4_xrlim_allow()`: types that `icmp_ratemask` names (0x1818), but not path MTU
    /// discovery.
    pub(super) fn icmpv4_xrlim_allow(
        &mut self,
        netns: NetnsId,
        to: IpAddr,
        kind: u8,
        code: u8,
    ) -> bool {
        const RATEMASK: u32 = 0x1818;
        let limited = u32::from(kind) < u32::BITS && RATEMASK & (1 << kind) != 0;
        let pmtu = kind == icmp::DEST_UNREACH && code == icmp::FRAG_NEEDED;
        !limited || pmtu || self.inet_peer_xrlim_allow(netns, to)
    }

    /// `icmpv6_mask_allow()` and `icmpv6_xrlim_allow()`: all errors but *packet too big*.
    pub(super) fn icmpv6_xrlim_allow(&mut self, netns: NetnsId, to: IpAddr, kind: u8) -> bool {
        kind == icmpv6::PKT_TOOBIG || self.inet_peer_xrlim_allow(netns, to)
    }

    fn inet_peer_xrlim_allow(&mut self, netns: NetnsId, to: IpAddr) -> bool {
        let local = match to {
            IpAddr::V4(to) => self.topology.is_local(netns, to),
            IpAddr::V6(to) => self.topology.is_local6(netns, to),
        };
        let told = self.icmp_peers.entry((netns, to)).or_default();
        // the loopback device has no limit
        *told += u32::from(!local);
        *told <= BURST
    }
}
