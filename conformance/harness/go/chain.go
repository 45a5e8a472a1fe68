package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Chains of keysets (K3 to K6 of docs/keysets.md): which version counts, and the trust that follows.

const maxChainBytes, maxBlocks, maxKeysetBytes = 16_777_216, 4_096, 524_288

var (
	keysetBlock = regexp.MustCompile(`\A-----BEGIN VTLIC KEYSET-----\r?\n` +
		`((?:[A-Za-z0-9+/]{64}\r?\n)*[A-Za-z0-9+/=]{4,64}\r?\n)-----END VTLIC KEYSET-----`)
	blankBytes = "\t\n\r "
)

// eachBlock reads block by block, in order (K3). What is before a block belongs to it.
func eachBlock(chain []byte, take func(decoded []byte)) {
	refuseIf(len(chain) > maxChainBytes, "keyset_too_large")
	rest := bytes.TrimLeft(chain, blankBytes)
	gap := []byte("\n")
	for count := 0; count == 0 || len(rest) > 0; count++ {
		refuseIf(count == maxBlocks, "keyset_too_large")
		match := keysetBlock.FindSubmatch(rest)
		refuseIf(match == nil || !bytes.Contains(gap, []byte("\n")), "keyset_armor_malformed")
		text := strings.NewReplacer("\r", "", "\n", "").Replace(string(match[1]))
		decoded, err := base64.StdEncoding.Strict().DecodeString(text)
		refuseIf(err != nil, "keyset_armor_malformed")
		refuseIf(len(decoded) > maxKeysetBytes, "keyset_too_large")
		take(decoded)
		behind := rest[len(match[0]):]
		rest = bytes.TrimLeft(behind, blankBytes)
		gap = behind[:len(behind)-len(rest)]
	}
}

// A chain is a trusted one. requireComposite is compiled in.
type chain struct {
	newest           *keyset
	digests          map[int64][32]byte
	purposes         map[string]string
	components       map[string]string
	formerRoots      map[string]Key
	requireComposite bool
	compositeRoots   bool
}

func (c chain) version() int64 { return c.newest.payload.number("version") }

func (c chain) copy() chain {
	c.digests, c.purposes = maps.Clone(c.digests), maps.Clone(c.purposes)
	c.components, c.formerRoots = maps.Clone(c.components), maps.Clone(c.formerRoots)
	return c
}

func areGoodPoints(keys []Key) bool {
	return !slices.ContainsFunc(keys, func(key Key) bool { return !isGoodPoint(key.Public[len(key.Public)-32:]) })
}

// add is rule 8 of K4; then the version is the newest. A copy is used, since it may fail half way.
func (c *chain) add(new keyset) {
	next, keys, roots := c.copy(), new.keys(), new.roots()
	refuseIf(!areGoodPoints(keys), "keyset_key_invalid")
	kids := map[string]bool{}
	for _, key := range slices.Concat(roots, keys) {
		before, isKnown := next.purposes[key.Kid()]
		refuseIf(isKnown && before != key.Purpose, "keyset_purpose_changed")
		next.purposes[key.Kid()] = key.Purpose
	}
	for _, key := range slices.Concat(roots, keys) {
		for _, part := range key.components() {
			owner, isKnown := next.components[part]
			refuseIf(isKnown && owner != key.Kid(), "keyset_component_shared")
			next.components[part] = key.Kid()
		}
	}
	for _, key := range keys {
		kids[key.Kid()] = true
	}
	if c.newest != nil {
		for _, key := range c.newest.keys() {
			refuseIf(!kids[key.Kid()], "keyset_key_removed")
		}
	}
	for _, root := range roots {
		next.formerRoots[root.Kid()] = root
	}
	next.newest, next.compositeRoots = &new, c.compositeRoots || len(new.policy()) > 0
	next.digests[new.payload.number("version")] = new.digest
	*c = next
}

