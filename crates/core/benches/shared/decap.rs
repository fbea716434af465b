//! The set-up behind the numbers of `path.rs` and the counts of `tests/allocations.rs`: an echo request in GRE over veth, from the
//! sender's device to its end in the receiver; without programs, or with two of them.

use headroom_core::net::checksum::internet;
use headroom_core::scenario::command::Line;
use headroom_core::scenario::{Parsed, parse_setup};
use headroom_core::simulate::Input;

const PROGS: &[u8] = include_bytes!("../../../../content/programs/seed/progs.bpf.o");

const SETUP: [&str; 12] = [
    "ip netns add tx",
    "ip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns tx",
    "ip link set dev rx up",
    "ip -n tx link set dev tx up",
    "ip addr add 10.0.0.1/24 dev rx",
    "ip -n tx addr add 10.0.0.2/24 dev tx",
    "ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev rx nud permanent",
    "ip -n tx neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev tx nud permanent",
    "ip tun add decap mode gre local 10.0.0.1 remote 10.0.0.2",
    "ip link set dev decap up",
    "ip addr add 192.0.2.1/24 dev decap",
    "sysctl -q -w net.ipv4.icmp_echo_ignore_all=1",
];

const PROGRAMS: [&str; 2] = [
    "bpftool net attach xdp pinned /sys/fs/bpf/set_tag dev rx",
    "bpftool net attach tcx_ingress pinned /sys/fs/bpf/get_tag dev decap",
];

fn ipv4(protocol: u8, from: [u8; 4], to: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let len = (20 + payload.len() as u16).to_be_bytes();
    let mut header = vec![0x45, 0, len[0], len[1], 0, 1, 0, 0, 64, protocol, 0, 0];
    header.extend(from);
    header.extend(to);
    let sum = internet(&header).to_be_bytes();
    header[10..12].copy_from_slice(&sum);
    header.extend(payload);
    header
}

/// An echo request in GRE in IPv4, with 56 bytes of data as ping sends.
fn frame() -> String {
    let mut icmp = vec![8, 0, 0, 0, 0, 7, 0, 1];
    icmp.extend(0..56u8);
    let sum = internet(&icmp).to_be_bytes();
    icmp[2..4].copy_from_slice(&sum);
    let mut gre = vec![0, 0, 8, 0];
    gre.extend(ipv4(1, [192, 0, 2, 2], [192, 0, 2, 1], &icmp));
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend(ipv4(47, [10, 0, 0, 2], [10, 0, 0, 1], &gre));
    frame.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lines(commands: &[&str]) -> Vec<Line> {
    let commands: Vec<String> = commands.iter().map(|line| (*line).to_owned()).collect();
    parse_setup(&commands).expect("commands")
}

/// The commands and programs; `packets` are sent at the end.
pub fn input(with_programs: bool, packets: usize) -> Input {
    let programs: &[&str] = if with_programs { &PROGRAMS } else { &[] };
    let mut lines = lines(&[&SETUP[..], programs].concat());
    lines.extend((0..packets).map(|_| send()));
    let objects = [("progs.bpf.o".to_owned(), PROGS.to_vec())];
    let parsed = Parsed {
        lines,
        skipped: Vec::new(),
    };
    Input::new("bench", parsed, &objects).expect("an input")
}

/// The command that sends a packet.
pub fn send() -> Line {
    lines(&[&format!("orc send tx {} tx", frame())]).remove(0)
}
