//! Where in a run one is, as the address says it: `run=get_tag@decap%231` is the first run of `get_tag` on
//! `decap`, `i=37` the 38th instruction that it carried out, `under=meta_end` the design.

use headroom_protocol::program::{RunInfo, Study};

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// `program@device#occurrence`; a program alone when it has not run. `None`: the pane is closed.
    pub run: Option<String>,
    /// Instruction carried out, from 0.
    pub at: u32,
    /// Design.
    pub under: Option<String>,
}

/// Keys of the address that are the pane's.
const OWN: [&str; 3] = ["run", "i", "under"];

impl Place {
    /// Reads the pairs of a query.
    #[must_use]
    pub fn read(pairs: Vec<(String, String)>) -> Self {
        let mut place = Self::default();
        for (key, value) in pairs {
            match key.as_str() {
                "run" if !value.is_empty() => place.run = Some(value),
                "i" => place.at = value.parse().unwrap_or(0),
                "under" if !value.is_empty() => place.under = Some(value),
                _ => {}
            }
        }
        place
    }

    /// The pairs of a query with this place in it; what is not the pane's stays.
    #[must_use]
    pub fn write(&self, pairs: Vec<(String, String)>) -> Vec<(String, String)> {
        let mut all = pairs;
        all.retain(|(key, _)| !OWN.contains(&key.as_str()));
        if let Some(run) = &self.run {
            all.push(("run".into(), run.clone()));
            if self.at > 0 {
                all.push(("i".into(), self.at.to_string()));
            }
            if let Some(under) = &self.under {
                all.push(("under".into(), under.clone()));
            }
        }
        all
    }
}

/// The name of a run in addresses.
#[must_use]
pub fn name(study: &Study, run: &RunInfo) -> String {
    let program = study.programs.get(run.program as usize);
    let program = program.map_or("program", |p| p.listing.program.as_str());
    format!("{program}@{}#{}", run.dev, run.occurrence)
}

/// What an address means in a study: a program, and its run if there is one. A name that fits nothing is the
/// first run, or the first program.
#[must_use]
pub fn find(study: &Study, wanted: &str) -> Option<(u32, Option<RunInfo>)> {
    let by_name = study.runs.iter().find(|run| name(study, run) == wanted);
    if let Some(run) = by_name {
        return Some((run.program, Some(run.clone())));
    }
    let program = wanted.split('@').next().unwrap_or(wanted);
    let found = study
        .programs
        .iter()
        .rposition(|p| p.listing.program == program);
    let of = |index: usize| {
        let index = u32::try_from(index).unwrap_or(0);
        let run = study.runs.iter().find(|run| run.program == index);
        (index, run.cloned())
    };
    if let Some(index) = found {
        return Some(of(index));
    }
    if let Some(run) = study.runs.first() {
        return Some((run.program, Some(run.clone())));
    }
    (!study.programs.is_empty()).then(|| of(0))
}

#[cfg(test)]
mod tests {
    use headroom_core::bpf::Listing;
    use headroom_protocol::program::Judged;

    use super::*;

    fn study() -> Study {
        let program = |name: &str| Judged {
            file: "a.o".into(),
            listing: Listing {
                program: name.into(),
                ..Listing::default()
            },
            kind: "xdp".into(),
            refused: None,
            held: Vec::new(),
            warnings: Vec::new(),
            loads_data_meta: false,
            writes_packet: false,
        };
        let run = |run, program, dev: &str, occurrence| RunInfo {
            run,
            program,
            hook: "xdp".into(),
            dev: dev.into(),
            occurrence,
            len: 9,
            verdict: Some(2),
        };
        Study {
            programs: vec![program("set_tag"), program("get_tag"), program("idle")],
            runs: vec![
                run(0, 0, "rx", 1),
                run(1, 1, "rx", 1),
                run(2, 1, "tx/decap", 2),
            ],
            ..Study::default()
        }
    }

    #[test]
    fn an_address_keeps_what_is_not_the_panes() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let place = Place {
            run: Some("get_tag@tx/decap#2".into()),
            at: 37,
            under: Some("meta_end".into()),
        };
        let own = [
            pair("run", "get_tag@tx/decap#2"),
            pair("i", "37"),
            pair("under", "meta_end"),
        ];
        let all = place.write(vec![pair("run", "old"), pair("s", "seed"), pair("i", "5")]);
        assert_eq!(all[0], pair("s", "seed"));
        assert_eq!(all[1..], own);
        assert_eq!(Place::read(all.clone()), place);
        assert_eq!(Place::default().write(all), [pair("s", "seed")]);
        assert_eq!(
            Place::read(vec![pair("i", "-1"), pair("run", "")]),
            Place::default()
        );
    }

    #[test]
    fn runs_are_found_by_name() {
        let study = study();
        assert_eq!(name(&study, &study.runs[2]), "get_tag@tx/decap#2");
        let found = |wanted: &str| {
            let (program, run) = find(&study, wanted).expect("something");
            (program, run.map(|run| run.run))
        };
        assert_eq!(found("get_tag@tx/decap#2"), (1, Some(2)));
        assert_eq!(found("get_tag@nowhere#9"), (1, Some(1)));
        assert_eq!(found("idle"), (2, None));
        assert_eq!(found("gone@rx#1"), (0, Some(0)));
        assert_eq!(find(&Study::default(), "x"), None);
    }
}
