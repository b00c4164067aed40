# Shortcuts; each is the plain command.

check:
    cargo fmt --all --check && cargo clippy --release --workspace --all-targets -- -D warnings

test:
    tests/run

long:
    MILLIWATT_LONG=1 tests/run

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps

smoke:
    cargo run --release -- run smoke
