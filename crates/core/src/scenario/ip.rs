//! `ip`: options, objects, and the small objects (`netns`, `addr`, `neigh`, `route`).

use std::net::Ipv4Addr;

use super::command::{Command, Netns, RouteEncap, RouteKind};
use super::error::ParseError;
use super::lex::{Args, Word};
use super::parse::command;
use super::value::{destination, device, ipv4, ipv4_net, is_ipv6, label, labels, mac, number};
use super::{ip_fou, ip_ioam, ip_l2tp, ip_link, ip_tunnel, ip6, route_encap};
use crate::net::mpls::Labels;

/// `ip`'s objects in the order in which it matches prefixes (iproute2, ip/ip.c): `n` is `neighbor`.
const OBJECTS: [&str; 32] = [
    "address",
    "addrlabel",
    "maddress",
    "route",
    "rule",
    "neighbor",
    "neighbour",
    "ntable",
    "ntbl",
    "link",
    "l2tp",
    "fou",
    "ila",
    "macsec",
    "tunnel",
    "tunl",
    "tuntap",
    "tap",
    "token",
    "tcpmetrics",
    "monitor",
    "xfrm",
    "mroute",
    "mrule",
    "netns",
    "netconf",
    "vrf",
    "sr",
    "nexthop",
    "mptcp",
    "ioam",
    "stats",
];

/// The verbs of an object, in matching order.
const VERBS: [&str; 15] = [
    "add", "set", "show", "list", "lst", "ls", "delete", "del", "change", "chg", "replace",
    "append", "flush", "get", "help",
];

/// A full word for a prefix of it.
fn expand(word: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .copied()
        .find(|full| *full == word)
        .or_else(|| {
            let prefix = |full: &&str| !word.is_empty() && full.starts_with(word);
            known.iter().copied().find(prefix)
        })
}

/// `ip [OPTIONS] OBJECT …`.
pub(super) fn parse(
    mut args: Args<'_>,
    words: &[Word],
    line: usize,
    netns: &Netns,
) -> Result<Vec<Command>, ParseError> {
    let mut netns = netns.clone();
    let (mut family, mut force) = (None, false);
    while args.peek().is_some_and(|word| word.starts_with('-')) {
        match args.next().unwrap_or_default() {
            "-n" | "-net" | "-netns" => netns = Some(args.expect("a namespace")?.to_owned()),
            "-4" | "-s" | "-stats" | "-statistics" | "-d" | "-details" | "-o" | "-oneline"
            | "-br" | "-brief" | "-j" | "-json" | "-p" | "-pretty" | "-c" | "-color" | "-N"
            | "-Numeric" => {}
            "-f" | "-family" => {
                family = Some(args.expect("a protocol family")?.to_owned()).filter(|f| f != "inet");
                if family.as_deref() == Some("inet6") {
                    family = Some("6".into());
                }
            }
            option @ ("-6" | "-M" | "-B" | "-0") => {
                family = Some(option.trim_start_matches('-').to_owned())
            }
            "-force" => force = true,
            "-b" | "-batch" | "-a" | "-all" => {
                return not_covered(&format!("ip {}", args.latest()));
            }
            _ => return Err(args.unexpected("-n NETNS, -4, -f FAMILY or an object")),
        }
    }
    let expected = "link, addr, route, neigh, netns or tunnel";
    let object = args.value(expected, |word| expand(word, &OBJECTS))?;
    if let Some(family) = family {
        let verb = args.peek().and_then(|word| expand(word, &VERBS));
        if (family.as_str(), object, verb) == ("mpls", "route", Some("add")) {
            args.next();
            return mpls_route(args, netns);
        }
        if family == "6" {
            return parse6(args, netns, object);
        }
        return not_covered(&format!("ip -f {family} {object}"));
    }
    if object == "netns" {
        return namespaces(args, words, line);
    }
    let with_addresses = matches!(object, "address" | "neighbor" | "neighbour" | "route");
    if with_addresses && ip6::is_meant(words.get(args.taken()..).unwrap_or_default()) {
        return parse6(args, netns, object);
    }
    if object == "fou" {
        return ip_fou::parse(args, netns);
    }
    if object == "ioam" {
        return ip_ioam::parse(args, netns);
    }
    let verb = match args.next() {
        None => return shows(),
        Some(word) => expand(word, &VERBS),
    };
    match (object, verb) {
        (_, Some("show" | "list" | "lst" | "ls" | "help" | "get")) => shows(),
        ("address", Some("add")) => address(args, netns),
        ("neighbor" | "neighbour", Some(verb @ ("add" | "replace"))) => {
            neighbour(args, netns, verb == "replace")
        }
        ("route", Some(verb @ ("add" | "replace"))) => route(args, netns, verb == "replace"),
        ("link", Some("add")) => ip_link::add(args, netns),
        ("link", Some("set")) => ip_link::set(args, netns, force),
        ("tunnel" | "tunl", Some("add")) => ip_tunnel::add(args, netns),
        ("tuntap", Some("add")) => ip_tunnel::tuntap(args, netns),
        ("l2tp", Some("add")) => ip_l2tp::add(args, netns),
        (object, Some(verb)) => not_covered(&format!("ip {object} {verb}")),
        ("address" | "neighbor" | "neighbour" | "route" | "link" | "tunnel" | "tunl", None) => {
            Err(args.unexpected("one of the verbs add, set, show, del, change, replace, flush"))
        }
        (object, None) => not_covered(&format!("ip {object}")),
    }
}

