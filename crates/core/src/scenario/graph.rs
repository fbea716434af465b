//! The topology of a text as a graph: namespaces, devices, wires between them, devices on devices.
//! Made from the commands alone, so that it is there while a text is still being typed.

use super::command::{Command, Line, LinkKind, Netns};
use crate::trace::Trace;

/// A device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Name.
    pub name: String,
    /// Index into [`Graph::namespaces`].
    pub namespace: usize,
    /// `veth`, `gre`, …
    pub kind: String,
    /// `10.0.0.1/24`, in the order in which they were added.
    pub addresses: Vec<String>,
    /// `set_tag · xdp`, in the order in which they were attached.
    pub programs: Vec<String>,
    /// It was set up.
    pub up: bool,
}

/// Two devices that belong together; indexes into [`Graph::devices`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edge {
    /// The ends of a veth pair.
    Wire(usize, usize),
    /// The first stands on the second (VLAN, tunnel with `dev`), or is its bridge's port.
    On(usize, usize),
}

/// The topology.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// Namespaces in the order in which devices were put in them; `None` is where commands start.
    pub namespaces: Vec<Netns>,
    /// Devices, in the order in which they were made.
    pub devices: Vec<Device>,
    /// What joins them.
    pub edges: Vec<Edge>,
}

impl Graph {
    /// The graph of commands.
    #[must_use]
    pub fn of(lines: &[Line]) -> Self {
        let mut graph = Self::default();
        for line in lines {
            graph.command(&line.command);
        }
        graph
    }

    /// Index of a device.
    #[must_use]
    pub fn device(&self, netns: Option<&str>, name: &str) -> Option<usize> {
        self.devices.iter().position(|device| {
            let own = self
                .namespaces
                .get(device.namespace)
                .and_then(Netns::as_deref);
            device.name == name && own == netns
        })
    }

    /// The devices that the packets of a trace pass, one after the other.
    #[must_use]
    pub fn way(&self, trace: &Trace) -> Vec<usize> {
        let mut out: Vec<usize> = Vec::new();
        for dev in trace.steps.iter().filter_map(|step| step.dev.as_ref()) {
            if let Some(at) = self.device(dev.netns.as_deref(), &dev.name)
                && out.last() != Some(&at)
            {
                out.push(at);
            }
        }
        out
    }

    fn namespace(&mut self, netns: &Netns) -> usize {
        match self.namespaces.iter().position(|known| known == netns) {
            Some(at) => at,
            None => {
                self.namespaces.push(netns.clone());
                self.namespaces.len() - 1
            }
        }
    }

    fn add(&mut self, netns: &Netns, name: &str, kind: &str) -> usize {
        let namespace = self.namespace(netns);
        self.devices.push(Device {
            name: name.into(),
            namespace,
            kind: kind.into(),
            addresses: Vec::new(),
            programs: Vec::new(),
            up: false,
        });
        self.devices.len() - 1
    }

    /// The device; one that exists without being made (`lo`) is made.
    fn at(&mut self, netns: &Netns, name: &str) -> usize {
        self.device(netns.as_deref(), name).unwrap_or_else(|| {
            self.add(
                netns,
                name,
                if name == "lo" { "loopback" } else { "device" },
            )
        })
    }

    fn command(&mut self, command: &Command) {
        match command {
            Command::LinkAdd {
                netns, name, kind, ..
            } => self.link(netns, name, kind),
            Command::LinkSet {
                netns,
                dev,
                up,
                to_netns,
                master,
                ..
            } => {
                let at = self.at(netns, dev);
                if let Some(up) = up {
                    self.devices[at].up = *up;
                }
                if let Some(Some(bridge)) = master {
                    let bridge = self.at(netns, bridge);
                    self.edges.push(Edge::On(at, bridge));
                }
                if to_netns.is_some() {
                    let namespace = self.namespace(to_netns);
                    self.devices[at].namespace = namespace;
                }
            }
            Command::AddrAdd { netns, addr, dev } => {
                let at = self.at(netns, dev);
                let text = format!("{}/{}", addr.addr, addr.prefix);
                self.devices[at].addresses.push(text);
            }
            Command::L2tpSessionAdd { netns, name, .. } => {
                self.add(netns, name, "l2tp");
            }
            Command::Addr6Add { netns, addr, dev } => {
                let at = self.at(netns, dev);
                let text = format!("{}/{}", addr.addr, addr.prefix);
                self.devices[at].addresses.push(text);
            }
            Command::AttachXdp {
                netns,
                program,
                dev,
                ..
            } => self.attach(netns, dev, program, "xdp"),
            Command::AttachTcx {
                netns,
                program,
                dev,
                hook,
            } => {
                let hook = match hook {
                    super::command::TcHook::Ingress => "ingress",
                    super::command::TcHook::Egress => "egress",
                };
                self.attach(netns, dev, program, hook);
            }
            Command::AttachNetkit {
                netns,
                program,
                dev,
                peer,
            } => {
                let hook = if *peer { "netkit peer" } else { "netkit" };
                self.attach(netns, dev, program, hook);
            }
            _ => {}
        }
    }

