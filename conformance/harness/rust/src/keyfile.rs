//! Files of public keys (section 11.2 of docs/format.md), and the override of a product's environment (11.3).

use crate::json::{read_json, Json};
use crate::trust::{cose_key_head, is_good_point, ConfigurationInvalid, Key, Policy, Trust, COMPOSITE};
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::Engine;
use std::collections::HashMap;

const MAX_BYTES: usize = 1_048_576;
const MAX_OVERRIDE_BYTES: usize = 65_536;
const SPKIS: [(&[u8], usize); 3] = [
    (b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 32),
    (b"\x30\x82\x07\xb2\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12\x03\x82\x07\xa1\x00", 1952),
    (b"\x30\x82\x07\xd1\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x30\x03\x82\x07\xc1\x00", 1984),
];
const BEGIN: &[u8] = b"-----BEGIN PUBLIC KEY-----";
const END: &[u8] = b"-----END PUBLIC KEY-----";
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// `key_invalid` or `json_malformed`.
pub type Fault = &'static str;

fn require(is_good: bool) -> Result<(), Fault> {
    if is_good {
        Ok(())
    } else {
        Err("key_invalid")
    }
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' ')
}

fn without_blanks(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !is_blank(byte)).collect()
}

fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

fn unbase64(text: &[u8]) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(text).map_err(|_| "key_invalid")
}

fn make_key(public: Vec<u8>) -> Result<Key, Fault> {
    let alg = match public.len() {
        32 => "ed25519",
        1984 => COMPOSITE,
        _ => return Err("key_invalid"),
    };
    require(is_good_point(&public[public.len() - 32..]))?;
    let (purpose, status) = ("license".into(), "active".into());
    Ok(Key { alg: alg.into(), public, purpose, status, products: None, tiers: None, honored: None })
}

/// A mark, then at most so many UTF-16 units of one line (and no hyphen, if so), then a word; ASCII case is ignored.
fn is_marked(lower: &str, mark: &str, word: &str, high: usize, stops: &[char]) -> bool {
    lower.match_indices(mark).any(|(at, _)| {
        let behind = &lower[at + mark.len()..];
        behind.match_indices(word).any(|(i, _)| {
            let between = &behind[..i];
            !between.contains(stops) && between.encode_utf16().count() <= high
        })
    })
}

fn has_private_text(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_pem = |mark| is_marked(&lower, mark, "private", 64, &['-', '\r', '\n']);
    is_pem("-----begin ")
        || is_pem("---- begin ")
        || is_marked(&lower, "untrusted comment: ", "secret key", 128, &['\r', '\n'])
        || lower.contains("putty-user-key-file-")
        || lower.contains("age-secret-key-")
        || text.contains("-----BEGIN AGE ENCRYPTED FILE-----")
        || text.starts_with("age-encryption.org/v")
}

pub fn read_keys(file: &[u8]) -> Result<Vec<Key>, Fault> {
    require(file.len() <= MAX_BYTES && !has_private_text(&String::from_utf8_lossy(file)))?;
    let start = trim(file);
    let is_der = |second: &u8| !is_blank(second) && !second.is_ascii_alphanumeric() && !b"+/=".contains(second);
    let keys = match file.first() {
        Some(0x80..=0xbf) => vec![cose_key(file)?],
        Some(b'0') if file.get(1).is_some_and(is_der) => pair_up(structures(file)?)?,
        _ if start.starts_with(b"-----BEGIN") => pair_up(pem_parts(start)?)?,
        _ if start.starts_with(b"{") => jwks(&read_json(file).ok_or("json_malformed")?)?,
        _ => vec![make_key(unbase64(&without_blanks(file))?)?],
    };
    let (mut unique, mut owners): (Vec<Key>, HashMap<Vec<u8>, [u8; 32]>) = (Vec::new(), HashMap::new());
    for key in keys {
        for part in key.components() {
            require(*owners.entry(part.to_vec()).or_insert_with(|| key.kid()) == key.kid())?;
        }
        if !unique.contains(&key) {
            unique.push(key);
        }
    }
    Ok(unique)
}

fn cose_key(file: &[u8]) -> Result<Key, Fault> {
    for alg in ["ed25519", COMPOSITE] {
        if let Some(public) = file.strip_prefix(&cose_key_head(alg)[..]) {
            let key = make_key(public.to_vec())?;
            return require(key.alg == alg).map(|()| key);
        }
    }
    Err("key_invalid")
}

/// The keys of the structures of a DER file, in turn: 32, 1952 or 1984 bytes.
fn structures(mut der: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut found = Vec::new();
    while !der.is_empty() {
        let known = SPKIS.iter().find(|(head, _)| der.starts_with(head)).ok_or("key_invalid")?;
        let end = known.0.len() + known.1;
        require(der.len() >= end)?;
        found.push(der[known.0.len()..end].to_vec());
        der = &der[end..];
    }
    Ok(found)
}

/// One structure for each block.
fn pem_parts(mut text: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut parts = Vec::new();
    while !text.is_empty() {
        let behind = text.strip_prefix(BEGIN).ok_or("key_invalid")?;
        let end = behind.windows(END.len()).position(|window| window == END).ok_or("key_invalid")?;
        let body = &behind[..end];
        // BEGIN and each line of the body end with an LF; CR is only before it.
        let is_lines = body.ends_with(b"\n")
            && body.split(|&byte| byte == b'\n').all(|line| {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                !line.contains(&b'\r')
            });
        let first = body.split(|&byte| byte == b'\n').next().unwrap_or_default();
        require(is_lines && first.iter().all(is_blank))?;
        parts.extend(
            Some(structures(&unbase64(&without_blanks(body))?)?).filter(|one| one.len() == 1).ok_or("key_invalid")?,
        );
        let rest = &behind[end + END.len()..];
        let next = rest.iter().position(|byte| !is_blank(byte)).unwrap_or(rest.len());
        require(next == rest.len() || rest[..next].contains(&b'\n'))?;
        text = &rest[next..];
    }
    Ok(parts)
}

