//! `bpf_dynptr_from_mem()` and what its dynptrs can do (`kernel/bpf/helpers.c`); `bpf_preempt_*()`.

use headroom_core::bpf::{MapDef, MapKind};
use headroom_core::design::DesignName;
use headroom_core::stack::{Hook, exec};

use crate::bench::*;

fn value(size: u32) -> MapDef {
    map("value", MapKind::Array, [4, size, 1])
}

/// A dynptr over the map's value at r10 - 24.
fn from_mem(map: &MapDef, size: u32, flags: u32, more: &str) -> i64 {
    let text = format!(
        "r6 = r1\n*(u32 *)(r10 -4) = 0\nr1 = map[value]\nr2 = r10\nr2 += -4\ncall 1\nif r0 != 0 goto +1\nexit\n\
         r7 = r0\nr1 = r0\nr2 = {size}\nr3 = {flags}\nr4 = r10\nr4 += -24\ncall 197\n{more}exit"
    );
    ended(&run_maps(Hook::Tc, &text, std::slice::from_ref(map)))
}

const SIZE: &str = "r1 = r10\nr1 += -24\ncall bpf_dynptr_size\nr0 <<= 32\nr0 s>>= 32\n";
const IS_NULL: &str = "r1 = r10\nr1 += -24\ncall bpf_dynptr_is_null\n";

/// `DYNPTR_MAX_SIZE` is 2^24 - 1. What fails leaves a null dynptr.
#[test]
fn sizes_of_a_dynptr() {
    let big = value(1 << 24);
    let max = (1 << 24) - 1;
    assert_eq!(
        (from_mem(&big, max, 0, ""), from_mem(&big, max, 0, SIZE)),
        (0, i64::from(max))
    );
    assert_eq!(from_mem(&big, 1 << 24, 0, ""), E2BIG);
    assert_eq!(
        (
            from_mem(&big, 1 << 24, 0, SIZE),
            from_mem(&big, 1 << 24, 0, IS_NULL)
        ),
        (EINVAL, 1)
    );
    // The size is looked at before the flags.
    assert_eq!(
        (from_mem(&big, 1 << 24, 1, ""), from_mem(&big, 8, 1, "")),
        (E2BIG, EINVAL)
    );
    let small = value(16);
    assert_eq!(
        (from_mem(&small, 0, 0, ""), from_mem(&small, 0, 0, SIZE)),
        (0, 0)
    );
    assert_eq!(
        (
            from_mem(&small, 0, 0, IS_NULL),
            from_mem(&small, 8, 1, IS_NULL)
        ),
        (0, 1)
    );
}

/// `bpf_dynptr_check_off_len()`: `-E2BIG` behind the end; a null dynptr is `-EINVAL`.
#[test]
fn reads_and_writes_stay_inside() {
    let small = value(16);
    let read = |offset: i32, len: i32, flags: i32| {
        let more = format!(
            "*(u64 *)(r10 -40) = 0\nr1 = r10\nr1 += -40\nr2 = {len}\nr3 = r10\nr3 += -24\nr4 = {offset}\nr5 = {flags}\n\
             call 201\n"
        );
        from_mem(&small, 16, 0, &more)
    };
    assert_eq!(
        (read(0, 8, 0), read(8, 8, 0), read(9, 8, 0), read(16, 0, 0)),
        (0, 0, E2BIG, 0)
    );
    assert_eq!(
        (read(17, 0, 0), read(-1, 1, 0), read(0, 8, 1)),
        (E2BIG, E2BIG, EINVAL)
    );
    let write = |offset: i32, len: i32, flags: i32, more: &str| {
        let more = format!(
            "*(u64 *)(r10 -40) = 0x2a\nr1 = r10\nr1 += -24\nr2 = {offset}\nr3 = r10\nr3 += -40\nr4 = {len}\nr5 = {flags}\n\
             call 202\n{more}"
        );
        from_mem(&small, 16, 0, &more)
    };
    assert_eq!(
        (write(8, 8, 0, ""), write(9, 8, 0, ""), write(0, 8, 1, "")),
        (0, E2BIG, EINVAL)
    );
    assert_eq!(write(8, 8, 0, "r0 = *(u64 *)(r7 +8)\n"), 42);
    // A null one.
    let null = "*(u64 *)(r10 -40) = 0\nr1 = r10\nr1 += -40\nr2 = 8\nr3 = r10\nr3 += -24\nr4 = 0\nr5 = 0\ncall 201\n";
    assert_eq!(from_mem(&small, 8, 1, null), EINVAL);
}

/// `bpf_dynptr_data()`: an address inside, or NULL.
#[test]
fn data_of_a_dynptr() {
    let small = value(16);
    let data = |offset: i32, len: i32| {
        let more = format!(
            "r1 = r10\nr1 += -24\nr2 = {offset}\nr3 = {len}\ncall 203\nif r0 == 0 goto +1\nr0 -= r7\n"
        );
        let more = more.replace("r0 -= r7\n", "r0 = 1\n");
        from_mem(&small, 16, 0, &more)
    };
    assert_eq!(
        (data(0, 16), data(8, 8), data(9, 8), data(0, 17)),
        (1, 1, 0, 0)
    );
}

#[test]
fn preemption() {
    assert_eq!(
        r0(
            Hook::Tc,
            "call bpf_preempt_disable\ncall bpf_preempt_enable\nr0 = 7\nexit"
        ),
        7
    );
    // The verifier wants them in pairs.
    for text in [
        "call bpf_preempt_disable\nr0 = 0\nexit",
        "call bpf_preempt_enable\nr0 = 0\nexit",
    ] {
        let object = object(vec![program("main", "tc", text, &[])], Vec::new());
        let refused = exec(
            &object,
            "main",
            Hook::Tc,
            &frame(),
            &[],
            DesignName::MacHeader,
        );
        assert!(refused.is_err(), "{text}");
    }
}
