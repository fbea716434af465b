//! Where the verdicts of `bpf_redirect_peer()`, `bpf_redirect_neigh()` and `XDP_REDIRECT` send a packet with metadata.

use crate::bpf::XdpTarget;
use crate::design::DesignName;
use crate::scenario::parse;
use crate::scenario::topology::{DevId, NetnsId};
use crate::skb::{NOT_SET, PAGE_SIZE, SHARED_INFO_SIZE};
use crate::stack::Kernel;
use crate::stack::filter::EAGAIN;
use crate::trace::{Edge, PacketFields, SkbNo, StepKind};
use crate::xdp::{XdpBuff, action};

const DESIGNS: [DesignName; 2] = DesignName::ALL;
/// Device 2 is `rx`, 3 is `out`, both here; their other ends are `tx` and `far`, each in its own namespace.
const WORLD: &str = "\
ip netns add tx
ip netns add far
ip link add rx type veth peer name tx netns tx
ip link add out type veth peer name in netns far
ip link set dev rx up
ip -n tx link set dev tx up
ip link set dev out up
ip -n far link set dev in up
ip addr add 10.1.0.1/24 dev out
ip -n far addr add 10.1.0.2/24 dev in
ip netns exec far sysctl -w net.ipv4.icmp_echo_ignore_all=1
";

fn world(design: DesignName, more: &str) -> Kernel {
    let mut k = Kernel::new("test", design.design());
    for line in parse(&format!("{WORLD}{more}")).expect("commands").lines {
        k.execute(&line).expect("a command");
    }
    k
}

fn dev(k: &Kernel, netns: usize, name: &str) -> DevId {
    k.topology.find_dev(NetnsId(netns), name).expect("a device")
}

/// An echo request to 10.1.0.2 on `rx`, `data` at the MAC header at 256, 42 in front of it, at TC ingress.
fn packet(k: &mut Kernel) -> SkbNo {
    let rx = dev(k, 0, "rx");
    let no = k.alloc_skb(512);
    let skb = k.skb_mut(no);
    skb.reserve(256);
    skb.put(14 + 28);
    skb.reset_mac_header();
    skb.set_network_header(14);
    skb.transport_header = NOT_SET;
    skb.reset_mac_len();
    skb.protocol = 0x0800;
    skb.tc_at_ingress = true;
    skb.dev = Some(rx);
    let head = skb.head;
    // by hand: 4500 + 1c + 4001 + a00 + 2 + a01 + 2 = 9922, inverted 66dd
    let ip = [
        0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0x66, 0xdd, 10, 0, 0, 2, 10, 1, 0, 2,
    ];
    let frame = [
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..],
        &ip,
        &[8, 0, 0xf7, 0xff],
    ]
    .concat();
    k.buffers.write(head, 256, &frame, 1, 0);
    k.buffers.write(head, 252, &[42, 0, 0, 0], 2, 0);
    k.skb_metadata_set(no, 4);
    no
}

fn tag(k: &Kernel, no: SkbNo) -> Vec<u8> {
    let meta = k.meta_fields(k.skb(no));
    k.bytes(no, meta.start.unwrap_or(0), meta.len).to_vec()
}

fn entered(k: &Kernel, function: &str, on: &str) -> bool {
    k.recorder.trace.steps.iter().any(|step| {
        let here = step.dev.as_ref().is_some_and(|dev| dev.name == on);
        here && matches!(step.kind, StepKind::Function { name, edge: Edge::Entry, .. } if name == function)
    })
}

