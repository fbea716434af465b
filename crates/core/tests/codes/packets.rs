//! Helpers over a packet in TC (net/core/filter.c, net/core/skbuff.c).

use crate::row::*;

/// Ethernet and IPv6 with 64 bytes behind, 118 in all.
pub fn ipv6() -> Vec<u8> {
    let mut frame = vec![
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 64, 59, 64,
    ];
    frame.extend([0; 96]);
    frame
}

/// Two devices at a wire; `rx` has the index 2.
const WIRE: &str = "ip netns add far\nip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns far\n\
    ip link set rx up\nip -n far link set tx up\n";
const SEND: &str = "orc send tx 02000000000102000000000208004500002000010000401166ca0a0000010a00000203e807d0000c000001020304 far\n";

fn bytes() -> Vec<Row> {
    let store = |code, source, offset: &str, len: &str, flags: &str| {
        let args = ["ctx", offset, "fp-8", len, flags];
        let text = zeros(8) + &call("bpf_skb_store_bytes", &args);
        Row::tc("bpf_skb_store_bytes", code, source, &text)
    };
    let load = |code, source, offset: &str| {
        let text = zeros(8) + &call("bpf_skb_load_bytes", &["ctx", offset, "fp-8", "8"]);
        Row::tc("bpf_skb_load_bytes", code, source, &text)
    };
    let relative = |source, offset: &str, from: &str| {
        let args = ["ctx", offset, "fp-8", "8", from];
        let text = zeros(8) + &call("bpf_skb_load_bytes_relative", &args);
        Row::tc("bpf_skb_load_bytes_relative", EFAULT, source, &text)
    };
    vec![
        store(EINVAL, "bpf_skb_store_bytes: flags", "0", "8", "4"),
        store(
            EFAULT,
            "bpf_skb_store_bytes: offset > INT_MAX",
            "0x80000000 ll",
            "8",
            "0",
        ),
        store(EFAULT, "bpf_try_make_writable: 46 bytes", "39", "8", "0"),
        load(
            EFAULT,
            "bpf_skb_load_bytes: offset > INT_MAX",
            "0x80000000 ll",
        ),
        load(EFAULT, "skb_header_pointer: 46 bytes", "39"),
        relative(
            "bpf_skb_load_bytes_relative: offset > 0xffff",
            "0x10000",
            "0",
        ),
        relative("bpf_skb_load_bytes_relative: start_header", "0", "2"),
        relative("bpf_skb_load_bytes_relative: end, MAC", "39", "0"),
        relative("bpf_skb_load_bytes_relative: end, network", "25", "1"),
        Row::tc(
            "bpf_skb_pull_data",
            ENOMEM,
            "skb_ensure_writable: 46 bytes",
            &call("bpf_skb_pull_data", &["ctx", "47"]),
        ),
    ]
}

fn checksums() -> Vec<Row> {
    let replace = |name, code, source, args: [&str; 4]| {
        let [offset, from, to, flags] = args;
        let helper = format!("bpf_{name}");
        let text = call(&helper, &["ctx", offset, from, to, flags]);
        let name = if name == "l3_csum_replace" {
            "bpf_l3_csum_replace"
        } else {
            "bpf_l4_csum_replace"
        };
        Row::tc(name, code, source, &text)
    };
    let mut rows = Vec::new();
    for name in ["l3_csum_replace", "l4_csum_replace"] {
        let unknown = if name == "l3_csum_replace" {
            "16"
        } else {
            "0x100"
        };
        rows.extend([
            replace(name, EINVAL, "flags", ["24", "0", "0", unknown]),
            replace(name, EINVAL, "size 0 and from", ["24", "1", "0", "0"]),
            replace(name, EINVAL, "size 3", ["24", "0", "0", "3"]),
            replace(name, EFAULT, "odd offset", ["25", "0", "0", "0"]),
            replace(name, EFAULT, "offset > 0xffff", ["0x10000", "0", "0", "0"]),
            replace(
                name,
                EFAULT,
                "bpf_try_make_writable: 46 bytes",
                ["46", "0", "0", "0"],
            ),
        ]);
    }
    rows.extend([
        Row::tc(
            "bpf_csum_update",
            ENOTSUPP,
            "bpf_csum_update: ip_summed",
            &call("bpf_csum_update", &["ctx", "1"]),
        ),
        Row::tc(
            "bpf_csum_level",
            EACCES,
            "bpf_csum_level: BPF_CSUM_LEVEL_QUERY",
            &call("bpf_csum_level", &["ctx", "0"]),
        ),
        Row::tc(
            "bpf_csum_level",
            EINVAL,
            "bpf_csum_level: level",
            &call("bpf_csum_level", &["ctx", "4"]),
        ),
    ]);
    rows
}

