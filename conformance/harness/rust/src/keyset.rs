//! What a keyset is, with section numbers K of docs/keysets.md.

use crate::trust::{cose_key_head, Key, COMPOSITE};
use crate::values::{is_entries_of, is_id_value, is_integer, is_lineage, is_sorted, is_uuid7};
use crate::values::{is_fingerprint, Digest, Reason, MAX_INTEGER, MAX_TIME};
use crate::verify::{decode, refuse_if, walk};
use ciborium::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

const TYP: &str = "application/vnd.vtlic.keyset+cose";

pub struct Signer {
    pub kid: Digest,
    pub alg: Value,
    pub signed: Vec<u8>,
    pub signature: Vec<u8>,
}

/// A keyset that has passed K1 and K2.
pub struct Keyset {
    pub payload: Members,
    pub digest: Digest,
    pub signers: Vec<Signer>,
}

/// A map with text keys.
#[derive(Clone)]
pub struct Members(pub Vec<(Value, Value)>);

impl Members {
    pub fn of(value: &Value) -> Members {
        Members(value.as_map().cloned().unwrap_or_default())
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
    }

    pub fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_text).unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_integer).and_then(|number| i64::try_from(number).ok())
    }

    pub fn items(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    fn texts(&self, name: &str) -> Option<BTreeSet<String>> {
        self.get(name)?;
        Some(self.items(name).iter().filter_map(Value::as_text).map(String::from).collect())
    }

    /// Whether all members are known and good, and all required ones are there.
    fn are_good(&self, required: &[&str], check: fn(&str, &Value) -> Option<bool>) -> bool {
        let good = |(key, value): &(Value, Value)| key.as_text().and_then(|name| check(name, value)) == Some(true);
        self.0.iter().all(good) && required.iter().all(|name| self.get(name).is_some())
    }

    fn have_unknown(&self, check: fn(&str, &Value) -> Option<bool>) -> bool {
        self.0.iter().any(|(key, value)| key.as_text().is_none_or(|name| check(name, value).is_none()))
    }
}

fn walk_keyset(data: &[u8], is_file: bool) -> Result<(), Reason> {
    walk(data, is_file).map_err(|reason| match reason {
        "cbor_malformed" => "keyset_cbor_malformed",
        _ => "keyset_cbor_not_deterministic",
    })
}

const COSE: Reason = "keyset_cose_malformed";

/// A protected header with exactly these keys.
fn read_header(data: &[u8], keys: &[i64]) -> Result<Vec<Value>, Reason> {
    walk_keyset(data, false)?;
    let header = decode(data, COSE)?.into_map().map_err(|_| COSE)?;
    let are_keys = header.iter().map(|(key, _)| key.clone()).eq(keys.iter().map(|&key| Value::from(key)));
    refuse_if(!are_keys, COSE)?;
    Ok(header.into_iter().map(|(_, value)| value).collect())
}

/// K1, in the order of its rule 6; then K2.
pub fn read_keyset(data: &[u8]) -> Result<Keyset, Reason> {
    walk_keyset(data, true)?;
    let items = decode(data.strip_prefix(b"\xd8\x62").ok_or(COSE)?, COSE)?.into_array().map_err(|_| COSE)?;
    let [Value::Bytes(body), Value::Map(unprotected), Value::Bytes(payload), Value::Array(signatures)] = &items[..]
    else {
        return Err(COSE);
    };
    refuse_if(body.is_empty() || !unprotected.is_empty() || !(1..=64).contains(&signatures.len()), COSE)?;
    let typ = read_header(body, &[16])?[0].as_text().ok_or(COSE)?.to_string();
    let mut parts = Vec::new();
    for signature in signatures {
        match signature.as_array().map(Vec::as_slice) {
            Some([Value::Bytes(protected), Value::Map(unprotected), Value::Bytes(signature)])
                if !protected.is_empty() && unprotected.is_empty() =>
            {
                parts.push((protected, signature))
            }
            _ => return Err(COSE),
        }
    }
    parts.iter().try_for_each(|(protected, _)| walk_keyset(protected, false))?;
    let mut signers: Vec<Signer> = Vec::new();
    for (protected, signature) in parts {
        let header = read_header(protected, &[1, 4])?;
        refuse_if(!header[0].is_integer() && !header[0].is_text(), COSE)?;
        let kid = header[1].as_bytes().and_then(|kid| Digest::try_from(&kid[..]).ok()).ok_or(COSE)?;
        let bytes = |data: &[u8]| Value::Bytes(data.to_vec());
        let structure = ["Signature".into(), bytes(body), bytes(protected), bytes(b""), bytes(payload)];
        let mut signed = Vec::new();
        ciborium::into_writer(&Value::Array(structure.into()), &mut signed).expect("a vector takes every byte");
        signers.push(Signer { kid, alg: header[0].clone(), signed, signature: signature.clone() });
    }
    refuse_if(typ != TYP, "keyset_typ_wrong")?;
    let is_known = |signer: &Signer| signer.alg == (-19).into() || signer.alg == COMPOSITE.into();
    refuse_if(!signers.iter().all(is_known), "keyset_alg_unknown")?;
    refuse_if(!signers.windows(2).all(|pair| pair[0].kid < pair[1].kid), COSE)?;
    Ok(Keyset { payload: read_payload(payload)?, digest: Sha256::digest(payload).into(), signers })
}

