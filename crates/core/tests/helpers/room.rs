//! `bpf_skb_adjust_room()` with each of its flags. The packet has 46 bytes: Ethernet, and 32 of IPv4.

use headroom_core::stack::Hook;

use crate::bench::*;

const NET: u32 = 0;
const MAC: u32 = 1;
const FIXED_GSO: u64 = 1;
const ENCAP_IPV4: u64 = 2;
const ENCAP_IPV6: u64 = 4;
const ENCAP_GRE: u64 = 8;
const ENCAP_UDP: u64 = 16;
const NO_CSUM_RESET: u64 = 32;
const ENCAP_ETH: u64 = 64;
const DECAP_IPV4: u64 = 128;
const DECAP_IPV6: u64 = 256;
const ENOTSUPP: i64 = -524;
const EALREADY: i64 = -114;

const fn inner_mac(len: u64) -> u64 {
    len << 56
}

fn adjust(diff: i32, mode: u32, flags: u64, more: &str) -> i64 {
    let text =
        format!("r6 = r1\nr2 = {diff}\nr3 = {mode}\nr4 = {flags:#x} ll\ncall 50\n{more}exit");
    r0(Hook::Tc, &text)
}

fn ret(diff: i32, mode: u32, flags: u64) -> i64 {
    adjust(diff, mode, flags, "")
}

const LEN: &str = "r0 = *(u32 *)(r6 +0)\n";
const PROTOCOL: &str = "r0 = *(u32 *)(r6 +16)\n";

#[test]
fn how_much_it_grows_and_shrinks() {
    for mode in [NET, MAC] {
        assert_eq!((ret(20, mode, 0), adjust(20, mode, 0, LEN)), (0, 66));
        assert_eq!(
            (ret(4095, mode, 0), ret(4096, mode, 0), ret(-4096, mode, 0)),
            (0, EFAULT, EFAULT)
        );
        // 20 bytes of IPv4 stay.
        assert_eq!((ret(-12, mode, 0), adjust(-12, mode, 0, LEN)), (0, 34));
        assert_eq!(
            (ret(-13, mode, 0), ret(-32, mode, 0), ret(-33, mode, 0)),
            (ENOTSUPP, ENOTSUPP, ENOTSUPP)
        );
    }
    assert_eq!(ret(20, 2, 0), ENOTSUPP);
}

/// What is checked first wins: flags, then the length, then the mode.
#[test]
fn flags_that_do_not_exist() {
    assert_eq!(
        (ret(20, MAC, 512), ret(20, MAC, 1 << 55), ret(4096, 2, 512)),
        (EINVAL, EINVAL, EINVAL)
    );
    assert_eq!(ret(4096, 2, 0), EFAULT);
    for flags in [FIXED_GSO, NO_CSUM_RESET, FIXED_GSO | NO_CSUM_RESET] {
        assert_eq!((ret(20, MAC, flags), ret(-8, MAC, flags)), (0, 0));
    }
}

#[test]
fn encapsulation() {
    for flags in [
        ENCAP_IPV4,
        ENCAP_IPV4 | ENCAP_GRE,
        ENCAP_IPV4 | ENCAP_UDP,
        ENCAP_IPV4 | ENCAP_ETH | inner_mac(14),
        ENCAP_IPV4 | inner_mac(20),
        // Without an L3 flag there is no encapsulation, and the others say nothing.
        ENCAP_GRE | ENCAP_UDP,
        ENCAP_ETH,
        inner_mac(255),
    ] {
        assert_eq!(
            (ret(20, MAC, flags), adjust(20, MAC, flags, PROTOCOL)),
            (0, 0x0008),
            "{flags:#x}"
        );
    }
    assert_eq!(adjust(40, MAC, ENCAP_IPV6, PROTOCOL), 0xdd86);
    for flags in [
        ENCAP_IPV4 | ENCAP_IPV6,
        ENCAP_IPV4 | ENCAP_GRE | ENCAP_UDP,
        ENCAP_IPV4 | ENCAP_ETH,
        ENCAP_IPV4 | ENCAP_ETH | inner_mac(13),
        ENCAP_IPV4 | inner_mac(21),
        DECAP_IPV4,
        DECAP_IPV6,
    ] {
        assert_eq!(ret(20, MAC, flags), EINVAL, "{flags:#x}");
    }
    // A second time: the packet is encapsulated already.
    let again = "r1 = r6\nr2 = 20\nr3 = 1\nr4 = 2\ncall 50\n";
    assert_eq!(adjust(20, MAC, ENCAP_IPV4, again), EALREADY);
    let plain = "r1 = r6\nr2 = 20\nr3 = 1\nr4 = 0\ncall 50\n";
    assert_eq!(adjust(20, MAC, ENCAP_IPV4, plain), 0);
}

#[test]
fn decapsulation() {
    assert_eq!(
        (
            ret(-12, MAC, DECAP_IPV4),
            adjust(-12, MAC, DECAP_IPV4, PROTOCOL)
        ),
        (0, 0x0008)
    );
    // 40 bytes of IPv6 must stay, and the packet has 32.
    assert_eq!(ret(-4, MAC, DECAP_IPV6), ENOTSUPP);
    assert_eq!(ret(-4, MAC, DECAP_IPV4 | DECAP_IPV6), EINVAL);
    for flags in [
        ENCAP_IPV4,
        ENCAP_IPV6,
        ENCAP_GRE,
        ENCAP_UDP,
        ENCAP_ETH,
        inner_mac(14),
    ] {
        assert_eq!(ret(-4, MAC, flags), EINVAL, "{flags:#x}");
    }
    // IPv6 around it: 32 and 40 are 72 bytes, of which 40 stay.
    let v6 = |diff: i32, more: &str| {
        let text = format!("r1 = r6\nr2 = {diff}\nr3 = 1\nr4 = 256\ncall 50\n{more}");
        adjust(40, MAC, ENCAP_IPV6, &text)
    };
    assert_eq!((v6(-32, ""), v6(-33, "")), (0, ENOTSUPP));
    assert_eq!(v6(-32, PROTOCOL), 0xdd86);
}
