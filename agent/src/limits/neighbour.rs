//! How much load a tester may ask a neighbour for.

use super::{Limits, Refusal, larger};
use crate::neighbour::Asked;
use milliwatt_wire::neighbour::NeighbourLoad;
use procfs::{Current, Meminfo};

/// The largest file that is written in a circle, octets.
const FILE_MAX: u64 = 1 << 30;
/// A smaller one is no load for a disk, octets.
const FILE_MIN: u64 = 16 << 20;

/// What a machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Processors.
    pub cores: u32,
    /// Memory that is free, or can be made so without harm, octets; none where the system does not tell.
    pub memory_free: Option<u64>,
}

impl Machine {
    /// This one, with so many processors.
    #[must_use]
    pub fn this(cores: u32) -> Self {
        let free = Meminfo::current().ok();
        Self {
            cores,
            memory_free: free.and_then(|memory| memory.mem_available),
        }
    }
}

impl Limits {
    /// The load of neighbour number `neighbour`, as it may be made on `machine`.
    pub fn neighbour(
        &self,
        (neighbour, load): (u32, NeighbourLoad),
        machine: Machine,
    ) -> Result<Asked, Refusal> {
        if !self.allow_neighbour {
            return Err(Refusal {
                reason: "this agent makes no load beside the calls (it was started without --allow-neighbour)".into(),
                hint: "if it may: start it with `milliwatt agent --allow-neighbour`, in another guest of the host under test"
                    .into(),
            });
        }
        let sense = !load.is_empty() && (1..=100).contains(&load.percent);
        if !sense {
            return Err(Refusal {
                reason: "a neighbour's load without sense".into(),
                hint: "put the same milliwatt on both machines".into(),
            });
        }
        check_processors(load.cores, machine)?;
        check_memory(load.memory_octets, machine)?;
        let file_octets = self.max_disk.min(FILE_MAX);
        if load.disk_octets_per_second > 0 && file_octets < FILE_MIN {
            let (asked, allowed) = (FILE_MIN / 1_000_000, self.max_disk / 1_000_000);
            let asked =
                format!("a file of {asked} MB at least asked, {allowed} MB of disk allowed");
            return Err(larger(asked, "--max-disk"));
        }
        Ok(Asked {
            neighbour,
            load,
            file_octets,
            longest: self.max_duration,
        })
    }
}

fn check_processors(asked: u32, machine: Machine) -> Result<(), Refusal> {
    if asked <= machine.cores {
        return Ok(());
    }
    Err(Refusal {
        reason: format!(
            "load on {asked} processors asked, this machine has {}",
            machine.cores
        ),
        hint: "ask for fewer (neighbour.N.cores), or name more neighbours".into(),
    })
}

/// More than half of what is free could end in the system ending programs.
fn check_memory(asked: u64, machine: Machine) -> Result<(), Refusal> {
    let Some(allowed) = machine.memory_free.map(|free| free / 2) else {
        return Ok(());
    };
    if asked <= allowed {
        return Ok(());
    }
    let mb = |octets: u64| octets / 1_000_000;
    Err(Refusal {
        reason: format!(
            "{} MB of memory asked, half of what is free is {} MB",
            mb(asked),
            mb(allowed)
        ),
        hint: "ask for less (neighbour.N.memory), or give the machine more".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::limits;
    use super::*;

    const MACHINE: Machine = Machine {
        cores: 4,
        memory_free: Some(4_000_000_000),
    };

    fn load() -> NeighbourLoad {
        NeighbourLoad {
            cores: 4,
            percent: 95,
            memory_octets: 2_000_000_000,
            disk_octets_per_second: 100_000_000,
            network_bits_per_second: 200_000_000,
        }
    }

    fn willing() -> Limits {
        Limits {
            allow_neighbour: true,
            ..limits()
        }
    }

    fn refusal(limits: &Limits, load: NeighbourLoad) -> String {
        match limits.neighbour((1, load), MACHINE) {
            Ok(_) => "taken".into(),
            Err(Refusal { reason, hint }) => format!("{reason}; {hint}"),
        }
    }

    #[test]
    fn an_agent_without_leave_makes_no_load_and_says_which_flag_gives_it() {
        let said = refusal(&limits(), load());
        assert!(
            said.contains("`milliwatt agent --allow-neighbour`"),
            "{said}"
        );
    }

    #[test]
    fn a_load_within_bounds_is_taken_with_a_file_of_a_gibibyte_and_the_agents_time() {
        let asked = willing().neighbour((3, load()), MACHINE).unwrap();
        assert_eq!((asked.neighbour, asked.file_octets), (3, 1 << 30));
        assert_eq!(asked.longest, limits().max_duration);
        let small = Limits {
            max_disk: 500_000_000,
            ..willing()
        };
        let asked = small.neighbour((1, load()), MACHINE).unwrap();
        assert_eq!(asked.file_octets, 500_000_000);
    }

    #[test]
    fn what_the_machine_does_not_have_is_refused() {
        let with = |change: fn(&mut NeighbourLoad)| {
            let mut load = load();
            change(&mut load);
            refusal(&willing(), load)
        };
        let said = with(|load| load.cores = 5);
        assert!(
            said.contains("5 processors asked, this machine has 4"),
            "{said}"
        );
        let said = with(|load| load.memory_octets = 2_000_000_001);
        assert!(said.contains("half of what is free is 2000 MB"), "{said}");
        assert!(with(|load| load.percent = 101).contains("without sense"));
        let nothing = NeighbourLoad {
            percent: 100,
            ..NeighbourLoad::default()
        };
        assert!(refusal(&willing(), nothing).contains("without sense"));
        let full = Limits {
            max_disk: 1_000_000,
            ..willing()
        };
        assert!(refusal(&full, load()).contains("--max-disk"));
    }
}
