//! Kernel functions of designs, and helpers whose answer is fixed because a packet from a device has no socket. Errors of the
//! proposals: patch-series.md, sections 5 and 6c.

use headroom_core::bpf::{MapDef, MapKind};
use headroom_core::design::DesignName::{SkbExt, Traits};

use crate::bench::map;
use crate::row::*;

fn extension() -> Vec<Row> {
    let name = "bpf_dynptr_from_skb_ext";
    let one = |code, source, size: &str, flags: &str| {
        Row::tc(
            name,
            code,
            source,
            &call(name, &["ctx", size, flags, "fp-16"]),
        )
        .under(SkbExt)
    };
    vec![
        one(
            ENOENT,
            "no extension, and not asked to create one",
            "0",
            "0",
        ),
        one(EINVAL, "flags", "0", "2"),
        one(E2BIG, "size > 64", "65", "1"),
    ]
}

fn traits() -> Vec<Row> {
    let value = "*(u64 *)(r10 -8) = 7\n";
    let set = |key: &str, len: &str| {
        value.to_owned() + &call("bpf_xdp_trait_set", &["ctx", key, "fp-8", len, "0"])
    };
    let get = |key: &str, len: &str| {
        value.to_owned() + &call("bpf_xdp_trait_get", &["ctx", key, "fp-8", len])
    };
    let row = |name, code, source, text: String| Row::xdp(name, code, source, &text).under(Traits);
    let (set_name, get_name, del_name) = (
        "bpf_xdp_trait_set",
        "bpf_xdp_trait_get",
        "bpf_xdp_trait_del",
    );
    // 256 - 40 - 16 bytes of room hold 25 values of eight
    let full: String = (0..26).map(|key| set(&key.to_string(), "8")).collect();
    let meta = call("bpf_xdp_adjust_meta", &["ctx", "-4"]);
    let mut rows = vec![
        row(set_name, EINVAL, "key > 63", set("64", "4")),
        row(set_name, EINVAL, "length 3", set("1", "3")),
        row(
            set_name,
            EBUSY,
            "another length of a key that is set",
            set("1", "4") + &set("1", "8"),
        ),
        row(set_name, ENOSPC, "no room", full),
        row(get_name, EINVAL, "key > 63", get("64", "4")),
        row(get_name, ENOENT, "key not set", get("1", "4")),
        row(
            get_name,
            ENOSPC,
            "buffer too small",
            set("1", "8") + &get("1", "4"),
        ),
        row(del_name, EINVAL, "key > 63", call(del_name, &["ctx", "64"])),
        row(
            del_name,
            ENOENT,
            "key not set",
            call(del_name, &["ctx", "1"]),
        ),
        row(
            "bpf_xdp_trait_is_set",
            EINVAL,
            "key > 63",
            call("bpf_xdp_trait_is_set", &["ctx", "64"]),
        ),
        row(
            "bpf_xdp_adjust_meta",
            ENOTSUPP,
            "after traits",
            set("1", "4") + &meta,
        ),
    ];
    let is_set = call("bpf_xdp_trait_is_set", &["ctx", "1"]);
    for (name, call) in [
        (set_name, set("1", "4")),
        (get_name, get("1", "4")),
        (del_name, call(del_name, &["ctx", "1"])),
        ("bpf_xdp_trait_is_set", is_set),
    ] {
        rows.push(row(
            name,
            EOPNOTSUPP,
            "after bpf_xdp_adjust_meta()",
            meta.clone() + &call,
        ));
    }
    rows.extend(skb_traits());
    rows
}

/// `bpf_skb_trait_*()`: of a packet whose XDP program set key 1.
fn skb_traits() -> Vec<Row> {
    let value = "*(u64 *)(r10 -8) = 7\n";
    let set = value.to_owned() + &call("bpf_skb_trait_set", &["ctx", "1", "fp-8", "4", "0"]);
    let get = value.to_owned() + &call("bpf_skb_trait_get", &["ctx", "1", "fp-8", "4"]);
    let del = call("bpf_skb_trait_del", &["ctx", "1"]);
    let none = "a packet without traits";
    [
        ("bpf_skb_trait_set", set),
        ("bpf_skb_trait_get", get),
        ("bpf_skb_trait_del", del),
    ]
    .into_iter()
    .map(|(name, text)| Row::tc(name, EOPNOTSUPP, none, &text).under(Traits))
    .collect()
}

/// `skb_to_full_sk()` is NULL.
fn cgroup() -> Row {
    let groups = MapDef {
        ..map("groups", MapKind::Other(8), [4, 4, 1])
    };
    let text = call("bpf_skb_under_cgroup", &["ctx", "map:groups", "0"]);
    Row::tc(
        "bpf_skb_under_cgroup",
        ENOENT,
        "bpf_skb_under_cgroup: no socket",
        &text,
    )
    .with(&[groups])
}

pub fn rows() -> Vec<Row> {
    let mut rows = [extension(), traits()].concat();
    rows.push(cgroup());
    rows
}
