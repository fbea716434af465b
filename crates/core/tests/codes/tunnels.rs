//! Tunnel keys and options, cgroups, sockets (net/core/filter.c).

use crate::row::*;

const KEY: u32 = 48;

/// A key that the program sets itself.
fn key(flags: &str) -> String {
    zeros(KEY) + &call("bpf_skb_set_tunnel_key", &["ctx", "fp-48", "44", flags])
}

fn get(code: Code, source: &'static str, size: &str, flags: &str) -> Row {
    let text = key("0") + &call("bpf_skb_get_tunnel_key", &["ctx", "fp-48", size, flags]);
    Row::tc("bpf_skb_get_tunnel_key", code, source, &text)
}

fn set(source: &'static str, before: &str, size: &str, flags: &str) -> Row {
    let args = ["ctx", "fp-48", size, flags];
    let text = zeros(KEY) + before + &call("bpf_skb_set_tunnel_key", &args);
    Row::tc("bpf_skb_set_tunnel_key", EINVAL, source, &text)
}

fn options() -> Vec<Row> {
    let set = |before: &str, len: &str| {
        before.to_owned() + &zeros(256) + &call("bpf_skb_set_tunnel_opt", &["ctx", "fp-256", len])
    };
    let get = |len: &str| call("bpf_skb_get_tunnel_opt", &["ctx", "fp-256", len]);
    let opt = |name, code, source, text: &str| Row::tc(name, code, source, text);
    let (get_name, set_name) = ("bpf_skb_get_tunnel_opt", "bpf_skb_set_tunnel_opt");
    let fresh = zeros(256) + &get("16");
    let none = key("0") + &zeros(256) + &get("16");
    let short = set(&key("0"), "16") + &get("12");
    vec![
        opt(get_name, ENOENT, "bpf_skb_get_tunnel_opt: no info", &fresh),
        opt(get_name, ENOENT, "ip_tunnel_is_options_present", &none),
        opt(
            get_name,
            ENOMEM,
            "bpf_skb_get_tunnel_opt: size < options_len",
            &short,
        ),
        opt(
            set_name,
            EINVAL,
            "bpf_skb_set_tunnel_opt: no key of a program",
            &set("", "16"),
        ),
        opt(
            set_name,
            EINVAL,
            "bpf_skb_set_tunnel_opt: size % 4",
            &set(&key("0"), "6"),
        ),
        opt(
            set_name,
            ENOMEM,
            "bpf_skb_set_tunnel_opt: IP_TUNNEL_OPTS_MAX",
            &set(&key("0"), "256"),
        ),
    ]
}

/// What a packet came with is not the program's: `info != &md->u.tun_info`.
fn received() -> Row {
    // 10.0.0.1 to 10.0.0.2, GRE with key 42, an Ethernet frame
    let commands = "ip netns add far\nip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns far\n\
        ip link set rx up\nip -n far link set tx up\nip addr add 10.0.0.2/24 dev rx\n\
        ip link add g0 type gretap external\nip link set g0 up\norc tcx main g0 ingress\n\
        orc send tx 02000000000102000000000208004500004a00010000402f66820a0000010a000002200065580000002a02000000000702000000000808004500002000010000401166ca0a0000010a00000203e807d0000c000001020304 far\n";
    let text = zeros(256) + &call("bpf_skb_set_tunnel_opt", &["ctx", "fp-256", "16"]);
    let source = "bpf_skb_set_tunnel_opt: info != &md->u.tun_info";
    Row::tc("bpf_skb_set_tunnel_opt", EINVAL, source, &text).at(commands)
}

pub fn rows() -> Vec<Row> {
    let no_info = zeros(KEY) + &call("bpf_skb_get_tunnel_key", &["ctx", "fp-48", "44", "0"]);
    let name = "bpf_skb_get_tunnel_key";
    let mut rows = vec![
        Row::tc(name, EINVAL, "bpf_skb_get_tunnel_key: no info", &no_info),
        get(EINVAL, "bpf_skb_get_tunnel_key: flags", "44", "2"),
        get(EPROTO, "bpf_tunnel_key_af", "44", "1"),
        get(EINVAL, "bpf_skb_get_tunnel_key: size", "40", "0"),
        // remote_ipv6[1] is for IPv4 alone
        Row::tc(
            name,
            EINVAL,
            "bpf_skb_get_tunnel_key: remote_ipv6[1] of IPv6",
            &(key("1") + &call(name, &["ctx", "fp-48", "8", "1"])),
        ),
        set("bpf_skb_set_tunnel_key: flags", "", "44", "32"),
        set("bpf_skb_set_tunnel_key: size", "", "40", "0"),
        // tunnel_ext and tunnel_label are at 22 and 24
        set(
            "bpf_skb_set_tunnel_key: tunnel_ext",
            "*(u16 *)(r10 -26) = 1\n",
            "44",
            "0",
        ),
        set(
            "bpf_skb_set_tunnel_key: tunnel_label of IPv4",
            "*(u32 *)(r10 -24) = 1\n",
            "44",
            "0",
        ),
        received(),
    ];
    rows.extend(options());
    rows
}

/// A packet from a device has no socket, so that what is asked of its socket has one answer (docs/error-codes.md):
/// `bpf_skb_cgroup_id()`, `bpf_skb_ancestor_cgroup_id()`, `bpf_skb_cgroup_classid()`, `bpf_get_cgroup_classid()`,
/// `bpf_get_socket_cookie()`, `bpf_get_route_realm()` 0, `bpf_get_socket_uid()` `overflowuid`.
#[test]
fn answers_without_a_socket() {
    for (helper, answer) in [
        ("bpf_skb_cgroup_id", 0),
        ("bpf_skb_cgroup_classid", 0),
        ("bpf_get_cgroup_classid", 0),
        ("bpf_get_socket_cookie", 0),
        ("bpf_get_route_realm", 0),
        ("bpf_get_socket_uid", 65534),
    ] {
        // nothing of what stood in r0 is left
        let text = format!("r0 = 77\n{}", call(helper, &["ctx"]));
        let row = Row::tc(helper, Code::E("", answer), "", &text);
        assert_eq!(row.run(), Ok(answer), "{helper}");
    }
    let ancestor = call("bpf_skb_ancestor_cgroup_id", &["ctx", "1"]);
    let row = Row::tc("", Code::E("", 0), "", &ancestor);
    assert_eq!(row.run(), Ok(0));
}
