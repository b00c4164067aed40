//! What SIP messages in a capture say of its media: which payload types mean what at which address (SDP, RFC 8866,
//! RFC 3264), and which addresses belong to one call. Tolerant: a body that is cut short tells what is left of it.

use super::codec::Clock;
use super::packet::Content;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// Calls and addresses that are remembered; beyond, no more are learnt.
const CALLS_MAX: usize = 100_000;

/// A payload type of SDP (`a=rtpmap`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// Number.
    pub payload_type: u8,
    /// Encoding name, as written.
    pub name: String,
    /// RTP clock, Hz.
    pub clock_rate: u32,
}

/// What is to be received at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Its payload types.
    pub mapped: Vec<Mapped>,
    /// Index of the call.
    pub call: usize,
}

/// A call by its Call-ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipCall {
    /// Caller and callee as their headers have them, numbers masked.
    pub parties: (String, String),
}

/// All that SIP told so far.
#[derive(Debug, Default)]
pub struct Signalling {
    by_call_id: HashMap<Vec<u8>, usize>,
    calls: Vec<SipCall>,
    media: HashMap<SocketAddr, Media>,
}

impl Signalling {
    /// Takes a message.
    pub fn take(&mut self, message: &[u8]) {
        let text = String::from_utf8_lossy(message);
        let (head, body) = text
            .split_once("\r\n\r\n")
            .or_else(|| text.split_once("\n\n"))
            .unwrap_or((&text, ""));
        let Some(call) = self.call(head) else { return };
        if body.contains("m=") {
            self.learn(body, call);
        }
    }

    fn call(&mut self, head: &str) -> Option<usize> {
        let id = header(head, "call-id", "i")?.as_bytes();
        if let Some(known) = self.by_call_id.get(id) {
            return Some(*known);
        }
        if self.calls.len() >= CALLS_MAX {
            return None;
        }
        let party = |long, short| header(head, long, short).map_or_else(String::new, masked_party);
        self.calls.push(SipCall {
            parties: (party("from", "f"), party("to", "t")),
        });
        self.by_call_id.insert(id.to_vec(), self.calls.len() - 1);
        Some(self.calls.len() - 1)
    }

    fn learn(&mut self, body: &str, call: usize) {
        let mut address: Option<IpAddr> = None;
        let mut open: Option<(u16, Option<IpAddr>, Vec<Mapped>)> = None;
        for line in body.lines().map(str::trim) {
            if let Some(connection) = line.strip_prefix("c=") {
                let found = connection.split_whitespace().nth(2);
                let found = found.and_then(|word| word.split('/').next()?.parse().ok());
                match &mut open {
                    Some((_, of_media, _)) => *of_media = found,
                    None => address = found,
                }
            } else if let Some(media) = line.strip_prefix("m=") {
                self.keep(open.take(), address, call);
                let port = media.split_whitespace().nth(1);
                let port = port.and_then(|word| word.split('/').next()?.parse().ok());
                open = port.map(|port| (port, None, Vec::new()));
            } else if let (Some(mapped), Some((_, _, list))) =
                (line.strip_prefix("a=rtpmap:"), &mut open)
            {
                list.extend(rtpmap(mapped));
            }
        }
        self.keep(open, address, call);
    }

    fn keep(
        &mut self,
        media: Option<(u16, Option<IpAddr>, Vec<Mapped>)>,
        session: Option<IpAddr>,
        call: usize,
    ) {
        let Some((port, own, mapped)) = media.filter(|(port, ..)| *port > 0) else {
            return;
        };
        let Some(address) = own.or(session) else {
            return;
        };
        if self.media.len() < CALLS_MAX {
            self.media
                .insert(SocketAddr::new(address, port), Media { mapped, call });
        }
    }

    /// What is to be received at an address, when SIP told.
    #[must_use]
    pub fn media_at(&self, address: SocketAddr) -> Option<&Media> {
        self.media.get(&address)
    }

    /// All calls.
    #[must_use]
    pub fn calls(&self) -> &[SipCall] {
        &self.calls
    }
}

impl Media {
    /// What a payload type is mapped to.
    #[must_use]
    pub fn mapped(&self, payload_type: u8) -> Option<&Mapped> {
        self.mapped
            .iter()
            .find(|mapped| mapped.payload_type == payload_type)
    }
}

impl Mapped {
    /// What its packets carry, as far as timing goes.
    #[must_use]
    pub fn content(&self) -> Content {
        match self.name.to_ascii_lowercase().as_str() {
            "telephone-event" | "tone" => Content::Event,
            "cn" => Content::Noise,
            _ => Content::Media,
        }
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock {
            rate: self.clock_rate,
            from: "sdp",
        }
    }
}

