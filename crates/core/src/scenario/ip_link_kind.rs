//! What stands behind `type` in `ip link add`, for devices other than veth and GRE.

use super::command::{LinkKind, MacvlanMode, NetkitParms, TunnelDf, TunnelTtl, UdpTunnelParms};
use super::error::ParseError;
use super::ip::{namespace, need};
use super::lex::Args;
use super::value::{device, ipv6, is_ipv6, mac, number, tunnel_end};
use crate::net::{geneve, vlan};

/// A kind, or the name of an option that is known but not simulated.
pub(super) type Kind = Result<Result<LinkKind, String>, ParseError>;

/// `link DEV … type vlan [protocol 802.1Q|802.1ad] id N [reorder_hdr on|off]`.
pub(super) fn vlan(args: &mut Args<'_>, lower: Option<String>) -> Kind {
    let (mut protocol, mut id, mut reorder_hdr) = (vlan::P_8021Q, None, true);
    while let Some(word) = args.next() {
        match word {
            "protocol" | "proto" => {
                protocol = args.value("802.1Q or 802.1ad", super::bridge::protocol)?;
            }
            "id" => {
                id = Some(args.value("a VLAN id from 0 to 4094", |word| {
                    number(word)
                        .and_then(|id| u16::try_from(id).ok())
                        .filter(|id| *id < 4095)
                })?);
            }
            "reorder_hdr" => {
                reorder_hdr = args.value("on or off", |word| match word {
                    "on" => Some(true),
                    "off" => Some(false),
                    _ => None,
                })?;
            }
            "gvrp" | "mvrp" | "loose_binding" | "bridge_binding" | "ingress-qos-map"
            | "egress-qos-map" => return Ok(Err(word.to_owned())),
            _ => return Err(args.unexpected("protocol PROTO or id N")),
        }
    }
    let id = need(args, id, "id and a VLAN id")?;
    let lower = need(args, lower, "link DEV in front of type vlan")?;
    Ok(Ok(LinkKind::Vlan {
        lower,
        protocol,
        id,
        reorder_hdr,
    }))
}

/// `type vxlan id N [local A] [remote B] [dev DEV] [dstport P] [srcport LOW HIGH] …`.
pub(super) fn vxlan(args: &mut Args<'_>) -> Kind {
    // without dstport the kernel takes the port from before IANA's (`vxlan_port`, 8472)
    const LINUX_PORT: u16 = 8472;
    let mut parms = udp_tunnel(LINUX_PORT);
    let (mut vni, mut lower) = (None, None);
    while let Some(word) = args.next() {
        match word {
            "dev" => lower = Some(args.value("a device", device)?),
            "srcport" | "port" => {
                let low = args.value(PORT, port)?;
                parms.srcport = Some((low, args.value(PORT, port)?));
            }
            "learning" => parms.learning = true,
            "nolearning" => parms.learning = false,
            "noproxy" | "norsc" | "nol2miss" | "nol3miss" | "noremcsumtx" | "noremcsumrx" => {}
            "ageing" | "maxaddress" => {
                args.expect("a number")?;
            }
            "group" | "group6" | "proxy" | "rsc" | "l2miss" | "l3miss" | "gbp" | "gpe"
            | "remcsumtx" | "remcsumrx" | "flowlabel" | "localbypass" | "nolocalbypass"
            | "vnifilter" => {
                return Ok(Err(word.to_owned()));
            }
            word => common(word, args, &mut parms, &mut vni)?,
        }
    }
    parms.vni = own_vni(args, &parms, vni)?;
    parms.lower = lower.is_some();
    Ok(Ok(LinkKind::Vxlan(parms, lower)))
}