    fn attach(&mut self, netns: &Netns, dev: &str, program: &str, hook: &str) {
        let at = self.at(netns, dev);
        self.devices[at]
            .programs
            .push(format!("{program} · {hook}"));
    }

    fn link(&mut self, netns: &Netns, name: &str, kind: &LinkKind) {
        let word = kind_word(kind);
        let at = self.add(netns, name, &word);
        match kind {
            LinkKind::Veth {
                peer, peer_netns, ..
            }
            | LinkKind::Netkit {
                peer, peer_netns, ..
            } => {
                let other = if peer_netns.is_some() {
                    peer_netns
                } else {
                    netns
                };
                let peer = self.add(other, peer, &word);
                self.edges.push(Edge::Wire(at, peer));
            }
            LinkKind::Vlan { lower, .. } | LinkKind::Macvlan { lower, .. } => {
                let lower = self.at(netns, lower);
                self.edges.push(Edge::On(at, lower));
            }
            _ => {}
        }
    }
}

fn kind_word(kind: &LinkKind) -> String {
    match kind {
        LinkKind::Veth { .. } => "veth".into(),
        LinkKind::Gre(_) => "gre".into(),
        LinkKind::Gretap(_) => "gretap".into(),
        LinkKind::Ipip(_) => "ipip".into(),
        LinkKind::Sit(_) => "sit".into(),
        LinkKind::Ip6Gre(_) => "ip6gre".into(),
        LinkKind::Ip6Gretap(_) => "ip6gretap".into(),
        LinkKind::Ip6Tnl(_) => "ip6tnl".into(),
        LinkKind::Nic(_) => "nic".into(),
        LinkKind::Dummy => "dummy".into(),
        LinkKind::Vlan { id, .. } => format!("vlan {id}"),
        LinkKind::Vxlan(..) => "vxlan".into(),
        LinkKind::Geneve(_) => "geneve".into(),
        LinkKind::Bridge(_) => "bridge".into(),
        LinkKind::Netkit { .. } => "netkit".into(),
        LinkKind::Macvlan { .. } => "macvlan".into(),
        LinkKind::Unknown(kind) => kind.clone(),
        #[allow(unreachable_patterns, reason = "device types are added elsewhere")]
        _ => "device".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn a_pair_a_tunnel_and_a_tag() {
        let text = "ip netns add tx\n\
            ip link add rx type veth peer name tx netns tx\n\
            ip link set dev rx up\nip addr add 10.0.0.1/24 dev rx\n\
            ip link add link rx name rx7 type vlan id 7\n\
            orc xdp set_tag rx native\norc tcx get_tag rx7 ingress";
        let graph = Graph::of(&parse(text).expect("commands").lines);
        assert_eq!(graph.namespaces, [None, Some("tx".to_owned())]);
        let brief: Vec<_> = graph
            .devices
            .iter()
            .map(|d| (d.name.as_str(), d.namespace, d.kind.as_str(), d.up))
            .collect();
        assert_eq!(
            brief,
            [
                ("rx", 0, "veth", true),
                ("tx", 1, "veth", false),
                ("rx7", 0, "vlan 7", false)
            ]
        );
        assert_eq!(graph.edges, [Edge::Wire(0, 1), Edge::On(2, 0)]);
        assert_eq!(graph.devices[0].addresses, ["10.0.0.1/24"]);
        assert_eq!(graph.devices[0].programs, ["set_tag · xdp"]);
        assert_eq!(graph.devices[2].programs, ["get_tag · ingress"]);
    }

    #[test]
    fn the_way_of_a_packet() {
        let text = "ip link add rx type veth peer name tx\nip link add decap type gre local 10.0.0.1 remote 10.0.0.2";
        let graph = Graph::of(&parse(text).expect("commands").lines);
        let trace = crate::scene::testing::decap("mac_header");
        let names: Vec<&str> = graph
            .way(&trace)
            .into_iter()
            .map(|at| graph.devices[at].name.as_str())
            .collect();
        assert_eq!(names, ["rx", "decap"]);
    }
}
