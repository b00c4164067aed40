//! SIP messages with SDP, as captures hold them, one behind the other between zero octets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt::analyze::signalling::Signalling;

fuzz_target!(|octets: &[u8]| {
    let mut signalling = Signalling::default();
    let mut messages = 0;
    for message in octets.split(|octet| *octet == 0) {
        signalling.take(message);
        messages += 1;
    }
    assert!(signalling.calls().len() <= messages);
    if let Some(media) = signalling.media_at(([192, 0, 2, 1], 20_000).into()) {
        assert!(media.call < signalling.calls().len());
        for mapped in &media.mapped {
            assert!(mapped.payload_type < 128 && mapped.clock().rate > 0);
        }
    }
});
