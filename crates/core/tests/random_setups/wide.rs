//! Set-ups of the second kind: a host with a bridge, VLANs of both protocols, tunnels over IPv6, MPLS, netkit, merged
//! packets, and routes that put something around what they send on. Packets come for several of these at once.

use super::frame::{ethernet_to, ipv4, ipv6, tcp, udp4, udp6};
use super::{OBJECTS, Random, XDP};
use std::fmt::Write as _;

/// Addresses of the sending host, and of this one.
const NEAR4: [[u8; 4]; 2] = [[10, 0, 0, 2], [10, 0, 0, 1]];
/// Addresses that this host sends on.
const FAR4: [[u8; 4]; 2] = [[10, 0, 0, 2], [10, 8, 0, 5]];

/// An address of `2001:db8:NET::HOST`.
fn v6(net: u8, host: u8) -> [u8; 16] {
    let mut address = [0; 16];
    address[..6].copy_from_slice(&[0x20, 1, 0x0d, 0xb8, 0, net]);
    address[15] = host;
    address
}

/// What takes packets off the first device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// `rx` itself.
    Plain,
    /// A bridge that `rx` is a port of.
    Bridge,
    /// A VLAN with a tag of 802.1ad, and one of 802.1Q on it.
    Vlans,
}

/// A tunnel that ends here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tunnel {
    Ip6gre,
    Ip6gretap,
    Ip6tnl,
    Sit,
    Vxlan6,
}

/// A set-up of this kind.
struct Wide {
    random: Random,
    text: String,
    first: First,
    /// The device with this host's addresses.
    dev: &'static str,
    tunnel: Option<Tunnel>,
    mpls: bool,
    devices: Vec<String>,
}

/// The commands of the set-up with that number.
pub fn text(number: u64) -> String {
    let mut random = Random::new(number ^ 0x5eed_0000);
    let first = random.of(&[First::Plain, First::Plain, First::Bridge, First::Vlans]);
    let mut wide = Wide {
        random,
        text: String::from(
            "ip netns add tx\n\
             ip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns tx\n\
             ip link set dev rx up\nip -n tx link set dev tx up\n",
        ),
        first,
        dev: "rx",
        tunnel: None,
        mpls: false,
        devices: vec!["rx".into()],
    };
    wide.far();
    wide.first();
    wide.addresses();
    wide.tunnel();
    wide.routes();
    wide.programs();
    wide.packets();
    wide.text
}

