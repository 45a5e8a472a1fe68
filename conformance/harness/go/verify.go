// A verifier of .vtlic licenses, with the standard library, circl and fxamacker/cbor. Section numbers are those of
// docs/format.md. It panics only for faults of the program: a refusal is a Verdict.
//
//	trust, err := NewTrust(Trust{Keys: []Key{{Alg: "ed25519", Public: public, Purpose: "license", Status: "active"}}})
//	verdict := Verify(file, trust, Context{Issuer: "example-vendor", Product: "vaultdesk", Now: time.Now().Unix()})
package main

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/fxamacker/cbor/v2"
)

const maxFileBytes, maxDecodedBytes, maxDepth = 98_304, 49_152, 8
const typ = "application/vnd.vtlic.license+cose"
const prefix = "CompositeAlgorithmSignatures2025"
const label = "COMPSIG-MLDSA65-Ed25519-SHA512"

// A refusal is a reason of section 2. Steps panic with it, and Verify recovers it.
type refusal string

func refuseIf(fault bool, reason refusal) {
	if fault {
		panic(reason)
	}
}

// Verify runs the steps of section 2.
func Verify(file []byte, trust *Trust, context Context) (verdict Verdict) {
	defer func() {
		switch fault := recover().(type) {
		case nil:
		case refusal:
			verdict = Verdict{Reason: string(fault), Layer: layerOf[string(fault)]}
		default:
			panic(fault)
		}
	}()
	alg, kid, payload, signature, signed := readCOSE(dearmor(file))
	key, isTrusted := trust.byKid[kid]
	refuseIf(!isTrusted && trust.componentKids[kid], "key_composite_only")
	refuseIf(!isTrusted, "key_unknown")
	refuseIf(key.Alg != alg, "key_algorithm_mismatch")
	refuseIf(!signatureValid(key, signature, signed), "signature_invalid")
	claims := readClaims(payload)
	verdict = Verdict{Claims: claims, Kid: kid, Digest: sha256.Sum256(payload), Lineage: claims.lineage()}
	checkPolicy(verdict, key, trust, context.Now)
	checkBinding(claims, context)
	verdict.Clk = checkSeen(verdict, context.Seen)
	verdict.State = stateOf(verdict, context)
	return verdict
}

// Sections 3 and 4: armor and CBOR.

var block = regexp.MustCompile(`\A[\t\n\r ]*-----BEGIN VTLIC-----\r?\n` +
	`((?:[A-Za-z0-9+/]{64}\r?\n)*[A-Za-z0-9+/=]{4,64}\r?\n)-----END VTLIC-----[\t\n\r ]*\z`)

func dearmor(file []byte) []byte {
	refuseIf(len(file) > maxFileBytes, "too_large")
	match := block.FindSubmatch(file)
	refuseIf(match == nil, "armor_malformed")
	text := strings.NewReplacer("\r", "", "\n", "").Replace(string(match[1])) // The decoder skips line ends anywhere.
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	refuseIf(err != nil, "armor_malformed")
	refuseIf(len(decoded) > maxDecodedBytes, "too_large")
	return decoded
}

// A walk judges bytes by the profile of section 4. keys are the encoded keys of the outermost map, if it is one.
type walk struct {
	data   []byte
	at     int
	isFile bool
	isMap  bool
	keys   []string
}

func walkAll(data []byte, isFile bool) *walk {
	w := &walk{data: data, isFile: isFile}
	w.item(0, isFile)
	refuseIf(w.at != len(data), "cbor_malformed")
	return w
}

