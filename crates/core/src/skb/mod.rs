//! `struct sk_buff` and `struct skb_shared_info`: bytes, origins, offsets.
//!
//! All offsets are bytes from `skb->head`. The panic contract of the kernel (`skb_under_panic()`,
//! `skb_over_panic()`) is an error here: [`SkbError`] names the packet and the numbers.

mod alloc;
mod bpf_fields;
mod buffer;
mod frag;
mod offload;
mod packets;
mod sk_buff;

pub use alloc::{
    MAX_LINEAR, NET_SKB_PAD, PAGE_SIZE, SHARED_INFO_SIZE, data_align, kmalloc_end, page_end,
};
pub use bpf_fields::{BpfFields, TunInfo};
pub use buffer::{Buffer, Buffers, SharedInfo, below_head};
pub use frag::{Frag, MAX_SKB_FRAGS, Stretch, Stretches, eat};
pub use offload::{Features, feature, gso, net_gso_ok};
pub use packets::{Packets, SkbList};
pub use sk_buff::{
    BpfSkbDataEnd, CHECKSUM_COMPLETE, CHECKSUM_NONE, CHECKSUM_PARTIAL, CHECKSUM_UNNECESSARY,
    NOT_SET, PacketType, SkBuff, SkbError, header,
};
