package claim

import (
	"time"

	"nth/shim/store/contract"
)

// watch is what is known of another holder.
type watch struct {
	doc    Document
	token  contract.Token
	since  time.Duration // when this version was read first
	news   bool          // of a holder that wasn't told of yet
	others bool          // there was one
}

func (w *watch) see(now time.Duration, doc Document, token contract.Token) {
	if token == w.token {
		return
	}
	w.news = w.news || w.doc.RunID != doc.RunID
	w.doc, w.token, w.since, w.others = doc, token, now, true
}

func (w *watch) silence(r rules) time.Duration { return w.doc.Silence() * r.silence / 12 }
