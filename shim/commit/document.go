package commit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// Document is commit/<index>.json: whose outputs an item has. It names no staged place: who
// reads it computes that from the outputs that it was told itself, so that no document can
// have anything copied or removed that isn't staged.
type Document struct {
	Version int `json:"version"`
	// Marker is the one that is to be written, but for its outputs: those are the objects.
	Marker  marker.Marker `json:"marker"`
	Objects []Object      `json:"outputs"`
}

// Object is one that was staged.
type Object struct {
	Output   int    `json:"output"`         // which output it is of, in the order of the flags
	URL      string `json:"url"`            // its target, without credentials
	Key      string `json:"key"`            // of a directory, below it; "" where the output is one object
	Size     int64  `json:"size"`           // in bytes
	Checksum string `json:"checksum"`       // "crc32c:1a2b3c4d"
	Mode     uint32 `json:"mode,omitempty"` // of the file that it was
}

// Version is the form of the documents that this nth writes.
const Version = 1

// Bounds of what a document may say.
const (
	maxOutputs = 10_000
	maxKey     = 1024 // bytes, as S3 has it
)

const maxRunID = 100 // bytes

// isRunID tells whether this is the name of a run: one part of a key, and nothing hidden.
func isRunID(name string) bool {
	return name != "" && len(name) <= maxRunID && name[0] != '.' &&
		strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") == ""
}

// Decode reads the commit of an item. One that makes no sense, or could name what isn't
// staged, is an error of the kind Malformed.
func Decode(body []byte, of marker.Header) (Document, error) {
	d, err := decode(body, of)
	if err == nil {
		return d, nil
	}
	return Document{}, &contract.Error{Kind: contract.Malformed, Cause: fmt.Errorf("not a commit: %w", err),
		Hint: "look at it, then let nth reset forget the item"}
}

func decode(body []byte, of marker.Header) (Document, error) {
	var d struct {
		Document
		Marker json.RawMessage `json:"marker"`
	}
	in := json.NewDecoder(bytes.NewReader(body))
	if err := in.Decode(&d); err != nil {
		return Document{}, err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return Document{}, errors.New("there is more behind it")
	}
	if d.Version < 1 || len(d.Marker) == 0 {
		return Document{}, errors.New("it lacks version or marker")
	}
	if d.Version > Version {
		return Document{}, fmt.Errorf("it has version %d, and this nth knows those up to %d: a later one wrote it", d.Version, Version)
	}
	m, err := marker.DecodeOf(d.Marker, of)
	if err != nil {
		return Document{}, fmt.Errorf("its marker: %w", err)
	}
	switch {
	case !isRunID(m.RunID):
		return Document{}, fmt.Errorf("%q is no run's name", m.RunID)
	case m.Digest == "" || m.Outcome != marker.Done || m.Source != marker.SourceRun:
		return Document{}, errors.New("its marker is of no command that succeeded")
	case m.Task != nil && m.Task.Key != of.Task.Key: // from which the marker's place follows
		return Document{}, errors.New("its marker is of another task's key")
	}
	if err := check(d.Objects); err != nil {
		return Document{}, err
	}
	d.Document.Marker = *m
	d.Document.Marker.Outputs = vouched(d.Objects)
	return d.Document, nil
}

// check tells what is wrong with the objects by themselves.
func check(objects []Object) error {
	type place struct {
		output int
		key    string
	}
	seen, whole := map[place]bool{}, map[int]bool{}
	for _, o := range objects {
		if o.Output < 0 || o.Output >= maxOutputs || o.Size < 0 || o.URL == "" {
			return fmt.Errorf("output %d of %d bytes makes no sense", o.Output, o.Size)
		}
		if o.Key != "" {
			if err := checkKey(o.Key); err != nil {
				return err
			}
		}
		before, known := whole[o.Output]
		if seen[place{o.Output, o.Key}] || known && before != (o.Key == "") {
			return fmt.Errorf("output %d has %q twice, or is both an object and a directory", o.Output, o.Key)
		}
		seen[place{o.Output, o.Key}], whole[o.Output] = true, o.Key == ""
	}
	return nil
}

// checkKey refuses a key that isn't below where it is put, or is where runs stage theirs.
func checkKey(key string) error {
	if len(key) > maxKey || !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		return fmt.Errorf("%.100q can't be an object's key", key)
	}
	for n, part := range strings.Split(key, "/") {
		if part == "" || part == "." || part == ".." || n == 0 && part == store.Hidden {
			return fmt.Errorf("%q is no key below an output", key)
		}
	}
	return nil
}

func vouched(objects []Object) []marker.Output {
	var all []marker.Output
	for _, o := range objects {
		all = append(all, marker.Output{URL: o.URL, Size: o.Size, Checksum: o.Checksum})
	}
	return all
}

// encode gives the document's text. What can't be read back isn't written.
func (d Document) encode(of marker.Header) ([]byte, Document, error) {
	d.Version, d.Marker.Outputs = Version, nil
	body, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return nil, d, err
	}
	if len(body) > maxBody {
		return nil, d, fmt.Errorf("%d objects are too many for one commit", len(d.Objects))
	}
	back, err := decode(body, of)
	return append(body, '\n'), back, err
}

// maxBody is somewhat less than a store's document may have.
const maxBody = 15 << 20
