//go:build !windows

package proc

import (
	"encoding/binary"
	"io"
	"os"
	"strings"
)

// machines names what ELF files are for, by e_machine, as GOARCH does (System V
// ABI, and its registry of machine numbers). debug/elf would cost 0.3 MB.
func machines() map[uint16]string {
	return map[uint16]string{
		3: "386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64", 258: "loong64",
	}
}

// elfHeader is what explains why a file can't be executed.
type elfHeader struct {
	machine string // "" when unknown
	loader  string // PT_INTERP; "" when static
}

// readELF gives nil for what is no ELF file.
func readELF(path string) *elfHeader {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, 64)
	if n, err := io.ReadFull(f, head); n < 52 || (err != nil && n < 52) || string(head[:4]) != "\x7fELF" {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[5] == 2 { // EI_DATA
		order = binary.BigEndian
	}
	h := &elfHeader{machine: machines()[order.Uint16(head[18:])]}
	wide := head[4] == 2 // EI_CLASS: 64 bits
	at, size, count := int64(order.Uint32(head[28:])), int64(order.Uint16(head[42:])), order.Uint16(head[44:])
	if wide {
		at, size, count = int64(order.Uint64(head[32:])), int64(order.Uint16(head[54:])), order.Uint16(head[56:])
	}
	entry := make([]byte, 56)
	for i := range int64(count) {
		if n, _ := f.ReadAt(entry, at+i*size); n < 32 || order.Uint32(entry) != 3 { // PT_INTERP
			continue
		}
		offset, length := int64(order.Uint32(entry[4:])), int64(order.Uint32(entry[16:]))
		if wide {
			offset, length = int64(order.Uint64(entry[8:])), int64(order.Uint64(entry[32:]))
		}
		if length <= 0 || length > 4096 {
			break
		}
		name := make([]byte, length)
		n, _ := f.ReadAt(name, offset)
		h.loader = strings.TrimRight(string(name[:n]), "\x00")
	}
	return h
}
