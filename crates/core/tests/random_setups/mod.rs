//! Random set-ups, the same ones in every run and on every machine: commands as a person would type them, for a chain of
//! devices on a veth pair, programs, filters and taps on them, and packets that fit the chain, or nearly.

#![allow(dead_code, reason = "each test file uses a part")]

mod frame;
pub mod invariants;
mod wide;

use std::fmt::Write as _;

use headroom_core::design::DesignName;
use headroom_core::scenario::parse;
use headroom_core::simulate::{Input, Partial, simulate_partial};

use frame::Layer;

macro_rules! objects {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../../tests/recordings/programs/", $name, ".bpf.o")))),*]
    };
}

/// The programs of the recordings that set-ups are made with.
const OBJECTS: &[(&str, &[u8])] = objects!(
    "set_tag",
    "set_tag0",
    "set_tag32",
    "set_tag216",
    "set_tag_seq",
    "head_after_meta",
    "bad_len",
    "xdp_pass",
    "get_tag",
    "get_meta",
    "get_tag_dynptr",
    "h_change_head",
    "h_change_proto6",
    "h_change_tail_grow",
    "h_change_tail_shrink",
    "h_pull_data",
    "h_room_grow_mac",
    "h_room_grow_net",
    "h_room_shrink_mac",
    "h_store_bytes",
    "h_vlan_pop",
    "h_vlan_push",
    "w_data_meta",
    "w_dynptr",
    "w_packet",
    "w_slice",
    "h_redirect",
    "h_clone_redirect",
);
const XDP: [&str; 8] = [
    "set_tag",
    "set_tag0",
    "set_tag32",
    "set_tag216",
    "set_tag_seq",
    "head_after_meta",
    "bad_len",
    "xdp_pass",
];

/// Marsaglia's xorshift.
pub struct Random(u64);

