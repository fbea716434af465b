//! `ip link add` and `ip link set`.

use super::bpftool::program_of;
use super::command::{Command, LinkFlags, LinkKind, Mac, Netns, TunnelParms, XdpMode};
use super::error::ParseError;
use super::ip::{mtu, namespace, need, not_covered};
use super::lex::Args;
use super::value::{device, mac, number};
use super::{bridge, ip_link_kind, ip_tunnel, ip6};

/// `ip link add [link DEV] [dev|name] NAME [address MAC] [index N] type KIND …`.
pub(super) fn add(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let (mut name, mut address, mut extra, mut lower) = (None, None, None, None);
    let mut index = None;
    let kind = loop {
        match args.expect("a name, address MAC or type KIND")? {
            "type" => break args.expect("a device type")?,
            "dev" | "name" => name = Some(args.value("a device name", device)?),
            "address" | "addr" => address = Some(args.value("a MAC address", mac)?),
            "link" => lower = Some(args.value("a device", device)?),
            "index" => index = Some(args.value("an interface index from 1 on", ifindex)?),
            word @ ("mtu" | "txqueuelen" | "qlen" | "txqlen" | "netns" | "numtxqueues"
            | "numrxqueues" | "broadcast" | "brd" | "group" | "gso_max_size"
            | "gro_max_size") => {
                args.expect("a value")?;
                extra = Some(word);
            }
            "up" => extra = Some("up"),
            word => match device(word).filter(|_| name.is_none()) {
                Some(word) => name = Some(word),
                None => return Err(args.unexpected("address MAC or type KIND")),
            },
        }
    };
    let kind = match kind {
        "veth" => match veth(&mut args)? {
            Ok(veth) => veth,
            Err(option) => return not_covered(&format!("ip link add … type veth {option}")),
        },
        "ip6gre" | "ip6gretap" | "ip6tnl" => match (ip6::options(&mut args)?, kind) {
            (Ok(parms), "ip6gre") => LinkKind::Ip6Gre(parms),
            (Ok(parms), "ip6gretap") => LinkKind::Ip6Gretap(parms),
            (Ok(parms), _) => LinkKind::Ip6Tnl(parms),
            (Err(option), kind) => {
                return not_covered(&format!("ip link add … type {kind} {option}"));
            }
        },
        "dummy" => {
            args.end()?;
            LinkKind::Dummy
        }
        "gre" | "gretap" | "ipip" | "sit" => match (ip_tunnel::options(&mut args)?, kind) {
            (Ok(parms), "gre") => LinkKind::Gre(parms),
            (Ok(parms), "sit") if parms.external => {
                return not_covered("ip link add … type sit external");
            }
            (Ok(parms), "sit") => LinkKind::Sit(TunnelParms { any: true, ..parms }),
            (Ok(parms), "gretap") => LinkKind::Gretap(parms),
            (Ok(parms), _) => LinkKind::Ipip(TunnelParms { any: true, ..parms }),
            (Err(option), kind) => {
                return not_covered(&format!("ip link add … type {kind} {option}"));
            }
        },
        "vlan" | "vxlan" | "geneve" | "bridge" | "netkit" | "macvlan" => {
            let kind_name = kind;
            let found = match kind {
                "vlan" => ip_link_kind::vlan(&mut args, lower.take()),
                "vxlan" => ip_link_kind::vxlan(&mut args),
                "geneve" => ip_link_kind::geneve(&mut args),
                "netkit" => ip_link_kind::netkit(&mut args),
                "macvlan" => ip_link_kind::macvlan(&mut args, lower.take()),
                _ => ip_link_kind::bridge(&mut args),
            };
            match found? {
                Ok(kind) => kind,
                Err(option) => {
                    return not_covered(&format!("ip link add … type {kind_name} {option}"));
                }
            }
        }
        other => LinkKind::Unknown(other.to_owned()),
    };
    let extra = extra.or(lower.map(|_| "link"));
    if let (Some(extra), false) = (extra, matches!(kind, LinkKind::Unknown(_))) {
        return not_covered(&format!("ip link add … {extra}"));
    }
    let name = match kind {
        // The kernel chooses a name; what has none here is refused by its kind anyway.
        LinkKind::Unknown(_) => name.unwrap_or_default(),
        _ => need(&mut args, name, "a device name")?,
    };
    Ok(vec![Command::LinkAdd {
        netns,
        name,
        address,
        index,
        kind,
    }])
}

/// An interface index is a positive `int`.
fn ifindex(word: &str) -> Option<u32> {
    number(word).filter(|index| (1..=i32::MAX.unsigned_abs()).contains(index))
}

