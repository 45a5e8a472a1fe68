import { createPublicKey, hash, verify as verify$1 } from "node:crypto";
// formats/error.ts
var VtlicError = class VtlicError extends Error {
	name = "VtlicError";
	code;
	place;
	hint;
	/** @param message one sentence: what was expected and what came; untrusted text in it goes through `cleanText` first. */
	constructor(code, message, details = {}) {
		super(message, details.cause === void 0 ? void 0 : { cause: details.cause });
		const { hint, cause: _cause, ...place } = details;
		this.code = code;
		this.place = Object.freeze(place);
		this.hint = hint;
	}
	/** The same fault, told with more of its place: what a caller knows that the thrower did not (a file name, say). */
	at(place) {
		return new VtlicError(this.code, this.message, {
			...place,
			...this.place,
			...this.hint === void 0 ? {} : { hint: this.hint },
			cause: this.cause
		});
	}
};
// formats/license/license.ts
/** A byte string inside `ext`, as lower-case hex digits. */
var ExtBytes = class {
	hex;
	constructor(hex) {
		this.hex = hex;
		Object.freeze(this);
	}
};
// formats/bytes.ts
/** Plain byte work that every room needs. All results are fresh arrays. */
function concatBytes(...parts) {
	let length = 0;
	for (const part of parts) length += part.length;
	const out = new Uint8Array(length);
	let offset = 0;
	for (const part of parts) {
		out.set(part, offset);
		offset += part.length;
	}
	return out;
}
/**
* A copy of `bytes[from..to)` that is a plain `Uint8Array`: a Node `Buffer` is a `Uint8Array` too, but its own `slice` shares memory.
*/
function copyBytes(bytes, from = 0, to = bytes.length) {
	const copy = new Uint8Array(to - from);
	copy.set(bytes.subarray(from, to));
	return copy;
}
/** Equality of public bytes; not constant time. */
function equalBytes(a, b) {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
/** Lower-case hex, two digits a byte. */
function toHex(bytes) {
	let out = "";
	for (const byte of bytes) out += HEX[byte] ?? "";
	return out;
}
/** Bytes of an even number of hex digits in either case; undefined for anything else. */
function fromHex(text) {
	if (text.length % 2 !== 0) return void 0;
	const out = new Uint8Array(text.length / 2);
	for (let i = 0; i < out.length; i++) {
		const high = digitOf(text.charCodeAt(2 * i));
		const low = digitOf(text.charCodeAt(2 * i + 1));
		if ((high | low) < 0) return void 0;
		out[i] = high << 4 | low;
	}
	return out;
}
/** -1 for what is no hex digit. */
function digitOf(code) {
	if (code >= 48 && code <= 57) return code - 48;
	const letter = code | 32;
	return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
const encoder$1 = new TextEncoder();
function utf8(text) {
	return encoder$1.encode(text);
}
// formats/base64.ts
/**
* Base64 and base64url (RFC 4648 §4 and §5), canonical spellings only.
*
* Written out by table so that it runs the same in every JavaScript engine.
*/
const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** Byte → its six bits, or -1: with a negative in it, the bitwise or of four entries is negative. */
function valuesOf(alphabet) {
	const values = (/* @__PURE__ */ new Int8Array(256)).fill(-1);
	for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
	return values;
}
const STANDARD_VALUES = valuesOf(STANDARD);
const URL_SAFE_VALUES = valuesOf(URL_SAFE);
const PAD = 61;
utf8(STANDARD);
utf8(URL_SAFE);
new TextDecoder();
/** The bytes of canonical base64: padded, unused bits zero, nothing else in it; undefined for any other text. */
function decodeBase64(text) {
	const source = utf8(text);
	const target = new Uint8Array(Math.floor(source.length / 4) * 3);
	const end = decodeBase64Into(source, 0, source.length, target, 0);
	return end < 0 ? void 0 : target.slice(0, end);
}
/**
* Decodes the base64 characters `source[start..end)` into `target` from `at`, which must have room.
*
* @returns the offset in `target` behind the last byte written, or -1 where the characters are not canonical padded base64
* (the length is no multiple of four, a strange character, padding elsewhere than at the end, unused bits that are not zero).
*/
function decodeBase64Into(source, start, end, target, at) {
	if ((end - start) % 4 !== 0) return -1;
	const padded = end > start && source[end - 1] === PAD;
	const whole = padded ? end - 4 : end;
	let to = at;
	for (let i = start; i < whole; i += 4) {
		const group = valueAt(STANDARD_VALUES, source, i) << 18 | valueAt(STANDARD_VALUES, source, i + 1) << 12 | valueAt(STANDARD_VALUES, source, i + 2) << 6 | valueAt(STANDARD_VALUES, source, i + 3);
		if (group < 0) return -1;
		target[to] = group >> 16;
		target[to + 1] = group >> 8;
		target[to + 2] = group;
		to += 3;
	}
	if (!padded) return to;
	return decodeTail(STANDARD_VALUES, source, whole, source[end - 2] === PAD ? 2 : 3, target, to);
}
/** The bytes of base64url without padding, unused bits zero; undefined for any other text. */
function decodeBase64Url(text) {
	const source = utf8(text);
	const tail = source.length % 4;
	if (tail === 1) return void 0;
	const whole = source.length - tail;
	const target = new Uint8Array(whole / 4 * 3 + (tail === 0 ? 0 : tail - 1));
	let to = 0;
	for (let i = 0; i < whole; i += 4) {
		const group = valueAt(URL_SAFE_VALUES, source, i) << 18 | valueAt(URL_SAFE_VALUES, source, i + 1) << 12 | valueAt(URL_SAFE_VALUES, source, i + 2) << 6 | valueAt(URL_SAFE_VALUES, source, i + 3);
		if (group < 0) return void 0;
		target[to] = group >> 16;
		target[to + 1] = group >> 8;
		target[to + 2] = group;
		to += 3;
	}
	if (tail !== 0 && decodeTail(URL_SAFE_VALUES, source, whole, tail === 2 ? 2 : 3, target, to) < 0) return void 0;
	return target;
}
function valueAt(values, source, offset) {
	return values[source[offset] ?? 0] ?? -1;
}
/** The last two or three characters, which hold one or two bytes and then bits that must be zero. */
function decodeTail(values, source, from, characters, target, at) {
	const high = valueAt(values, source, from) << 12 | valueAt(values, source, from + 1) << 6;
	if (characters === 2) {
		if (high < 0 || (high & 1023) !== 0) return -1;
		target[at] = high >> 10;
		return at + 1;
	}
	const group = high | valueAt(values, source, from + 2);
	if (group < 0 || (group & 3) !== 0) return -1;
	target[at] = group >> 10;
	target[at + 1] = group >> 2;
	return at + 2;
}
// formats/cose-algorithm.ts
const ALGORITHMS = Object.freeze({
	ed25519: Object.freeze({
		wire: -19,
		publicKeyBytes: 32,
		privateKeyBytes: 32,
		signatureBytes: 64
	}),
	"ed25519+ml-dsa-65": Object.freeze({
		wire: "ed25519+ml-dsa-65",
		publicKeyBytes: 1984,
		privateKeyBytes: 64,
		signatureBytes: 3373
	})
});
/** The algorithm of a COSE `alg` value; undefined for every other value, whatever its type. */
function algorithmOfWire(wire) {
	if (wire === -19) return "ed25519";
	return wire === "ed25519+ml-dsa-65" ? "ed25519+ml-dsa-65" : void 0;
}
// formats/cose-key.ts
/**
* COSE_Key (RFC 9052 §7): the public form, which is also the input of the thumbprint (RFC 9679), and the private form inside a key file.
*
* Every form has fixed bytes around the key, so reading is a comparison with them: one spelling a key, and no second copy
* of a private key is left behind by a parser.
*
* | | fixed bytes |
* |---|---|
* | Ed25519 public | `a3 01 01 20 06 21 58 20` x |
* | Ed25519 private | `a4 01 01 20 06 21 58 20` x `23 58 20` d |
* | composite public | `a3 01 07 03 71` "ed25519+ml-dsa-65" `20 59 07 c0` pub |
* | composite private | `a4 01 07 03 71` "ed25519+ml-dsa-65" `20 59 07 c0` pub `21 58 40` priv |
*/
const FRAMES = {
	ed25519: {
		beforePublic: Uint8Array.of(1, 1, 32, 6, 33, 88, 32),
		beforePrivate: Uint8Array.of(35, 88, 32)
	},
	"ed25519+ml-dsa-65": {
		beforePublic: concatBytes(Uint8Array.of(1, 7, 3, 113), utf8("ed25519+ml-dsa-65"), Uint8Array.of(32, 89, 7, 192)),
		beforePrivate: Uint8Array.of(33, 88, 64)
	}
};
const ALGORITHM_NAMES = ["ed25519", "ed25519+ml-dsa-65"];
const PUBLIC_HEAD = 163;
const PRIVATE_HEAD = 164;
/**
* The public form: 40 bytes for Ed25519, 2010 for the composite. Its SHA-256 is the kid (RFC 9679).
*
* @throws VtlicError `key_invalid` for a key of another length
*/
function encodeCoseKey(alg, publicBytes) {
	requireLength("public", alg, publicBytes, ALGORITHMS[alg].publicKeyBytes);
	return concatBytes(Uint8Array.of(PUBLIC_HEAD), FRAMES[alg].beforePublic, publicBytes);
}
/**
* Reads the public form, and only it. Whether the bytes are a point of the curve is for the import of a key to say.
*
* @throws VtlicError `key_invalid`
*/
function decodeCoseKey(bytes) {
	for (const alg of ALGORITHM_NAMES) {
		const { beforePublic } = FRAMES[alg];
		const { publicKeyBytes } = ALGORITHMS[alg];
		if (bytes.length !== 1 + beforePublic.length + publicKeyBytes || bytes[0] !== PUBLIC_HEAD || !standsAt$1(bytes, 1, beforePublic)) continue;
		return Object.freeze({
			alg,
			publicBytes: copyBytes(bytes, 1 + beforePublic.length)
		});
	}
	for (const alg of ALGORITHM_NAMES) if (bytes[0] === PRIVATE_HEAD && standsAt$1(bytes, 1, FRAMES[alg].beforePublic)) throw new VtlicError("key_invalid", "this COSE_Key holds a private key, where a public key was expected", { hint: "Give the public key; keep this file secret." });
	throw new VtlicError("key_invalid", "this is no COSE_Key of an Ed25519 or composite public key: exactly kty, crv, x or kty, alg, pub, deterministically encoded");
}
function standsAt$1(bytes, at, part) {
	for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
	return true;
}
function requireLength(half, alg, bytes, expected) {
	if (bytes.length === expected) return;
	throw new VtlicError("key_invalid", `a ${half} key for ${alg} has ${expected} bytes, but ${bytes.length} came`);
}
// keys/public/ed25519-criteria.ts
/**
* What is judged about an Ed25519 key and signature before any arithmetic: the same bytes are refused whichever
* provider does the arithmetic, and whichever version of it (docs/format.md, "Ed25519 criteria").
*/
/** The canonical encodings of the eight points whose order divides the cofactor 8. */
const SMALL_ORDER_ENCODINGS = [
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
].map(bytesOfHex);
/** L = 2^252 + 27742317777372353535851937790883648493, the order of the base point, little-endian. */
const GROUP_ORDER = bytesOfHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
function bytesOfHex(hex) {
	return fromHex(hex) ?? /* @__PURE__ */ new Uint8Array();
}
/** Whether these 32 bytes are the encoding of a point of order 1, 2, 4 or 8. */
function isSmallOrder(encoding) {
	for (const small of SMALL_ORDER_ENCODINGS) if (equalBytes(encoding, small)) return true;
	return false;
}
/**
* Whether 32 bytes spell a point in its one canonical way (RFC 8032 §5.1.3): y below the field prime p = 2^255 - 19,
* and no sign on the two points whose x is 0. That the point lies on the curve is judged elsewhere.
*/
function isCanonicalEncoding(encoding) {
	const first = encoding[0] ?? 0;
	const last = encoding[31] ?? 0;
	if ((last & 127) === 127 && allEqual(encoding, 255)) {
		if (first >= 237) return false;
		if (first === 236) return last === 127;
	}
	return !(first === 1 && last === 128 && allEqual(encoding, 0));
}
/** The bytes between the first and the last of 32. */
function allEqual(encoding, value) {
	for (let i = 1; i < 31; i++) if (encoding[i] !== value) return false;
	return true;
}
/** Whether the 32 little-endian bytes from `offset` on are below L: s of RFC 8032 §5.1.7. */
function isReducedScalar(bytes, offset) {
	for (let i = 31; i >= 0; i--) {
		const difference = (bytes[offset + i] ?? 0) - (GROUP_ORDER[i] ?? 0);
		if (difference !== 0) return difference < 0;
	}
	return false;
}
/**
* All that a provider asks before it computes [s]B - [k]A: lengths 32 and 64, a canonical key that is not of small
* order, s < L, and an R that is not of small order. The equation itself refuses an R that is not canonical.
*/
function meetsEd25519Criteria(publicKey, signature) {
	return publicKey.length === 32 && signature.length === 64 && isReducedScalar(signature, 32) && isCanonicalEncoding(publicKey) && !isSmallOrder(publicKey) && !isSmallOrder(signature.subarray(0, 32));
}
// keys/public/mldsa65-with-context.ts
/** ML-DSA-65 with a context by node:crypto, in the cheaper of two forms. */
/**
* Whether this Node reads the context off the key itself. Of an object around the key it first asks whether that is a key, and throws
* and catches an error for each no, which takes a seventh of a verification.
*/
let readsContextOfKey;
/** @param context at most 255 bytes (FIPS 204 §5.3) */
function verifyWithContext(key, message, signature, context) {
	if (readsContextOfKey === true) return verifyOnKey(key, message, signature, context);
	const holds = verify$1(null, message, {
		key,
		context
	}, signature);
	if (holds) readsContextOfKey ??= isReadOffKey(key, message, signature, context);
	return holds;
}
/** Tried once, on the first signature that holds: a context that is left out must not go unnoticed. */
function isReadOffKey(key, message, signature, context) {
	try {
		return verifyOnKey(key, message, signature, context) && !verifyOnKey(key, message, signature, otherThan(context));
	} catch {
		return false;
	}
}
function verifyOnKey(key, message, signature, context) {
	key.context = context;
	try {
		return verify$1(null, message, key, signature);
	} finally {
		key.context = void 0;
	}
}
function otherThan(context) {
	return context.length === 0 ? Uint8Array.of(0) : context.map((byte) => byte ^ 1);
}
// keys/public/provider.ts
const MLDSA65_PUBLIC_KEY_BYTES = 1952;
const MLDSA65_SIGNATURE_BYTES = 3309;
// keys/public/spki-prefix.ts
/** The DER of a SubjectPublicKeyInfo up to the key's own bytes: fixed, since both algorithms have no parameters. */
/** OID 1.3.101.112 (RFC 8410); 32 bytes follow. */
const ED25519_SPKI_PREFIX = fromHex("302a300506032b6570032100") ?? /* @__PURE__ */ new Uint8Array();
/** OID 2.16.840.1.101.3.4.3.18 (RFC 9881); 1952 bytes follow. */
const MLDSA65_SPKI_PREFIX = fromHex("308207b2300b0609608648016503040312038207a100") ?? /* @__PURE__ */ new Uint8Array();
// keys/public/provider-node.ts
/** Making a KeyObject costs about as much as a verification; held as long as the caller's array lives. */
const known = /* @__PURE__ */ new WeakMap();
function keyObjectOf(publicKey, prefix) {
	const held = known.get(publicKey);
	if (held !== void 0 && Buffer.compare(held.bytes, publicKey) === 0) return held.keyObject;
	const der = Buffer.from(concatBytes(prefix, publicKey));
	const keyObject = createPublicKey({
		key: der,
		format: "der",
		type: "spki"
	});
	known.set(publicKey, {
		bytes: publicKey.slice(),
		keyObject
	});
	return keyObject;
}
/** By way of a text of one character a byte: Node makes one in a third of the time that it takes for a buffer. */
function digest(algorithm, length, bytes) {
	const text = hash(algorithm, bytes, "binary");
	const out = new Uint8Array(length);
	for (let i = 0; i < length; i++) out[i] = text.charCodeAt(i);
	return out;
}
/** node:crypto, that is OpenSSL 3.5: seven times faster than JavaScript and more. */
const nodeProvider = Object.freeze({
	name: "node",
	sha256: (bytes) => digest("sha256", 32, bytes),
	sha512: (bytes) => digest("sha512", 64, bytes),
	ed25519Verify: (publicKey, message, signature) => meetsEd25519Criteria(publicKey, signature) && verify$1(null, message, keyObjectOf(publicKey, ED25519_SPKI_PREFIX), signature),
	mldsa65Verify: (publicKey, message, signature, context) => publicKey.length === 1952 && signature.length === 3309 && verifyWithContext(keyObjectOf(publicKey, MLDSA65_SPKI_PREFIX), message, signature, context)
});
// keys/public/composite.ts
/**
* The IETF composite ML-DSA-65 with Ed25519 (draft-ietf-lamps-pq-composite-sigs, `MLDSA65-Ed25519-SHA512`; the same
* construction in draft-ietf-jose-pq-composite-sigs), with an empty application context.
*/
const PREFIX = utf8("CompositeAlgorithmSignatures2025");
/** 30 bytes: part of M', and the context of the ML-DSA signature. Not to be written to. */
const COMPOSITE_LABEL = utf8("COMPSIG-MLDSA65-Ed25519-SHA512");
/** Prefix, label and the length of the empty context: what every M' begins with. */
const HEAD = concatBytes(PREFIX, COMPOSITE_LABEL, Uint8Array.of(0));
/**
* M' = prefix (32) || label (30) || 00 || SHA-512(message) (64): the 127 bytes that both halves sign, ML-DSA-65 with
* `COMPOSITE_LABEL` as its context, Ed25519 plainly.
*/
function compositeMessage(message, provider = nodeProvider) {
	return concatBytes(HEAD, provider.sha512(message));
}
/** A public key of 1984 bytes as 1952 and 32, ML-DSA first. The halves are copies. */
function splitCompositeKey(bytes) {
	return {
		mldsa65: bytes.slice(0, MLDSA65_PUBLIC_KEY_BYTES),
		ed25519: bytes.slice(MLDSA65_PUBLIC_KEY_BYTES)
	};
}
/** A signature of 3373 bytes as 3309 and 64, ML-DSA first. The halves are views. */
function splitCompositeSignature(bytes) {
	return {
		mldsa65: bytes.subarray(0, MLDSA65_SIGNATURE_BYTES),
		ed25519: bytes.subarray(MLDSA65_SIGNATURE_BYTES)
	};
}
// node_modules/@noble/ed25519/index.js
/*! noble-ed25519 - MIT License (c) 2019 Paul Miller (paulmillr.com) */
/**
* 5KB JS implementation of ed25519 EdDSA signatures.
* Targets RFC8032, FIPS 186-5, and ZIP215 behavior.
* @module
* @example
* ```js
import * as ed from '@noble/ed25519';
(async () => {
const secretKey = ed.utils.randomSecretKey();
const message = Uint8Array.from([0xab, 0xbc, 0xcd, 0xde]);
const pubKey = await ed.getPublicKeyAsync(secretKey); // Sync methods are also present
const signature = await ed.signAsync(message, secretKey);
const isValid = await ed.verifyAsync(signature, message, pubKey);
})();
```
*/
/**
* Curve params. edwards25519 uses the RFC equation `-x² + y² = 1 + dx²y²`.
* The stored `a` literal below is `p - 1`, i.e. the field-element encoding of RFC `a = -1`.
* * P = `2n**255n - 19n` // field over which calculations are done
* * N = `2n**252n + 27742317777372353535851937790883648493n` // prime-order subgroup order
* * h = 8 // cofactor
* * a = `Fp.create(BigInt(-1))` // equation param, stored here as `p - 1`
* * d = -121665/121666 a.k.a. `Fp.neg(121665 * Fp.inv(121666))` // equation param
* * Gx, Gy are coordinates of Generator / base point
*
* Mirror noble-curves: Point.CURVE() exposes shared params, but callers must not be able to mutate
* that shared view and desynchronize it from the arithmetic constants captured below.
*/
const freeze = Object.freeze;
const P = 57896044618658097711785492504343953926634992332820282019728792003956564819949n;
const N = 7237005577332262213973186563042994240857116359379907606001950938285454250989n;
const _d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const Gx = 15112221349535400772501151409588531511454012693041857206046113283949847762202n;
const Gy = 46316835694926478169428394003475163141307993866256225615783033603165251855960n;
const _a = P - 1n;
const ed25519_CURVE = freeze({
	p: P,
	n: N,
	h: 8n,
	a: _a,
	d: _d,
	Gx,
	Gy
});
const LEN = 32;
/** Checks if something is Uint8Array. Be careful: nodejs Buffer will return true. */
const isBytes = (a) => {
	return a instanceof Uint8Array || ArrayBuffer.isView(a) && a.constructor.name === "Uint8Array" && a.BYTES_PER_ELEMENT === 1;
};
/** Asserts something is Bytes. */
const abytes = (value, length, title = "") => {
	if (isBytes(value) && (length === void 0 || value.length === length)) return value;
	const bytes = isBytes(value);
	const ofLen = length !== void 0 ? ` of length ${length}` : "";
	const got = bytes ? `length=${value.length}` : `type=${typeof value}`;
	const message = (title ? `"${title}" ` : "") + "expected Uint8Array" + ofLen + ", got " + got;
	if (!bytes) throw new TypeError(message);
	throw new RangeError(message);
};
const snapshotBytes = (value, title = "", length) => Uint8Array.from(abytes(value, length, title));
const padh = (n, pad) => n.toString(16).padStart(pad, "0");
/** Convert byte array to hex string. */
const bytesToHex = (bytes) => {
	let hex = "";
	for (const byte of abytes(bytes)) hex += padh(byte, 2);
	return hex;
};
/** Convert hex string to byte array. */
const hexToBytes = (hex) => {
	const e = "hex invalid";
	if (typeof hex !== "string") throw new TypeError(e);
	if (hex.length % 2 || !/^[\da-f]*$/i.test(hex)) throw new RangeError(e);
	const array = new Uint8Array(hex.length / 2);
	for (let ai = 0, hi = 0; ai < array.length; ai++, hi += 2) {
		const n1 = hex.charCodeAt(hi);
		const n2 = hex.charCodeAt(hi + 1);
		array[ai] = ((n1 & 15) + (n1 >> 6) * 9) * 16 + (n2 & 15) + (n2 >> 6) * 9;
	}
	return array;
};
/** Inclusive-lower, exclusive-upper bigint range assertion. */
const arange = (n, min, max, msg = "bad number: out of range") => {
	if (typeof n !== "bigint") throw new TypeError(msg);
	if (min <= n && n < max) return n;
	throw new RangeError(msg);
};
/** Canonical modular reduction. Callers must provide a positive modulus. */
const mod = (a, b = P) => (a %= b) >= 0n ? a : b + a;
const P_MASK = (1n << 255n) - 1n;
const modP = (num) => {
	if (num < 0n) throw new RangeError("negative coordinate");
	let r = (num >> 255n) * 19n + (num & P_MASK);
	r = (r >> 255n) * 19n + (r & P_MASK);
	return r % P;
};
/** Modular inversion using extended euclidean GCD. Variable-time (non-CT). */
const invert = (number, modulo) => {
	if (number === 0n) throw new Error("invert: expected non-zero number");
	if (modulo <= 1n) throw new Error("invert: expected modulus > 1, got " + modulo);
	let a = mod(number, modulo);
	let b = modulo;
	let x = 0n, u = 1n;
	while (a !== 0n) {
		const q = b / a;
		const r = b - a * q;
		const m = x - u * q;
		b = a, a = r, x = u, u = m;
	}
	if (b !== 1n) throw new Error("invert: does not exist");
	return mod(x, modulo);
};
const apoint = (p) => {
	if (p instanceof Point) return p;
	throw new TypeError("Point expected");
};
const B256 = 2n ** 256n;
/**
* Point in XYZT extended coordinates.
* @param X - X coordinate.
* @param Y - Y coordinate.
* @param Z - Projective Z coordinate.
* @param T - Cached cross-product term.
* @example
* Do point arithmetic with the built-in base point and encode the result as hex.
*
* ```ts
* const hex = Point.BASE.double().toHex();
* ```
*/
var Point = class Point {
	static BASE;
	static ZERO;
	X;
	Y;
	Z;
	T;
	constructor(X, Y, Z, T) {
		const max = B256;
		this.X = arange(X, 0n, max);
		this.Y = arange(Y, 0n, max);
		this.Z = arange(Z, 1n, max);
		this.T = arange(T, 0n, max);
		freeze(this);
	}
	static CURVE() {
		return ed25519_CURVE;
	}
	static fromAffine(p) {
		return new Point(p.x, p.y, 1n, modP(p.x * p.y));
	}
	/** RFC8032 5.1.3: Uint8Array to Point. */
	static fromBytes(bytes, zip215 = false) {
		const normed = snapshotBytes(bytes, "point", LEN);
		const lastByte = normed[31];
		normed[31] = lastByte & -129;
		const y = bytesToNumberLE(normed);
		if (!zip215) arange(y, 0n, P);
		const y2 = modP(y * y);
		const u = mod(y2 - 1n);
		const v = modP(_d * y2 + 1n);
		let { isValid, value: x } = uvRatio(u, v);
		if (!isValid) throw new Error("bad point: y not sqrt");
		const isLastByteOdd = !!(lastByte & 128);
		if (!zip215 && x === 0n && isLastByteOdd) throw new Error("bad point: x==0, isLastByteOdd");
		if (isLastByteOdd !== !!(x & 1n)) x = mod(-x);
		return new Point(x, y, 1n, modP(x * y));
	}
	static fromHex(hex, zip215) {
		return Point.fromBytes(hexToBytes(hex), zip215);
	}
	get x() {
		return this.toAffine().x;
	}
	get y() {
		return this.toAffine().y;
	}
	/** Checks if the point is valid and on-curve. */
	assertValidity() {
		const a = _a;
		const d = _d;
		const p = this;
		if (p.is0()) throw new Error("bad point: ZERO");
		const { X, Y, Z, T } = p;
		const X2 = modP(X * X);
		const Y2 = modP(Y * Y);
		const Z2 = modP(Z * Z);
		const Z4 = modP(Z2 * Z2);
		const aX2 = modP(X2 * a);
		if (modP(Z2 * (aX2 + Y2)) !== mod(Z4 + modP(d * modP(X2 * Y2)))) throw new Error("bad point: equation left != right (1)");
		if (modP(X * Y) !== modP(Z * T)) throw new Error("bad point: equation left != right (2)");
		return this;
	}
	/** Equality check: compare points P&Q. */
	equals(other) {
		const { X: X1, Y: Y1, Z: Z1 } = this;
		const { X: X2, Y: Y2, Z: Z2 } = apoint(other);
		return modP(X1 * Z2) === modP(X2 * Z1) && modP(Y1 * Z2) === modP(Y2 * Z1);
	}
	is0() {
		return this.equals(I);
	}
	/** Flip point over y coordinate. */
	negate() {
		return new Point(mod(-this.X), this.Y, this.Z, mod(-this.T));
	}
	/** Point doubling. Complete formula. Cost: `4M + 4S + 1*a + 6add + 1*2`. */
	double() {
		const { X: X1, Y: Y1, Z: Z1 } = this;
		const a = _a;
		const A = modP(X1 * X1);
		const B = modP(Y1 * Y1);
		const C = modP(2n * Z1 * Z1);
		const D = modP(a * A);
		const x1y1 = mod(X1 + Y1);
		const E = mod(modP(x1y1 * x1y1) - A - B);
		const G = mod(D + B);
		const F = mod(G - C);
		const H = mod(D - B);
		const X3 = modP(E * F);
		const Y3 = modP(G * H);
		const T3 = modP(E * H);
		const Z3 = modP(F * G);
		return new Point(X3, Y3, Z3, T3);
	}
	/** Point addition. Complete formula. Cost: `9M + 1*a + 1*d + 7add`. */
	add(other) {
		const { X: X1, Y: Y1, Z: Z1, T: T1 } = this;
		const { X: X2, Y: Y2, Z: Z2, T: T2 } = apoint(other);
		const a = _a;
		const d = _d;
		const A = modP(X1 * X2);
		const B = modP(Y1 * Y2);
		const C = modP(modP(T1 * d) * T2);
		const D = modP(Z1 * Z2);
		const E = mod(modP(mod(X1 + Y1) * mod(X2 + Y2)) - A - B);
		const F = mod(D - C);
		const G = mod(D + C);
		const H = mod(B - modP(a * A));
		const X3 = modP(E * F);
		const Y3 = modP(G * H);
		const T3 = modP(E * H);
		const Z3 = modP(F * G);
		return new Point(X3, Y3, Z3, T3);
	}
	subtract(other) {
		return this.add(apoint(other).negate());
	}
	/**
	* Point-by-scalar multiplication. Safe mode requires `1 <= n < CURVE.n`.
	* Unsafe mode additionally permits `n = 0` and returns the identity point for that case.
	* Uses {@link wNAF} for base point.
	* Uses fake point to mitigate side-channel leakage.
	* @param n - scalar by which point is multiplied
	* @param safe - safe mode guards against timing attacks; unsafe mode is faster
	*/
	multiply(n, safe = true) {
		if (!safe && n === 0n) return I;
		arange(n, 1n, N);
		if (!safe && this.is0()) return I;
		if (n === 1n) return this;
		if (this.equals(G)) return wNAF(n).p;
		let p = I;
		let f = G;
		let d = this;
		for (let i = 0; safe ? i < 256 : n > 0n; i++) {
			if (n & 1n) p = p.add(d);
			else if (safe) f = f.add(d);
			d = d.double();
			n >>= 1n;
		}
		return p;
	}
	multiplyUnsafe(scalar) {
		return this.multiply(scalar, false);
	}
	/** Convert point to 2d xy affine point. (X, Y, Z) ∋ (x=X/Z, y=Y/Z) */
	toAffine() {
		const { X, Y, Z } = this;
		if (this.equals(I)) return {
			x: 0n,
			y: 1n
		};
		const iz = invert(Z, P);
		if (modP(Z * iz) !== 1n) throw new Error("invalid inverse");
		return {
			x: modP(X * iz),
			y: modP(Y * iz)
		};
	}
	toBytes() {
		const { x, y } = this.toAffine();
		const b = numTo32bLE(y);
		b[31] |= x & 1n ? 128 : 0;
		return b;
	}
	toHex() {
		return bytesToHex(this.toBytes());
	}
	clearCofactor() {
		return this.multiply(8n, false);
	}
	isSmallOrder() {
		return this.clearCofactor().is0();
	}
	isTorsionFree() {
		return this.multiply(N / 2n, false).double().add(this).is0();
	}
};
/** Generator / base point */
const G = new Point(Gx, Gy, 1n, mod(Gx * Gy));
/** Identity / zero point */
const I = new Point(0n, 1n, 1n, 0n);
Point.BASE = G;
Point.ZERO = I;
const numTo32bLE = (num) => hexToBytes(padh(arange(num, 0n, B256), 64)).reverse();
const bytesToNumberLE = (b) => BigInt("0x" + bytesToHex(Uint8Array.from(abytes(b)).reverse()));
const pow2 = (x, power) => {
	let r = x;
	while (power-- > 0) r = modP(r * r);
	return r;
};
const pow_2_252_3 = (x) => {
	const x2 = modP(x * x);
	const b2 = modP(x2 * x);
	const b4 = modP(pow2(b2, 2) * b2);
	const b5 = modP(pow2(b4, 1) * x);
	const b10 = modP(pow2(b5, 5) * b5);
	const b20 = modP(pow2(b10, 10) * b10);
	const b40 = modP(pow2(b20, 20) * b20);
	const b80 = modP(pow2(b40, 40) * b40);
	const b160 = modP(pow2(b80, 80) * b80);
	const b240 = modP(pow2(b160, 80) * b80);
	const b250 = modP(pow2(b240, 10) * b10);
	return modP(pow2(b250, 2) * x);
};
const RM1 = 19681161376707505956807079304988542015446066515923890162744021073123829784752n;
const uvRatio = (u, v) => {
	const v3 = modP(v * modP(v * v));
	const v7 = modP(modP(v3 * v3) * v);
	const pow = pow_2_252_3(modP(u * v7));
	let x = modP(u * modP(v3 * pow));
	const vx2 = modP(v * modP(x * x));
	const root1 = x;
	const root2 = modP(x * RM1);
	const useRoot1 = vx2 === u;
	const useRoot2 = vx2 === mod(-u);
	const noRoot = vx2 === mod(-u * RM1);
	if (useRoot1) x = root1;
	if (useRoot2 || noRoot) x = root2;
	if ((mod(x) & 1n) === 1n) x = mod(-x);
	return {
		isValid: useRoot1 || useRoot2,
		value: x
	};
};
const precompute = () => {
	const points = [];
	let p = G;
	let b;
	for (let w = 0; w < 33; w++) {
		b = p;
		points.push(b);
		for (let i = 1; i < 128; i++) {
			b = b.add(p);
			points.push(b);
		}
		p = b.double();
	}
	return points;
};
let Gpows = void 0;
const ctneg = (cnd, p) => {
	const n = p.negate();
	return cnd ? n : p;
};
/**
* Precomputes give 12x faster getPublicKey(), 10x sign(), 2x verify() by
* caching multiples of G (base point). Cache is stored in 32MB of RAM.
* Any time `G.multiply` is done, precomputes are used.
* Not used for getSharedSecret, which instead multiplies random pubkey `P.multiply`.
*
* w-ary non-adjacent form (wNAF) precomputation method is 10% slower than windowed method,
* but takes 2x less RAM. RAM reduction is possible by utilizing `.subtract`.
* Returns the real accumulator `p` plus a fake accumulator `f`; callers only care about `p`, while
* `f` exists to keep similar work in zero-digit branches as a JS/JIT side-channel mitigation.
*
* !! Precomputes can be disabled by commenting-out call of the wNAF() inside Point#multiply().
*/
const wNAF = (n) => {
	const comp = Gpows || (Gpows = precompute());
	let p = I;
	let f = G;
	for (let w = 0; w < 33; w++) {
		let wbits = Number(n & 255n);
		n >>= 8n;
		if (wbits > 128) {
			wbits -= 256;
			n += 1n;
		}
		const off = w * 128;
		const offP = off + Math.abs(wbits) - 1;
		const isOddW = w % 2 !== 0;
		const isNeg = wbits < 0;
		if (wbits === 0) f = f.add(ctneg(isOddW, comp[off]));
		else p = p.add(ctneg(isNeg, comp[offP]));
	}
	if (n !== 0n) throw new Error("invalid wnaf");
	return {
		p,
		f
	};
};
// keys/public/ed25519-point.ts
/**
* Decodes 32 bytes as RFC 8032 §5.1.3 says; undefined where they are no point of the curve.
* Bytes that are not canonical are no point either.
*/
function decodePoint(encoding) {
	try {
		return Point.fromBytes(encoding);
	} catch {
		return;
	}
}
/** Multiplies by the group order: some milliseconds, so for import into a site and publication only. */
function kindOfPoint(encoding) {
	const point = decodePoint(encoding);
	if (point === void 0) return "not-on-curve";
	return point.isTorsionFree() ? "prime-order" : "mixed-order";
}
// keys/public/public-key.ts
/**
* Takes the raw bytes of a public key (32, or 1984 for the composite) and judges them (docs/format.md, "Ed25519 criteria").
*
* @throws VtlicError `key_invalid`: wrong length; an Ed25519 part that is not canonical, of small order, not on the
*   curve, or with `forSite` of mixed order.
*/
function importPublicKey(alg, bytes, options = {}) {
	const { publicKeyBytes } = ALGORITHMS[alg];
	if (bytes.length !== publicKeyBytes) throw new VtlicError("key_invalid", `a public key for ${alg} has ${publicKeyBytes} bytes, but ${bytes.length} came`);
	const own = Uint8Array.from(bytes);
	const halves = alg === "ed25519" ? { ed25519: own } : splitCompositeKey(own);
	checkEd25519(halves.ed25519, options.forSite === true);
	return Object.freeze({
		alg,
		kid: kidOf(alg, own),
		bytes: own,
		...halves
	});
}
/** The kid of a key's raw bytes, which are not judged here. */
function kidOf(alg, bytes) {
	return toHex(nodeProvider.sha256(encodeCoseKey(alg, bytes)));
}
function checkEd25519(encoding, forSite) {
	const fault = ed25519Fault(encoding, forSite);
	if (fault === void 0) return;
	throw new VtlicError("key_invalid", `the Ed25519 public key ${fault}`, { hint: "No honest generator makes such a key: ask its owner to export it again, and compare the kid." });
}
function ed25519Fault(encoding, forSite) {
	if (!isCanonicalEncoding(encoding)) return "is not spelled in its canonical form";
	if (isSmallOrder(encoding)) return "is a point of small order, under which almost anything verifies";
	const offCurve = "is not a point of the curve";
	if (!forSite) return decodePoint(encoding) === void 0 ? offCurve : void 0;
	const kind = kindOfPoint(encoding);
	if (kind === "not-on-curve") return offCurve;
	return kind === "mixed-order" ? "is a point of mixed order" : void 0;
}
// keys/public/encodings/cose.ts
/** @throws VtlicError `key_invalid` */
function decodeCose(bytes, options = {}) {
	const { alg, publicBytes } = decodeCoseKey(bytes);
	return importPublicKey(alg, publicBytes, options);
}
// formats/clean-text.ts
/**
* Untrusted text made fit for a terminal or a log line.
*
* Whatever moves the cursor, reverses the direction, or cannot be seen is shown as an escape: nothing that a
* customer's name contains may change how the rest of a line looks.
*/
/**
* Control, format, surrogate, private and unassigned code points (all of category C: among them the bidi controls, zero
* width characters and tags), line and paragraph separators, and the remaining code points that are shown as nothing.
*/
const UNSHOWABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const DEFAULT_MAX = 200;
/**
* The text with every unshowable code point written as `\u{XXXX}`.
*
* Backslashes stay as they are: the result is for reading, not for parsing back.
*
* @param max the number of code points of `text` that are shown; of a longer one the rest is replaced by "…"
*/
function cleanText(text, max = DEFAULT_MAX) {
	const shown = firstCodePoints(text, max);
	const cleaned = shown.replace(UNSHOWABLE, (character) => {
		return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}}`;
	});
	return shown.length < text.length ? `${cleaned}…` : cleaned;
}
function firstCodePoints(text, max) {
	if (text.length <= max) return text;
	let end = 0;
	for (let count = 0; count < max && end < text.length; count++) end += (text.codePointAt(end) ?? 0) > 65535 ? 2 : 1;
	return text.slice(0, end);
}
// formats/json/utf8-fault.ts
/** Where bytes stop being UTF-8: decoders say only that they do. */
/** The offset of the first character that is not valid UTF-8 (RFC 3629), or -1 where all are. */
function utf8FaultAt(bytes) {
	let at = 0;
	while (at < bytes.length) {
		const first = bytes[at] ?? 0;
		if (first < 128) {
			at++;
			continue;
		}
		const length = sequenceLength(first);
		if (length === 0) return at;
		for (let i = 1; i < length; i++) {
			const next = bytes[at + i] ?? 0;
			const [low, high] = i === 1 ? secondByteRange(first) : CONTINUATION;
			if (next < low || next > high) return at;
		}
		at += length;
	}
	return -1;
}
const CONTINUATION = [128, 191];
function sequenceLength(first) {
	if (first < 194 || first > 244) return 0;
	if (first < 224) return 2;
	return first < 240 ? 3 : 4;
}
/** Narrower after some first bytes: overlong forms, surrogates, and what lies beyond U+10FFFF. */
function secondByteRange(first) {
	if (first === 224) return [160, 191];
	if (first === 237) return [128, 159];
	if (first === 240) return [144, 191];
	if (first === 244) return [128, 143];
	return CONTINUATION;
}
// formats/json/strict-json.ts
/**
* JSON (RFC 8259) read so that nothing is lost on the way: `JSON.parse` keeps the last of two equal members and rounds 2^53+1.
*
* Every value knows its line and column, both from 1; columns count code points, and only a line feed ends a line. Numbers stay the
* text that they were: what they mean is for the reader of the member to say.
*/
const DEFAULT_BYTES = 1048576;
const DEFAULT_DEPTH = 64;
/**
* Reads a whole document.
*
* @throws VtlicError `json_malformed` with line and column: not UTF-8, a byte order mark, any departure from the grammar, text after the
* end, a member repeated in one object, an escaped lone surrogate, too deep, too large (this one without a place)
*/
function parseStrictJson(bytes, limits = {}) {
	const maxBytes = limits.bytes ?? DEFAULT_BYTES;
	if (bytes.length > maxBytes) throw new VtlicError("json_malformed", `the JSON has ${bytes.length} bytes, but at most ${maxBytes} are allowed`);
	return new Parser(decodeUtf8(bytes), limits.depth ?? DEFAULT_DEPTH).document();
}
function decodeUtf8(bytes) {
	const fault = utf8FaultAt(bytes);
	const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
	if (fault < 0) return lenient.decode(bytes);
	const before = lenient.decode(bytes.subarray(0, fault));
	const lineStart = before.lastIndexOf("\n") + 1;
	const line = before.split("\n").length;
	throw new VtlicError("json_malformed", "the JSON should be UTF-8, but a byte here is not", {
		line,
		column: Array.from(before.slice(lineStart)).length + 1,
		offset: fault
	});
}
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** What people write for numbers and words: used to show the whole of what is wrong. */
const WORD = /[\p{L}\p{N}_$+.-]+/uy;
/** Runs of string characters that need no care: no quote, backslash, control character or surrogate. */
const PLAIN = /[^"\\\u0000-\u001f\ud800-\udfff]+/y;
const HEX4 = /[0-9a-fA-F]{4}/y;
const ESCAPES = /* @__PURE__ */ new Map([
	["\"", "\""],
	["\\", "\\"],
	["/", "/"],
	["b", "\b"],
	["f", "\f"],
	["n", "\n"],
	["r", "\r"],
	["t", "	"]
]);
var Parser = class {
	at = 0;
	line = 1;
	/** Subtracted from `at` it gives the column: where the line starts, plus the surrogate pairs passed on it. */
	columnBase = -1;
	text;
	maxDepth;
	constructor(text, maxDepth) {
		this.text = text;
		this.maxDepth = maxDepth;
	}
	document() {
		if (this.text.startsWith("﻿")) throw this.fault("the JSON begins with a byte order mark (U+FEFF), which should not be there");
		this.skipBlank();
		const node = this.value(0);
		this.skipBlank();
		if (this.at < this.text.length) throw this.fault(`the JSON should end here, but ${this.found()} follows`);
		return node;
	}
	value(depth) {
		const place = this.place();
		switch (this.text[this.at]) {
			case "{": return this.object(place, depth + 1);
			case "[": return this.array(place, depth + 1);
			case "\"": return Object.freeze({
				kind: "string",
				value: this.string(),
				...place
			});
			default: return this.scalar(place);
		}
	}
	object(place, depth) {
		this.enter(depth);
		const members = [];
		const seen = /* @__PURE__ */ new Map();
		this.skipBlank();
		if (this.take("}")) return Object.freeze({
			kind: "object",
			members: Object.freeze(members),
			...place
		});
		for (;;) {
			const { line: nameLine, column: nameColumn } = this.place();
			if (this.text[this.at] !== "\"") throw this.fault(`a member's name in double quotes should stand here, but ${this.found()} does`);
			const name = this.string();
			const first = seen.get(name);
			if (first !== void 0) throw new VtlicError("json_malformed", `the member "${cleanText(name)}" is repeated: it stands first at line ${first.line}, column ${first.column}`, {
				field: cleanText(name),
				line: nameLine,
				column: nameColumn
			});
			seen.set(name, {
				line: nameLine,
				column: nameColumn
			});
			this.skipBlank();
			if (!this.take(":")) throw this.fault(`a colon should follow the member's name, but ${this.found()} does`);
			this.skipBlank();
			members.push(Object.freeze({
				name,
				nameLine,
				nameColumn,
				value: this.value(depth)
			}));
			this.skipBlank();
			if (this.take("}")) return Object.freeze({
				kind: "object",
				members: Object.freeze(members),
				...place
			});
			if (!this.take(",")) throw this.fault(`a comma or "}" should stand here, but ${this.found()} does`);
			this.skipBlank();
			if (this.text[this.at] === "}") throw this.fault("a member should follow the comma, but the object ends");
		}
	}
	array(place, depth) {
		this.enter(depth);
		const items = [];
		this.skipBlank();
		if (this.take("]")) return Object.freeze({
			kind: "array",
			items: Object.freeze(items),
			...place
		});
		for (;;) {
			items.push(this.value(depth));
			this.skipBlank();
			if (this.take("]")) return Object.freeze({
				kind: "array",
				items: Object.freeze(items),
				...place
			});
			if (!this.take(",")) throw this.fault(`a comma or "]" should stand here, but ${this.found()} does`);
			this.skipBlank();
			if (this.text[this.at] === "]") throw this.fault("an item should follow the comma, but the array ends");
		}
	}
	enter(depth) {
		if (depth > this.maxDepth) throw this.fault(`arrays and objects are nested deeper than ${this.maxDepth}`);
		this.at++;
	}
	scalar(place) {
		const number = this.match(NUMBER);
		const word = this.match(WORD);
		if (number !== void 0 && number === word) {
			this.at += number.length;
			return Object.freeze({
				kind: "number",
				text: number,
				...place
			});
		}
		if (word === "true" || word === "false") {
			this.at += word.length;
			return Object.freeze({
				kind: "boolean",
				value: word === "true",
				...place
			});
		}
		if (word === "null") {
			this.at += word.length;
			return Object.freeze({
				kind: "null",
				...place
			});
		}
		if (word !== void 0 && /^[-+.]?[0-9]/.test(word)) throw this.fault(`"${cleanText(word, 40)}" is not how JSON writes a number`);
		throw this.fault(`a value should stand here, but ${this.found()} does`);
	}
	/** From the opening quote to behind the closing one. */
	string() {
		const start = this.place();
		this.at++;
		let value = "";
		for (;;) {
			const plain = this.match(PLAIN);
			if (plain !== void 0) {
				value += plain;
				this.at += plain.length;
			}
			const character = this.text[this.at];
			if (character === "\"") {
				this.at++;
				return value;
			}
			if (character === void 0) throw this.fault("the text that begins here has no closing quote", start);
			if (character === "\n" || character === "\r") throw this.fault("the text that begins here has no closing quote on its line", start);
			if (character < " ") throw this.fault(`a control character (${cleanText(character)}) should be escaped in a text`);
			if (character === "\\") value += this.escape();
			else {
				value += this.text.slice(this.at, this.at + 2);
				this.at += 2;
				this.columnBase++;
			}
		}
	}
	escape() {
		const place = this.place();
		const letter = this.text[this.at + 1];
		const simple = letter === void 0 ? void 0 : ESCAPES.get(letter);
		if (simple !== void 0) {
			this.at += 2;
			return simple;
		}
		if (letter !== "u") throw this.fault("a backslash should begin one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX", place);
		const unit = this.unit(place);
		if (unit < 55296 || unit > 57343) return String.fromCharCode(unit);
		if (unit < 56320 && this.text.startsWith("\\u", this.at)) {
			const low = this.unit(place);
			if (low >= 56320 && low <= 57343) return String.fromCharCode(unit, low);
		}
		throw this.fault("an escape stands for half a surrogate pair, without the other half", place);
	}
	/** Steps over `\uXXXX`. */
	unit(place) {
		this.at += 2;
		const digits = this.match(HEX4);
		if (digits === void 0) throw this.fault("\\u should be followed by four hex digits", place);
		this.at += 4;
		return Number.parseInt(digits, 16);
	}
	skipBlank() {
		for (;;) {
			const character = this.text[this.at];
			if (character === "\n") {
				this.line++;
				this.columnBase = this.at;
			} else if (character !== " " && character !== "	" && character !== "\r") return;
			this.at++;
		}
	}
	take(character) {
		if (this.text[this.at] !== character) return false;
		this.at++;
		return true;
	}
	match(pattern) {
		pattern.lastIndex = this.at;
		return pattern.exec(this.text)?.[0];
	}
	found() {
		if (this.at >= this.text.length) return "the end of the file";
		return `"${cleanText(this.match(WORD) ?? String.fromCodePoint(this.text.codePointAt(this.at) ?? 0), 40)}"`;
	}
	place() {
		return {
			line: this.line,
			column: this.at - this.columnBase
		};
	}
	fault(message, place = this.place()) {
		return new VtlicError("json_malformed", message, {
			line: place.line,
			column: place.column
		});
	}
};
// keys/public/encodings/jwk.ts
/** JSON Web Keys: `OKP` for Ed25519 (RFC 8037), and for the composite the `AKP` of RFC 9964 with this format's own alg. */
const COMPOSITE = "ed25519+ml-dsa-65";
/**
* The keys of a JWK, or of a JWK Set (RFC 7517 §5). Members that are no part of the key are passed over, as RFC 7517 §4 says; a kid
* among them is not believed.
*
* @throws VtlicError `json_malformed`, or `key_invalid` (also for a private key, whose bytes are not said)
*/
function decodeJwks(json, options = {}) {
	const root = parseStrictJson(json);
	const keys = root.kind === "object" ? member(root, "keys") : void 0;
	if (keys === void 0) return [decodeJwk(root, options)];
	if (keys.kind !== "array") throw refused(keys, "the keys of a JWK Set should be an array");
	if (keys.items.length === 0) throw refused(keys, "the JWK Set holds no key");
	return keys.items.map((item) => decodeJwk(item, options));
}
function decodeJwk(node, options) {
	if (node.kind !== "object") throw refused(node, "a JWK should be an object");
	for (const name of ["d", "priv"]) if (member(node, name) !== void 0) throw refused(node, "the JWK holds a private key, where a public key was expected");
	const kty = text(node, "kty");
	if (kty === "OKP" && text(node, "crv") === "Ed25519") return importPublicKey("ed25519", bytes(node, "x"), options);
	if (kty === "AKP" && text(node, "alg") === COMPOSITE) return importPublicKey(COMPOSITE, bytes(node, "pub"), options);
	throw refused(node, `a JWK should be kty "OKP" with crv "Ed25519", or kty "AKP" with alg "${COMPOSITE}"`);
}
function member(node, name) {
	return node.members.find((candidate) => candidate.name === name)?.value;
}
function text(node, name) {
	const value = member(node, name);
	return value?.kind === "string" ? value.value : void 0;
}
function bytes(node, name) {
	const decoded = decodeBase64Url(text(node, name) ?? "=");
	if (decoded === void 0) throw refused(node, `the member ${name} of the JWK should be base64url without padding`);
	return decoded;
}
function refused({ line, column }, fault) {
	return new VtlicError("key_invalid", fault, {
		line,
		column
	});
}
// keys/public/encodings/key-component.ts
/** The plain keys of which this toolkit's keys are made: an Ed25519 key, or an ML-DSA-65 key that needs one beside it. */
/**
* Pairs components in their order: an ML-DSA-65 key and the Ed25519 key right after it are one composite; an Ed25519 key
* alone is a key. An ML-DSA-65 key alone is none.
*
* @throws VtlicError `key_invalid`
*/
function keysOfComponents(components, options = {}) {
	const keys = [];
	let mldsa65;
	for (const { kind, bytes } of components) if (kind === "ml-dsa-65") {
		if (mldsa65 !== void 0) throw lonely();
		mldsa65 = bytes;
	} else {
		keys.push(mldsa65 === void 0 ? importPublicKey("ed25519", bytes, options) : importPublicKey("ed25519+ml-dsa-65", concatBytes(mldsa65, bytes), options));
		mldsa65 = void 0;
	}
	if (mldsa65 !== void 0) throw lonely();
	return keys;
}
function lonely() {
	return new VtlicError("key_invalid", "an ML-DSA-65 key should be followed by the Ed25519 key of its composite, but it stands alone", { hint: "Put both keys into one file, ML-DSA first." });
}
// keys/public/encodings/trim-blank.ts
const BLANK = " 	\r\n";
/** Without the blanks and line ends around it. `trim()` would also take a byte order mark and a no-break space away. */
function trimBlank(text) {
	let start = 0;
	let end = text.length;
	while (start < end && BLANK.includes(text.charAt(start))) start++;
	while (end > start && BLANK.includes(text.charAt(end - 1))) end--;
	return text.slice(start, end);
}
// keys/public/encodings/pem.ts
const LABEL = "PUBLIC KEY";
/** A block, its end line, and the blanks after it. Neither a label nor base64 has a dash. */
const BLOCK = /-----BEGIN ([^\r\n-]{0,64})-----[ \t]*\r?\n([^-]*)-----END ([^\r\n-]{0,64})-----(?:[ \t]*\r?\n[ \t\r\n]*|$)/y;
/**
* The DER of each `PUBLIC KEY` block of a text that holds nothing else, at least one. Tools differ in the width of lines, so any
* width and blank lines are taken; the base64 must be canonical all the same.
*
* @throws VtlicError `key_invalid`
*/
function decodePem(text) {
	const trimmed = trimBlank(text);
	const ders = [];
	const block = new RegExp(BLOCK);
	do {
		const at = block.lastIndex;
		const match = block.exec(trimmed);
		if (match === null) throw new VtlicError("key_invalid", "the file should hold whole PEM blocks of public keys and nothing else", { offset: at });
		const [, label = "", body = "", endLabel = ""] = match;
		if (label.includes("PRIVATE")) throw new VtlicError("key_invalid", "the PEM block holds a private key, where a public key was expected", { hint: "Give the public key; keep this one secret." });
		if (label !== LABEL || endLabel !== LABEL) throw new VtlicError("key_invalid", `the PEM block should be a "${LABEL}" from begin to end, but it is "${cleanText(label, 40)}" to "${cleanText(endLabel, 40)}"`);
		const der = decodeBase64(body.replaceAll(/[ \t\r\n]/g, ""));
		if (der === void 0 || der.length === 0) throw new VtlicError("key_invalid", "the PEM block does not hold canonical base64");
		ders.push(der);
	} while (block.lastIndex < trimmed.length);
	return ders;
}
// keys/public/encodings/raw.ts
/**
* The key in base64 of 32 or 1984 bytes; blank space and line breaks in it are passed over, since tools wrap.
*
* @throws VtlicError `key_invalid`
*/
function decodeRaw(text, options = {}) {
	const bytes = decodeBase64(text.replaceAll(/[ \t\r\n]/g, ""));
	if (bytes?.length === ALGORITHMS.ed25519.publicKeyBytes) return importPublicKey("ed25519", bytes, options);
	if (bytes?.length === ALGORITHMS["ed25519+ml-dsa-65"].publicKeyBytes) return importPublicKey("ed25519+ml-dsa-65", bytes, options);
	throw new VtlicError("key_invalid", `a public key should be SPKI PEM or DER, a JWK, a COSE_Key, or base64 of 32 or 1984 bytes, but ${bytes === void 0 ? "it is neither these nor canonical base64" : `it is base64 of ${bytes.length} bytes`}`);
}
// keys/public/encodings/spki.ts
/** SubjectPublicKeyInfo. A composite has no SPKI of its own here: its two components stand one after the other, ML-DSA first. */
const FORMS = [{
	kind: "ed25519",
	prefix: ED25519_SPKI_PREFIX,
	keyBytes: 32
}, {
	kind: "ml-dsa-65",
	prefix: MLDSA65_SPKI_PREFIX,
	keyBytes: MLDSA65_PUBLIC_KEY_BYTES
}];
/**
* The components of one or more DER structures that follow one another with nothing between.
*
* @throws VtlicError `key_invalid` for any other algorithm, encoding or rest
*/
function decodeSpki(der) {
	const components = [];
	let at = 0;
	while (at < der.length) {
		const form = FORMS.find(({ prefix }) => equalBytes(der.subarray(at, at + prefix.length), prefix));
		if (form === void 0) throw new VtlicError("key_invalid", "the public key should be Ed25519 or ML-DSA-65 in its one DER form (RFC 8410, RFC 9881), but it is neither", { offset: at });
		const end = at + form.prefix.length + form.keyBytes;
		if (end > der.length) throw new VtlicError("key_invalid", `the DER of the ${form.kind} key is truncated`, { offset: at });
		components.push({
			kind: form.kind,
			bytes: der.slice(at + form.prefix.length, end)
		});
		at = end;
	}
	return components;
}
Object.freeze([
	"pem",
	"der",
	"jwk",
	"cose",
	"raw",
	"env"
]);
const MAX_FILE_BYTES = 1048576;
/**
* The keys of a file, at least one, in their order. The form is told by its first bytes: PEM and DER may hold several keys, a JWK Set
* too, COSE_Key and base64 one.
*
* @throws VtlicError `key_invalid`, or `json_malformed`
*/
function parsePublicKeys(file, options = {}) {
	if (file.length > MAX_FILE_BYTES) throw new VtlicError("key_invalid", `a file of public keys has at most ${MAX_FILE_BYTES} bytes, but this one has ${file.length}`);
	const [first, second] = file;
	if (first === 163 || first === 164) return [decodeCose(file, options)];
	if (first === 48 && (second === 42 || second === 130)) return keysOfComponents(decodeSpki(file), options);
	const text = trimBlank(new TextDecoder("utf-8", { ignoreBOM: true }).decode(file));
	if (text === "") throw new VtlicError("key_invalid", "the file should hold a public key, but it is empty");
	if (text.startsWith("-----BEGIN")) return keysOfComponents(decodePem(text).flatMap(decodeSpki), options);
	if (text.startsWith("{")) return decodeJwks(file, options);
	return [decodeRaw(text, options)];
}
// formats/license/bounds.ts
/** The bounds of the claims (docs/vtlic.cddl). */
/** 9999-12-31T23:59:59Z, in seconds since 1970: the last time that has a four-digit year. */
const MAX_TIME = 253402300799;
/** 366 days. */
const MAX_GRACE_SECONDS = 31622400;
/** As long as the times reach: adding it to any time stays far below 2^53. */
const MAX_OFFLINE_SECONDS = MAX_TIME;
/** 2^53-1, for seats, limits, instances and the counter. */
const MAX_COUNT = Number.MAX_SAFE_INTEGER;
const MAX_HOSTS = 1024;
// formats/license/id.ts
/** Two kinds of identifier: the ids that people choose, and the license id (UUID version 7, RFC 9562 §5.7). */
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const UUID_BYTES = 16;
const LETTER_OR_DIGIT = 1;
const MARK = 2;
/** By code unit: faster than a pattern, and each verification tests a dozen ids. */
const CHARACTER = /* @__PURE__ */ new Uint8Array(128);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") CHARACTER[character.charCodeAt(0)] = LETTER_OR_DIGIT;
for (const character of "._:-") CHARACTER[character.charCodeAt(0)] = MARK;
/** True for `[A-Za-z0-9][A-Za-z0-9._:-]{0,127}`: issuers, customers, products, tiers, features, limits, deployments. */
function isId(text) {
	const { length } = text;
	if (length < 1 || length > 128 || CHARACTER[text.charCodeAt(0)] !== LETTER_OR_DIGIT) return false;
	for (let i = 1; i < length; i++) if ((CHARACTER[text.charCodeAt(i)] ?? 0) === 0) return false;
	return true;
}
/** True for 16 bytes with the version 7 and the variant of RFC 9562. */
function isUuidV7Bytes(bytes) {
	return bytes.length === UUID_BYTES && (bytes[6] ?? 0) >> 4 === 7 && (bytes[8] ?? 0) >> 6 === 2;
}
/** The lower-case text of 16 bytes, of whatever version: `0192f3a1-…`. */
function uuidFromBytes(bytes) {
	if (bytes.length !== UUID_BYTES) throw new VtlicError("internal", `a UUID has ${UUID_BYTES} bytes, but ${bytes.length} came`);
	const high = (i) => DIGITS[(bytes[i] ?? 0) >> 4] ?? 0;
	const low = (i) => DIGITS[(bytes[i] ?? 0) & 15] ?? 0;
	return String.fromCharCode(high(0), low(0), high(1), low(1), high(2), low(2), high(3), low(3), HYPHEN, high(4), low(4), high(5), low(5), HYPHEN, high(6), low(6), high(7), low(7), HYPHEN, high(8), low(8), high(9), low(9), HYPHEN, high(10), low(10), high(11), low(11), high(12), low(12), high(13), low(13), high(14), low(14), high(15), low(15));
}
const HYPHEN = 45;
const DIGITS = utf8("0123456789abcdef");
/** The 16 bytes of a version 7 UUID in lower-case text; undefined for any other text. */
function uuidToBytes(text) {
	return UUID_V7.test(text) ? fromHex(text.replaceAll("-", "")) : void 0;
}
// verifier/lineage.ts
/**
* The lineage in which a counter counts, as one text: `iss/aud/sub`, or `iss/aud/sub/dep` for a license with a deployment.
* An id has no slash, so two lineages never share a text, and an absent dep is a value of its own.
*/
function lineageOf(license) {
	const { iss, aud, sub, dep } = license;
	return dep === void 0 ? `${iss}/${aud}/${sub}` : `${iss}/${aud}/${sub}/${dep}`;
}
/** Is this the text of a lineage: three or four ids with slashes between? */
function isLineage(text) {
	const parts = text.split("/");
	return (parts.length === 3 || parts.length === 4) && parts.every(isId);
}
// keys/public/encodings/component-text.ts
const BYTES = {
	ed25519: 32,
	"ml-dsa-65": MLDSA65_PUBLIC_KEY_BYTES
};
/**
* The bytes of exactly one component of the wanted kind, written as an SPKI PEM block or as canonical base64 of the bytes.
* Whether an Ed25519 key is a good one is for its import to say.
*
* @throws VtlicError `key_invalid` for anything else
*/
function decodeComponentText(text, kind) {
	if (text.startsWith("-----BEGIN")) return componentOfPem(text, kind);
	const bytes = decodeBase64(text);
	if (bytes?.length === BYTES[kind]) return bytes;
	const came = bytes === void 0 ? "it is neither" : `it is base64 of ${bytes.length} bytes`;
	throw new VtlicError("key_invalid", `the ${kind} key should be an SPKI PEM block or canonical base64 of ${BYTES[kind]} bytes, but ${came}`);
}
function componentOfPem(text, kind) {
	const components = decodePem(text).flatMap(decodeSpki);
	const [component] = components;
	if (component === void 0 || components.length > 1) throw new VtlicError("key_invalid", `one ${kind} key should stand here, but there are ${components.length} keys`);
	if (component.kind !== kind) throw new VtlicError("key_invalid", `the PEM block should hold an ${kind} key, but it holds an ${component.kind} key`);
	return component.bytes;
}
// keys/public/job.ts
/** What a key may sign. One key, one job: recorded with the key, checked at use. */
const JOBS = Object.freeze([
	"license",
	"root",
	"ledger",
	"approval",
	"transcript",
	"counters",
	"release"
]);
function isJob(text) {
	return JOBS.includes(text);
}
// verifier/trust.ts
/** What a verifier trusts, taken whole before it looks at a license (docs/format.md, "Trust"). */
const STATUSES = /* @__PURE__ */ new Set([
	"pre-published",
	"active",
	"retired",
	"revoked"
]);
const indexes = /* @__PURE__ */ new WeakMap();
/**
* Judges and freezes a trust value.
*
* @throws VtlicError `configuration_invalid`: one kid with different jobs, status or scope; a half that stands in two different
* keys; a time or a counter out of bounds
*/
function makeTrust(values) {
	const byKid = /* @__PURE__ */ new Map();
	for (const given of values.keys) addKey(byKid, frozenKey(given));
	const keys = [...byKid.values()];
	refuseSharedHalves(keys.map(({ key }) => key));
	const { ed25519Until } = values;
	if (ed25519Until !== void 0) requireInteger("ed25519Until", ed25519Until, MAX_TIME);
	const lowestCounters = new Map(values.lowestCounters);
	for (const [lineage, counter] of lowestCounters) {
		if (!isLineage(lineage)) throw new VtlicError("configuration_invalid", `a lowest counter is of a lineage "iss/aud/sub" or "iss/aud/sub/dep", but "${cleanText(lineage)}" came`);
		requireInteger(`the lowest counter of ${lineage}`, counter, Number.MAX_SAFE_INTEGER);
	}
	const revokedLicenses = new Set(values.revokedLicenses);
	for (const id of revokedLicenses) if (uuidToBytes(id) === void 0) throw new VtlicError("configuration_invalid", `a revoked license is named by its id, a lower-case UUID of version 7, but "${cleanText(id)}" came`);
	const trust = Object.freeze({
		keys: Object.freeze(keys),
		requireComposite: values.requireComposite ?? false,
		...ed25519Until === void 0 ? {} : { ed25519Until },
		revokedLicenses,
		lowestCounters
	});
	const compositeOfHalf = /* @__PURE__ */ new Map();
	for (const { key } of keys) if (key.mldsa65 !== void 0) compositeOfHalf.set(kidOf("ed25519", key.ed25519), key.kid);
	indexes.set(trust, {
		byKid,
		compositeOfHalf,
		revokedLicenses: new Set(revokedLicenses),
		lowestCounters: new Map(lowestCounters)
	});
	return trust;
}
/** @throws VtlicError `usage` for a value that `makeTrust` did not make */
function indexOfTrust(trust) {
	const index = indexes.get(trust);
	if (index === void 0) throw new VtlicError("usage", "the trust value was not made by makeTrust()");
	return index;
}
/**
* Halves of a composite are fresh and used for nothing else: whoever holds or breaks one half would issue alone under the
* other key. Entries with one kid are one key.
*
* @throws VtlicError `configuration_invalid`
*/
function refuseSharedHalves(keys) {
	const owners = /* @__PURE__ */ new Map();
	for (const key of keys) {
		const halves = [`Ed25519 ${toHex(key.ed25519)}`];
		if (key.mldsa65 !== void 0) halves.push(`ML-DSA-65 ${toHex(nodeProvider.sha256(key.mldsa65))}`);
		for (const half of halves) {
			const owner = owners.get(half);
			if (owner !== void 0 && owner !== key.kid) throw new VtlicError("configuration_invalid", `the keys ${owner} and ${key.kid} share a half, but a half may stand in one key only`, { hint: "Give every key halves of its own; with an override, give both halves of a composite key (LICENSE_PUBLIC_KEY and LICENSE_MLDSA_PUBLIC_KEY)." });
			owners.set(half, key.kid);
		}
	}
}
function addKey(byKid, entry) {
	const { kid } = entry.key;
	const earlier = byKid.get(kid);
	if (earlier !== void 0 && !sameEntry(earlier, entry)) throw new VtlicError("configuration_invalid", `the key ${kid} stands twice in the trust value, with a different job, status or scope`);
	byKid.set(kid, earlier ?? entry);
}
function sameEntry(a, b) {
	return a.job === b.job && a.status === b.status && sameList(a.products, b.products) && sameList(a.tiers, b.tiers);
}
function sameList(a, b) {
	if (a === void 0 || b === void 0) return a === b;
	return a.length === b.length && a.every((item, i) => item === b[i]);
}
function frozenKey({ key, job, status, products, tiers }) {
	const made = importPublicKey(key.alg, key.bytes);
	if (key.kid !== made.kid) throw new VtlicError("usage", `the public key that calls itself ${key.kid} was not made by importPublicKey()`);
	if (!isJob(job)) throw new VtlicError("configuration_invalid", `the job of the key ${made.kid} should be one of ${JOBS.join(", ")}`);
	if (!STATUSES.has(status)) throw new VtlicError("configuration_invalid", `the status of the key ${made.kid} should be one of ${[...STATUSES].join(", ")}`);
	return Object.freeze({
		key: made,
		job,
		status,
		...products === void 0 ? {} : { products: Object.freeze([...new Set(products)].sort()) },
		...tiers === void 0 ? {} : { tiers: Object.freeze([...new Set(tiers)].sort()) }
	});
}
function requireInteger(name, value, max) {
	if (Number.isInteger(value) && value >= 0 && value <= max) return;
	throw new VtlicError("configuration_invalid", `${name} should be a whole number from 0 to ${max}, but it is ${value}`);
}
// verifier/override.ts
/** The environment's override of the built-in keys, for rotation (docs/format.md, "Trust"). */
const FILE_SCHEME = "file:";
const MAX_KEY_FILE_BYTES = 65536;
/**
* The trust with the override laid over what is built in. The issuing keys are then exactly those of the override; roots,
* revocations and policy stay, and a kid that is known keeps its job and status. Without the variables: the built-in trust.
*
* @param readFile reads the file of a `file:PATH` item; what it throws becomes `configuration_invalid`
* @throws VtlicError `configuration_invalid` naming the variable and the item: never a silent return to built-in keys
*/
function trustFromOverride(env, builtIn, readFile) {
	const requireComposite = readRequireComposite(env.LICENSE_REQUIRE_COMPOSITE) || builtIn.requireComposite;
	const keys = readOverrideKeys(env, readFile);
	if (keys === void 0) return requireComposite === builtIn.requireComposite ? builtIn : makeTrust({
		...builtIn,
		requireComposite
	});
	refuseSharedHalves([...builtIn.keys.map(({ key }) => key), ...keys]);
	const { byKid } = indexOfTrust(builtIn);
	const issuing = keys.map((key) => byKid.get(key.kid) ?? {
		key,
		job: "license",
		status: "active"
	});
	const kept = builtIn.keys.filter(({ job }) => job !== "license");
	return makeTrust({
		...builtIn,
		requireComposite,
		keys: [...kept, ...issuing]
	});
}
function readRequireComposite(value) {
	const text = trimBlank(value ?? "");
	if (text === "") return false;
	if (text === "1") return true;
	throw new VtlicError("configuration_invalid", `LICENSE_REQUIRE_COMPOSITE should be 1 or unset, but it is "${cleanText(text, 40)}"`, { field: "LICENSE_REQUIRE_COMPOSITE" });
}
/** Undefined where neither variable is there. */
function readOverrideKeys(env, readFile) {
	const ed25519Items = itemsOf(env.LICENSE_PUBLIC_KEY);
	const mldsa65Items = itemsOf(env.LICENSE_MLDSA_PUBLIC_KEY);
	if (ed25519Items === void 0) {
		if (mldsa65Items === void 0) return void 0;
		throw invalid("LICENSE_PUBLIC_KEY", void 0, "is absent, but LICENSE_MLDSA_PUBLIC_KEY is there, and the items of the two pair up");
	}
	if (mldsa65Items !== void 0 && mldsa65Items.length !== ed25519Items.length) throw invalid("LICENSE_MLDSA_PUBLIC_KEY", void 0, `should have as many items as LICENSE_PUBLIC_KEY (${ed25519Items.length}), but it has ${mldsa65Items.length}`);
	return ed25519Items.map((item, i) => {
		const number = i + 1;
		const ed25519 = readItem("LICENSE_PUBLIC_KEY", number, item, "ed25519", readFile);
		const other = mldsa65Items?.[i] ?? "";
		if (other === "") return importItem("LICENSE_PUBLIC_KEY", number, () => importPublicKey("ed25519", ed25519));
		const mldsa65 = readItem("LICENSE_MLDSA_PUBLIC_KEY", number, other, "ml-dsa-65", readFile);
		return importItem("LICENSE_PUBLIC_KEY", number, () => importPublicKey("ed25519+ml-dsa-65", concatBytes(mldsa65, ed25519)));
	});
}
function itemsOf(value) {
	if (value === void 0 || trimBlank(value) === "") return void 0;
	return value.split(",").map(trimBlank);
}
function readItem(variable, number, item, kind, readFile) {
	if (item === "") throw invalid(variable, number, "is empty");
	const text = item.startsWith(FILE_SCHEME) ? readItemFile(variable, number, item.slice(5), readFile) : item;
	return importItem(variable, number, () => decodeComponentText(text, kind));
}
function readItemFile(variable, number, path, readFile) {
	let bytes;
	try {
		bytes = readFile(path);
	} catch (error) {
		throw invalid(variable, number, `names the file ${cleanText(path)}, which cannot be read`, error);
	}
	if (bytes.length > MAX_KEY_FILE_BYTES) throw invalid(variable, number, `names the file ${cleanText(path)}, which is far too large for a public key`);
	return trimBlank(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
}
/** A key that is refused is a fault of the configuration, told with its variable and item. */
function importItem(variable, number, read) {
	try {
		return read();
	} catch (error) {
		if (error instanceof VtlicError && error.code === "key_invalid") throw invalid(variable, number, `is refused: ${error.message}`, error);
		throw error;
	}
}
function invalid(variable, number, fault, cause) {
	return new VtlicError("configuration_invalid", `${number === void 0 ? "" : `item ${number} of `}${variable} ${fault}`, {
		field: variable,
		hint: "Give public keys as SPKI PEM, as base64 of exactly 32 (Ed25519) or 1952 bytes (ML-DSA-65), or as file:PATH.",
		cause
	});
}
// verifier/reasons.ts
const COPY_AGAIN = "Copy the file again exactly as the vendor sent it, or ask the vendor to send it once more.";
const ASK_VENDOR = "Ask the vendor for a license that this product can read, and send the detail along.";
const NEW_VENDOR_KEY = "Check that the license is for this product; if it is, update the product so that it knows the key, or ask the vendor for a license by a current key.";
const NEWEST_FILE = "Install the newest license that the vendor sent for this deployment.";
const REASONS = Object.freeze({
	too_large: {
		layer: "size",
		sentence: "The file is larger than any license.",
		remedy: "Check that this is the license file; if it is, ask the vendor for a smaller one."
	},
	armor_malformed: {
		layer: "armor",
		sentence: "The file is not one whole license block.",
		remedy: COPY_AGAIN
	},
	cbor_malformed: {
		layer: "cbor",
		sentence: "The content of the license block is damaged.",
		remedy: COPY_AGAIN
	},
	cbor_not_deterministic: {
		layer: "cbor",
		sentence: "The content of the license block is not spelled in the one way that is allowed.",
		remedy: ASK_VENDOR
	},
	cose_malformed: {
		layer: "cose",
		sentence: "The license block does not hold a signed license.",
		remedy: ASK_VENDOR
	},
	typ_wrong: {
		layer: "cose",
		sentence: "The file is signed, but it is not a license.",
		remedy: "Install the license file; this one is something else that the vendor signs."
	},
	alg_unknown: {
		layer: "cose",
		sentence: "The license is signed with an algorithm that this product does not know.",
		remedy: "Update the product, or ask the vendor for a license with an algorithm that it knows."
	},
	key_unknown: {
		layer: "key",
		sentence: "The license is signed by a key that this product does not trust.",
		remedy: NEW_VENDOR_KEY
	},
	key_composite_only: {
		layer: "key",
		sentence: "The license is signed by one half of a composite key, and a half alone signs nothing.",
		remedy: "Treat this file as a forgery and report it to the vendor."
	},
	key_algorithm_mismatch: {
		layer: "key",
		sentence: "The license names an algorithm that is not the one of its key.",
		remedy: ASK_VENDOR
	},
	signature_invalid: {
		layer: "signature",
		sentence: "The signature does not hold: the license is altered or forged.",
		remedy: COPY_AGAIN
	},
	claims_malformed: {
		layer: "claims",
		sentence: "The license is genuine, but a claim in it is malformed.",
		remedy: ASK_VENDOR
	},
	claims_unknown: {
		layer: "claims",
		sentence: "The license is genuine, but holds a claim that this product does not understand.",
		remedy: "Update the product, or ask the vendor for a license for this version."
	},
	key_revoked: {
		layer: "policy",
		sentence: "The key that signed the license was revoked by the vendor.",
		remedy: "Ask the vendor for a license by a current key."
	},
	key_wrong_job: {
		layer: "policy",
		sentence: "The key that signed the license is not one for licenses of this product and tier.",
		remedy: "Report this file to the vendor and ask for another one."
	},
	algorithm_not_allowed: {
		layer: "policy",
		sentence: "Licenses with an Ed25519 signature alone are no longer in force here.",
		remedy: "Ask the vendor for a license with the composite signature (ed25519+ml-dsa-65)."
	},
	license_revoked: {
		layer: "policy",
		sentence: "The vendor revoked this license.",
		remedy: "Ask the vendor which license replaces it."
	},
	superseded: {
		layer: "policy",
		sentence: "The vendor replaced this license by a later one.",
		remedy: NEWEST_FILE
	},
	issuer_mismatch: {
		layer: "binding",
		sentence: "The license is by another vendor.",
		remedy: "Install a license by the vendor of this product."
	},
	product_mismatch: {
		layer: "binding",
		sentence: "The license is for another product.",
		remedy: "Install the license for this product."
	},
	deployment_mismatch: {
		layer: "binding",
		sentence: "The license is for another deployment.",
		remedy: "Install the license for this deployment, or correct the deployment that is configured here."
	},
	host_mismatch: {
		layer: "binding",
		sentence: "The license is bound to other hosts.",
		remedy: "Send the fingerprint of this host to the vendor and ask for a license that names it."
	},
	lineage_not_newer: {
		layer: "lineage",
		sentence: "The license belongs to another customer or deployment and is no newer than the one last accepted.",
		remedy: "Put the previous file back, or ask the vendor to issue this license anew."
	},
	counter_rolled_back: {
		layer: "counter",
		sentence: "The license is older than one that was accepted here before.",
		remedy: NEWEST_FILE
	},
	counter_conflict: {
		layer: "counter",
		sentence: "Another license with the same counter was accepted here before, which no honest signer makes.",
		remedy: "Put the previous file back, or ask the vendor for a license with a higher counter."
	}
});
function isReason(text) {
	return Object.hasOwn(REASONS, text);
}
// verifier/verdict.ts
const NOWHERE = Object.freeze({});
function refuse(reason, detail, place = NOWHERE) {
	return Object.freeze({
		ok: false,
		layer: REASONS[reason].layer,
		reason,
		detail,
		place
	});
}
// verifier/seen.ts
/** Anti-rollback, as a pure function of what was accepted before (docs/format.md, "State, counter, time"). */
/**
* The current lineage is judged by its counter alone. A license of any other one must have an iat above the highest accepted
* (else one hops to an old license of another deployment, and back), and then its counter is judged.
*/
function judgeSeen(license, payloadDigest, seen) {
	if (seen === void 0) return "first";
	const lineage = lineageOf(license);
	const isCurrent = lineage === seen.current;
	if (!isCurrent && license.iat <= seen.highestIat) return refuse("lineage_not_newer", `its iat is ${license.iat}, and one with ${seen.highestIat} was accepted in the lineage ${seen.current}`, { field: "iat" });
	const known = seen.lineages.get(lineage);
	if (known === void 0) return "other_lineage";
	if (license.ctr < known.counter) return refuse("counter_rolled_back", `its counter is ${license.ctr}, and ${known.counter} was accepted before`, { field: "ctr" });
	if (license.ctr > known.counter) return isCurrent ? "newer" : "other_lineage";
	if (payloadDigest === known.payloadDigest) return "same";
	return refuse("counter_conflict", `its counter is ${license.ctr}, which another payload had before`, { field: "ctr" });
}
/**
* What is seen once the license has been accepted. Counters never go down; a license with `clk` that applied lowers the
* highest iat to its own.
*
* @throws VtlicError `usage` for a license that is not in force: its counter must not be taken
*/
function seenAfter(seen, accepted) {
	if (accepted.state !== "active" && accepted.state !== "grace") throw new VtlicError("usage", `the counter of a license is taken when it is in force, but this one is ${accepted.state}`);
	const { license, lineage, payloadDigest, resetsClock } = accepted;
	const lineages = new Map(seen?.lineages);
	const known = lineages.get(lineage);
	if (known === void 0 || known.counter < license.ctr) lineages.set(lineage, Object.freeze({
		counter: license.ctr,
		payloadDigest
	}));
	const highestIat = resetsClock ? license.iat : Math.max(seen?.highestIat ?? 0, license.iat);
	return Object.freeze({
		current: lineage,
		highestIat,
		lineages
	});
}
// formats/armor.ts
/**
* The text form of a signed file: RFC 7468 style, base64 with 64 characters a line.
*
* People paste, so blank space around the block is ignored and line ends may be LF or CRLF. Nothing else may differ: a strict
* reader is why white space alone can change in a file whose signature holds.
*/
/** 96 KiB as read, 48 KiB decoded. */
const LICENSE_LIMITS = Object.freeze({
	fileBytes: 98304,
	decodedBytes: 49152
});
const LINE_CHARACTERS = 64;
const LINE_BYTES = 48;
const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DASH = 45;
const BEGIN = {
	VTLIC: "-----BEGIN VTLIC-----",
	"VTLIC KEYSET": "-----BEGIN VTLIC KEYSET-----"
};
const END = {
	VTLIC: "-----END VTLIC-----",
	"VTLIC KEYSET": "-----END VTLIC KEYSET-----"
};
/**
* The bytes in a file that is one armored block with nothing but blank space around it.
*
* @throws VtlicError `too_large` (the file; then, once the armor has been read whole, what it holds), or `armor_malformed` with
* the line and the offset of the fault
*/
function dearmor(label, file, limits = LICENSE_LIMITS) {
	if (file.length > limits.fileBytes) throw new VtlicError("too_large", `the file has ${file.length} bytes, but at most ${limits.fileBytes} are allowed`);
	const begin = skipBlank(file, 0);
	const body = afterLineEnd(file, begin + BEGIN[label].length);
	if (body < 0 || !standsAt(file, begin, BEGIN[label])) throw badBegin(label, file, begin);
	const target = new Uint8Array(Math.ceil((file.length - body) * 3 / 4));
	let written = 0;
	let at = body;
	let lastWasFull = true;
	while (file[at] !== DASH) {
		const lineEnd = endOfLine(file, at);
		const next = afterLineEnd(file, lineEnd);
		const length = lineEnd - at;
		const end = lastWasFull && next > 0 && length > 0 && length <= LINE_CHARACTERS ? decodeBase64Into(file, at, lineEnd, target, written) : -1;
		if (end < 0) throw badLine(label, file, at, lineEnd, lastWasFull);
		lastWasFull = end - written === LINE_BYTES;
		written = end;
		at = next;
	}
	if (!standsAt(file, at, END[label])) throw malformed$1(file, at, `the line "${END[label]}" should end the block`);
	if (written === 0) throw malformed$1(file, at, "the block should hold at least one line of base64");
	const rest = skipBlank(file, at + END[label].length);
	if (rest < file.length) throw malformed$1(file, rest, "only blank space may follow the block (one block a file)");
	if (written > limits.decodedBytes) throw new VtlicError("too_large", `the file holds ${written} bytes, but at most ${limits.decodedBytes} are allowed`);
	return target.subarray(0, written);
}
function skipBlank(file, from) {
	let at = from;
	for (;;) {
		const byte = file[at];
		if (byte !== LF && byte !== CR && byte !== SPACE && byte !== TAB) return at;
		at++;
	}
}
/** Where the line's own characters end: before LF or CRLF, or at the end of the file. A lone CR is a character like others. */
function endOfLine(file, from) {
	const lf = file.indexOf(LF, from);
	if (lf < 0) return file.length;
	return lf > from && file[lf - 1] === CR ? lf - 1 : lf;
}
/** The offset behind the LF or CRLF that stands at `at`, or -1 where none does. */
function afterLineEnd(file, at) {
	if (file[at] === LF) return at + 1;
	return file[at] === CR && file[at + 1] === LF ? at + 2 : -1;
}
function standsAt(file, at, text) {
	for (let i = 0; i < text.length; i++) if (file[at + i] !== text.charCodeAt(i)) return false;
	return true;
}
const COPY_WHOLE = "Copy the whole block again, from its BEGIN line to its END line, as plain text.";
function badBegin(label, file, begin) {
	const expected = `"${BEGIN[label]}"`;
	if (begin === file.length) return malformed$1(file, begin, `the line ${expected} should begin it, but the file is ${begin === 0 ? "empty" : "blank"}`);
	if (file[begin] === 239 && file[begin + 1] === 187 && file[begin + 2] === 191) return malformed$1(file, begin, "it begins with a byte order mark (U+FEFF)", "Save the file as plain UTF-8 or ASCII without a byte order mark.");
	return malformed$1(file, begin, `the line ${expected} should begin it, alone on its line, but "${cleanText(ascii(file, begin, endOfLine(file, begin)), LINE_CHARACTERS)}" does`, COPY_WHOLE);
}
function badLine(label, file, from, to, lastWasFull) {
	if (from === file.length) return malformed$1(file, from, `it ends before the line "${END[label]}"`, COPY_WHOLE);
	if (from === to) return malformed$1(file, from, "a line of base64 or the END line should stand here, but the line is empty", COPY_WHOLE);
	if (to === file.length) return malformed$1(file, from, "it ends within a line of base64", COPY_WHOLE);
	for (let i = from; i < to; i++) {
		const byte = file[i] ?? 0;
		if (byte === SPACE || byte === TAB) return malformed$1(file, i, "a blank stands within the block", COPY_WHOLE);
		if (byte === CR) return malformed$1(file, i, "a carriage return stands without a line feed", COPY_WHOLE);
		if (!isBase64Character(byte)) return malformed$1(file, i, "a character that is not base64 stands within the block", COPY_WHOLE);
	}
	if (!lastWasFull) return malformed$1(file, from, `every line of base64 but the last should have exactly ${LINE_CHARACTERS} characters, but the line before has fewer`, COPY_WHOLE);
	if (to - from > LINE_CHARACTERS) return malformed$1(file, from, `a line of base64 should have at most ${LINE_CHARACTERS} characters, but this one has ${to - from}`, COPY_WHOLE);
	return malformed$1(file, from, "the base64 of this line is not canonical: whole groups of four, padded by \"=\" at the very end alone, unused bits zero", COPY_WHOLE);
}
function isBase64Character(byte) {
	return byte >= 65 && byte <= 90 || byte >= 97 && byte <= 122 || byte >= 47 && byte <= 57 || byte === 43 || byte === 61;
}
function ascii(file, from, to) {
	return new TextDecoder().decode(file.subarray(from, Math.min(to, from + 256)));
}
function malformed$1(file, offset, fault, hint) {
	let line = 1;
	for (let i = 0; i < offset; i++) if (file[i] === LF) line++;
	return new VtlicError("armor_malformed", `the file is not well armored: ${fault}`, hint === void 0 ? {
		line,
		offset
	} : {
		line,
		offset,
		hint
	});
}
// formats/cbor/value.ts
function isCborMap(value) {
	return value instanceof Map;
}
function isCborArray(value) {
	return Array.isArray(value);
}
function isCborBytes(value) {
	return value instanceof Uint8Array;
}
/** What a value is, in words for a message: "a text", "an array". */
function cborTypeInWords(value) {
	if (value === void 0) return "nothing";
	if (typeof value === "number") return "an integer";
	if (typeof value === "string") return "a text";
	if (typeof value === "boolean") return `the value ${String(value)}`;
	if (isCborBytes(value)) return "a byte string";
	return isCborMap(value) ? "a map" : "an array";
}
// formats/cbor/decode.ts
/**
* Strict reading of the CBOR profile: one spelling for each meaning, everything else refused with its place.
*
* The bytes are walked once, from the first to the last, and the first fault ends the walk. Within one item the order is: the head
* (reserved additional information, truncation, indefinite length, shortest form), then what it means (type, range, depth, a
* tag out of place), then the content. The order of a map key is judged when the key has been read whole, before its value.
*/
/**
* Reads one item that fills `bytes` and has no tag. Byte strings are fresh copies unless views are asked for.
*
* @throws VtlicError `cbor_malformed` (truncation, trailing bytes, additional information 28-30, a stray break, floats, null, undefined
* and other simple values, an integer beyond ±(2^53-1), invalid UTF-8, depth above 8, a tag) or `cbor_not_deterministic` (an
* argument not in its shortest form, an indefinite length, a map key unsorted or repeated); `place.offset` is the first byte of the item
* at fault, of the first trailing byte, or the end where an item is missing
*/
function decodeCbor(bytes, options) {
	const walk = new Walk(bytes, options?.offsetBase ?? 0, options?.views === true ? VIEWS : COPIES);
	const value = walk.item(0);
	walk.end();
	return value;
}
/**
* Reads one item that fills `bytes` and may have one tag at the very top, whatever its number. Errors as `decodeCbor`.
*
* Byte strings are views of one private copy of `bytes`: for the large strings of a signed file that is much cheaper than a copy of each.
*/
function decodeTaggedCbor(bytes, options) {
	const walk = new Walk(copyBytes(bytes), 0, {
		copyStrings: false,
		embeddedFirst: options?.embeddedFirst ?? false
	});
	const tag = walk.topTag();
	const value = walk.item(0);
	walk.end();
	return {
		tag,
		value,
		embedded: walk.embedded
	};
}
const COPIES = {
	copyStrings: true,
	embeddedFirst: false
};
const VIEWS = {
	copyStrings: false,
	embeddedFirst: false
};
const textDecoder = new TextDecoder("utf-8", {
	fatal: true,
	ignoreBOM: true
});
const MAJOR_TAG = 6;
/** Keys and common values come again and again: comparing bytes with the last such text costs less than making it anew. */
const familiarTexts = [];
const FAMILIAR_TEXTS = 509;
const LONGEST_FAMILIAR = 32;
/** True only for ASCII: any other text has fewer characters than bytes. */
function spells(text, bytes, from, length) {
	if (text.length !== length) return false;
	for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
	return true;
}
var Walk = class {
	embedded = void 0;
	offset = 0;
	argument = 0;
	bytes;
	base;
	manner;
	constructor(bytes, base, manner) {
		this.bytes = bytes;
		this.base = base;
		this.manner = manner;
	}
	topTag() {
		const first = this.bytes[0];
		if (first === void 0 || first >> 5 !== MAJOR_TAG) return void 0;
		this.head();
		return this.argument;
	}
	end() {
		const left = this.bytes.length - this.offset;
		if (left > 0) throw this.malformed(this.offset, `${left === 1 ? "one byte follows" : `${left} bytes follow`} the end of the item`);
	}
	/** @param depth the number of arrays and maps around the item */
	item(depth) {
		const start = this.offset;
		const major = this.head();
		const { argument } = this;
		switch (major) {
			case 0:
				if (argument > Number.MAX_SAFE_INTEGER) throw this.outOfRange(start);
				return argument;
			case 1:
				if (argument > Number.MAX_SAFE_INTEGER - 1) throw this.outOfRange(start);
				return -1 - argument;
			case 2: return this.byteString(this.content(start, argument), this.offset);
			case 3: return this.text(start, this.content(start, argument));
			case 4: return this.array(start, argument, depth + 1);
			case 5: return this.map(start, argument, depth + 1);
			case 6: throw this.malformed(start, "a tag stands elsewhere than at the very top");
			default: return argument === 21;
		}
	}
	/** Reads a head, leaves its argument in `argument`, and returns its major type; of type 7 only `false` and `true` pass. */
	head() {
		const start = this.offset;
		const initial = this.bytes[start];
		if (initial === void 0) throw this.malformed(start, "the bytes end where an item should begin");
		const information = initial & 31;
		if (initial >= 224 && initial !== 244 && initial !== 245) throw this.malformed(start, typeSevenInWords(information));
		if (information < 24) {
			this.argument = information;
			this.offset = start + 1;
		} else this.longHead(start, initial >> 5, information);
		return initial >> 5;
	}
	longHead(start, major, information) {
		const { bytes } = this;
		if (information === 31 && major >= 2 && major <= 5) throw this.notDeterministic(start, "an indefinite length is used");
		if (information > 27) throw this.malformed(start, `the reserved additional information ${information} is used`);
		const size = 1 << information - 24;
		if (start + 1 + size > bytes.length) throw this.malformed(start, "the bytes end within the head of an item");
		let argument = 0;
		for (let i = start + 1; i <= start + size; i++) argument = argument * 256 + (bytes[i] ?? 0);
		if (argument < (size === 1 ? 24 : 256 ** (size / 2))) throw this.notDeterministic(start, `${ARGUMENT_OF[major] ?? "an argument"} is not in its shortest form`);
		this.argument = argument;
		this.offset = start + 1 + size;
	}
	/** Steps over the content of a string and returns where it begins. */
	content(start, length) {
		const from = this.offset;
		if (length > this.bytes.length - from) throw this.malformed(start, `a string should have ${length} bytes, but ${this.bytes.length - from} are left`);
		this.offset = from + length;
		return from;
	}
	byteString(from, to) {
		return this.manner.copyStrings ? copyBytes(this.bytes, from, to) : this.bytes.subarray(from, to);
	}
	text(start, from) {
		const to = this.offset;
		const length = to - from;
		if (length === 0 || length > LONGEST_FAMILIAR) return this.newText(start, from, to);
		const { bytes } = this;
		const slot = (length + 37 * (bytes[from] ?? 0) + 101 * (bytes[from + (length >> 1)] ?? 0) + 151 * (bytes[to - 1] ?? 0)) % FAMILIAR_TEXTS;
		const familiar = familiarTexts[slot];
		if (familiar !== void 0 && spells(familiar, bytes, from, length)) return familiar;
		const text = this.newText(start, from, to);
		familiarTexts[slot] = text;
		return text;
	}
	/** Nearly every text is short and ASCII: four characters at a time are faster than a `TextDecoder` then. */
	newText(start, from, to) {
		const { bytes } = this;
		let text = "";
		let i = from;
		for (; i + 4 <= to; i += 4) {
			const a = bytes[i] ?? 0;
			const b = bytes[i + 1] ?? 0;
			const c = bytes[i + 2] ?? 0;
			const d = bytes[i + 3] ?? 0;
			if ((a | b | c | d) > 127) return this.unicode(start, from, to);
			text += String.fromCharCode(a, b, c, d);
		}
		for (; i < to; i++) {
			const code = bytes[i] ?? 0;
			if (code > 127) return this.unicode(start, from, to);
			text += String.fromCharCode(code);
		}
		return text;
	}
	unicode(start, from, to) {
		try {
			return textDecoder.decode(this.bytes.subarray(from, to));
		} catch {
			throw this.malformed(start, "a text is not valid UTF-8");
		}
	}
	array(start, length, depth) {
		if (depth > 8) throw this.tooDeep(start);
		const items = [];
		if (length === 0) return items;
		const first = this.item(depth);
		if (depth === 1 && this.manner.embeddedFirst && first instanceof Uint8Array && first.length > 0) this.embedded = decodeCbor(first, { offsetBase: this.base + this.offset - first.length });
		items.push(first);
		for (let i = 1; i < length; i++) items.push(this.item(depth));
		return items;
	}
	map(start, pairs, depth) {
		if (depth > 8) throw this.tooDeep(start);
		const map = /* @__PURE__ */ new Map();
		let previousFrom = 0;
		let previousTo = 0;
		for (let i = 0; i < pairs; i++) {
			const from = this.offset;
			const key = this.item(depth);
			if (i > 0) this.judgeOrder(previousFrom, previousTo, from);
			previousFrom = from;
			previousTo = this.offset;
			map.set(key, this.item(depth));
		}
		return map;
	}
	/** Keys rise bytewise by their encodings. One encoding never begins another, so a difference comes before either ends. */
	judgeOrder(previousFrom, previousTo, from) {
		const { bytes } = this;
		for (let i = previousFrom, j = from; i < previousTo; i++, j++) {
			const difference = (bytes[j] ?? 0) - (bytes[i] ?? 0);
			if (difference > 0) return;
			if (difference < 0) throw this.notDeterministic(from, "a map key comes after one that it should stand before");
		}
		throw this.notDeterministic(from, "a map key is repeated");
	}
	outOfRange(start) {
		return this.malformed(start, "an integer lies beyond ±(2^53-1)");
	}
	tooDeep(start) {
		return this.malformed(start, `arrays and maps are nested deeper than 8`);
	}
	malformed(offset, fault) {
		return new VtlicError("cbor_malformed", `the CBOR is malformed: ${fault}`, { offset: this.base + offset });
	}
	notDeterministic(offset, fault) {
		return new VtlicError("cbor_not_deterministic", `the CBOR is not deterministic: ${fault}`, { offset: this.base + offset });
	}
};
const ARGUMENT_OF = [
	"an integer",
	"a negative integer",
	"the length of a byte string",
	"the length of a text",
	"the length of an array",
	"the length of a map",
	"a tag number"
];
function typeSevenInWords(information) {
	if (information === 22) return "null is used";
	if (information === 23) return "undefined is used";
	if (information >= 25 && information <= 27) return "a floating-point number is used";
	if (information >= 28 && information <= 30) return `the reserved additional information ${information} is used`;
	if (information === 31) return "a break stands where no indefinite length is open";
	return "a simple value other than true and false is used";
}
new TextEncoder();
// formats/cose-sign1.ts
/**
* `COSE_Sign1` as this format uses it (RFC 9052 §4.2): tag 18, three protected parameters, no unprotected ones, the payload inside,
* no external data.
*/
const TYP = Object.freeze({
	license: "application/vnd.vtlic.license+cose",
	keyset: "application/vnd.vtlic.keyset+cose",
	approval: "application/vnd.vtlic.approval+cose",
	transcript: "application/vnd.vtlic.transcript+cose",
	counters: "application/vnd.vtlic.counters+cose",
	release: "application/vnd.vtlic.release+cose"
});
const TAG_SIGN1 = 18;
const HEADER_ALG = 1;
const HEADER_KID = 4;
const HEADER_TYP = 16;
const KID_BYTES = 32;
/** An array of 4 and the text "Signature1". */
const SIGNATURE1 = Uint8Array.of(132, 106, 83, 105, 103, 110, 97, 116, 117, 114, 101, 49);
/** What is signed: the encoded `["Signature1", protected, external_aad = h'', payload]` (RFC 9052 §4.4). */
function sigStructure(protectedBytes, payload) {
	const out = new Uint8Array(SIGNATURE1.length + headLength(protectedBytes.length) + protectedBytes.length + 1 + headLength(payload.length) + payload.length);
	out.set(SIGNATURE1);
	const externalAad = writeByteString(out, SIGNATURE1.length, protectedBytes);
	out[externalAad] = 64;
	writeByteString(out, externalAad + 1, payload);
	return out;
}
/**
* Reads a signed thing whose kind the caller knows. The payload is not looked into.
*
* @throws VtlicError in this order: `cbor_malformed` or `cbor_not_deterministic` (the protected bytes are walked too, at their place),
* `cose_malformed` (tag, shape, the exact header and its types), `typ_wrong` (another kind of thing), `alg_unknown`
*/
function decodeCoseSign1(bytes, expectedTyp) {
	const { tag, value, embedded } = decodeTaggedCbor(bytes, { embeddedFirst: true });
	if (tag !== TAG_SIGN1) throw malformed(`tag 18 (COSE_Sign1) should stand at the top, but ${tag === void 0 ? "there is no tag" : `tag ${tag} does`}`);
	if (!isCborArray(value)) throw malformed(`an array should follow the tag, but ${cborTypeInWords(value)} does`);
	const [protectedBytes, unprotected, payload, signature] = value;
	if (value.length !== 4) throw malformed(`the array should have 4 items, but it has ${value.length}`);
	if (!isCborBytes(protectedBytes)) throw malformed(`the protected header should be a byte string, but it is ${cborTypeInWords(protectedBytes)}`);
	if (!isCborMap(unprotected)) throw malformed(`the unprotected header should be the empty map, but it is ${cborTypeInWords(unprotected)}`);
	if (unprotected.size > 0) throw malformed("the unprotected header should be the empty map, but it has entries");
	if (!isCborBytes(payload)) throw malformed(`the payload should be a byte string, but it is ${cborTypeInWords(payload)}`);
	if (!isCborBytes(signature)) throw malformed(`the signature should be a byte string, but it is ${cborTypeInWords(signature)}`);
	if (!isCborMap(embedded)) throw malformed(`the protected bytes should hold a map, but they hold ${cborTypeInWords(embedded)}`);
	const alg = embedded.get(HEADER_ALG);
	const kid = embedded.get(HEADER_KID);
	const typ = embedded.get(HEADER_TYP);
	if (embedded.size !== 3 || alg === void 0 || kid === void 0 || typ === void 0) throw malformed("the protected header should have exactly alg (1), kid (4) and typ (16)");
	if (typeof alg !== "number" && typeof alg !== "string") throw malformed(`alg should be an integer or a text, but it is ${cborTypeInWords(alg)}`);
	if (!isCborBytes(kid)) throw malformed(`kid should be a byte string, but it is ${cborTypeInWords(kid)}`);
	if (kid.length !== KID_BYTES) throw malformed(`kid should have ${KID_BYTES} bytes, but it has ${kid.length}`);
	if (typeof typ !== "string") throw malformed(`typ should be a text, but it is ${cborTypeInWords(typ)}`);
	if (typ !== expectedTyp) throw wrongTyp(typ, expectedTyp);
	const algorithm = algorithmOfWire(alg);
	if (algorithm === void 0) throw unknownAlgorithm(alg);
	return Object.freeze({
		alg: algorithm,
		kid: toHex(kid),
		typ: expectedTyp,
		protectedBytes,
		payload,
		signature
	});
}
/** Files are far below 4 GiB, so that a length of eight bytes does not occur. */
function headLength(length) {
	if (length < 24) return 1;
	if (length < 256) return 2;
	return length < 65536 ? 3 : 5;
}
/** Returns the offset behind what it wrote. */
function writeByteString(out, at, bytes) {
	const { length } = bytes;
	const head = headLength(length);
	out[at] = head === 1 ? 64 | length : FIRST_OF_HEAD[head];
	for (let i = 1; i < head; i++) out[at + i] = length >>> 8 * (head - 1 - i);
	out.set(bytes, at + head);
	return at + head + length;
}
/** The first byte of a byte string's head by the head's length. */
const FIRST_OF_HEAD = {
	2: 88,
	3: 89,
	5: 90
};
function malformed(fault) {
	return new VtlicError("cose_malformed", `the COSE structure is malformed: ${fault}`);
}
function wrongTyp(typ, expected) {
	return new VtlicError("typ_wrong", `the signed thing should be a ${kindOf(expected) ?? expected}, but it is a ${kindOf(typ) ?? `thing of type "${cleanText(typ)}"`}`);
}
function kindOf(typ) {
	for (const [kind, text] of Object.entries(TYP)) if (text === typ) return kind;
}
function unknownAlgorithm(alg) {
	return new VtlicError("alg_unknown", `alg should be -19 (Ed25519) or "ed25519+ml-dsa-65", but it is ${typeof alg === "number" ? String(alg) : `"${cleanText(alg)}"`}`);
}
// formats/license/claim-fault.ts
/** One sentence about one claim. */
/** @param fault what was expected of the claim and what came: "it should be an id, but it is an integer" */
function claimFault(field, fault) {
	return new VtlicError("claims_malformed", `the claim "${field}" is malformed: ${fault}`, { field });
}
// formats/license/claim-keys.ts
/** Registered claims have their number (RFC 8392 §3.1), the others their own name. */
const CLAIM_KEYS = Object.freeze({
	iss: 1,
	sub: 2,
	aud: 3,
	exp: 4,
	nbf: 5,
	iat: 6,
	cti: 7,
	ctr: "ctr",
	tier: "tier",
	seats: "seats",
	features: "features",
	limits: "limits",
	instances: "instances",
	hosts: "hosts",
	grace: "grace",
	offline: "offline",
	dep: "dep",
	name: "name",
	ref: "ref",
	clk: "clk",
	ext: "ext"
});
const KNOWN = new Set(Object.values(CLAIM_KEYS));
function isClaimKey(key) {
	return KNOWN.has(key);
}
// formats/license/ext.ts
/** `ext`: the one place that a later version may add to. Profile values, in whose maps every key is an id. */
/** @throws VtlicError `claims_malformed` for no key, more than 64, or a key (at any depth) that is no id */
function extFromCbor(map) {
	if (map.size === 0) throw claimFault("ext", "it should be left out where it is empty");
	if (map.size > 64) throw claimFault("ext", `it should have at most 64 keys, but it has ${map.size}`);
	return mapFromCbor(map, "ext");
}
function mapFromCbor(map, path) {
	const result = Object.create(null);
	for (const [key, value] of map) {
		if (typeof key !== "string" || !isId(key)) throw claimFault(path, `each of its keys should be an id, but ${typeof key === "string" ? `"${cleanText(key)}"` : "one"} is not`);
		result[key] = valueFromCbor(value, `${path}.${key}`);
	}
	return Object.freeze(result);
}
function valueFromCbor(value, path) {
	if (isCborBytes(value)) return new ExtBytes(toHex(value));
	if (isCborArray(value)) return Object.freeze(value.map((item, i) => valueFromCbor(item, `${path}[${i}]`)));
	return isCborMap(value) ? mapFromCbor(value, path) : value;
}
// formats/license/decode-license.ts
/** A license's payload, read strictly: every key known, every required claim there, every type and bound kept. */
const NO_FEATURES = Object.freeze([]);
const NO_LIMITS = Object.freeze(Object.create(null));
/**
* Reads a payload whose signature holds.
*
* @throws VtlicError `claims_malformed` or `claims_unknown`, in this order: a fault of the encoding (with its offset), no map, a key
* that is not known, a required claim that is missing, a type or a bound (with its field), and last the order of the times
*/
function decodeLicense(payload) {
	const claims = claimsMap(payload);
	for (const key of claims.keys()) if (!isClaimKey(key)) throw unknownClaim(key);
	const license = {
		iss: id(required(claims, "iss"), "iss"),
		sub: id(required(claims, "sub"), "sub"),
		aud: id(required(claims, "aud"), "aud"),
		exp: integer(required(claims, "exp"), "exp", 0, MAX_TIME),
		nbf: integer(required(claims, "nbf"), "nbf", 0, MAX_TIME),
		iat: integer(required(claims, "iat"), "iat", 0, MAX_TIME),
		cti: licenseId(required(claims, "cti")),
		ctr: integer(required(claims, "ctr"), "ctr", 1, MAX_COUNT),
		tier: id(required(claims, "tier"), "tier"),
		seats: seats(required(claims, "seats")),
		features: NO_FEATURES,
		limits: NO_LIMITS
	};
	const features = claims.get("features");
	if (features !== void 0) license.features = sortedFeatures(features);
	const limits = claims.get("limits");
	if (limits !== void 0) license.limits = limitsOf(limits);
	const instances = claims.get("instances");
	if (instances !== void 0) license.instances = integer(instances, "instances", 1, MAX_COUNT);
	const hosts = claims.get("hosts");
	if (hosts !== void 0) license.hosts = sortedHosts(hosts);
	const grace = claims.get("grace");
	if (grace !== void 0) license.grace = integer(grace, "grace", 0, MAX_GRACE_SECONDS);
	const offline = claims.get("offline");
	if (offline !== void 0) license.offline = integer(offline, "offline", 0, MAX_OFFLINE_SECONDS);
	const dep = claims.get("dep");
	if (dep !== void 0) license.dep = id(dep, "dep");
	const name = claims.get("name");
	if (name !== void 0) license.name = shownText(name, "name", 200);
	const ref = claims.get("ref");
	if (ref !== void 0) license.ref = shownText(ref, "ref", 100);
	const clk = claims.get("clk");
	if (clk !== void 0) license.clk = onlyTrue(clk);
	const ext = claims.get("ext");
	if (ext !== void 0) {
		if (!isCborMap(ext)) throw wrongType("ext", "a map", ext);
		license.ext = extFromCbor(ext);
	}
	if (license.nbf >= license.exp) throw claimFault("nbf", "it should be earlier than exp");
	if (license.iat >= license.exp) throw claimFault("iat", "it should be earlier than exp");
	return Object.freeze(license);
}
function claimsMap(payload) {
	let value;
	try {
		value = decodeCbor(payload, { views: true });
	} catch (error) {
		if (!(error instanceof VtlicError)) throw error;
		throw new VtlicError("claims_malformed", `the payload is malformed: ${error.message}`, {
			...error.place,
			cause: error
		});
	}
	if (!isCborMap(value)) throw new VtlicError("claims_malformed", `the payload should be a map of claims, but it is ${cborTypeInWords(value)}`, { offset: 0 });
	return value;
}
function unknownClaim(key) {
	const named = typeof key === "string" ? `"${cleanText(key)}"` : typeof key === "number" ? String(key) : cborTypeInWords(key);
	return new VtlicError("claims_unknown", `the payload has the claim ${named}, which this version does not know`, {
		hint: "A newer version of the product may know it.",
		...typeof key === "string" || typeof key === "number" ? { field: typeof key === "string" ? cleanText(key) : named } : {}
	});
}
function required(claims, field) {
	const value = claims.get(CLAIM_KEYS[field]);
	if (value === void 0) throw claimFault(field, "it is required, but it is missing");
	return value;
}
function id(value, field) {
	if (typeof value !== "string") throw wrongType(field, "an id", value);
	if (!isId(value)) throw claimFault(field, `it should be an id (a letter or digit, then up to 127 of letters, digits, ". _ : -"), but it is "${cleanText(value)}"`);
	return value;
}
function integer(value, field, min, max) {
	if (typeof value !== "number") throw wrongType(field, "an integer", value);
	if (value < min || value > max) throw claimFault(field, `it should lie between ${min} and ${max}, but it is ${value}`);
	return value;
}
function licenseId(value) {
	if (!isCborBytes(value)) throw wrongType("cti", "a byte string", value);
	if (!isUuidV7Bytes(value)) throw claimFault("cti", `it should be the 16 bytes of a version 7 UUID, but it is ${value.length === 16 ? uuidFromBytes(value) : `${value.length} bytes`}`);
	return uuidFromBytes(value);
}
function seats(value) {
	if (value === "unlimited") return value;
	if (typeof value === "string") throw claimFault("seats", `it should be an integer or the text "unlimited", but it is "${cleanText(value)}"`);
	return integer(value, "seats", 0, MAX_COUNT);
}
function sortedFeatures(value) {
	const items = filled(value, "features", 256);
	const features = [];
	let previous = "";
	for (const item of items) {
		const feature = id(item, "features");
		if (feature <= previous) throw claimFault("features", `they should be sorted and unique, but "${feature}" comes after "${previous}"`);
		features.push(feature);
		previous = feature;
	}
	return Object.freeze(features);
}
function sortedHosts(value) {
	const items = filled(value, "hosts", MAX_HOSTS);
	const hosts = [];
	let previous = "";
	for (const item of items) {
		if (!isCborBytes(item)) throw wrongType("hosts", "a list of byte strings", item);
		if (item.length !== 32) throw claimFault("hosts", `each fingerprint should have 32 bytes, but one has ${item.length}`);
		const host = toHex(item);
		if (host <= previous) throw claimFault("hosts", `they should be sorted and unique, but ${host} comes after ${previous}`);
		hosts.push(host);
		previous = host;
	}
	return Object.freeze(hosts);
}
function filled(value, field, max) {
	if (!isCborArray(value)) throw wrongType(field, "an array", value);
	if (value.length === 0) throw claimFault(field, "it should be left out where it is empty");
	if (value.length > max) throw claimFault(field, `it should have at most ${max} items, but it has ${value.length}`);
	return value;
}
function limitsOf(value) {
	if (!isCborMap(value)) throw wrongType("limits", "a map", value);
	if (value.size === 0) throw claimFault("limits", "it should be left out where it is empty");
	if (value.size > 256) throw claimFault("limits", `it should have at most 256 keys, but it has ${value.size}`);
	const limits = Object.create(null);
	for (const [key, limit] of value) {
		const name = id(key, "limits");
		limits[name] = integer(limit, `limits.${name}`, 0, MAX_COUNT);
	}
	return Object.freeze(limits);
}
function shownText(value, field, max) {
	if (typeof value !== "string") throw wrongType(field, "a text", value);
	if (value.length === 0) throw claimFault(field, "it should be left out where it is empty");
	const length = codePoints(value);
	if (length > max) throw claimFault(field, `it should have at most ${max} code points, but it has ${length}`);
	return value;
}
/** CBOR texts are valid UTF-8, so that a low surrogate is always the second half of a pair. */
function codePoints(text) {
	let count = text.length;
	for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 64512) === 56320) count--;
	return count;
}
function onlyTrue(value) {
	if (value !== true) throw claimFault("clk", `it should be true or left out, but it is ${cborTypeInWords(value)}`);
	return value;
}
function wrongType(field, expected, value) {
	return claimFault(field, `it should be ${expected}, but it is ${cborTypeInWords(value)}`);
}
// keys/public/verify-signature.ts
/**
* Whether the signature (64 bytes, or 3373 for the composite, ML-DSA first) holds over the message. A composite holds
* only if both halves hold. A wrong length is false. For anything COSE the message is the Sig_structure.
*/
function verifySignature(key, message, signature, provider = nodeProvider) {
	if (signature.length !== ALGORITHMS[key.alg].signatureBytes) return false;
	if (key.mldsa65 === void 0) return provider.ed25519Verify(key.ed25519, message, signature);
	const both = compositeMessage(message, provider);
	const halves = splitCompositeSignature(signature);
	return provider.ed25519Verify(key.ed25519, both, halves.ed25519) && provider.mldsa65Verify(key.mldsa65, both, halves.mldsa65, COMPOSITE_LABEL);
}
// verifier/binding.ts
/** Whether the license is meant for here. A claim that binds something which the context does not give is refused, not ignored. */
function judgeBinding(license, { issuer, product, deployment, hosts }) {
	if (license.iss !== issuer) return refuse("issuer_mismatch", `it is by ${license.iss}, and ${issuer} is expected`, { field: "iss" });
	if (license.aud !== product) return refuse("product_mismatch", `it is for ${license.aud}, and this is ${product}`, { field: "aud" });
	if (license.dep !== void 0 && license.dep !== deployment) {
		const here = deployment === void 0 ? "none is given here" : `this is ${deployment}`;
		return refuse("deployment_mismatch", `it is for the deployment ${license.dep}, and ${here}`, { field: "dep" });
	}
	const named = license.hosts;
	if (named !== void 0 && hosts?.some((host) => named.includes(host)) !== true) {
		const here = hosts === void 0 || hosts.length === 0 ? "no fingerprint is given here" : "this host is none of them";
		return refuse("host_mismatch", `it is bound to ${named.length} host(s), and ${here}`, { field: "hosts" });
	}
}
// verifier/context.ts
const FINGERPRINT = /^[0-9a-f]{64}$/;
/** @throws VtlicError `usage` for a context that no license could be judged by: misuse, never a verdict. */
function checkContext(context) {
	const { issuer, product, deployment, hosts, now, clock, defaultGrace, seen } = context;
	if (!isId(issuer)) throw misuse("issuer", "an id", issuer);
	if (!isId(product)) throw misuse("product", "an id", product);
	if (deployment !== void 0 && !isId(deployment)) throw misuse("deployment", "an id", deployment);
	for (const host of hosts ?? []) if (!FINGERPRINT.test(host)) throw misuse("hosts", "64 lower-case hex digits each", host);
	if (!isWhole(now, 253402300799)) throw misuse("now", "whole seconds since 1970 (not milliseconds)", now);
	if (clock !== void 0 && !isWhole(clock, 253402300799)) throw misuse("clock", "whole seconds since 1970 (not milliseconds)", clock);
	if (!isWhole(defaultGrace, 31622400)) throw misuse("defaultGrace", `whole seconds, at most ${MAX_GRACE_SECONDS}`, defaultGrace);
	if (seen !== void 0) checkSeen(seen);
}
/** A store that lost a number must not let an old license in. */
function checkSeen(seen) {
	if (!seen.lineages.has(seen.current)) throw misuse("seen.current", "one of seen.lineages", seen.current);
	if (!isWhole(seen.highestIat, 253402300799)) throw misuse("seen.highestIat", "whole seconds since 1970", seen.highestIat);
	for (const { counter } of seen.lineages.values()) if (!Number.isSafeInteger(counter) || counter < 1) throw misuse("seen.lineages", "counters from 1 on", counter);
}
function isWhole(value, max) {
	return Number.isInteger(value) && value >= 0 && value <= max;
}
function misuse(field, expected, came) {
	return new VtlicError("usage", `the context's ${field} should be ${expected}, but ${JSON.stringify(came)} came`, { field });
}
// verifier/find-key.ts
/** The key step: nothing here depends on a key's status, which is said of genuine licenses alone. */
function findKey(cose, { byKid, compositeOfHalf }) {
	const trusted = byKid.get(cose.kid);
	if (trusted === void 0) {
		const composite = compositeOfHalf.get(cose.kid);
		if (composite === void 0) return refuse("key_unknown", `the key ${cose.kid} is not among the trusted ones`);
		return refuse("key_composite_only", `the key ${cose.kid} is the Ed25519 half of the composite key ${composite}`);
	}
	if (trusted.key.alg === cose.alg) return trusted;
	return refuse("key_algorithm_mismatch", `the license says ${cose.alg}, but the key ${cose.kid} is one for ${trusted.key.alg}`);
}
// verifier/policy.ts
/**
* What the vendor says of a genuine license: its key, its algorithm, its id, its counter.
*
* @param now the effective time of verifying, never a time that the license gives: a forger writes any
*/
function judgePolicy(license, { key, job, status, products, tiers }, trust, index, now) {
	if (status === "revoked") return refuse("key_revoked", `the key ${key.kid} is revoked`);
	if (job !== "license") return refuse("key_wrong_job", `the key ${key.kid} has the job ${job}`);
	if (products?.includes(license.aud) === false) return refuse("key_wrong_job", `the key ${key.kid} does not sign for the product ${license.aud}`, { field: "aud" });
	if (tiers?.includes(license.tier) === false) return refuse("key_wrong_job", `the key ${key.kid} does not sign for the tier ${license.tier}`, { field: "tier" });
	if (key.alg === "ed25519") {
		if (trust.requireComposite) return refuse("algorithm_not_allowed", "the composite signature is required here, and this license has Ed25519 alone");
		if (trust.ed25519Until !== void 0 && now >= trust.ed25519Until) return refuse("algorithm_not_allowed", `licenses with Ed25519 alone were in force until ${(/* @__PURE__ */ new Date(trust.ed25519Until * 1e3)).toISOString()}`);
	}
	if (index.revokedLicenses.has(license.cti)) return refuse("license_revoked", `the license ${license.cti} is revoked`, { field: "cti" });
	const lowest = index.lowestCounters.get(lineageOf(license));
	if (lowest !== void 0 && license.ctr < lowest) return refuse("superseded", `its counter is ${license.ctr}, and the vendor's lowest for this lineage is ${lowest}`, { field: "ctr" });
}
// verifier/verify.ts
/**
* Judges one license file. Pure: no clock, no files, no network; the same arguments give the same verdict.
*
* The order is that of docs/format.md, "The order, and the reasons": the first fault decides, and nothing inside the payload
* is read before the signature holds.
*
* @param file the bytes as read, at most 98,304
* @returns a frozen verdict, also for the most broken file
* @throws VtlicError `usage` for a trust or context that is misused
*/
function verify(file, trust, context) {
	const index = indexOfTrust(trust);
	checkContext(context);
	const provider = context.provider ?? nodeProvider;
	try {
		const cose = decodeCoseSign1(dearmor("VTLIC", file), TYP.license);
		const trusted = findKey(cose, index);
		if ("ok" in trusted) return trusted;
		if (!verifySignature(trusted.key, sigStructure(cose.protectedBytes, cose.payload), cose.signature, provider)) return refuse("signature_invalid", `it does not hold under the key ${cose.kid}`);
		const license = decodeLicense(cose.payload);
		const refused = judgePolicy(license, trusted, trust, index, context.now) ?? judgeBinding(license, context);
		if (refused !== void 0) return refused;
		const payloadDigest = toHex(provider.sha256(cose.payload));
		const standing = judgeSeen(license, payloadDigest, context.seen);
		if (typeof standing !== "string") return standing;
		return Object.freeze({
			ok: true,
			...judgeTime(license, standing, context),
			license,
			alg: cose.alg,
			kid: cose.kid,
			payloadDigest,
			lineage: lineageOf(license),
			standing
		});
	} catch (error) {
		const refused = refusalOf(error);
		if (refused === void 0) throw error;
		return refused;
	}
}
/** A license with `clk` that is the next one of the current lineage is judged by the plain clock, and never before its own iat. */
function judgeTime(license, standing, { now, clock, defaultGrace }) {
	const resetsClock = license.clk === true && standing === "newer";
	const judgedAt = resetsClock ? Math.max(clock ?? now, license.iat) : now;
	const graceUntil = license.exp + (license.grace ?? defaultGrace);
	return {
		state: stateAt(license, judgedAt, graceUntil),
		judgedAt,
		graceUntil,
		resetsClock
	};
}
function stateAt({ nbf, exp }, time, graceUntil) {
	if (time < nbf) return "not_yet_valid";
	if (time < exp) return "active";
	return time < graceUntil ? "grace" : "lapsed";
}
/** The faults of the formats are reasons by the same names; anything else that is thrown is no verdict. */
function refusalOf(error) {
	if (!(error instanceof VtlicError) || !isReason(error.code)) return void 0;
	return refuse(error.code, error.message, error.place);
}
export { ExtBytes, REASONS, VtlicError, importPublicKey, lineageOf, makeTrust, parsePublicKeys, seenAfter, trustFromOverride, verify };
