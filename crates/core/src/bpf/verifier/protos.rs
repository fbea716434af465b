//! What helpers take and give, and which programs have them: facts from the `bpf_func_proto` structures and
//! from `*_func_proto()` of Linux 7.2.13 (net/core/filter.c, kernel/bpf/helpers.c and neighbours).
//!
//! Arguments, a letter each (`enum bpf_arg_type`):
//!
//! | letter | argument |
//! | --- | --- |
//! | `.` `a` `n` | none; anything; a number |
//! | `C` `N` | the context; or NULL |
//! | `M` `k` | a map; a key of it |
//! | `v` `V` `u` | a value of it to read; or NULL; to write, may be unset before |
//! | `r` `R` `w` `W` `U` | memory to read; or NULL; to write; or NULL; to write, may be unset before |
//! | `s` `z` `A` | size of the memory before it, not 0; or 0; a constant size |
//! | `4` `8` `h` `H` | four bytes to write; eight, may be unset; 20 to read; 40 to read |
//! | `f` `S` | a function of the program; stack or NULL |
//! | `D` `L` `B` `b` | a dynptr; one to be made of memory, of a ring buffer record; a record to give back |
//! | `g` | a ring buffer record to give back |
//! | `K` | a constant string |
//! | `c` `o` `O` | a socket; also as the kernel's structure; one to give back |
//! | `t` `l` | a timer; a lock |
//! | `x` | a kernel structure |
//!
//! Results: `i` number, `0` nothing, `V` map value, and pointers that may be NULL: `v` map value, `s` `c` `t` sockets, `m` memory
//! of a dynptr, `r` ring buffer record, `p` kernel structure; `P` kernel structure that is there.

use crate::bpf::program::ProgType;

/// Program types, as bits.
pub(super) const XDP: u16 = 1;
pub(super) const TC: u16 = 2;
pub(super) const LWT_XMIT: u16 = 4;
pub(super) const LWT_IN: u16 = 8;
pub(super) const LWT_OUT: u16 = 16;
pub(super) const SEG6LOCAL: u16 = 32;
pub(super) const SOCKET: u16 = 64;
pub(super) const CGROUP_SKB: u16 = 128;
pub(super) const SK_SKB: u16 = 256;
pub(super) const NETFILTER: u16 = 512;
const ALL: u16 = 1023;

/// Types whose programs may write the packet (`may_access_direct_pkt_data()`).
pub(super) const WRITE: u16 = XDP | TC | LWT_XMIT | SK_SKB;

/// It may read packet memory directly (`pkt_access`).
pub(super) const PACKET: u8 = 1;
/// Only for programs with a license that fits the GPL.
pub(super) const GPL: u8 = 2;
/// It may sleep.
pub(super) const SLEEPS: u8 = 4;

/// One helper for some program types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proto {
    pub id: u8,
    types: u16,
    pub args: [u8; 5],
    pub ret: u8,
    pub flags: u8,
}

const fn p(id: u8, types: u16, args: &[u8; 5], ret: u8, flags: u8) -> Proto {
    Proto {
        id,
        types,
        args: *args,
        ret,
        flags,
    }
}

/// Bit of a program type; 0 for types that the verifier does not know.
pub(super) fn class(prog_type: &ProgType) -> u16 {
    match prog_type {
        ProgType::Xdp => XDP,
        ProgType::SchedCls => TC,
        ProgType::LwtXmit => LWT_XMIT,
        ProgType::LwtIn => LWT_IN,
        ProgType::LwtOut => LWT_OUT,
        ProgType::LwtSeg6local => SEG6LOCAL,
        ProgType::SocketFilter => SOCKET,
        ProgType::CgroupSkb => CGROUP_SKB,
        ProgType::SkSkb => SK_SKB,
        ProgType::Netfilter => NETFILTER,
        ProgType::Plain | ProgType::Unknown(_) => 0,
    }
}

/// The helper as a program of that type sees it.
pub(super) fn proto(id: u32, class: u16) -> Option<&'static Proto> {
    PROTOS
        .iter()
        .find(|p| u32::from(p.id) == id && p.types & class != 0)
}

/// How many arguments a helper takes; all five if it is not known.
pub fn arguments(id: u32) -> usize {
    let known = PROTOS.iter().find(|p| u32::from(p.id) == id);
    known.map_or(5, |p| p.args.iter().take_while(|arg| **arg != b'.').count())
}