/// `skb_do_redirect()` with `BPF_F_PEER`: the packet is on `in` at once, metadata where they were; a device whose
/// other end is in the same namespace, or down, takes none.
#[test]
fn to_the_peer_without_a_hop() {
    for design in DESIGNS {
        let mut k = world(design, "");
        let no = packet(&mut k);
        assert_eq!(k.bpf_redirect_peer(3), 7);
        assert_eq!(k.skb_do_redirect(no), Ok(EAGAIN));
        assert_eq!(k.skb(no).dev, Some(dev(&k, 2, "in")));
        assert_eq!((k.skb(no).data, tag(&k, no)), (256, vec![42, 0, 0, 0]));
        let mut down = world(design, "ip -n far link set dev in down");
        let no = packet(&mut down);
        down.bpf_redirect_peer(3);
        assert_eq!(down.skb_do_redirect(no), Ok(-22));
    }
}

/// `__bpf_redirect_neigh()`: the link header is new, of the device's own address and the neighbour's; a struct that is
/// too short is refused (`TC_ACT_SHOT`).
#[test]
fn to_a_neighbour_by_its_address() {
    for params in [vec![], [&[2, 0, 0, 0, 10, 1, 0, 2][..], &[0; 12]].concat()] {
        let mut k = world(DesignName::MacHeader, "");
        let no = packet(&mut k);
        assert_eq!(k.bpf_redirect_neigh(3, &params), 7);
        let sent = k.skb_do_redirect(no);
        assert_eq!(sent, Ok(0));
        assert!(entered(&k, "bpf_out_neigh_v4", "rx"));
        assert!(entered(&k, "icmp_rcv", "in"), "the neighbour has it");
    }
    let mut k = world(DesignName::MacHeader, "");
    assert_eq!(k.bpf_redirect_neigh(3, &[0; 19]), 2);
}

fn frame(k: &mut Kernel) -> XdpBuff {
    let no = packet(k);
    let head = k.buffers.alloc(PAGE_SIZE - SHARED_INFO_SIZE);
    let from = k.skb(no).head;
    k.buffers.memcpy(head, 252, from, 252, 4 + 42);
    XdpBuff {
        head,
        data_meta: 252,
        data: 256,
        data_end: 298,
        frame_sz: PAGE_SIZE,
        frag_size: 0,
        skb: None,
    }
}

/// `dev_xdp_enqueue()`: a veth takes frames while its other end polls (here: GRO is on); metadata arrive with the
/// frame. Without NAPI there, and to a device that is not there, the frame is returned.
#[test]
fn frames_to_another_device() {
    let send = |design, more: &str, target| {
        let mut k = world(design, more);
        let (rx, xdp) = (dev(&k, 0, "rx"), frame(&mut k));
        k.xdp_redirect_info = Some(target);
        k.local_bh(|k| {
            k.xdp_leaves(rx, xdp, action::REDIRECT)?;
            k.xdp_do_flush()
        })
        .expect("a run");
        k
    };
    let gro = "ip netns exec far ethtool -K in gro on";
    for design in DESIGNS {
        let k = send(design, gro, XdpTarget::Device(3));
        let trace = &k.recorder.trace;
        let step = trace.steps.iter().find(|step| {
            let here = step.dev.as_ref().is_some_and(|dev| dev.name == "in");
            here && matches!(step.kind, StepKind::Function { name, .. } if name == "gro_receive_skb")
        });
        let fields = step
            .and_then(|step| step.fields)
            .map(|at| &trace.fields[at]);
        let Some(PacketFields::Skb(fields)) = fields else {
            panic!("no packet on in");
        };
        // `data` is behind the Ethernet header, the metadata in front of it
        assert_eq!(
            (fields.data, fields.meta.len, fields.meta.end),
            (270, 4, Some(256))
        );
    }
    let k = send(DesignName::MacHeader, "", XdpTarget::Device(3));
    assert!(entered(&k, "xdp_return_frame", "rx") && !entered(&k, "gro_receive_skb", "in"));
    let k = send(DesignName::MacHeader, gro, XdpTarget::Device(9));
    assert!(entered(&k, "xdp_return_frame", "rx"));
    // a cpumap: an skb on the same device, in another CPU's softirq
    let k = send(DesignName::MacHeader, gro, XdpTarget::Cpu(1));
    assert!(entered(&k, "gro_receive_skb", "rx"));
}

