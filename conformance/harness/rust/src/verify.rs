//! A verifier of .vtlic licenses, with ed25519-dalek, fips204 and ciborium. Section numbers are those of docs/format.md.
//!
//! let trust = Trust::new(vec![key], Policy::default())?;
//! match verify(&file, &trust, &context) { Ok(license) => license.state, Err(reason) => layer_of(reason) }

use crate::trust::{Context, Key, Seen, Trust, COMPOSITE, SMALL_ORDER};
use crate::values::{is_good_claim, Claims, Digest, License, Reason, REQUIRED};
use base64::{engine::general_purpose::STANDARD, Engine};
use ciborium::Value;
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use fips204::ml_dsa_65;
use fips204::traits::{SerDes, Verifier as _};
use sha2::{Digest as _, Sha256, Sha512};

const MAX_FILE_BYTES: usize = 98_304;
const MAX_DECODED_BYTES: usize = 49_152;
const MAX_DEPTH: u8 = 8;
const MAX_INTEGER: u64 = (1 << 53) - 1;
const TYP: &str = "application/vnd.vtlic.license+cose";
const PREFIX: &[u8] = b"CompositeAlgorithmSignatures2025";
const LABEL: &[u8] = b"COMPSIG-MLDSA65-Ed25519-SHA512";

pub fn refuse_if(fault: bool, reason: Reason) -> Result<(), Reason> {
    if fault {
        Err(reason)
    } else {
        Ok(())
    }
}

/// Runs the steps of section 2.
pub fn verify(file: &[u8], trust: &Trust, context: &Context) -> Result<License, Reason> {
    let cose = read_cose(&dearmor(file)?)?;
    let key = trust.key(&cose.kid);
    refuse_if(key.is_none() && trust.is_component(&cose.kid), "key_composite_only")?;
    let key = key.ok_or("key_unknown")?;
    refuse_if(key.alg != cose.alg, "key_algorithm_mismatch")?;
    refuse_if(!signature_valid(key, &cose.signature, &cose.signed), "signature_invalid")?;
    let claims = read_claims(&cose.payload)?;
    let (digest, lineage) = (Digest::from(Sha256::digest(&cose.payload)), claims.lineage());
    check_policy(&claims, &digest, &lineage, key, trust, context.now)?;
    check_binding(&claims, context)?;
    let clk = match &context.seen {
        Some(seen) => check_seen(&claims, &digest, &lineage, seen)?,
        None => false,
    };
    let state = state_of(&claims, clk, context);
    Ok(License { state, claims, kid: cose.kid, digest, lineage, clk })
}

// Sections 3 and 4: armor and CBOR.

fn dearmor(file: &[u8]) -> Result<Vec<u8>, Reason> {
    refuse_if(file.len() > MAX_FILE_BYTES, "too_large")?;
    let decoded = decode_block(file, "VTLIC").ok_or("armor_malformed")?;
    refuse_if(decoded.len() > MAX_DECODED_BYTES, "too_large")?;
    Ok(decoded)
}

/// What the one block contains. `trim_ascii` would take a form feed, too.
pub fn decode_block(file: &[u8], label: &str) -> Option<Vec<u8>> {
    let is_blank = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' ');
    let start = file.iter().position(|byte| !is_blank(byte))?;
    let end = file.iter().rposition(|byte| !is_blank(byte))? + 1;
    let mut lines: Vec<&[u8]> = file[start..end].split(|&byte| byte == b'\n').collect();
    let last = lines.pop()?;
    let lines: Vec<&[u8]> = lines.iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    let (first, body) = lines.split_first()?;
    let (tail, full) = body.split_last()?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let whole = *first == begin.as_bytes() && last == end.as_bytes();
    if !whole || full.iter().any(|line| line.len() != 64) || tail.is_empty() || tail.len() > 64 {
        return None;
    }
    STANDARD.decode(body.concat()).ok() // It requires padding, and unused bits that are zero.
}

/// Judges bytes by the profile of section 4. ciborium, which decodes them then, takes long heads, unsorted keys and more.
struct Walk<'a> {
    data: &'a [u8],
    at: usize,
    is_file: bool,
}

pub fn walk(data: &[u8], is_file: bool) -> Result<(), Reason> {
    let mut walk = Walk { data, at: 0, is_file };
    walk.item(0, is_file)?;
    refuse_if(walk.at != data.len(), "cbor_malformed")
}