/// What a helper reads behind each of its arguments; nothing of one that is not known.
pub fn reads(id: u32) -> [Behind; 5] {
    let known = PROTOS.iter().find(|p| u32::from(p.id) == id);
    known.map_or([Behind::Nothing; 5], |p| behind(&p.args))
}

fn behind(args: &[u8; 5]) -> [Behind; 5] {
    let mut out = [Behind::Nothing; 5];
    // r1 is the first argument.
    let map = args
        .iter()
        .position(|arg| *arg == b'M')
        .map_or(0, |at| at + 1);
    for (at, arg) in args.iter().enumerate() {
        let sized = args.get(at + 1).is_some_and(|next| b"szA".contains(next));
        out[at] = match arg {
            b'k' => Behind::Key(map),
            b'v' | b'V' => Behind::Value(map),
            b'r' | b'R' if sized => Behind::Sized(at + 2),
            b'h' => Behind::Bytes(20),
            b'H' => Behind::Bytes(40),
            _ => Behind::Nothing,
        };
    }
    out
}

/// What a helper reads through an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// Nothing, or nothing whose length is known.
    Nothing,
    /// A key of the map in the register of that number.
    Key(usize),
    /// A value of that map.
    Value(usize),
    /// As many bytes as the register of that number says.
    Sized(usize),
    /// So many bytes.
    Bytes(u64),
}

/// The types that have it, for messages: ` (xdp, sched_cls have it)`; empty if none of those here has.
pub(super) fn who_has(id: u32) -> String {
    let rows = PROTOS.iter().filter(|p| u32::from(p.id) == id);
    names(rows.fold(0, |types, p| types | p.types))
}

/// Names of program types, for messages.
pub(super) fn names(types: u16) -> String {
    const NAMES: [&str; 10] = [
        "xdp",
        "sched_cls",
        "lwt_xmit",
        "lwt_in",
        "lwt_out",
        "lwt_seg6local",
        "socket_filter",
        "cgroup_skb",
        "sk_skb",
        "netfilter",
    ];
    let has = |(bit, _): &(usize, &&str)| types & (1 << bit) != 0;
    let list: Vec<&str> = NAMES
        .iter()
        .enumerate()
        .filter(has)
        .map(|(_, n)| *n)
        .collect();
    match list.len() {
        0 => String::new(),
        1 => format!(" ({} has it)", list[0]),
        _ => format!(" ({} have it)", list.join(", ")),
    }
}

/// `bpf_helper_changes_pkt_data()`, net/core/filter.c: pointers into the packet are void after it.
pub(super) fn changes_packet(id: u32) -> bool {
    matches!(id, 9..=13 | 18 | 19 | 31 | 38 | 39 | 43 | 44 | 50 | 54 | 65 | 73..=76)
}

