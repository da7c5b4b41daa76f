package main

import (
	"cmp"
	"debug/elf"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
)

// owner is who some bytes are there for: a package, or, where pkg is empty, what
// they are.
type owner struct{ pkg, rest string }

// mark says whose the bytes are from an address on, until the next mark.
type mark struct {
	at uint64
	owner
}

// carriers are symbols that stand for many things of many packages.
var carriers = map[string]string{
	"type:*":              "descriptions of types",
	"go:string.*":         "strings",
	"go:func.*":           "tables of functions",
	"go:funcdesc":         "tables of functions",
	"runtime.gcbits.*":    "pointer maps",
	"runtime.gcdata":      "pointer maps",
	"runtime.gcbss":       "pointer maps",
	"runtime.findfunctab": "tables of functions",
	"runtime.typelink":    "descriptions of types",
	"runtime.itablink":    "descriptions of types",
	"runtime.modinfo.str": "list of modules",
}

// attribute gives the bytes of a stripped binary by owner. The symbols are those
// of its twin, in which all that is loaded stands at the same place.
func attribute(stripped, twin string) (map[owner]int64, error) {
	info, err := os.Stat(stripped)
	if err != nil {
		return nil, err
	}
	released, err := elf.Open(stripped)
	if err != nil {
		return nil, err
	}
	defer released.Close()
	f, err := elf.Open(twin)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	marks, err := symbolMarks(f)
	if err != nil {
		return nil, err
	}
	inTables, err := tableMarks(f)
	if err != nil {
		return nil, err
	}
	marks = append(marks, inTables...)
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Compare(a.at, b.at) })

	owned := map[owner]int64{}
	rest := info.Size()
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		same := released.Section(s.Name)
		if same == nil || same.SectionHeader.Addr != s.Addr || same.Size != s.Size {
			return nil, fmt.Errorf("section %s is not the same in both builds", s.Name)
		}
		divide(s.Addr, s.Addr+s.Size, marks, owned)
		rest -= int64(s.Size)
	}
	owned[owner{rest: "headers and alignment"}] += rest
	return owned, nil
}

// divide adds the bytes from one address to another to their owners. Of two marks
// at one address the first counts: what two functions share is the first one's.
func divide(from, to uint64, marks []mark, owned map[owner]int64) {
	at, whose := from, owner{rest: "headers and alignment"}
	first, _ := slices.BinarySearchFunc(marks, from, func(m mark, a uint64) int { return cmp.Compare(m.at, a) })
	fresh := false
	for _, m := range marks[first:] {
		if m.at >= to {
			break
		}
		if m.at == at && fresh {
			continue
		}
		owned[whose] += int64(m.at - at)
		at, whose, fresh = m.at, m.owner, true
	}
	owned[whose] += int64(to - at)
}

// symbolMarks has the functions and variables, and the carriers, without those of
// no size that only mark where a part begins.
func symbolMarks(f *elf.File) ([]mark, error) {
	symbols, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	var marks []mark
	for _, s := range symbols {
		what, carrier := carriers[s.Name]
		switch {
		case carrier:
			marks = append(marks, mark{s.Value, owner{rest: what}})
		case s.Size > 0:
			marks = append(marks, mark{s.Value, owned(s.Name)})
		}
	}
	return marks, nil
}

// owned gives the owner of a symbol by its name.
func owned(symbol string) owner {
	if pkg := packageOf(symbol); pkg != "" {
		return owner{pkg: pkg}
	}
	return owner{rest: "constants and assembly without a package"}
}

// packageOf gives the package that a symbol was compiled for, "" where its name
// doesn't tell. What a generic function is instantiated with is its user's, but the
// code is the function's.
func packageOf(symbol string) string {
	name := symbol
	for _, prefix := range []string{"type:.eq.", "type:.hash.", "go:itab.*", "go:itab."} {
		name = strings.TrimPrefix(name, prefix)
	}
	name = strings.TrimPrefix(name, "go:")
	name, _, _ = strings.Cut(name, "[")
	name, _, _ = strings.Cut(name, ",")
	name, _, _ = strings.Cut(name, "(")
	slash := strings.LastIndexByte(name, '/') + 1
	last, _, dot := strings.Cut(name[slash:], ".")
	if !dot || strings.ContainsAny(name[:slash]+last, " ${:") || name[:slash]+last == "" {
		return ""
	}
	pkg, err := url.PathUnescape(name[:slash] + last) // a dot in the last element is %2e
	if err != nil {
		return ""
	}
	return pkg
}
