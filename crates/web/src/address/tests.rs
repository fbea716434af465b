use headroom_core::scene::Point;
use proptest::prelude::*;

use super::*;
use crate::view::Show;

fn read(text: &str) -> Place {
    let (address, notices) = Address::parse(text);
    assert_eq!(notices, Vec::<String>::new(), "{text}");
    address.place().expect("a place").clone()
}

#[test]
fn the_form_that_is_written_down() {
    let place = read("/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=functions");
    assert_eq!(place.designs, [0]);
    assert_eq!(
        place.at,
        Some("get_tag.exit@decap#1".parse().expect("a name"))
    );
    assert_eq!(
        Address::Scenario(place).print(),
        "/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=functions"
    );
}

#[test]
fn a_hash_typed_as_it_stands_is_read_too() {
    let place = read("/s/seed?d=mac_header,meta_end&at=get_tag.12@decap#2&z=instructions");
    assert_eq!(place.zoom, Zoom::Instructions);
    assert_eq!(
        place.at.as_ref().map(|at| (at.point, at.occurrence)),
        Some((Point::Insn(12), 2))
    );
}

#[test]
fn the_design_in_front_and_the_chosen_byte_are_in_the_address() {
    let place = read("/s/seed?d=mac_header,meta_end&front=meta_end&byte=252");
    assert_eq!((place.front(), place.byte), (1, Some(252)));
    // The first one is in front where nothing is said, and where one is named that is not shown.
    for text in ["", "&front=meta_end"] {
        let place = read(&format!("/s/seed?d=mac_header{text}"));
        assert_eq!((place.front(), place.byte), (0, None), "{text}");
    }
    let (address, notices) = Address::parse("/s/seed?d=meta_end&front=wishful&byte=many");
    assert_eq!(
        address.place().map(|place| (place.front(), place.byte)),
        Some((1, None))
    );
    assert_eq!(notices.len(), 2, "{notices:?}");
}

#[test]
fn what_is_shown_is_in_the_address() {
    let text = "/s/seed?d=mac_header&view=scale,fields&speed=5&page=3";
    let place = read(text);
    let view = View {
        shows: Show::Scale as u8 + Show::Fields as u8,
        speed: 2,
        page: 2,
    };
    assert_eq!(place.view, view);
    assert_eq!(Address::Scenario(place).print(), text);
    // As usual is not said.
    assert_eq!(read("/s/seed?speed=1&page=1").view, View::default());
    let (address, notices) = Address::parse("/s/seed?view=changes,upside-down&speed=9&page=last");
    let view = View {
        shows: Show::Changes as u8,
        ..View::default()
    };
    assert_eq!(address.place().map(|place| place.view), Some(view));
    assert_eq!(
        notices,
        [
            "There is no view “changes,upside-down”.",
            "There is no speed “9”.",
            "There is no page “last”."
        ]
    );
}

#[test]
fn more_designs_than_columns_are_said() {
    let (address, notices) =
        Address::parse("/compare/seed?d=mac_header,meta_end,traits,skb_ext,meta_end_v2");
    assert_eq!(
        address.place().map(|place| place.designs.len()),
        Some(MAX_COLUMNS)
    );
    assert_eq!(notices, ["Of more designs than 4 the first 4 are shown."]);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_holds() {
    let (address, notices) =
        Address::parse("/s/seed?d=mac_header,wishful&at=nonsense&z=atoms&x=%zz");
    assert_eq!(notices.len(), 3, "{notices:?}");
    assert_eq!(
        address.place().map(|place| place.designs.clone()),
        Some(vec![0])
    );
}

#[test]
fn the_other_pages() {
    assert_eq!(Address::parse("/").0, Address::Start(None));
    for text in [
        "/?stop=decap",
        "/compare",
        "/compare/seed?d=mac_header,recording:mac_header",
        "/matrix?q=gre",
        "/lab#1abc",
        "/open",
        "/designs",
        "/designs#skb_ext",
    ] {
        assert_eq!(Address::parse(text).0.print(), text);
    }
    assert_eq!(Address::parse("/s").0.print(), "/s");
    assert_eq!(
        Address::parse("/spec#HR-META-1").0,
        Address::Spec(Some("HR-META-1".into()))
    );
    assert_eq!(
        Address::parse("/embed?s=seed&d=meta_end").0.print(),
        "/embed?s=seed&d=meta_end"
    );
    assert_eq!(
        Address::parse("/wp-admin/x?y").0,
        Address::Unknown("/wp-admin/x".into())
    );
}

fn any_place() -> impl Strategy<Value = Place> {
    let designs = prop_oneof![
        Just(vec![0]),
        Just(vec![1]),
        Just(vec![0, 1]),
        Just(vec![0, 8, CUSTOM])
    ];
    let point = prop_oneof![
        Just(Point::Entry),
        Just(Point::Exit),
        (0..4096u32).prop_map(Point::Insn),
        (0..9u32).prop_map(Point::Prologue)
    ];
    let name = (
        "[a-z_][a-z0-9_]{0,20}",
        point,
        "[a-z][a-z0-9.%&#+ =-]{0,8}|",
        "[a-zäß]{1,5}|",
        1..999u32,
    );
    let name = name.prop_map(|(what, point, dev, netns, occurrence)| {
        // A device name holds no '@' and no '#': Linux allows them, but nobody has one.
        StepName {
            what,
            point,
            dev: dev.replace(['#', '@'], "x"),
            netns,
            occurrence,
            write: 0,
        }
    });
    let zoom = prop_oneof![
        Just(Zoom::Functions),
        Just(Zoom::Instructions),
        Just(Zoom::Writes)
    ];
    let place = (
        "[a-z0-9-]{1,12}",
        designs,
        proptest::option::of(name),
        zoom,
        "[a-z_]{1,8}=[a-z_,=]{0,12}|",
        "[a-z_& 0-9#]{0,16}",
        any::<proptest::sample::Index>(),
        (any::<Option<u32>>(), (0..16u8, 0..4usize, 0..99usize)),
    );
    place.prop_map(
        |(scenario, designs, at, zoom, policy, find, front, (byte, view))| {
            // Without the design, its policy is nowhere.
            let policy = if designs.contains(&CUSTOM) {
                policy
            } else {
                String::new()
            };
            let front = *front.get(&designs);
            let mut place = Place {
                scenario,
                designs,
                at,
                zoom,
                policy,
                find,
                front: None,
                byte: None,
                view: View {
                    shows: view.0,
                    speed: view.1,
                    page: view.2,
                },
            };
            place.face(front, byte);
            place
        },
    )
}

proptest! {
    #[test]
    fn print_and_parse_are_inverse(place in any_place(), embed in any::<bool>()) {
        let address = if embed { Address::Embed(place) } else { Address::Scenario(place) };
        let text = address.print();
        prop_assert_eq!(Address::parse(&text), (address, Vec::new()), "{}", text);
    }

    #[test]
    fn any_text_gives_a_state(text in ".{0,80}") {
        let (address, _) = Address::parse(&text);
        let _ = address.print();
    }
}
