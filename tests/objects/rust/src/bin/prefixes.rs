//! XDP: drops what comes from a prefix of an LPM trie; redirects the rest through a devmap.
#![no_std]
#![no_main]

use aya_ebpf::{
    bindings::xdp_action,
    macros::{map, xdp},
    maps::{DevMap, LpmTrie, lpm_trie::Key},
    programs::XdpContext,
};

#[map]
static BLOCKED: LpmTrie<[u8; 4], u32> = LpmTrie::with_max_entries(8, 1);

#[map]
static OUT: DevMap = DevMap::with_max_entries(2, 0);

#[xdp]
pub fn prefixes(ctx: XdpContext) -> u32 {
    let source = ctx.data() + 26;
    if source + 4 > ctx.data_end() {
        return xdp_action::XDP_ABORTED;
    }
    let address = unsafe { core::ptr::read_unaligned(source as *const [u8; 4]) };
    match BLOCKED.get(&Key::new(32, address)) {
        Some(_) => xdp_action::XDP_DROP,
        None => OUT.redirect(0, 2).unwrap_or_else(|verdict| verdict),
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
