//! The command `milliwatt`: see the library for what it does.

fn main() -> std::process::ExitCode {
    milliwatt::main()
}
