//! Calls by SIPp, from the tester to the guest.

use super::{Lab, Side, wait_for};

/// Makes `calls` calls with a scenario file, `rate` of them a second; the guest answers, with these further
/// flags.
pub(crate) fn call(lab: &Lab, scenario: &str, (calls, rate): (u32, u32), answering: &[&str]) {
    let guest = Side::Guest.address();
    let flags = ["-i", guest, "-p", "5060", "-mp", "20000"];
    let answers = [&["-sn", "uas", "-nostdin"], &flags[..], answering].concat();
    let answering = lab.start(Side::Guest, "sipp", &answers);
    let listening = || lab.execute(Side::Guest, "ss", &["-lunH", "sport = :5060"]);
    wait_for("SIPp to answer", 10, || !listening().is_empty());
    let (to, tester) = (format!("{guest}:5060"), Side::Tester.address());
    let flags = ["-i", tester, "-p", "5060", "-mp", "30000", "-nostdin"];
    let (calls, rate) = (calls.to_string(), rate.to_string());
    let many = ["-m", &calls, "-l", &calls, "-r", &rate];
    let calling = [&["-sf", scenario, &to], &flags[..], &many].concat();
    let ended = lab.start(Side::Tester, "sipp", &calling).wait_within(300);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    drop(answering);
}

/// A call in SIPp's own words: INVITE with this media description, what is done while it is up, BYE.
pub(crate) fn scenario(media: &str, up: &str) -> String {
    let request = |method: &str, tag: &str, body: &str| {
        let kind = if body.is_empty() {
            ""
        } else {
            "Content-Type: application/sdp\n"
        };
        let number = if method == "BYE" { 2 } else { 1 };
        format!(
            "<send retrans=\"500\"><![CDATA[\n\n\
             {method} sip:+15551234567@[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
             From: <sip:+15557654321@[local_ip]:[local_port]>;tag=[pid]T[call_number]\n\
             To: <sip:+15551234567@[remote_ip]:[remote_port]>{tag}\n\
             Call-ID: [call_id]\nCSeq: {number} {method}\n\
             Contact: sip:sipp@[local_ip]:[local_port]\nMax-Forwards: 70\n\
             {kind}Content-Length: [len]\n\n{body}\n]]></send>\n"
        )
    };
    let body = format!(
        "v=0\no=user1 1 1 IN IP[local_ip_type] [local_ip]\ns=-\nc=IN IP[local_ip_type] [local_ip]\nt=0 0\n{media}"
    );
    let mut text = String::from("<?xml version=\"1.0\"?>\n<scenario name=\"media\">\n");
    text += &request("INVITE", "", &body);
    text +=
        "<recv response=\"100\" optional=\"true\"/><recv response=\"180\" optional=\"true\"/>\n";
    text += "<recv response=\"200\"/>\n";
    text += &request("ACK", "[peer_tag_param]", "").replace(" retrans=\"500\"", "");
    text += up;
    text += &request("BYE", "[peer_tag_param]", "");
    text += "<recv response=\"200\"/>\n</scenario>\n";
    text
}

/// An action of the one who calls, and the time that it is given, ms.
pub(crate) fn exec(action: &str, ms: u32) -> String {
    format!("<nop><action><exec {action}/></action></nop><pause milliseconds=\"{ms}\"/>\n")
}