impl Random {
    /// Numbers for the set-up with that number.
    pub fn new(seed: u64) -> Random {
        let mut random = Random(0x2545_f491_4f6c_dd1d ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..8 {
            random.next();
        }
        random
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below another.
    pub fn below(&mut self, end: usize) -> usize {
        ((self.next() >> 16) % end as u64) as usize
    }

    /// Once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of a list.
    pub fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// A set-up and what goes through it.
pub struct Setup {
    random: Random,
    text: String,
    /// Devices of the receiving host.
    devices: Vec<String>,
    /// What is around the innermost packet, outermost first.
    layers: Vec<Layer>,
    /// Whether the innermost device takes Ethernet frames.
    ethernet: bool,
}

impl Setup {
    /// The commands of the set-up with that number: a chain of devices, or ([`wide`]) a host with much beside each other.
    pub fn text(number: u64) -> String {
        match number % 2 {
            0 => Self::chain(number),
            _ => wide::text(number),
        }
    }

    fn chain(number: u64) -> String {
        let mut setup = Setup {
            random: Random::new(number),
            text: String::from(
                "ip netns add tx\n\
                 ip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns tx\n\
                 ip link set dev rx up\nip -n tx link set dev tx up\n\
                 ip -n tx addr add 10.0.0.2/24 dev tx\n\
                 ip -n tx neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev tx nud permanent\n",
            ),
            devices: vec!["rx".into()],
            layers: Vec::new(),
            ethernet: true,
        };
        setup.address(0);
        for level in 1..=setup.random.below(4) {
            setup.device(level);
        }
        setup.sysctls();
        setup.second_wire();
        setup.programs();
        setup.packets();
        setup.text
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{line}");
    }

    fn last(&self) -> String {
        self.devices.last().cloned().unwrap_or_default()
    }

    /// 10.LEVEL.0.1 on the innermost device, and its neighbour.
    fn address(&mut self, level: usize) {
        let dev = self.last();
        self.line(format_args!("ip addr add 10.{level}.0.1/24 dev {dev}"));
        if self.ethernet {
            self.line(format_args!(
                "ip neigh add 10.{level}.0.2 lladdr 02:00:00:00:0{level}:02 dev {dev} nud permanent"
            ));
        }
    }

    /// A device on the innermost one.
    fn device(&mut self, level: usize) {
        let below = self.last();
        let (dev, mac) = (format!("d{level}"), format!("02:00:00:00:0{level}:01"));
        let (own, other) = (
            format!("10.{}.0.1", level - 1),
            format!("10.{}.0.2", level - 1),
        );
        let kind = self.random.below(if self.ethernet { 8 } else { 5 });
        let layer = match kind {
            0 => {
                let key = self.random.one_in(3);
                let option = if key { " key 7" } else { "" };
                self.line(format_args!(
                    "ip tun add {dev} mode gre local {own} remote {other}{option}"
                ));
                Layer::Gre { key }
            }
            1 => {
                self.line(format_args!(
                    "ip tun add {dev} mode ipip local {own} remote {other}"
                ));
                Layer::Ipip
            }
            2 => {
                self.line(format_args!(
                    "ip link add {dev} address {mac} type gretap local {own} remote {other}"
                ));
                Layer::Gretap
            }
            3 => {
                self.line(format_args!(
                    "ip link add {dev} address {mac} type vxlan id 4{level} local {own} remote {other} dstport 4789 srcport 40000 40001 nolearning"
                ));
                Layer::Vxlan {
                    vni: 40 + level as u8,
                }
            }
            4 => {
                self.line(format_args!(
                    "ip link add {dev} address {mac} type geneve id 4{level} remote {other} dstport 6081"
                ));
                Layer::Geneve {
                    vni: 40 + level as u8,
                }
            }
            _ => {
                let (id, ad) = (10 + level as u16, self.random.one_in(3));
                let protocol = if ad { " protocol 802.1ad" } else { "" };
                self.line(format_args!(
                    "ip link add link {below} name {dev} type vlan id {id}{protocol}"
                ));
                Layer::Vlan { id, ad }
            }
        };
        self.ethernet = !matches!(layer, Layer::Gre { .. } | Layer::Ipip);
        self.layers.push(layer);
        self.devices.push(dev.clone());
        self.line(format_args!("ip link set dev {dev} up"));
        self.address(level);
    }

    fn sysctls(&mut self) {
        if self.random.one_in(2) {
            self.line(format_args!("sysctl -q -w net.ipv4.icmp_echo_ignore_all=1"));
        }
        if self.random.one_in(2) {
            self.line(format_args!("sysctl -q -w net.ipv4.ip_forward=1"));
        }
    }

    /// A second pair, to forward to, as port of a bridge, or for filters.
    fn second_wire(&mut self) {
        self.text.push_str(
            "ip netns add far\n\
             ip link add out address 02:00:00:00:00:03 type veth peer name far address 02:00:00:00:00:04 netns far\n\
             ip link set dev out up\nip -n far link set dev far up\n\
             ip addr add 10.9.0.1/24 dev out\nip -n far addr add 10.9.0.2/24 dev far\n\
             ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:04 dev out nud permanent\n\
             ip -n far route add blackhole 10.0.0.0/8\n",
        );
        match self.random.below(4) {
            0 => self.text.push_str("ip route add 10.8.0.0/24 via 10.9.0.2 dev out\n"),
            1 => self.text.push_str(
                "ip tun add enc mode gre local 10.9.0.1 remote 10.9.0.2\nip link set dev enc up\n\
                 ip route add 10.8.0.0/24 dev enc\n",
            ),
            2 => self.text.push_str(
                "ip link add br0 address 02:00:00:00:00:09 type bridge stp_state 0 mcast_snooping 0\n\
                 ip link set dev br0 up\nip link set dev out master br0\n",
            ),
            _ => {}
        }
        self.devices.push("out".into());
    }

    fn programs(&mut self) {
        if !self.random.one_in(4) {
            let (program, mode) = (self.random.of(&XDP), self.random.of(&["native", "generic"]));
            self.line(format_args!("orc xdp {program} rx {mode}"));
        }
        if self.random.one_in(3) {
            let dev = self.any_device();
            self.line(format_args!("orc tap {dev}"));
        }
        self.line(format_args!("orc cfg 0 out"));
        for _ in 0..self.random.below(5) {
            let tc = &OBJECTS[XDP.len()..];
            let (program, _) = tc[self.random.below(tc.len())];
            let (dev, hook) = (
                self.any_device(),
                self.random.of(&["ingress", "ingress", "egress"]),
            );
            self.line(format_args!("orc tcx {program} {dev} {hook}"));
        }
        if self.random.one_in(3) {
            self.filter();
        }
    }

    fn any_device(&mut self) -> String {
        let at = self.random.below(self.devices.len());
        self.devices[at].clone()
    }

    /// Actions that send packets elsewhere, back into where they come from too.
    fn filter(&mut self) {
        let (dev, to) = (self.any_device(), self.any_device());
        let (hook, what) = (
            self.random.of(&["ingress", "egress"]),
            self.random.of(&["mirror", "redirect"]),
        );
        let way = self.random.of(&["ingress", "egress"]);
        let action = match self.random.below(4) {
            0 => "vlan push id 5".to_owned(),
            1 => "vlan pop".to_owned(),
            _ => format!("mirred {way} {what} dev {to}"),
        };
        self.line(format_args!("tc qdisc add dev {dev} clsact"));
        self.line(format_args!(
            "tc filter add dev {dev} {hook} protocol all pref 1 matchall action {action}"
        ));
    }

    fn packets(&mut self) {
        for _ in 0..1 + self.random.below(3) {
            let mut bytes = frame::build(&self.layers, &mut self.random);
            if self.random.one_in(4) {
                let at = self.random.below(bytes.len());
                bytes[at] ^= 1 << self.random.below(8);
            }
            if self.random.one_in(6) {
                let len = 15 + self.random.below(bytes.len() - 14);
                bytes.truncate(len);
            }
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            self.line(format_args!("orc send tx {hex} tx"));
        }
    }
}

/// Runs a set-up under a design, as far as it goes.
pub fn run(text: &str, design: DesignName) -> Partial {
    simulate_partial(&input(text), design)
}

/// A set-up with its programs.
pub fn input(text: &str) -> Input {
    let parsed = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let used = |name: &str| text.split_whitespace().any(|word| word == name);
    let objects: Vec<(String, Vec<u8>)> = OBJECTS
        .iter()
        .filter(|(name, _)| used(name))
        .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
        .collect();
    Input::new("random", parsed, &objects).expect("an input")
}

/// Set-ups whose traces are compared between the host and WebAssembly.
pub const FOR_BOTH: u64 = 30;

/// A mark of everything in the traces of so many set-ups: equal on the host and in WebAssembly.
pub fn mark(setups: u64) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for number in 0..setups {
        let text = Setup::text(number);
        let design = DesignName::EVERY[number as usize / 2 % DesignName::EVERY.len()];
        let partial = run(&text, design);
        let error = partial.error.map(|error| error.to_string());
        let trace = serde_json::to_vec(&partial.trace).expect("a trace as JSON");
        for byte in trace.iter().chain(error.unwrap_or_default().as_bytes()) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    format!("traces of {setups} set-ups: {hash:016x}")
}
