//! `ip` for IPv6: addresses, neighbours, routes and tunnels.

use std::net::Ipv6Addr;

use super::command::{Command, LinkKind, Netns, RouteEncap, RouteKind, Tunnel6Parms};
use super::error::ParseError;
use super::ip::{encap, need, not_covered};
use super::ip_tunnel;
use super::lex::{Args, Word};
use super::value::{
    destination6, device, ipv4_net, ipv6, ipv6_net, is_ipv6, mac, number, tunnel_end6,
};

/// Whether a command without `-6` is about IPv6: the first address in it says so.
pub(super) fn is_meant(words: &[Word]) -> bool {
    words
        .iter()
        .find_map(|word| match word.text.as_str() {
            text if ipv4_net(text).is_some() => Some(false),
            text if is_ipv6(text) => Some(true),
            _ => None,
        })
        .unwrap_or(false)
}

/// `ip addr add ADDR/LEN dev DEV [nodad] [scope S]`.
pub(super) fn address(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let (mut addr, mut dev) = (None, None);
    while let Some(word) = args.next() {
        match word {
            "dev" => dev = Some(args.value("a device", device)?),
            "local" => addr = Some(args.value("an IPv6 address with prefix length", ipv6_net)?),
            "scope" => drop(args.expect("a scope")?),
            // addresses are usable at once: duplicate address detection is not simulated
            "nodad" | "optimistic" => {}
            "peer" | "remote" | "anycast" | "label" | "metric" | "valid_lft" | "preferred_lft"
            | "proto" | "home" | "noprefixroute" | "mngtmpaddr" | "autojoin" => {
                return not_covered(&format!("ip -6 addr add … {word}"));
            }
            _ if addr.is_some() => return Err(args.unexpected("one address only, or dev DEV")),
            word => {
                addr = Some(ipv6_net(word).ok_or_else(|| args.unexpected("ADDR/LEN or dev DEV"))?)
            }
        }
    }
    let addr = need(&mut args, addr, "an IPv6 address with prefix length")?;
    let dev = need(&mut args, dev, "dev DEV")?;
    Ok(vec![Command::Addr6Add { netns, addr, dev }])
}

/// `ip neigh add ADDR lladdr MAC dev DEV [nud permanent]`.
pub(super) fn neighbour(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let (mut addr, mut lladdr, mut dev) = (None, None, None);
    while let Some(word) = args.next() {
        match word {
            "dev" => dev = Some(args.value("a device", device)?),
            "lladdr" => lladdr = Some(args.value("a MAC address", mac)?),
            "to" => addr = Some(args.value("an IPv6 address", ipv6)?),
            "nud" => match args.expect("a state such as permanent")? {
                "permanent" | "reachable" | "noarp" => {}
                state @ ("stale" | "delay" | "probe" | "failed" | "incomplete" | "none") => {
                    return not_covered(&format!("ip -6 neigh add … nud {state}"));
                }
                _ => return Err(args.unexpected("a state such as permanent")),
            },
            "permanent" | "reachable" | "noarp" | "router" => {}
            "proxy" | "extern_learn" | "managed" | "use" | "protocol" => {
                return not_covered(&format!("ip -6 neigh add … {word}"));
            }
            word => {
                let expected = "ADDR, lladdr MAC, dev DEV or nud STATE";
                addr = Some(ipv6(word).ok_or_else(|| args.unexpected(expected))?)
            }
        }
    }
    let addr: Ipv6Addr = need(&mut args, addr, "an IPv6 address")?;
    let lladdr = need(&mut args, lladdr, "lladdr MAC")?;
    let dev = need(&mut args, dev, "dev DEV")?;
    Ok(vec![Command::Neigh6Add {
        netns,
        addr,
        lladdr,
        dev,
    }])
}