func (w *walk) item(depth int, tagAllowed bool) {
	refuseIf(w.at == len(w.data), "cbor_malformed")
	first := w.data[w.at]
	major, info := first>>5, first&31
	w.at++
	if first == 0xf4 || first == 0xf5 {
		return
	}
	refuseIf(major == 7, "cbor_malformed")
	refuseIf(info == 31 && major >= 2 && major <= 5, "cbor_not_deterministic")
	refuseIf(info > 27, "cbor_malformed")
	argument := uint64(info)
	if info > 23 {
		size := 1 << (info - 24)
		refuseIf(w.at+size > len(w.data), "cbor_malformed")
		argument = binary.BigEndian.Uint64(append(make([]byte, 8-size), w.data[w.at:w.at+size]...))
		w.at += size
		refuseIf(argument < 24 || size > 1 && argument < 1<<(4*size), "cbor_not_deterministic")
	}
	switch major {
	case 0, 1:
		refuseIf(argument > maxInteger-uint64(major), "cbor_malformed")
	case 2, 3:
		refuseIf(argument > uint64(len(w.data)-w.at), "cbor_malformed")
		w.at += int(argument)
		refuseIf(major == 3 && !utf8.Valid(w.data[w.at-int(argument):w.at]), "cbor_malformed")
	case 6:
		refuseIf(!tagAllowed, "cbor_malformed")
		w.item(depth, false)
	default:
		refuseIf(depth == maxDepth, "cbor_malformed")
		if major == 4 {
			w.array(argument, depth+1)
		} else {
			w.pairs(argument, depth+1)
		}
	}
}

func (w *walk) array(count uint64, depth int) {
	for i := uint64(0); i < count; i++ {
		start := w.at
		w.item(depth, false)
		if w.isFile && depth == 1 && i == 0 && w.data[start]>>5 == 2 { // 5.1: the protected bytes.
			if protected := decode(w.data[start:w.at], "cose_malformed").([]byte); len(protected) > 0 {
				walkAll(protected, false)
			}
		}
	}
}

func (w *walk) pairs(count uint64, depth int) {
	var keys []string
	for i := uint64(0); i < count; i++ {
		start := w.at
		w.item(depth, false)
		key := string(w.data[start:w.at])
		refuseIf(i > 0 && key <= keys[i-1], "cbor_not_deterministic")
		keys = append(keys, key)
		w.item(depth, false)
	}
	if depth == 1 {
		w.isMap, w.keys = true, keys
	}
}

// decode gives what has passed the walk as a value. The library refuses keys of maps that are arrays or maps.
func decode(data []byte, reason refusal) (value any) {
	refuseIf(cbor.Unmarshal(data, &value) != nil, reason)
	return value
}

// Section 5: COSE.

func readCOSE(data []byte) (alg string, kid string, payload, signature, signed []byte) {
	walkAll(data, true)
	refuseIf(data[0] != 0xd2, "cose_malformed") // Tag 18 has this one spelling.
	items, _ := decode(data[1:], "cose_malformed").([]any)
	refuseIf(len(items) != 4, "cose_malformed")
	protected, ok1 := items[0].([]byte)
	unprotected, ok2 := items[1].(map[any]any)
	payload, ok3 := items[2].([]byte)
	signature, ok4 := items[3].([]byte)
	refuseIf(!ok1 || !ok2 || !ok3 || !ok4 || len(protected) == 0 || len(unprotected) > 0, "cose_malformed")
	refuseIf(!slices.Equal(walkAll(protected, false).keys, []string{"\x01", "\x04", "\x10"}), "cose_malformed")
	header := decode(protected, "cose_malformed").(map[any]any)
	kidBytes, _ := header[uint64(4)].([]byte)
	documentType, isText := header[uint64(16)].(string)
	refuseIf(len(kidBytes) != 32 || !isText, "cose_malformed")
	switch value := header[uint64(1)].(type) {
	case int64, uint64, string:
		alg = map[any]string{int64(-19): "ed25519", composite: composite}[value]
	default:
		refuseIf(true, "cose_malformed")
	}
	refuseIf(documentType != typ, "typ_wrong")
	refuseIf(alg == "", "alg_unknown")
	signed = slices.Concat([]byte("\x84\x6aSignature1"), encode(protected), []byte{0x40}, encode(payload))
	return alg, string(kidBytes), payload, signature, signed
}

// Section 6: signatures. The key has passed NewTrust.

func signatureValid(key Key, signature, signed []byte) bool {
	if key.Alg == "ed25519" {
		return len(signature) == 64 && ed25519Valid(key.Public, signature, signed)
	}
	if len(signature) != 3373 {
		return false
	}
	hash := sha512.Sum512(signed)
	message := slices.Concat([]byte(prefix+label+"\x00"), hash[:])
	var public mldsa65.PublicKey
	public.Unpack((*[mldsa65.PublicKeySize]byte)(key.Public))
	mldsa65Valid := mldsa65.Verify(&public, message, []byte(label), signature[:3309])
	return mldsa65Valid && ed25519Valid(key.Public[1952:], signature[3309:], message)
}

