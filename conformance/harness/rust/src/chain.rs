//! Chains of keysets (K3 to K6 of docs/keysets.md): which version counts, and the trust that follows.

use crate::keyset::{read_keyset, Keyset, Members};
use crate::trust::{is_good_point, ConfigurationInvalid, Key, Policy, Trust, COMPOSITE};
use crate::values::{uuid_text, Digest, Reason};
use crate::verify::{decode_block, refuse_if, signature_valid};
use ciborium::Value;
use std::collections::{HashMap, HashSet};

const MAX_CHAIN_BYTES: usize = 16_777_216;
const MAX_BLOCKS: usize = 4_096;
const MAX_KEYSET_BYTES: usize = 524_288;
const END: &[u8] = b"-----END VTLIC KEYSET-----";

/// The blocks of a chain, block by block, in order (K3). What is before a block belongs to it.
fn each_block(chain: &[u8], mut take: impl FnMut(Vec<u8>) -> Result<(), Reason>) -> Result<(), Reason> {
    refuse_if(chain.len() > MAX_CHAIN_BYTES, "keyset_too_large")?;
    let skip = |at: usize| chain[at..].iter().take_while(|byte| b"\t\n\r ".contains(byte)).count() + at;
    let (mut at, mut count, mut on_new_line) = (skip(0), 0, true);
    while count == 0 || at < chain.len() {
        refuse_if(count == MAX_BLOCKS, "keyset_too_large")?;
        refuse_if(!on_new_line, "keyset_armor_malformed")?;
        let end = chain[at..].windows(END.len()).position(|window| window == END);
        let end = end.ok_or("keyset_armor_malformed")? + END.len() + at;
        let decoded = decode_block(&chain[at..end], "VTLIC KEYSET").ok_or("keyset_armor_malformed")?;
        refuse_if(decoded.len() > MAX_KEYSET_BYTES, "keyset_too_large")?;
        take(decoded)?;
        at = skip(end);
        on_new_line = chain[end..at].contains(&b'\n');
        count += 1;
    }
    Ok(())
}

/// A trusted chain (K3 to K6).
pub struct Chain {
    require_composite: bool,
    composite_roots: bool,
    newest: Option<std::rc::Rc<Keyset>>,
    digests: HashMap<i64, Digest>,
    purposes: HashMap<Digest, String>,
    components: HashMap<Vec<u8>, Digest>,
    former_roots: HashMap<Digest, Key>,
}

pub struct Notice {
    pub source: &'static str,
    pub reason: Reason,
}

fn are_good_points(keys: &[Key]) -> bool {
    keys.iter().all(|key| is_good_point(&key.public[key.public.len() - 32..]))
}

impl Chain {
    /// K5, rule 1: the signatures are not judged.
    pub fn built_in(file: &[u8], issuer: &str, require_composite: bool) -> Result<Chain, ConfigurationInvalid> {
        let mut chain = Chain {
            require_composite,
            composite_roots: require_composite,
            newest: None,
            digests: HashMap::new(),
            purposes: HashMap::new(),
            components: HashMap::new(),
            former_roots: HashMap::new(),
        };
        each_block(file, |block| {
            let next = read_keyset(&block)?;
            refuse_if(next.payload.text("iss") != issuer, "keyset_issuer_mismatch")?;
            refuse_if(next.version() <= chain.version(), "keyset_not_ascending")?;
            refuse_if(!are_good_points(&next.roots()), "keyset_key_invalid")?;
            chain.add(next)
        })
        .map_err(|_| ConfigurationInvalid)?;
        Ok(chain)
    }

    /// 0 before the first.
    pub fn version(&self) -> i64 {
        self.newest.as_ref().map_or(0, |newest| newest.version())
    }

    /// Rule 8 of K4; then the version is the newest.
    fn add(&mut self, next: Keyset) -> Result<(), Reason> {
        let (keys, roots) = (next.keys(), next.roots());
        refuse_if(!are_good_points(&keys), "keyset_key_invalid")?;
        let (mut purposes, mut components) = (self.purposes.clone(), self.components.clone());
        for key in roots.iter().chain(&keys) {
            let purpose = purposes.entry(key.kid()).or_insert_with(|| key.purpose.clone());
            refuse_if(*purpose != key.purpose, "keyset_purpose_changed")?;
        }
        for key in roots.iter().chain(&keys) {
            for part in key.components() {
                let owner = *components.entry(part.to_vec()).or_insert_with(|| key.kid());
                refuse_if(owner != key.kid(), "keyset_component_shared")?;
            }
        }
        let kids: HashSet<Digest> = keys.iter().map(Key::kid).collect();
        let before = self.newest.as_ref().map(|newest| newest.keys()).unwrap_or_default();
        refuse_if(before.iter().any(|key| !kids.contains(&key.kid())), "keyset_key_removed")?;
        (self.purposes, self.components) = (purposes, components);
        self.former_roots.extend(roots.into_iter().map(|root| (root.kid(), root)));
        self.digests.insert(next.version(), next.digest);
        self.composite_roots = self.composite_roots || !next.policy().0.is_empty();
        self.newest = Some(next.into());
        Ok(())
    }

