//! Routes, MTUs and sockets, called by programs; the answers of a world with routes are tested beside
//! `stack/filter/fib_lookup.rs`.

use headroom_core::stack::Hook;

use crate::bench::*;

const ZERO: &str = "r6 = r1\n*(u64 *)(r10 -64) = 0\n*(u64 *)(r10 -56) = 0\n*(u64 *)(r10 -48) = 0\n\
                    *(u64 *)(r10 -40) = 0\n*(u64 *)(r10 -32) = 0\n*(u64 *)(r10 -24) = 0\n*(u64 *)(r10 -16) = 0\n\
                    *(u64 *)(r10 -8) = 0\n";

/// Forwarding is off where `exec` runs a program, and device 1 is `lo`, 2 is its own.
#[test]
fn fib_lookup() {
    for hook in [Hook::Xdp, Hook::Tc] {
        let go = |family: u8, index: u8, len: u8, flags: u8| {
            let text = format!(
                "{ZERO}*(u8 *)(r10 -64) = {family}\n*(u32 *)(r10 -56) = {index}\nr1 = r6\nr2 = r10\nr2 += -64\n\
                 r3 = {len}\nr4 = {flags}\ncall 69\nexit"
            );
            r0(hook, &text)
        };
        let index = r0(
            hook,
            if hook == Hook::Xdp {
                "r0 = *(u32 *)(r1 +12)\nexit"
            } else {
                "r0 = *(u32 *)(r1 +40)\nexit"
            },
        );
        assert_eq!(go(2, index as u8, 64, 0), 5, "FWD_DISABLED");
        assert_eq!((go(2, 99, 64, 0), go(7, 2, 64, 0)), (-19, -97));
        assert_eq!((go(2, 2, 63, 0), go(2, 2, 64, 64)), (EINVAL, EINVAL));
    }
}

/// The MTU is 1500; the packet has 46 bytes with its Ethernet header.
#[test]
fn check_mtu() {
    for hook in [Hook::Xdp, Hook::Tc] {
        let go = |diff: i32, flags: u32, shown: &str| {
            let text = format!(
                "r6 = r1\n*(u32 *)(r10 -4) = 0\nr1 = r6\nr2 = 0\nr3 = r10\nr3 += -4\nr4 = {diff}\nr5 = {flags}\n\
                 call 163\n{shown}exit"
            );
            r0(hook, &text)
        };
        assert_eq!(
            (go(0, 0, ""), go(0, 0, "r0 = *(u32 *)(r10 -4)\n")),
            (0, 1500)
        );
        assert_eq!((go(1514 - 46, 0, ""), go(1515 - 46, 0, "")), (0, 1));
        assert_eq!(go(0, 2, ""), EINVAL);
    }
}

/// Nobody has a socket here: NULL, whatever is asked for.
#[test]
fn sockets_are_not_found() {
    for hook in [Hook::Xdp, Hook::Tc] {
        for id in [84, 85, 99] {
            let text = format!(
                "{ZERO}r1 = r6\nr2 = r10\nr2 += -64\nr3 = 12\nr4 = -1\nr5 = 0\ncall {id}\nif r0 == 0 goto +3\n\
                 r1 = r0\ncall 86\nr0 = 7\nexit"
            );
            assert_eq!(r0(hook, &text), 0, "{id}");
        }
    }
}
