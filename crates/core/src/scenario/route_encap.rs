//! `encap` of a route (iproute2, `ip/iproute_lwtunnel.c`): `ip` and `ip6` tell a tunnel device in external mode what it is
//! to do with packets; `bpf` and `seg6` do it themselves.

use super::bpftool::program_of;
use super::command::{LwtSections, RouteEncap};
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

/// `encap bpf [headroom N] in|out|xmit obj FILE section NAME|pinned PATH …`; the inner error is what is known but not
/// simulated (iproute2, `parse_encap_bpf()`).
pub(super) fn bpf(args: &mut Args<'_>) -> Result<Result<RouteEncap, String>, ParseError> {
    let mut sections = LwtSections::default();
    while let Some(word) = args.peek() {
        match word {
            "headroom" => {
                args.next();
                args.value("a headroom from 0 to 256", |word| {
                    number(word).filter(|room| *room <= 256)
                })?;
            }
            "in" | "out" | "xmit" => {
                args.next();
                let program = program(args)?;
                match word {
                    "in" => sections.input = Some(program),
                    "out" => sections.output = Some(program),
                    _ => sections.xmit = Some(program),
                }
            }
            _ => break,
        }
    }
    if sections == LwtSections::default() {
        args.value("in, out or xmit", |_| None::<()>)?;
    }
    Ok(Ok(RouteEncap::Bpf(sections)))
}

/// `obj FILE section NAME` or `pinned PATH`.
fn program(args: &mut Args<'_>) -> Result<String, ParseError> {
    match args.expect("obj FILE or pinned PATH")? {
        "obj" | "object" => drop(args.expect("an object file")?),
        "pinned" => {
            let path = args.expect("the path of a pinned program")?;
            return program_of(path).ok_or_else(|| args.unexpected("the path of a pinned program"));
        }
        _ => return Err(args.unexpected("obj FILE or pinned PATH")),
    }
    args.value("section", |word| {
        matches!(word, "section" | "sec").then_some(())
    })?;
    Ok(args.expect("a section name")?.to_owned())
}

/// `encap seg6 mode encap|inline segs A,B,…`; the inner error is a mode that is not simulated.
pub(super) fn seg6(
    args: &mut Args<'_>,
    six: bool,
) -> Result<Result<RouteEncap, String>, ParseError> {
    args.value("mode", |word| (word == "mode").then_some(()))?;
    let modes = "encap, inline, encap.red, l2encap or l2encap.red";
    let inline = match args.expect(modes)? {
        "encap" => false,
        "inline" if six => true,
        // seg6_build_state()
        "inline" => return Err(args.unexpected("encap, as Linux refuses inline for IPv4")),
        mode @ ("encap.red" | "l2encap" | "l2encap.red") => {
            return Ok(Err(format!("mode {mode}")));
        }
        _ => return Err(args.unexpected(modes)),
    };
    args.value("segs", |word| (word == "segs").then_some(()))?;
    // `hdrlen`, a byte, counts half segments; mode inline puts the destination behind them (seg6_validate_srh())
    const MOST: usize = 127;
    let room = MOST - usize::from(inline);
    let wanted = "up to 127 IPv6 addresses with commas between";
    let segs = args.value(wanted, |word| {
        let all = word.split(',').map(ipv6).collect::<Option<Vec<_>>>();
        all.filter(|all| all.len() <= room)
    })?;
    Ok(Ok(RouteEncap::Seg6 { segs, inline }))
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