    /// Rules 3 to 8 of K4.
    fn accept(&mut self, next: Keyset) -> Result<(), Reason> {
        let newest = self.newest.clone().expect("a built-in chain has a version");
        if next.version() <= newest.version() {
            let known = self.digests.get(&next.version());
            return refuse_if(known.is_some_and(|digest| *digest != next.digest), "keyset_conflict");
        }
        refuse_if(!are_good_points(&next.roots()), "keyset_key_invalid")?;
        let known: HashMap<Digest, Key> =
            newest.roots().into_iter().chain(next.roots()).map(|root| (root.kid(), root)).collect();
        let mut signed = HashSet::new();
        for signer in &next.signers {
            if let Some(root) = known.get(&signer.kid) {
                let alg: Value = if root.alg == COMPOSITE { COMPOSITE.into() } else { (-19).into() };
                let is_valid = signer.alg == alg && signature_valid(root, &signer.signature, &signer.signed);
                refuse_if(!is_valid, "keyset_signature_invalid")?;
                signed.insert(signer.kid);
            }
        }
        let count = |keyset: &Keyset, composite_only: bool| {
            let counts = |root: &Key| signed.contains(&root.kid()) && (!composite_only || root.alg == COMPOSITE);
            keyset.roots().into_iter().filter(counts).count()
        };
        refuse_if(count(&newest, self.composite_roots) < newest.threshold(), "keyset_threshold_previous")?;
        let own_only = self.composite_roots || !next.policy().0.is_empty();
        refuse_if(count(&next, own_only) < next.threshold(), "keyset_threshold_own")?;
        self.add(next)
    }

    /// Takes what continues the chain. Returns the newest version of the file, and the fault that ended it.
    fn extend(&mut self, file: &[u8]) -> (i64, Option<Reason>) {
        let (mut last, issuer) = (0, self.newest.as_ref().map(|newest| newest.payload.text("iss").to_string()));
        let done = each_block(file, |block| {
            let next = read_keyset(&block)?;
            refuse_if(Some(next.payload.text("iss")) != issuer.as_deref(), "keyset_issuer_mismatch")?;
            refuse_if(next.version() <= last, "keyset_not_ascending")?;
            last = next.version();
            self.accept(next)
        });
        (last, done.err())
    }

    /// K5: the chain that counts, where it is from, and the notices.
    pub fn choose(self, copies: &[Vec<u8>], file: Option<&[u8]>) -> (Chain, &'static str, Vec<Notice>) {
        let (mut chain, mut source, mut notices) = (self, "built-in", Vec::new());
        let copies = copies.iter().map(|copy| ("state", copy.as_slice()));
        for (name, data) in copies.chain(file.map(|file| ("file", file))) {
            let before = chain.version();
            let (last, fault) = chain.extend(data);
            source = if chain.version() > before { name } else { source };
            let reason = fault.or((name == "file" && last < before).then_some("keyset_older"));
            notices.extend(reason.map(|reason| Notice { source: name, reason }));
        }
        (chain, source, notices)
    }

    /// K6.
    pub fn trust(&self) -> Result<Trust, ConfigurationInvalid> {
        let newest = self.newest.as_ref().expect("a built-in chain has a version");
        let keys = newest.keys().into_iter().chain(self.former_roots.values().cloned()).collect();
        let lowest = newest.payload.get("lowest").map_or(Members(Vec::new()), Members::of);
        let counter = |(name, count): &(Value, Value)| {
            let count = count.as_integer().and_then(|count| i64::try_from(count).ok());
            Some((name.as_text()?.to_string(), count?))
        };
        let revoked = newest.payload.items("revoked").iter().filter_map(Value::as_bytes);
        let policy = Policy {
            require_composite: self.require_composite || newest.policy().get("composite").is_some(),
            ed25519_until: newest.policy().number("ed25519_until"),
            revoked: revoked.map(|id| uuid_text(id)).collect(),
            lowest: lowest.0.iter().filter_map(counter).collect(),
        };
        Trust::new(keys, policy)
    }
}
