//! XDP: counts packets in an array and passes them.
#![no_std]
#![no_main]

use aya_ebpf::{
    bindings::xdp_action,
    macros::{map, xdp},
    maps::Array,
    programs::XdpContext,
};

#[map]
static COUNT: Array<u64> = Array::with_max_entries(4, 0);

#[xdp]
pub fn count(ctx: XdpContext) -> u32 {
    if ctx.data() + 14 > ctx.data_end() {
        return xdp_action::XDP_ABORTED;
    }
    if let Some(count) = COUNT.get_ptr_mut(2) {
        unsafe { *count += 1 }
    }
    xdp_action::XDP_PASS
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
