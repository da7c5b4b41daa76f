package objects

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// document is the pinned list: where its lines are, each of them an Item as JSON. Of a
// short list they stand in it.
type document struct {
	Version int      `json:"version"` // of this form
	URL     string   `json:"url"`
	Exclude []string `json:"exclude,omitempty"`
	GroupBy string   `json:"group_by,omitempty"`
	// Who made it, and when.
	RunID  string    `json:"run_id"`
	Listed time.Time `json:"listed"`
	Items  int64     `json:"items"`
	Sum    string    `json:"sum"` // SHA-256 of all lines
	Known
	Pieces []piece           `json:"pieces,omitempty"`
	Lines  []json.RawMessage `json:"lines,omitempty"`

	pinned bool
}

// Known is what a list tells as a whole.
type Known struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
	LeftOut int64 `json:"left_out,omitempty"` // by --tasks-exclude
	// Unfit is what can't be an item, such as a link to nothing: how many, and the first.
	Unfit      int64    `json:"unfit,omitempty"`
	UnfitNames []string `json:"unfit_names,omitempty"`
	// PerGroup is how many objects most groups have; Incomplete names those that have
	// another number, up to a limit, and there are MoreIncomplete.
	PerGroup       int      `json:"per_group,omitempty"`
	Incomplete     []string `json:"incomplete,omitempty"`
	MoreIncomplete int64    `json:"more_incomplete,omitempty"`
}

// piece is a blob of lines.
type piece struct {
	Key    string  `json:"key"`
	Blocks []block `json:"blocks"`
}

// block is some lines that are read at once: how many, their bytes and the CRC-32C of them.
type block [3]int64

const (
	documentVersion = 1
	folder          = "manifest/"
	prefix          = folder + "objects-"

	blockSize = 32 << 10 // a reader reads one, and of each an entry in the document
	pieceSize = 8 << 20  // one request, at any store
	shortList = 32 << 10 // stands in the document
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// name is that of the list: another URL, or other flags that decide what is in it, are
// another list. The parameters of the URL only say how the store is reached.
func (l *List) name() string {
	h := sha256.New()
	for _, list := range [][]string{{l.place.shown()}, l.spec.Exclude, {l.spec.GroupBy}} {
		fmt.Fprintf(h, "%d:", len(list))
		for _, s := range list {
			fmt.Fprintf(h, "%d:%s", len(s), s)
		}
	}
	return prefix + hex.EncodeToString(h.Sum(nil)[:12])
}

// Pinned gives the keys of the lists that are pinned in a store.
func Pinned(ctx context.Context, s *store.Store) (keys []string, err error) {
	err = s.List(ctx, prefix, func(key string, _ int64, _ time.Time) error {
		if strings.HasSuffix(key, ".json") {
			keys = append(keys, key)
		}
		return nil
	})
	return keys, err
}

// builder writes a list as it is made.
type builder struct {
	ctx   context.Context
	l     *List
	name  string
	doc   document
	sum   hash.Hash
	piece bytes.Buffer
	made  []block
}

func (b *builder) add(it Item) error {
	line, err := json.Marshal(it)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if b.sum == nil {
		b.sum = sha256.New()
	}
	b.sum.Write(line)
	if b.piece.Len() > 0 && b.piece.Len()+len(line) > pieceSize {
		if err := b.flush(); err != nil {
			return err
		}
	}
	if n := len(b.made); n == 0 || b.made[n-1][1]+int64(len(line)) > blockSize {
		b.made = append(b.made, block{})
	}
	if b.piece.Len() > pieceSize/8 && b.piece.Available() < len(line) { // it will be a whole one: doubling would take twice as much
		b.piece.Grow(max(pieceSize-b.piece.Len(), len(line)))
	}
	b.piece.Write(line)
	last := &b.made[len(b.made)-1]
	last[0]++
	last[1] += int64(len(line))
	last[2] = int64(crc32.Update(uint32(last[2]), castagnoli(), line))
	b.doc.Items++
	return nil
}

// flush writes a piece under this process's own name, so that of two first readers none
// writes into the other's list.
func (b *builder) flush() error {
	key := fmt.Sprintf("%s-%s-%d.jsonl", b.name, b.l.RunID, len(b.doc.Pieces))
	body := b.piece.Bytes()
	err := b.l.ask(b.ctx, func(ctx context.Context) error { return b.l.pins.put(ctx, key, body) })
	if err != nil {
		return store.Fail(err, failure.OneIndex, "keep the list of objects", b.l.pins.show(key))
	}
	b.doc.Pieces = append(b.doc.Pieces, piece{key, b.made})
	b.piece = bytes.Buffer{} // whoever was given up may still read what it wrote
	b.made = nil
	return nil
}

// end gives the document, which nobody has seen yet.
func (b *builder) end() (*document, error) {
	if b.doc.Items == 0 {
		return &b.doc, nil
	}
	b.doc.Sum = "sha256:" + hex.EncodeToString(b.sum.Sum(nil))
	if len(b.doc.Pieces) > 0 || b.piece.Len() > shortList {
		return &b.doc, b.flush()
	}
	for line := range bytes.SplitSeq(bytes.TrimSpace(b.piece.Bytes()), []byte{'\n'}) {
		b.doc.Lines = append(b.doc.Lines, bytes.Clone(line))
	}
	return &b.doc, nil
}

// keep pins a list, or gives the one that another has pinned in the meantime.
func (l *List) keep(ctx context.Context, name string, made *document) (*document, error) {
	body, err := encode(made)
	if err != nil {
		return nil, err
	}
	key := name + ".json"
	err = l.ask(ctx, func(ctx context.Context) error { return l.pins.create(ctx, key, body) })
	switch {
	case err == nil:
		made.pinned = true
		return made, nil
	case store.Classify(err) != contract.Exists:
		return nil, store.Fail(err, failure.OneIndex, "pin the list of objects", l.pins.show(key))
	}
	theirs, err := l.load(ctx, name)
	if err == nil && theirs == nil {
		err = &failure.Failure{Code: failure.Unavailable, Tried: "read the list of objects", On: l.pins.show(key), Cause: errors.New("it was deleted meanwhile")}
	}
	if err == nil && theirs.RunID != l.RunID { // else the answer to our own write was lost
		for _, p := range made.Pieces {
			_ = l.pins.remove(ctx, p.Key) // best effort: nobody reads it
		}
	}
	return theirs, err
}

func encode(doc *document) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(doc)
	return b.Bytes(), err
}

