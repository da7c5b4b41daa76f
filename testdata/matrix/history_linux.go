package matrix

import (
	"cmp"
	"encoding/json"
	"strings"
)

// History is what a start has logged.
type History struct {
	RunID           string
	Steps           []string
	Nth             string // all of it but what the command wrote
	Other           string // what is neither the command's nor a line of the log
	Failure         string // the message of the error
	Started, Ended  bool   // the command
	Recorded, Known bool   // now, or already
}

func newHistory(log string) (h History) {
	for line := range strings.Lines(log) {
		var l struct {
			Level, Step, Message string
			RunID                string `json:"run_id"`
		}
		if json.Unmarshal([]byte(line), &l) != nil {
			if line != "why: "+itemSecret+"\n" {
				h.Nth += line
				h.Other += line
			}
			continue
		}
		h.Nth += line
		h.RunID = cmp.Or(h.RunID, l.RunID)
		if l.Step != "" {
			h.Steps = append(h.Steps, l.Step)
		}
		if l.Level == "error" {
			h.Failure = l.Message
		}
		h.Started = h.Started || l.Message == "command starts"
		h.Ended = h.Ended || l.Message == "command ended"
		h.Recorded = h.Recorded || strings.HasPrefix(l.Message, "index 5 is recorded as ") || strings.HasPrefix(l.Message, "index 5 was recorded as ")
		h.Known = h.Known || strings.Contains(l.Message, " already, since ")
	}
	return h
}

// Step is the last one that was begun, "" for none.
func (h History) Step() string {
	if len(h.Steps) == 0 {
		return ""
	}
	return h.Steps[len(h.Steps)-1]
}
