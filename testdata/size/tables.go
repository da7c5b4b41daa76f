package main

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"strings"
)

// What Go knows about each function at run time is a third of the binary, and one
// symbol. Its layout is in Go's runtime/symtab.go (pcHeader) and runtime2.go
// (_func): debug/gosym reads it, but doesn't tell the sizes.
const (
	pclntabMagic = 0xfffffff1 // Go 1.20 and later
	headerWords  = 8          // its first field after 8 bytes is the number of functions
	funcWords    = 11         // of a _func, before its pcdata and funcdata
	none         = ^uint32(0)
)

var errTable = errors.New("the table of functions has a layout that this program doesn't know: see runtime/symtab.go")

// table is the section .gopclntab.
type table struct {
	data                        []byte
	addr                        uint64
	functions                   int
	names, cus, files, pcs, fns uint64 // where its parts begin
	gofunc                      uint64 // the address of go:func.*
}

// tableMarks gives every part of the table to the function that it is about.
func tableMarks(f *elf.File) ([]mark, error) {
	s := f.Section(".gopclntab")
	if s == nil {
		return nil, errTable
	}
	data, err := s.Data()
	if err != nil {
		return nil, err
	}
	if len(data) < 8+headerWords*8 || binary.LittleEndian.Uint32(data) != pclntabMagic {
		return nil, errTable
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(data[8+8*i:]) }
	t := table{data: data, addr: s.Addr, functions: int(word(0)), names: word(3), cus: word(4), files: word(5), pcs: word(6), fns: word(7)}
	symbols, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	for _, sym := range symbols {
		if sym.Name == "go:func.*" {
			t.gofunc = sym.Value
		}
	}
	if t.gofunc == 0 {
		return nil, errTable
	}
	const shared = "tables of functions"
	marks := []mark{
		{t.addr, owner{rest: shared}},
		{t.addr + t.cus, owner{rest: "names of files"}},
		{t.addr + t.files, owner{rest: "names of files"}},
		{t.addr + t.pcs, owner{rest: shared}},
		{t.addr + t.fns, owner{rest: shared}},
	}
	for i := range t.functions {
		marks = append(marks, t.function(i)...)
	}
	return marks, nil
}

// function gives what is there for one function: its description, its name, and
// the tables that no earlier one has as well.
func (t *table) function(i int) []mark {
	at := t.fns + uint64(t.word(t.fns+8*uint64(i)+4)) // functab: offset of the code, offset of the description
	field := func(n uint64) uint32 { return t.word(at + 4*n) }
	name, _, _ := strings.Cut(string(t.data[t.names+uint64(field(1)):t.cus]), "\x00")
	whose := owned(name)
	marks := []mark{{t.addr + at, whose}, {t.addr + t.names + uint64(field(1)), whose}}
	pcs := []uint32{field(4), field(5), field(6)}
	many := uint64(field(7))
	for n := range many {
		pcs = append(pcs, field(funcWords+n))
	}
	for _, p := range pcs {
		if p != 0 {
			marks = append(marks, mark{t.addr + t.pcs + uint64(p), whose})
		}
	}
	for n := range uint64(t.data[at+4*funcWords-1]) {
		if p := field(funcWords + many + n); p != none {
			marks = append(marks, mark{t.gofunc + uint64(p), whose})
		}
	}
	return marks
}

func (t *table) word(at uint64) uint32 { return binary.LittleEndian.Uint32(t.data[at:]) }
