//! A process that gives way: all but its media threads run at the lowest priority, for a test beside live traffic.

use milliwatt_wire::socket::request_real_time;
use rustix::process::setpriority_process;

/// The lowest priority of an ordinary thread.
const LOWEST: i32 = 19;
/// Any real-time priority: whether the system grants one is what is asked.
const REAL_TIME: u8 = 1;

/// Lowers this thread, and with it every thread that it starts from now on; media threads are real-time and go before them.
/// Where the system would refuse them that, nothing is lowered, and the error says why: media would give way too.
pub(crate) fn give_way() -> Result<(), String> {
    let asked = std::thread::spawn(|| request_real_time(REAL_TIME)).join();
    asked.map_err(|_| "asking for real-time priority failed".to_owned())??;
    setpriority_process(None, LOWEST).map_err(|error| error.to_string())
}
