//! What a running program acts on. The stack implements [`Host`] once for an `xdp_buff` and once
//! for an skb; the engine knows nothing else of packets.

use super::fixup::Prepared;
use super::proposed::{Proposed, TraitCall};

/// A field of the kernel structure behind the context pointer, after the fix-up has turned
/// `struct xdp_md` and `struct __sk_buff` accesses into loads of the real structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CtxField {
    /// `skb->data` / `xdp->data`, an address.
    Data,
    /// `bpf_skb_data_end.data_end` in `skb->cb` / `xdp->data_end`, an address.
    DataEnd,
    /// `bpf_skb_data_end.data_meta` in `skb->cb` / `xdp->data_meta`, an address.
    DataMeta,
    /// `skb->len`.
    Len,
    /// `skb->pkt_type`.
    PktType,
    /// `skb->protocol`, network order as in memory.
    Protocol,
    /// `skb->dev->ifindex` / `xdp->rxq->dev->ifindex`.
    Ifindex,
    /// `skb->skb_iif`.
    IngressIfindex,
    /// `skb->mark`.
    Mark,
    /// `skb->priority`.
    Priority,
    /// `skb->hash`.
    Hash,
    /// `skb->queue_mapping` / `xdp->rxq->queue_index`.
    QueueIndex,
    /// `skb->vlan_tci`.
    VlanTci,
    /// `skb->vlan_all != 0`.
    VlanPresent,
    /// `skb->vlan_proto`, network order as in memory.
    VlanProto,
    /// `skb->tc_index`.
    TcIndex,
    /// `qdisc_skb_cb.tc_classid` in `skb->cb`.
    TcClassid,
    /// `qdisc_skb_cb.data` in `skb->cb`, from that byte on; eight bytes are asked for.
    Cb(u8),
    /// `skb->napi_id`.
    NapiId,
    /// `skb->tstamp` of a program that does not read `tstamp_type`: 0 at ingress when it is a delivery
    /// time.
    Tstamp,
    /// `skb->tstamp` of a program that reads `tstamp_type`.
    TstampAsIs,
    /// The byte of `sk_buff` that holds `tstamp_type`.
    TstampType,
    /// `qdisc_skb_cb.pkt_len` in `skb->cb`.
    WireLen,
    /// `skb_shinfo(skb)->gso_size`.
    GsoSize,
    /// `skb_shinfo(skb)->hwtstamps.hwtstamp`.
    Hwtstamp,
    /// `skb->sk`.
    Sk,
    /// The byte of `sk_buff` that holds `cloned` (what the unclone prologue tests).
    ClonedByte,
    /// `bpf_nf_ctx.state`, an address.
    NfState,
    /// `bpf_nf_ctx.skb`, an address.
    NfSkb,
    /// `nf_hook_state.hook`.
    NfHook,
    /// `nf_hook_state.pf`.
    NfPf,
    /// `nf_hook_state.in`: whether it is there.
    NfIn,
    /// `nf_hook_state.out`: whether it is there.
    NfOut,
    /// `nf_hook_state.in->ifindex`.
    NfInIndex,
    /// `nf_hook_state.out->ifindex`.
    NfOutIndex,
}

/// Where the packet's metadata are at this moment, by the design's formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Offset from `head`, bytes.
    pub start: u32,
    /// Bytes.
    pub len: u32,
}

/// Where `XDP_REDIRECT` sends a packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum XdpTarget {
    /// A device, by its index; from `bpf_redirect()` or a devmap.
    Device(u32),
    /// A CPU of a cpumap.
    Cpu(u32),
    /// An AF_XDP socket, by its index in an xskmap.
    Socket(u32),
    /// All devices of a devmap (`BPF_F_BROADCAST`), by their indexes, in the map's order.
    Devices {
        /// Their indexes.
        all: Vec<u32>,
        /// Not the device at which the packet came in, nor those above it (`BPF_F_EXCLUDE_INGRESS`).
        exclude_ingress: bool,
    },
}

