//! Neighbour discovery (RFC 4861; `struct nd_msg`, `include/net/ndisc.h`).

use std::net::Ipv6Addr;

use crate::scenario::command::Mac;

/// `NDISC_NEIGHBOUR_SOLICITATION`: a question.
pub const SOLICITATION: u8 = 135;
/// `NDISC_NEIGHBOUR_ADVERTISEMENT`: an answer.
pub const ADVERTISEMENT: u8 = 136;
/// `sizeof(struct nd_msg)`: ICMPv6 header and target, bytes.
pub const HLEN: u32 = 24;
/// The router flag of an answer.
pub const ROUTER: u8 = 0x80;
/// It was asked for.
pub const SOLICITED: u8 = 0x40;
/// It replaces what was known.
pub const OVERRIDE: u8 = 0x20;
/// `ND_OPT_SOURCE_LL_ADDR`.
pub const SOURCE: u8 = 1;
/// `ND_OPT_TARGET_LL_ADDR`.
pub const TARGET: u8 = 2;
/// `in6addr_linklocal_allnodes`.
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// `addrconf_addr_solict_mult()`: the group in which the owner of an address is.
#[must_use]
pub fn solicited_node(addr: Ipv6Addr) -> Ipv6Addr {
    const GROUP: u128 = 0xff02_0000_0000_0000_0000_0001_ff00_0000;
    Ipv6Addr::from(GROUP | u128::from(addr) & 0x00ff_ffff)
}

/// `ipv6_eth_mc_map()`: where frames to a group go.
#[must_use]
pub fn group_mac(group: Ipv6Addr) -> Mac {
    let [.., a, b, c, d] = group.octets();
    [0x33, 0x33, a, b, c, d]
}

/// `addrconf_ifid_eui48()`: the link-local address that Linux makes of a MAC address.
#[must_use]
pub fn link_local([a, b, c, d, e, f]: Mac) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets[..2].copy_from_slice(&[0xfe, 0x80]);
    octets[8..].copy_from_slice(&[a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    octets.into()
}

/// A message without checksum; with the sender's or target's MAC address when it is to be told.
#[must_use]
pub fn message(kind: u8, flags: u8, target: Ipv6Addr, mac: Option<Mac>) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0, flags, 0, 0, 0];
    message.extend(target.octets());
    if let Some(mac) = mac {
        let option = if kind == SOLICITATION { SOURCE } else { TARGET };
        message.extend([option, 1]);
        message.extend(mac);
    }
    message
}

/// `ndisc_parse_options()`: the first option of a kind with its bytes, type and length included; `None` for options that
/// end too early or have no length.
#[must_use]
pub fn option(mut options: &[u8], kind: u8) -> Option<Option<&[u8]>> {
    let mut found = None;
    while !options.is_empty() {
        let len = usize::from(*options.get(1)?) * 8;
        let option = options.get(..len).filter(|option| !option.is_empty())?;
        if option.first() == Some(&kind) && found.is_none() {
            found = Some(option);
        }
        options = options.get(len..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4291, section 2.7.1 has this example of a solicited-node address; RFC 2464, section 7 the MAC address.
    #[test]
    fn groups() {
        let addr: Ipv6Addr = "4037::1:800:200e:8c6c".parse().unwrap();
        let group = solicited_node(addr);
        assert_eq!(group, "ff02::1:ff0e:8c6c".parse::<Ipv6Addr>().unwrap());
        assert_eq!(group_mac(group), [0x33, 0x33, 0xff, 0x0e, 0x8c, 0x6c]);
        // RFC 4291, appendix A: 34-56-78-9A-BC-DE becomes 36-56-78-FF-FE-9A-BC-DE
        let own = link_local([0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde]);
        assert_eq!(
            own,
            "fe80::3656:78ff:fe9a:bcde".parse::<Ipv6Addr>().unwrap()
        );
    }

    /// RFC 4861, sections 4.3 and 4.6.1.
    #[test]
    fn a_question_and_its_option() {
        let bytes = message(
            SOLICITATION,
            0,
            Ipv6Addr::LOCALHOST,
            Some([1, 2, 3, 4, 5, 6]),
        );
        assert_eq!(bytes.len(), 32);
        assert_eq!((bytes[0], bytes[23]), (135, 1));
        let options = &bytes[24..];
        assert_eq!(
            option(options, SOURCE),
            Some(Some(&[1, 1, 1, 2, 3, 4, 5, 6][..]))
        );
        assert_eq!(option(options, TARGET), Some(None));
        assert_eq!(option(&[1, 0, 0, 0], SOURCE), None);
        assert_eq!(option(&[1, 2, 0, 0], SOURCE), None);
        assert_eq!(option(&[1], SOURCE), None);
        assert_eq!(option(&[], SOURCE), Some(None));
    }
}
