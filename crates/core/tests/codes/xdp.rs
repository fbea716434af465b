//! Helpers over a frame in XDP (net/core/filter.c, include/linux/filter.h), and what its driver tells (drivers/net/veth.c,
//! net/core/xdp.c).

use headroom_core::bpf::MapKind;

use crate::bench::map;
use crate::row::*;

/// A card; the program runs on it. The frame has 46 bytes.
fn card(driver: &str, more: &str) -> String {
    format!(
        "nic add eth0 driver {driver} address 02:00:00:00:00:01\nip link set eth0 up\n{more}orc xdp main eth0 native\n\
         nic rx eth0 02000000000102000000000208004500002000010000401166ca0a0000010a00000203e807d0000c000001020304{}\n",
        if more.is_empty() {
            String::new()
        } else {
            "00".repeat(5000)
        }
    )
}

fn hints() -> Vec<Row> {
    let functions = [
        ("bpf_xdp_metadata_rx_timestamp", &["ctx", "fp-8"][..]),
        ("bpf_xdp_metadata_rx_hash", &["ctx", "fp-8", "fp-4"]),
        ("bpf_xdp_metadata_rx_vlan_tag", &["ctx", "fp-8", "fp-4"]),
    ];
    let mut rows = Vec::new();
    for (name, args) in functions {
        let text = zeros(8) + &call(name, args);
        // the frame of `headroom exec` has no skb
        rows.push(Row::xdp(name, ENODATA, "veth_xdp_rx_*: no skb", &text));
        let bound = card("i40e", "")
            .replace("orc xdp main eth0 native", "bpftool prog load test /sys/fs/bpf/main xdpmeta_dev eth0\nbpftool net attach xdp pinned /sys/fs/bpf/main dev eth0");
        rows.push(
            Row::xdp(
                name,
                EOPNOTSUPP,
                "net/core/xdp.c: no xdp_metadata_ops",
                &text,
            )
            .at(&bound),
        );
    }
    rows
}

fn bytes() -> Vec<Row> {
    let each = |name, code, source, offset: &str, len: &str| {
        let text = zeros(8) + &call(name, &["ctx", offset, "fp-8", len]);
        Row::xdp(name, code, source, &text)
    };
    let mut rows = Vec::new();
    for name in ["bpf_xdp_load_bytes", "bpf_xdp_store_bytes"] {
        rows.push(each(
            name,
            EFAULT,
            "bpf_xdp_pointer: offset > 0xffff",
            "0x10000",
            "8",
        ));
        rows.push(each(name, EINVAL, "bpf_xdp_pointer: 46 bytes", "39", "8"));
    }
    rows
}

pub fn rows() -> Vec<Row> {
    let adjust =
        |name, code, source, by: &str| Row::xdp(name, code, source, &call(name, &["ctx", by]));
    let (head, meta, tail) = (
        "bpf_xdp_adjust_head",
        "bpf_xdp_adjust_meta",
        "bpf_xdp_adjust_tail",
    );
    let devs = map("devs", MapKind::Devmap, [4, 4, 4]);
    let redirect_map = |source, flags: &str| {
        let text = call("bpf_redirect_map", &["map:devs", "0", flags]);
        Row::xdp("bpf_redirect_map", ABORTED, source, &text).with(std::slice::from_ref(&devs))
    };
    // 5046 bytes: 3464 in the first buffer of a page, the rest in a fragment
    let frags = |driver| card(driver, "ip link set eth0 mtu 6000\n");
    let mut rows = vec![
        // 256 bytes in front, of which the frame's own structure takes 40
        adjust(
            head,
            EINVAL,
            "bpf_xdp_adjust_head: data < data_start",
            "-217",
        ),
        adjust(head, EINVAL, "bpf_xdp_adjust_head: ETH_HLEN", "33"),
        adjust(
            meta,
            EINVAL,
            "bpf_xdp_adjust_meta: meta < xdp_frame_end",
            "-217",
        ),
        adjust(meta, EINVAL, "bpf_xdp_adjust_meta: meta > data", "4"),
        adjust(meta, EACCES, "xdp_metalen_invalid: no multiple of 4", "-3"),
        // 3776 bytes of the page are the frame's; 320 are the shared info's
        adjust(tail, EINVAL, "bpf_xdp_adjust_tail: data_hard_end", "3475"),
        adjust(tail, EINVAL, "bpf_xdp_adjust_tail: ETH_HLEN", "-33"),
        adjust(
            tail,
            EOPNOTSUPP,
            "bpf_xdp_frags_increase_tail: no frag_size",
            "4",
        )
        .of("xdp.frags")
        .at(&frags("bnxt-multi")),
        adjust(
            tail,
            EINVAL,
            "bpf_xdp_frags_increase_tail: tailroom",
            "4096",
        )
        .of("xdp.frags")
        .at(&frags("mlx5")),
        adjust(tail, EINVAL, "bpf_xdp_frags_shrink_tail: ETH_HLEN", "-5033")
            .of("xdp.frags")
            .at(&frags("mlx5")),
        Row::xdp(
            "bpf_redirect",
            ABORTED,
            "bpf_xdp_redirect: flags",
            &call("bpf_redirect", &["2", "1"]),
        ),
        redirect_map("__bpf_xdp_redirect_map: flags", "4"),
        redirect_map("__bpf_xdp_redirect_map: no entry, action 0", "0"),
    ];
    rows.extend(bytes());
    rows.extend(hints());
    rows
}
