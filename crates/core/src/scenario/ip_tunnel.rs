//! `ip tunnel add`, and the options it shares with `ip link add … type gre`.

use super::command::{Command, LinkKind, Netns, TunnelParms};
use super::error::ParseError;
use super::ip::{need, not_covered};
use super::ip_fou::EncapOptions;
use super::lex::Args;
use super::value::{device, key, number, tunnel_end};

/// `ip tunnel add [name] NAME mode MODE [local A] [remote B] [key K] …`, in any order.
/// Modes other than `gre` and `ipip` become [`LinkKind::Unknown`].
pub(super) fn add(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let (mut name, mut mode) = (None, None);
    let mut parms = TunnelParms::default();
    while let Some(word) = args.next() {
        match word {
            "name" => name = Some(args.value("a device name", device)?),
            "mode" => mode = Some(args.expect("a tunnel mode such as gre")?),
            "dev" => return not_covered("ip tunnel add … dev"),
            word => {
                if option(word, &mut args, &mut parms)? {
                    continue;
                }
                match device(word).filter(|_| name.is_none()) {
                    Some(word) => name = Some(word),
                    None => return Err(args.unexpected(EXPECTED)),
                }
            }
        }
    }
    let name = need(&mut args, name, "a device name")?;
    let kind = match need(&mut args, mode, "mode and a tunnel mode such as gre")? {
        "gre" | "gre/ip" => LinkKind::Gre(parms),
        "sit" | "ipv6/ip" => LinkKind::Sit(parms),
        "ipip" | "ipip/ip" | "ip/ip" | "ip4ip4" => LinkKind::Ipip(parms),
        other => LinkKind::Unknown(other.to_owned()),
    };
    Ok(vec![Command::LinkAdd {
        netns,
        name,
        address: None,
        index: None,
        kind,
    }])
}

/// `ip tuntap add [dev] NAME mode tun|tap`.
pub(super) fn tuntap(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let (mut name, mut tap) = (None, None);
    while let Some(word) = args.next() {
        match word {
            "dev" | "name" => name = Some(args.value("a device name", device)?),
            "mode" => {
                tap = Some(args.value("tun or tap", |word| match word {
                    "tun" => Some(false),
                    "tap" => Some(true),
                    _ => None,
                })?);
            }
            "user" | "group" => drop(args.expect("a user or group")?),
            "pi" | "vnet_hdr" | "multi_queue" | "one_queue" => {
                return not_covered(&format!("ip tuntap add … {word}"));
            }
            word => match device(word).filter(|_| name.is_none()) {
                Some(word) => name = Some(word),
                None => return Err(args.unexpected("mode tun or mode tap")),
            },
        }
    }
    let name = need(&mut args, name, "a device name")?;
    let tap = need(&mut args, tap, "mode tun or mode tap")?;
    Ok(vec![Command::LinkAdd {
        netns,
        name,
        address: None,
        index: None,
        kind: LinkKind::Tun { tap },
    }])
}

/// What stands behind `type gre`; the inner error is an option that is known but not simulated.
pub(super) fn options(
    args: &mut Args<'_>,
) -> Result<Result<TunnelParms, &'static str>, ParseError> {
    let mut parms = TunnelParms::default();
    let mut external = false;
    let mut encap = EncapOptions::default();
    while let Some(word) = args.next() {
        if let Some(known) = NOT_COVERED.into_iter().find(|known| *known == word) {
            return Ok(Err(known));
        }
        if word == "external" {
            external = true;
        } else if !encap.option(word, args)? && !option(word, args, &mut parms)? {
            return Err(args.unexpected(EXPECTED));
        }
    }
    parms.encap = encap.encap();
    if external {
        // iproute2 (`gre_parse_opt()`) sends nothing else along
        parms = TunnelParms {
            external,
            ..TunnelParms::default()
        };
    }
    Ok(Ok(parms))
}

/// Options of GRE that tunnels over IPv6 have too.
pub(super) const GRE_WORDS: [&str; 18] = [
    "key", "ikey", "okey", "nokey", "noikey", "nookey", "csum", "icsum", "ocsum", "nocsum",
    "noicsum", "noocsum", "seq", "iseq", "oseq", "noseq", "noiseq", "nooseq",
];

const EXPECTED: &str =
    "local, remote, key, ikey, okey, csum, seq, ttl, tos, nopmtudisc or external";

/// Options of `type gre` that are known but not simulated. `ip tunnel` has only `dev` of them:
/// there, `encap` is a device name.
const NOT_COVERED: [&str; 10] = [
    "dev",
    "erspan",
    "erspan_ver",
    "erspan_index",
    "erspan_dir",
    "erspan_hwid",
    "encap-remcsum",
    "ignore-df",
    "noignore-df",
    "fwmark",
];

/// Takes the option `word` and its value; false when it is no option.
pub(super) fn option(
    word: &str,
    args: &mut Args<'_>,
    parms: &mut TunnelParms,
) -> Result<bool, ParseError> {
    match word {
        "local" => parms.local = args.value("an IPv4 address or any", tunnel_end)?,
        "remote" => parms.remote = args.value("an IPv4 address or any", tunnel_end)?,
        "key" => {
            let key = Some(args.value(KEY, key)?);
            (parms.ikey, parms.okey) = (key, key);
        }
        "ikey" => parms.ikey = Some(args.value(KEY, key)?),
        "okey" => parms.okey = Some(args.value(KEY, key)?),
        "nokey" => (parms.ikey, parms.okey) = (None, None),
        "noikey" => parms.ikey = None,
        "nookey" => parms.okey = None,
        "csum" => (parms.icsum, parms.ocsum) = (true, true),
        "icsum" => parms.icsum = true,
        "ocsum" => parms.ocsum = true,
        "nocsum" => (parms.icsum, parms.ocsum) = (false, false),
        "noicsum" => parms.icsum = false,
        "noocsum" => parms.ocsum = false,
        "seq" => (parms.iseq, parms.oseq) = (true, true),
        "iseq" => parms.iseq = true,
        "oseq" => parms.oseq = true,
        "noseq" => (parms.iseq, parms.oseq) = (false, false),
        "noiseq" => parms.iseq = false,
        "nooseq" => parms.oseq = false,
        "ttl" | "hlim" | "hoplimit" => {
            parms.ttl = args.value("a ttl from 1 to 255 or inherit", ttl)?
        }
        "tos" | "tclass" | "dsfield" => parms.tos = args.value("a tos in hex or inherit", tos)?,
        "nopmtudisc" => parms.nopmtudisc = true,
        "pmtudisc" => parms.nopmtudisc = false,
        _ => return Ok(false),
    }
    Ok(true)
}

const KEY: &str = "a key as a number or dotted quad";

fn ttl(word: &str) -> Option<u8> {
    match word {
        "inherit" => Some(0),
        word => number(word).and_then(|ttl| u8::try_from(ttl).ok()),
    }
}

/// iproute2 reads a tos as hex, with or without 0x (`rtnl_dsfield_a2n()`); 1 is *inherit*.
pub(super) fn tos(word: &str) -> Option<u8> {
    match word {
        "inherit" => Some(1),
        word => u8::from_str_radix(word.strip_prefix("0x").unwrap_or(word), 16).ok(),
    }
}