/// `type geneve id N remote A [dstport P] …`.
pub(super) fn geneve(args: &mut Args<'_>) -> Kind {
    let mut parms = udp_tunnel(geneve::PORT);
    // IFLA_GENEVE_UDP_CSUM is absent unless asked for (geneve_nl2info())
    parms.udpcsum = false;
    let mut vni = None;
    while let Some(word) = args.next() {
        match word {
            "innerprotoinherit" | "flowlabel" => return Ok(Err(word.to_owned())),
            word => common(word, args, &mut parms, &mut vni)?,
        }
    }
    parms.vni = own_vni(args, &parms, vni)?;
    if parms.remote6.is_none() && !parms.external {
        need(args, parms.remote, "remote and an address")?;
    }
    Ok(Ok(LinkKind::Geneve(parms)))
}

/// The network identifier, which a device in external mode has none of: packets bring theirs.
fn own_vni(
    args: &mut Args<'_>,
    parms: &UdpTunnelParms,
    vni: Option<u32>,
) -> Result<u32, ParseError> {
    if parms.external {
        return Ok(0);
    }
    need(args, vni, "id and a VNI, or external")
}

/// `type bridge [stp_state 0] [vlan_filtering 1] …`.
pub(super) fn bridge(args: &mut Args<'_>) -> Kind {
    Ok(super::bridge::options(args)?.map(LinkKind::Bridge))
}

/// `link DEV … type macvlan [mode MODE]`.
pub(super) fn macvlan(args: &mut Args<'_>, lower: Option<String>) -> Kind {
    let mut mode = MacvlanMode::default();
    while let Some(word) = args.next() {
        match word {
            "mode" => {
                mode = match args.expect(MACVLAN_MODES)? {
                    "private" => MacvlanMode::Private,
                    "vepa" => MacvlanMode::Vepa,
                    "bridge" => MacvlanMode::Bridge,
                    "passthru" => MacvlanMode::Passthru,
                    "source" => return Ok(Err("mode source".into())),
                    _ => return Err(args.unexpected(MACVLAN_MODES)),
                }
            }
            "nopromisc" | "nodst" | "bcqueuelen" | "bclim" | "flag" => {
                return Ok(Err(word.to_owned()));
            }
            _ => return Err(args.unexpected("mode and a mode")),
        }
    }
    let lower = need(args, lower, "link DEV in front of type macvlan")?;
    Ok(Ok(LinkKind::Macvlan { lower, mode }))
}

const MACVLAN_MODES: &str = "private, vepa, bridge or passthru";

/// `type netkit [mode l2|l3] [forward|blackhole] [scrub default|none] peer [forward|blackhole] [scrub …] name NAME …`
/// (iproute2, `ip/iplink_netkit.c`).
pub(super) fn netkit(args: &mut Args<'_>) -> Kind {
    let mut ends = [NetkitParms::default(); 2];
    let mut at = 0;
    let (mut peer, mut peer_address, mut peer_netns) = (None, None, None);
    while let Some(word) = args.next() {
        match word {
            "mode" => {
                let l2 = args.value("l2 or l3", |word| match word {
                    "l2" => Some(true),
                    "l3" => Some(false),
                    _ => None,
                })?;
                (ends[0].l2, ends[1].l2) = (l2, l2);
            }
            "forward" | "blackhole" => ends[at].blackhole = word == "blackhole",
            "scrub" => {
                ends[at].scrub = args.value("default or none", |word| match word {
                    "default" => Some(true),
                    "none" => Some(false),
                    _ => None,
                })?;
            }
            "headroom" => {
                let headroom = args.value("a number of bytes", |word| {
                    number(word).and_then(|bytes| u16::try_from(bytes).ok())
                })?;
                (ends[0].headroom, ends[1].headroom) = (headroom, headroom);
            }
            "tailroom" | "single" => return Ok(Err(word.to_owned())),
            "peer" if at == 0 => at = 1,
            "name" | "dev" if at == 1 => {
                peer = Some(args.value("the name of the other end", device)?);
            }
            "address" | "addr" if at == 1 => peer_address = Some(args.value("a MAC address", mac)?),
            "netns" if at == 1 => peer_netns = Some(args.value("a namespace", namespace)?),
            word => match device(word).filter(|_| at == 1 && peer.is_none()) {
                Some(word) => peer = Some(word),
                None => {
                    return Err(
                        args.unexpected("mode, forward, blackhole, scrub or peer name NAME")
                    );
                }
            },
        }
    }
    Ok(Ok(LinkKind::Netkit {
        parms: ends[0],
        peer: need(args, peer, "peer name and the name of the other end")?,
        peer_parms: ends[1],
        peer_address,
        peer_netns,
    }))
}