impl<'a> Walk<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], Reason> {
        refuse_if(count > (self.data.len() - self.at) as u64, "cbor_malformed")?;
        let start = self.at;
        self.at += count as usize;
        Ok(&self.data[start..self.at])
    }

    /// The head of an item, and what is in it. Returns the content of a byte string.
    fn item(&mut self, depth: u8, tag_allowed: bool) -> Result<Option<&'a [u8]>, Reason> {
        let first = self.take(1)?[0];
        let (major, info) = (first >> 5, first & 31);
        if first == 0xf4 || first == 0xf5 {
            return Ok(None);
        }
        refuse_if(major == 7, "cbor_malformed")?;
        refuse_if(info == 31 && (2..=5).contains(&major), "cbor_not_deterministic")?;
        refuse_if(info > 27, "cbor_malformed")?;
        let mut argument = u64::from(info);
        if info > 23 {
            let size = 1 << (info - 24);
            argument = self.take(size)?.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
            let is_long = argument < 24 || (size > 1 && argument < 1 << (4 * size));
            refuse_if(is_long, "cbor_not_deterministic")?;
        }
        match major {
            0 | 1 => refuse_if(argument > MAX_INTEGER - u64::from(major), "cbor_malformed")?,
            2 => return self.take(argument).map(Some),
            3 => refuse_if(std::str::from_utf8(self.take(argument)?).is_err(), "cbor_malformed")?,
            6 => {
                refuse_if(!tag_allowed, "cbor_malformed")?;
                self.item(depth, false)?;
            }
            _ => {
                refuse_if(depth == MAX_DEPTH, "cbor_malformed")?;
                if major == 4 {
                    self.array(argument, depth + 1)?
                } else {
                    self.map(argument, depth + 1)?
                }
            }
        }
        Ok(None)
    }

    fn array(&mut self, count: u64, depth: u8) -> Result<(), Reason> {
        for i in 0..count {
            let bytes = self.item(depth, false)?.unwrap_or_default();
            if self.is_file && depth == 1 && i == 0 && !bytes.is_empty() {
                walk(bytes, false)?; // Section 5.1: the protected bytes.
            }
        }
        Ok(())
    }

    fn map(&mut self, count: u64, depth: u8) -> Result<(), Reason> {
        let mut before: &[u8] = b"";
        for _ in 0..count {
            let start = self.at;
            self.item(depth, false)?;
            let key = &self.data[start..self.at];
            refuse_if(key <= before, "cbor_not_deterministic")?;
            before = key;
            self.item(depth, false)?;
        }
        Ok(())
    }
}

/// What has passed the walk, as a value.
pub fn decode(data: &[u8], reason: Reason) -> Result<Value, Reason> {
    ciborium::from_reader(data).map_err(|_| reason)
}

// Section 5: COSE.

struct Cose {
    alg: &'static str,
    kid: Digest,
    payload: Vec<u8>,
    signature: Vec<u8>,
    signed: Vec<u8>,
}

fn read_cose(data: &[u8]) -> Result<Cose, Reason> {
    walk(data, true)?;
    let content = data.strip_prefix(b"\xd2").ok_or("cose_malformed")?; // Tag 18 has this one spelling.
    let items = decode(content, "cose_malformed")?.into_array().map_err(|_| "cose_malformed")?;
    let [Value::Bytes(protected), Value::Map(unprotected), Value::Bytes(payload), Value::Bytes(signature)] = &items[..]
    else {
        return Err("cose_malformed");
    };
    refuse_if(protected.is_empty() || !unprotected.is_empty(), "cose_malformed")?;
    let header = decode(protected, "cose_malformed")?.into_map().map_err(|_| "cose_malformed")?;
    let [(one, alg), (four, Value::Bytes(kid)), (sixteen, Value::Text(typ))] = &header[..] else {
        return Err("cose_malformed");
    };
    let is_header = *one == 1.into() && *four == 4.into() && *sixteen == 16.into();
    refuse_if(!is_header || !(alg.is_integer() || alg.is_text()), "cose_malformed")?;
    let kid = Digest::try_from(&kid[..]).map_err(|_| "cose_malformed")?;
    refuse_if(typ != TYP, "typ_wrong")?;
    let alg = match alg {
        Value::Integer(number) if i128::from(*number) == -19 => "ed25519",
        Value::Text(text) if text == COMPOSITE => COMPOSITE,
        _ => return Err("alg_unknown"),
    };
    let structure = ["Signature1".into(), items[0].clone(), Value::Bytes(Vec::new()), items[2].clone()];
    let mut signed = Vec::new();
    ciborium::into_writer(&Value::Array(structure.into()), &mut signed).expect("a vector takes every byte");
    Ok(Cose { alg, kid, payload: payload.clone(), signature: signature.clone(), signed })
}

// Section 6: signatures. The key has passed `Trust::new`.

pub fn signature_valid(key: &Key, signature: &[u8], signed: &[u8]) -> bool {
    if key.alg == "ed25519" {
        return ed25519_valid(&key.public, signature, signed);
    }
    let message = [PREFIX, LABEL, b"\0", &Sha512::digest(signed)].concat();
    let Some((mldsa65, ed25519)) = signature.split_first_chunk::<{ ml_dsa_65::SIG_LEN }>() else {
        return false;
    };
    let (mldsa65_key, ed25519_key) = key.public.split_first_chunk::<{ ml_dsa_65::PK_LEN }>().expect("1984 bytes");
    let public = ml_dsa_65::PublicKey::try_from_bytes(*mldsa65_key).expect("any bytes are a key");
    let mldsa65_valid = public.verify(&message, mldsa65, LABEL);
    mldsa65_valid && ed25519_valid(ed25519_key, ed25519, &message)
}