fn is_cose_key(value: &Value) -> bool {
    let is_form = |data: &[u8], alg| data.starts_with(&cose_key_head(alg));
    value.as_bytes().is_some_and(|data| match data.len() {
        40 => is_form(data, "ed25519"),
        2010 => is_form(data, COMPOSITE),
        _ => false,
    })
}

/// Nothing where the member is unknown; so for the other two.
fn is_good_key_member(name: &str, value: &Value) -> Option<bool> {
    Some(match name {
        "key" => is_cose_key(value),
        "purpose" => matches!(value.as_text(), Some("license" | "license-key")),
        "status" => matches!(value.as_text(), Some("pre-published" | "active" | "retired" | "revoked")),
        "products" | "tiers" => is_sorted(value, 64, is_id_value),
        "from" | "until" => is_integer(value, 0, MAX_TIME),
        "honored" => is_sorted(value, 12_288, is_fingerprint),
        _ => return None,
    })
}

fn is_good_policy_member(name: &str, value: &Value) -> Option<bool> {
    match name {
        "composite" => Some(value.as_bool() == Some(true)),
        "ed25519_until" => Some(is_integer(value, 0, MAX_TIME)),
        _ => None,
    }
}

fn is_good_member(name: &str, value: &Value) -> Option<bool> {
    Some(match name {
        "iss" => is_id_value(value),
        "version" => is_integer(value, 1, MAX_INTEGER),
        "made" | "expires" => is_integer(value, 0, MAX_TIME),
        "roots" => is_sorted(value, 16, is_cose_key),
        "threshold" => is_integer(value, 1, 16),
        "keys" => are_issuing_keys(value),
        "policy" => {
            value.as_map().is_some_and(|pairs| !pairs.is_empty())
                && Members::of(value).are_good(&[], is_good_policy_member)
        }
        "revoked" => is_sorted(value, 16_384, is_uuid7),
        "lowest" => is_entries_of(value, 1, 8_192, is_lineage, |count| is_integer(count, 1, MAX_INTEGER)),
        _ => return None,
    })
}

fn is_before(from: Option<i64>, until: Option<i64>) -> bool {
    from.zip(until).is_none_or(|(from, until)| from < until)
}

fn is_issuing_key(value: &Value) -> bool {
    let key = Members::of(value);
    value.is_map()
        && key.are_good(&["key", "purpose", "status"], is_good_key_member)
        && is_before(key.number("from"), key.number("until"))
        && (key.get("honored").is_none() || key.text("status") == "revoked")
}

fn are_issuing_keys(value: &Value) -> bool {
    let bytes = |item: &Value| Members::of(item).get("key").and_then(Value::as_bytes).cloned();
    value.as_array().is_some_and(|items| {
        let sorted = items.windows(2).all(|pair| bytes(&pair[0]) < bytes(&pair[1]));
        items.len() <= 128 && items.iter().all(is_issuing_key) && sorted
    })
}

fn read_payload(data: &[u8]) -> Result<Members, Reason> {
    const MALFORMED: Reason = "keyset_claims_malformed";
    walk(data, false).map_err(|_| MALFORMED)?;
    let payload = Members(decode(data, MALFORMED)?.into_map().map_err(|_| MALFORMED)?);
    let policy = payload.get("policy").map(Members::of);
    let has_unknown = payload.have_unknown(is_good_member)
        || policy.is_some_and(|policy| policy.have_unknown(is_good_policy_member))
        || payload.items("keys").iter().any(|key| Members::of(key).have_unknown(is_good_key_member));
    refuse_if(has_unknown, "keyset_claims_unknown")?;
    let required = ["iss", "version", "made", "roots", "threshold", "keys"];
    let is_good = payload.are_good(&required, is_good_member)
        && is_before(payload.number("made"), payload.number("expires"))
        && payload.number("threshold").is_some_and(|count| count <= payload.items("roots").len() as i64);
    refuse_if(!is_good, MALFORMED)?;
    Ok(payload)
}

fn key_of(data: &Value, purpose: &str, status: &str) -> Key {
    let data = data.as_bytes().expect("its form was judged");
    let alg = if data.len() == 40 { "ed25519" } else { COMPOSITE };
    let public = data[cose_key_head(alg).len()..].to_vec();
    let (purpose, status) = (purpose.into(), status.into());
    Key { alg: alg.into(), public, purpose, status, products: None, tiers: None, honored: None }
}

impl Keyset {
    pub fn version(&self) -> i64 {
        self.payload.number("version").unwrap_or_default()
    }

    pub fn threshold(&self) -> usize {
        self.payload.number("threshold").unwrap_or_default() as usize
    }

    pub fn policy(&self) -> Members {
        self.payload.get("policy").map_or(Members(Vec::new()), Members::of)
    }

    pub fn roots(&self) -> Vec<Key> {
        self.payload.items("roots").iter().map(|root| key_of(root, "root", "active")).collect()
    }

    pub fn keys(&self) -> Vec<Key> {
        let one = |item: &Value| {
            let member = Members::of(item);
            let honored = member
                .get("honored")
                .map(|_| member.items("honored").iter().filter_map(Value::as_bytes).cloned().collect::<BTreeSet<_>>());
            let key = key_of(member.get("key").expect("required"), member.text("purpose"), member.text("status"));
            Key { products: member.texts("products"), tiers: member.texts("tiers"), honored, ..key }
        };
        self.payload.items("keys").iter().map(one).collect()
    }
}
