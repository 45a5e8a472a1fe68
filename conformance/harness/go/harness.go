// The protocol of docs/conformance.md, around verify.go.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

var errMisuse = errors.New("the context is not one of section 9")

type request struct {
	ID      int64        `json:"id"`
	Op      string       `json:"op"`
	License *[]byte      `json:"license"`
	Trust   givenTrust   `json:"trust"`
	Context givenContext `json:"context"`
	Clock   *int64       `json:"clock"`
	Ran     int64        `json:"ran"`

	LoseState bool `json:"loseState"`

	BuiltIn []byte   `json:"builtIn"`
	Copies  [][]byte `json:"state"`
	File    *[]byte  `json:"file"`

	Environment map[string]string `json:"environment"`
	Files       map[string][]byte `json:"files"`

	Issuer           string `json:"issuer"`
	RequireComposite bool   `json:"requireComposite"`
}

type answer struct {
	ID            int64    `json:"id"`
	Protocol      int      `json:"protocol,omitempty"`
	Name          string   `json:"name,omitempty"`
	Version       any      `json:"version,omitempty"`
	Language      string   `json:"language,omitempty"`
	Capabilities  []string `json:"capabilities,omitempty"`
	Verdict       string   `json:"verdict,omitempty"`
	State         string   `json:"state,omitempty"`
	Layer         string   `json:"layer,omitempty"`
	Reason        string   `json:"reason,omitempty"`
	PayloadDigest string   `json:"payloadDigest,omitempty"`
	Lineage       string   `json:"lineage,omitempty"`
	Error         string   `json:"error,omitempty"`
	Source        string   `json:"source,omitempty"`
	Notices       []notice `json:"notices,omitzero"`

	Keys             []keyAnswer `json:"keys,omitzero"`
	RequireComposite *bool       `json:"requireComposite,omitempty"`
}

type keyAnswer struct {
	Alg     string `json:"alg,omitempty"`
	Kid     string `json:"kid"`
	Purpose string `json:"purpose,omitempty"`
	Status  string `json:"status,omitempty"`
}

type givenTrust struct {
	Keys []struct {
		Alg      string    `json:"alg"`
		Public   []byte    `json:"public"`
		Purpose  string    `json:"purpose"`
		Status   string    `json:"status"`
		Products *[]string `json:"products"`
		Tiers    *[]string `json:"tiers"`
		Honored  *[]string `json:"honored"`
	} `json:"keys"`
	RequireComposite bool             `json:"requireComposite"`
	Ed25519Until     *int64           `json:"ed25519Until"`
	RevokedLicenses  []string         `json:"revokedLicenses"`
	LowestCounters   map[string]int64 `json:"lowestCounters"`
}

type givenContext struct {
	Issuer       string   `json:"issuer"`
	Product      string   `json:"product"`
	Now          *int64   `json:"now"`
	DefaultGrace *int64   `json:"defaultGrace"`
	Deployment   *string  `json:"deployment"`
	Hosts        []string `json:"hosts"`
	BuildDate    *int64   `json:"buildDate"`
	Clock        *int64   `json:"clock"`
	Seen         *struct {
		Current    string `json:"current"`
		HighestIat int64  `json:"highestIat"`
		Lineages   map[string]struct {
			Counter       int64  `json:"counter"`
			PayloadDigest string `json:"payloadDigest"`
		} `json:"lineages"`
	} `json:"seen"`
}

// unhex takes lower-case hexadecimal only.
func unhex(text string) ([]byte, error) {
	data, err := hex.DecodeString(text)
	if err == nil && hex.EncodeToString(data) != text {
		err = errors.New("upper-case hexadecimal")
	}
	return data, err
}

// set gives nil for an absent list: an empty one means another thing.
func set(list *[]string) map[string]bool {
	if list == nil {
		return nil
	}
	items := map[string]bool{}
	for _, item := range *list {
		items[item] = true
	}
	return items
}

func readTrust(given givenTrust) (*Trust, error) {
	trust := Trust{RequireComposite: given.RequireComposite, Ed25519Until: given.Ed25519Until}
	trust.Revoked, trust.Lowest = set(&given.RevokedLicenses), given.LowestCounters
	for _, key := range given.Keys {
		honored := set(key.Honored)
		for digest := range honored {
			if data, err := unhex(digest); err != nil || len(data) != 32 {
				return nil, errConfiguration
			}
		}
		trust.Keys = append(trust.Keys, Key{
			Alg: key.Alg, Public: key.Public, Purpose: key.Purpose, Status: key.Status,
			Products: set(key.Products), Tiers: set(key.Tiers), Honored: honored,
		})
	}
	return NewTrust(trust)
}

func readContext(given givenContext, now *int64) (Context, error) {
	if now == nil || given.DefaultGrace == nil {
		return Context{}, errMisuse
	}
	context := Context{
		Issuer: given.Issuer, Product: given.Product, Now: *now, DefaultGrace: *given.DefaultGrace,
		Deployment: given.Deployment, Hosts: map[string]bool{}, BuildDate: given.BuildDate, Clock: given.Clock,
	}
	for _, host := range given.Hosts {
		data, err := unhex(host)
		if err != nil {
			return Context{}, errMisuse
		}
		context.Hosts[string(data)] = true
	}
	if given.Seen != nil {
		context.Seen = &Seen{given.Seen.Current, given.Seen.HighestIat, map[string]Accepted{}}
		for lineage, entry := range given.Seen.Lineages {
			digest, err := unhex(entry.PayloadDigest)
			if err != nil || len(digest) != 32 {
				return Context{}, errMisuse
			}
			context.Seen.Lineages[lineage] = Accepted{entry.Counter, [32]byte(digest)}
		}
	}
	if context.Check() != nil {
		return Context{}, errMisuse
	}
	return context, nil
}