/// `ip -6 OBJECT VERB …`.
fn parse6(mut args: Args<'_>, netns: Netns, object: &str) -> Result<Vec<Command>, ParseError> {
    let verb = match args.next() {
        None => return shows(),
        Some(word) => expand(word, &VERBS),
    };
    match (object, verb) {
        (_, Some("show" | "list" | "lst" | "ls" | "help" | "get")) => shows(),
        ("address", Some("add" | "replace")) => ip6::address(args, netns),
        ("neighbor" | "neighbour", Some("add" | "replace")) => ip6::neighbour(args, netns),
        ("route", Some("add" | "replace")) => ip6::route(args, netns),
        ("link", Some("add")) => ip_link::add(args, netns),
        ("link", Some("set")) => ip_link::set(args, netns, false),
        ("tunnel" | "tunl", Some("add")) => ip6::tunnel(args, netns),
        (object, Some(verb)) => not_covered(&format!("ip -6 {object} {verb}")),
        (_, None) => {
            Err(args.unexpected("one of the verbs add, set, show, del, change, replace, flush"))
        }
    }
}

/// A command that is known and not simulated.
pub(super) fn not_covered(what: &str) -> Result<Vec<Command>, ParseError> {
    Ok(vec![Command::NotCovered {
        what: what.to_owned(),
    }])
}

fn shows() -> Result<Vec<Command>, ParseError> {
    Ok(vec![Command::NoEffect {
        why: "it only shows",
    }])
}

/// `ip netns add NAME`, `ip netns exec NAME COMMAND…`.
fn namespaces(mut args: Args<'_>, words: &[Word], line: usize) -> Result<Vec<Command>, ParseError> {
    let verbs = [
        "list", "show", "add", "delete", "exec", "identify", "pids", "monitor", "set", "attach",
    ];
    let Some(word) = args.next() else {
        return shows();
    };
    match expand(word, &verbs) {
        Some("list" | "show" | "identify" | "pids" | "monitor") => shows(),
        Some("add") => {
            let name = args.value("a name for the namespace", namespace)?;
            args.end()?;
            Ok(vec![Command::NetnsAdd { name }])
        }
        Some("exec") => {
            let inner = Some(args.value("a namespace", namespace)?);
            let rest = words.get(args.taken()..).unwrap_or_default();
            if rest.is_empty() {
                return Err(args.missing("a command"));
            }
            command(rest, line, &inner)
        }
        Some(verb) => not_covered(&format!("ip netns {verb}")),
        None => Err(args.unexpected("add or exec")),
    }
}

/// A namespace's name is a file name below /run/netns.
pub(super) fn namespace(word: &str) -> Option<String> {
    let valid = !word.is_empty() && word != "." && word != ".." && !word.contains('/');
    valid.then(|| word.to_owned())
}