/// An ML-DSA-65 key and the Ed25519 key right after it are one composite.
fn pair_up(parts: Vec<Vec<u8>>) -> Result<Vec<Key>, Fault> {
    let (mut keys, mut parts) = (Vec::new(), parts.into_iter());
    while let Some(mut public) = parts.next() {
        if public.len() == 1952 {
            public.extend(parts.next().filter(|ed25519| ed25519.len() == 32).ok_or("key_invalid")?);
        }
        keys.push(make_key(public)?);
    }
    Ok(keys)
}

fn jwks(value: &Json) -> Result<Vec<Key>, Fault> {
    let (mut texts, mut names) = (Vec::new(), Vec::new());
    value.look(&mut texts, &mut names);
    require(!names.iter().any(|name| PRIVATE_MEMBERS.contains(name)))?;
    require(!texts.iter().chain(&names).any(|text| has_private_text(text)))?;
    match value.get("keys") {
        None => Ok(vec![jwk(value)?]),
        Some(Json::Array(items)) if !items.is_empty() && value.get("kty").is_none() => items.iter().map(jwk).collect(),
        Some(_) => Err("key_invalid"),
    }
}

fn jwk(value: &Json) -> Result<Key, Fault> {
    let text = |name| match value.get(name) {
        Some(Json::Text(text)) => text.as_str(),
        _ => "",
    };
    let is_composite = text("kty") == "AKP" && [COMPOSITE, "ML-DSA-65-Ed25519"].contains(&text("alg"));
    require(is_composite || (text("kty") == "OKP" && text("crv") == "Ed25519"))?;
    let member = text(if is_composite { "pub" } else { "x" });
    let key = make_key(URL_SAFE_NO_PAD.decode(member).map_err(|_| "key_invalid")?)?;
    require((key.alg == COMPOSITE) == is_composite)?;
    Ok(key)
}

/// The keys that the variables give. `files`: path → content.
fn given(environment: &HashMap<String, String>, files: &HashMap<String, Vec<u8>>) -> Result<(Vec<Key>, bool), Fault> {
    let value = |name: &str| trim(environment.get(name).map_or(b"", |text| text.as_bytes())).to_vec();
    let (ed25519, mldsa65) = (value("LICENSE_PUBLIC_KEY"), value("LICENSE_MLDSA_PUBLIC_KEY"));
    let required = value("LICENSE_REQUIRE_COMPOSITE");
    require(required.is_empty() || required == b"1")?;
    require(!ed25519.is_empty() || mldsa65.is_empty())?;
    if ed25519.is_empty() {
        return Ok((Vec::new(), !required.is_empty()));
    }
    let left: Vec<&[u8]> = ed25519.split(|&byte| byte == b',').map(trim).collect();
    let right: Vec<&[u8]> = mldsa65.split(|&byte| byte == b',').map(trim).collect();
    require(mldsa65.is_empty() || left.len() == right.len())?;
    let mut keys = Vec::new();
    for (i, item) in left.into_iter().enumerate() {
        let paired = right.get(i).filter(|item| !item.is_empty());
        let mut public = paired.map_or(Ok(Vec::new()), |item| read_item(item, 1952, files))?;
        public.extend(read_item(item, 32, files)?);
        keys.push(make_key(public)?);
    }
    Ok((keys, !required.is_empty()))
}

fn read_item(item: &[u8], length: usize, files: &HashMap<String, Vec<u8>>) -> Result<Vec<u8>, Fault> {
    let mut text = item;
    if let Some(path) = item.strip_prefix(b"file:") {
        let content = std::str::from_utf8(path).ok().and_then(|path| files.get(path)).ok_or("key_invalid")?;
        require(content.len() <= MAX_OVERRIDE_BYTES)?;
        text = trim(content);
    }
    let public = if text.starts_with(b"-----BEGIN") {
        let mut parts = pem_parts(text)?;
        require(parts.len() == 1)?;
        parts.remove(0)
    } else {
        unbase64(text)?
    };
    require(public.len() == length)?;
    Ok(public)
}

/// The trust of section 11.3.
pub fn override_trust(
    built_in: Trust,
    environment: &HashMap<String, String>,
    files: &HashMap<String, Vec<u8>>,
) -> Result<Trust, ConfigurationInvalid> {
    let (given, is_required) = given(environment, files).map_err(|_| ConfigurationInvalid)?;
    let given: Vec<Key> = given.into_iter().map(|key| built_in.key(&key.kid()).cloned().unwrap_or(key)).collect();
    let mut keys: Vec<Key> = built_in.keys().cloned().collect();
    // Step 1: the components of all keys together.
    Trust::new(keys.iter().chain(&given).cloned().collect(), Policy::default())?;
    if !given.is_empty() {
        keys.retain(|key| key.purpose != "license");
        keys.extend(given);
    }
    let mut policy = built_in.policy;
    policy.require_composite = policy.require_composite || is_required;
    Trust::new(keys, policy)
}
