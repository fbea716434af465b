//! `ip l2tp add tunnel`, `ip l2tp add session`: L2TPv3 over IPv4.

use std::net::Ipv4Addr;

use super::command::{Command, Netns};
use super::error::ParseError;
use super::ip::{need, not_covered};
use super::lex::Args;
use super::value::{device, hex, ipv4, is_ipv6, number};
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
    pub local: Ipv4Addr,
    /// `remote`.
    pub remote: Ipv4Addr,
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
    let (mut sport, mut dport, mut csum) = (None, None, true);
    let port = |word: &str| number(word).and_then(|port| u16::try_from(port).ok());
    while let Some(word) = args.next() {
        match word {
            "local" | "remote" if args.peek().is_some_and(is_ipv6) => {
                return not_covered("ip l2tp add tunnel over IPv6");
            }
            "tunnel_id" => id = Some(args.value("a number", number)?),
            "peer_tunnel_id" => drop(args.value("a number", number)?),
            "local" => local = Some(args.value("an IPv4 address", ipv4)?),
            "remote" => remote = Some(args.value("an IPv4 address", ipv4)?),
            "udp_sport" => sport = Some(args.value("a port", port)?),
            "udp_dport" => dport = Some(args.value("a port", port)?),
            "udp_csum" => csum = args.value("on or off", on)?,
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
    let encap = if udp {
        L2tpEncap::Udp {
            sport: need(&mut args, sport, "udp_sport and a port")?,
            dport: need(&mut args, dport, "udp_dport and a port")?,
            csum,
        }
    } else {
        L2tpEncap::Ip
    };
    let tunnel = L2tpTunnel {
        id: need(&mut args, id, "tunnel_id and a number")?,
        encap,
        local: need(&mut args, local, "local and an address")?,
        remote: need(&mut args, remote, "remote and an address")?,
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
