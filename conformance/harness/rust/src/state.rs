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

const DAY: i64 = 86_400;

/// A time that never goes back (docs/runtime.md, "Time"). The clock may lead it by more than a day: `led_for` is how long
/// the product ran since then, and `lowest` what the clock showed at least, moved on with the time that ran. `by_clk` says
/// that a license with `clk` has set it: then it counts only while an entry of the state counts.
#[derive(Default, Serialize, Deserialize)]
struct Floor {
    time: i64,
    led_for: i64,
    lowest: i64,
    by_clk: bool,
}

impl Floor {
    fn at(time: i64, by_clk: bool) -> Floor {
        Floor { time, by_clk, ..Floor::default() }
    }

    fn after(&self, ran: i64, clock: i64) -> Floor {
        let (time, led_for) = (self.time + ran, self.led_for + ran);
        if clock - time <= DAY {
            return Floor::at(time.max(clock), self.by_clk);
        }
        let lowest = if self.led_for == 0 { clock } else { clock.min(self.lowest + ran) };
        if led_for < 3 * DAY {
            Floor { time, led_for, lowest, by_clk: self.by_clk }
        } else {
            Floor::at(time.max(lowest), self.by_clk)
        }
    }
}

/// What the product remembers.
#[derive(Default, Serialize, Deserialize)]
struct State {
    entries: Vec<Entry>,
    floor: Floor,
}

impl State {
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a state is JSON")
    }
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
    state: State,
}

impl Installation {
    pub fn new(trust: Trust, context: Context) -> Installation {
        let state = State::default();
        let disk = Disk { state: state.to_json(), file: None };
        Installation { trust, clock: context.now, context, disk, state }
    }

    /// Forgets what is not durable. While the program was stopped, a file was put in place, or the state was deleted.
    pub fn restart(&mut self, file: Option<Vec<u8>>, lose_state: bool) -> Result<(), String> {
        if lose_state {
            self.disk.state = State::default().to_json();
        }
        self.disk.file = file.or(self.disk.file.take());
        self.state = serde_json::from_str(&self.disk.state).map_err(|error| error.to_string())?;
        Ok(())
    }

    /// What counts now: not what a revoked key signed, unless it is honored.
    fn seen(&self) -> Option<Seen> {
        let counts = |entry: &&Entry| self.trust.key(&entry.kid).is_none_or(|key| key.counts(&entry.digest));
        let counting: Vec<&Entry> = self.state.entries.iter().filter(counts).collect();
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
        let highest_iat = seen.as_ref().map_or(0, |seen| seen.highest_iat);
        let floor_counts = seen.is_some() || !self.state.floor.by_clk;
        let floor = if floor_counts { self.state.floor.time } else { 0 };
        self.context.now = self.clock.max(floor).max(highest_iat);
        self.context.clock = Some(self.clock);
        self.context.seen = seen;
        let license = verify(file, &self.trust, &self.context)?;
        if is_taken(&license) {
            if !floor_counts {
                self.state.floor = Floor::at(0, true);
            }
            self.take(&license);
        }
        Ok(license)
    }

    fn take(&mut self, license: &License) {
        let (counter, iat) = (license.claims.number("ctr"), license.claims.number("iat"));
        let seq = 1 + self.state.entries.iter().map(|entry| entry.seq).max().unwrap_or(0);
        let is_same = |entry: &Entry| entry.lineage == license.lineage && entry.kid == license.kid;
        let at = self.state.entries.iter().position(is_same).unwrap_or_else(|| {
            let (lineage, kid, digest) = (license.lineage.clone(), license.kid, license.digest);
            self.state.entries.push(Entry { lineage, kid, counter, digest, iat, seq });
            self.state.entries.len() - 1
        });
        let entry = &mut self.state.entries[at];
        if (counter, license.digest) > (entry.counter, entry.digest) {
            (entry.counter, entry.digest) = (counter, license.digest);
        }
        (entry.iat, entry.seq) = (entry.iat.max(iat), seq);
        if license.clk {
            self.state.entries.iter_mut().for_each(|entry| entry.iat = entry.iat.min(iat));
            self.state.floor = Floor::at(iat, true);
        }
        self.disk.state = self.state.to_json();
    }

    /// Sets the clock of the host, after so many seconds of running.
    pub fn set_time(&mut self, clock: i64, ran: i64) {
        self.clock = clock;
        if ran > 0 {
            self.state.floor = self.state.floor.after(ran, clock);
            self.disk.state = self.state.to_json();
        }
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
