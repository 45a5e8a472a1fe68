//! Types and claims (section 7 of docs/format.md), and the verdict (section 2).

use ciborium::Value;
use std::collections::HashSet;

pub type Digest = [u8; 32];

/// One of the closed list of section 2.
pub type Reason = &'static str;

const LAYERS: [(&str, &[Reason]); 11] = [
    ("size", &["too_large"]),
    ("armor", &["armor_malformed"]),
    ("cbor", &["cbor_malformed", "cbor_not_deterministic"]),
    ("cose", &["cose_malformed", "typ_wrong", "alg_unknown"]),
    ("key", &["key_composite_only", "key_unknown", "key_algorithm_mismatch"]),
    ("signature", &["signature_invalid"]),
    ("claims", &["claims_malformed", "claims_unknown"]),
    ("policy", &["key_revoked", "key_wrong_purpose", "algorithm_not_allowed", "license_revoked", "superseded"]),
    ("binding", &["issuer_mismatch", "product_mismatch", "deployment_mismatch", "host_mismatch", "build_not_covered"]),
    ("lineage", &["lineage_not_newer"]),
    ("counter", &["counter_rolled_back", "counter_conflict"]),
];

pub fn layer_of(reason: Reason) -> &'static str {
    LAYERS.iter().find(|(_, reasons)| reasons.contains(&reason)).expect("the list is closed").0
}

/// A good license. `clk`: the claim had its effect (10.2).
pub struct License {
    pub state: &'static str,
    pub claims: Claims,
    pub kid: Digest,
    pub digest: Digest,
    pub lineage: String,
    pub clk: bool,
}

pub const MAX_INTEGER: i64 = (1 << 53) - 1;
pub const MAX_TIME: i64 = 253_402_300_799;
pub const MAX_GRACE: i64 = 31_622_400;

pub fn is_id(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    text.len() <= 128 && text.bytes().all(is_inner) && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}

pub fn is_lineage(text: &str) -> bool {
    (2..=3).contains(&text.matches('/').count()) && text.split('/').all(is_id)
}

pub fn is_time(time: i64) -> bool {
    (0..=MAX_TIME).contains(&time)
}

pub fn is_integer(value: &Value, low: i64, high: i64) -> bool {
    value.as_integer().is_some_and(|number| (i128::from(low)..=i128::from(high)).contains(&number.into()))
}

pub fn is_id_value(value: &Value) -> bool {
    value.as_text().is_some_and(is_id)
}

fn is_text(value: &Value, high: usize) -> bool {
    value.as_text().is_some_and(|text| (1..=high).contains(&text.chars().count()))
}

pub fn is_uuid7(value: &Value) -> bool {
    value.as_bytes().is_some_and(|id| id.len() == 16 && id[6] >> 4 == 7 && id[8] >> 6 == 2)
}

pub fn is_fingerprint(value: &Value) -> bool {
    value.as_bytes().is_some_and(|bytes| bytes.len() == 32)
}

/// Sorted by the bytes of the items, each once. The order of Rust for strings is that of their bytes.
pub fn is_sorted(value: &Value, high: usize, is_good: fn(&Value) -> bool) -> bool {
    let content = |item: &Value| item.as_bytes().cloned().or_else(|| item.as_text().map(|text| text.into()));
    value.as_array().is_some_and(|items| {
        let sorted = items.windows(2).all(|pair| content(&pair[0]) < content(&pair[1]));
        (1..=high).contains(&items.len()) && items.iter().all(is_good) && sorted
    })
}

pub fn is_entries_of(
    value: &Value,
    low: usize,
    high: usize,
    is_name: fn(&str) -> bool,
    is_good: fn(&Value) -> bool,
) -> bool {
    value.as_map().is_some_and(|pairs| {
        let good = pairs.iter().all(|(key, item)| key.as_text().is_some_and(is_name) && is_good(item));
        (low..=high).contains(&pairs.len()) && good
    })
}

fn is_entries(value: &Value, low: usize, high: usize, is_good: fn(&Value) -> bool) -> bool {
    is_entries_of(value, low, high, is_id, is_good)
}

fn is_extension(value: &Value) -> bool {
    match value {
        Value::Map(_) => is_entries(value, 0, usize::MAX, is_extension),
        Value::Array(items) => items.iter().all(is_extension),
        _ => true,
    }
}

/// The registered claims, by their number.
const REGISTERED: [&str; 8] = ["", "iss", "sub", "aud", "exp", "nbf", "iat", "cti"];

pub const REQUIRED: [&str; 10] = ["iss", "sub", "aud", "exp", "nbf", "iat", "cti", "ctr", "tier", "seats"];

/// The name of a claim. The text `iss` is not the key 1.
fn name_of(key: &Value) -> Option<&str> {
    match key {
        Value::Text(text) => Some(text.as_str()).filter(|name| !REGISTERED.contains(name)),
        Value::Integer(number) => {
            let at = usize::try_from(i128::from(*number)).ok()?;
            REGISTERED.get(at).copied().filter(|name| !name.is_empty())
        }
        _ => None,
    }
}

/// Nothing where the claim is unknown.
pub fn is_good_claim(key: &Value, value: &Value) -> Option<bool> {
    Some(match name_of(key)? {
        "iss" | "sub" | "aud" | "tier" | "dep" => is_id_value(value),
        "exp" | "nbf" | "iat" | "upd" | "offline" => is_integer(value, 0, MAX_TIME),
        "cti" => is_uuid7(value),
        "ctr" | "instances" => is_integer(value, 1, MAX_INTEGER),
        "seats" => is_integer(value, 0, MAX_INTEGER) || value.as_text() == Some("unlimited"),
        "features" => is_sorted(value, 256, is_id_value),
        "limits" => is_entries(value, 1, 256, |count| is_integer(count, 0, MAX_INTEGER)),
        "hosts" => is_sorted(value, 1024, is_fingerprint),
        "grace" => is_integer(value, 0, MAX_GRACE),
        "name" => is_text(value, 200),
        "ref" => is_text(value, 100),
        "use" => matches!(value.as_text(), Some("non-production" | "trial" | "emergency")),
        "clk" => value.as_bool() == Some(true),
        "ext" => is_entries(value, 1, 64, is_extension),
        _ => return None,
    })
}

/// The claims of a payload, in its order.
pub struct Claims(pub Vec<(Value, Value)>);

impl Claims {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| name_of(key) == Some(name)).map(|(_, value)| value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_text).unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> i64 {
        let number = self.get(name).and_then(Value::as_integer);
        number.and_then(|number| i64::try_from(number).ok()).unwrap_or_default()
    }

    pub fn hosts(&self) -> HashSet<Vec<u8>> {
        let hosts = self.get("hosts").and_then(Value::as_array);
        hosts.into_iter().flatten().filter_map(Value::as_bytes).cloned().collect()
    }

    /// `cti` as text.
    pub fn license_id(&self) -> String {
        self.get("cti").and_then(Value::as_bytes).map(|id| uuid_text(id)).unwrap_or_default()
    }

    /// The text of section 7.1.
    pub fn lineage(&self) -> String {
        let names = ["iss", "aud", "sub", "dep"].into_iter().filter(|name| self.has(name));
        names.map(|name| self.text(name)).collect::<Vec<_>>().join("/")
    }
}

pub fn uuid_text(id: &[u8]) -> String {
    let id = hex(id);
    format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..])
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
