//! The machine: its processor, its firmware's tables (SMBIOS, as `/sys/class/dmi/id` shows them), its system.

use super::{Fact, read, stated};
use milliwatt_wire::clock::boot_id;
use milliwatt_wire::join::{Fingerprint, hex};
use procfs::{CpuInfo, Current, Meminfo};
use ring::digest::{Context, SHA256};
use std::fs::File;
use std::io::{self, Read};
use std::sync::OnceLock;

/// What the firmware says of the machine; most of it only root can read.
#[derive(Clone, Debug, Default)]
pub(super) struct Dmi {
    pub(super) vendor: Option<String>,
    pub(super) product: Option<String>,
    pub(super) version: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) uuid: Option<String>,
    pub(super) bios: Option<String>,
    pub(super) asset_tag: Option<String>,
}

impl Dmi {
    pub(super) fn read() -> Self {
        let of =
            |name: &str| read(&format!("/sys/class/dmi/id/{name}")).filter(|text| text != "None");
        Self {
            vendor: of("sys_vendor"),
            product: of("product_name"),
            version: of("product_version"),
            serial: of("product_serial"),
            uuid: of("product_uuid"),
            bios: of("bios_version"),
            asset_tag: of("chassis_asset_tag"),
        }
    }
}

pub(super) fn facts(dmi: &Dmi) -> Vec<Fact> {
    let cpu = CpuInfo::current().ok();
    let model = |cpu: &CpuInfo| cpu.model_name(0).map(str::to_owned);
    let memory = Meminfo::current().ok();
    vec![
        ("milliwatt", Some(env!("CARGO_PKG_VERSION").to_owned())),
        ("milliwatt_sha256", own_hash().cloned()),
        ("os", read("/etc/os-release").as_deref().and_then(os_of)),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("boot_id", boot_id()),
        ("cpu_model", cpu.as_ref().and_then(model)),
        (
            "cpu_count",
            cpu.as_ref().map(|cpu| cpu.num_cores().to_string()),
        ),
        ("cpu_signature", cpu_signature()),
        (
            "memory_octets",
            memory.map(|memory| memory.mem_total.to_string()),
        ),
        ("hypervisor_flag", cpu.as_ref().and_then(hypervisor_flag)),
        ("hypervisor", hypervisor()),
        ("system_vendor", dmi.vendor.clone()),
        ("system_product", dmi.product.clone()),
        ("system_version", dmi.version.clone()),
        ("system_serial", dmi.serial.clone()),
        ("system_uuid", dmi.uuid.clone()),
        ("bios_version", dmi.bios.clone()),
        ("chassis_asset_tag", dmi.asset_tag.clone()),
    ]
}

/// SHA-256 of the program that runs, in hexadecimal digits; read once.
pub(super) fn own_hash() -> Option<&'static String> {
    static HASH: OnceLock<Option<String>> = OnceLock::new();
    let hash = || sha256(File::open("/proc/self/exe").ok()?).ok();
    HASH.get_or_init(hash).as_ref()
}

/// In pieces: the program with its symbols is larger than all else that an agent keeps in memory.
fn sha256(mut source: impl Read) -> io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut piece = [0; 16 * 1024];
    loop {
        match source.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => context.update(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut hash = Fingerprint::default();
    hash.copy_from_slice(context.finish().as_ref());
    Ok(hex(&hash))
}

/// The name of the system with its version, of os-release(5).
fn os_of(release: &str) -> Option<String> {
    let line = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    stated(line.trim().trim_matches(['"', '\'']))
}

/// Whether the processor says that it is virtual (CPUID leaf 1, ECX bit 31): other architectures
/// have no such flag and say nothing.
fn hypervisor_flag(cpu: &CpuInfo) -> Option<String> {
    Some(cpu.flags(0)?.contains(&"hypervisor").to_string())
}

/// Family, model and stepping as the processor packs them (CPUID leaf 1, EAX), after its maker's name (leaf 0).
#[cfg(target_arch = "x86_64")]
fn cpu_signature() -> Option<String> {
    use core::arch::x86_64::__cpuid;
    let maker = __cpuid(0);
    let name = name_of([maker.ebx, maker.edx, maker.ecx])?;
    Some(format!("{name} 0x{:08x}", __cpuid(1).eax))
}

/// The name that the hypervisor gives itself (CPUID leaf 0x40000000), and whose that is; none on bare metal.
#[cfg(target_arch = "x86_64")]
fn hypervisor() -> Option<String> {
    use core::arch::x86_64::__cpuid;
    let is_virtual = __cpuid(1).ecx >> 31 == 1;
    let leaf = is_virtual.then(|| __cpuid(0x4000_0000))?;
    name_of([leaf.ebx, leaf.ecx, leaf.edx]).map(|name| described(&name))
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_signature() -> Option<String> {
    None
}

#[cfg(not(target_arch = "x86_64"))]
fn hypervisor() -> Option<String> {
    None
}

/// Twelve octets of text in three registers, the lowest first.
#[cfg(any(target_arch = "x86_64", test))]
fn name_of(registers: [u32; 3]) -> Option<String> {
    let octets: Vec<u8> = registers.into_iter().flat_map(u32::to_le_bytes).collect();
    stated(&String::from_utf8_lossy(&octets).replace('\0', " "))
}

/// The name with its product's.
#[cfg(any(target_arch = "x86_64", test))]
fn described(name: &str) -> String {
    let product = match name {
        "VMwareVMware" => "VMware",
        "Microsoft Hv" => "Hyper-V",
        "KVMKVMKVM" => "KVM",
        "TCGTCGTCGTCG" => "QEMU without KVM",
        "XenVMMXenVMM" => "Xen",
        "bhyve bhyve" => "bhyve",
        "prl hyperv" => "Parallels",
        "VBoxVBoxVBox" => "VirtualBox",
        _ => return name.to_owned(),
    };
    format!("{name} ({product})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hypervisor_s_name_lies_in_three_registers() {
        let kvm = [0x4b4d_564b, 0x564b_4d56, 0x0000_004d];
        assert_eq!(name_of(kvm).as_deref(), Some("KVMKVMKVM"));
        assert_eq!(described("KVMKVMKVM"), "KVMKVMKVM (KVM)");
        assert_eq!(described("Somebody"), "Somebody");
        assert_eq!(name_of([0; 3]), None);
    }

    #[test]
    fn the_system_s_name_is_the_pretty_one() {
        let release = "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(
            os_of(release).as_deref(),
            Some("Debian GNU/Linux 12 (bookworm)")
        );
        assert_eq!(os_of("PRETTY_NAME=\"\"\n"), None);
        assert_eq!(os_of("NAME=x"), None);
    }

    /// The example of FIPS 180-2.
    #[test]
    fn sha_256_of_abc() {
        assert_eq!(
            sha256(b"abc".as_slice()).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
