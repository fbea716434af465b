//! Neighbour discovery: questions and answers as frames. What is expected is counted from `net/ipv6/ndisc.c` and RFC 4861;
//! checksums are reckoned by hand.

mod world;

use headroom_core::design::DesignName::MacHeader;
use headroom_core::trace::Trace;
use world::{WIRE, at, drops, functions, whole};

fn run(commands: &str) -> Trace {
    whole(&format!("{WIRE}{commands}"), MacHeader)
}

/// A message from 2001:db8::2 (02:…:02): what it is, flags, target, options, and its hop limit.
fn frame(kind: u8, to: &str, flags: u8, target: &str, options: &str, hop_limit: u8) -> String {
    let octets = |text: &str| {
        text.parse::<std::net::Ipv6Addr>()
            .expect("an address")
            .octets()
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let options: Vec<u8> = (0..options.len() / 2)
        .map(|i| u8::from_str_radix(&options[2 * i..2 * i + 2], 16).expect("hex"))
        .collect();
    let mut message = vec![kind, 0, 0, 0, flags, 0, 0, 0];
    message.extend(octets(target));
    message.extend(&options);
    let (saddr, daddr) = (octets("2001:db8::2"), octets(to));
    let mut sum = message.len() as u32 + 58;
    for pair in saddr
        .iter()
        .chain(&daddr)
        .chain(&message)
        .copied()
        .collect::<Vec<u8>>()
        .chunks(2)
    {
        sum += u32::from(pair[0]) << 8 | u32::from(pair[1]);
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    message[2..4].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    let mac = if daddr[0] == 0xff {
        format!("3333{}", hex(&daddr[12..]))
    } else {
        "020000000001".to_owned()
    };
    format!(
        "{mac}02000000000286dd60000000{:04x}3a{hop_limit:02x}{}{}{}",
        message.len(),
        hex(&saddr),
        hex(&daddr),
        hex(&message)
    )
}

/// The question to the group of 2001:db8::1, with the asker's MAC address.
fn question(target: &str) -> String {
    frame(135, "ff02::1:ff00:1", 0, target, "0101020000000002", 255)
}

/// `ndisc_recv_ns()`, `ndisc_send_na()`: 40 bytes of IPv6, 24 of message, 8 of option, and a hop limit of 255.
#[test]
fn a_question_is_answered() {
    let trace = run(&format!("orc send tx {} tx", question("2001:db8::1")));
    assert!(
        drops(&trace).iter().all(|reason| *reason == 2),
        "{:?}",
        drops(&trace)
    );
    let path = functions(&trace, "rx");
    for name in [
        "ip6_mc_input",
        "icmpv6_rcv",
        "ndisc_rcv",
        "ndisc_send_skb",
        "ip6_output",
        "veth_xmit",
    ] {
        assert!(path.contains(&name), "{name}: {path:?}");
    }
    let answer = at(&trace, "ip6_rcv_core", "tx");
    assert_eq!(answer.len, 40 + 24 + 8);
    // nobody has asked for it there, as the other end of a wire is known at once
    assert!(functions(&trace, "tx").contains(&"ndisc_rcv"));
}

/// Reasons 99 to 102 of `include/net/dropreason-core.h`, and what has none.
#[test]
fn what_is_refused() {
    let first = |frame: String| drops(&run(&format!("orc send tx {frame} tx")))[0];
    assert_eq!(
        first(frame(135, "ff02::1:ff00:1", 0, "2001:db8::1", "", 64)),
        99
    );
    assert_eq!(
        first(frame(135, "ff02::1:ff00:1", 0, "2001:db8::1", "0100", 255)),
        101
    );
    assert_eq!(first(question("2001:db8::101")), 102);
    // an option of another length
    let long = "01020200000000020000000000000000";
    assert_eq!(
        first(frame(135, "ff02::1:ff00:1", 0, "2001:db8::1", long, 255)),
        2
    );
    // a group that nobody here has joined
    assert_eq!(
        first(frame(135, "ff02::1:ff00:77", 0, "2001:db8::77", "", 255)),
        2
    );
    // an answer that nobody has asked for
    let answer = frame(
        136,
        "2001:db8::1",
        0x60,
        "2001:db8::2",
        "0201020000000002",
        255,
    );
    assert_eq!(first(answer), 2);
}

/// `ndisc_recv_ns()`: without the asker's MAC address and by the group, nobody new is answered; straight to the host,
/// the answer tells no address.
#[test]
fn a_question_without_an_address() {
    let trace = run(&format!(
        "orc send tx {} tx",
        frame(135, "ff02::1:ff00:1", 0, "2001:db8::1", "", 255)
    ));
    assert!(!functions(&trace, "rx").contains(&"ndisc_send_skb"));
    let trace = run(&format!(
        "orc send tx {} tx",
        frame(135, "2001:db8::1", 0, "2001:db8::1", "", 255)
    ));
    assert_eq!(at(&trace, "ip6_rcv_core", "tx").len, 40 + 24);
}

/// NF_INET_LOCAL_OUT sees the answer (`ndisc_send_skb()`).
#[test]
fn netfilter_sees_the_answer() {
    let text = "nft add table ip6 t\nnft add chain ip6 t c { type filter hook output priority 0; policy drop; }\n";
    let trace = run(&format!("{text}orc send tx {} tx", question("2001:db8::1")));
    assert_eq!(drops(&trace), [12]);
    assert!(!functions(&trace, "tx").contains(&"ndisc_rcv"));
}
