//! What a machine is: facts for `environment.json`. What cannot be learned is left out here and null there.
//!
//! Most is read from files; [`program`] asks programs where they are installed, each for a bounded time, and [`cloud`] the
//! metadata service where the firmware says that there is one.

mod clock;
mod cloud;
mod machine;
mod nic;
mod program;
mod watch;

pub use watch::EnvironmentWatch;

use super::interface_of;
use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;

/// A fact: its name and, where it is known, its value.
pub(super) type Fact = (&'static str, Option<String>);

/// Every name there is.
pub const NAMES: [&str; 41] = [
    "milliwatt",
    "milliwatt_sha256",
    "os",
    "kernel",
    "boot_id",
    "cpu_model",
    "cpu_count",
    "cpu_signature",
    "memory_octets",
    "hypervisor_flag",
    "hypervisor",
    "system_vendor",
    "system_product",
    "system_version",
    "system_serial",
    "system_uuid",
    "bios_version",
    "chassis_asset_tag",
    "vm_name",
    "vm_id",
    "vm_size",
    "vm_location",
    "host_name",
    "host_os",
    "vmware_tools",
    "vmware_host_cpu",
    "clocksource",
    "clocksources",
    "clock_synchronised",
    "clock_reference",
    "nic",
    "nic_driver",
    "nic_driver_version",
    "nic_firmware",
    "nic_mac",
    "nic_mtu",
    "nic_speed_mbps",
    "nic_duplex",
    "nic_queues",
    "nic_channels",
    "nic_offloads",
];

/// What must stay as it was while a guest is moved or disturbed: licences are bound to it, and clocks depend on it.
pub const IDENTITY: [&str; 8] = [
    "boot_id",
    "cpu_signature",
    "hypervisor",
    "system_serial",
    "system_uuid",
    "host_name",
    "clocksource",
    "nic_mac",
];

/// Reads now what [`environment`] takes longest to read and remembers.
pub(crate) fn prepare() {
    machine::own_hash();
}

/// What is known of this machine, (name, value); what is not known is left out. `interface_address` chooses the network
/// interface that is described. Asks programs and services: may take a second.
#[must_use]
pub fn environment(interface_address: Option<IpAddr>) -> Vec<(String, String)> {
    whole(interface_address.and_then(interface_of).as_deref())
}

/// The same, of an interface by its name.
pub(super) fn whole(interface: Option<&str>) -> Vec<(String, String)> {
    let dmi = machine::Dmi::read();
    let nic = interface.into_iter().flat_map(nic::facts);
    let clock = clock::facts();
    let cloud = cloud::facts(&dmi);
    known(
        machine::facts(&dmi)
            .into_iter()
            .chain(clock)
            .chain(cloud)
            .chain(nic),
    )
}

/// What of [`IDENTITY`] can be read from files at once.
fn identity(interface: Option<&str>) -> Vec<(String, String)> {
    let dmi = machine::Dmi::read();
    let nic = interface.map(|name| ("nic_mac", nic::mac(name)));
    let all = machine::facts(&dmi)
        .into_iter()
        .chain(cloud::kvp_facts())
        .chain([("clocksource", clock::source())])
        .chain(nic);
    known(all.filter(|(name, _)| IDENTITY.contains(name)))
}

fn known(facts: impl Iterator<Item = Fact>) -> Vec<(String, String)> {
    let mut all: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in facts {
        if let Some(value) = value {
            all.entry(name).or_insert(value);
        }
    }
    let in_order = NAMES.into_iter();
    in_order
        .filter_map(|name| Some((name.to_owned(), all.remove(name)?)))
        .collect()
}

/// Every name, those without a value too.
#[must_use]
pub fn with_unknown(values: &[(String, String)]) -> BTreeMap<String, Option<String>> {
    let unknown = NAMES.iter().map(|name| ((*name).to_owned(), None));
    let known = values
        .iter()
        .map(|(name, value)| (name.clone(), Some(value.clone())));
    unknown.chain(known).collect()
}

/// A file of one value; none where it is empty or cannot be read.
fn read(path: &str) -> Option<String> {
    stated(&fs::read_to_string(path).ok()?)
}

/// A text that says something.
fn stated(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_linux_tells_is_there_and_nothing_is_empty() {
        let facts = environment(Some(IpAddr::from([127, 0, 0, 1])));
        let value = |name: &str| {
            facts
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(value("milliwatt"), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(value("nic"), Some("lo"));
        assert_eq!(value("nic_mac"), Some("00:00:00:00:00:00"));
        for name in ["kernel", "cpu_count", "memory_octets", "boot_id"] {
            assert!(value(name).is_some(), "{name} in {facts:?}");
        }
        assert_eq!(value("milliwatt_sha256").map(str::len), Some(64));
        assert!(facts.iter().all(|(_, value)| !value.is_empty()));
    }

    #[test]
    fn an_address_that_nobody_holds_describes_no_interface() {
        let facts = environment(Some(IpAddr::from([192, 0, 2, 1])));
        assert!(facts.iter().all(|(name, _)| !name.starts_with("nic")));
    }

    #[test]
    fn each_name_stands_once_and_what_is_watched_is_among_them() {
        let names: std::collections::BTreeSet<&str> = NAMES.into();
        assert_eq!(names.len(), NAMES.len());
        assert!(IDENTITY.iter().all(|name| names.contains(name)));
    }

    #[test]
    fn what_is_not_known_is_named_and_null() {
        let all = with_unknown(&[("kernel".to_owned(), "6.1".to_owned())]);
        assert_eq!(all.len(), NAMES.len());
        assert_eq!(all["kernel"].as_deref(), Some("6.1"));
        assert_eq!(all["vm_id"], None);
    }
}