func answerOf(verdict Verdict) answer {
	if verdict.Reason != "" {
		return answer{Verdict: "refused", Layer: verdict.Layer, Reason: verdict.Reason}
	}
	digest := hex.EncodeToString(verdict.Digest[:])
	return answer{Verdict: "accepted", State: verdict.State, PayloadDigest: digest, Lineage: verdict.Lineage}
}

// judged is the verdict on the license of a request by this trust.
func judged(r request, trust *Trust) (answer, error) {
	context, err := readContext(r.Context, r.Context.Now)
	if err != nil {
		return answer{}, err
	}
	return answerOf(Verify(*r.License, trust, context)), nil
}

func chooseKeyset(r request) (answer, error) {
	start, err := builtIn(r.BuiltIn, r.Issuer, r.RequireComposite)
	if err != nil {
		return answer{}, err
	}
	counts, source, notices := choose(start, r.Copies, r.File)
	a := answer{}
	if r.License != nil {
		trust, err := counts.trust()
		if err != nil {
			return answer{}, err
		}
		if a, err = judged(r, trust); err != nil {
			return answer{}, err
		}
	}
	a.Version, a.Source, a.Notices = counts.version(), source, notices
	return a, nil
}

type harness struct{ installation *installation }

func (h *harness) operation(r request) (answer, error) {
	switch r.Op {
	case "hello":
		return answer{Protocol: 1, Name: "vtlic-go", Version: "1.0.0", Language: "Go",
			Capabilities: []string{"verify", "state", "floor", "keysets", "override", "key-files"}}, nil
	case "verify":
		trust, err := readTrust(r.Trust)
		if err != nil {
			return answer{}, err
		}
		return judged(r, trust)
	case "override":
		trust, err := readTrust(r.Trust)
		if err != nil {
			return answer{}, err
		}
		if trust, err = override(trust, r.Environment, r.Files); err != nil {
			return answer{}, err
		}
		a := answer{}
		if r.License != nil {
			if a, err = judged(r, trust); err != nil {
				return answer{}, err
			}
		}
		a.Keys, a.RequireComposite = []keyAnswer{}, &trust.RequireComposite
		for kid, key := range trust.byKid {
			a.Keys = append(a.Keys, keyAnswer{Kid: hex.EncodeToString([]byte(kid)), Purpose: key.Purpose, Status: key.Status})
		}
		return a, nil
	case "read-keys":
		a := answer{Keys: []keyAnswer{}}
		reason := fault(func() {
			for _, key := range readKeys(*r.File) {
				a.Keys = append(a.Keys, keyAnswer{Alg: key.Alg, Kid: hex.EncodeToString([]byte(key.Kid()))})
			}
		})
		if reason != "" {
			return answer{Verdict: "refused", Reason: string(reason)}, nil
		}
		return a, nil
	case "choose-keyset":
		return chooseKeyset(r)
	case "reset":
		trust, err := readTrust(r.Trust)
		if err != nil {
			return answer{}, err
		}
		context, err := readContext(r.Context, r.Clock)
		if err != nil {
			return answer{}, err
		}
		if h.installation, err = start(trust, context, *r.Clock, &disk{state: []byte("{}")}); err != nil {
			return answer{}, err
		}
	case "install":
		return h.installation.install(*r.License)
	case "set-time":
		if err := h.installation.setTime(*r.Clock, r.Ran); err != nil {
			return answer{}, err
		}
	case "rotate":
		trust, err := readTrust(r.Trust)
		if err != nil {
			return answer{}, err
		}
		h.installation.trust = trust
	case "restart":
		return h.restart(r)
	default:
		return answer{}, fmt.Errorf("%s is not an operation of this harness", r.Op)
	}
	return h.installation.look()
}

func (h *harness) restart(r request) (_ answer, err error) {
	before := h.installation
	if r.LoseState {
		before.disk.state = []byte("{}")
	}
	if r.License != nil {
		before.disk.file = r.License
	}
	if r.Clock == nil {
		r.Clock = &before.clock
	}
	if h.installation, err = start(before.trust, before.context, *r.Clock, before.disk); err != nil {
		return answer{}, err
	}
	return h.installation.look()
}

func (h *harness) answer(r request) (a answer) {
	defer func() {
		if fault := recover(); fault != nil { // A fault of this program or of a library is not a verdict (1.1).
			a = answer{ID: r.ID, Error: fmt.Sprint(fault)}
		}
	}()
	a, err := h.operation(r)
	switch {
	case errors.Is(err, errConfiguration):
		a = answer{Verdict: "configuration_invalid"}
	case errors.Is(err, errMisuse):
		a = answer{Verdict: "misuse"}
	case err != nil:
		a = answer{Error: err.Error()}
	}
	a.ID = r.ID
	return a
}

func main() {
	lines, out, h := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout), &harness{}
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			panic(err)
		}
		if err := out.Encode(h.answer(r)); err != nil {
			panic(err)
		}
	}
}