/// `ip route add [KIND] PREFIX|default [encap …] [via ADDR] [dev DEV]`.
pub(super) fn route(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let (mut dst, mut via, mut dev) = (None, None, None);
    let (mut kind, mut put): (_, Option<RouteEncap>) = (RouteKind::Unicast, None);
    while let Some(word) = args.next() {
        match word {
            "dev" => dev = Some(args.value("a device", device)?),
            "to" => dst = Some(args.value("a prefix or default", destination6)?),
            "via" => {
                args.take("inet6");
                via = Some(args.value("the IPv6 address of a gateway", ipv6)?);
            }
            "proto" | "protocol" | "scope" => drop(args.expect("a name or number")?),
            "unicast" if dst.is_none() => {}
            "blackhole" if dst.is_none() => kind = RouteKind::Blackhole,
            "unreachable" if dst.is_none() => kind = RouteKind::Unreachable,
            "prohibit" if dst.is_none() => kind = RouteKind::Prohibit,
            "encap" => match encap(&mut args, true)? {
                Ok(found) => put = Some(found),
                Err(what) => return not_covered(&format!("ip -6 route add … encap {what}")),
            },
            "throw" | "local" | "multicast" | "anycast" | "src" | "metric" | "priority"
            | "preference" | "table" | "mtu" | "advmss" | "nexthop" | "nhid" | "onlink"
            | "window" | "rtt" | "hoplimit" | "pref" | "expires" | "type" => {
                return not_covered(&format!("ip -6 route add … {word}"));
            }
            word if dst.is_none() => {
                dst =
                    Some(destination6(word).ok_or_else(|| args.unexpected("a prefix or default"))?);
            }
            _ => return Err(args.unexpected("via ADDR or dev DEV")),
        }
    }
    let dst = need(&mut args, dst, "a prefix or default")?;
    if via.is_none() && dev.is_none() && kind == RouteKind::Unicast {
        need(&mut args, dev.as_ref(), "via ADDR or dev DEV")?;
    }
    Ok(vec![Command::Route6Add {
        netns,
        kind,
        dst,
        encap: put,
        via,
        dev,
    }])
}

/// `ip -6 tunnel add NAME mode ip6gre|ipip6|ip6ip6|any local A remote B …`.
pub(super) fn tunnel(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let (mut name, mut mode) = (None, None);
    let mut parms = Tunnel6Parms::default();
    while let Some(word) = args.next() {
        match word {
            "name" => name = Some(args.value("a device name", device)?),
            "mode" => mode = Some(args.expect("a tunnel mode such as ip6gre")?),
            "dev" => return not_covered("ip -6 tunnel add … dev"),
            word if option(word, &mut args, &mut parms)? => {}
            word => match device(word).filter(|_| name.is_none()) {
                Some(word) => name = Some(word),
                None => return Err(args.unexpected(EXPECTED)),
            },
        }
    }
    let name = need(&mut args, name, "a device name")?;
    // without a mode: IPv6 in IPv6
    let kind = match mode.unwrap_or("ip6ip6") {
        "ip6gre" | "gre/ipv6" => LinkKind::Ip6Gre(parms),
        word => match proto(word) {
            Some(proto) => LinkKind::Ip6Tnl(Tunnel6Parms { proto, ..parms }),
            None => LinkKind::Unknown(word.to_owned()),
        },
    };
    Ok(vec![Command::LinkAdd {
        netns,
        name,
        address: None,
        index: None,
        kind,
    }])
}

/// What stands behind `type ip6gre`, `ip6gretap` and `ip6tnl`; the inner error is an option that is known but
/// not simulated.
pub(super) fn options(args: &mut Args<'_>) -> Result<Result<Tunnel6Parms, String>, ParseError> {
    let mut parms = Tunnel6Parms::default();
    let mut external = false;
    while let Some(word) = args.next() {
        match word {
            "mode" => parms.proto = args.value("ip6ip6, ipip6 or any", proto)?,
            "external" => external = true,
            "dev" | "encap" | "noencap" | "fwmark" | "dscp" | "allow-localremote" | "erspan"
            | "erspan_ver" | "encap-sport" | "encap-dport" | "encap-csum" => {
                return Ok(Err(word.to_owned()));
            }
            word if option(word, args, &mut parms)? => {}
            _ => return Err(args.unexpected(EXPECTED)),
        }
    }
    if external {
        // iproute2 sends nothing else along
        let proto = parms.proto;
        parms = Tunnel6Parms::default();
        parms.proto = proto;
        parms.gre.external = true;
    }
    Ok(Ok(parms))
}

/// `IPV6_FLOWLABEL_MASK`: a flow label has 20 bits.
const FLOWLABEL_MASK: u32 = 0x000f_ffff;

const EXPECTED: &str =
    "local, remote, hoplimit, encaplimit, tclass, flowlabel, key, csum, seq or mode";