/// `ip addr add ADDR/LEN dev DEV`.
fn address(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let (mut addr, mut dev) = (None, None);
    while let Some(word) = args.next() {
        match word {
            "dev" => dev = Some(args.value("a device", device)?),
            "local" => addr = Some(args.value("an address with prefix length", ipv4_net)?),
            "brd" | "broadcast" => drop(args.expect("a broadcast address")?),
            "scope" => drop(args.expect("a scope")?),
            "peer" | "remote" | "anycast" | "label" | "metric" | "valid_lft" | "preferred_lft"
            | "proto" | "home" | "nodad" | "noprefixroute" | "mngtmpaddr" | "autojoin"
            | "optimistic" => {
                return not_covered(&format!("ip addr add … {word}"));
            }
            _ if addr.is_some() => return Err(args.unexpected("one address only, or dev DEV")),
            word => {
                addr = Some(ipv4_net(word).ok_or_else(|| args.unexpected("ADDR/LEN or dev DEV"))?)
            }
        }
    }
    let addr = need(&mut args, addr, "an address with prefix length")?;
    let dev = need(&mut args, dev, "dev DEV")?;
    Ok(vec![Command::AddrAdd { netns, addr, dev }])
}

/// `ip neigh add ADDR lladdr MAC dev DEV [nud permanent]`.
fn neighbour(mut args: Args<'_>, netns: Netns, replace: bool) -> Result<Vec<Command>, ParseError> {
    let (mut addr, mut lladdr, mut dev) = (None, None, None);
    while let Some(word) = args.next() {
        match word {
            "dev" => dev = Some(args.value("a device", device)?),
            "lladdr" => lladdr = Some(args.value("a MAC address", mac)?),
            "to" => addr = Some(args.value("an IPv4 address", ipv4)?),
            "nud" => match args.expect("a state such as permanent")? {
                "permanent" | "reachable" | "noarp" => {}
                state @ ("stale" | "delay" | "probe" | "failed" | "incomplete" | "none") => {
                    return not_covered(&format!("ip neigh add … nud {state}"));
                }
                _ => return Err(args.unexpected("a state such as permanent")),
            },
            "permanent" | "reachable" | "noarp" => {}
            "proxy" | "router" | "extern_learn" | "managed" | "use" | "protocol" => {
                return not_covered(&format!("ip neigh add … {word}"));
            }
            _ if addr.is_some() => return Err(args.unexpected("one address only, lladdr or dev")),
            word => {
                addr = Some(
                    ipv4(word)
                        .ok_or_else(|| args.unexpected("ADDR, lladdr MAC, dev DEV or nud STATE"))?,
                )
            }
        }
    }
    let addr: Ipv4Addr = need(&mut args, addr, "an IPv4 address")?;
    let lladdr = need(&mut args, lladdr, "lladdr MAC")?;
    let dev = need(&mut args, dev, "dev DEV")?;
    Ok(vec![Command::NeighAdd {
        netns,
        addr,
        lladdr,
        dev,
        replace,
    }])
}

/// `ip -f mpls route add LABEL [as LABELS] [via inet ADDR] dev DEV`: the label is popped, others take its place.
fn mpls_route(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let label = args.value("an MPLS label", label)?;
    let (mut dev, mut via, mut out) = (None, None, Labels::default());
    while let Some(word) = args.next() {
        match word {
            "dev" => dev = Some(args.value("a device", device)?),
            "as" => {
                out = args.value("MPLS labels, eight at most, such as 100 or 100/200", labels)?
            }
            "via" => match args.expect("inet ADDR")? {
                "inet" => via = Some(args.value("an IPv4 address", ipv4)?),
                other => return not_covered(&format!("ip -f mpls route add … via {other}")),
            },
            "nexthop" => return not_covered("ip -f mpls route add … nexthop"),
            _ => return Err(args.unexpected("dev DEV")),
        }
    }
    let dev = need(&mut args, dev, "dev DEV")?;
    Ok(vec![Command::MplsRouteAdd {
        netns,
        label,
        out,
        via,
        dev,
    }])
}

