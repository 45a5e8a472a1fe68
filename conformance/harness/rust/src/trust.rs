//! What a caller gives to a verifier (sections 6, 8 and 9 of docs/format.md), judged as a whole when it is made.

use crate::values::{is_id, is_lineage, is_time, Digest, MAX_GRACE, MAX_INTEGER};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeSet, HashMap, HashSet};

pub const COMPOSITE: &str = "ed25519+ml-dsa-65";
const ALGORITHMS: [(&str, usize); 2] = [("ed25519", 32), (COMPOSITE, 1984)];
const PURPOSES: [&str; 9] =
    ["license", "license-key", "root", "ledger", "approval", "transcript", "counters", "release", "receipt"];
const STATUSES: [&str; 4] = ["pre-published", "active", "retired", "revoked"];

/// The encodings of the points of small order.
pub const SMALL_ORDER: [Digest; 8] = [
    encoding("0100000000000000000000000000000000000000000000000000000000000000"),
    encoding("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    encoding("0000000000000000000000000000000000000000000000000000000000000000"),
    encoding("0000000000000000000000000000000000000000000000000000000000000080"),
    encoding("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    encoding("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    encoding("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    encoding("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
];
/// A sign on the two points with x = 0 (criterion 1).
const SIGNED_ZERO: [Digest; 2] = [
    encoding("0100000000000000000000000000000000000000000000000000000000000080"),
    encoding("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
];

const fn encoding(text: &str) -> Digest {
    let (text, mut bytes, mut i) = (text.as_bytes(), [0; 32], 0);
    while i < 64 {
        let digit = if text[i] <= b'9' { text[i] - b'0' } else { text[i] - b'a' + 10 };
        bytes[i / 2] = bytes[i / 2] << 4 | digit;
        i += 1;
    }
    bytes
}

/// Criteria 1 to 3 of section 6.4: `VerifyingKey` does 3, and takes keys that are not canonical.
pub fn is_good_point(public: &[u8]) -> bool {
    let Ok(mut number) = Digest::try_from(public) else {
        return false;
    };
    if SIGNED_ZERO.contains(&number) || SMALL_ORDER.contains(&number) || VerifyingKey::from_bytes(&number).is_err() {
        return false;
    }
    number[31] &= 0x7f;
    let is_below_p = number[0] < 0xed || number[31] < 0x7f || number[1..31] != [0xff; 30];
    is_below_p
}

/// A COSE_Key, which is the input of the kid (6.2), is this and the public key.
pub fn cose_key_head(alg: &str) -> Vec<u8> {
    match alg {
        "ed25519" => b"\xa3\x01\x01\x20\x06\x21\x58\x20".to_vec(),
        _ => [b"\xa3\x01\x07\x03\x71", COMPOSITE.as_bytes(), b"\x20\x59\x07\xc0"].concat(),
    }
}

fn kid_of(alg: &str, public: &[u8]) -> Digest {
    Sha256::digest([&cose_key_head(alg), public].concat()).into()
}

/// A trusted key. Without a list of products or tiers it signs for every one.
#[derive(Clone, PartialEq)]
pub struct Key {
    pub alg: String,
    pub public: Vec<u8>,
    pub purpose: String,
    pub status: String,
    pub products: Option<BTreeSet<String>>,
    pub tiers: Option<BTreeSet<String>>,
    pub honored: Option<BTreeSet<Vec<u8>>>,
}

impl Key {
    /// The thumbprint of section 6.2.
    pub fn kid(&self) -> Digest {
        kid_of(&self.alg, &self.public)
    }

    /// The Ed25519 one first (8.2).
    pub fn components(&self) -> Vec<&[u8]> {
        let (mldsa65, ed25519) = self.public.split_at(self.public.len() - 32);
        if mldsa65.is_empty() {
            vec![ed25519]
        } else {
            vec![ed25519, mldsa65]
        }
    }

    /// Whether what the key signed still counts.
    pub fn counts(&self, payload: &Digest) -> bool {
        self.status != "revoked" || self.honored.iter().flatten().any(|digest| digest == payload)
    }

    fn is_good(&self) -> bool {
        let has_length = ALGORITHMS.contains(&(&self.alg, self.public.len()));
        let words = PURPOSES.contains(&&*self.purpose) && STATUSES.contains(&&*self.status);
        let scope = self.products.iter().chain(&self.tiers).flatten().all(|id| is_id(id));
        let digests = self.honored.iter().flatten().all(|digest| digest.len() == 32 && self.status == "revoked");
        has_length && words && scope && digests && is_good_point(&self.public[self.public.len() - 32..])
    }
}

/// Lineages and license ids are texts, in their one spelling.
#[derive(Default)]
pub struct Policy {
    pub require_composite: bool,
    pub ed25519_until: Option<i64>,
    pub revoked: HashSet<String>,
    pub lowest: HashMap<String, i64>,
}

/// The trust of section 8.1.
pub struct Trust {
    keys: HashMap<Digest, Key>,
    component_kids: HashSet<Digest>,
    pub policy: Policy,
}

/// The trust is at fault as a whole (8.1).
#[derive(Debug)]
pub struct ConfigurationInvalid;

impl Trust {
    pub fn new(list: Vec<Key>, policy: Policy) -> Result<Trust, ConfigurationInvalid> {
        let (mut keys, mut component_kids, mut owners) = (HashMap::new(), HashSet::new(), HashMap::new());
        let is_policy = policy.ed25519_until.is_none_or(is_time)
            && policy.revoked.iter().all(|id| is_license_id(id))
            && policy.lowest.iter().all(|(name, counter)| is_lineage(name) && (0..=MAX_INTEGER).contains(counter));
        let mut good = is_policy;
        for key in list.into_iter() {
            good = good && key.is_good();
            if !good {
                return Err(ConfigurationInvalid);
            }
            let kid = key.kid();
            for part in key.components() {
                good = good && *owners.entry(part.to_vec()).or_insert(kid) == kid;
            }
            if key.alg == COMPOSITE {
                component_kids.insert(kid_of("ed25519", key.components()[0]));
            }
            good = good && *keys.entry(kid).or_insert_with(|| key.clone()) == key;
        }
        if good {
            Ok(Trust { keys, component_kids, policy })
        } else {
            Err(ConfigurationInvalid)
        }
    }

    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    pub fn key(&self, kid: &Digest) -> Option<&Key> {
        self.keys.get(kid)
    }

    pub fn is_component(&self, kid: &Digest) -> bool {
        self.component_kids.contains(kid)
    }
}

/// A UUID of version 7, as text.
fn is_license_id(text: &str) -> bool {
    let is_good = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'7',
        19 => b"89ab".contains(&byte),
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_good)
}

/// The highest counter of a lineage, and the digest of the payload that had it.
pub struct Accepted {
    pub counter: i64,
    pub digest: Digest,
}

/// What was accepted before.
pub struct Seen {
    pub current: String,
    pub highest_iat: i64,
    pub lineages: HashMap<String, Accepted>,
}

/// The context of section 9: who verifies, where and when.
pub struct Context {
    pub issuer: String,
    pub product: String,
    pub now: i64,
    pub default_grace: i64,
    pub deployment: Option<String>,
    pub hosts: HashSet<Vec<u8>>,
    pub build_date: Option<i64>,
    pub clock: Option<i64>,
    pub seen: Option<Seen>,
}

impl Context {
    /// A verifier is not called with a context that is not good.
    pub fn is_good(&self) -> bool {
        is_id(&self.issuer)
            && is_id(&self.product)
            && is_time(self.now)
            && (0..=MAX_GRACE).contains(&self.default_grace)
            && self.deployment.as_deref().is_none_or(is_id)
            && self.hosts.iter().all(|host| host.len() == 32)
            && self.build_date.is_none_or(is_time)
            && self.clock.is_none_or(is_time)
            && self.seen.as_ref().is_none_or(Seen::is_good)
    }
}

impl Seen {
    fn is_good(&self) -> bool {
        self.lineages.contains_key(&self.current)
            && is_time(self.highest_iat)
            && self.lineages.keys().all(|lineage| is_lineage(lineage))
            && self.lineages.values().all(|accepted| (1..=MAX_INTEGER).contains(&accepted.counter))
    }
}
