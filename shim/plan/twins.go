package plan

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"nth/shim/identity"
	"nth/shim/item"
)

// What is held of commands that are to be compared with those after them, and of the ranges
// of indexes that have one in common: a Job may have a hundred million.
const (
	maxCompared = 100_000 // which the help says too
	maxTold     = 1000
)

// twins finds items that expand to the same command and variables. A command is held as
// 16 bytes of its SHA-256.
type twins struct {
	first  map[[16]byte]int64 // which index had it
	groups map[[16]byte]*group
	order  []*group
	more   bool // groups than are told
	left   bool // commands that were compared with those before alone
}

// group is two or more indexes that run the same.
type group struct {
	command string
	indexes identity.List
	more    int64
}

func (t *twins) add(p Planned, w item.Words) {
	sum := sumOf(w)
	first, met := t.first[sum]
	switch {
	case met && t.groups[sum] != nil:
		t.groups[sum].add(p.Index)
	case met && len(t.order) == maxFindings:
		t.more = true
	case met:
		if t.groups == nil {
			t.groups = map[[16]byte]*group{}
		}
		g := &group{command: shellLine(p.Command)}
		g.add(first)
		g.add(p.Index)
		t.groups[sum], t.order = g, append(t.order, g)
	case len(t.first) == maxCompared:
		t.left = true
	default:
		if t.first == nil {
			t.first = map[[16]byte]int64{}
		}
		t.first[sum] = p.Index
	}
}

func sumOf(w item.Words) [16]byte {
	var b strings.Builder
	for _, list := range [][]string{w.Command, w.Env} {
		for _, part := range list {
			fmt.Fprintf(&b, "%d:%s", len(part), part)
		}
		b.WriteByte(';')
	}
	sum := sha256.Sum256([]byte(b.String()))
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

// findings tells the groups; the note is of what wasn't compared.
func (t *twins) findings() (found []string, note string) {
	for _, g := range t.order {
		found = append(found, fmt.Sprintf("indexes %s expand to the same command: %s", g, g.command))
	}
	if t.more {
		found = append(found, "… and more indexes that expand to the same command")
	}
	if t.left {
		note = fmt.Sprintf("each command was compared with the first %d different ones, and not with those after them", maxCompared)
	}
	return found, note
}
