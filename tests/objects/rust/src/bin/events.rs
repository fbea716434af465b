//! XDP: sends each packet's length through a ring buffer and through a perf event.
#![no_std]
#![no_main]

use aya_ebpf::{
    bindings::xdp_action,
    macros::{map, xdp},
    maps::{PerfEventArray, RingBuf},
    programs::XdpContext,
};

#[map]
static RING: RingBuf = RingBuf::with_byte_size(4096, 0);

#[map]
static PERF: PerfEventArray<u32> = PerfEventArray::new(0);

#[xdp(frags)]
pub fn events(ctx: XdpContext) -> u32 {
    let len = (ctx.data_end() - ctx.data()) as u32;
    if let Some(mut record) = RING.reserve::<u32>(0) {
        record.write(len);
        record.submit(0);
    }
    PERF.output(&ctx, &len, 0);
    xdp_action::XDP_PASS
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
