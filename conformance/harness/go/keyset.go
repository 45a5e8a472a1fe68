package main

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
)

// What a keyset is, with section numbers K of docs/keysets.md.

const keysetTyp = "application/vnd.vtlic.keyset+cose"

// A keyset has passed K1 and K2.
type keyset struct {
	payload Claims
	digest  [32]byte
	signers []signer
}

type signer struct {
	kid               string
	alg               any
	signed, signature []byte
}

// fault runs steps until one of them refuses.
func fault(steps func()) (reason refusal) {
	defer func() {
		switch found := recover().(type) {
		case nil:
		case refusal:
			reason = found
		default:
			panic(found)
		}
	}()
	steps()
	return ""
}

func walkKeyset(data []byte, isFile bool) (w *walk) {
	reason := fault(func() { w = walkAll(data, isFile) })
	refuseIf(reason != "", "keyset_"+reason)
	return w
}

// readKeyset is K1, in the order of its rule 6, and K2.
func readKeyset(data []byte) keyset {
	walkKeyset(data, true)
	refuseIf(!bytes.HasPrefix(data, []byte("\xd8\x62")), "keyset_cose_malformed")
	body, items := coseShape(decode(data[2:], "keyset_cose_malformed"), 4)
	payload, ok1 := items[2].([]byte)
	signatures, ok2 := items[3].([]any)
	refuseIf(!ok1 || !ok2 || len(signatures) < 1 || len(signatures) > 64, "keyset_cose_malformed")
	typ, isText := readHeader(body, "\x10")[uint64(16)].(string)
	refuseIf(!isText, "keyset_cose_malformed")
	var protected, signature [][]byte
	for _, item := range signatures {
		first, parts := coseShape(item, 3)
		bytes, ok := parts[2].([]byte)
		refuseIf(!ok, "keyset_cose_malformed")
		protected, signature = append(protected, first), append(signature, bytes)
	}
	for _, header := range protected {
		walkKeyset(header, false)
	}
	var signers []signer
	for i, data := range protected {
		header := readHeader(data, "\x01", "\x04")
		kid, _ := header[uint64(4)].([]byte)
		switch header[uint64(1)].(type) {
		case int64, uint64, string:
		default:
			refuseIf(true, "keyset_cose_malformed")
		}
		refuseIf(len(kid) != 32, "keyset_cose_malformed")
		signed := slices.Concat([]byte("\x85\x69Signature"), encode(body), encode(data), []byte{0x40}, encode(payload))
		signers = append(signers, signer{string(kid), header[uint64(1)], signed, signature[i]})
	}
	refuseIf(typ != keysetTyp, "keyset_typ_wrong")
	for _, one := range signers {
		refuseIf(one.alg != int64(-19) && one.alg != composite, "keyset_alg_unknown")
	}
	for i := 1; i < len(signers); i++ {
		refuseIf(signers[i-1].kid >= signers[i].kid, "keyset_cose_malformed")
	}
	return keyset{readKeysetPayload(payload), sha256.Sum256(payload), signers}
}

// coseShape is an array of so many items that begins with bytes and an empty map.
func coseShape(value any, count int) ([]byte, []any) {
	items, _ := value.([]any)
	refuseIf(len(items) != count, "keyset_cose_malformed")
	protected, ok1 := items[0].([]byte)
	unprotected, ok2 := items[1].(map[any]any)
	refuseIf(!ok1 || !ok2 || len(protected) == 0 || len(unprotected) > 0, "keyset_cose_malformed")
	return protected, items
}

func readHeader(data []byte, keys ...string) map[any]any {
	refuseIf(!slices.Equal(walkKeyset(data, false).keys, keys), "keyset_cose_malformed")
	return decode(data, "keyset_cose_malformed").(map[any]any)
}

func isCOSEKey(value any) bool {
	data, _ := value.([]byte)
	alg := map[int]string{40: "ed25519", 2010: composite}[len(data)]
	return alg != "" && bytes.HasPrefix(data, []byte(coseKeyHeads[alg]))
}

func is32Bytes(value any) bool { return isBytes(value, 32) }

// members checks a map with exactly these members.
func members(checks map[any]claim, extra func(Claims) bool) func(any) bool {
	return func(value any) bool {
		pairs, isMap := value.(map[any]any)
		for key := range pairs {
			_, isKnown := checks[key]
			isMap = isMap && isKnown
		}
		for key, check := range checks {
			item, present := pairs[key]
			isMap = isMap && !(check.required && !present) && (!present || check.good(item))
		}
		return isMap && extra(Claims(pairs))
	}
}

