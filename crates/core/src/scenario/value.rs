//! Values as iproute2 writes them.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::command::{Ipv4Net, Ipv6Net, Mac};
use super::error::Problem;

/// Largest frame a packet socket of ours takes, bytes.
pub const MAX_FRAME: usize = 65_535;

/// A number with base prefix as `strtoul(…, 0)` reads it, octal left out (`010` is refused, not 8).
pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u32::from_str_radix(hex, 16).ok()
        }
        Some(_) => None,
        None if text.len() > 1 && text.starts_with('0') => None,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

/// `ADDR`.
pub(super) fn ipv4(text: &str) -> Option<Ipv4Addr> {
    text.parse().ok()
}

/// `ADDR` or `any`, `default` (unspecified), as the ends of a tunnel.
pub(super) fn tunnel_end(text: &str) -> Option<Option<Ipv4Addr>> {
    match text {
        "any" | "default" | "0.0.0.0" => Some(None),
        text => ipv4(text).map(Some),
    }
}

/// `ADDR[/LEN]`; 32 when there is no length.
pub(super) fn ipv4_net(text: &str) -> Option<Ipv4Net> {
    let (addr, prefix) = match text.split_once('/') {
        Some((addr, prefix)) => (
            addr,
            number(prefix)
                .and_then(|n| u8::try_from(n).ok())
                .filter(|n| *n <= 32)?,
        ),
        None => (text, 32),
    };
    Some(Ipv4Net {
        addr: ipv4(addr)?,
        prefix,
    })
}

/// `PREFIX` or `default`.
pub(super) fn destination(text: &str) -> Option<Ipv4Net> {
    match text {
        "default" | "any" | "all" => Some(Ipv4Net {
            addr: Ipv4Addr::UNSPECIFIED,
            prefix: 0,
        }),
        text => ipv4_net(text),
    }
}

/// An IPv6 address.
pub(super) fn ipv6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok()
}

/// `ADDR` or `any`, `default` (unspecified), as the ends of a tunnel over IPv6.
pub(super) fn tunnel_end6(text: &str) -> Option<Option<Ipv6Addr>> {
    match text {
        "any" | "default" | "::" => Some(None),
        text => ipv6(text).map(Some),
    }
}

/// `ADDR[/LEN]`; 128 when there is no length.
pub(super) fn ipv6_net(text: &str) -> Option<Ipv6Net> {
    let (addr, prefix) = match text.split_once('/') {
        Some((addr, prefix)) => {
            let prefix = number(prefix).and_then(|n| u8::try_from(n).ok());
            (addr, prefix.filter(|n| *n <= 128)?)
        }
        None => (text, 128),
    };
    Some(Ipv6Net {
        addr: ipv6(addr)?,
        prefix,
    })
}

/// `PREFIX` or `default` of IPv6.
pub(super) fn destination6(text: &str) -> Option<Ipv6Net> {
    match text {
        "default" | "any" | "all" => Some(Ipv6Net {
            addr: Ipv6Addr::UNSPECIFIED,
            prefix: 0,
        }),
        text => ipv6_net(text),
    }
}

/// Whether it is an IPv6 address or prefix.
pub(super) fn is_ipv6(text: &str) -> bool {
    text.split('/')
        .next()
        .is_some_and(|addr| addr.parse::<std::net::Ipv6Addr>().is_ok())
}

/// `02:00:00:00:00:01`; a part may have one digit.
pub(super) fn mac(text: &str) -> Option<Mac> {
    let mut mac = Mac::default();
    let mut parts = text.split(':');
    for byte in &mut mac {
        let part = parts.next().filter(|part| (1..=2).contains(&part.len()))?;
        if !part.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

/// A tunnel key: a number or dotted quad.
pub(super) fn key(text: &str) -> Option<u32> {
    ipv4(text).map(u32::from).or_else(|| number(text))
}

/// MPLS labels with `/` between them, outermost first.
pub(super) fn labels(text: &str) -> Option<crate::net::mpls::Labels> {
    let list: Option<Vec<_>> = text.split('/').map(label).collect();
    crate::net::mpls::Labels::new(&list?)
}

/// An MPLS label, 20 bits.
pub(super) fn label(text: &str) -> Option<u32> {
    number(text).filter(|label| *label < 1 << 20)
}

/// A device name: 1 to 15 bytes, no `/`, no blank (`dev_valid_name()`, net/core/dev.c).
pub(super) fn device(text: &str) -> Option<String> {
    let valid = (1..16).contains(&text.len())
        && text != "."
        && text != ".."
        && !text.contains(|c: char| c == '/' || c == ':' || c.is_whitespace());
    valid.then(|| text.to_owned())
}

/// Bytes of a hex string. Errors name the offset of the bad digit.
pub(super) fn hex(text: &str) -> Result<Vec<u8>, Problem> {
    if text.len() > 2 * MAX_FRAME {
        return Err(Problem::TooLarge {
            what: "the frame",
            size: text.len() / 2,
            limit: MAX_FRAME,
        });
    }
    let mut digits = Vec::with_capacity(text.len());
    for (offset, c) in text.chars().enumerate() {
        match c.to_digit(16) {
            Some(digit) => digits.push(digit as u8),
            None => {
                return Err(Problem::Hex {
                    offset,
                    what: format!("`{c}` is no hex digit"),
                });
            }
        }
    }
    if digits.len() % 2 == 1 {
        let what = "the last byte has one digit, expected an even number of digits".into();
        return Err(Problem::Hex {
            offset: digits.len() - 1,
            what,
        });
    }
    Ok(digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal_or_hex() {
        assert_eq!(number("42"), Some(42));
        assert_eq!(number("0x2a"), Some(42));
        for bad in ["", "0x", "010", "+1", "-1", "4294967296", "0x+1"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(
            ipv4_net("10.0.0.1/24"),
            Some(Ipv4Net {
                addr: Ipv4Addr::new(10, 0, 0, 1),
                prefix: 24
            })
        );
        assert_eq!(ipv4_net("10.0.0.1").map(|net| net.prefix), Some(32));
        assert_eq!(ipv4_net("10.0.0.1/33"), None);
        assert_eq!(destination("default").map(|net| net.prefix), Some(0));
        assert_eq!(mac("02:0:00:00:00:fF"), Some([2, 0, 0, 0, 0, 255]));
        assert_eq!(mac("02:00:00:00:00"), None);
        assert_eq!(mac("02:00:00:00:00:01:02"), None);
        assert_eq!(key("0.0.0.5"), Some(5));
        assert_eq!(device("sixteen_letters_"), None);
    }

    #[test]
    fn hex_names_the_bad_digit() {
        assert_eq!(hex("0a0B"), Ok(vec![10, 11]));
        assert_eq!(
            hex("0a0g"),
            Err(Problem::Hex {
                offset: 3,
                what: "`g` is no hex digit".into()
            })
        );
        assert!(matches!(hex("0a0"), Err(Problem::Hex { offset: 2, .. })));
        assert!(hex(&"00".repeat(MAX_FRAME)).is_ok());
        let refused = hex(&"00".repeat(MAX_FRAME + 1)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the frame is 65536 bytes long, the limit is 65535 bytes"
        );
    }
}