/// The protocol that a mode of `ip6tnl` carries (`IPPROTO_IPIP`, `IPPROTO_IPV6`, 0 for both).
fn proto(word: &str) -> Option<u8> {
    match word {
        "ip6ip6" | "ipv6/ipv6" => Some(crate::net::ipv6::NEXTHDR_IPV6),
        "ipip6" | "ip4ip6" | "ip/ipv6" | "ipv4/ipv6" => Some(crate::net::ipv4::PROTO_IPIP),
        "any" | "any/ipv6" => Some(0),
        _ => None,
    }
}

/// Takes the option `word` and its value; false when it is no option.
fn option(word: &str, args: &mut Args<'_>, parms: &mut Tunnel6Parms) -> Result<bool, ParseError> {
    match word {
        "local" => parms.local = args.value("an IPv6 address or any", tunnel_end6)?,
        "remote" => parms.remote = args.value("an IPv6 address or any", tunnel_end6)?,
        "hoplimit" | "ttl" | "hlim" => {
            let expected = "a hop limit from 0 to 255 or inherit";
            parms.hop_limit = args.value(expected, |word| match word {
                "inherit" => Some(0),
                word => number(word).and_then(|limit| u8::try_from(limit).ok()),
            })?;
        }
        "encaplimit" | "encap_limit" => {
            parms.encap_limit = args.value("none or a limit from 0 to 255", |word| match word {
                "none" => Some(None),
                word => number(word)
                    .and_then(|limit| u8::try_from(limit).ok())
                    .map(Some),
            })?;
        }
        "noencap-limit" | "noencaplimit" => parms.encap_limit = None,
        "tclass" | "tos" | "dsfield" | "traffic_class" => {
            parms.tclass = args.value("a traffic class in hex or inherit", |word| match word {
                "inherit" => Some(None),
                word => ip_tunnel::tos(word).map(Some),
            })?;
        }
        "flowlabel" | "fl" => {
            parms.flowlabel = args.value("a flow label in hex or inherit", |word| match word {
                "inherit" => Some(None),
                word => u32::from_str_radix(word.strip_prefix("0x").unwrap_or(word), 16)
                    .ok()
                    .filter(|label| *label <= FLOWLABEL_MASK)
                    .map(Some),
            })?;
        }
        word if ip_tunnel::GRE_WORDS.contains(&word) => {
            return ip_tunnel::option(word, args, &mut parms.gre);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn one(text: &str) -> Command {
        parse(text).unwrap().lines.remove(0).command
    }

    #[test]
    fn an_address_needs_no_option() {
        let added = one("ip addr add 2001:db8::1/64 dev rx nodad");
        assert_eq!(added, one("ip -6 addr add 2001:db8::1/64 dev rx"));
        let Command::Addr6Add { addr, .. } = added else {
            panic!("{added:?}")
        };
        assert_eq!(addr.prefix, 64);
    }

    #[test]
    fn tunnels_of_both_ways_of_writing() {
        let Command::LinkAdd { kind, .. } = one(
            "ip link add t type ip6gretap local 2001:db8::1 remote 2001:db8::2 key 5 encaplimit none",
        ) else {
            panic!("no link")
        };
        let LinkKind::Ip6Gretap(parms) = kind else {
            panic!("{kind:?}")
        };
        assert_eq!((parms.gre.okey, parms.encap_limit), (Some(5), None));
        assert_eq!(parms.hop_limit, 64);
        let Command::LinkAdd { kind, .. } =
            one("ip -6 tunnel add t mode ipip6 remote 2001:db8::2 local 2001:db8::1")
        else {
            panic!("no link")
        };
        assert!(
            matches!(kind, LinkKind::Ip6Tnl(parms) if parms.proto == 4 && parms.encap_limit == Some(4))
        );
    }

    #[test]
    fn a_mistake_is_told_by_its_place() {
        let error = |text| parse(text).unwrap_err().to_string();
        assert_eq!(
            error("ip -6 addr add 10.0.0.1/24 dev rx"),
            "Line 1, column 16: `10.0.0.1/24` does not fit here, expected ADDR/LEN or dev DEV."
        );
        assert_eq!(
            error("ip addr add 2001:db8::1/129 dev rx"),
            "Line 1, column 13: `2001:db8::1/129` does not fit here, expected ADDR/LEN or dev DEV."
        );
    }
}
