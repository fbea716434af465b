//! `encap ip` and `encap ip6` of a route: what a tunnel device in external mode is to do with its packets
//! (iproute2, `parse_encap_ip()` in `ip/iproute_lwtunnel.c`).

use super::error::ParseError;
use super::ip::need;
use super::lex::Args;
use super::value::{ipv4, ipv6, number};
use crate::skb::TunInfo;

/// `IP_TUNNEL_CSUM_BIT`, `IP_TUNNEL_KEY_BIT`, `IP_TUNNEL_SEQ_BIT` (`include/uapi/linux/if_tunnel.h`).
const CSUM: u16 = 1 << 0;
const KEY: u16 = 1 << 2;
const SEQ: u16 = 1 << 3;

/// `[id N] [src A] dst B [tos T] [ttl N] [key] [csum] [seq]`, up to the first other word; the inner error is an option
/// that is known but not simulated.
pub(super) fn ip(args: &mut Args<'_>, six: bool) -> Result<Result<TunInfo, String>, ParseError> {
    let mut info = TunInfo {
        ipv6: six,
        tx: true,
        ..TunInfo::default()
    };
    let mut dst = None;
    while let Some(word) = args.peek() {
        match word {
            "id" => {
                args.next();
                info.tun_id = args.value("a tunnel id", number).map(u64::from)?;
            }
            "dst" => {
                args.next();
                dst = Some(address(args, six)?);
            }
            "src" => {
                args.next();
                info.src = address(args, six)?;
            }
            "tos" | "dsfield" | "tc" => {
                args.next();
                info.tos = args.value("a tos in hex", super::ip_tunnel::tos)?;
            }
            "ttl" | "hoplimit" => {
                args.next();
                let ttl = |word: &str| number(word).and_then(|ttl| u8::try_from(ttl).ok());
                info.ttl = args.value("a ttl from 0 to 255", ttl)?;
            }
            "key" | "csum" | "seq" => {
                args.next();
                info.tun_flags |= match word {
                    "key" => KEY,
                    "csum" => CSUM,
                    _ => SEQ,
                };
            }
            "geneve_opts" | "vxlan_opts" | "erspan_opts" => {
                return Ok(Err(format!("{} {word}", if six { "ip6" } else { "ip" })));
            }
            _ => break,
        }
    }
    info.dst = need(args, dst, "dst and an address")?;
    Ok(Ok(info))
}

/// An address of the family, in network order.
fn address(args: &mut Args<'_>, six: bool) -> Result<[u8; 16], ParseError> {
    if six {
        return Ok(args.value("an IPv6 address", ipv6)?.octets());
    }
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&args.value("an IPv4 address", ipv4)?.octets());
    Ok(bytes)
}