/// `97 opus/48000/2`.
fn rtpmap(text: &str) -> Option<Mapped> {
    let (payload_type, encoding) = text.trim().split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    Some(Mapped {
        payload_type: payload_type.parse().ok().filter(|number| *number < 128)?,
        name: parts.next()?.chars().take(32).collect(),
        clock_rate: parts
            .next()?
            .trim()
            .parse()
            .ok()
            .filter(|rate| (1..=1_000_000).contains(rate))?,
    })
}

/// The value of the first header of this name, long or short.
fn header<'t>(head: &'t str, long: &str, short: &str) -> Option<&'t str> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim();
        (name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short)).then(|| value.trim())
    })
}

/// The address of a From or To header without its parameters; of each run of more than four digits, which may be a
/// telephone number, the last two are left. Addresses of hosts stay.
fn masked_party(value: &str) -> String {
    let uri = value.split_once('<').map_or(value, |(_, rest)| rest);
    let uri = uri.split(['>', ';']).next().unwrap_or_default();
    let (user, host) = uri
        .split_once('@')
        .map_or((uri, ""), |(user, host)| (user, host));
    let user = user.rsplit(':').next().unwrap_or_default();
    let mut masked: String = masked(user).chars().take(64).collect();
    if !host.is_empty() {
        masked.push('@');
        masked.extend(host.chars().take(64));
    }
    masked
}

fn masked(user: &str) -> String {
    let mut text = String::new();
    let mut digits = String::new();
    for letter in user.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        let hidden = if digits.len() > 4 {
            digits.len() - 2
        } else {
            0
        };
        text.extend(std::iter::repeat_n('*', hidden));
        text.push_str(&digits[hidden..]);
        digits.clear();
        if letter != '\0' {
            text.push(letter);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INVITE: &str = "INVITE sip:+15551234567@192.0.2.2 SIP/2.0\r\nFrom: \"Ann\" <sip:+15557654321@192.0.2.1:5060>;tag=1\r\n\
        t: <sip:reception@example.com>\r\nCall-ID: a@b\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 20000 RTP/AVP 97 101 13\r\na=rtpmap:97 opus/48000/2\r\na=rtpmap:101 telephone-event/48000\r\n\
        m=audio 30000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\nm=video 0 RTP/AVP 99\r\n";

    #[test]
    fn media_is_known_by_address_and_port() {
        let mut signalling = Signalling::default();
        signalling.take(INVITE.as_bytes());
        let media = signalling
            .media_at("192.0.2.1:20000".parse().unwrap())
            .unwrap();
        let opus = media.mapped(97).unwrap();
        assert_eq!(
            (opus.name.as_str(), opus.clock_rate, opus.content()),
            ("opus", 48_000, Content::Media)
        );
        assert_eq!(media.mapped(101).unwrap().content(), Content::Event);
        assert!(media.mapped(13).is_none(), "it is static");
        assert!(
            signalling
                .media_at("192.0.2.9:30000".parse().unwrap())
                .is_some(),
            "its own address"
        );
        assert!(
            signalling
                .media_at("192.0.2.1:0".parse().unwrap())
                .is_none(),
            "refused media"
        );
    }

    #[test]
    fn an_answer_belongs_to_its_call_and_numbers_are_masked() {
        let mut signalling = Signalling::default();
        signalling.take(INVITE.as_bytes());
        signalling.take(b"SIP/2.0 200 OK\nFrom: x\nTo: y\nCALL-ID: a@b\n\nc=IN IP4 192.0.2.2\nm=audio 40000 RTP/AVP 0\n");
        let answered = signalling
            .media_at("192.0.2.2:40000".parse().unwrap())
            .unwrap();
        assert_eq!((answered.call, signalling.calls().len()), (0, 1));
        let parties = &signalling.calls()[0].parties;
        assert_eq!(parties.0, "+*********21@192.0.2.1:5060");
        assert_eq!(parties.1, "reception@example.com");
        assert_eq!(masked("room1234x98765"), "room1234x***65");
    }

    #[test]
    fn a_body_cut_short_tells_what_is_left_of_it() {
        let mut signalling = Signalling::default();
        let cut = INVITE.find("opus/480").unwrap() + 8;
        signalling.take(&INVITE.as_bytes()[..cut]);
        let media = signalling
            .media_at("192.0.2.1:20000".parse().unwrap())
            .unwrap();
        assert_eq!(
            media.mapped(97).map(|opus| opus.clock_rate),
            Some(480),
            "as it stands there"
        );
    }

    proptest! {
        #[test]
        fn no_message_makes_it_panic(place in 0_usize..600, octets in prop::collection::vec(any::<u8>(), 0..8)) {
            let mut message = INVITE.as_bytes().to_vec();
            let place = place.min(message.len());
            message.splice(place..place, octets);
            let mut signalling = Signalling::default();
            signalling.take(&message);
            signalling.take(&message[..place]);
        }
    }
}
