package claim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nth/shim/store/contract"
)

// Document is claim/<index>.json: who works at an index. It is never deleted, only
// replaced, so that Term never comes back to a number that it had.
type Document struct {
	Version  int       `json:"version"`
	Job      string    `json:"job,omitempty"`
	Index    int64     `json:"index"`
	Chunk    string    `json:"chunk,omitempty"` // of the index's items, with --share
	Term     int64     `json:"term"`            // one more with each holder, from 1
	RunID    string    `json:"run_id"`          // the holder
	Beat     int64     `json:"beat"`            // one more with each write of this run
	TTL      float64   `json:"ttl"`             // how long the holder may be silent, in seconds
	Released bool      `json:"released,omitempty"`
	Hostname string    `json:"hostname,omitempty"`
	Node     string    `json:"node,omitempty"`
	Written  time.Time `json:"written"` // by the holder's clock; it decides nothing
}

// Version is the form of the documents that this nth writes.
const Version = 1

// MaxTTL bounds how long a document makes others wait, whatever it says.
const MaxTTL = 24 * time.Hour

// Silence is how long the holder may be silent.
func (d Document) Silence() time.Duration {
	if d.TTL > MaxTTL.Seconds() {
		return MaxTTL
	}
	return time.Duration(d.TTL * float64(time.Second))
}

// By names the holder for a person.
func (d Document) By() string {
	if d.Hostname == "" {
		return d.RunID
	}
	return d.RunID + " on " + d.Hostname
}

// Decode reads an index's claim. One that makes no sense is an error of the kind Malformed,
// and nobody's: it may be of a later nth, or not nth's at all.
func Decode(body []byte, index int64) (Document, error) { return DecodeOf(body, index, "") }

// DecodeOf is Decode for the claim of a chunk of an index's items; "" is the whole index.
func DecodeOf(body []byte, index int64, chunk string) (Document, error) {
	var d Document
	in := json.NewDecoder(bytes.NewReader(body))
	err := in.Decode(&d)
	switch {
	case err == nil && in.More():
		err = errors.New("there is more behind it")
	case err != nil:
	case d.Version < 1 || d.Term < 1 || d.Beat < 1 || d.RunID == "" || !(d.TTL > 0):
		err = errors.New("it lacks version, term, beat, run_id or ttl")
	case d.Index != index:
		err = fmt.Errorf("it is of index %d", d.Index)
	case d.Chunk != chunk:
		err = fmt.Errorf("it is of the chunk %q", d.Chunk)
	default:
		return d, nil
	}
	return Document{}, &contract.Error{Kind: contract.Malformed, Cause: fmt.Errorf("not a claim: %w", err),
		Hint: "look at it; delete it when nobody works at this index"}
}