impl Wide {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{line}");
    }

    /// The other side: `far` behind `out`, or behind a netkit pair.
    fn far(&mut self) {
        self.text.push_str("ip netns add far\n");
        match self.random.below(4) {
            0 => {
                let mode = self.random.of(&["l2", "l3"]);
                self.line(format_args!(
                    "ip link add out type netkit mode {mode} peer name far netns far"
                ));
            }
            _ => self.text.push_str(
                "ip link add out address 02:00:00:00:00:03 type veth peer name far address 02:00:00:00:00:04 netns far\n",
            ),
        }
        let mtu = self.random.of(&[1500, 1500, 9000, 1280, 300]);
        if mtu != 1500 {
            self.line(format_args!("ip link set dev out mtu {mtu}"));
        }
        self.text.push_str(
            "ip link set dev out up\nip -n far link set dev far up\n\
             ip addr add 10.9.0.1/24 dev out\nip -n far addr add 10.9.0.2/24 dev far\n",
        );
        if mtu >= 1280 {
            self.text.push_str(
                "ip -6 addr add 2001:db8:9::1/64 dev out nodad\n\
                 ip -n far -6 addr add 2001:db8:9::2/64 dev far nodad\n",
            );
        }
        self.devices.push("out".into());
    }

    fn first(&mut self) {
        match self.first {
            First::Plain => {}
            First::Bridge => {
                self.dev = "br0";
                self.text.push_str(
                    "ip link add br0 address 02:00:00:00:00:01 type bridge stp_state 0 mcast_snooping 0\n\
                     ip link set dev br0 up\nip link set dev rx master br0\n\
                     ip netns add side\n\
                     ip link add port address 02:00:00:00:00:0b type veth peer name side address 02:00:00:00:0b:00 netns side\n\
                     ip link set dev port up\nip -n side link set dev side up\nip link set dev port master br0\n",
                );
                if self.random.one_in(3) {
                    self.text.push_str(
                        "ip link set dev br0 type bridge vlan_filtering 1\n\
                         bridge vlan add dev rx vid 10 pvid untagged\nbridge vlan add dev port vid 10\n\
                         bridge vlan add dev br0 vid 10 pvid untagged self\n",
                    );
                }
                self.devices.extend(["br0".into(), "port".into()]);
            }
            First::Vlans => {
                self.dev = "rx.20.30";
                self.text.push_str(
                    "ip link add link rx name rx.20 type vlan id 20 protocol 802.1ad\nip link set dev rx.20 up\n\
                     ip link add link rx.20 name rx.20.30 type vlan id 30\nip link set dev rx.20.30 up\n",
                );
                self.devices.extend(["rx.20".into(), "rx.20.30".into()]);
            }
        }
    }

    fn addresses(&mut self) {
        let dev = self.dev;
        self.line(format_args!("ip addr add 10.0.0.1/24 dev {dev}"));
        self.line(format_args!(
            "ip -6 addr add 2001:db8::1/64 dev {dev} nodad"
        ));
        self.line(format_args!(
            "ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev {dev} nud permanent"
        ));
        self.line(format_args!(
            "ip -6 neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev {dev} nud permanent"
        ));
        if self.random.one_in(2) {
            self.line(format_args!("sysctl -q -w net.ipv4.icmp_echo_ignore_all=1"));
        }
        self.line(format_args!(
            "sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
        ));
        if self.random.one_in(3) {
            self.mpls = true;
            self.line(format_args!(
                "sysctl -q -w net.mpls.platform_labels=1000 net.mpls.conf.{}.input=1",
                dev.replace('.', "/")
            ));
            self.line(format_args!("ip -f mpls route add 100 dev lo"));
            self.line(format_args!(
                "ip -f mpls route add 101 as 200/300 via inet 10.9.0.2 dev out"
            ));
        }
        if self.random.one_in(2) {
            self.text.push_str(
                "ethtool -K rx gro on\necho 2 > /sys/class/net/rx/napi_defer_hard_irqs\n\
                 echo 200000000 > /sys/class/net/rx/gro_flush_timeout\n",
            );
        }
    }

    fn tunnel(&mut self) {
        const KINDS: [Tunnel; 5] = [
            Tunnel::Ip6gre,
            Tunnel::Ip6gretap,
            Tunnel::Ip6tnl,
            Tunnel::Sit,
            Tunnel::Vxlan6,
        ];
        if self.random.one_in(3) {
            return;
        }
        let kind = self.random.of(&KINDS);
        let ends = "local 2001:db8::1 remote 2001:db8::2";
        let what = match kind {
            Tunnel::Ip6gre => format!("type ip6gre {ends} encaplimit none"),
            Tunnel::Ip6gretap => {
                format!("address 02:00:00:00:01:01 type ip6gretap {ends} encaplimit none")
            }
            Tunnel::Ip6tnl => format!("type ip6tnl mode any {ends} encaplimit none"),
            Tunnel::Sit => "type sit local 10.0.0.1 remote 10.0.0.2".into(),
            Tunnel::Vxlan6 => format!(
                "address 02:00:00:00:01:01 type vxlan id 41 {ends} dstport 4789 srcport 40000 40001 nolearning udp6zerocsumrx"
            ),
        };
        self.line(format_args!("ip link add t0 {what}"));
        self.line(format_args!("ip link set dev t0 up"));
        self.line(format_args!("ip -6 addr add 2001:db8:1::1/64 dev t0 nodad"));
        if kind != Tunnel::Sit {
            self.line(format_args!("ip addr add 10.1.0.1/24 dev t0"));
        }
        self.tunnel = Some(kind);
        self.devices.push("t0".into());
    }

    /// How packets are sent on, and what is put around them.
    fn routes(&mut self) {
        let on = self.random.below(5);
        let route = match on {
            0 => "ip route add 10.8.0.0/24 dev enc".into(),
            1 => "ip route add 10.8.0.0/24 encap mpls 400/500 via 10.9.0.2 dev out".into(),
            _ => String::from("ip route add 10.8.0.0/24 via 10.9.0.2 dev out"),
        };
        if on == 0 {
            let options = self.random.of(&["", " oseq", " okey 7 ocsum"]);
            self.line(format_args!(
                "ip link add enc type gre local 10.9.0.1 remote 10.9.0.2{options}"
            ));
            self.line(format_args!("ip link set dev enc up"));
            self.devices.push("enc".into());
        }
        self.line(format_args!("{route}"));
        if !self.text.contains("2001:db8:9::1") {
            return;
        }
        let encap = match self.random.below(7) {
            0 => "encap seg6 mode encap segs 2001:db8:9::2 ",
            1 => "encap seg6 mode encap.red segs 2001:db8:9::2,2001:db8:7::1 ",
            2 => "encap seg6 mode inline segs 2001:db8:9::2 ",
            3 => "encap ioam6 trace prealloc type 0xc00000 ns 7 size 16 ",
            _ => "",
        };
        self.line(format_args!(
            "ip -6 route add 2001:db8:8::/64 {encap}via 2001:db8:9::2 dev out"
        ));
        if self.random.one_in(2) {
            self.line(format_args!("ip ioam namespace add 7"));
        }
    }

    fn programs(&mut self) {
        // netkit takes no XDP, and a frame longer than a page is not for this program
        let takes_xdp =
            self.text.contains("peer name far address") && !self.text.contains("mtu 9000");
        if takes_xdp && self.random.one_in(3) {
            self.line(format_args!(
                "ip netns exec far orc xdp xdp_pass far native"
            ));
        }
        if !self.random.one_in(3) {
            let (program, mode) = (
                self.random.of(&XDP),
                self.random.of(&["native", "native", "generic"]),
            );
            self.line(format_args!("orc xdp {program} rx {mode}"));
        }
        if self.random.one_in(4) {
            let dev = self.any_device();
            self.line(format_args!("orc tap {dev}"));
        }
        self.line(format_args!("orc cfg 0 out"));
        for _ in 0..self.random.below(5) {
            let tc = &OBJECTS[XDP.len()..];
            let (program, _) = tc[self.random.below(tc.len())];
            let (dev, hook) = (self.any_device(), self.random.of(&["ingress", "egress"]));
            self.line(format_args!("orc tcx {program} {dev} {hook}"));
        }
        if self.random.one_in(4) {
            let (dev, to) = (self.any_device(), self.any_device());
            let what = self.random.of(&["mirror", "redirect"]);
            self.line(format_args!("tc qdisc add dev {dev} clsact"));
            self.line(format_args!(
                "tc filter add dev {dev} ingress protocol all pref 1 matchall action mirred egress {what} dev {to}"
            ));
        }
    }

    fn any_device(&mut self) -> String {
        let at = self.random.below(self.devices.len());
        self.devices[at].clone()
    }

    fn packets(&mut self) {
        for _ in 0..1 + self.random.below(3) {
            if self.random.one_in(3) {
                self.train();
                continue;
            }
            let mut bytes = self.packet();
            if self.random.one_in(5) {
                let at = self.random.below(bytes.len());
                bytes[at] ^= 1 << self.random.below(8);
            }
            if self.random.one_in(7) {
                let len = 15 + self.random.below(bytes.len() - 14);
                bytes.truncate(len);
            }
            self.line(format_args!("orc send tx {} tx", hex(&bytes)));
        }
    }

    /// Segments that GRO may merge: for this host or another, over IPv4 or IPv6.
    fn train(&mut self) {
        let (six, far) = (self.random.one_in(2), self.random.one_in(2));
        let (count, size) = (
            2 + self.random.below(3),
            self.random.of(&[40, 100, 500, 1400]),
        );
        let df = self.random.one_in(2);
        let mut words = String::new();
        for i in 0..count {
            let data: Vec<u8> = (0..size).map(|at| (at + i) as u8).collect();
            let sequence = (1000 + i * size) as u32;
            let packet = match six {
                false => {
                    let hosts = if far { FAR4 } else { NEAR4 };
                    let segment = tcp(&hosts.concat(), sequence, &data);
                    ipv4(6, hosts[0], hosts[1], &segment, (i as u16, df))
                }
                true => {
                    let hosts = [v6(0, 2), if far { v6(8, 5) } else { v6(0, 1) }];
                    ipv6(6, hosts, &tcp(&hosts.concat(), sequence, &data))
                }
            };
            let frame = self.frame(six, &packet);
            let _ = write!(words, " {}", hex(&frame));
        }
        self.line(format_args!("orc burst tx tx{words}"));
    }

    /// One packet, for something that this host has.
    fn packet(&mut self) -> Vec<u8> {
        let data: Vec<u8> = (0..self.random.of(&[0, 1, 24, 400, 1300]))
            .map(|at| at as u8)
            .collect();
        let far = self.random.one_in(2);
        let hosts4 = if far { FAR4 } else { NEAR4 };
        let hosts6 = [v6(0, 2), if far { v6(8, 5) } else { v6(0, 1) }];
        let plain4 = ipv4(17, hosts4[0], hosts4[1], &udp4(1000, 2000, &data), (1, far));
        let plain6 = ipv6(17, hosts6, &udp6(hosts6, 1000, 2000, &data));
        let outer6 = [v6(0, 2), v6(0, 1)];
        match self.random.below(6) {
            0 => self.frame(false, &plain4),
            1 => self.frame(true, &plain6),
            2 if self.mpls => {
                let label = self.random.of(&[100, 101u32]);
                let entry = (label << 12 | 1 << 8 | 64).to_be_bytes();
                self.framed([0x88, 0x47], &[&entry[..], &plain4].concat())
            }
            _ => match self.tunnel {
                None => self.frame(true, &plain6),
                Some(Tunnel::Ip6gre) => {
                    let inner = [&[0, 0, 0x86, 0xdd][..], &plain6].concat();
                    self.frame(true, &ipv6(47, outer6, &inner))
                }
                Some(Tunnel::Ip6gretap) => {
                    let frame = ethernet_to([2, 0, 0, 0, 1, 1], [8, 0], &plain4);
                    let inner = [&[0, 0, 0x65, 0x58][..], &frame].concat();
                    self.frame(true, &ipv6(47, outer6, &inner))
                }
                Some(Tunnel::Ip6tnl) => match self.random.one_in(2) {
                    true => self.frame(true, &ipv6(4, outer6, &plain4)),
                    false => self.frame(true, &ipv6(41, outer6, &plain6)),
                },
                Some(Tunnel::Sit) => {
                    let packet = ipv4(41, NEAR4[0], NEAR4[1], &plain6, (1, false));
                    self.frame(false, &packet)
                }
                Some(Tunnel::Vxlan6) => {
                    let frame = ethernet_to([2, 0, 0, 0, 1, 1], [8, 0], &plain4);
                    let inner = [&[8, 0, 0, 0, 0, 0, 41, 0][..], &frame].concat();
                    let datagram = udp6(outer6, 40000, 4789, &inner);
                    self.frame(true, &ipv6(17, outer6, &datagram))
                }
            },
        }
    }

    fn frame(&mut self, six: bool, packet: &[u8]) -> Vec<u8> {
        self.framed(if six { [0x86, 0xdd] } else { [8, 0] }, packet)
    }

    /// A frame for this host, rarely for another one or for all.
    fn framed(&mut self, kind: [u8; 2], packet: &[u8]) -> Vec<u8> {
        let to = match self.random.below(8) {
            0 if self.first == First::Bridge => [2, 0, 0, 0, 0x0b, 0],
            1 => [0xff; 6],
            _ => [2, 0, 0, 0, 0, 1],
        };
        let inside = [&kind[..], packet].concat();
        match self.first {
            First::Vlans => {
                let tags = [0x88, 0xa8, 0, 20, 0x81, 0, 0, 30];
                ethernet_to(to, [tags[0], tags[1]], &[&tags[2..], &inside].concat())
            }
            _ => ethernet_to(to, kind, packet),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
