//! `bpf_redirect()` and `bpf_clone_redirect()`.

use super::redirect_neigh::RedirectKind;
use super::{EINVAL, ENOMEM, FILE};
use crate::scenario::topology::DevId;
use crate::stack::skbuff::drop_reason;
use crate::stack::{Kernel, Run};
use crate::trace::SkbNo;

/// `-ERANGE`.
const ERANGE: i64 = -34;
/// `-ENETDOWN`.
pub(super) const ENETDOWN: i64 = -100;
/// `BPF_F_INGRESS`.
const BPF_F_INGRESS: u64 = 1;
/// `TC_ACT_SHOT`.
pub(super) const TC_ACT_SHOT: i64 = 2;
/// `TC_ACT_REDIRECT`.
pub(super) const TC_ACT_REDIRECT: i64 = 7;

/// `struct bpf_redirect_info`: where the verdict `TC_ACT_REDIRECT` sends the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::stack) struct RedirectInfo {
    pub tgt_index: u32,
    pub flags: u64,
    pub kind: RedirectKind,
}

impl Kernel {
    /// `bpf_redirect()`: notes the target; the packet goes there when the program has ended.
    pub(in crate::stack) fn bpf_redirect(&mut self, ifindex: u32, flags: u64) -> i64 {
        if flags & !BPF_F_INGRESS != 0 {
            return TC_ACT_SHOT;
        }
        self.redirect_info = RedirectInfo {
            tgt_index: ifindex,
            flags,
            kind: RedirectKind::Plain,
        };
        TC_ACT_REDIRECT
    }

    /// `bpf_clone_redirect()`: a clone goes out, the packet gets a head of its own.
    pub(in crate::stack) fn bpf_clone_redirect(
        &mut self,
        no: SkbNo,
        ifindex: u32,
        flags: u64,
    ) -> Run<i64> {
        self.traced("bpf_clone_redirect", FILE, no, |k| {
            if flags & !BPF_F_INGRESS != 0 {
                return Ok(EINVAL);
            }
            let Some(dev) = k.dev_get_by_index(no, ifindex) else {
                return Ok(EINVAL);
            };
            let clone = k.skb_clone(no)?;
            if k.bpf_try_make_head_writable(no)? != 0 {
                k.kfree_skb(clone, drop_reason::NOT_SPECIFIED)?;
                return Ok(ENOMEM);
            }
            k.__bpf_redirect(clone, dev, flags)
        })
    }

    /// `skb_do_redirect()`: what the verdict `TC_ACT_REDIRECT` does.
    pub(in crate::stack) fn skb_do_redirect(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("skb_do_redirect", FILE, no, |k| {
            let info = std::mem::take(&mut k.redirect_info);
            match k.dev_get_by_index(no, info.tgt_index) {
                Some(dev) => match info.kind {
                    RedirectKind::Plain => k.__bpf_redirect(no, dev, info.flags),
                    RedirectKind::Peer => k.redirect_peer(no, dev),
                    RedirectKind::Neigh(next_hop) => k.__bpf_redirect_neigh(no, dev, next_hop),
                },
                None => {
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    Ok(EINVAL)
                }
            }
        })
    }

    /// `dev_get_by_index_rcu()` in the namespace of the packet's device.
    fn dev_get_by_index(&self, no: SkbNo, ifindex: u32) -> Option<DevId> {
        let netns = self.topology.dev(self.skb(no).dev?).netns;
        self.topology.dev_by_index(netns, ifindex)
    }

    /// `__bpf_redirect()`: a device with a MAC header takes packets with one, the others packets without.
    fn __bpf_redirect(&mut self, no: SkbNo, dev: DevId, flags: u64) -> Run<i64> {
        self.traced("__bpf_redirect", FILE, no, |k| {
            if k.topology.dev(dev).has_ethernet() {
                k.__bpf_redirect_common(no, dev, flags)
            } else {
                k.__bpf_redirect_no_mac(no, dev, flags)
            }
        })
    }

    /// `__bpf_redirect_common()`.
    fn __bpf_redirect_common(&mut self, no: SkbNo, dev: DevId, flags: u64) -> Run<i64> {
        let skb = self.skb(no);
        if skb.mac_header >= skb.network_header || skb.len == 0 {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(ERANGE);
        }
        self.bpf_push_mac_rcsum(no);
        if flags & BPF_F_INGRESS != 0 {
            self.dev_forward_skb_nomtu(no, dev)
        } else {
            self.__bpf_tx_skb(no, dev)
        }
    }

    /// `__bpf_redirect_no_mac()`: the packet goes on from its network header.
    fn __bpf_redirect_no_mac(&mut self, no: SkbNo, dev: DevId, flags: u64) -> Run<i64> {
        let skb = self.skb(no);
        let mac_len = skb.network_offset();
        if i64::from(skb.len) <= i64::from(mac_len) || mac_len < 0 {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(ERANGE);
        }
        let mac = u32::from(skb.mac_header);
        let pulled = mac_len > 0 && !skb.tc_at_ingress;
        self.skb_mut(no).pull(mac_len as u32)?;
        if pulled {
            self.skb_postpull_rcsum(no, mac, mac_len as u32);
        }
        let skb = self.skb_mut(no);
        // skb_pop_mac_header()
        skb.mac_header = skb.network_header;
        skb.reset_mac_len();
        if flags & BPF_F_INGRESS != 0 {
            self.__bpf_rx_skb_no_mac(no, dev)
        } else {
            self.__bpf_tx_skb(no, dev)
        }
    }

    /// `__bpf_rx_skb_no_mac()`.
    fn __bpf_rx_skb_no_mac(&mut self, no: SkbNo, dev: DevId) -> Run<i64> {
        let ret = self.____dev_forward_skb(no, dev, false)?;
        if ret == 0 {
            self.skb_mut(no).dev = Some(dev);
            return self.netif_rx(no);
        }
        Ok(ret)
    }

    /// `__bpf_tx_skb()`.
    fn __bpf_tx_skb(&mut self, no: SkbNo, dev: DevId) -> Run<i64> {
        if self.dev_xmit_recursion() {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(ENETDOWN);
        }
        let skb = self.skb_mut(no);
        skb.dev = Some(dev);
        skb.redirected = true;
        self.xmit_recursion += 1;
        let result = self.dev_queue_xmit(no);
        self.xmit_recursion -= 1;
        result
    }
}
