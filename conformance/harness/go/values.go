package main

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

const (
	composite = "ed25519+ml-dsa-65"

	maxInteger = 1<<53 - 1
	maxTime    = 253_402_300_799
	maxGrace   = 31_622_400
)

// Section 2: the closed list of reasons, and the verdict.

var layers = map[string]string{
	"size":      "too_large",
	"armor":     "armor_malformed",
	"cbor":      "cbor_malformed cbor_not_deterministic",
	"cose":      "cose_malformed typ_wrong alg_unknown",
	"key":       "key_composite_only key_unknown key_algorithm_mismatch",
	"signature": "signature_invalid",
	"claims":    "claims_malformed claims_unknown",
	"policy":    "key_revoked key_wrong_purpose algorithm_not_allowed license_revoked superseded",
	"binding":   "issuer_mismatch product_mismatch deployment_mismatch host_mismatch build_not_covered",
	"lineage":   "lineage_not_newer",
	"counter":   "counter_rolled_back counter_conflict",
}

var layerOf = func() map[string]string {
	of := map[string]string{}
	for layer, reasons := range layers {
		for _, reason := range strings.Fields(reasons) {
			of[reason] = layer
		}
	}
	return of
}()

// A Verdict is a refusal where it has a Reason, and otherwise a good license. Clk: the claim had its effect (10.2).
type Verdict struct {
	Reason, Layer, State string
	Claims               Claims
	Kid                  string
	Digest               [32]byte
	Lineage              string
	Clk                  bool
}

// Section 7: types and claims.

const (
	iss = uint64(1)
	sub = uint64(2)
	aud = uint64(3)
	exp = uint64(4)
	nbf = uint64(5)
	iat = uint64(6)
	cti = uint64(7)
)

// Claims are as the CBOR library decodes them: numbers ≥ 0 are uint64, others int64.
type Claims map[any]any

func (c Claims) has(key any) bool { return c[key] != nil }

func (c Claims) text(key any) string {
	text, _ := c[key].(string)
	return text
}

func (c Claims) number(key any) int64 {
	number, _ := c[key].(uint64)
	return int64(number)
}

// lineage is the text of section 7.1.
func (c Claims) lineage() string {
	lineage := c.text(iss) + "/" + c.text(aud) + "/" + c.text(sub)
	if c.has("dep") {
		lineage += "/" + c.text("dep")
	}
	return lineage
}

// set gives nil for an absent list. Fingerprints and digests are in hexadecimal.
func (c Claims) set(key any) map[string]bool {
	items, present := c[key].([]any)
	if !present {
		return nil
	}
	found := map[string]bool{}
	for _, item := range items {
		switch item := item.(type) {
		case string:
			found[item] = true
		case []byte:
			found[hex.EncodeToString(item)] = true
		}
	}
	return found
}

type claim struct {
	required bool
	good     func(any) bool
}

var idPattern = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\z`)

func isID(value any) bool {
	text, isText := value.(string)
	return isText && idPattern.MatchString(text)
}

func isLineage(text string) bool {
	parts := strings.Split(text, "/")
	return (len(parts) == 3 || len(parts) == 4) && !slices.ContainsFunc(parts, func(id string) bool { return !isID(id) })
}

func integer(low, high uint64) func(any) bool {
	return func(value any) bool {
		number, isNumber := value.(uint64)
		return isNumber && low <= number && number <= high
	}
}

func text(high int) func(any) bool {
	return func(value any) bool {
		text, isText := value.(string)
		return isText && text != "" && utf8.RuneCountInString(text) <= high
	}
}

func oneOf(texts ...string) func(any) bool {
	return func(value any) bool {
		text, isText := value.(string)
		return isText && slices.Contains(texts, text)
	}
}

func isBytes(value any, length int) bool {
	data, isBytes := value.([]byte)
	return isBytes && len(data) == length
}

func isUUID7(value any) bool {
	return isBytes(value, 16) && value.([]byte)[6]>>4 == 7 && value.([]byte)[8]>>6 == 2
}

func uuidText(id []byte) string {
	text := hex.EncodeToString(id)
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// sorted is an array of 1 to high items, by their bytes, each once.
func sorted[T any](high int, good func(any) bool, compare func(T, T) int) func(any) bool {
	return func(value any) bool {
		items, _ := value.([]any)
		for i, item := range items {
			if !good(item) || i > 0 && compare(items[i-1].(T), item.(T)) >= 0 {
				return false
			}
		}
		return 1 <= len(items) && len(items) <= high
	}
}

func entries(low, high int, good func(any) bool) func(any) bool {
	return func(value any) bool {
		pairs, isMap := value.(map[any]any)
		for key, item := range pairs {
			if !isID(key) || !good(item) {
				return false
			}
		}
		return isMap && low <= len(pairs) && len(pairs) <= high
	}
}

func extension(value any) bool {
	switch value := value.(type) {
	case map[any]any:
		return entries(0, len(value), extension)(value)
	case []any:
		return !slices.ContainsFunc(value, func(item any) bool { return !extension(item) })
	}
	return true
}

var claimChecks = map[any]claim{
	iss:         {true, isID},
	sub:         {true, isID},
	aud:         {true, isID},
	exp:         {true, integer(0, maxTime)},
	nbf:         {true, integer(0, maxTime)},
	iat:         {true, integer(0, maxTime)},
	cti:         {true, isUUID7},
	"ctr":       {true, integer(1, maxInteger)},
	"tier":      {true, isID},
	"seats":     {true, func(value any) bool { return value == "unlimited" || integer(0, maxInteger)(value) }},
	"features":  {false, sorted(256, isID, strings.Compare)},
	"limits":    {false, entries(1, 256, integer(0, maxInteger))},
	"instances": {false, integer(1, maxInteger)},
	"hosts":     {false, sorted(1024, func(value any) bool { return isBytes(value, 32) }, bytes.Compare)},
	"grace":     {false, integer(0, maxGrace)},
	"offline":   {false, integer(0, maxTime)},
	"dep":       {false, isID},
	"name":      {false, text(200)},
	"ref":       {false, text(100)},
	"upd":       {false, integer(0, maxTime)},
	"use":       {false, oneOf("non-production", "trial", "emergency")},
	"clk":       {false, func(value any) bool { return value == true }},
	"ext":       {false, entries(1, 64, func(value any) bool { return extension(value) })},
}

func encode(value any) []byte {
	data, err := cbor.Marshal(value)
	if err != nil {
		panic(err)
	}
	return data
}

// known are the encoded keys of the table.
var known = func() map[string]bool {
	keys := map[string]bool{}
	for key := range claimChecks {
		keys[string(encode(key))] = true
	}
	return keys
}()
