//! The join line: the one word that tells a tester where the agent is and how to know it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// What a join line starts with: its format's name and version.
const PREFIX: &str = "milliwatt1:";

/// SHA-256 of a certificate's DER form.
pub type Fingerprint = [u8; 32];

/// Where an agent is, its certificate, and the secret that proves the tester:
/// `milliwatt1:ADDR[,ADDR...]#FINGERPRINT#TOKEN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Addresses of its control port, to be tried in order; at least one.
    pub addresses: Vec<SocketAddr>,
    /// Of its certificate.
    pub fingerprint: Fingerprint,
    /// Sent inside TLS; visible ASCII without `#`.
    pub token: String,
}

/// What is wrong with a join line.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Another format, or not a join line.
    #[error(
        "not a join line: it starts with {found:?}, expected \"milliwatt1:\"; give the line that \
         `milliwatt agent` prints, or a file that holds it"
    )]
    Prefix {
        /// How it starts.
        found: String,
    },
    /// Not three parts.
    #[error("join line: {found} parts separated by '#', expected 3: addresses, fingerprint, token")]
    Parts {
        /// How many.
        found: usize,
    },
    /// One of the addresses.
    #[error(
        "join line: address {found:?} is not IP:PORT; expected 192.0.2.7:5000 or [2001:db8::7]:5000"
    )]
    Address {
        /// As written.
        found: String,
    },
    /// The fingerprint.
    #[error(
        "join line: the fingerprint must be 64 hexadecimal digits (SHA-256 of the agent's certificate), \
         found {found:?}"
    )]
    Fingerprint {
        /// As written.
        found: String,
    },
    /// The token; not shown, since it is a secret.
    #[error(
        "join line: the token must be one or more visible ASCII characters; was the line cut when it was copied?"
    )]
    Token,
    /// The file.
    #[error(
        "cannot read a join line from {path}: {source}; give the line itself or a file that holds it"
    )]
    File {
        /// As given.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl Join {
    /// The join line itself, or the first line of the file of this name.
    pub fn read(word_or_path: &str) -> Result<Self, JoinError> {
        if word_or_path.contains('#') || word_or_path.starts_with(PREFIX) {
            return word_or_path.parse();
        }
        let failed = |source| JoinError::File {
            path: word_or_path.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(word_or_path).map_err(failed)?;
        text.lines().next().unwrap_or("").parse()
    }
}

impl fmt::Display for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        for (index, address) in self.addresses.iter().enumerate() {
            write!(f, "{}{address}", if index == 0 { "" } else { "," })?;
        }
        write!(f, "#{}#{}", hex(&self.fingerprint), self.token)
    }
}

impl FromStr for Join {
    type Err = JoinError;

    fn from_str(word: &str) -> Result<Self, JoinError> {
        let word = word.trim();
        let Some(rest) = word.strip_prefix(PREFIX) else {
            return Err(JoinError::Prefix {
                found: word.chars().take(PREFIX.len()).collect(),
            });
        };
        let parts: Vec<&str> = rest.split('#').collect();
        let [addresses, fingerprint, token] = parts[..] else {
            return Err(JoinError::Parts { found: parts.len() });
        };
        let addresses = addresses
            .split(',')
            .map(parse_address)
            .collect::<Result<_, _>>()?;
        let fingerprint = unhex(fingerprint).ok_or_else(|| JoinError::Fingerprint {
            found: fingerprint.to_owned(),
        })?;
        if token.is_empty() || !token.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(JoinError::Token);
        }
        Ok(Self {
            addresses,
            fingerprint,
            token: token.to_owned(),
        })
    }
}

fn parse_address(text: &str) -> Result<SocketAddr, JoinError> {
    text.parse().map_err(|_| JoinError::Address {
        found: text.to_owned(),
    })
}

/// A fingerprint in lower-case hexadecimal, for people and for the join line.
#[must_use]
pub fn hex(fingerprint: &Fingerprint) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    fingerprint
        .iter()
        .flat_map(|octet| [digit(octet >> 4), digit(octet & 15)])
        .collect()
}

fn unhex(text: &str) -> Option<Fingerprint> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect::<Option<_>>()?;
    let octets: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    octets.try_into().ok().filter(|_| digits.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIGITS: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    #[test]
    fn a_line_with_both_address_families_is_read_and_written_alike() {
        let line = format!("milliwatt1:192.0.2.7:5000,[2001:db8::7]:5001#{DIGITS}#s3cret");
        let join: Join = line.parse().unwrap();
        assert_eq!(
            join.addresses,
            [
                "192.0.2.7:5000".parse().unwrap(),
                "[2001:db8::7]:5001".parse().unwrap()
            ]
        );
        assert_eq!(join.fingerprint[..3], [0x00, 0x11, 0x22]);
        assert_eq!(join.token, "s3cret");
        assert_eq!(join.to_string(), line);
    }

    #[test]
    fn an_error_names_the_part_that_is_wrong() {
        let text = |line: &str| line.parse::<Join>().unwrap_err().to_string();
        assert!(text("milliwatt2:x#y#z").contains("starts with \"milliwatt2:\""));
        assert!(text(&format!("milliwatt1:192.0.2.7:5000#{DIGITS}")).contains("2 parts"));
        assert!(
            text(&format!("milliwatt1:192.0.2.7#{DIGITS}#t"))
                .contains("\"192.0.2.7\" is not IP:PORT")
        );
        assert!(text(&format!("milliwatt1:[::1]:1,#{DIGITS}#t")).contains("\"\" is not IP:PORT"));
        assert!(text("milliwatt1:[::1]:1#00ff#t").contains("64 hexadecimal digits"));
        assert!(text(&format!("milliwatt1:[::1]:1#{DIGITS}0#t")).contains("64 hexadecimal digits"));
        assert!(text(&format!("milliwatt1:[::1]:1#{DIGITS}#")).contains("token"));
    }

    #[test]
    fn a_file_may_hold_the_line_and_a_missing_one_is_named() {
        let path = std::env::temp_dir().join(format!("milliwatt-join-{}", std::process::id()));
        let line = format!("milliwatt1:192.0.2.7:5000#{DIGITS}#t");
        std::fs::write(&path, format!("{line}\nmore that the agent printed\n")).unwrap();
        let read = Join::read(path.to_str().unwrap());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read.unwrap(), line.parse().unwrap());
        assert_eq!(Join::read(&line).unwrap(), line.parse().unwrap());
        assert!(
            Join::read(path.to_str().unwrap())
                .unwrap_err()
                .to_string()
                .contains("milliwatt-join-")
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ports in prop::collection::vec(any::<([u16; 8], u16)>(), 1..4), fingerprint: [u8; 32], token in "[!-\"$-~]{1,40}") {
            let addresses = ports.into_iter().map(SocketAddr::from).collect();
            let join = Join { addresses, fingerprint, token };
            prop_assert_eq!(join.to_string().parse::<Join>().unwrap(), join);
        }

        #[test]
        fn any_text_is_read_without_panic_and_nothing_is_read_as_something_else(text in "(milliwatt1:)?[\\PC#]*") {
            if let Ok(join) = text.parse::<Join>() {
                prop_assert_eq!(join.to_string().parse::<Join>().unwrap(), join);
            }
        }
    }
}
