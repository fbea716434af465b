//! TC, cgroup and socket programs in one object, with a hash map and a global.
#![no_std]
#![no_main]

use aya_ebpf::{
    macros::{cgroup_skb, classifier, map, socket_filter},
    maps::HashMap,
    programs::{SkBuffContext, TcContext},
};

#[map]
static SEEN: HashMap<u32, u32> = HashMap::with_max_entries(16, 0);

#[unsafe(no_mangle)]
static LIMIT: u32 = 3;

#[classifier]
pub fn classify(ctx: TcContext) -> i32 {
    let limit = unsafe { core::ptr::read_volatile(&LIMIT) };
    let protocol: u16 = match ctx.load(12) {
        Ok(protocol) => protocol,
        Err(error) => return error as i32,
    };
    let key = u32::from(u16::from_be(protocol));
    let seen = unsafe { SEEN.get(&key) }.copied().unwrap_or(0);
    match SEEN.insert(&key, &(seen + limit), 0) {
        Ok(()) => 0,
        Err(error) => error as i32,
    }
}

#[cgroup_skb]
pub fn group(_ctx: SkBuffContext) -> i32 {
    1
}

#[socket_filter]
pub fn sock(ctx: SkBuffContext) -> i64 {
    i64::from(ctx.len())
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
