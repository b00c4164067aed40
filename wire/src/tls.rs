//! TLS between tester and agent: version 1.3 only, the agent's self-signed certificate pinned by
//! its fingerprint in place of a certificate authority.

use crate::join::{Fingerprint, hex};
use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring::default_provider, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, ServerConfig,
    SignatureScheme,
};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

/// The name in the certificate. Nothing is decided by it.
const NAME: &str = "milliwatt";

/// Why an identity could not be made, kept, or used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    Generate(#[from] rcgen::Error),
    /// The certificate and key are of no use to TLS.
    #[error("cannot set up TLS 1.3: {0}")]
    Configure(#[from] rustls::Error),
    /// The file.
    #[error("cannot keep the agent's identity in {path}: {source}")]
    File {
        /// Where.
        path: String,
        /// The system's answer.
        source: io::Error,
    },
    /// Its content.
    #[error(
        "{path} does not hold a certificate and a private key in PEM ({source}); \
         remove it to get a new identity (and a new join line)"
    )]
    Pem {
        /// Where.
        path: String,
        /// What the parser says.
        source: rustls::pki_types::pem::Error,
    },
}

/// The agent's certificate and its key.
#[derive(Debug)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// A new one.
    pub fn generate() -> Result<Self, TlsError> {
        Self::from_pem(&generate_pem()?, "the new identity")
    }

    /// The identity kept in the file; made and kept there when there is none yet. The file can be
    /// read by its owner only.
    pub fn load_or_generate(path: &Path) -> Result<Self, TlsError> {
        let name = path.display().to_string();
        let failed = |source| TlsError::File {
            path: name.clone(),
            source,
        };
        let pem = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = generate_pem()?;
                save(path, &pem).map_err(failed)?;
                pem
            }
            read => read.map_err(failed)?,
        };
        Self::from_pem(&pem, &name)
    }

    fn from_pem(pem: &str, path: &str) -> Result<Self, TlsError> {
        let failed = |source| TlsError::Pem {
            path: path.to_owned(),
            source,
        };
        Ok(Self {
            certificate: CertificateDer::from_pem_slice(pem.as_bytes()).map_err(failed)?,
            key: PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(failed)?,
        })
    }

    /// SHA-256 of the certificate's DER form, for the join line.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.certificate)
    }

    /// What the agent accepts connections with.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())?;
        Ok(Arc::new(config))
    }
}

/// What the tester connects with: only to the holder of the certificate with this fingerprint.
pub fn client_config(fingerprint: Fingerprint) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(default_provider());
    let pin = Pin {
        fingerprint,
        provider: Arc::clone(&provider),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pin))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The name to ask an agent for: none (an address is never sent, RFC 6066 section 3), since the
/// fingerprint tells agents apart.
#[must_use]
pub fn server_name() -> ServerName<'static> {
    ServerName::from(IpAddr::from(Ipv4Addr::UNSPECIFIED))
}

/// Certificate and key, one after the other.
fn generate_pem() -> Result<String, rcgen::Error> {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()])?;
    Ok(made.cert.pem() + &made.signing_key.serialize_pem())
}

fn save(path: &Path, pem: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    let mut octets = [0; 32];
    octets.copy_from_slice(digest(&SHA256, certificate).as_ref());
    octets
}

/// The agent showed another certificate than the join line's.
#[derive(Debug, thiserror::Error)]
#[error(
    "the agent's certificate has the fingerprint {found}, the join line says {expected}: \
     another agent answers at this address, or it was given a new identity; take its join line again"
)]
pub struct FingerprintMismatch {
    /// Of the certificate shown, hexadecimal.
    pub found: String,
    /// Of the join line, hexadecimal.
    pub expected: String,
}

/// Accepts one certificate, whatever it says of itself; that its key is there is still proven by
/// the handshake's signature (RFC 8446 section 4.4.3).
#[derive(Debug)]
struct Pin {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = fingerprint(end_entity);
        if found == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        let mismatch = FingerprintMismatch {
            found: hex(&found),
            expected: hex(&self.fingerprint),
        };
        Err(CertificateError::Other(OtherError(Arc::new(mismatch))).into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General(
            "TLS 1.2 is never offered".to_owned(),
        ))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    /// A handshake in memory, then four octets from server to client.
    async fn handshake(server: &ServerConfig, client: Arc<ClientConfig>) -> io::Result<[u8; 4]> {
        let (near, far) = duplex(16_384);
        let acceptor = TlsAcceptor::from(Arc::new(server.clone()));
        let serve = async {
            let mut stream = acceptor.accept(far).await?;
            stream.write_all(b"mW 1").await?;
            stream.flush().await
        };
        let connect = async {
            let mut stream = TlsConnector::from(client)
                .connect(server_name(), near)
                .await?;
            let mut octets = [0; 4];
            stream.read_exact(&mut octets).await.map(|_| octets)
        };
        let (_served, read) = tokio::join!(serve, connect);
        read
    }

    #[tokio::test]
    async fn the_pinned_certificate_is_accepted() {
        let identity = Identity::generate().unwrap();
        let client = client_config(identity.fingerprint()).unwrap();
        let octets = handshake(&identity.server_config().unwrap(), client).await;
        assert_eq!(octets.unwrap(), *b"mW 1");
    }

    #[tokio::test]
    async fn any_other_certificate_is_refused_and_both_fingerprints_are_named() {
        let (identity, other) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let client = client_config(other.fingerprint()).unwrap();
        let error = handshake(&identity.server_config().unwrap(), client)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(&hex(&identity.fingerprint())), "{error}");
        assert!(error.contains(&hex(&other.fingerprint())), "{error}");
    }

    #[tokio::test]
    async fn the_right_certificate_without_its_key_is_refused() {
        let (identity, thief) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let provider = default_provider();
        let key = provider
            .key_provider
            .load_private_key(thief.key.clone_key())
            .unwrap();
        // `with_single_cert` would notice that key and certificate differ.
        let stolen = rustls::sign::CertifiedKey::new(vec![identity.certificate.clone()], key);
        let server = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(stolen)));
        let error = handshake(&server, client_config(identity.fingerprint()).unwrap())
            .await
            .unwrap_err();
        assert!(error.to_string().contains("BadSignature"), "{error}");
    }

    #[test]
    fn an_identity_is_kept_in_a_file_of_its_owner_and_found_again() {
        let path = std::env::temp_dir().join(format!("milliwatt-identity-{}", std::process::id()));
        let first = Identity::load_or_generate(&path).unwrap();
        let again = Identity::load_or_generate(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        std::fs::write(&path, "not PEM").unwrap();
        let error = Identity::load_or_generate(&path).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(mode & 0o777, 0o600);
        assert!(error.contains("remove it to get a new identity"), "{error}");
    }
}