fn sizes() -> Vec<Row> {
    let proto = |code, source, to: &str, flags: &str| {
        let text = call("bpf_skb_change_proto", &["ctx", to, flags]);
        Row::tc("bpf_skb_change_proto", code, source, &text)
    };
    let tail = |code, source, len: &str, flags: &str| {
        let text = call("bpf_skb_change_tail", &["ctx", len, flags]);
        Row::tc("bpf_skb_change_tail", code, source, &text)
    };
    let head = |source, len: &str, flags: &str| {
        let text = call("bpf_skb_change_head", &["ctx", len, flags]);
        Row::tc("bpf_skb_change_head", EINVAL, source, &text)
    };
    // htons(ETH_P_IP), htons(ETH_P_IPV6)
    let (ip, ip6) = ("0x0008", "0xdd86");
    let pop = call("bpf_skb_vlan_pop", &["ctx"]);
    // a sender's frame of 16 bytes that says it has a tag
    let short =
        format!("{WIRE}orc tcx main rx egress\norc send rx 02000000000202000000000181000007\n");
    let encapsulated = call("bpf_skb_adjust_room", &["ctx", "20", "1", "2"]);
    vec![
        proto(EINVAL, "bpf_skb_change_proto: flags", ip6, "1"),
        proto(ENOTSUPP, "bpf_skb_proto_xlat: IPv4 to IPv4", ip, "0"),
        proto(ENOMEM, "bpf_skb_generic_pop: 33 bytes of 34", ip, "0").over(&ipv6()[..33]),
        tail(EINVAL, "__bpf_skb_change_tail: flags", "60", "1"),
        // BPF_SKB_MAX_LEN: 4 pages less a shared info of 320 bytes
        tail(EINVAL, "__bpf_skb_change_tail: max_len", "16065", "0"),
        tail(EINVAL, "__bpf_skb_min_len: the network header", "13", "0"),
        Row::tc(
            "bpf_skb_change_tail",
            ENOTSUPP,
            "__bpf_skb_change_tail: encapsulation",
            &(encapsulated + &call("bpf_skb_change_tail", &["ctx", "60", "0"])),
        ),
        head("__bpf_skb_change_head: flags", "4", "1"),
        head("__bpf_skb_change_head: head_room < 0", "-1", "0"),
        head("__bpf_skb_change_head: max_len", "16019", "0"),
        Row::tc(
            "bpf_skb_vlan_pop",
            ENOMEM,
            "__skb_vlan_pop: 16 bytes of 18",
            &pop,
        )
        .at(&short),
        Row::tc(
            "bpf_skb_change_type",
            EINVAL,
            "skb_pkt_type_ok: PACKET_OUTGOING",
            &call("bpf_skb_change_type", &["ctx", "4"]),
        ),
    ]
}

