package end

import (
	"fmt"

	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/marker"
)

// Message is a failure as a person reads it, in one line without secrets: "nth: index 42: …".
func Message(p edge.Process, h marker.Header, f *failure.Failure) string {
	text := f.Error()
	switch {
	case h.RunID == "": // the index isn't known
	case h.Task != nil:
		text = fmt.Sprintf("index %d: %s: %s", h.Index, h.What(), text)
	default:
		text = fmt.Sprintf("index %d: %s", h.Index, text)
	}
	return "nth: " + p.Secrets.Hide(text)
}
