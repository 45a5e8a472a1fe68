//! The state of one installation (docs/runtime.md, and "A verifier with state" of docs/conformance.md).

use crate::trust::{Accepted, Context, Seen, Trust};
use crate::values::{Digest, License, Reason};
use crate::verify::verify;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What was accepted in a lineage under a key.
#[derive(Serialize, Deserialize)]
struct Entry {
    lineage: String,
    kid: Digest,
    counter: i64,
    digest: Digest,
    iat: i64,
    seq: u64,
}

/// What is durable: the state, as JSON, and the file in place.
struct Disk {
    state: String,
    file: Option<Vec<u8>>,
}

/// A product on one host.
pub struct Installation {
    pub trust: Trust,
    context: Context,
    pub clock: i64,
    disk: Disk,
    entries: Vec<Entry>,
}

impl Installation {
    pub fn new(trust: Trust, context: Context) -> Installation {
        let disk = Disk { state: "[]".into(), file: None };
        Installation { trust, clock: context.now, context, disk, entries: Vec::new() }
    }

    /// Forgets what is not durable. While the program was stopped, a file was put in place, or the state was deleted.
    pub fn restart(&mut self, file: Option<Vec<u8>>, lose_state: bool) -> Result<(), String> {
        if lose_state {
            self.disk.state = "[]".into();
        }
        self.disk.file = file.or(self.disk.file.take());
        self.entries = serde_json::from_str(&self.disk.state).map_err(|error| error.to_string())?;
        Ok(())
    }

    /// What counts now: not what a revoked key signed, unless it is honored.
    fn seen(&self) -> Option<Seen> {
        let counts = |entry: &&Entry| self.trust.key(&entry.kid).is_none_or(|key| key.counts(&entry.digest));
        let counting: Vec<&Entry> = self.entries.iter().filter(counts).collect();
        let current = counting.iter().max_by_key(|entry| entry.seq)?.lineage.clone();
        let highest_iat = counting.iter().map(|entry| entry.iat).max()?;
        let mut lineages: HashMap<String, Accepted> = HashMap::new();
        for entry in counting {
            let accepted = Accepted { counter: entry.counter, digest: entry.digest };
            match lineages.get(&entry.lineage) {
                Some(before) if (before.counter, before.digest) >= (entry.counter, entry.digest) => {}
                _ => drop(lineages.insert(entry.lineage.clone(), accepted)),
            }
        }
        Some(Seen { current, highest_iat, lineages })
    }

    /// Judges a file, and takes it if it is active or in grace.
    fn judge(&mut self, file: &[u8]) -> Result<License, Reason> {
        let seen = self.seen();
        self.context.now = seen.as_ref().map_or(self.clock, |seen| self.clock.max(seen.highest_iat));
        self.context.clock = Some(self.clock);
        self.context.seen = seen;
        let license = verify(file, &self.trust, &self.context)?;
        if is_taken(&license) {
            self.take(&license);
        }
        Ok(license)
    }

    fn take(&mut self, license: &License) {
        let (counter, iat) = (license.claims.number("ctr"), license.claims.number("iat"));
        let seq = 1 + self.entries.iter().map(|entry| entry.seq).max().unwrap_or(0);
        let is_same = |entry: &Entry| entry.lineage == license.lineage && entry.kid == license.kid;
        let at = self.entries.iter().position(is_same).unwrap_or_else(|| {
            let (lineage, kid, digest) = (license.lineage.clone(), license.kid, license.digest);
            self.entries.push(Entry { lineage, kid, counter, digest, iat, seq });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[at];
        if counter >= entry.counter {
            (entry.counter, entry.digest) = (counter, license.digest);
        }
        (entry.iat, entry.seq) = (entry.iat.max(iat), seq);
        if license.clk {
            self.entries.iter_mut().for_each(|entry| entry.iat = entry.iat.min(iat));
        }
        self.disk.state = serde_json::to_string(&self.entries).expect("entries are JSON");
    }

    pub fn install(&mut self, file: Vec<u8>) -> Result<License, Reason> {
        let license = self.judge(&file)?;
        if is_taken(&license) {
            self.disk.file = Some(file);
        }
        Ok(license)
    }

    /// Judges what is in place, if there is anything.
    pub fn look(&mut self) -> Option<Result<License, Reason>> {
        let file = self.disk.file.clone()?;
        Some(self.judge(&file))
    }
}

fn is_taken(license: &License) -> bool {
    matches!(license.state, "active" | "grace")
}