// Criteria 4 to 6 of section 6.4: the library does 4 and 6.
func ed25519Valid(public, signature, message []byte) bool {
	return !smallOrder[string(signature[:32])] && ed25519.Verify(public, message, signature)
}

// Section 7: claims. claimChecks, in values.go, has the bounds of each.

func readClaims(payload []byte) Claims {
	w := walkPayload(payload)
	refuseIf(!w.isMap, "claims_malformed")
	refuseIf(slices.ContainsFunc(w.keys, func(key string) bool { return !known[key] }), "claims_unknown")
	claims := Claims(decode(payload, "claims_malformed").(map[any]any))
	for key, claim := range claimChecks {
		value, present := claims[key]
		refuseIf(claim.required && !present || present && !claim.good(value), "claims_malformed")
	}
	refuseIf(claims.number(nbf) >= claims.number(exp) || claims.number(iat) >= claims.number(exp), "claims_malformed")
	return claims
}

func walkPayload(payload []byte) *walk {
	defer func() {
		_, isRefusal := recover().(refusal)
		refuseIf(isRefusal, "claims_malformed")
	}()
	return walkAll(payload, false)
}

// Section 2, steps 8 to 11.

func checkPolicy(verdict Verdict, key Key, trust *Trust, now int64) {
	claims := verdict.Claims
	refuseIf(!key.counts(verdict.Digest), "key_revoked")
	refuseIf(key.Purpose != "license", "key_wrong_purpose")
	refuseIf(key.Products != nil && !key.Products[claims.text(aud)], "key_wrong_purpose")
	refuseIf(key.Tiers != nil && !key.Tiers[claims.text("tier")], "key_wrong_purpose")
	over := trust.RequireComposite || trust.Ed25519Until != nil && now >= *trust.Ed25519Until
	refuseIf(key.Alg == "ed25519" && over, "algorithm_not_allowed")
	refuseIf(trust.Revoked[uuidText(claims[cti].([]byte))], "license_revoked")
	refuseIf(claims.number("ctr") < trust.Lowest[verdict.Lineage], "superseded")
}

func checkBinding(claims Claims, context Context) {
	refuseIf(claims.text(iss) != context.Issuer, "issuer_mismatch")
	refuseIf(claims.text(aud) != context.Product, "product_mismatch")
	isDeployed := context.Deployment != nil && claims.text("dep") == *context.Deployment
	refuseIf(claims.has("dep") && !isDeployed, "deployment_mismatch")
	isHere := func(host any) bool { return context.Hosts[string(host.([]byte))] }
	hosts, isBound := claims["hosts"].([]any)
	refuseIf(isBound && !slices.ContainsFunc(hosts, isHere), "host_mismatch")
	isCovered := context.BuildDate != nil && *context.BuildDate < claims.number("upd")
	refuseIf(claims.has("upd") && !isCovered, "build_not_covered")
}

// checkSeen is section 10.1. It returns whether clk has its effect (10.2).
func checkSeen(verdict Verdict, seen *Seen) bool {
	if seen == nil {
		return false
	}
	claims, counter, isCurrent := verdict.Claims, verdict.Claims.number("ctr"), verdict.Lineage == seen.Current
	refuseIf(!isCurrent && claims.number(iat) <= seen.HighestIat, "lineage_not_newer")
	accepted, isKnown := seen.Lineages[verdict.Lineage]
	refuseIf(isKnown && counter < accepted.Counter, "counter_rolled_back")
	refuseIf(isKnown && counter == accepted.Counter && verdict.Digest != accepted.Digest, "counter_conflict")
	return claims.has("clk") && isCurrent && counter > accepted.Counter
}

func stateOf(verdict Verdict, context Context) string {
	claims, now, grace := verdict.Claims, context.Now, context.DefaultGrace
	if verdict.Clk {
		now = max(*cmp.Or(context.Clock, &context.Now), claims.number(iat))
	}
	if claims.has("grace") {
		grace = claims.number("grace")
	}
	switch {
	case now < claims.number(nbf):
		return "not_yet_valid"
	case now < claims.number(exp):
		return "active"
	case now < claims.number(exp)+grace:
		return "grace"
	}
	return "lapsed"
}
