//! The network interface: sysfs, and ethtool(8) where it is installed.

use super::program::output;
use super::{Fact, read, stated};
use std::fs;

pub(super) fn facts(name: &str) -> Vec<Fact> {
    let of = |file: &str| read(&format!("/sys/class/net/{name}/{file}"));
    let driver = fs::read_link(format!("/sys/class/net/{name}/device/driver")).ok();
    let driver = driver.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let ethtool = |option: &str| output("ethtool", &[option, name]);
    let about = ethtool("-i");
    let about = |field: &str| about.as_deref().and_then(|text| field_of(text, field));
    vec![
        ("nic", Some(name.to_owned())),
        ("nic_driver", driver.or_else(|| about("driver"))),
        ("nic_driver_version", about("version")),
        ("nic_firmware", about("firmware-version")),
        ("nic_mac", mac(name)),
        ("nic_mtu", of("mtu")),
        // -1 where there is no link, or none that has a speed.
        (
            "nic_speed_mbps",
            of("speed").filter(|speed| !speed.starts_with('-')),
        ),
        (
            "nic_duplex",
            of("duplex").filter(|duplex| duplex != "unknown"),
        ),
        ("nic_queues", queues(name)),
        (
            "nic_channels",
            ethtool("-l").as_deref().and_then(channels_of),
        ),
        (
            "nic_offloads",
            ethtool("-k").as_deref().and_then(offloads_of),
        ),
    ]
}

/// Its address.
pub(super) fn mac(name: &str) -> Option<String> {
    read(&format!("/sys/class/net/{name}/address"))
}

/// Queues each way, as the system has them.
fn queues(name: &str) -> Option<String> {
    let entries = fs::read_dir(format!("/sys/class/net/{name}/queues")).ok()?;
    let names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    let count = |way: &str| names.iter().filter(|name| name.starts_with(way)).count();
    Some(format!("{} receive, {} send", count("rx-"), count("tx-")))
}

/// A field of `ethtool -i`.
fn field_of(text: &str, field: &str) -> Option<String> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(name, _)| name.trim() == field)?;
    stated(value).filter(|value| value != "N/A")
}

/// The channels in use of `ethtool -l`, those that there are none of left out.
fn channels_of(text: &str) -> Option<String> {
    let (_, current) = text.split_once("Current hardware settings:")?;
    let used = current.lines().filter_map(|line| {
        let (name, count) = line.split_once(':')?;
        let (name, count) = (name.trim(), count.trim());
        (!matches!(count, "n/a" | "0" | "")).then(|| format!("{count} {}", name.to_lowercase()))
    });
    stated(&used.collect::<Vec<_>>().join(", "))
}

/// The features that `ethtool -k` says are on.
fn offloads_of(text: &str) -> Option<String> {
    let on = text.lines().filter_map(|line| {
        let (name, state) = line.split_once(':')?;
        (state.split_whitespace().next() == Some("on")).then(|| name.trim())
    });
    stated(&on.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_s_version_is_told_and_an_empty_firmware_is_not() {
        let text =
            "driver: virtio_net\nversion: 1.0.0\nfirmware-version: \nbus-info: 0000:00:03.0\n";
        assert_eq!(field_of(text, "version").as_deref(), Some("1.0.0"));
        assert_eq!(field_of(text, "firmware-version"), None);
        assert_eq!(
            field_of("firmware-version: N/A\n", "firmware-version"),
            None
        );
        assert_eq!(field_of("", "driver"), None);
    }

    #[test]
    fn channels_are_those_in_use_and_not_those_there_could_be() {
        let text = "Channel parameters for eth0:\nPre-set maximums:\nRX:\t\tn/a\nCombined:\t8\n\
                    Current hardware settings:\nRX:\t\tn/a\nTX:\t\tn/a\nOther:\t\t0\nCombined:\t4\n";
        assert_eq!(channels_of(text).as_deref(), Some("4 combined"));
        assert_eq!(channels_of("netlink error: Operation not supported"), None);
    }

    #[test]
    fn offloads_are_those_that_are_on() {
        let text = "Features for eth0:\nrx-checksumming: on [fixed]\ntx-checksumming: on\n\
                    \ttx-checksum-ipv4: off [fixed]\ngeneric-receive-offload: on\nlarge-receive-offload: off\n";
        assert_eq!(
            offloads_of(text).as_deref(),
            Some("rx-checksumming tx-checksumming generic-receive-offload")
        );
        assert_eq!(offloads_of("Cannot get device feature names"), None);
    }
}