/// What `bpf_xdp_metadata_rx_*()` ask a driver for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RxHint {
    /// Time of arrival, nanoseconds.
    Timestamp,
    /// Hash and `enum xdp_rss_hash_type`.
    Hash,
    /// VLAN protocol in network order, and TCI.
    VlanTag,
}

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RxHintAnswer {
    /// 0 or an error code.
    pub ret: i64,
    /// What it writes to the function's second and third argument, which it may do with an error as well.
    pub values: [Option<u64>; 2],
}

/// A helper's call that changed a map, or what a map will forget next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapChange<'c> {
    /// Number of the map in its object.
    pub map: usize,
    /// Number of the helper: 1 look up (only in maps that forget what is not looked up), 2 update, 3 delete,
    /// 87 push, 88 pop.
    pub helper: u32,
    /// The key, or nothing.
    pub key: &'c [u8],
    /// The value, or nothing.
    pub value: &'c [u8],
    /// Flags.
    pub flags: u64,
}

/// How many instructions a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(pub u64);

impl Default for Budget {
    /// One million, the limit of Linux's verifier (`BPF_COMPLEXITY_LIMIT_INSNS`).
    fn default() -> Self {
        Self(1_000_000)
    }
}

/// `-ENOTSUPP`, from a host that has no such helper. The engine asks TC hosts only.
const NOT_HERE: i64 = -524;

/// What a program acts on. Offsets are bytes from `head` (`data_hard_start` for XDP). Addresses are
/// fixed, kernel-looking numbers: `packet_address()` + offset.
pub trait Host {
    /// Address of `head` in the program's eyes. May change after a helper that reallocates.
    fn packet_address(&self) -> u64;
    /// Value of a field of the kernel structure behind the context.
    fn ctx_load(&mut self, field: CtxField) -> u64;
    /// Offsets between which packet and metadata bytes may be touched by pointer:
    /// `[data_meta, data_end)`, bytes from `head`. Metadata longer than the room in front of them begin below `head`.
    fn packet_bounds(&self) -> (i32, u32);
    /// Reads packet or metadata bytes by pointer; the engine has checked the bounds.
    /// The host judges reads of metadata here.
    fn packet_load(&mut self, offset: i32, into: &mut [u8]);
    /// Writes packet or metadata bytes by pointer; the engine has checked the bounds.
    fn packet_store(&mut self, offset: i32, bytes: &[u8]);

