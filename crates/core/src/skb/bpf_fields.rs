//! What only programs and tunnels in external mode read and write of an skb.

/// Fields of an skb that programs see in `struct __sk_buff`, or that their helpers change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "names and meaning are the kernel's")]
pub struct BpfFields {
    pub queue_mapping: u16,
    pub tc_index: u16,
    /// `skb->hash`; `None` until somebody asks for it.
    pub hash: Option<u32>,
    /// `skb->l4_hash`: the hash is that of a flow with ports or a flow label; `None`: not known.
    pub l4_hash: Option<bool>,
    pub tstamp: u64,
    pub tstamp_type: u8,
    pub csum_level: u8,
    /// `skb->csum` of a packet with `CHECKSUM_COMPLETE`: the sum from `data` on, or from behind the MAC header that a
    /// TC program at ingress sees too.
    pub csum: u32,
    /// `qdisc_skb_cb.tc_classid`.
    pub tc_classid: u16,
    /// `qdisc_skb_cb.data`, which programs see as `cb`.
    pub cb: [u8; 20],
    /// `skb_tunnel_info()` of a `metadata_dst` that a program set.
    pub tun_info: Option<Box<TunInfo>>,
}

/// `struct ip_tunnel_info` as `bpf_skb_set_tunnel_key()` leaves it. Addresses in network order, IPv4 in the
/// first four bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "names and meaning are the kernel's")]
pub struct TunInfo {
    pub tun_id: u64,
    pub ipv6: bool,
    pub src: [u8; 16],
    pub dst: [u8; 16],
    pub tos: u8,
    pub ttl: u8,
    pub label: u32,
    /// `IP_TUNNEL_INFO_TX` of `mode`: it says how to send; else how the packet came.
    pub tx: bool,
    /// `key.tun_flags`, bit numbers of `IP_TUNNEL_*_BIT`.
    pub tun_flags: u16,
    pub options: Vec<u8>,
}
