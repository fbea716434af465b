//! Where pages get their data. Nothing in here simulates: [`files`] reads what the site's build
//! wrote, [`simulator`] asks the worker. `docs/ARCHITECTURE.md` tells which is for what.

pub mod files;
mod outcome;
pub mod simulator;

pub use headroom_protocol::Problem;
pub use headroom_protocol::files::Scenario;
pub use outcome::{Input, Outcome, Seen};
