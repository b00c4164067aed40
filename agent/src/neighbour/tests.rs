//! The threads of a load that is never on.

use super::*;
use milliwatt_wire::block::BlockReader;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::time::RunTime;

fn asked(load: NeighbourLoad) -> Asked {
    Asked {
        neighbour: 2,
        load,
        file_octets: 1 << 20,
        longest: 3600 * NS_PER_SECOND,
    }
}

/// Stopped before anything was on: it tells so and completes; its file is gone.
#[test]
fn a_load_that_is_stopped_before_it_began_makes_nothing_and_closes_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::create(&folder.path().join("facts")).unwrap());
    let load = NeighbourLoad {
        cores: 2,
        percent: 50,
        memory_octets: 1 << 20,
        disk_octets_per_second: 1 << 20,
        network_bits_per_second: 0,
    };
    let neighbour = Neighbour::start(asked(load), folder.path(), &spool).unwrap();
    assert!(!neighbour.has_started());
    let now = mono_now();
    neighbour.handle(&ToAgent::Start { zero: now }, now);
    assert!(neighbour.has_started());
    neighbour.handle(&ToAgent::Stop { at: RunTime::ZERO }, now);
    neighbour.end();
    assert!(*spool.completed().borrow());
    assert!(!folder.path().join("neighbour.load").exists());
    let told = spool.read(0).unwrap().unwrap_or_default();
    for block in BlockReader::new(told.as_slice()) {
        for fact in block.unwrap().facts {
            let Fact::Neighbour { neighbour: 2, told } = fact else {
                panic!("{fact:?}")
            };
            assert!(!matches!(told, NeighbourFact::Switched { .. }), "{told:?}");
        }
    }
}
