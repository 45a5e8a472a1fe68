package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Section 6: public keys.

var (
	one   = big.NewInt(1)
	prime = new(big.Int).Sub(new(big.Int).Lsh(one, 255), big.NewInt(19))
	d, _  = new(big.Int).SetString("37095705934669439343138083508754565189542113879843219016388785533085940283555", 10)

	smallOrder = encodings(
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	)
	signedZero = encodings(
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	)
)

func encodings(texts ...string) map[string]bool {
	set := map[string]bool{}
	for _, text := range texts {
		data, _ := hex.DecodeString(text)
		set[string(data)] = true
	}
	return set
}

// isGoodPoint is criteria 1 to 3 of section 6.4. The standard library takes any 32 bytes.
func isGoodPoint(public []byte) bool {
	if signedZero[string(public)] || smallOrder[string(public)] {
		return false
	}
	bigEndian := slices.Clone(public)
	slices.Reverse(bigEndian)
	bigEndian[0] &= 0x7f
	y := new(big.Int).SetBytes(bigEndian)
	if y.Cmp(prime) >= 0 {
		return false
	}
	square := new(big.Int).Mul(y, y)
	left := new(big.Int).Sub(square, one)
	right := new(big.Int).Add(new(big.Int).Mul(d, square), one)
	return big.Jacobi(left.Mul(left, right), prime) >= 0
}

// Section 8: trust.

// A Key is a trusted key. Nil lists of products and tiers mean every one; Honored are digests in hexadecimal.
type Key struct {
	Alg             string
	Public          []byte
	Purpose, Status string
	Products, Tiers map[string]bool
	Honored         map[string]bool
}

// coseKeyHeads: a COSE_Key, which is the input of the kid (6.2), is one of these and the public key.
var coseKeyHeads = map[string]string{
	"ed25519": "\xa3\x01\x01\x20\x06\x21\x58\x20",
	composite: "\xa3\x01\x07\x03\x71" + composite + "\x20\x59\x07\xc0",
}

func kidOf(alg string, public []byte) string {
	digest := sha256.Sum256(append([]byte(coseKeyHeads[alg]), public...))
	return string(digest[:])
}

// counts says whether a payload with this digest, signed by the key, still counts.
func (k Key) counts(digest [32]byte) bool {
	return k.Status != "revoked" || k.Honored[hex.EncodeToString(digest[:])]
}

// Kid is the thumbprint of section 6.2.
func (k Key) Kid() string {
	return kidOf(k.Alg, k.Public)
}

// components are those of section 8.2, the Ed25519 one first.
func (k Key) components() []string {
	split := len(k.Public) - 32
	if split == 0 {
		return []string{string(k.Public)}
	}
	return []string{string(k.Public[split:]), string(k.Public[:split])}
}

// A Trust is made by NewTrust. Lineages and license ids are in their one spelling.
type Trust struct {
	Keys             []Key
	RequireComposite bool
	Ed25519Until     *int64
	Revoked          map[string]bool
	Lowest           map[string]int64

	byKid         map[string]Key
	componentKids map[string]bool
}

var (
	purposes  = strings.Fields("license license-key root ledger approval transcript counters release receipt")
	statuses  = strings.Fields("pre-published active retired revoked")
	uuid7Text = regexp.MustCompile(`\A[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z`)

	errConfiguration = errors.New("the trust is not one of section 8.1")
)

// NewTrust judges a trust as a whole (8.1).
func NewTrust(trust Trust) (*Trust, error) {
	trust.byKid, trust.componentKids = map[string]Key{}, map[string]bool{}
	components := map[string]string{}
	for _, key := range trust.Keys {
		size, known := map[string]int{"ed25519": 32, composite: 1984}[key.Alg]
		if !known || len(key.Public) != size || !isGoodKey(key) {
			return nil, errConfiguration
		}
		kid := key.Kid()
		if before, there := trust.byKid[kid]; there && !reflect.DeepEqual(before, key) {
			return nil, errConfiguration
		}
		trust.byKid[kid] = key
		if key.Alg == composite {
			trust.componentKids[kidOf("ed25519", key.Public[1952:])] = true
		}
		for _, part := range key.components() {
			if owner, there := components[part]; there && owner != kid {
				return nil, errConfiguration
			}
			components[part] = kid
		}
	}
	return &trust, trust.checkPolicy()
}

func isGoodKey(key Key) bool {
	good := isGoodPoint(key.Public[len(key.Public)-32:])
	good = good && slices.Contains(purposes, key.Purpose) && slices.Contains(statuses, key.Status)
	for _, scope := range []map[string]bool{key.Products, key.Tiers} {
		for id := range scope {
			good = good && isID(id)
		}
	}
	return good && (len(key.Honored) == 0 || key.Status == "revoked")
}

func (t *Trust) checkPolicy() error {
	good := t.Ed25519Until == nil || isTime(*t.Ed25519Until)
	for id := range t.Revoked {
		good = good && uuid7Text.MatchString(id)
	}
	for lineage, counter := range t.Lowest {
		good = good && isLineage(lineage) && 0 <= counter && counter <= maxInteger
	}
	if !good {
		return errConfiguration
	}
	return nil
}

// Section 9: context.

func isTime(time int64) bool { return 0 <= time && time <= maxTime }

// Accepted is the highest counter of a lineage, and the digest of the payload that had it.
type Accepted struct {
	Counter int64
	Digest  [32]byte
}

// Seen is what was accepted before.
type Seen struct {
	Current    string
	HighestIat int64
	Lineages   map[string]Accepted
}

// A Context says who verifies, where and when. Check says whether it is one of section 9.
type Context struct {
	Issuer, Product   string
	Now, DefaultGrace int64
	Deployment        *string
	Hosts             map[string]bool
	BuildDate, Clock  *int64
	Seen              *Seen
}

func (c Context) Check() error {
	good := isID(c.Issuer) && isID(c.Product) && isTime(c.Now) && 0 <= c.DefaultGrace && c.DefaultGrace <= maxGrace
	good = good && (c.Deployment == nil || isID(*c.Deployment))
	good = good && (c.BuildDate == nil || isTime(*c.BuildDate)) && (c.Clock == nil || isTime(*c.Clock))
	for host := range c.Hosts {
		good = good && len(host) == 32
	}
	if c.Seen != nil {
		_, isKnown := c.Seen.Lineages[c.Seen.Current]
		good = good && isKnown && isTime(c.Seen.HighestIat)
		for lineage, accepted := range c.Seen.Lineages {
			good = good && isLineage(lineage) && 1 <= accepted.Counter && accepted.Counter <= maxInteger
		}
	}
	if !good {
		return errors.New("the context is not one of section 9")
	}
	return nil
}