// accept is rules 3 to 8 of K4.
func (c *chain) accept(new keyset) {
	if version := new.payload.number("version"); version <= c.version() {
		known, isKnown := c.digests[version]
		refuseIf(isKnown && known != new.digest, "keyset_conflict")
		return
	}
	refuseIf(!areGoodPoints(new.roots()), "keyset_key_invalid")
	known, signed := map[string]Key{}, map[string]bool{}
	for _, root := range slices.Concat(c.newest.roots(), new.roots()) {
		known[root.Kid()] = root
	}
	for _, one := range new.signers {
		if root, isKnown := known[one.kid]; isKnown {
			isAlg := one.alg == map[string]any{"ed25519": int64(-19), composite: composite}[root.Alg]
			refuseIf(!isAlg || !signatureValid(root, one.signature, one.signed), "keyset_signature_invalid")
			signed[one.kid] = true
		}
	}
	counting := func(roots []Key, compositeOnly bool) (count int64) {
		for _, root := range roots {
			if signed[root.Kid()] && (!compositeOnly || root.Alg == composite) {
				count++
			}
		}
		return count
	}
	enough := counting(c.newest.roots(), c.compositeRoots) >= c.newest.payload.number("threshold")
	refuseIf(!enough, "keyset_threshold_previous")
	own := counting(new.roots(), c.compositeRoots || len(new.policy()) > 0)
	refuseIf(own < new.payload.number("threshold"), "keyset_threshold_own")
	c.add(new)
}

// extend takes what continues the chain. It returns the newest version of the file, and the fault that ended it.
func (c *chain) extend(file []byte) (last int64, reason refusal) {
	reason = fault(func() {
		eachBlock(file, func(decoded []byte) {
			next := readKeyset(decoded)
			refuseIf(next.payload.text("iss") != c.newest.payload.text("iss"), "keyset_issuer_mismatch")
			refuseIf(next.payload.number("version") <= last, "keyset_not_ascending")
			last = next.payload.number("version")
			c.accept(next)
		})
	})
	return last, reason
}

// builtIn is K5, rule 1: the signatures are not judged.
func builtIn(file []byte, issuer string, requireComposite bool) (chain, error) {
	c := chain{requireComposite: requireComposite, compositeRoots: requireComposite, digests: map[int64][32]byte{}}
	c.purposes, c.components, c.formerRoots = map[string]string{}, map[string]string{}, map[string]Key{}
	reason := fault(func() {
		eachBlock(file, func(decoded []byte) {
			next := readKeyset(decoded)
			refuseIf(next.payload.text("iss") != issuer, "keyset_issuer_mismatch")
			refuseIf(c.newest != nil && next.payload.number("version") <= c.version(), "keyset_not_ascending")
			refuseIf(!areGoodPoints(next.roots()), "keyset_key_invalid")
			c.add(next)
		})
	})
	if reason != "" {
		return c, errors.Join(errConfiguration, errors.New(string(reason)))
	}
	return c, nil
}

// trust is K6.
func (c chain) trust() (*Trust, error) {
	policy, payload := c.newest.policy(), c.newest.payload
	trust := Trust{Keys: c.newest.keys(), RequireComposite: c.requireComposite || policy.has("composite")}
	for _, root := range c.formerRoots {
		trust.Keys = append(trust.Keys, root)
	}
	if until := policy.number("ed25519_until"); policy.has("ed25519_until") {
		trust.Ed25519Until = &until
	}
	trust.Revoked, trust.Lowest = map[string]bool{}, map[string]int64{}
	revoked, _ := payload["revoked"].([]any)
	for _, id := range revoked {
		trust.Revoked[uuidText(id.([]byte))] = true
	}
	lowest, _ := payload["lowest"].(map[any]any)
	for lineage, counter := range lowest {
		trust.Lowest[lineage.(string)] = int64(counter.(uint64))
	}
	return NewTrust(trust)
}

type notice struct {
	Source string  `json:"source"`
	Reason refusal `json:"reason"`
}

// choose is K5: the chain that counts, where it is from, and the notices.
func choose(start chain, copies [][]byte, file *[]byte) (counts chain, source string, notices []notice) {
	counts, source, notices = start, "built-in", []notice{}
	read := func(name string, data []byte) {
		before := counts.version()
		last, reason := counts.extend(data)
		if counts.version() > before {
			source = name
		}
		if reason == "" && name == "file" && last < before {
			reason = "keyset_older"
		}
		if reason != "" {
			notices = append(notices, notice{name, reason})
		}
	}
	for _, copy := range copies {
		read("state", copy)
	}
	if file != nil {
		read("file", *file)
	}
	return counts, source, notices
}