fn room() -> Vec<Row> {
    let adjust = |code, source, diff: &str, mode: &str, flags: &str| {
        let text = call("bpf_skb_adjust_room", &["ctx", diff, mode, flags]);
        Row::tc("bpf_skb_adjust_room", code, source, &text)
    };
    let twice = call("bpf_skb_adjust_room", &["ctx", "20", "1", "2"]).repeat(2);
    let mut arp = crate::bench::frame();
    arp[12..14].copy_from_slice(&[8, 6]);
    vec![
        adjust(EINVAL, "bpf_skb_adjust_room: flags", "4", "1", "0x200"),
        adjust(
            EFAULT,
            "bpf_skb_adjust_room: len_diff_abs > 0xfff",
            "4096",
            "1",
            "0",
        ),
        adjust(ENOTSUPP, "bpf_skb_adjust_room: protocol", "4", "1", "0").over(&arp),
        adjust(ENOTSUPP, "bpf_skb_adjust_room: mode", "4", "2", "0"),
        adjust(
            EINVAL,
            "bpf_skb_adjust_room: DECAP and not shrink",
            "4",
            "1",
            "0x80",
        ),
        adjust(
            EINVAL,
            "bpf_skb_adjust_room: both DECAP",
            "-4",
            "1",
            "0x180",
        ),
        adjust(
            ENOTSUPP,
            "bpf_skb_adjust_room: len_min, 20 of 32 stay",
            "-13",
            "1",
            "0",
        ),
        // 46 + 4095 are well below 16064, so the packet is made long first
        Row::tc(
            "bpf_skb_adjust_room",
            ENOTSUPP,
            "bpf_skb_adjust_room: len_max",
            &(call("bpf_skb_change_tail", &["ctx", "16000", "0"])
                + &call("bpf_skb_adjust_room", &["ctx", "65", "1", "0"])),
        ),
        adjust(EINVAL, "bpf_skb_net_grow: both ENCAP_L3", "40", "1", "6"),
        adjust(EINVAL, "bpf_skb_net_grow: both ENCAP_L4", "40", "1", "0x1a"),
        adjust(
            EINVAL,
            "bpf_skb_net_grow: inner_mac_len < ETH_HLEN",
            "40",
            "1",
            "0x0d00000000000042 ll",
        ),
        Row::tc(
            "bpf_skb_adjust_room",
            EALREADY,
            "bpf_skb_net_grow: encapsulation",
            &twice,
        ),
        adjust(
            EINVAL,
            "bpf_skb_net_grow: inner_mac_len > len_diff",
            "20",
            "1",
            "0x1500000000000002 ll",
        ),
        adjust(EINVAL, "bpf_skb_net_shrink: flags", "-4", "1", "2"),
        // 14 + 40 + 80 bytes of 118, though 24 would stay behind the Ethernet header
        adjust(ENOMEM, "bpf_skb_generic_pop", "-80", "0", "0x80").over(&ipv6()),
    ]
}

fn redirects() -> Vec<Row> {
    let clone = |code, source, ifindex: &str, flags: &str| {
        let text = call("bpf_clone_redirect", &["ctx", ifindex, flags]);
        Row::tc("bpf_clone_redirect", code, source, &text)
    };
    // to a device without Ethernet: its packet has none, so it may not go to one with
    let tunnel = format!(
        "{WIRE}ip tunnel add t0 mode ipip local 10.0.0.2 remote 10.0.0.1\nip link set t0 up\nip addr add 10.0.0.2/24 dev rx\n\
         orc tcx main t0 ingress\norc send tx 020000000001020000000002080045000034000100004004{} far\n",
        "66c30a0000010a00000245000020000100004011 66ca0a0000010a00000203e807d0000c000001020304"
            .replace(' ', "")
    );
    let down = format!("{WIRE}ip link add d0 type dummy\norc tcx main rx ingress\n{SEND}");
    let neigh = zeros(24) + &call("bpf_redirect_neigh", &["2", "fp-24", "19", "0"]);
    let redirect =
        |name: &'static str, source, args: &[&str]| Row::tc(name, SHOT, source, &call(name, args));
    vec![
        clone(EINVAL, "bpf_clone_redirect: flags", "2", "2"),
        clone(EINVAL, "bpf_clone_redirect: no device", "77", "0"),
        clone(ERANGE, "__bpf_redirect_common: no MAC header", "2", "0").at(&tunnel),
        clone(NET_XMIT_CN, "noop_enqueue: the device is down", "3", "0").at(&down),
        redirect("bpf_redirect", "bpf_redirect: flags", &["2", "2"]),
        redirect("bpf_redirect_peer", "bpf_redirect_peer: flags", &["2", "1"]),
        redirect(
            "bpf_redirect_neigh",
            "bpf_redirect_neigh: flags",
            &["2", "0", "0", "1"],
        ),
        Row::tc(
            "bpf_redirect_neigh",
            SHOT,
            "bpf_redirect_neigh: plen",
            &neigh,
        ),
    ]
}

pub fn rows() -> Vec<Row> {
    [bytes(), checksums(), sizes(), room(), redirects()].concat()
}
