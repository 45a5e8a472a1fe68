//! The protocol of docs/conformance.md, around verify.rs.

mod chain;
mod json;
mod keyfile;
mod keyset;
mod state;
mod trust;
mod values;
mod verify;

use base64::{engine::general_purpose::STANDARD, Engine};
use serde::Deserialize;
use serde_json::{json, Value};
use state::Installation;
use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, Write};
use trust::{Accepted, ConfigurationInvalid, Context, Key, Policy, Seen, Trust};
use values::{hex, layer_of, Digest, License, Reason};

#[derive(Deserialize)]
struct Request {
    op: String,
    license: Option<String>,
    trust: Option<GivenTrust>,
    context: Option<GivenContext>,
    clock: Option<i64>,
    #[serde(default)]
    ran: i64,
    #[serde(default, rename = "loseState")]
    lose_state: bool,
    #[serde(rename = "builtIn")]
    built_in: Option<String>,
    #[serde(default)]
    state: Vec<String>,
    file: Option<String>,
    issuer: Option<String>,
    #[serde(default, rename = "requireComposite")]
    require_composite: bool,
    #[serde(default)]
    environment: HashMap<String, String>,
    #[serde(default)]
    files: HashMap<String, String>,
}

#[derive(Deserialize)]
struct GivenKey {
    alg: String,
    public: String,
    purpose: String,
    status: String,
    products: Option<BTreeSet<String>>,
    tiers: Option<BTreeSet<String>>,
    honored: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenTrust {
    keys: Vec<GivenKey>,
    #[serde(default)]
    require_composite: bool,
    ed25519_until: Option<i64>,
    #[serde(default)]
    revoked_licenses: Vec<String>,
    #[serde(default)]
    lowest_counters: HashMap<String, i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenContext {
    issuer: Option<String>,
    product: Option<String>,
    now: Option<i64>,
    default_grace: Option<i64>,
    deployment: Option<String>,
    #[serde(default)]
    hosts: Vec<String>,
    build_date: Option<i64>,
    clock: Option<i64>,
    seen: Option<GivenSeen>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenSeen {
    current: String,
    highest_iat: i64,
    lineages: HashMap<String, GivenEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenEntry {
    counter: i64,
    payload_digest: String,
}

/// Why there is no verdict on the license.
enum Fault {
    ConfigurationInvalid,
    Misuse,
    Error(String),
}

impl From<ConfigurationInvalid> for Fault {
    fn from(_: ConfigurationInvalid) -> Fault {
        Fault::ConfigurationInvalid
    }
}

impl From<String> for Fault {
    fn from(sentence: String) -> Fault {
        Fault::Error(sentence)
    }
}

/// Bytes of lower-case hexadecimal.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let bytes: Vec<u8> = digits?.chunks(2).map(|pair| (pair[0] * 16 + pair.get(1).unwrap_or(&0)) as u8).collect();
    (hex(&bytes) == text).then_some(bytes)
}

fn unbase64(text: &str) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(text).map_err(|error| Fault::Error(error.to_string()))
}

fn read_license(given: &Option<String>) -> Result<Vec<u8>, Fault> {
    unbase64(given.as_ref().ok_or("the request has no license".to_string())?)
}

fn read_trust(given: Option<GivenTrust>) -> Result<Trust, Fault> {
    let given = given.ok_or("the request has no trust".to_string())?;
    let mut keys = Vec::new();
    for key in given.keys {
        let read = |list: &Vec<String>| list.iter().map(|digest| unhex(digest)).collect::<Option<_>>();
        let honored = key.honored.as_ref().map(|list| read(list).ok_or(Fault::ConfigurationInvalid));
        keys.push(Key {
            alg: key.alg,
            public: unbase64(&key.public)?,
            purpose: key.purpose,
            status: key.status,
            products: key.products,
            tiers: key.tiers,
            honored: honored.transpose()?,
        });
    }
    let policy = Policy {
        require_composite: given.require_composite,
        ed25519_until: given.ed25519_until,
        revoked: given.revoked_licenses.into_iter().collect(),
        lowest: given.lowest_counters,
    };
    Ok(Trust::new(keys, policy)?)
}

fn read_seen(given: GivenSeen) -> Option<Seen> {
    let mut lineages = HashMap::new();
    for (lineage, entry) in given.lineages {
        let digest = Digest::try_from(unhex(&entry.payload_digest)?).ok()?;
        lineages.insert(lineage, Accepted { counter: entry.counter, digest });
    }
    Some(Seen { current: given.current, highest_iat: given.highest_iat, lineages })
}

/// Nothing where the context is not one of section 9.
fn read_context(given: GivenContext, now: Option<i64>) -> Option<Context> {
    let context = Context {
        issuer: given.issuer?,
        product: given.product?,
        now: now?,
        default_grace: given.default_grace?,
        deployment: given.deployment,
        hosts: given.hosts.iter().map(|host| unhex(host)).collect::<Option<_>>()?,
        build_date: given.build_date,
        clock: given.clock,
        seen: match given.seen {
            Some(seen) => Some(read_seen(seen)?),
            None => None,
        },
    };
    context.is_good().then_some(context)
}

fn answer(verdict: Result<License, Reason>) -> Value {
    match verdict {
        Ok(license) => json!({
            "verdict": "accepted",
            "state": license.state,
            "payloadDigest": hex(&license.digest),
            "lineage": license.lineage,
        }),
        Err(reason) => json!({ "verdict": "refused", "layer": layer_of(reason), "reason": reason }),
    }
}

fn operation(request: Request, place: &mut Option<Installation>) -> Result<Value, Fault> {
    match request.op.as_str() {
        "hello" => Ok(json!({
            "protocol": 1,
            "name": "vtlic-rust",
            "version": env!("CARGO_PKG_VERSION"),
            "language": "Rust",
            "capabilities": ["verify", "state", "floor", "keysets", "override", "key-files"],
        })),
        "verify" => {
            let trust = read_trust(request.trust)?;
            judged(&request.license, request.context, &trust)
        }
        "choose-keyset" => choose_keyset(request),
        "override" => {
            let content = |(path, content): (String, String)| Ok((path, unbase64(&content)?));
            let files = request.files.into_iter().map(content).collect::<Result<_, Fault>>()?;
            let trust = keyfile::override_trust(read_trust(request.trust)?, &request.environment, &files)?;
            let key = |key: &Key| json!({ "kid": hex(&key.kid()), "purpose": key.purpose, "status": key.status });
            let keys: Vec<Value> = trust.keys().map(key).collect();
            let mut found = match request.license {
                Some(_) => judged(&request.license, request.context, &trust)?,
                None => json!({}),
            };
            found["keys"] = keys.into();
            found["requireComposite"] = trust.policy.require_composite.into();
            Ok(found)
        }
        "read-keys" => {
            let file = unbase64(&request.file.ok_or("the request has no file".to_string())?)?;
            let key = |key: &Key| json!({ "alg": key.alg, "kid": hex(&key.kid()) });
            Ok(match keyfile::read_keys(&file) {
                Ok(keys) => json!({ "keys": keys.iter().map(key).collect::<Vec<_>>() }),
                Err(reason) => json!({ "verdict": "refused", "reason": reason }),
            })
        }
        "reset" => {
            let trust = read_trust(request.trust)?;
            let given = request.context.ok_or(Fault::Misuse)?;
            let context = read_context(given, request.clock).ok_or(Fault::Misuse)?;
            *place = Some(Installation::new(trust, context));
            Ok(json!({ "verdict": "none" }))
        }
        _ => change(request, place.as_mut().ok_or("there was no reset".to_string())?),
    }
}

/// The verdict on the license of a request by this trust.
fn judged(license: &Option<String>, context: Option<GivenContext>, trust: &Trust) -> Result<Value, Fault> {
    let given = context.ok_or(Fault::Misuse)?;
    let now = given.now;
    let context = read_context(given, now).ok_or(Fault::Misuse)?;
    Ok(answer(verify::verify(&read_license(license)?, trust, &context)))
}

fn choose_keyset(request: Request) -> Result<Value, Fault> {
    let built_in = unbase64(&request.built_in.ok_or("the request has no chain".to_string())?)?;
    let issuer = request.issuer.ok_or("the request has no issuer".to_string())?;
    let copies = request.state.iter().map(|copy| unbase64(copy)).collect::<Result<Vec<_>, _>>()?;
    let file = request.file.as_deref().map(unbase64).transpose()?;
    let start = chain::Chain::built_in(&built_in, &issuer, request.require_composite)?;
    let (chain, source, notices) = start.choose(&copies, file.as_deref());
    let mut found = json!({});
    if request.license.is_some() {
        found = judged(&request.license, request.context, &chain.trust()?)?;
    }
    let notice = |notice: &chain::Notice| json!({ "source": notice.source, "reason": notice.reason });
    found["version"] = chain.version().into();
    found["source"] = source.into();
    found["notices"] = notices.iter().map(notice).collect();
    Ok(found)
}

fn change(request: Request, installed: &mut Installation) -> Result<Value, Fault> {
    match request.op.as_str() {
        "install" => return Ok(answer(installed.install(read_license(&request.license)?))),
        "set-time" => installed.set_time(request.clock.unwrap_or(installed.clock), request.ran),
        "rotate" => installed.trust = read_trust(request.trust)?,
        "restart" => {
            let file = request.license.as_deref().map(unbase64).transpose()?;
            installed.restart(file, request.lose_state)?;
            installed.clock = request.clock.unwrap_or(installed.clock);
        }
        other => return Err(Fault::Error(format!("{other} is not an operation of this harness"))),
    }
    Ok(installed.look().map_or_else(|| json!({ "verdict": "none" }), answer))
}

fn main() -> std::io::Result<()> {
    let (mut place, mut out) = (None, std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let given: Value = serde_json::from_str(&line?)?;
        let id = given["id"].clone();
        let done = serde_json::from_value(given).map_err(|error| Fault::Error(error.to_string()));
        let mut answer = match done.and_then(|request| operation(request, &mut place)) {
            Ok(answer) => answer,
            Err(Fault::ConfigurationInvalid) => json!({ "verdict": "configuration_invalid" }),
            Err(Fault::Misuse) => json!({ "verdict": "misuse" }),
            Err(Fault::Error(sentence)) => json!({ "error": sentence }),
        };
        answer["id"] = id;
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