/// `dev_map_enqueue_multi()`: all devices of the map that can take the frame, each with its metadata; those that are not
/// there are passed over, and with `BPF_F_EXCLUDE_INGRESS` the one at which it came in. Nobody: the frame is returned.
#[test]
fn frames_to_all_devices_of_a_map() {
    let gro = "ip netns exec far ethtool -K in gro on\nip netns exec tx ethtool -K tx gro on";
    let send = |design, all: &[u32], exclude_ingress| {
        let mut k = world(design, gro);
        let (rx, xdp) = (dev(&k, 0, "rx"), frame(&mut k));
        let all = all.to_vec();
        k.xdp_redirect_info = Some(XdpTarget::Devices {
            all,
            exclude_ingress,
        });
        k.local_bh(|k| {
            k.xdp_leaves(rx, xdp, action::REDIRECT)?;
            k.xdp_do_flush()
        })
        .expect("a run");
        k
    };
    let arrived = |k: &Kernel, name: &str| {
        let trace = &k.recorder.trace;
        let step = trace.steps.iter().find(|step| {
            let here = step.dev.as_ref().is_some_and(|dev| dev.name == name);
            here && matches!(step.kind, StepKind::Function { name, .. } if name == "gro_receive_skb")
        })?;
        match &trace.fields[step.fields?] {
            PacketFields::Skb(fields) => Some((step.buffer, fields.meta.len, fields.meta.end)),
            PacketFields::Xdp(_) => None,
        }
    };
    for design in DESIGNS {
        let k = send(design, &[2, 9, 3], false);
        let (tx, inn) = (
            arrived(&k, "tx").expect("on tx"),
            arrived(&k, "in").expect("on in"),
        );
        assert_eq!(
            ((tx.1, tx.2), (inn.1, inn.2)),
            ((4, Some(256)), (4, Some(256)))
        );
        // The first got a copy, the last the frame itself.
        assert_ne!(tx.0, inn.0);
        let k = send(design, &[2, 3], true);
        assert!(arrived(&k, "tx").is_none() && arrived(&k, "in").is_some());
        let k = send(design, &[2, 9], true);
        assert!(entered(&k, "xdp_return_frame", "rx") && arrived(&k, "tx").is_none());
    }
}

/// `dev_map_redirect_multi()`, the same for an skb: clones, and the packet itself for the last.
#[test]
fn packets_to_all_devices_of_a_map() {
    let send = |all: &[u32], exclude_ingress, more: &str| {
        let mut k = world(DesignName::MacHeader, more);
        let (rx, no) = (dev(&k, 0, "rx"), packet(&mut k));
        let all = all.to_vec();
        k.xdp_redirect_info = Some(XdpTarget::Devices {
            all,
            exclude_ingress,
        });
        let sent = k.xdp_do_generic_redirect(no, rx).expect("a run");
        (sent, k)
    };
    let (sent, k) = send(&[2, 3], false, "");
    assert_eq!(sent, Ok(()));
    assert!(entered(&k, "skb_clone", "rx"));
    assert!(entered(&k, "generic_xdp_tx", "rx") && entered(&k, "veth_xmit", "out"));
    let (_, k) = send(&[2, 3], true, "");
    assert!(!entered(&k, "skb_clone", "rx") && entered(&k, "veth_xmit", "out"));
    // A device that is down ends it with -ENETDOWN; one that stands on this device is excluded with it.
    let (sent, _) = send(&[3], false, "ip link set dev out down");
    assert_eq!(sent, Err(-100));
    let vlan = "ip link add link rx name rx.5 type vlan id 5\nip link set dev rx.5 up";
    let (_, k) = send(&[4], false, vlan);
    assert!(entered(&k, "vlan_dev_hard_start_xmit", "rx.5"));
    let (_, k) = send(&[4], true, vlan);
    assert!(!entered(&k, "vlan_dev_hard_start_xmit", "rx.5"));
}