    /// `bpf_xdp_adjust_meta()`; XDP only.
    fn xdp_adjust_meta(&mut self, delta: i32) -> i64;
    /// `bpf_xdp_adjust_head()`; XDP only.
    fn xdp_adjust_head(&mut self, delta: i32) -> i64;
    /// `bpf_xdp_load_bytes()` / `bpf_skb_load_bytes()`: copies from `data + offset`.
    fn load_bytes(&mut self, offset: u32, into: &mut [u8]) -> i64;
    /// `bpf_skb_meta_realign()`, called by the prologue of the `meta_end` design; TC only.
    fn skb_meta_realign(&mut self);
    /// `bpf_skb_pull_data()`; TC only.
    fn skb_pull_data(&mut self, len: u32) -> i64;
    /// `bpf_skb_store_bytes()`; TC only, as the rest of the helpers down to `bpf_redirect()`.
    fn skb_store_bytes(&mut self, _offset: u32, _from: &[u8], _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_vlan_push()`; the protocol in host order.
    fn skb_vlan_push(&mut self, _protocol: u16, _tci: u16) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_vlan_pop()`.
    fn skb_vlan_pop(&mut self) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_change_head()`.
    fn skb_change_head(&mut self, _head_room: u32, _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_change_tail()`.
    fn skb_change_tail(&mut self, _new_len: u32, _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_change_proto()`; the protocol in host order.
    fn skb_change_proto(&mut self, _protocol: u16, _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_adjust_room()`.
    fn skb_adjust_room(&mut self, _len_diff: i32, _mode: u32, _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_clone_redirect()`.
    fn clone_redirect(&mut self, _ifindex: u32, _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_redirect()`.
    fn redirect(&mut self, _ifindex: u32, _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_redirect_peer()` without flags.
    fn redirect_peer(&mut self, _ifindex: u32) -> i64 {
        NOT_HERE
    }
    /// `bpf_redirect_neigh()`; `params` is a `struct bpf_redir_neigh`, or empty.
    fn redirect_neigh(&mut self, _ifindex: u32, _params: &[u8]) -> i64 {
        NOT_HERE
    }
    /// `bpf_l3_csum_replace()`.
    fn l3_csum_replace(&mut self, _offset: u32, _from: u64, _to: u64, _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_l4_csum_replace()`.
    fn l4_csum_replace(&mut self, _offset: u32, _from: u64, _to: u64, _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_csum_update()`.
    fn csum_update(&mut self, _csum: u32) -> i64 {
        NOT_HERE
    }
    /// `bpf_csum_level()`.
    fn csum_level(&mut self, _level: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_lwt_push_encap()`; at input or where the packet is sent.
    fn lwt_push_encap(&mut self, _mode: u32, _header: &[u8], _ingress: bool) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_change_type()`.
    fn skb_change_type(&mut self, _pkt_type: u32) -> i64 {
        NOT_HERE
    }
    /// `bpf_get_hash_recalc()`.
    fn get_hash_recalc(&mut self) -> u32 {
        0
    }
    /// `bpf_set_hash()`; `bpf_set_hash_invalid()` with `None`.
    fn set_hash(&mut self, _hash: Option<u32>) {}
    /// `bpf_skb_ecn_set_ce()`: 1 if the packet is marked now.
    fn skb_ecn_set_ce(&mut self) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_load_bytes_relative()`; `from` is 0 for the MAC header, 1 for the network header.
    fn skb_load_bytes_relative(&mut self, _offset: u32, _into: &mut [u8], _from: u32) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_get_tunnel_key()`: fills a `struct bpf_tunnel_key`, whose size the caller chose.
    fn skb_get_tunnel_key(&mut self, _into: &mut [u8], _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_set_tunnel_key()`.
    fn skb_set_tunnel_key(&mut self, _key: &[u8], _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_get_tunnel_opt()`: the length of the options.
    fn skb_get_tunnel_opt(&mut self, _into: &mut [u8]) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_set_tunnel_opt()`.
    fn skb_set_tunnel_opt(&mut self, _options: &[u8]) -> i64 {
        NOT_HERE
    }
    /// `bpf_fib_lookup()`: `params` is a `struct bpf_fib_lookup`, or too short for one.
    fn fib_lookup(&mut self, _params: &mut [u8], _flags: u32) -> i64 {
        NOT_HERE
    }
    /// `bpf_check_mtu()`: device and difference of length; `mtu_len` is what the program says, and the MTU afterwards.
    fn check_mtu(&mut self, _to: [u32; 2], _mtu_len: &mut u32, _flags: u64) -> i64 {
        NOT_HERE
    }
    /// `bpf_skb_set_tstamp()`.
    fn skb_set_tstamp(&mut self, _tstamp: u64, _tstamp_type: u32) -> i64 {
        NOT_HERE
    }
    /// `bpf_xdp_adjust_tail()`; XDP only, as the next two.
    fn xdp_adjust_tail(&mut self, _delta: i32) -> i64 {
        NOT_HERE
    }
    /// `bpf_xdp_pull_data()`.
    fn xdp_pull_data(&mut self, _len: u32) -> i64 {
        NOT_HERE
    }
    /// `bpf_xdp_store_bytes()`.
    fn xdp_store_bytes(&mut self, _offset: u32, _from: &[u8]) -> i64 {
        NOT_HERE
    }
    /// `bpf_redirect()`, `bpf_redirect_map()`: notes where the verdict `XDP_REDIRECT` sends the packet.
    fn xdp_redirect(&mut self, _to: XdpTarget) {}
    /// `bpf_xdp_metadata_rx_*()`: what the driver knows of the packet.
    fn xdp_rx_hint(&mut self, _hint: RxHint) -> RxHintAnswer {
        const EOPNOTSUPP: i64 = -95;
        RxHintAnswer {
            ret: EOPNOTSUPP,
            values: [None; 2],
        }
    }
    /// `skb->len`, `xdp_get_buff_len()`: bytes of the packet, all pieces.
    fn packet_len(&self) -> u32 {
        let (start, end) = self.packet_bounds();
        end.saturating_sub(start.max(0).unsigned_abs())
    }
    /// Where `len` bytes from `data + offset` on lie in one piece, bytes from `head`
    /// (`skb_pointer_if_linear()`, `bpf_xdp_pointer()`).
    fn linear(&self, _offset: u32, _len: u32) -> Option<u32> {
        None
    }
    /// A field of the kernel structure behind the context is written: `size` bytes of `value`.
    fn ctx_store(&mut self, _field: CtxField, _size: u32, _value: u64) {}
    /// What the design's kernel has beyond Linux.
    fn proposed(&self) -> Proposed {
        Proposed::default()
    }
    /// `bpf_dynptr_from_skb_ext()`: size of the dynptr, and whether it is read-only.
    fn dynptr_from_skb_ext(&mut self, _size: u32, _flags: u64) -> Result<(u32, bool), i64> {
        Err(NOT_HERE)
    }
    /// A kernel function of traits.
    fn traits(&mut self, _call: TraitCall<'_>) -> i64 {
        NOT_HERE
    }
    /// Whether [`Host::dynptr_from_skb_meta`] is there in programs other than TC's.
    fn meta_everywhere(&self) -> bool {
        false
    }
    /// `bpf_dynptr_from_skb_meta()`: checks flags, gives the size.
    /// `Err` is the error code (the dynptr is then null).
    fn dynptr_from_skb_meta(&mut self, flags: u64) -> Result<u32, i64>;
    /// Reads through such a dynptr; `offset` counts from the start of the metadata.
    /// The host judges the read here.
    fn skb_meta_load(&mut self, offset: u32, into: &mut [u8]) -> i64;
    /// Writes through such a dynptr.
    fn skb_meta_store(&mut self, offset: u32, bytes: &[u8]) -> i64;
    /// `bpf_dynptr_slice()` of such a dynptr: where byte `offset` of the metadata lies, bytes from `head`.
    fn skb_meta_slice(&self, _offset: u32) -> Option<i32> {
        None
    }
    /// Writes through such a slice.
    fn skb_meta_slice_store(&mut self, _offset: u32, _bytes: &[u8]) {}

    /// One line of `bpf_printk()`.
    fn printk(&mut self, line: String);
    /// A record sent to a ring buffer map.
    fn ringbuf_output(&mut self, map: &str, record: &[u8]);
    /// `bpf_ktime_get_ns()`: a virtual clock.
    fn ktime_ns(&mut self) -> u64;
    /// The program stored bytes on its stack or in a map value, by itself or through a helper.
    fn stored(&mut self, _address: u64, _bytes: &[u8]) {}
    /// A helper changed a map.
    fn map_changed(&mut self, _change: MapChange<'_>) {}
    /// `bpf_tail_call()` went to another program: what follows are its instructions. `returns`: a function of the
    /// running program called it, and that program goes on after [`Host::tail_return`].
    fn tail_call(&mut self, _program: &Prepared, _returns: bool) {}
    /// The program of the last such tail call has ended.
    fn tail_return(&mut self) {}
    /// Whether [`Host::instruction`] wants to be called. If not, the engine runs at full speed.
    fn steps(&self) -> bool {
        true
    }
    /// An instruction was carried out: its index in the listing and r0–r10 after it.
    fn instruction(&mut self, insn: usize, registers: &[u64; 11]);
}
