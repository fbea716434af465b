//! `bpf_redirect_neigh()` and `bpf_redirect_peer()` (`net/core/filter.c`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::redirect::{ENETDOWN, TC_ACT_REDIRECT, TC_ACT_SHOT};
use super::{FILE, RedirectInfo};
use crate::net::ethernet;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::NOT_SET;
use crate::stack::skbuff::drop_reason;
use crate::stack::{Kernel, Run};
use crate::trace::SkbNo;

/// `-ENOTSUPP`, `-EINVAL`, `-EAGAIN`.
const ENOTSUPP: i64 = -524;
const EINVAL: i64 = -22;
pub(in crate::stack) const EAGAIN: i64 = -11;
/// `NET_XMIT_DROP`.
const NET_XMIT_DROP: i64 = 1;
/// `sizeof(struct bpf_redir_neigh)`: family and 16 bytes of address.
const REDIR_NEIGH: usize = 20;
/// `AF_INET`, `AF_INET6`.
const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;

/// How the verdict `TC_ACT_REDIRECT` is meant, beside its flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::stack) enum RedirectKind {
    /// `bpf_redirect()`.
    #[default]
    Plain,
    /// `bpf_redirect_peer()`: to the other end of a pair, in its namespace.
    Peer,
    /// `bpf_redirect_neigh()`: the neighbour's address is filled in; with the next hop that was given.
    Neigh(Option<IpAddr>),
}

impl Kernel {
    /// `bpf_redirect_peer()`: notes the target. No flag is defined.
    pub(in crate::stack) fn bpf_redirect_peer(&mut self, ifindex: u32) -> i64 {
        self.redirect_info = RedirectInfo {
            tgt_index: ifindex,
            flags: 0,
            kind: RedirectKind::Peer,
        };
        TC_ACT_REDIRECT
    }

    /// `bpf_redirect_neigh()`: notes the target; `params` is a `struct bpf_redir_neigh` or empty.
    pub(in crate::stack) fn bpf_redirect_neigh(&mut self, ifindex: u32, params: &[u8]) -> i64 {
        let next_hop = match params {
            [] => None,
            params if params.len() < REDIR_NEIGH => return TC_ACT_SHOT,
            params => match next_hop(params) {
                Some(next_hop) => Some(next_hop),
                None => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            },
        };
        self.redirect_info = RedirectInfo {
            tgt_index: ifindex,
            flags: 0,
            kind: RedirectKind::Neigh(next_hop),
        };
        TC_ACT_REDIRECT
    }

    /// `skb_do_redirect()` with `BPF_F_PEER`: the packet is on the other end's device now and is looked at once more
    /// (`-EAGAIN`). Without a hop through the backlog, and only from one namespace into another.
    pub(super) fn redirect_peer(&mut self, no: SkbNo, dev: DevId) -> Run<i64> {
        let here = self.skb(no).dev.map(|dev| self.topology.dev(dev).netns);
        let peer = match self.topology.dev(dev).kind {
            DeviceKind::Veth { peer } | DeviceKind::Netkit { peer, .. }
                if self.skb(no).tc_at_ingress =>
            {
                Some(peer)
            }
            _ => None,
        };
        let peer = peer.filter(|peer| {
            let device = self.topology.dev(*peer);
            device.up && Some(device.netns) != here
        });
        let Some(peer) = peer else {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(EINVAL);
        };
        self.skb_mut(no).dev = Some(peer);
        self.skb_scrub_packet(no, false)?;
        Ok(EAGAIN)
    }

    /// `__bpf_redirect_neigh()`: the old link header goes, the neighbour's comes.
    pub(super) fn __bpf_redirect_neigh(
        &mut self,
        no: SkbNo,
        dev: DevId,
        next_hop: Option<IpAddr>,
    ) -> Run<i64> {
        let skb = self.skb(no);
        let mac = u32::from(skb.mac_header);
        let group = self.bytes(no, mac, 1).first().is_some_and(|b| b & 1 == 1);
        if skb.mac_header >= skb.network_header || group {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(ENOTSUPP);
        }
        let skb = self.skb_mut(no);
        skb.pull(ethernet::HLEN)?;
        skb.mac_header = NOT_SET;
        skb.reset_network_header();
        let netns = self.topology.dev(dev).netns;
        let next_hop = match self.skb(no).protocol {
            ethernet::P_IP => match next_hop {
                Some(given) => Some(given),
                None => {
                    let daddr = self.ip_hdr_addr(no, 16);
                    let route = self.topology.route(netns, daddr).ok();
                    self.skb_mut(no).set_dst(route);
                    route.map(|route| route.via.unwrap_or(daddr).into())
                }
            },
            ethernet::P_IPV6 => match next_hop {
                // a next hop of IPv4 is of no use for IPv6
                Some(given) => Some(given).filter(IpAddr::is_ipv6),
                None => {
                    let daddr = self.ipv6_hdr_addr(no, 24);
                    let route = self.topology.route6(netns, daddr);
                    self.skb_mut(no).set_dst6(route);
                    route.map(|route| route.via.unwrap_or(daddr).into())
                }
            },
            _ => {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(ENOTSUPP);
            }
        };
        match next_hop {
            Some(next_hop) => self.bpf_out_neigh(no, dev, next_hop),
            None => {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                Ok(NET_XMIT_DROP)
            }
        }
    }

    /// `bpf_out_neigh_v4()`, `bpf_out_neigh_v6()`: out by the device, whatever the route says.
    fn bpf_out_neigh(&mut self, no: SkbNo, dev: DevId, next_hop: IpAddr) -> Run<i64> {
        let name = match next_hop {
            IpAddr::V4(_) => "bpf_out_neigh_v4",
            IpAddr::V6(_) => "bpf_out_neigh_v6",
        };
        self.traced(name, FILE, no, |k| {
            if k.dev_xmit_recursion() {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(ENETDOWN);
            }
            k.skb_mut(no).dev = Some(dev);
            let room = k.topology.dev(dev).ll_reserved_space();
            if k.skb(no).headroom() < room {
                k.skb_expand_head(no, room)?;
            }
            k.xmit_recursion += 1;
            let sent = k.local_bh(|k| k.neigh_output(no, dev, next_hop));
            k.xmit_recursion -= 1;
            sent
        })
    }
}

/// The address in a `struct bpf_redir_neigh`; `None` for another family.
fn next_hop(params: &[u8]) -> Option<IpAddr> {
    let family = params.get(..4)?.try_into().map(u32::from_le_bytes).ok()?;
    match family {
        AF_INET => {
            let octets: [u8; 4] = params.get(4..8)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets).into())
        }
        AF_INET6 => {
            let octets: [u8; 16] = params.get(4..20)?.try_into().ok()?;
            Some(Ipv6Addr::from(octets).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `struct bpf_redir_neigh` (`include/uapi/linux/bpf.h`): family in host order, then the address as on the wire.
    #[test]
    fn the_next_hop_of_a_program() {
        let mut params = [0; REDIR_NEIGH];
        params[0] = 2;
        params[4..8].copy_from_slice(&[10, 0, 0, 9]);
        assert_eq!(next_hop(&params), Some(Ipv4Addr::new(10, 0, 0, 9).into()));
        params[0] = 10;
        params[4..20].copy_from_slice(&Ipv6Addr::LOCALHOST.octets());
        assert_eq!(next_hop(&params), Some(Ipv6Addr::LOCALHOST.into()));
        params[0] = 1;
        assert_eq!(next_hop(&params), None);
    }
}
