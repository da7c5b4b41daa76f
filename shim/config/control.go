package config

import (
	"strings"

	"nth/shim/store/contract"
)

// control gives the first URL that has a control character, such as the line break that a
// ConfigMap or a YAML block leaves at its end: no server has such a name.
func control(t *Told) string {
	for _, u := range t.urls() {
		if contract.Control(u.text) != "" && contract.Control(outside(u.text)) != "" {
			return u.flag
		}
	}
	return ""
}

// address is a URL that a flag gives.
type address struct{ flag, text string }

func (t *Told) urls() []address {
	if t.Config == nil {
		return []address{{"--markers", t.Said["--markers"]}, {"--success", t.Said["--success"]}}
	}
	list := []address{{"--markers", t.Markers.URL}, {"--logs", t.Markers.Logs}, {"--done-if", t.Markers.DoneIf}, {"--success", t.Markers.Success}, {"--tasks", t.Tasks.URL},
		{"--keep-url", t.API.KeepURL}, {"--done-url", t.API.DoneURL}, {"--fail-url", t.API.FailURL}, {"--unfinished-url", t.API.UnfinishedURL},
		{"--quit-url", t.Messages.QuitURL}}
	for _, input := range t.Mapping.Require {
		if strings.Contains(input, "://") { // a path may have any name
			list = append(list, address{"--require", input})
		}
	}
	return append(list, t.dataURLs()...)
}

// fragment gives the first URL of a queue or an API that has a #: behind one in a password
// stands the host, so that another would be asked. Stores see to theirs.
func fragment(t *Told) string {
	for _, u := range t.urls() {
		ours := strings.HasSuffix(u.flag, "-url") || u.flag == "--tasks" && t.Source() != Rows
		if ours && strings.Contains(outside(u.text), "#") {
			return u.flag
		}
	}
	return ""
}

// outside leaves a template's actions out, in which a line may end anywhere.
func outside(text string) string {
	var b strings.Builder
	for rest := text; rest != ""; {
		before, action, _ := strings.Cut(rest, "<<")
		b.WriteString(before)
		_, rest, _ = strings.Cut(action, ">>")
	}
	return b.String()
}
