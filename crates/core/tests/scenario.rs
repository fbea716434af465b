//! Commands as they occur in the mail and in recordings.

use std::net::Ipv4Addr;

use headroom_core::scenario::command::{Command, Ipv4Net, LinkKind, NapiKnob, RouteKind, XdpMode};
use headroom_core::scenario::{parse, parse_setup};
use proptest::prelude::*;

fn one(text: &str) -> Command {
    let mut lines = parse(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .lines;
    assert_eq!(lines.len(), 1, "{text}");
    lines.remove(0).command
}

fn error(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

#[test]
fn what_is_known_but_not_simulated_is_named() {
    let cases = [
        ("ethtool -K rx lro off", "ethtool -K … lro"),
        (
            "echo 2 > /nsys/class/net/rx/tx_queue_len",
            "echo > /nsys/class/net/rx/tx_queue_len",
        ),
        ("ip -f mpls route del 100", "ip -f mpls route"),
        ("ip route add throw 10.1.0.1/32", "ip route add … throw"),
        (
            "ip route add 10.2.0.0/24 encap seg6local action End.DX2 oif d",
            "ip route add … encap seg6local",
        ),
        (
            "ip link set dev rx multicast off",
            "ip link set … multicast",
        ),
        ("ip link del rx", "ip link del"),
        ("ip vrf exec x true", "ip vrf"),
        (
            "ip addr add fe80::1/64 dev rx valid_lft 60",
            "ip -6 addr add … valid_lft",
        ),
    ];
    for (text, what) in cases {
        assert_eq!(
            one(text),
            Command::NotCovered { what: what.into() },
            "{text}"
        );
    }
    let kind = |text| match one(text) {
        Command::LinkAdd {
            kind: LinkKind::Unknown(kind),
            name,
            ..
        } => (name, kind),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        kind("ip link add link rx name m type ipvlan mode l2"),
        ("m".into(), "ipvlan".into())
    );
    assert_eq!(
        kind("ip tun add decap mode isatap local 10.0.0.1 remote 10.0.0.2"),
        ("decap".into(), "isatap".into())
    );
}

#[test]
fn options_come_in_any_order_and_words_may_be_short() {
    let full = one(
        "ip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns tx",
    );
    let mixed = "ip l add address 02:00:00:00:00:01 dev rx type veth peer netns tx tx addr 02:00:00:00:00:02";
    assert_eq!(one(mixed), full);
    let tunnel = one("ip tunnel add decap mode gre local 10.0.0.1 remote 10.0.0.2 key 5");
    assert_eq!(
        one("ip tun add key 0.0.0.5 remote 10.0.0.2 mode gre name decap local 10.0.0.1"),
        tunnel
    );
    assert_eq!(
        one("ip link add name decap type gre ikey 5 okey 5 local 10.0.0.1 remote 10.0.0.2"),
        tunnel
    );
    let addr = one("ip -n tx addr add 10.0.0.2/24 dev tx");
    assert_eq!(one("ip -netns tx a add dev tx 10.0.0.2/24"), addr);
    assert_eq!(one("ip netns exec tx ip a a 10.0.0.2/24 dev tx"), addr);
    let neigh = one("ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev rx");
    assert_eq!(
        one("ip n add dev rx nud permanent lladdr 2:0:0:0:0:2 10.0.0.2"),
        neigh
    );
    let default = Ipv4Net {
        addr: Ipv4Addr::UNSPECIFIED,
        prefix: 0,
    };
    let via = Some(Ipv4Addr::new(10, 0, 0, 1));
    assert_eq!(
        one("ip r add default via 10.0.0.1"),
        Command::RouteAdd {
            netns: None,
            kind: RouteKind::Unicast,
            dst: default,
            encap: None,
            via,
            dev: None,
            replace: false,
        }
    );
    assert_eq!(
        one("ip netns exec tx ping -c 1 10.0.0.1"),
        one("ip netns exec tx ping -W 1 10.0.0.1 -c1")
    );
}

#[test]
fn all_options_of_a_gre_tunnel() {
    let parms = |text| match one(text) {
        Command::LinkAdd {
            kind: LinkKind::Gre(parms),
            ..
        } => parms,
        other => panic!("{other:?}"),
    };
    let all = parms(
        "ip tun add d mode gre local any remote 10.0.0.2 ikey 1 okey 2 csum seq ttl 64 tos 10 nopmtudisc",
    );
    assert_eq!((all.local, all.ikey, all.okey), (None, Some(1), Some(2)));
    assert_eq!(
        (all.icsum, all.ocsum, all.iseq, all.oseq, all.nopmtudisc),
        (true, true, true, true, true)
    );
    // iproute2 reads a tos as hex.
    assert_eq!((all.ttl, all.tos), (64, 0x10));
    let inherit = parms("ip tun add d mode gre ttl inherit tos inherit");
    assert_eq!((inherit.ttl, inherit.tos), (0, 1));
}

#[test]
fn one_line_can_give_several_commands() {
    let parsed = parse("sysctl -q -w a.b=1 c.d=2 3=4").unwrap();
    let values: Vec<_> = parsed
        .lines
        .iter()
        .map(|line| (line.number, &line.command))
        .collect();
    assert_eq!(values.len(), 3);
    assert_eq!(
        values[1],
        (
            1,
            &Command::Sysctl {
                netns: None,
                key: "c.d".into(),
                value: "2".into()
            }
        )
    );
    let set = parse("ip -n tx link set dev tx mtu 1400 xdpgeneric pinned /sys/fs/bpf/set_tag up")
        .unwrap();
    let (program, dev) = ("set_tag".into(), "tx".into());
    let attach = Command::AttachXdp {
        netns: Some("tx".into()),
        program,
        dev,
        mode: Some(XdpMode::Generic),
        force: false,
    };
    assert_eq!(set.lines[0].command, attach);
    assert!(matches!(
        &set.lines[1].command,
        Command::LinkSet {
            up: Some(true),
            mtu: Some(1400),
            ..
        }
    ));
    let key = one("sysctl -w net/ipv4/conf/eth0.7/forwarding=1");
    let dotted = "net.ipv4.conf.eth0/7.forwarding".into();
    assert_eq!(
        key,
        Command::Sysctl {
            netns: None,
            key: dotted,
            value: "1".into()
        }
    );
}

#[test]
fn prompts_decide_what_is_output() {
    let text = "# a comment\nroot@box:~# ip netns add tx\n42 packets\n\n$ ip netns add far\n^C# ip netns list\n";
    let parsed = parse(text).unwrap();
    assert_eq!(
        parsed
            .lines
            .iter()
            .map(|line| line.number)
            .collect::<Vec<_>>(),
        [2, 5, 6]
    );
    assert_eq!(
        parsed.skipped,
        [(1, "# a comment".to_owned()), (3, "42 packets".to_owned())]
    );
    let unknown = error("$ frob x");
    let start =
        "Line 1, column 3: `frob` does not fit here, expected one of the tools ip, tc, bridge,";
    assert!(unknown.starts_with(start), "{unknown}");
    // Without any prompt, output is an error.
    assert!(error("ip netns add tx\nPING 1.2.3.4").starts_with("Line 2, column 1: `PING`"));
    assert_eq!(
        parse("# only a remark\nip netns add tx")
            .unwrap()
            .lines
            .len(),
        1
    );
}

#[test]
fn errors_name_line_column_word_and_what_would_fit() {
    let cases = [
        (
            "# ip netns add tx\n#  ip link set rx updown",
            "Line 2, column 19: `updown` does not fit here (did you mean `down`?), expected up, down, address MAC, netns NETNS, mtu N or xdp pinned PATH.",
        ),
        (
            "ip addr add 10.0.0.1/24",
            "Line 1, column 24: the command ends here, expected dev DEV.",
        ),
        (
            "ip netns exec tx ping -c1 nowhere",
            "Line 1, column 27: `nowhere` does not fit here, expected an IP address.",
        ),
        (
            "ip link set dev rx adress 02:00:00:00:00:01",
            "Line 1, column 20: `adress` does not fit here (did you mean `address`?), expected up, down, address MAC, netns NETNS, mtu N or xdp pinned PATH.",
        ),
        (
            "ipp link add x type veth peer y",
            "Line 1, column 1: `ipp` does not fit here (did you mean `ip`?), expected one of the tools ip, tc, bridge, ethtool, sysctl, echo, bpftool, ping, orc, send, nic, cat, clang, gcc, llc, make, ls, sleep, tcpdump, modprobe, iptables, nft, sudo, true, headroom.",
        ),
        (
            "ip addr add 10.0.0.1/24 10.0.0.2/24 dev rx",
            "Line 1, column 25: `10.0.0.2/24` does not fit here, expected one address only, or dev DEV.",
        ),
        (
            "orc send tx 02zz tx",
            "Line 1, column 13: bad hex at digit 2 (counted from 0): `z` is no hex digit.",
        ),
        (
            "ip link add rx type veth peer name tx bogus",
            "Line 1, column 39: `bogus` does not fit here, expected name NAME, address MAC or netns NETNS.",
        ),
    ];
    for (text, sentence) in cases {
        assert_eq!(error(text), sentence);
    }
    assert!(error("ip link frob rx").contains("`frob`"));
    let setup = ["ip netns add a".to_owned(), String::new()];
    assert!(
        parse_setup(&setup)
            .unwrap_err()
            .to_string()
            .starts_with("Line 2, column 1:")
    );
}

#[test]
fn too_much_is_refused_with_the_limit() {
    let text = format!("orc send tx {}", "00".repeat(65_536));
    assert!(error(&text).ends_with("the frame is 65536 bytes long, the limit is 65535 bytes."));
    assert!(
        error(&"#".repeat((1 << 20) + 1))
            .ends_with("the text is 1048577 bytes long, the limit is 1048576 bytes.")
    );
}

const WORDS: [&str; 35] = [
    "ip",
    "-n",
    "link",
    "add",
    "set",
    "type",
    "veth",
    "peer",
    "gre",
    "tun",
    "mode",
    "netns",
    "exec",
    "tx",
    "dev",
    "orc",
    "send",
    "00ff",
    "bpftool",
    "net",
    "attach",
    "xdp",
    "pinned",
    "/a/b",
    "ping",
    "-c",
    "10.0.0.1/24",
    "sysctl",
    "a=b",
    "echo",
    ">",
    "'",
    "sudo",
    "\n#",
    "^C#",
];

proptest! {
    #[test]
    fn parse_never_panics(text in "\\PC{0,120}") {
        let _ = parse(&text);
    }

    #[test]
    fn parse_never_panics_on_shuffled_words(words in proptest::collection::vec(proptest::sample::select(&WORDS[..]), 0..16)) {
        let _ = parse(&words.join(" "));
    }

    #[test]
    fn frames_round_trip(frame in proptest::collection::vec(any::<u8>(), 1..300)) {
        let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        prop_assert_eq!(one(&format!("send tx {hex}")), Command::Send { netns: None, dev: "tx".into(), frame });
    }
}

#[test]
fn devices_by_their_kind() {
    let kind = |text| match one(text) {
        Command::LinkAdd { kind, .. } => kind,
        other => panic!("{other:?}"),
    };
    let vlan = |protocol, id| LinkKind::Vlan {
        lower: "rx".into(),
        protocol,
        id,
        reorder_hdr: true,
    };
    assert_eq!(
        kind("ip link add link rx name rx.7 type vlan id 7"),
        vlan(0x8100, 7)
    );
    assert_eq!(
        kind("ip link add link rx name rx.8 type vlan proto 802.1ad id 8"),
        vlan(0x88a8, 8)
    );
    assert!(matches!(
        kind("ip link add d address 02:00:00:00:00:05 type gretap local 10.0.0.1 remote 10.0.0.2"),
        LinkKind::Gretap(_)
    ));
    let LinkKind::Vxlan(parms, None) = kind(
        "ip link add d type vxlan id 42 local 10.0.0.1 remote 10.0.0.2 dstport 4789 srcport 40000 40001 nolearning",
    ) else {
        panic!("not vxlan");
    };
    assert_eq!((parms.vni, parms.dstport), (42, 4789));
    assert_eq!(parms.srcport, Some((40000, 40001)));
    assert!(parms.udpcsum && !parms.learning);
    let LinkKind::Geneve(parms) = kind("ip link add d type geneve id 42 remote 10.0.0.2") else {
        panic!("not geneve");
    };
    assert_eq!((parms.vni, parms.dstport, parms.udpcsum), (42, 6081, false));
    assert_eq!(
        kind("ip link add br0 type bridge stp_state 0 mcast_snooping 0"),
        LinkKind::Bridge(Default::default())
    );
    let error = parse("ip link add link rx name v type vlan id 4095").unwrap_err();
    assert!(error.to_string().contains("column 41"), "{error}");
}

#[test]
fn rows_of_frames_and_timers() {
    assert_eq!(
        one("orc burst tx tx 00 11"),
        Command::Burst {
            netns: Some("tx".into()),
            dev: "tx".into(),
            frames: vec![vec![0], vec![0x11]],
        }
    );
    assert!(matches!(
        one("orc burst tx - 00"),
        Command::Burst { netns: None, .. }
    ));
    assert!(matches!(
        one("echo 200000000 > /nsys/class/net/rx/gro_flush_timeout"),
        Command::NapiTimer {
            knob: NapiKnob::GroFlushTimeout,
            value: 200_000_000,
            ..
        }
    ));
    assert!(matches!(
        one("ethtool -K rx gro on"),
        Command::SetGro { on: true, .. }
    ));
    assert!(matches!(
        one("ip -n far route add blackhole 10.1.0.1/32"),
        Command::RouteAdd {
            kind: RouteKind::Blackhole,
            dev: None,
            ..
        }
    ));
}
