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

// A floor of time never goes back (docs/runtime.md, "Time"). The clock may lead it by more than a day: LedFor is how long
// the product ran since then, and Lowest what the clock showed at least, moved on with the time that ran. ByClk says that
// a license with `clk` has set it: then it counts only while an entry of the state counts.
type floor struct {
	Time, LedFor, Lowest int64
	ByClk                bool
}

const day = 86_400

func (f floor) after(ran, clock int64) floor {
	own := f.Time + ran
	if clock-own <= day {
		return floor{Time: max(own, clock), ByClk: f.ByClk}
	}
	lowest := clock
	if f.LedFor > 0 {
		lowest = min(f.Lowest+ran, clock)
	}
	if f.LedFor+ran < 3*day {
		return floor{own, f.LedFor + ran, lowest, f.ByClk}
	}
	return floor{Time: max(own, lowest), ByClk: f.ByClk}
}

// A state is what the product remembers.
type state struct {
	Entries []entry
	Floor   floor
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
	state
}

func start(trust *Trust, context Context, clock int64, disk *disk) (*installation, error) {
	i := &installation{trust: trust, context: context, clock: clock, disk: disk}
	return i, json.Unmarshal(disk.state, &i.state)
}

// seen is what counts now: not what a revoked key signed, unless it is honored.
func (i *installation) seen() *Seen {
	seen, last := &Seen{Lineages: map[string]Accepted{}}, int64(0)
	for _, entry := range i.Entries {
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
	context, counting := i.context, i.Floor
	context.Seen, context.Clock = i.seen(), &i.clock
	if counting.ByClk && context.Seen == nil {
		counting = floor{ByClk: true}
	}
	context.Now = max(i.clock, counting.Time)
	if context.Seen != nil {
		context.Now = max(context.Now, context.Seen.HighestIat)
	}
	if context.Check() != nil {
		return Verdict{}, false, errMisuse
	}
	verdict = Verify(file, i.trust, context)
	if verdict.State != "active" && verdict.State != "grace" {
		return verdict, false, nil
	}
	i.Floor = counting
	return verdict, true, i.take(verdict)
}

func (i *installation) take(verdict Verdict) error {
	at, seq := len(i.Entries), int64(0)
	for n, entry := range i.Entries {
		seq = max(seq, entry.Seq)
		if entry.Lineage == verdict.Lineage && string(entry.Kid) == verdict.Kid {
			at = n
		}
	}
	if at == len(i.Entries) {
		i.Entries = append(i.Entries, entry{Lineage: verdict.Lineage, Kid: []byte(verdict.Kid)})
	}
	taken := &i.Entries[at]
	counter := verdict.Claims.number("ctr")
	isHigher := bytes.Compare(verdict.Digest[:], taken.Digest[:]) > 0
	if counter > taken.Counter || counter == taken.Counter && isHigher {
		taken.Counter, taken.Digest = counter, verdict.Digest
	}
	taken.Iat, taken.Seq = max(taken.Iat, verdict.Claims.number(iat)), seq+1
	if verdict.Clk {
		for n := range i.Entries {
			i.Entries[n].Iat = min(i.Entries[n].Iat, verdict.Claims.number(iat))
		}
		i.Floor = floor{Time: verdict.Claims.number(iat), ByClk: true}
	}
	return i.write()
}

func (i *installation) write() (err error) {
	i.disk.state, err = json.Marshal(i.state)
	return err
}

// setTime sets the clock of the host, after so many seconds of running.
func (i *installation) setTime(clock, ran int64) error {
	i.clock = clock
	if ran > 0 {
		i.Floor = i.Floor.after(ran, clock)
	}
	return i.write()
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