// load gives the pinned list; nil: there is none.
func (l *List) load(ctx context.Context, name string) (*document, error) {
	key := name + ".json"
	var body []byte
	err := l.ask(ctx, func(ctx context.Context) (err error) {
		body, err = l.pins.read(ctx, key)
		return err
	})
	switch {
	case err != nil && store.Classify(err) == contract.Absent:
		return nil, nil
	case err != nil:
		return nil, store.Fail(err, failure.OneIndex, "read the list of objects", l.pins.show(key))
	}
	doc, err := decode(body)
	if err != nil {
		return nil, l.unusable(key, err)
	}
	return doc, nil
}

// unusable: whoever replaced the list would move the numbers of what is done.
func (l *List) unusable(key string, why error) error {
	return &failure.Failure{Code: failure.Unavailable, Tried: "read the list of objects", On: l.pins.show(key), Cause: why,
		Hint: "it says which index is which object: if it is lost, begin with other markers"}
}

func decode(body []byte) (*document, error) {
	doc := &document{pinned: true}
	if err := json.Unmarshal(body, doc); err != nil {
		return nil, errors.New("it is cut short, or no list of nth's")
	}
	items, sum := int64(len(doc.Lines)), sha256.New()
	for _, line := range doc.Lines {
		sum.Write(append(bytes.Clone(line), '\n'))
	}
	if items > 0 && doc.Sum != "sha256:"+hex.EncodeToString(sum.Sum(nil)) {
		return nil, errors.New("it is damaged: it isn't what was written")
	}
	for _, p := range doc.Pieces {
		if !strings.HasPrefix(p.Key, folder) || strings.Contains(p.Key, "..") {
			return nil, errors.New("it is no list of nth's")
		}
		for _, b := range p.Blocks {
			if b[0] < 1 || b[1] < b[0] || b[1] > maxLine+blockSize {
				return nil, errors.New("it is damaged")
			}
			items += b[0]
		}
	}
	switch {
	case doc.Version != documentVersion:
		return nil, fmt.Errorf("it is of another version of nth, %d", doc.Version)
	case items != doc.Items || items < 1 || len(doc.Lines) > 0 && len(doc.Pieces) > 0:
		return nil, errors.New("it is damaged: it hasn't as many items as it says")
	}
	return doc, nil
}
