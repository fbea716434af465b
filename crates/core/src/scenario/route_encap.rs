//! `encap` of a route (iproute2, `ip/iproute_lwtunnel.c`): `ip` and `ip6` tell a tunnel device in external mode what it is
//! to do with packets; `bpf` and `seg6` do it themselves.

use super::bpftool::program_of;
use super::command::{Ioam6, Ioam6Mode, LwtSections, RouteEncap, Seg6Mode};
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

/// `encap seg6 mode MODE segs A,B,…`.
pub(super) fn seg6(args: &mut Args<'_>, six: bool) -> Result<RouteEncap, ParseError> {
    args.value("mode", |word| (word == "mode").then_some(()))?;
    let modes = "encap, inline, encap.red, l2encap or l2encap.red";
    let mode = match args.expect(modes)? {
        "encap" => Seg6Mode::Encap,
        "encap.red" => Seg6Mode::EncapRed,
        "l2encap" => Seg6Mode::L2Encap,
        "l2encap.red" => Seg6Mode::L2EncapRed,
        "inline" if six => Seg6Mode::Inline,
        // seg6_build_state()
        "inline" => return Err(args.unexpected("encap, as Linux refuses inline for IPv4")),
        _ => return Err(args.unexpected(modes)),
    };
    args.value("segs", |word| (word == "segs").then_some(()))?;
    // `hdrlen`, a byte, counts half segments; mode inline puts the destination behind them (seg6_validate_srh())
    const MOST: usize = 127;
    let room = MOST - usize::from(mode == Seg6Mode::Inline);
    let wanted = "up to 127 IPv6 addresses with commas between";
    let segs = args.value(wanted, |word| {
        let all = word.split(',').map(ipv6).collect::<Option<Vec<_>>>();
        all.filter(|all| all.len() <= room)
    })?;
    Ok(RouteEncap::Seg6 { segs, mode })
}

/// `encap ioam6 [freq K/N] [mode inline|encap|auto] [tunsrc A] [tundst B] trace prealloc type T ns N size S`, in that
/// order (iproute2, `parse_encap_ioam6()`), with what `ioam6_build_state()` asks for.
pub(super) fn ioam6(args: &mut Args<'_>) -> Result<RouteEncap, ParseError> {
    let freq = match args.take("freq") {
        true => args.value("K/N with K not above N, both from 1 to 1000000", frequency)?,
        false => (1, 1),
    };
    let mut mode = Ioam6Mode::Inline;
    if args.take("mode") {
        mode = args.value("inline, encap or auto", |word| match word {
            "inline" => Some(Ioam6Mode::Inline),
            "encap" => Some(Ioam6Mode::Encap),
            "auto" => Some(Ioam6Mode::Auto),
            _ => None,
        })?;
    }
    let (mut tunsrc, mut tundst) = (None, None);
    if mode != Ioam6Mode::Inline {
        let address = |word: &str| ipv6(word).filter(|address| !address.is_unspecified());
        if args.take("tunsrc") {
            tunsrc = Some(args.value("an IPv6 address", address)?);
        }
        word(args, "tundst")?;
        tundst = Some(args.value("an IPv6 address", address)?);
    }
    word(args, "trace")?;
    word(args, "prealloc")?;
    word(args, "type")?;
    let kinds = "a type such as 0x800000, with none of the bits that have no meaning";
    let trace_type = args.value(kinds, trace_type)?;
    word(args, "ns")?;
    let ns = args.value("a namespace from 0 to 65535", |word| {
        number(word).and_then(|ns| u16::try_from(ns).ok())
    })?;
    word(args, "size")?;
    let size = args.value("a size from 4 to 244, a multiple of 4", |word| {
        let size = number(word).and_then(|size| u8::try_from(size).ok())?;
        (size > 0 && size <= 244 && size.is_multiple_of(4)).then_some(size)
    })?;
    Ok(RouteEncap::Ioam6(Ioam6 {
        freq,
        mode,
        tunsrc,
        tundst,
        trace_type,
        ns,
        size,
    }))
}

/// A word that must be there.
fn word(args: &mut Args<'_>, expected: &str) -> Result<(), ParseError> {
    args.value(expected, |word| (word == expected).then_some(()))
}

fn frequency(word: &str) -> Option<(u32, u32)> {
    const MOST: u32 = 1_000_000;
    let (k, n) = word.split_once('/')?;
    let (k, n) = (number(k)?, number(n)?);
    (k >= 1 && k <= n && n <= MOST).then_some((k, n))
}

/// `ioam6_validate_trace_hdr()`: bits 12 to 21 and 23 have no meaning. iproute2 takes 24 bits and puts eight behind them.
fn trace_type(word: &str) -> Option<u32> {
    const NO_MEANING: u32 = 0x000f_fd00;
    let kind = match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number(word)?,
    };
    let kind = (kind < 1 << 24).then_some(kind << 8)?;
    (kind != 0 && kind & NO_MEANING == 0).then_some(kind)
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