#[rustfmt::skip]
const PROTOS: &[Proto] = &[
    p(1, ALL, b"Mk...", b'v', PACKET), // map_lookup_elem
    p(2, ALL, b"Mkva.", b'i', PACKET), // map_update_elem
    p(3, ALL, b"Mk...", b'i', PACKET), // map_delete_elem
    p(5, ALL, b".....", b'i', 0), // ktime_get_ns
    p(6, ALL, b"rs...", b'i', GPL), // trace_printk
    p(7, ALL, b".....", b'i', 0), // get_prandom_u32
    p(8, ALL, b".....", b'i', 0), // get_smp_processor_id
    p(9, TC | LWT_XMIT | SK_SKB, b"Carsa", b'i', 0), // skb_store_bytes
    p(10, TC | LWT_XMIT, b"Caaaa", b'i', 0), // l3_csum_replace
    p(11, TC | LWT_XMIT, b"Caaaa", b'i', 0), // l4_csum_replace
    p(12, ALL, b"CMa..", b'0', 0), // tail_call
    p(13, TC | LWT_XMIT, b"Caa..", b'i', 0), // clone_redirect
    p(14, ALL, b".....", b'i', 0), // get_current_pid_tgid
    p(15, ALL, b".....", b'i', 0), // get_current_uid_gid
    p(16, ALL, b"Us...", b'i', 0), // get_current_comm
    p(17, XDP | SOCKET | CGROUP_SKB | SK_SKB, b".....", b'i', 0), // get_cgroup_classid
    p(17, TC | LWT_XMIT | LWT_IN | LWT_OUT | SEG6LOCAL, b"C....", b'i', 0), // get_cgroup_classid
    p(18, TC, b"Caa..", b'i', 0), // skb_vlan_push
    p(19, TC, b"C....", b'i', 0), // skb_vlan_pop
    p(20, TC | LWT_XMIT, b"CUsa.", b'i', 0), // skb_get_tunnel_key
    p(21, TC | LWT_XMIT, b"Crsa.", b'i', 0), // skb_set_tunnel_key
    p(22, ALL, b"Ma...", b'i', GPL), // perf_event_read
    p(23, XDP | TC | LWT_XMIT, b"aa...", b'i', 0), // redirect
    p(24, TC | LWT_XMIT | LWT_IN | LWT_OUT | SEG6LOCAL, b"C....", b'i', 0), // get_route_realm
    p(25, ALL, b"CMarz", b'i', GPL), // perf_event_output
    p(26, TC | LWT_XMIT | LWT_IN | LWT_OUT | SEG6LOCAL | SOCKET | CGROUP_SKB | SK_SKB, b"CaUs.", b'i', 0), // skb_load_bytes
    p(28, XDP | TC | LWT_XMIT | LWT_IN | LWT_OUT | SEG6LOCAL, b"RzRza", b'i', PACKET), // csum_diff
    p(29, TC | LWT_XMIT, b"CUs..", b'i', 0), // skb_get_tunnel_opt
    p(30, TC | LWT_XMIT, b"Crs..", b'i', 0), // skb_set_tunnel_opt
    p(31, TC, b"Caa..", b'i', 0), // skb_change_proto
    p(32, TC, b"Ca...", b'i', 0), // skb_change_type
    p(33, TC | LWT_XMIT | LWT_IN | LWT_OUT | SEG6LOCAL, b"CMa..", b'i', 0), // skb_under_cgroup
    p(34, TC | LWT_XMIT | LWT_IN | LWT_OUT | SEG6LOCAL, b"C....", b'i', 0), // get_hash_recalc
    p(35, ALL, b".....", b'i', GPL), // get_current_task
    p(37, ALL, b"Ma...", b'i', 0), // current_task_under_cgroup
    p(38, TC | LWT_XMIT | SK_SKB, b"Caa..", b'i', 0), // skb_change_tail
    p(39, TC | LWT_XMIT | LWT_IN | LWT_OUT | SK_SKB, b"Ca...", b'i', 0), // skb_pull_data
    p(40, TC | LWT_XMIT, b"Ca...", b'i', 0), // csum_update
    p(41, TC | LWT_XMIT, b"C....", b'i', 0), // set_hash_invalid
    p(42, ALL, b".....", b'i', 0), // get_numa_node_id
    p(43, TC | LWT_XMIT | SK_SKB, b"Caa..", b'i', 0), // skb_change_head
    p(44, XDP, b"Ca...", b'i', 0), // xdp_adjust_head
    p(46, TC | SOCKET | CGROUP_SKB | SK_SKB, b"C....", b'i', 0), // get_socket_cookie
    p(47, TC | SOCKET | CGROUP_SKB | SK_SKB, b"C....", b'i', 0), // get_socket_uid
    p(48, TC, b"Ca...", b'i', 0), // set_hash
    p(50, TC | SK_SKB, b"Caaa.", b'i', 0), // skb_adjust_room
    p(51, XDP, b"Maa..", b'i', 0), // redirect_map
    p(52, SK_SKB, b"CMaa.", b'i', 0), // sk_redirect_map
    p(54, XDP, b"Ca...", b'i', 0), // xdp_adjust_meta
    p(55, ALL, b"MaUs.", b'i', GPL), // perf_event_read_value
    p(65, XDP, b"Ca...", b'i', 0), // xdp_adjust_tail
    p(66, TC, b"CaUsa", b'i', 0), // skb_get_xfrm_state
    p(68, TC | SOCKET | CGROUP_SKB, b"CaUsa", b'i', 0), // skb_load_bytes_relative
    p(69, XDP | TC, b"Cwsa.", b'i', GPL), // fib_lookup
    p(72, SK_SKB, b"CMka.", b'i', 0), // sk_redirect_hash
    p(73, LWT_XMIT | LWT_IN, b"Cars.", b'i', 0), // lwt_push_encap
    p(74, SEG6LOCAL, b"Cars.", b'i', 0), // lwt_seg6_store_bytes
    p(75, SEG6LOCAL, b"Caa..", b'i', 0), // lwt_seg6_adjust_srh
    p(76, SEG6LOCAL, b"Cars.", b'i', 0), // lwt_seg6_action
    p(79, TC | CGROUP_SKB, b"C....", b'i', 0), // skb_cgroup_id
    p(80, ALL, b".....", b'i', 0), // get_current_cgroup_id
    p(81, CGROUP_SKB, b"Ma...", b'V', 0), // get_local_storage
    p(83, TC | CGROUP_SKB, b"Ca...", b'i', 0), // skb_ancestor_cgroup_id
    p(84, XDP | TC | CGROUP_SKB | SK_SKB, b"Crzaa", b's', PACKET), // sk_lookup_tcp
    p(85, XDP | TC | CGROUP_SKB | SK_SKB, b"Crzaa", b's', PACKET), // sk_lookup_udp
    p(86, XDP | TC | CGROUP_SKB | SK_SKB, b"O....", b'i', 0), // sk_release
    p(87, ALL, b"Mva..", b'i', PACKET), // map_push_elem
    p(88, ALL, b"Mu...", b'i', 0), // map_pop_elem
    p(89, ALL, b"Mu...", b'i', 0), // map_peek_elem
    p(93, ALL, b"l....", b'0', 0), // spin_lock
    p(94, ALL, b"l....", b'0', 0), // spin_unlock
    p(95, TC | CGROUP_SKB, b"c....", b's', 0), // sk_fullsock
    p(96, TC | CGROUP_SKB, b"c....", b't', 0), // tcp_sock
    p(97, TC | CGROUP_SKB, b"C....", b'i', 0), // skb_ecn_set_ce
    p(98, TC | CGROUP_SKB, b"c....", b's', 0), // get_listener_sock
    p(99, XDP | TC | CGROUP_SKB | SK_SKB, b"Crzaa", b'c', PACKET), // skc_lookup_tcp
    p(100, XDP | TC, b"orsrs", b'i', PACKET | GPL), // tcp_check_syncookie
    p(105, ALL, b"rsa8.", b'i', 0), // strtol
    p(106, ALL, b"rsa8.", b'i', 0), // strtoul
    p(107, TC | CGROUP_SKB, b"MoVa.", b'v', 0), // sk_storage_get
    p(108, TC | CGROUP_SKB, b"Mo...", b'i', 0), // sk_storage_delete
    p(109, ALL, b"a....", b'i', 0), // send_signal
    p(110, XDP | TC, b"orsrs", b'i', PACKET | GPL), // tcp_gen_syncookie
    p(112, ALL, b"Uza..", b'i', GPL), // probe_read_user
    p(113, ALL, b"Uza..", b'i', GPL), // probe_read_kernel
    p(114, ALL, b"Uza..", b'i', GPL), // probe_read_user_str
    p(115, ALL, b"Uza..", b'i', GPL), // probe_read_kernel_str
    p(117, ALL, b"a....", b'i', 0), // send_signal_thread
    p(118, ALL, b".....", b'i', 0), // jiffies64
    p(120, ALL, b"aaUs.", b'i', 0), // get_ns_current_pid_tgid
    p(122, TC | SOCKET | CGROUP_SKB, b"N....", b'i', 0), // get_netns_cookie
    p(123, ALL, b"a....", b'i', 0), // get_current_ancestor_cgroup_id
    p(124, TC, b"Coa..", b'i', 0), // sk_assign
    p(125, ALL, b".....", b'i', 0), // ktime_get_boot_ns
    p(128, CGROUP_SKB, b"o....", b'i', 0), // sk_cgroup_id
    p(129, CGROUP_SKB, b"oa...", b'i', 0), // sk_ancestor_cgroup_id
    p(130, ALL, b"Mrza.", b'i', 0), // ringbuf_output
    p(131, ALL, b"MAa..", b'r', 0), // ringbuf_reserve
    p(132, ALL, b"ga...", b'0', 0), // ringbuf_submit
    p(133, ALL, b"ga...", b'0', 0), // ringbuf_discard
    p(134, ALL, b"Ma...", b'i', 0), // ringbuf_query
    p(135, TC | LWT_XMIT, b"Ca...", b'i', 0), // csum_level
    p(136, ALL, b"o....", b'p', 0), // skc_to_tcp6_sock
    p(137, ALL, b"o....", b'p', 0), // skc_to_tcp_sock
    p(138, ALL, b"o....", b'p', 0), // skc_to_tcp_timewait_sock
    p(139, ALL, b"o....", b'p', 0), // skc_to_tcp_request_sock
    p(140, ALL, b"o....", b'p', 0), // skc_to_udp6_sock
    p(141, ALL, b"xUza.", b'i', 0), // get_task_stack
    p(148, ALL, b"Uza..", b'i', SLEEPS), // copy_from_user
    p(149, ALL, b"wsrsa", b'i', 0), // snprintf_btf
    p(151, TC, b"C....", b'i', 0), // skb_cgroup_classid
    p(152, TC, b"aRza.", b'i', 0), // redirect_neigh
    p(153, ALL, b"xa...", b'p', 0), // per_cpu_ptr
    p(154, ALL, b"x....", b'P', 0), // this_cpu_ptr
    p(155, TC, b"aa...", b'i', 0), // redirect_peer
    p(156, ALL, b"MxVa.", b'v', 0), // task_storage_get
    p(157, ALL, b"Mx...", b'i', 0), // task_storage_delete
    p(158, ALL, b".....", b'P', GPL), // get_current_task_btf
    p(160, ALL, b".....", b'i', 0), // ktime_get_coarse_ns
    p(163, XDP | TC, b"Ca4aa", b'i', GPL), // check_mtu
    p(164, ALL, b"MfSa.", b'i', 0), // for_each_map_elem
    p(165, ALL, b"WzKRz", b'i', GPL), // snprintf
    p(169, ALL, b"tMa..", b'i', GPL), // timer_init
    p(170, ALL, b"tf...", b'i', GPL), // timer_set_callback
    p(171, ALL, b"taa..", b'i', GPL), // timer_start
    p(172, ALL, b"t....", b'i', GPL), // timer_cancel
    p(175, ALL, b"x....", b'P', GPL), // task_pt_regs
    p(176, ALL, b"Uz...", b'i', GPL), // get_branch_snapshot
    p(177, ALL, b"rsRz.", b'i', GPL), // trace_vprintk
    p(178, ALL, b"o....", b'p', 0), // skc_to_unix_sock
    p(180, ALL, b"xafSa", b'i', 0), // find_vma
    p(181, ALL, b"nfSa.", b'i', 0), // loop
    p(182, ALL, b"rsK..", b'i', 0), // strncmp
    p(188, XDP, b"C....", b'i', 0), // xdp_get_buff_len
    p(189, XDP, b"CaUs.", b'i', 0), // xdp_load_bytes
    p(190, XDP, b"Cars.", b'i', 0), // xdp_store_bytes
    p(191, ALL, b"Uzaxa", b'i', GPL | SLEEPS), // copy_from_user_task
    p(192, TC, b"Caa..", b'i', 0), // skb_set_tstamp
    p(194, ALL, b"xx...", b'p', 0), // kptr_xchg
    p(195, ALL, b"Mka..", b'v', PACKET), // map_lookup_percpu_elem
    p(196, ALL, b"c....", b'p', 0), // skc_to_mptcp_sock
    p(197, ALL, b"UzaL.", b'i', 0), // dynptr_from_mem
    p(198, ALL, b"MaaB.", b'i', 0), // ringbuf_reserve_dynptr
    p(199, ALL, b"ba...", b'0', 0), // ringbuf_submit_dynptr
    p(200, ALL, b"ba...", b'0', 0), // ringbuf_discard_dynptr
    p(201, ALL, b"UzDaa", b'i', 0), // dynptr_read
    p(202, ALL, b"Darza", b'i', 0), // dynptr_write
    p(203, ALL, b"DaA..", b'm', 0), // dynptr_data
    p(204, XDP | TC, b"hrz..", b'i', PACKET | GPL), // tcp_raw_gen_syncookie_ipv4
    p(205, XDP | TC, b"Hrz..", b'i', PACKET | GPL), // tcp_raw_gen_syncookie_ipv6
    p(206, XDP | TC, b"hh...", b'i', PACKET | GPL), // tcp_raw_check_syncookie_ipv4
    p(207, XDP | TC, b"Hh...", b'i', PACKET | GPL), // tcp_raw_check_syncookie_ipv6
    p(208, ALL, b".....", b'i', 0), // ktime_get_tai_ns
    p(209, ALL, b"MfSa.", b'i', 0), // user_ringbuf_drain
    p(210, ALL, b"MxVa.", b'v', 0), // cgrp_storage_get
    p(211, ALL, b"Mx...", b'i', 0), // cgrp_storage_delete
];
