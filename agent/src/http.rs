//! A GET and its answer, as far as an endpoint beside the machine needs it (RFC 9110, RFC 9112).

/// Octets of an answer at most.
pub const ANSWER_MAX: usize = 1 << 20;

/// The request for `path` of `host`, after whose answer the connection closes.
#[must_use]
pub fn request(host: &str, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nMetadata: true\r\nAccept: application/json\r\n\
         User-Agent: milliwatt\r\nConnection: close\r\n\r\n"
    )
}

/// The body of a whole answer with status 200.
///
/// # Errors
/// What is wrong with it: words for a sentence that begins with who answered.
pub fn body(answer: &[u8]) -> Result<Vec<u8>, String> {
    let end = answer.windows(4).position(|octets| octets == b"\r\n\r\n");
    let end = end.ok_or("its answer is no whole HTTP answer")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let (status, fields) = head.split_once("\r\n").unwrap_or((&head, ""));
    let mut words = status.split(' ');
    if !words
        .next()
        .is_some_and(|version| version.starts_with("HTTP/1."))
    {
        return Err("it does not speak HTTP".to_owned());
    }
    if words.next() != Some("200") {
        let shown: String = status.chars().take(80).collect();
        return Err(format!("it answers `{}`", shown.escape_debug()));
    }
    let body = &answer[end + 4..];
    if field(fields, "transfer-encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    {
        return unchunked(body).ok_or_else(cut_off);
    }
    match field(fields, "content-length").map(str::parse::<usize>) {
        None => Ok(body.to_vec()),
        Some(Ok(length)) => body.get(..length).map(<[u8]>::to_vec).ok_or_else(cut_off),
        Some(Err(_)) => Err("the length of its answer is no number".to_owned()),
    }
}

fn cut_off() -> String {
    "its answer is cut off".to_owned()
}

/// A header field, by its name in lower case.
fn field<'f>(fields: &'f str, name: &str) -> Option<&'f str> {
    let named = |line: &'f str| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    };
    fields.split("\r\n").find_map(named)
}

/// RFC 9112 7.1; none where it is not whole.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|octets| octets == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = size.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let chunk = rest.get(end + 2..)?;
        body.extend(chunk.get(..size)?);
        rest = chunk.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(answer: &str) -> Result<String, String> {
        body(answer.as_bytes()).map(|body| String::from_utf8(body).unwrap())
    }

    #[test]
    fn a_body_is_read_by_its_length_by_its_chunks_or_to_the_end() {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
        assert_eq!(
            text(&format!("{head}\r\ncontent-length: 2\r\n\r\n{{}}more")).unwrap(),
            "{}"
        );
        assert_eq!(text(&format!("{head}\r\n\r\nall")).unwrap(), "all");
        let chunks =
            "Transfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(
            text(&format!("{head}\r\n{chunks}")).unwrap(),
            "wiki0123456789"
        );
    }

    #[test]
    fn what_is_no_answer_is_told_by_what_it_is() {
        let cases = [
            (
                "HTTP/1.1 404 Not Found\r\n\r\n",
                "it answers `HTTP/1.1 404 Not Found`",
            ),
            ("SSH-2.0-OpenSSH\r\n\r\n", "it does not speak HTTP"),
            ("HTTP/1.1 200 OK\r\n", "its answer is no whole HTTP answer"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
                "its answer is cut off",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
                "the length of its answer is no number",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
                "its answer is cut off",
            ),
        ];
        for (answer, why) in cases {
            assert_eq!(text(answer), Err(why.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_taken(head in "HTTP/1.1 200 OK\r\n([a-zA-Z:\r\n -]|Transfer-Encoding: chunked\r\n){0,4}", rest in any::<Vec<u8>>()) {
            let _taken = body(&[head.as_bytes(), b"\r\n\r\n", &rest].concat());
            let _taken = body(&rest);
        }
    }
}
