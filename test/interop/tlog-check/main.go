// Command tlog-check reads proofs and checkpoints with golang.org/x/mod/sumdb, and makes some, so that each side checks the other's.
//
//	tlog-check checkpoint FILE VKEY              prints SIZE ROOT
//	tlog-check inclusion  FILE VKEY              prints INDEX SIZE and the leaf's data in hex
//	tlog-check growth     FILE OLD VKEY          prints OLDSIZE SIZE
//	tlog-check make       DIR ORIGIN COUNT OLD   writes a log's key, checkpoints and proofs of its own
//
// It leaves with 1, and the reason on standard error, for whatever is not valid.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type head struct {
	origin string
	tree   tlog.Tree
}

// openHead reads a checkpoint (c2sp.org/tlog-checkpoint) by the note package: three lines under a signature.
func openHead(text []byte, vkey string) (head, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return head{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return head{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return head{}, errors.New("not a checkpoint of that log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return head{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	if err != nil {
		return head{}, err
	}
	return head{lines[0], tlog.Tree{N: size, Hash: hash}}, nil
}

func split(file string) (lines []string, rest []byte, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	first, rest, found := bytes.Cut(data, []byte("\n\n"))
	if !found {
		return nil, nil, errors.New("no empty line")
	}
	return strings.Split(string(first), "\n"), rest, nil
}

func hashes(lines []string) ([]tlog.Hash, error) {
	out := []tlog.Hash{}
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		out = append(out, hash)
	}
	return out, nil
}

func value(lines []string, i int, name string) (string, error) {
	if i >= len(lines) || !strings.HasPrefix(lines[i], name+" ") {
		return "", fmt.Errorf("line %d does not say %q", i+1, name)
	}
	return lines[i][len(name)+1:], nil
}

func checkpoint(file, vkey string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	found, err := openHead(data, vkey)
	if err != nil {
		return err
	}
	fmt.Println(found.tree.N, found.tree.Hash)
	return nil
}

// inclusion checks a c2sp.org/tlog-proof@v1, whose extra data is the leaf's data.
func inclusion(file, vkey string) error {
	lines, rest, err := split(file)
	if err != nil {
		return err
	}
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof")
	}
	extra, err := value(lines, 1, "extra")
	if err != nil {
		return err
	}
	data, err := base64.StdEncoding.Strict().DecodeString(extra)
	if err != nil {
		return err
	}
	text, err := value(lines, 2, "index")
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return err
	}
	proof, err := hashes(lines[3:])
	if err != nil {
		return err
	}
	found, err := openHead(rest, vkey)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, found.tree.N, found.tree.Hash, index, tlog.RecordHash(data)); err != nil {
		return err
	}
	fmt.Println(index, found.tree.N, hex.EncodeToString(data))
	return nil
}

// growth checks that the older checkpoint is a beginning of the newer one (the form of c2sp.org/tlog-witness).
func growth(file, older, vkey string) error {
	lines, rest, err := split(file)
	if err != nil {
		return err
	}
	text, err := value(lines, 0, "old")
	if err != nil {
		return err
	}
	proof, err := hashes(lines[1:])
	if err != nil {
		return err
	}
	newer, err := openHead(rest, vkey)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(older)
	if err != nil {
		return err
	}
	before, err := openHead(data, vkey)
	if err != nil {
		return err
	}
	if text != strconv.FormatInt(before.tree.N, 10) {
		return errors.New("the proof begins elsewhere")
	}
	if err := tlog.CheckTree(proof, newer.tree.N, newer.tree.Hash, before.tree.N, before.tree.Hash); err != nil {
		return err
	}
	fmt.Println(before.tree.N, newer.tree.N)
	return nil
}

// store keeps the hashes of a tree in the order of tlog's stored indexes.
type store []tlog.Hash

func (s store) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = s[index]
	}
	return out, nil
}

func signHead(signer note.Signer, origin string, size int64, hash tlog.Hash) ([]byte, error) {
	return note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", origin, size, hash)}, signer)
}

// make_ writes what a log made here looks like: key, old, new, growth and one proof for each leaf. Leaves are "leaf 0", "leaf 1", ...
func make_(dir, origin string, count, old int64) error {
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	var stored store
	for i := int64(0); i < count; i++ {
		added, err := tlog.StoredHashes(i, []byte(fmt.Sprintf("leaf %d", i)), stored)
		if err != nil {
			return err
		}
		stored = append(stored, added...)
	}
	oldHash, err := tlog.TreeHash(old, stored)
	if err != nil {
		return err
	}
	newHash, err := tlog.TreeHash(count, stored)
	if err != nil {
		return err
	}
	oldNote, err := signHead(signer, origin, old, oldHash)
	if err != nil {
		return err
	}
	newNote, err := signHead(signer, origin, count, newHash)
	if err != nil {
		return err
	}
	tree, err := tlog.ProveTree(count, old, stored)
	if err != nil {
		return err
	}
	files := map[string][]byte{"key": []byte(vkey + "\n"), "old": oldNote, "new": newNote, "growth": []byte(fmt.Sprintf("old %d\n%s\n%s", old, hashLines(tree), newNote))}
	for i := int64(0); i < count; i++ {
		record, err := tlog.ProveRecord(count, i, stored)
		if err != nil {
			return err
		}
		extra := base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("leaf %d", i)))
		files[fmt.Sprintf("leaf-%d", i)] = []byte(fmt.Sprintf("c2sp.org/tlog-proof@v1\nextra %s\nindex %d\n%s\n%s", extra, i, hashLines(record), newNote))
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func hashLines(list []tlog.Hash) string {
	var out strings.Builder
	for _, hash := range list {
		out.WriteString(hash.String() + "\n")
	}
	return out.String()
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "checkpoint":
		return checkpoint(args[1], args[2])
	case len(args) == 3 && args[0] == "inclusion":
		return inclusion(args[1], args[2])
	case len(args) == 4 && args[0] == "growth":
		return growth(args[1], args[2], args[3])
	case len(args) == 5 && args[0] == "make":
		count, err := strconv.ParseInt(args[3], 10, 64)
		if err != nil {
			return err
		}
		old, err := strconv.ParseInt(args[4], 10, 64)
		if err != nil {
			return err
		}
		return make_(args[1], args[2], count, old)
	}
	return errors.New("usage: tlog-check checkpoint|inclusion|growth|make ...")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
