//! `ip l2tp add tunnel`, `ip l2tp add session`: L2TPv3 over IPv4 and over IPv6.

use std::net::IpAddr;

use super::command::{Command, Netns};
use super::error::ParseError;
use super::ip::{need, not_covered};
use super::lex::Args;
use super::value::{device, hex, ipv4, ipv6, is_ipv6, number};
use crate::net::l2tp::MAX_COOKIE;

/// What carries a tunnel's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum L2tpEncap {
    /// `encap ip`.
    Ip,
    /// `encap udp udp_sport S udp_dport D [udp_csum on|off]`.
    Udp {
        /// Own port.
        sport: u16,
        /// The other end's port.
        dport: u16,
        /// With UDP checksum.
        csum: bool,
        /// Over IPv6, packets without one are taken (`udp6_csum_rx off`).
        unchecked: bool,
    },
}

/// `ip l2tp add tunnel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct L2tpTunnel {
    /// `tunnel_id`.
    pub id: u32,
    /// `encap`.
    pub encap: L2tpEncap,
    /// `local`.
    pub local: IpAddr,
    /// `remote`.
    pub remote: IpAddr,
}

/// `ip l2tp add session`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct L2tpSession {
    /// `session_id`: on packets that arrive.
    pub session_id: u32,
    /// `peer_session_id`: on packets that are sent.
    pub peer_session_id: u32,
    /// `cookie` and its length: sent.
    pub cookie: ([u8; MAX_COOKIE], usize),
    /// `peer_cookie` and its length: expected.
    pub peer_cookie: ([u8; MAX_COOKIE], usize),
    /// `l2spec_type default`: four bytes behind the cookie.
    pub l2spec: bool,
}

/// `ip l2tp add tunnel|session …`.
pub(super) fn add(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    match args.expect("tunnel or session")? {
        "tunnel" => tunnel(args, netns),
        "session" => session(args, netns),
        _ => Err(args.unexpected("tunnel or session")),
    }
}

fn tunnel(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let (mut id, mut local, mut remote, mut udp) = (None, None, None, true);
    // without the word, `ip` asks for a checksum over IPv6 only (recorded)
    let (mut sport, mut dport, mut csum) = (None, None, false);
    let (mut csum6_tx, mut csum6_rx) = (true, true);
    let port = |word: &str| number(word).and_then(|port| u16::try_from(port).ok());
    while let Some(word) = args.next() {
        match word {
            "tunnel_id" => id = Some(args.value("a number", number)?),
            "peer_tunnel_id" => drop(args.value("a number", number)?),
            "local" => local = Some(args.value("an address", address)?),
            "remote" => {
                let same = |word: &str| {
                    address(word)
                        .filter(|to| local.is_none_or(|l: IpAddr| l.is_ipv6() == to.is_ipv6()))
                };
                remote = Some(args.value("an address of the same family as local", same)?);
            }
            "udp_sport" => sport = Some(args.value("a port", port)?),
            "udp_dport" => dport = Some(args.value("a port", port)?),
            "udp_csum" => csum = args.value("on or off", on)?,
            "udp6_csum_tx" => csum6_tx = args.value("on or off", on)?,
            "udp6_csum_rx" => csum6_rx = args.value("on or off", on)?,
            "encap" => {
                udp = args.value("ip or udp", |word| match word {
                    "udp" => Some(true),
                    "ip" => Some(false),
                    _ => None,
                })?;
            }
            _ => return Err(args.unexpected("tunnel_id, peer_tunnel_id, encap, local or remote")),
        }
    }
    let local = need(&mut args, local, "local and an address")?;
    let remote = need(&mut args, remote, "remote and an address")?;
    let encap = if udp {
        L2tpEncap::Udp {
            sport: need(&mut args, sport, "udp_sport and a port")?,
            dport: need(&mut args, dport, "udp_dport and a port")?,
            csum: match local.is_ipv6() {
                true => csum6_tx,
                false => csum,
            },
            unchecked: !csum6_rx,
        }
    } else {
        L2tpEncap::Ip
    };
    let tunnel = L2tpTunnel {
        id: need(&mut args, id, "tunnel_id and a number")?,
        encap,
        local,
        remote,
    };
    Ok(vec![Command::L2tpTunnelAdd { netns, tunnel }])
}

fn session(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    let (mut name, mut tunnel_id, mut own, mut peer) = (None, None, None, None);
    let (mut cookie, mut peer_cookie, mut l2spec) = (Default::default(), Default::default(), true);
    while let Some(word) = args.next() {
        match word {
            "name" => name = Some(args.value("a device name", device)?),
            "tunnel_id" => tunnel_id = Some(args.value("a number", number)?),
            "session_id" => own = Some(args.value("a number", number)?),
            "peer_session_id" => peer = Some(args.value("a number", number)?),
            "cookie" => cookie = args.value("4 or 8 bytes in hex", cookie_of)?,
            "peer_cookie" => peer_cookie = args.value("4 or 8 bytes in hex", cookie_of)?,
            "l2spec_type" => {
                l2spec = args.value("none or default", |word| match word {
                    "default" => Some(true),
                    "none" => Some(false),
                    _ => None,
                })?;
            }
            "seq" => return not_covered("ip l2tp add session … seq"),
            _ => return Err(args.unexpected("name, tunnel_id, session_id or peer_session_id")),
        }
    }
    let session = L2tpSession {
        session_id: need(&mut args, own, "session_id and a number")?,
        peer_session_id: need(&mut args, peer, "peer_session_id and a number")?,
        cookie,
        peer_cookie,
        l2spec,
    };
    Ok(vec![Command::L2tpSessionAdd {
        netns,
        // L2TP_ETH_DEV_NAME: the first name of `l2tpeth%d`
        name: name.unwrap_or_else(|| "l2tpeth0".into()),
        tunnel_id: need(&mut args, tunnel_id, "tunnel_id and a number")?,
        session,
    }])
}

fn address(word: &str) -> Option<IpAddr> {
    match is_ipv6(word) {
        true => ipv6(word).map(IpAddr::V6),
        false => ipv4(word).map(IpAddr::V4),
    }
}

fn on(word: &str) -> Option<bool> {
    match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn cookie_of(word: &str) -> Option<([u8; MAX_COOKIE], usize)> {
    let bytes = hex(word).ok().filter(|b| matches!(b.len(), 4 | 8))?;
    let mut cookie = [0; MAX_COOKIE];
    cookie[..bytes.len()].copy_from_slice(&bytes);
    Some((cookie, bytes.len()))
}
