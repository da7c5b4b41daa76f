//go:build linux

package main

import (
	"encoding/json"
	"strings"
)

// history is what a start has logged.
type history struct {
	steps           []string
	nth             string // all of it but what the command wrote
	other           string // what is neither the command's nor a line of the log
	failure         string // the message of the error
	started, ended  bool   // the command
	recorded, known bool   // now, or already
}

func newHistory(log string) (h history) {
	for line := range strings.Lines(log) {
		var l struct{ Level, Step, Message string }
		if json.Unmarshal([]byte(line), &l) != nil {
			if line != "why: "+itemSecret+"\n" {
				h.nth += line
				h.other += line
			}
			continue
		}
		h.nth += line
		if l.Step != "" {
			h.steps = append(h.steps, l.Step)
		}
		if l.Level == "error" {
			h.failure = l.Message
		}
		h.started = h.started || l.Message == "command starts"
		h.ended = h.ended || l.Message == "command ended"
		h.recorded = h.recorded || strings.HasPrefix(l.Message, "index 5 is recorded as ") || strings.HasPrefix(l.Message, "index 5 was recorded as ")
		h.known = h.known || strings.Contains(l.Message, " already, since ")
	}
	return h
}

// step is the last one that was begun, "" for none.
func (h history) step() string {
	if len(h.steps) == 0 {
		return ""
	}
	return h.steps[len(h.steps)-1]
}
