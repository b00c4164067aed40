//! Scenario files: refused in words, or made into a plan that its own text makes again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt::exit::{ExitCode, Failure};
use milliwatt::scenario::value::PortRange;
use milliwatt::scenario::{Plan, Request, resolve};

fuzz_target!(|text: &str| {
    match plan_of(text) {
        Ok(plan) => assert_eq!(plan_of(&plan.text).as_ref(), Ok(&plan)),
        Err(failure) => assert_eq!(failure.exit, ExitCode::Usage, "{failure}"),
    }
});

/// Scenarios are read from files.
fn plan_of(text: &str) -> Result<Plan, Failure> {
    let name = format!("milliwatt-fuzz-{}.toml", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).expect("the temporary folder can be written to");
    resolve(&Request {
        scenario: path.to_str().expect("a path in ASCII"),
        set: &[],
        full_for: None,
        media_ports: PortRange::MEDIA,
    })
}
