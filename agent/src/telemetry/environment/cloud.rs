//! Which virtual machine this is and on which host, where the hypervisor's tools or the cloud's metadata service say so.

use super::machine::Dmi;
use super::program::output;
use super::{Fact, stated};
use crate::http;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Hyper-V's data exchange, host to guest.
const KVP_POOL: &str = "/var/lib/hyperv/.kvp_pool_3";
/// `struct kvp_record`: a key and a value, each padded with zeros.
const KVP_KEY: usize = 512;
const KVP_VALUE: usize = 2048;

/// The asset tag of every machine in Azure.
const AZURE_TAG: &str = "7783-7084-3265-9085-8269-3286-77";
/// The metadata service: link-local, answered by the host itself.
const METADATA: ([u8; 4], u16) = ([169, 254, 169, 254], 80);
const METADATA_HOST: &str = "169.254.169.254";
const METADATA_PATIENCE: Duration = Duration::from_millis(300);

pub(super) fn facts(dmi: &Dmi) -> Vec<Fact> {
    let mut facts = kvp_facts();
    let is = |named: &Option<String>, word: &str| {
        named.as_deref().is_some_and(|text| text.contains(word))
    };
    if is(&dmi.vendor, "VMware") || is(&dmi.product, "VMware") {
        facts.extend(vmware_facts());
    }
    if dmi.asset_tag.as_deref() == Some(AZURE_TAG) {
        facts.extend(azure_facts(&ask_azure().unwrap_or_default()));
    }
    facts
}

/// By Hyper-V's data exchange.
pub(super) fn kvp_facts() -> Vec<Fact> {
    let pool = std::fs::read(KVP_POOL).unwrap_or_default();
    let of = |key: &str| kvp_value(&pool, key);
    let host_os = of("HostingSystemOsMajor").zip(of("HostingSystemOsMinor"));
    vec![
        ("vm_name", of("VirtualMachineName")),
        ("vm_id", of("VirtualMachineId")),
        (
            "host_name",
            of("PhysicalHostNameFullyQualified").or_else(|| of("HostName")),
        ),
        (
            "host_os",
            host_os.map(|(major, minor)| format!("Windows {major}.{minor}")),
        ),
    ]
}

/// The value of a key in a pool.
fn kvp_value(pool: &[u8], key: &str) -> Option<String> {
    let text = |octets: &[u8]| {
        let end = octets
            .iter()
            .position(|octet| *octet == 0)
            .unwrap_or(octets.len());
        String::from_utf8_lossy(&octets[..end]).into_owned()
    };
    let mut records = pool
        .chunks_exact(KVP_KEY + KVP_VALUE)
        .map(|record| record.split_at(KVP_KEY));
    let (_, value) = records.find(|(name, _)| text(name) == key)?;
    stated(&text(value))
}

/// By `vmware-toolbox-cmd`.
fn vmware_facts() -> Vec<Fact> {
    let ask = |args: &[&str]| {
        output("vmware-toolbox-cmd", args)
            .as_deref()
            .and_then(stated)
    };
    vec![
        ("vmware_tools", ask(&["-v"])),
        ("vmware_host_cpu", ask(&["stat", "speed"])),
    ]
}

/// The answer of Azure's instance metadata service.
fn ask_azure() -> Option<String> {
    let address = SocketAddr::from(METADATA);
    let mut stream = TcpStream::connect_timeout(&address, METADATA_PATIENCE).ok()?;
    stream.set_read_timeout(Some(METADATA_PATIENCE)).ok()?;
    stream.set_write_timeout(Some(METADATA_PATIENCE)).ok()?;
    let path = "/metadata/instance/compute?api-version=2021-02-01&format=json";
    let request = http::request(METADATA_HOST, path);
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream
        .take(http::ANSWER_MAX as u64)
        .read_to_end(&mut answer)
        .ok()?;
    let body = http::body(&answer).ok()?;
    String::from_utf8(body).ok()
}

fn azure_facts(body: &str) -> Vec<Fact> {
    vec![
        ("vm_name", json_text(body, "name")),
        ("vm_id", json_text(body, "vmId")),
        ("vm_size", json_text(body, "vmSize")),
        ("vm_location", json_text(body, "location")),
    ]
}

/// The first text of this name in a JSON document without escapes, as the metadata service writes names and sizes.
fn json_text(document: &str, name: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("\"{name}\":"))?;
    let (value, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    stated(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, value: &str) -> Vec<u8> {
        let mut record = key.as_bytes().to_vec();
        record.resize(KVP_KEY, 0);
        record.extend(value.as_bytes());
        record.resize(KVP_KEY + KVP_VALUE, 0);
        record
    }

    #[test]
    fn a_pool_of_hyper_v_names_the_host_and_the_machine() {
        let pool = [
            record("HostName", "HV07.example.net"),
            record("VirtualMachineName", "media-3"),
            record("Empty", ""),
        ]
        .concat();
        assert_eq!(
            kvp_value(&pool, "HostName").as_deref(),
            Some("HV07.example.net")
        );
        assert_eq!(
            kvp_value(&pool, "VirtualMachineName").as_deref(),
            Some("media-3")
        );
        assert_eq!(kvp_value(&pool, "Empty"), None);
        assert_eq!(
            kvp_value(&pool[..pool.len() - 1], "Empty"),
            None,
            "a record that is cut"
        );
        assert_eq!(kvp_value(&[], "HostName"), None);
    }

    #[test]
    fn azure_s_metadata_names_machine_size_and_place() {
        let body = r#"{"azEnvironment":"AzurePublicCloud","location":"westeurope","name":"media-3","osProfile":{"adminUsername":"admin"},"vmId":"02aab8a4-74ef-476e-8182-f6d2ba4166a6","vmSize":"Standard_D3_v2"}"#;
        let facts = azure_facts(body);
        let value = |name: &str| facts.iter().find(|(n, _)| *n == name).unwrap().1.as_deref();
        assert_eq!(value("vm_name"), Some("media-3"));
        assert_eq!(value("vm_id"), Some("02aab8a4-74ef-476e-8182-f6d2ba4166a6"));
        assert_eq!(value("vm_size"), Some("Standard_D3_v2"));
        assert_eq!(value("vm_location"), Some("westeurope"));
        assert!(azure_facts("").iter().all(|(_, value)| value.is_none()));
    }
}