/// VXLAN without options (`vxlan_nl2conf()`): a UDP checksum, and it learns.
fn udp_tunnel(dstport: u16) -> UdpTunnelParms {
    UdpTunnelParms {
        vni: 0,
        local: None,
        remote: None,
        local6: None,
        remote6: None,
        udp6zerocsumtx: false,
        udp6zerocsumrx: false,
        dstport,
        srcport: None,
        ttl: TunnelTtl::Default,
        tos: 0,
        df: TunnelDf::Unset,
        udpcsum: true,
        learning: true,
        lower: false,
        external: false,
    }
}

/// Options that VXLAN and GENEVE share.
fn common(
    word: &str,
    args: &mut Args<'_>,
    parms: &mut UdpTunnelParms,
    vni: &mut Option<u32>,
) -> Result<(), ParseError> {
    match word {
        "id" | "vni" => {
            *vni = Some(args.value("a VNI from 0 to 16777215", |word| {
                number(word).filter(|vni| *vni < 1 << 24)
            })?);
        }
        "local" if args.peek().is_some_and(is_ipv6) => {
            parms.local6 = args.value(IPV6, ipv6).map(Some)?;
        }
        "remote" if args.peek().is_some_and(is_ipv6) => {
            parms.remote6 = args.value(IPV6, ipv6).map(Some)?;
        }
        "local6" => parms.local6 = args.value(IPV6, ipv6).map(Some)?,
        "remote6" => parms.remote6 = args.value(IPV6, ipv6).map(Some)?,
        "local" => parms.local = args.value("an address or any", tunnel_end)?,
        "remote" => parms.remote = args.value("an address", tunnel_end)?,
        "udp6zerocsumtx" => parms.udp6zerocsumtx = true,
        "noudp6zerocsumtx" => parms.udp6zerocsumtx = false,
        "udp6zerocsumrx" => parms.udp6zerocsumrx = true,
        "noudp6zerocsumrx" => parms.udp6zerocsumrx = false,
        "dstport" => parms.dstport = args.value(PORT, port)?,
        "ttl" | "hoplimit" => {
            parms.ttl = args.value("a ttl from 1 to 255, auto or inherit", |word| match word {
                "inherit" => Some(TunnelTtl::Inherit),
                "auto" | "0" => Some(TunnelTtl::Default),
                word => number(word)
                    .and_then(|ttl| u8::try_from(ttl).ok())
                    .map(TunnelTtl::Fixed),
            })?;
        }
        "tos" | "dsfield" => {
            parms.tos = args.value("a tos in hex or inherit", super::ip_tunnel::tos)?
        }
        "df" => {
            parms.df = args.value("set, unset or inherit", |word| match word {
                "set" => Some(TunnelDf::Set),
                "unset" => Some(TunnelDf::Unset),
                "inherit" => Some(TunnelDf::Inherit),
                _ => None,
            })?;
        }
        "external" => parms.external = true,
        "noexternal" => parms.external = false,
        "udpcsum" => parms.udpcsum = true,
        "noudpcsum" => parms.udpcsum = false,
        _ => {
            return Err(
                args.unexpected("id, local, remote, dstport, ttl, tos, df, noudpcsum or external")
            );
        }
    }
    Ok(())
}

const IPV6: &str = "an IPv6 address";
const PORT: &str = "a port from 0 to 65535";

fn port(word: &str) -> Option<u16> {
    number(word).and_then(|port| u16::try_from(port).ok())
}
