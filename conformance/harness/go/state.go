package main

import (
	"bytes"
	"encoding/json"
)

// The state of one installation (docs/runtime.md), around verify.go.

// An entry of the state: what was accepted in a lineage under a key.
type entry struct {
	Lineage  string
	Kid      []byte
	Counter  int64
	Digest   [32]byte
	Iat, Seq int64
}

// A disk is what is durable: the state, as JSON, and the file in place.
type disk struct {
	state []byte
	file  *[]byte
}

// An installation is a product on one host.
type installation struct {
	trust   *Trust
	context Context
	clock   int64
	disk    *disk
	entries []entry
}

func start(trust *Trust, context Context, clock int64, disk *disk) (*installation, error) {
	i := &installation{trust: trust, context: context, clock: clock, disk: disk}
	return i, json.Unmarshal(disk.state, &i.entries)
}

// seen is what counts now: not what a revoked key signed, unless it is honored.
func (i *installation) seen() *Seen {
	seen, last := &Seen{Lineages: map[string]Accepted{}}, int64(0)
	for _, entry := range i.entries {
		if key, isTrusted := i.trust.byKid[string(entry.Kid)]; isTrusted && !key.counts(entry.Digest) {
			continue
		}
		// Of two payloads with one counter, which no honest signer makes, that with the higher digest counts.
		before := seen.Lineages[entry.Lineage]
		isHigher := bytes.Compare(entry.Digest[:], before.Digest[:]) > 0
		if entry.Counter > before.Counter || entry.Counter == before.Counter && isHigher {
			seen.Lineages[entry.Lineage] = Accepted{entry.Counter, entry.Digest}
		}
		seen.HighestIat = max(seen.HighestIat, entry.Iat)
		if entry.Seq > last {
			seen.Current, last = entry.Lineage, entry.Seq
		}
	}
	if last == 0 {
		return nil
	}
	return seen
}

// judge takes a file that is active or in grace.
func (i *installation) judge(file []byte) (verdict Verdict, taken bool, err error) {
	context := i.context
	context.Seen, context.Now, context.Clock = i.seen(), i.clock, &i.clock
	if context.Seen != nil {
		context.Now = max(i.clock, context.Seen.HighestIat)
	}
	if context.Check() != nil {
		return Verdict{}, false, errMisuse
	}
	verdict = Verify(file, i.trust, context)
	if verdict.State != "active" && verdict.State != "grace" {
		return verdict, false, nil
	}
	return verdict, true, i.take(verdict)
}

func (i *installation) take(verdict Verdict) (err error) {
	at, seq := len(i.entries), int64(0)
	for n, entry := range i.entries {
		seq = max(seq, entry.Seq)
		if entry.Lineage == verdict.Lineage && string(entry.Kid) == verdict.Kid {
			at = n
		}
	}
	if at == len(i.entries) {
		i.entries = append(i.entries, entry{Lineage: verdict.Lineage, Kid: []byte(verdict.Kid)})
	}
	taken := &i.entries[at]
	if counter := verdict.Claims.number("ctr"); counter >= taken.Counter {
		taken.Counter, taken.Digest = counter, verdict.Digest
	}
	taken.Iat, taken.Seq = max(taken.Iat, verdict.Claims.number(iat)), seq+1
	if verdict.Clk {
		for n := range i.entries {
			i.entries[n].Iat = min(i.entries[n].Iat, verdict.Claims.number(iat))
		}
	}
	i.disk.state, err = json.Marshal(i.entries)
	return err
}

func (i *installation) install(file []byte) (answer, error) {
	verdict, taken, err := i.judge(file)
	if taken && err == nil {
		i.disk.file = &file
	}
	return answerOf(verdict), err
}

// look judges what is in place.
func (i *installation) look() (answer, error) {
	if i.disk.file == nil {
		return answer{Verdict: "none"}, nil
	}
	verdict, _, err := i.judge(*i.disk.file)
	return answerOf(verdict), err
}
