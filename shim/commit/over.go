package commit

import (
	"encoding/json"
	"errors"
	"time"

	"nth/shim/store/contract"
)

// Stood is a commit or a marker as it was found.
type Stood struct {
	RunID, Digest string
	Written       time.Time // by the store
}

// Stands is what stands of an item: nil is that there is none.
type Stands struct{ Commit, Marker *Stood }

// Over tells whether what a run has staged may go, whose note was written then. Old says
// that this was so long ago that the run can't be at work any more.
//
// What a commit needs that has no marker of its own stays, whatever its age: the next start
// rolls it forward. What is recorded may go at once, as a run removes it itself; and so may
// what other runs had staged before that, for the commit that stands keeps them from theirs.
// Where no commit stands with its marker, a run may still be about to commit: that takes
// time to know. Removed too early it loses its work, and nobody else does: it finds nothing
// to copy, its commit is stale, and the next start replaces it.
func (s Stands) Over(run string, noted time.Time, old bool) bool {
	c, m := s.Commit, s.Marker
	own := c != nil && c.RunID == run
	recorded := c != nil && m != nil && c.RunID == m.RunID
	switch {
	case own && recorded:
		return true
	case s.Needs(run):
		return false
	}
	return old || !own && recorded && !m.Written.Before(noted)
}

// Needs tells whether the commit is the run's, and is to be rolled forward: there is no
// marker, or one of another command.
func (s Stands) Needs(run string) bool {
	c, m := s.Commit, s.Marker
	return c != nil && c.RunID == run && (m == nil || m.RunID != run && m.Digest != "" && m.Digest != c.Digest)
}

// ReadStood reads what a commit, or a marker, says of its run. What can't be read says
// nothing, and nothing may be removed beside it.
func ReadStood(body []byte, commit bool, written time.Time) (*Stood, error) {
	type said struct {
		RunID  string `json:"run_id"`
		Digest string `json:"digest"`
	}
	var doc struct {
		said
		Marker said `json:"marker"`
	}
	err := json.Unmarshal(body, &doc)
	s := doc.said
	if commit {
		s = doc.Marker
	}
	if err == nil && s.RunID == "" {
		err = errors.New("it names no run")
	}
	if err != nil {
		return nil, &contract.Error{Kind: contract.Malformed, Cause: err, Hint: "look at it, then let nth reset forget the item"}
	}
	return &Stood{s.RunID, s.Digest, written}, nil
}
