//! What a host is: facts for `environment.json`.

use super::interface_of;
use milliwatt_wire::clock::boot_id;
use procfs::{CpuInfo, Current, Meminfo};
use std::fs;
use std::net::IpAddr;

/// What is known of this machine, (name, value); what is not known is left out.
/// `interface_address` chooses the network interface that is described.
#[must_use]
pub fn environment(interface_address: Option<IpAddr>) -> Vec<(String, String)> {
    let cpu = CpuInfo::current().ok();
    let memory = Meminfo::current()
        .ok()
        .map(|memory| memory.mem_total.to_string());
    let facts = [
        ("milliwatt", Some(env!("CARGO_PKG_VERSION").to_owned())),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        (
            "cpu_model",
            cpu.as_ref()
                .and_then(|cpu| cpu.model_name(0).map(str::to_owned)),
        ),
        (
            "cpu_count",
            cpu.as_ref().map(|cpu| cpu.num_cores().to_string()),
        ),
        ("memory_octets", memory),
        ("hypervisor_flag", cpu.as_ref().and_then(hypervisor_flag)),
        ("system_vendor", read("/sys/class/dmi/id/sys_vendor")),
        ("system_product", read("/sys/class/dmi/id/product_name")),
        (
            "clocksource",
            read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        ),
        ("boot_id", boot_id()),
    ];
    let nic = interface_address.and_then(interface_of);
    let all = facts.into_iter().chain(nic.into_iter().flat_map(nic_facts));
    all.filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// Whether the processor says that it is virtual (CPUID leaf 1, ECX bit 31): other architectures
/// have no such flag and say nothing.
fn hypervisor_flag(cpu: &CpuInfo) -> Option<String> {
    Some(cpu.flags(0)?.contains(&"hypervisor").to_string())
}

fn nic_facts(name: String) -> [(&'static str, Option<String>); 3] {
    let driver = fs::read_link(format!("/sys/class/net/{name}/device/driver")).ok();
    let driver = driver.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let mtu = read(&format!("/sys/class/net/{name}/mtu"));
    [
        ("nic", Some(name)),
        ("nic_driver", driver),
        ("nic_mtu", mtu),
    ]
}

fn read(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
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
        assert_eq!(value("nic_driver"), None, "lo has no driver");
        for name in ["kernel", "cpu_count", "memory_octets", "boot_id"] {
            assert!(value(name).is_some(), "{name} in {facts:?}");
        }
        assert!(facts.iter().all(|(_, value)| !value.is_empty()));
    }

    #[test]
    fn an_address_that_nobody_holds_describes_no_interface() {
        let facts = environment(Some(IpAddr::from([192, 0, 2, 1])));
        assert!(facts.iter().all(|(name, _)| !name.starts_with("nic")));
    }
}
