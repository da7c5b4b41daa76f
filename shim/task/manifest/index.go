package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strings"

	"nth/shim/store/contract"
)

// The index of a manifest, manifest/<version>.idx: where each block of rows begins.
//
//	"nth-manifest" 2
//	text     the version that the store gave, as uvarint(length) and its bytes
//	uvarint  the size of the file
//	text     the format, text the header as it stands
//	uvarint  rows
//	uvarint  offset of the first row, among the uncompressed bytes
//	uvarint  blocks, and for each:
//	         uvarint rows, uvarint length (uncompressed), 4 bytes CRC-32C of them
//	         and in a .gz: uvarint start (in the file, less the one before), uvarint
//	         bytes (from there to the end of what holds the block), uvarint skip
//	         (uncompressed bytes between start and the block)
//	4 bytes  CRC-32C of all before
//
// A block has a thousand rows, or fewer where they are long: blockBytes and the row
// that exceeds it. Its sum is compared before a row of it is believed.
const (
	indexMagic   = "nth-manifest"
	indexVersion = 2 // 1 took a .tsv's lines together where a quote began a field
	indexFolder  = "manifest/"

	blockRows  = 1000
	blockBytes = 1 << 20
	maxBlock   = blockBytes + maxRow // of a longer one the rows are looked for from the file's start
)

// version is what a manifest was when it was looked at.
type version struct {
	token contract.Token
	size  int64
}

// block is a piece of the manifest.
type block struct {
	rows   int64
	length int64 // uncompressed
	sum    uint32
	start  int64 // in the file: where to begin reading
	bytes  int64 // of the file, to read
	skip   int64 // uncompressed bytes before the block
}

func (b block) end() int64 { return b.start + b.bytes }

type index struct {
	of     version
	format string
	header []byte
	rows   int64
	first  int64
	blocks []block
}

// indexKey names the index. The store's name for a version need not be one for all of
// its blobs (a generation is a time), so where the blob is has its part in it.
func indexKey(shown, format string, v version) string {
	letters := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return -1
	}, string(v.token))
	if len(letters) > 64 {
		letters = letters[:64]
	}
	h := sha256.Sum256([]byte(strings.Join([]string{shown, format, string(v.token), string(rune(indexVersion))}, "\x00")))
	return indexFolder + letters + "-" + hex.EncodeToString(h[:8]) + ".idx"
}

func (x *index) encode(gz bool) []byte {
	b := append([]byte(indexMagic), indexVersion)
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	number := func(n int64) { b = binary.AppendUvarint(b, uint64(n)) }
	text(string(x.of.token))
	number(x.of.size)
	text(x.format)
	text(string(x.header))
	number(x.rows)
	number(x.first)
	number(int64(len(x.blocks)))
	before := int64(0)
	for _, k := range x.blocks {
		number(k.rows)
		number(k.length)
		b = binary.BigEndian.AppendUint32(b, k.sum)
		if gz {
			number(k.start - before)
			number(k.bytes)
			number(k.skip)
			before = k.start
		}
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
}

var (
	errIndexCut     = errors.New("it is cut short, or damaged")
	errIndexVersion = errors.New("it is of another version of nth")
	errIndexOther   = errors.New("it is that of another file of rows")
)

// decode reads an index, and refuses one that can't be this manifest's.
func decode(b []byte, f format, gz bool, of version) (*index, error) {
	if len(b) < len(indexMagic)+1+4 || !bytes.HasPrefix(b, []byte(indexMagic)) {
		return nil, errIndexCut
	}
	if b[len(indexMagic)] != indexVersion {
		return nil, errIndexVersion
	}
	end := len(b) - 4
	if binary.BigEndian.Uint32(b[end:]) != crc32.Checksum(b[:end], castagnoli()) {
		return nil, errIndexCut
	}
	p := &parser{b: b[len(indexMagic)+1 : end]}
	x := &index{of: version{contract.Token(p.text()), p.number()}, format: string(p.text()), header: p.text(), rows: p.number(), first: p.number()}
	if x.of != of || x.format != indexFormat(f, gz) {
		return nil, errIndexOther
	}
	count := p.number()
	if count > int64(len(p.b)) {
		return nil, errIndexCut // before memory is taken for them
	}
	x.blocks = make([]block, count)
	p.blocks(x, gz)
	if p.failed || len(p.b) > 0 || !x.whole(gz) {
		return nil, errIndexCut
	}
	return x, nil
}

func indexFormat(f format, gz bool) string {
	if gz {
		return f.name + compressed
	}
	return f.name
}

// whole tells whether the figures agree with each other.
func (x *index) whole(gz bool) bool {
	rows, at := int64(0), x.first
	for i, k := range x.blocks {
		if i < len(x.blocks)-1 && !k.full() { // its rows' numbers would be guesses
			return false
		}
		if k.rows < 1 || k.rows > blockRows || k.length < k.rows || k.bytes < 1 || k.start < 0 || k.end() < 0 || k.end() > x.of.size {
			return false
		}
		rows += k.rows
		at += k.length
	}
	return rows == x.rows && rows > 0 && at >= 0 && (gz || at == x.of.size)
}

// find gives the block that a row is in, and the number of the block's first row.
func (x *index) find(row int64) (k int, first int64) { return x.onward(0, 0, row) }

// onward goes on from a block, whose first row is given, that isn't behind the row's.
func (x *index) onward(k int, first, row int64) (int, int64) {
	for ; k < len(x.blocks)-1 && first+x.blocks[k].rows <= row; k++ {
		first += x.blocks[k].rows
	}
	return k, first
}

// parser takes an index apart; failed says that something was missing.
type parser struct {
	b      []byte
	failed bool
}

func (p *parser) number() int64 {
	n, size := binary.Uvarint(p.b)
	if size <= 0 || int64(n) < 0 {
		p.failed, p.b = true, nil
		return 0
	}
	p.b = p.b[size:]
	return int64(n)
}

func (p *parser) take(n int64) []byte {
	if n > int64(len(p.b)) {
		p.failed, p.b = true, nil
		return nil
	}
	taken := p.b[:n]
	p.b = p.b[n:]
	return taken
}

func (p *parser) text() []byte { return p.take(p.number()) }

func (p *parser) blocks(x *index, gz bool) {
	at := x.first
	start := int64(0)
	for i := range x.blocks {
		k := block{rows: p.number(), length: p.number()}
		if sum := p.take(4); sum != nil {
			k.sum = binary.BigEndian.Uint32(sum)
		}
		k.start, k.bytes = at, k.length
		at += k.length
		if gz {
			start += p.number()
			k.start, k.bytes, k.skip = start, p.number(), p.number()
		}
		x.blocks[i] = k
	}
}
