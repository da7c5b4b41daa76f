package status

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"nth/shim/status/page"
)

// document is what the page's script reads.
type document struct {
	Report *Report `json:"report"`
	Of     string  `json:"of"` // the indexes that there should be, in Kubernetes' form
	// States is a letter for each of them.
	States string `json:"states"`
	// Settled are the seconds since 1970 of those that are settled.
	Settled deltas `json:"settled"`
	// Failed are the indexes that have a failure record, FailedAt its seconds.
	Failed   deltas `json:"failed"`
	FailedAt deltas `json:"failed_at"`
	Requests int    `json:"requests"`
}

// deltas are numbers, each as its difference from the one before: neighbours are
// settled at about the same time, so that most take two or three digits.
type deltas []int64

func (d *deltas) add(last *int64, n int64) {
	*d = append(*d, n-*last)
	*last = n
}

// WriteHTML writes the report as a page for a browser. What commands wrote is in it as
// JSON alone, which can't end its element; the page's own policy admits no other script
// or style than those written here, and no request.
func WriteHTML(w io.Writer, r *Report, s *Snapshot) error {
	p := page.Read()
	before, after, _ := strings.Cut(p.HTML, "DATA")
	parts := strings.NewReplacer("STYLE-HASH", hash(p.Style), "STYLE", p.Style, "SCRIPT-HASH", hash(p.Script), "SCRIPT", p.Script)
	if _, err := parts.WriteString(w, before); err != nil {
		return err
	}
	// This encoder writes <, >, & and the two line ends of JavaScript as \u escapes.
	if err := json.NewEncoder(w).Encode(newDocument(r, s)); err != nil {
		return err
	}
	_, err := parts.WriteString(w, after)
	return err
}

// hash gives what a Content-Security-Policy names an inline script or style by.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func newDocument(r *Report, s *Snapshot) document {
	// The lists can be long, and follow from the states.
	short := *r
	short.Lists = Lists{Others: r.Lists.Others}
	d := document{Report: &short, Of: s.Of.String(), States: string(s.States), Requests: s.Requests,
		Settled: deltas{}, Failed: deltas{}, FailedAt: deltas{}}
	var last int64
	for k, at := range s.Settled {
		if s.States[k] == Done || s.States[k] == Skipped {
			d.Settled.add(&last, at)
		}
	}
	var index, at int64
	for _, f := range slices.Sorted(maps.Keys(s.Failures)) {
		d.Failed.add(&index, f)
		d.FailedAt.add(&at, seconds(s.Failures[f]))
	}
	return d
}

// seconds gives 0 for a date that isn't known.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
