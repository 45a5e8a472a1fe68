package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Files of public keys (section 11.2 of docs/format.md), and the override of a product's environment (11.3).

const maxKeyFileBytes, maxOverrideFileBytes, maxJSONDepth = 1_048_576, 65_536, 64

const keyInvalid, jsonMalformed = refusal("key_invalid"), refusal("json_malformed")

// spkis are the heads of the structures of section 11.1, by the length of their key.
var spkis = map[int]string{
	32:   "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
	1952: "\x30\x82\x07\xb2\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12\x03\x82\x07\xa1\x00",
	1984: "\x30\x82\x07\xd1\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x30\x03\x82\x07\xc1\x00",
}

var (
	publicBlock = regexp.MustCompile(`\A-----BEGIN PUBLIC KEY-----[\t ]*\r?\n` +
		`((?:[A-Za-z0-9+/=\t ]*\r?\n)*)-----END PUBLIC KEY-----([\t\n\r ]*)`)
	derStart    = regexp.MustCompile(`\A0[^\t\n\r A-Za-z0-9+/=]`)
	jsonEscape  = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|.)`)
	privateText = regexp.MustCompile(`(?i)putty-user-key-file-|age-secret-key-`)
	pemPrivate  = regexp.MustCompile(`(?i)----[- ]BEGIN ([^-\r\n]*)`)
	minisign    = regexp.MustCompile(`(?i)untrusted comment: ([^\r\n]*)`)

	privateMembers = strings.Fields("d p q dp dq qi oth k priv")
)

func makeKey(public []byte) Key {
	alg := map[int]string{32: "ed25519", 1984: composite}[len(public)]
	refuseIf(alg == "" || !isGoodPoint(public[len(public)-32:]), keyInvalid)
	return Key{Alg: alg, Public: public, Purpose: "license", Status: "active"}
}

func unbase64(encoding *base64.Encoding, text string) []byte {
	data, err := encoding.Strict().DecodeString(text)
	refuseIf(err != nil || strings.ContainsAny(text, "\r\n"), keyInvalid)
	return data
}

func withoutBlanks(text []byte) string {
	return strings.NewReplacer("\t", "", "\n", "", "\r", "", " ", "").Replace(string(text))
}

// hasPrivateText looks for the marks of section 11.2. A character above U+FFFF counts as two, as in UTF-16.
func hasPrivateText(text string) bool {
	isNear := func(mark *regexp.Regexp, word string, high int) bool {
		for at := mark.FindStringSubmatchIndex(text); at != nil; {
			behind := text[at[2]:at[3]]
			for i := 0; i+len(word) <= len(behind); i++ {
				if strings.EqualFold(behind[i:i+len(word)], word) && len(utf16.Encode([]rune(behind[:i]))) <= high {
					return true
				}
			}
			next := mark.FindStringSubmatchIndex(text[at[0]+1:])
			if next == nil {
				return false
			}
			for i := range next {
				next[i] += at[0] + 1
			}
			at = next
		}
		return false
	}
	return privateText.MatchString(text) || isNear(pemPrivate, "PRIVATE", 64) || isNear(minisign, "secret key", 128) ||
		strings.Contains(text, "-----BEGIN AGE ENCRYPTED FILE-----") || strings.HasPrefix(text, "age-encryption.org/v")
}

func readKeys(file []byte) []Key {
	refuseIf(len(file) > maxKeyFileBytes || hasPrivateText(string(file)), keyInvalid)
	start := bytes.TrimLeft(file, blankBytes)
	var keys []Key
	switch {
	case len(file) > 0 && 0x80 <= file[0] && file[0] <= 0xbf:
		for alg, head := range coseKeyHeads {
			if public, isForm := bytes.CutPrefix(file, []byte(head)); isForm {
				keys = append(keys, makeKey(public))
				refuseIf(keys[0].Alg != alg, keyInvalid)
			}
		}
		refuseIf(len(keys) != 1, keyInvalid)
	case derStart.Match(file):
		keys = pairUp(structures(file))
	case bytes.HasPrefix(start, []byte("-----BEGIN")):
		keys = pairUp(pemParts(start))
	case bytes.HasPrefix(start, []byte("{")):
		keys = readJWKs(readJSON(file))
	default:
		keys = append(keys, makeKey(unbase64(base64.StdEncoding, withoutBlanks(file))))
	}
	var unique []Key
	owners := map[string]string{}
	for _, key := range keys {
		if owners[key.components()[0]] == "" {
			unique = append(unique, key)
		}
		for _, part := range key.components() {
			refuseIf(owners[part] != "" && owners[part] != key.Kid(), keyInvalid)
			owners[part] = key.Kid()
		}
	}
	return unique
}

// structures are the keys of the SPKIs of a DER file, in turn: 32, 1952 or 1984 bytes.
func structures(der []byte) (found [][]byte) {
	for len(der) > 0 {
		before := len(found)
		for size, head := range spkis {
			if bytes.HasPrefix(der, []byte(head)) && len(der) >= len(head)+size {
				found = append(found, der[len(head):len(head)+size])
				der = der[len(head)+size:]
				break
			}
		}
		refuseIf(len(found) == before, keyInvalid)
	}
	return found
}

// pemParts has one structure for each block.
func pemParts(text []byte) (found [][]byte) {
	for len(text) > 0 {
		match := publicBlock.FindSubmatch(text)
		refuseIf(match == nil, keyInvalid)
		text = text[len(match[0]):]
		refuseIf(len(text) > 0 && !bytes.Contains(match[2], []byte("\n")), keyInvalid)
		part := structures(unbase64(base64.StdEncoding, withoutBlanks(match[1])))
		refuseIf(len(part) != 1, keyInvalid)
		found = append(found, part[0])
	}
	return found
}

// pairUp makes an ML-DSA-65 key and the Ed25519 key right after it one composite.
func pairUp(parts [][]byte) (keys []Key) {
	for i := 0; i < len(parts); i++ {
		public := parts[i]
		if len(public) == 1952 {
			i++
			refuseIf(i == len(parts) || len(parts[i]) != 32, keyInvalid)
			public = slices.Concat(public, parts[i])
		}
		keys = append(keys, makeKey(public))
	}
	return keys
}

// readJSON: the standard library takes repeated members, and replaces lone surrogates and invalid UTF-8.
func readJSON(file []byte) map[string]any {
	refuseIf(!utf8.Valid(file) || !json.Valid(file), jsonMalformed)
	high := false
	for _, escape := range jsonEscape.FindAllIndex(file, -1) {
		text := string(file[escape[0]:escape[1]])
		if len(text) < 6 {
			continue
		}
		unit, _ := strconv.ParseUint(text[2:], 16, 16)
		isLow := unit >= 0xdc00 && unit <= 0xdfff
		refuseIf(isLow && !high, jsonMalformed)
		high = unit >= 0xd800 && unit <= 0xdbff
		if high {
			following := jsonEscape.Find(file[escape[1]:])
			isNext := following != nil && bytes.HasPrefix(file[escape[1]:], following) && len(following) == 6
			low, _ := strconv.ParseUint(strings.TrimPrefix(string(following), `\u`), 16, 16)
			refuseIf(!isNext || low < 0xdc00 || low > 0xdfff, jsonMalformed)
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.UseNumber()
	var texts []string
	isPrivate := false
	value := readValue(decoder, 1, &texts, &isPrivate)
	refuseIf(isPrivate || slices.ContainsFunc(texts, hasPrivateText), keyInvalid)
	return value.(map[string]any)
}

func readValue(decoder *json.Decoder, depth int, texts *[]string, isPrivate *bool) any {
	token, err := decoder.Token()
	refuseIf(err != nil, jsonMalformed)
	switch token := token.(type) {
	case string:
		*texts = append(*texts, token)
	case json.Delim:
		refuseIf(depth > maxJSONDepth, jsonMalformed)
		object, array := map[string]any{}, []any{}
		for decoder.More() {
			if token == '[' {
				array = append(array, readValue(decoder, depth+1, texts, isPrivate))
				continue
			}
			name, _ := decoder.Token()
			_, isThere := object[name.(string)]
			refuseIf(isThere, jsonMalformed)
			*texts = append(*texts, name.(string))
			*isPrivate = *isPrivate || slices.Contains(privateMembers, name.(string))
			object[name.(string)] = readValue(decoder, depth+1, texts, isPrivate)
		}
		_, err := decoder.Token()
		refuseIf(err != nil, jsonMalformed)
		if token == '[' {
			return array
		}
		return object
	}
	return token
}

func readJWKs(value map[string]any) (keys []Key) {
	items, isSet := value["keys"]
	if !isSet {
		return []Key{readJWK(value)}
	}
	_, isKey := value["kty"]
	list, isArray := items.([]any)
	refuseIf(isKey || !isArray || len(list) == 0, keyInvalid)
	for _, item := range list {
		keys = append(keys, readJWK(item))
	}
	return keys
}

func readJWK(value any) Key {
	jwk, _ := value.(map[string]any)
	isComposite := jwk["kty"] == "AKP" && (jwk["alg"] == composite || jwk["alg"] == "ML-DSA-65-Ed25519")
	refuseIf(!isComposite && !(jwk["kty"] == "OKP" && jwk["crv"] == "Ed25519"), keyInvalid)
	member := map[bool]string{true: "pub", false: "x"}[isComposite]
	text, isText := jwk[member].(string)
	refuseIf(!isText, keyInvalid)
	key := makeKey(unbase64(base64.RawURLEncoding, text))
	refuseIf((key.Alg == composite) != isComposite, keyInvalid)
	return key
}

// override is section 11.3. files: path → content.
func override(trust *Trust, environment map[string]string, files map[string][]byte) (*Trust, error) {
	value := func(name string) string { return strings.Trim(environment[name], blankBytes) }
	made, given := *trust, []Key{}
	reason := fault(func() {
		left, right := value("LICENSE_PUBLIC_KEY"), value("LICENSE_MLDSA_PUBLIC_KEY")
		required := value("LICENSE_REQUIRE_COMPOSITE")
		refuseIf(required != "" && required != "1" || left == "" && right != "", keyInvalid)
		made.RequireComposite = made.RequireComposite || required == "1"
		if left == "" {
			return
		}
		ed25519, mldsa65 := strings.Split(left, ","), strings.Split(right, ",")
		refuseIf(right != "" && len(ed25519) != len(mldsa65), keyInvalid)
		for i, item := range ed25519 {
			var public []byte
			if right != "" && strings.Trim(mldsa65[i], blankBytes) != "" {
				public = readItem(mldsa65[i], 1952, files)
			}
			key := makeKey(append(public, readItem(item, 32, files)...))
			if known, isKnown := trust.byKid[key.Kid()]; isKnown {
				key = known
			}
			given = append(given, key)
		}
	})
	if reason != "" {
		return nil, errConfiguration
	}
	if len(given) == 0 {
		return NewTrust(made)
	}
	// Step 1: the components of all keys together.
	if _, err := NewTrust(Trust{Keys: slices.Concat(trust.Keys, given)}); err != nil {
		return nil, err
	}
	made.Keys = slices.DeleteFunc(slices.Clone(trust.Keys), func(key Key) bool { return key.Purpose == "license" })
	made.Keys = append(made.Keys, given...)
	return NewTrust(made)
}

func readItem(item string, size int, files map[string][]byte) []byte {
	item = strings.Trim(item, blankBytes)
	if path, isPath := strings.CutPrefix(item, "file:"); isPath {
		content, isThere := files[path]
		refuseIf(!isThere || len(content) > maxOverrideFileBytes, keyInvalid)
		item = strings.Trim(string(content), blankBytes)
	}
	if !strings.HasPrefix(item, "-----BEGIN") {
		public := unbase64(base64.StdEncoding, item)
		refuseIf(len(public) != size, keyInvalid)
		return public
	}
	parts := pemParts([]byte(item))
	refuseIf(len(parts) != 1 || len(parts[0]) != size, keyInvalid)
	return slices.Clone(parts[0])
}
