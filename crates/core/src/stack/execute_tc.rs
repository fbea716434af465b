//! Carries out `tc filter add`.

use super::Kernel;
use super::execute::{Cause, Done};
use crate::scenario::command::{Command, TcActionKind, TcClassifier};
use crate::scenario::topology::{Action, ActionKind, Classifier, Filter, TopologyError};

impl Kernel {
    /// `tc filter add`. Without a preference the kernel counts down from 49152.
    pub(super) fn filter_add(&mut self, command: &Command) -> Done {
        const FIRST_AUTO_PREF: u16 = 49152;
        let Command::FilterAdd {
            netns,
            dev,
            hook,
            pref,
            protocol,
            classifier,
            actions,
        } = command
        else {
            return Ok(());
        };
        let id = self.find(netns, dev)?;
        let classifier = match classifier {
            TcClassifier::Matchall => Classifier::Matchall,
            TcClassifier::Bpf(program) => Classifier::Bpf(self.tc_program(program)?),
        };
        let actions = actions
            .iter()
            .map(|action| {
                Ok(Action {
                    kind: match &action.kind {
                        TcActionKind::Gact => ActionKind::Gact,
                        TcActionKind::Mirred(mirred, to) => {
                            ActionKind::Mirred(*mirred, self.find(netns, to)?)
                        }
                        TcActionKind::Vlan(vlan) => ActionKind::Vlan(*vlan),
                        TcActionKind::Mpls(mpls) => ActionKind::Mpls(*mpls),
                    },
                    control: action.control,
                })
            })
            .collect::<Result<_, TopologyError>>()?;
        let device = self.topology.dev_mut(id);
        let Some(clsact) = &mut device.clsact else {
            return Err(Cause::NoClsact(device.name.clone()));
        };
        let first = clsact.filters(*hook).first();
        let auto = first.map_or(FIRST_AUTO_PREF, |first| first.pref.saturating_sub(1));
        clsact.add(
            *hook,
            Filter {
                pref: pref.unwrap_or(auto),
                protocol: *protocol,
                classifier,
                actions,
            },
        );
        Ok(())
    }
}
