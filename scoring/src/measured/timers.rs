//! How the packet threads of both ends kept time, and what they asked of the system.

use super::Lateness;
use serde::{Deserialize, Serialize};

/// Timers of both ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timers {
    /// The tester.
    pub tester: EndTimers,
    /// The guest program.
    pub guest: EndTimers,
}

/// Timers of an end. Null where it did not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndTimers {
    /// How its pacing threads wait: `sleep`, `hybrid` or `spin`.
    pub mode: Option<String>,
    /// Threads that send by the clock.
    pub threads: Option<u32>,
    /// Width of a pacing slot, us.
    pub slot_us: Option<f64>,
    /// What was asked of the system.
    pub rights: Vec<Right>,
    /// Largest share of a full-load second that a packet thread ran, percent.
    pub running_percent: Option<f64>,
    /// Largest share of a full-load second that a packet thread was runnable and did not run, percent.
    pub runnable_percent: Option<f64>,
    /// Packets of the sample whose departure the kernel stamped, over the whole run.
    pub departures_stamped: u64,
    /// From the departure by the thread's own clock to the kernel's stamp at the driver, us.
    pub departure_stamp_us: Lateness,
}

/// Something asked of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// What.
    pub name: String,
    /// Whether it was granted to all threads that asked.
    pub granted: bool,
    /// Why it was refused, and how to permit it.
    pub refused: Option<String>,
}