/// What stands behind `type veth`; the inner error is an option that is known but not simulated.
fn veth(args: &mut Args<'_>) -> Result<Result<LinkKind, &'static str>, ParseError> {
    args.value("peer", |word| (word == "peer").then_some(()))?;
    let (mut peer, mut peer_address, mut peer_netns): (Option<String>, Option<Mac>, Netns) =
        (None, None, None);
    while let Some(word) = args.next() {
        match word {
            "dev" | "name" => peer = Some(args.value("the name of the other end", device)?),
            "address" | "addr" => peer_address = Some(args.value("a MAC address", mac)?),
            "netns" => peer_netns = Some(args.value("a namespace", namespace)?),
            "mtu" => return Ok(Err("peer … mtu")),
            "numtxqueues" => return Ok(Err("peer … numtxqueues")),
            "numrxqueues" => return Ok(Err("peer … numrxqueues")),
            word => match device(word).filter(|_| peer.is_none()) {
                Some(word) => peer = Some(word),
                None => return Err(args.unexpected("name NAME, address MAC or netns NETNS")),
            },
        }
    }
    let peer = need(args, peer, "name and the name of the other end")?;
    Ok(Ok(LinkKind::Veth {
        peer,
        peer_address,
        peer_netns,
    }))
}

/// `ip link set [dev] NAME [up|down] [address MAC] [netns NS] [mtu N] [master BR] [promisc on|off] [arp on|off]
/// [xdp… pinned PATH|off]`; `force` is that of `ip -force`.
pub(super) fn set(
    mut args: Args<'_>,
    netns: Netns,
    force: bool,
) -> Result<Vec<Command>, ParseError> {
    let (mut dev, mut up, mut address, mut to_netns, mut new_mtu) = (None, None, None, None, None);
    let (mut xdp, mut master, mut bridge_options) = (None, None, None);
    let mut flags = LinkFlags::default();
    while let Some(word) = args.next() {
        match word {
            "dev" => dev = Some(args.value("a device", device)?),
            "up" => up = Some(true),
            "down" => up = Some(false),
            "address" | "addr" => address = Some(args.value("a MAC address", mac)?),
            "netns" => to_netns = Some(args.value("a namespace", namespace)?),
            "mtu" => new_mtu = Some(args.value("an MTU from 68 to 65535", mtu)?),
            "xdp" | "xdpdrv" | "xdpgeneric" => match program(&mut args)? {
                Ok(program) => xdp = Some((program, xdp_mode(word))),
                Err(option) => return not_covered(&format!("ip link set … {word} {option}")),
            },
            "master" => master = Some(Some(args.value("a bridge", device)?)),
            "nomaster" => master = Some(None),
            "type" => match args.expect("a device type")? {
                "bridge" => match bridge::options(&mut args)? {
                    Ok(options) => bridge_options = Some(options),
                    Err(option) => {
                        return not_covered(&format!("ip link set … type bridge {option}"));
                    }
                },
                kind => return not_covered(&format!("ip link set … type {kind}")),
            },
            "promisc" => flags.promisc = Some(args.value("on or off", on_off)?),
            "arp" => flags.arp = Some(args.value("on or off", on_off)?),
            "txqueuelen" | "qlen" | "txqlen" | "multicast" | "allmulticast" | "dynamic"
            | "name" | "alias" | "group" | "vf" | "xdpoffload" | "broadcast" | "brd" | "vrf"
            | "carrier" | "protodown" | "gso_max_size" | "gro_max_size" | "addrgenmode"
            | "trailers" => {
                return not_covered(&format!("ip link set … {word}"));
            }
            word => match device(word).filter(|_| dev.is_none()) {
                Some(word) => dev = Some(word),
                None if dev.is_none() => {
                    return Err(args.unexpected("a device: 1 to 15 characters without / and :"));
                }
                None => {
                    return Err(args.unexpected(
                        "up, down, address MAC, netns NETNS, mtu N or xdp pinned PATH",
                    ));
                }
            },
        }
    }
    let dev: String = need(&mut args, dev, "a device")?;
    let changes = up.is_some()
        || address.is_some()
        || to_netns.is_some()
        || new_mtu.is_some()
        || master.is_some()
        || flags != LinkFlags::default();
    if !changes && xdp.is_none() && bridge_options.is_none() {
        return Err(args.missing("up, down, address MAC, netns NETNS, mtu N or xdp pinned PATH"));
    }
    let attach = xdp.map(|(program, mode)| xdp_command(&netns, &dev, program, mode, force));
    let bridge = bridge_options.map(|options| Command::BridgeSet {
        netns: netns.clone(),
        dev: dev.clone(),
        options,
    });
    let set = changes.then_some(Command::LinkSet {
        netns,
        dev,
        up,
        address,
        to_netns,
        mtu: new_mtu,
        master,
        flags,
    });
    Ok(attach.into_iter().chain(bridge).chain(set).collect())
}

fn on_off(word: &str) -> Option<bool> {
    match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// A program, or none.
fn xdp_command(
    netns: &Netns,
    dev: &str,
    program: Option<String>,
    mode: Option<XdpMode>,
    force: bool,
) -> Command {
    let (netns, dev) = (netns.clone(), dev.to_owned());
    match program {
        Some(program) => Command::AttachXdp {
            netns,
            program,
            dev,
            mode,
            force,
        },
        None => Command::DetachXdp { netns, dev, mode },
    }
}

fn xdp_mode(word: &str) -> Option<XdpMode> {
    match word {
        "xdpdrv" => Some(XdpMode::Native),
        "xdpgeneric" => Some(XdpMode::Generic),
        _ => None,
    }
}

/// `pinned PATH`; the inner error is another way to name a program.
fn program(args: &mut Args<'_>) -> Result<Result<Option<String>, &'static str>, ParseError> {
    let expected = "pinned PATH or off";
    match args.expect(expected)? {
        "pinned" | "pin" => args
            .value("the path of a pinned program", program_of)
            .map(|program| Ok(Some(program))),
        "object" | "obj" => Ok(Err("object")),
        "off" | "none" => Ok(Ok(None)),
        _ => Err(args.unexpected(expected)),
    }
}
