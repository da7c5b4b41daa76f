package plan

import (
	"crypto/sha256"
	"fmt"
	"strconv"

	"nth/shim/identity"
	"nth/shim/item"
)

// What is held of commands that are to be compared with those after them, and of the ranges
// of indexes that have one in common: a Job may have a hundred million.
const (
	maxCompared = 100_000 // which the help says too
	maxTold     = 1000
)

// twins finds items that have something in common that each should have for itself: its
// command, variables and inputs, or an output. It is held as 16 bytes of its SHA-256.
type twins struct {
	first  map[[16]byte]int64 // which index had it
	groups map[[16]byte]*group
	order  []*group
	more   bool // groups than are told
	left   bool // things that were compared with those before alone
}

// group is two or more indexes that have the same.
type group struct {
	what    string
	indexes identity.List
	more    int64
}

// add adds what an index has, by its sum. It gives a group that began with it, for which the
// caller has a name.
func (t *twins) add(sum [16]byte, index int64) (begun *group) {
	first, met := t.first[sum]
	switch {
	case met && t.groups[sum] != nil:
		t.groups[sum].add(index)
	case met && len(t.order) == maxFindings:
		t.more = true
	case met:
		if t.groups == nil {
			t.groups = map[[16]byte]*group{}
		}
		begun = &group{}
		begun.add(first)
		begun.add(index)
		t.groups[sum], t.order = begun, append(t.order, begun)
	case len(t.first) == maxCompared:
		t.left = true
	default:
		if t.first == nil {
			t.first = map[[16]byte]int64{}
		}
		t.first[sum] = index
	}
	return begun
}

// appendSum adds what is compared of a command, its variables and what it reads.
func appendSum(b []byte, w item.Words, d item.Data) []byte {
	b = appendParts(appendParts(b, w.Command), w.Env)
	b = appendPart(b, d.Stdin.Value)
	for _, in := range d.Inputs {
		b = appendPart(appendPart(b, in.URL.Value), in.Path.Value)
	}
	return append(b, ';')
}

func appendParts(b []byte, parts []string) []byte {
	for _, part := range parts {
		b = appendPart(b, part)
	}
	return append(b, ';')
}

// appendPart adds a text with its length, so that no two lists look the same.
func appendPart(b []byte, part string) []byte {
	b = append(strconv.AppendInt(b, int64(len(part)), 10), ':')
	return append(b, part...)
}

func sumOf(b []byte) [16]byte {
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}

func (g *group) add(index int64) {
	if g.more > 0 || !g.indexes.Grow(index, maxTold) {
		g.more++
	}
}

func (g *group) String() string {
	list := g.indexes.String()
	if g.more > 0 {
		list += fmt.Sprintf(" and %d more", g.more)
	}
	return list
}

// findings tells the groups, of which does says what they do with it; the note is of
// what wasn't compared.
func (t *twins) findings(does, what string) (found []string, note string) {
	for _, g := range t.order {
		found = append(found, fmt.Sprintf("indexes %s %s: %s", g, does, g.what))
	}
	if t.more {
		found = append(found, "… and more indexes that "+does)
	}
	if t.left {
		note = fmt.Sprintf("each %s was compared with the first %d different ones, and not with those after them", what, maxCompared)
	}
	return found, note
}
