//! Commands with a mistake: the place, the word, the word that was meant, and what would have fitted. Columns are counted
//! by hand, from 1.

use headroom_core::design::DesignName;
use headroom_core::scenario::parse;
use headroom_core::simulate::{Input, simulate};

/// A command, the column of the mistake, and what the message says about it.
type Row = (&'static str, usize, &'static [&'static str]);

const MEANT: &[Row] = &[
    ("ipp link set rx up", 1, &["`ipp`", "did you mean `ip`"]),
    (
        "ip lnk set rx up",
        4,
        &["`lnk`", "did you mean `link`", "expected link, addr"],
    ),
    (
        "ip link adf x type dummy",
        9,
        &["`adf`", "did you mean `add`"],
    ),
    (
        "ip link add x tpye dummy",
        15,
        &["`tpye`", "did you mean `type`"],
    ),
    (
        "ip link add x type veth per name y",
        25,
        &["`per`", "did you mean `peer`"],
    ),
    (
        "ip link add x type veth peer nmae y",
        35,
        &["`y`", "expected name NAME, address MAC"],
    ),
    ("ip link set rx upp", 16, &["`upp`", "did you mean `up`"]),
    (
        "ip link set rx addres 02:00:00:00:00:01",
        16,
        &["`addres`", "did you mean `address`"],
    ),
    (
        "ip addr add 10.0.0.1/24 dve rx",
        25,
        &["`dve`", "did you mean `dev`"],
    ),
    (
        "ip route add 10.0.0.0/8 vai 10.0.0.1",
        25,
        &["`vai`", "did you mean `via`"],
    ),
    (
        "ip neigh add 10.0.0.2 lladr 02:00:00:00:00:02 dev rx",
        23,
        &["`lladr`", "did you mean `lladdr`"],
    ),
    ("ip netns addd x", 10, &["`addd`", "did you mean `add`"]),
    (
        "ip netns exec tx pign 10.0.0.1",
        18,
        &["`pign`", "did you mean `ping`"],
    ),
    (
        "ip tunnel add t mode gre locla 10.0.0.1",
        26,
        &["`locla`", "did you mean `local`"],
    ),
    (
        "ip link add t type vxlan idd 5",
        26,
        &["`idd`", "did you mean `id`"],
    ),
    (
        "ip link add t type geneve id 5 remot 10.0.0.1",
        32,
        &["`remot`", "did you mean `remote`"],
    ),
    (
        "ip link add link rx name v type vlan idd 5",
        38,
        &["`idd`", "did you mean `id`"],
    ),
    (
        "ip link add m link rx type macvlan mode brige",
        41,
        &["`brige`", "did you mean `bridge`"],
    ),
    (
        "ip -f mpls route add 100 dve lo",
        26,
        &["`dve`", "did you mean `dev`"],
    ),
    (
        "ip route add 10.0.0.0/8 encap bpf inn obj a",
        35,
        &["`inn`", "expected in, out or xmit"],
    ),
    (
        "ip route add 10.0.0.0/8 encap mlps 5 dev rx",
        31,
        &["`mlps`", "did you mean `mpls`"],
    ),
    (
        "ip -6 route add fd00::/8 vya fd00::1",
        26,
        &["`vya`", "did you mean `via`"],
    ),
    (
        "ip l2tp add tunel tunnel_id 1",
        13,
        &["`tunel`", "did you mean `tunnel`"],
    ),
    (
        "tc qdisk add dev rx clsact",
        4,
        &["`qdisk`", "did you mean `qdisc`"],
    ),
    (
        "tc qdisc add dev rx clsat",
        21,
        &["`clsat`", "did you mean `clsact`"],
    ),
    (
        "tc filter add dev rx ingres matchall action drop",
        22,
        &["`ingres`", "did you mean `ingress`"],
    ),
    (
        "tc filter add dev rx ingress matchal action drop",
        30,
        &["`matchal`", "did you mean `matchall`"],
    ),
    (
        "tc filter add dev rx ingress matchall action mirred egress redirct dev tx",
        60,
        &["`redirct`", "did you mean `redirect`"],
    ),
    (
        "tc filter add dev rx ingress matchall action mirrd egress mirror dev x",
        46,
        &["`mirrd`", "did you mean `mirred`"],
    ),
    ("bridge vlna add dev rx vid 5", 8, &["did you mean `vlan`"]),
    ("ethtool -K rx gor on", 15, &["did you mean `gro`"]),
    (
        "tc filter add dev rx ingress matchall action vlan puhs id 5",
        51,
        &["`puhs`", "did you mean `push`"],
    ),
    (
        "bridge vlan addd dev p vid 5",
        13,
        &["`addd`", "did you mean `add`"],
    ),
    (
        "bridge vlan add dev p vid 5 pvdi",
        29,
        &["`pvdi`", "did you mean `pvid`"],
    ),
    (
        "bpftool progs loadall a.o /sys/fs/bpf",
        9,
        &["`progs`", "did you mean `prog`"],
    ),
    (
        "bpftool net attach xpd pinned /p dev rx",
        20,
        &["`xpd`", "did you mean `xdp`"],
    ),
    (
        "bpftool net attach xdp pined /p dev rx",
        24,
        &["`pined`", "did you mean `pinned`"],
    ),
    (
        "bpftool net attach xdp pinned /sys/fs/bpf/p dve rx",
        45,
        &["`dve`", "did you mean `dev`"],
    ),
    (
        "bpftool cgroup attach /c cgroup_inet_ingres pinned /p",
        26,
        &["`cgroup_inet_ingres`", "did you mean `cgroup_inet_ingress`"],
    ),
    (
        "bpftool prog loadal a.o /sys/fs/bpf",
        14,
        &["`loadal`", "did you mean `loadall`"],
    ),
    (
        "bpftool map updte name m key 1 value 2",
        13,
        &["`updte`", "did you mean `update`"],
    ),
    (
        "bpftool net atach xdp pinned /p dev rx",
        13,
        &["`atach`", "did you mean `attach`"],
    ),
    ("ethtool -K rx gro onn", 19, &["`onn`", "did you mean `on`"]),
    ("orc xpd p rx native", 5, &["`xpd`", "did you mean `xdp`"]),
    (
        "orc xdp p rx nativ",
        14,
        &["`nativ`", "did you mean `native`"],
    ),
    (
        "orc tcx p rx ingess",
        14,
        &["`ingess`", "did you mean `ingress`"],
    ),
    (
        "orc netkit p nk primry",
        17,
        &["`primry`", "did you mean `primary`"],
    ),
    (
        "orc nf p ip prerouteing",
        13,
        &["`prerouteing`", "did you mean `prerouting`"],
    ),
    ("orc sock upd 5", 10, &["`upd`", "did you mean `udp`"]),
    (
        "nft add tabel ip t",
        9,
        &["`tabel`", "did you mean `table`"],
    ),
    (
        "nft add chain inet t c { type filter hok input priority 0; }",
        38,
        &["`hok`", "did you mean `hook`"],
    ),
    (
        "nft add chain inet t c { type filter hook input priority 0; polcy drop; }",
        61,
        &["`polcy`", "did you mean `policy`"],
    ),
    (
        "nft add rule inet t c iifnam rx drop",
        23,
        &["`iifnam`", "did you mean `iifname`"],
    ),
    (
        "headroom asume dynptr-everywhere",
        10,
        &["`asume`", "did you mean `assume`"],
    ),
    (
        "sudo ip lnk set rx up",
        9,
        &["`lnk`", "did you mean `link`"],
    ),
];

const VALUES: &[Row] = &[
    ("ip link set rx mtu abc", 20, &["`abc`", "MTU from 68"]),
    ("ip link set rx mtu 20", 20, &["`20`", "68"]),
    (
        "ip link set rx address 02:00:00:00:00",
        24,
        &["`02:00:00:00:00`", "MAC address"],
    ),
    (
        "ip addr add 10.0.0.1/33 dev rx",
        13,
        &["`10.0.0.1/33`", "ADDR/LEN"],
    ),
    (
        "ip route add 10.0.0.0/8 via 10.0.0",
        29,
        &["`10.0.0`", "gateway"],
    ),
    (
        "ip route add 10.0.0.0/40 dev rx",
        14,
        &["`10.0.0.0/40`", "prefix"],
    ),
    (
        "ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:0g dev rx",
        30,
        &["`02:00:00:00:00:0g`", "MAC address"],
    ),
    (
        "ip link add t type gre remote 10.0.0.300",
        31,
        &["`10.0.0.300`"],
    ),
    ("ip link add t type gre key x", 28, &["`x`", "key"]),
    (
        "ip link add t type vxlan id 16777216 remote 10.0.0.1",
        29,
        &["`16777216`"],
    ),
    (
        "ip link add link rx name v type vlan id 4096",
        41,
        &["`4096`", "4094"],
    ),
    (
        "ip link add link rx name v type vlan protocol 802.1x id 5",
        47,
        &["`802.1x`", "802.1Q"],
    ),
    (
        "ip link add n type netkit mode l4",
        32,
        &["`l4`", "l2", "l3"],
    ),
    (
        "ip -f mpls route add 2000000 dev lo",
        22,
        &["`2000000`", "MPLS label"],
    ),
    (
        "ip route add 10.0.0.0/8 encap mpls 1/2/x dev rx",
        36,
        &["`1/2/x`", "MPLS labels"],
    ),
    (
        "ip -6 addr add 2001:db8::1/129 dev rx",
        16,
        &["`2001:db8::1/129`"],
    ),
    ("bridge vlan add dev p vid 5000", 27, &["`5000`", "4094"]),
    ("ping -c1 10.0.0", 10, &["`10.0.0`"]),
    ("orc send rx 0g", 13, &["bad hex at digit 1"]),
    ("orc send rx 012", 13, &["bad hex at digit 2"]),
    ("orc sock udp 0", 14, &["`0`", "a port from 1 to 65535"]),
    ("orc sock raw 255", 14, &["`255`", "from 1 to 254"]),
    ("orc nf p ip input 2147483647", 19, &["`2147483647`"]),
    ("orc cfg x 1", 9, &["`x`", "knob"]),
    (
        "nft add rule ip t c ip saddr ::1 drop",
        30,
        &["`::1`", "an address"],
    ),
    (
        "ip link set averyveryverylongname up",
        13,
        &["`averyveryverylongname`", "a device"],
    ),
];

const MISSING: &[Row] = &[
    ("ip", 3, &["expected link, addr"]),
    ("ip link set rx netns", 21, &["a namespace"]),
    ("ip addr add 10.0.0.1/24", 24, &["expected dev DEV"]),
    (
        "ip route add 10.0.0.0/8",
        24,
        &["expected via ADDR or dev DEV"],
    ),
    ("ip neigh add 10.0.0.2 dev rx", 29, &["expected lladdr MAC"]),
    ("ip netns exec tx", 17, &["a command"]),
    ("ip -n", 6, &["a namespace"]),
    ("tc", 3, &["qdisc"]),
    ("sysctl", 7, &["KEY=VALUE"]),
    ("ping", 5, &["an IP address"]),
    ("orc tap", 8, &["a device"]),
    ("orc sock udp 5000 filter", 25, &["a program name"]),
    ("nft", 4, &["add"]),
    ("nft add rule ip t c", 20, &["iifname DEV"]),
    ("bpftool cgroup attach", 22, &["the path of a cgroup"]),
    ("headroom", 9, &["assume"]),
    ("echo 'a", 6, &["never closed"]),
];

const CONTRADICTORY: &[Row] = &[
    (
        "ip link set rx up down",
        19,
        &["`down` contradicts `up` at column 16"],
    ),
    (
        "ip link set rx mtu 1500 mtu 1400",
        25,
        &["`mtu 1400` contradicts `mtu 1500` at column 16"],
    ),
    (
        "ip addr add 10.0.0.1/24 dev rx dev tx",
        32,
        &["`dev tx` contradicts `dev rx` at column 25"],
    ),
    (
        "ip link set p master br0 nomaster",
        26,
        &["`nomaster` contradicts `master br0` at column 15"],
    ),
];

/// A device type that is not there is found when the command is carried out: by name, with those that are.
#[test]
fn a_type_of_device_that_is_not_there() {
    let told = |command: &str| {
        let input = Input::new("t", parse(command).expect("commands"), &[]).expect("an input");
        let error = simulate(&input, DesignName::MacHeader).expect_err("no such type");
        error.to_string()
    };
    for (command, column, meant) in [
        ("ip link add x type dumy", 20, "dummy"),
        ("ip tunnel add t mode gree local 10.0.0.1", 22, "gre"),
        ("ip link add x type gretab local 10.0.0.1", 20, "gretap"),
    ] {
        let text = told(command);
        assert!(text.starts_with("line 1: "), "{text}");
        assert!(text.contains(&format!("did you mean `{meant}`")), "{text}");
        assert!(text.contains("it has: veth, gre, gretap"), "{text}");
        assert!(text.ends_with(&format!("(column {column})")), "{text}");
    }
    // Linux has it, so it is no slip of `macvlan`
    assert!(!told("ip link add x type macvtap").contains("did you mean"));
}

#[test]
fn every_mistake_has_its_place_and_says_what_would_fit() {
    let tables = [MEANT, VALUES, MISSING, CONTRADICTORY];
    let rows: Vec<&Row> = tables.into_iter().flatten().collect();
    assert!(rows.len() >= 60, "{}", rows.len());
    let mut wrong = Vec::new();
    for (command, column, words) in rows {
        // in the middle of a text, so that the line counts too
        let text = format!("ip netns add tx\n{command}\n");
        let told = match parse(&text) {
            Ok(parsed) => format!(
                "understood as {:?}",
                parsed.lines.last().map(|l| &l.command)
            ),
            Err(error) => error.to_string(),
        };
        let place = format!("Line 2, column {column}: ");
        if !told.starts_with(&place) || words.iter().any(|word| !told.contains(word)) {
            wrong.push(format!(
                "{command}\n    column {column} {words:?}\n    {told}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