/// `ip route add [KIND] PREFIX|default [encap mpls LABEL] [via ADDR] [dev DEV]`; other kinds, other
/// encapsulations and metrics are *not covered*.
fn route(mut args: Args<'_>, netns: Netns, replace: bool) -> Result<Vec<Command>, ParseError> {
    let (mut dst, mut via, mut dev) = (None, None, None);
    let (mut kind, mut put) = (RouteKind::Unicast, None);
    while let Some(word) = args.next() {
        match word {
            "dev" => dev = Some(args.value("a device", device)?),
            "to" => dst = Some(args.value("a prefix or default", destination)?),
            "via" => {
                args.take("inet");
                if args
                    .peek()
                    .is_some_and(|word| word == "inet6" || is_ipv6(word))
                {
                    return not_covered("ip route add … via an IPv6 address");
                }
                via = Some(args.value("the address of a gateway", ipv4)?);
            }
            "proto" | "protocol" | "scope" => drop(args.expect("a name or number")?),
            "unicast" if dst.is_none() => {}
            "blackhole" if dst.is_none() => kind = RouteKind::Blackhole,
            "unreachable" if dst.is_none() => kind = RouteKind::Unreachable,
            "prohibit" if dst.is_none() => kind = RouteKind::Prohibit,
            "encap" => match encap(&mut args, false)? {
                Ok(found) => put = Some(found),
                Err(what) => return not_covered(&format!("ip route add … encap {what}")),
            },
            "blackhole" | "unreachable" | "prohibit" | "throw" | "nat" | "local" | "broadcast"
            | "multicast" | "anycast" | "src" | "metric" | "priority" | "preference" | "table"
            | "mtu" | "advmss" | "tos" | "dsfield" | "nexthop" | "nhid" | "onlink" | "window"
            | "rtt" | "hoplimit" | "as" | "type" => {
                return not_covered(&format!("ip route add … {word}"));
            }
            word if dst.is_none() => {
                dst =
                    Some(destination(word).ok_or_else(|| args.unexpected("a prefix or default"))?);
            }
            _ => return Err(args.unexpected("via ADDR or dev DEV")),
        }
    }
    let dst = need(&mut args, dst, "a prefix or default")?;
    if via.is_none() && dev.is_none() && kind == RouteKind::Unicast {
        need(&mut args, dev.as_ref(), "via ADDR or dev DEV")?;
    }
    Ok(vec![Command::RouteAdd {
        netns,
        kind,
        dst,
        encap: put,
        via,
        dev,
        replace,
    }])
}

/// What stands behind `encap`; the inner error names what is known but not simulated.
pub(super) fn encap(
    args: &mut Args<'_>,
    six: bool,
) -> Result<Result<RouteEncap, String>, ParseError> {
    match args.expect("mpls, ip, ip6, bpf, seg6, seg6local, ioam6, ila, rpl or xfrm")? {
        "mpls" => {
            let labels =
                args.value("MPLS labels, eight at most, such as 100 or 100/200", labels)?;
            Ok(Ok(RouteEncap::Mpls { labels }))
        }
        "ip" => Ok(route_encap::ip(args, false)?.map(RouteEncap::Ip)),
        "ip6" => Ok(route_encap::ip(args, true)?.map(RouteEncap::Ip)),
        "bpf" => Ok(route_encap::bpf(args)?.map_err(|word| format!("bpf {word}"))),
        "seg6" => Ok(Ok(route_encap::seg6(args, six)?)),
        // ioam6_build_state()
        "ioam6" if six => Ok(Ok(route_encap::ioam6(args)?)),
        "ioam6" => Err(args.unexpected("another kind, as Linux refuses ioam6 for IPv4")),
        "ila" | "rpl" | "xfrm" | "seg6local" => Ok(Err(args.latest().to_owned())),
        _ => Err(args.unexpected("mpls, ip, ip6, bpf, seg6, seg6local, ioam6, ila, rpl or xfrm")),
    }
}

/// What a command must have said by its end.
pub(super) fn need<T>(
    args: &mut Args<'_>,
    found: Option<T>,
    expected: &str,
) -> Result<T, ParseError> {
    match found {
        Some(found) => Ok(found),
        None => Err(args.missing(expected)),
    }
}

/// An MTU, bytes.
pub(super) fn mtu(word: &str) -> Option<u32> {
    number(word).filter(|mtu| (68..=65_535).contains(mtu))
}
