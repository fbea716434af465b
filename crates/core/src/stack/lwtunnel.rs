//! Light-weight tunnels: `net/core/lwtunnel.c` and `net/core/lwt_bpf.c`.

use std::net::IpAddr;

use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::scenario::topology::{DevId, Encap, ProgId};
use crate::trace::SkbNo;

/// `LWTUNNEL_XMIT_DONE`: the packet is gone.
pub(super) const LWTUNNEL_XMIT_DONE: i64 = 0;
/// `LWTUNNEL_XMIT_CONTINUE`: the packet goes on to the neighbour.
pub(super) const LWTUNNEL_XMIT_CONTINUE: i64 = 256;

impl Kernel {
    /// `lwtunnel_xmit()`: the route puts something around the packet. Since 7.2 metadata are cleared first
    /// (patch-series.md, section 5).
    pub(super) fn lwtunnel_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        encap: Encap,
        next_hop: IpAddr,
    ) -> Run<i64> {
        self.traced("lwtunnel_xmit", "net/core/lwtunnel.c", no, |k| {
            if k.design.lwt_clears() {
                k.skb_metadata_clear(no);
            }
            match encap {
                Encap::Mpls(label) => k.mpls_xmit(no, dev, label, next_hop),
                Encap::Bpf(program) => k.bpf_xmit(no, dev, program),
                Encap::Seg6(_) | Encap::Ip(_) => not_covered("lwtunnel_xmit: no xmit function"),
            }
        })
    }

    /// `bpf_xmit()`: a program does it; afterwards there must be room for the link header.
    fn bpf_xmit(&mut self, no: SkbNo, dev: DevId, program: ProgId) -> Run<i64> {
        const BPF_OK: i64 = 0;
        const BPF_DROP: i64 = 2;
        const EPERM: i64 = -1;
        const HH_DATA_MOD: u32 = 16;
        self.traced("bpf_xmit", "net/core/lwt_bpf.c", no, |k| {
            match k.run_lwt_bpf(program, dev, no)? {
                BPF_OK => {
                    // xmit_check_hhlen()
                    let header = k.topology.dev(dev).hard_header_len;
                    let missing = header.saturating_sub(k.skb(no).headroom());
                    if missing > 0 {
                        k.pskb_expand_head(no, missing.next_multiple_of(HH_DATA_MOD), 0)?;
                    }
                    Ok(LWTUNNEL_XMIT_CONTINUE)
                }
                BPF_DROP => {
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    Ok(EPERM)
                }
                verdict => not_covered(format!("bpf_xmit: verdict {verdict}")),
            }
        })
    }
}
