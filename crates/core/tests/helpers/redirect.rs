//! `bpf_redirect_map()` (`__bpf_xdp_redirect_map()`, include/linux/filter.h); where a broadcast goes is tested beside
//! `stack/xdp_broadcast.rs`.

use headroom_core::bpf::MapKind;
use headroom_core::stack::Hook;

use crate::bench::*;

const BROADCAST: u32 = 8;
const EXCLUDE_INGRESS: u32 = 16;

fn go(kind: MapKind, key: u32, flags: u32) -> i64 {
    let mut devs = map("devs", kind, [4, 4, 4]);
    devs.entries.push((vec![1, 0, 0, 0], vec![3, 0, 0, 0]));
    let text = format!("r1 = map[devs]\nr2 = {key}\nr3 = {flags}\ncall 51\nexit");
    ended(&run_maps(Hook::Xdp, &text, &[devs]))
}

/// The lower two bits of the flags are the verdict where there is no entry; a broadcast needs none. What a kind of map
/// does not know is `XDP_ABORTED`.
#[test]
fn flags_of_redirect_map() {
    for kind in [MapKind::Devmap, MapKind::DevmapHash] {
        assert_eq!((go(kind, 1, 0), go(kind, 2, 0), go(kind, 2, 2)), (4, 0, 2));
        assert_eq!(
            (
                go(kind, 2, BROADCAST),
                go(kind, 1, BROADCAST | EXCLUDE_INGRESS)
            ),
            (4, 4)
        );
        // Alone, the second flag changes nothing.
        assert_eq!(
            (
                go(kind, 1, EXCLUDE_INGRESS),
                go(kind, 2, EXCLUDE_INGRESS | 1)
            ),
            (4, 1)
        );
        assert_eq!(go(kind, 1, 4), 0);
    }
    for kind in [MapKind::Cpumap, MapKind::Xskmap] {
        assert_eq!((go(kind, 1, 2), go(kind, 2, 2)), (4, 2));
        assert_eq!(
            (go(kind, 1, BROADCAST), go(kind, 1, EXCLUDE_INGRESS)),
            (0, 0)
        );
    }
}