/// Criteria 4 to 6 of section 6.4: `verify` does 4 and 6. (`verify_strict` does 5 as well.)
fn ed25519_valid(public: &[u8], signature: &[u8], message: &[u8]) -> bool {
    let key = VerifyingKey::try_from(public).expect("Trust::new has decoded it");
    Signature::from_slice(signature).is_ok_and(|parsed| {
        let is_small_order = SMALL_ORDER.contains(parsed.r_bytes());
        !is_small_order && key.verify(message, &parsed).is_ok()
    })
}

// Section 7: claims. `is_good_claim`, in values.rs, has the bounds of each.

fn read_claims(payload: &[u8]) -> Result<Claims, Reason> {
    walk(payload, false).map_err(|_| "claims_malformed")?;
    let entries = decode(payload, "claims_malformed")?.into_map().map_err(|_| "claims_malformed")?;
    let claims = Claims(entries);
    let good: Vec<Option<bool>> = claims.0.iter().map(|(key, value)| is_good_claim(key, value)).collect();
    refuse_if(good.contains(&None), "claims_unknown")?;
    refuse_if(good.contains(&Some(false)), "claims_malformed")?;
    refuse_if(REQUIRED.iter().any(|name| claims.get(name).is_none()), "claims_malformed")?;
    let expires = claims.number("exp");
    refuse_if(claims.number("nbf") >= expires || claims.number("iat") >= expires, "claims_malformed")?;
    Ok(claims)
}

// Section 2, steps 8 to 11.

fn check_policy(
    claims: &Claims,
    digest: &Digest,
    lineage: &str,
    key: &Key,
    trust: &Trust,
    now: i64,
) -> Result<(), Reason> {
    refuse_if(!key.counts(digest), "key_revoked")?;
    refuse_if(key.purpose != "license", "key_wrong_purpose")?;
    refuse_if(key.products.as_ref().is_some_and(|ids| !ids.contains(claims.text("aud"))), "key_wrong_purpose")?;
    refuse_if(key.tiers.as_ref().is_some_and(|ids| !ids.contains(claims.text("tier"))), "key_wrong_purpose")?;
    let is_over = trust.policy.require_composite || trust.policy.ed25519_until.is_some_and(|until| now >= until);
    refuse_if(key.alg == "ed25519" && is_over, "algorithm_not_allowed")?;
    refuse_if(trust.policy.revoked.contains(&claims.license_id()), "license_revoked")?;
    let lowest = trust.policy.lowest.get(lineage).copied().unwrap_or(0);
    refuse_if(claims.number("ctr") < lowest, "superseded")
}

fn check_binding(claims: &Claims, context: &Context) -> Result<(), Reason> {
    refuse_if(claims.text("iss") != context.issuer, "issuer_mismatch")?;
    refuse_if(claims.text("aud") != context.product, "product_mismatch")?;
    let is_deployed = context.deployment.as_deref() == Some(claims.text("dep"));
    refuse_if(claims.has("dep") && !is_deployed, "deployment_mismatch")?;
    let is_here = claims.hosts().iter().any(|host| context.hosts.contains(host));
    refuse_if(claims.has("hosts") && !is_here, "host_mismatch")?;
    let is_covered = context.build_date.is_some_and(|date| date < claims.number("upd"));
    refuse_if(claims.has("upd") && !is_covered, "build_not_covered")
}

/// Section 10.1. Returns whether `clk` has its effect (10.2).
fn check_seen(claims: &Claims, digest: &Digest, lineage: &str, seen: &Seen) -> Result<bool, Reason> {
    let (is_current, counter) = (lineage == seen.current, claims.number("ctr"));
    refuse_if(!is_current && claims.number("iat") <= seen.highest_iat, "lineage_not_newer")?;
    let Some(accepted) = seen.lineages.get(lineage) else {
        return Ok(false);
    };
    refuse_if(counter < accepted.counter, "counter_rolled_back")?;
    refuse_if(counter == accepted.counter && *digest != accepted.digest, "counter_conflict")?;
    Ok(claims.has("clk") && is_current && counter > accepted.counter)
}

fn state_of(claims: &Claims, clk: bool, context: &Context) -> &'static str {
    let now = if clk { context.clock.unwrap_or(context.now).max(claims.number("iat")) } else { context.now };
    let grace = if claims.has("grace") { claims.number("grace") } else { context.default_grace };
    match now {
        _ if now < claims.number("nbf") => "not_yet_valid",
        _ if now < claims.number("exp") => "active",
        _ if now < claims.number("exp") + grace => "grace",
        _ => "lapsed",
    }
}
