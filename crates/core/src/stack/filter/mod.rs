//! What a TC program can do to an skb (`net/core/filter.c`): one function per helper, with its name.

mod csum;
mod fib_lookup;
mod fib_lookup6;
#[cfg(test)]
mod fib_tests;
mod fields;
mod redirect;
mod redirect_neigh;
mod resize;
mod room;
#[cfg(test)]
mod tests;
mod tunnel;
mod vlan;

pub(super) use redirect::RedirectInfo;
pub(super) use redirect_neigh::EAGAIN;
pub(super) use tunnel::bit as tun_flag;

use super::skb_own::ENOMEM;
use super::{Kernel, Run};
use crate::design::Realign;
use crate::design::traits::ENOENT;
use crate::skb::BpfSkbDataEnd;
use crate::trace::{Layer, SkbNo};
use crate::xdp::EINVAL;

const FILE: &str = "net/core/filter.c";
/// `-EFAULT`.
const EFAULT: i64 = -14;
/// `-ENOTSUPP`.
pub(super) const ENOTSUPP: i64 = -524;
/// `BPF_SKB_MAX_LEN` = `SKB_MAX_ALLOC`: four pages without the shared info.
const BPF_SKB_MAX_LEN: u32 = 4 * 4096 - crate::skb::SHARED_INFO_SIZE;

impl Kernel {
    /// `bpf_compute_data_pointers()` (`include/linux/filter.h`): `data_meta = data - meta_len`, whatever the design says,
    /// and be it below `head`.
    pub(super) fn bpf_compute_data_pointers(&mut self, no: SkbNo) {
        let mut meta_len = self.metadata_len(no);
        if self.carries_data_meta() && meta_len > self.skb(no).data {
            // no room in front of the packet for what the pointers would have to show
            meta_len = 0;
        }
        let skb = self.skb_mut(no);
        skb.cb = BpfSkbDataEnd {
            data_meta: skb.data as i32 - meta_len as i32,
            data_end: skb.data + skb.headlen(),
        };
    }

    /// `bpf_try_make_writable()`.
    pub(super) fn bpf_try_make_writable(&mut self, no: SkbNo, write_len: u32) -> Run<i64> {
        let err = self.skb_ensure_writable(no, write_len)?;
        self.bpf_compute_data_pointers(no);
        Ok(err)
    }

    /// `bpf_try_make_head_writable()`.
    fn bpf_try_make_head_writable(&mut self, no: SkbNo) -> Run<i64> {
        self.bpf_try_make_writable(no, self.skb(no).headlen())
    }

    /// `bpf_skb_store_bytes()`; `source` says whose bytes they are.
    pub(super) fn bpf_skb_store_bytes(
        &mut self,
        no: SkbNo,
        offset: u32,
        from: &[u8],
        flags: u64,
        source: u16,
    ) -> Run<i64> {
        const BPF_F_RECOMPUTE_CSUM: u64 = 1;
        const BPF_F_INVALIDATE_HASH: u64 = 2;
        self.traced("bpf_skb_store_bytes", FILE, no, |k| {
            if flags & !(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH) != 0 {
                return Ok(EINVAL);
            }
            if offset > i32::MAX as u32 {
                return Ok(EFAULT);
            }
            let end = offset.saturating_add(from.len() as u32);
            if k.bpf_try_make_writable(no, end)? != 0 {
                return Ok(EFAULT);
            }
            let (head, at) = (k.skb(no).head, k.skb(no).data + offset);
            let len = from.len() as u32;
            if flags & BPF_F_RECOMPUTE_CSUM != 0 {
                k.skb_postpull_rcsum_at(no, at, len, offset);
            }
            k.buffers.write(head, at, from, source, 0);
            if flags & BPF_F_RECOMPUTE_CSUM != 0 {
                k.skb_postpush_rcsum(no, at, len, offset);
            }
            if flags & BPF_F_INVALIDATE_HASH != 0 {
                k.skb_mut(no).bpf.hash = None;
            }
            Ok(0)
        })
    }

    /// `bpf_skb_pull_data()`: 0 bytes asked for are all linear ones.
    pub(super) fn bpf_skb_pull_data(&mut self, no: SkbNo, len: u32) -> Run<i64> {
        self.traced("bpf_skb_pull_data", FILE, no, |k| {
            let len = if len == 0 { k.skb(no).headlen() } else { len };
            k.bpf_try_make_writable(no, len)
        })
    }

    /// `bpf_skb_meta_realign()` (series v3, patch 16). On the warning path `data_meta` is not computed anew.
    pub(super) fn bpf_skb_meta_realign(&mut self, no: SkbNo) -> Run<()> {
        self.traced("bpf_skb_meta_realign", FILE, no, |k| {
            let head = k.skb(no).head;
            match k.design.realign(k.skb(no), &k.buffers.get(head).shinfo) {
                Realign::Nothing => {}
                Realign::MoveUp { gap } => {
                    k.move_metadata_up(head, gap);
                    k.bpf_compute_data_pointers(no);
                }
                Realign::WarnAndClear => {
                    k.warn_once("skb metadata end past mac header");
                    // the place in the recorded kernel
                    k.warn_once("WARNING: net/core/filter.c:9276 bpf_skb_meta_realign");
                    k.skb_metadata_clear(no);
                }
            }
            Ok(())
        })
    }

    /// `bpf_dynptr_from_skb_meta()`: the size of the dynptr, or an error. Where metadata are kept outside of the buffer
    /// it stands for the design's own function: nothing there is `-ENOENT`, and what a clone shares may be refused.
    pub(super) fn bpf_dynptr_from_skb_meta(
        &mut self,
        no: SkbNo,
        flags: u64,
    ) -> Run<Result<u32, i64>> {
        const EOPNOTSUPP: i64 = -95;
        let ret = self.traced("bpf_dynptr_from_skb_meta", FILE, no, |k| {
            let outside = k.design.outside().is_some();
            Ok(if flags != 0 {
                EINVAL
            } else if outside && k.metadata_refused(no) {
                EOPNOTSUPP
            } else if outside && k.metadata_place(no).is_none() {
                ENOENT
            } else {
                0
            })
        })?;
        Ok(if ret == 0 {
            Ok(self.metadata_len(no))
        } else {
            Err(ret)
        })
    }

    /// `__bpf_skb_meta_store_bytes()` up to the store: a buffer of one's own first. Flags are checked by the caller.
    pub(super) fn bpf_skb_meta_make_writable(&mut self, no: SkbNo) -> Run<i64> {
        let err = self.bpf_try_make_writable(no, 0)?;
        Ok(if err == 0 { 0 } else { EFAULT })
    }

    /// `memset(…, 0, …)` of room that a helper made.
    fn zero(&mut self, no: SkbNo, offset: u32, len: u32, writer: &str) {
        let label = format!("room made by {writer}");
        let zeros = vec![0; len as usize];
        self.write_header(no, offset, &zeros, Layer::ProgramStore, label, writer);
    }
}