var issuingKey = map[any]claim{
	"key":      {true, isCOSEKey},
	"purpose":  {true, oneOf("license", "license-key")},
	"status":   {true, oneOf("pre-published", "active", "retired", "revoked")},
	"products": {false, sorted(64, isID, strings.Compare)},
	"tiers":    {false, sorted(64, isID, strings.Compare)},
	"from":     {false, integer(0, maxTime)},
	"until":    {false, integer(0, maxTime)},
	"honored":  {false, sorted(12_288, is32Bytes, bytes.Compare)},
}

var isIssuingKey = members(issuingKey, func(key Claims) bool {
	inOrder := !key.has("from") || !key.has("until") || key.number("from") < key.number("until")
	return inOrder && (!key.has("honored") || key.text("status") == "revoked")
})

func compareKeys(a, b map[any]any) int { return bytes.Compare(a["key"].([]byte), b["key"].([]byte)) }

func areIssuingKeys(value any) bool {
	items, isArray := value.([]any)
	return isArray && (len(items) == 0 || sorted(128, isIssuingKey, compareKeys)(value))
}

var policyMembers = map[any]claim{
	"composite":     {false, func(value any) bool { return value == true }},
	"ed25519_until": {false, integer(0, maxTime)},
}

func isLowest(value any) bool {
	pairs, isMap := value.(map[any]any)
	for lineage, counter := range pairs {
		text, isText := lineage.(string)
		isMap = isMap && isText && isLineage(text) && integer(1, maxInteger)(counter)
	}
	return isMap && 1 <= len(pairs) && len(pairs) <= 8_192
}

var keysetMembers = map[any]claim{
	"iss":       {true, isID},
	"version":   {true, integer(1, maxInteger)},
	"made":      {true, integer(0, maxTime)},
	"expires":   {false, integer(0, maxTime)},
	"roots":     {true, sorted(16, isCOSEKey, bytes.Compare)},
	"threshold": {true, integer(1, 16)},
	"keys":      {true, areIssuingKeys},
	"policy":    {false, members(policyMembers, func(policy Claims) bool { return len(policy) > 0 })},
	"revoked":   {false, sorted(16_384, isUUID7, bytes.Compare)},
	"lowest":    {false, isLowest},
}

var isKeyset = members(keysetMembers, func(payload Claims) bool {
	inOrder := !payload.has("expires") || payload.number("made") < payload.number("expires")
	return inOrder && payload.number("threshold") <= int64(len(payload["roots"].([]any)))
})

func readKeysetPayload(data []byte) Claims {
	isMap := false
	reason := fault(func() { isMap = walkAll(data, false).isMap })
	refuseIf(reason != "" || !isMap, "keyset_claims_malformed")
	payload := decode(data, "keyset_claims_malformed").(map[any]any)
	refuseIf(hasUnknown(payload, keysetMembers) || hasUnknown(payload["policy"], policyMembers), "keyset_claims_unknown")
	keys, _ := payload["keys"].([]any)
	for _, key := range keys {
		refuseIf(hasUnknown(key, issuingKey), "keyset_claims_unknown")
	}
	refuseIf(!isKeyset(payload), "keyset_claims_malformed")
	return payload
}

func hasUnknown(value any, checks map[any]claim) bool {
	pairs, _ := value.(map[any]any)
	for key := range pairs {
		if _, isKnown := checks[key]; !isKnown {
			return true
		}
	}
	return false
}

func keyOf(data []byte, purpose, status string) Key {
	if len(data) == 40 {
		return Key{Alg: "ed25519", Public: data[8:], Purpose: purpose, Status: status}
	}
	return Key{Alg: composite, Public: data[len(data)-1984:], Purpose: purpose, Status: status}
}

func (k keyset) roots() (roots []Key) {
	for _, root := range k.payload["roots"].([]any) {
		roots = append(roots, keyOf(root.([]byte), "root", "active"))
	}
	return roots
}

func (k keyset) keys() (keys []Key) {
	for _, item := range k.payload["keys"].([]any) {
		member := Claims(item.(map[any]any))
		key := keyOf(member["key"].([]byte), member.text("purpose"), member.text("status"))
		key.Products, key.Tiers = member.set("products"), member.set("tiers")
		key.Honored = member.set("honored")
		keys = append(keys, key)
	}
	return keys
}

func (k keyset) policy() Claims {
	policy, _ := k.payload["policy"].(map[any]any)
	return policy
}
