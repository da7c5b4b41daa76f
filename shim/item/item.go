package item

import (
	"strings"

	"nth/shim/expand"
	"nth/shim/marker"
	"nth/shim/reach"
	"nth/shim/store"
	"nth/templates"
)

// Item is one item, expanded: all that is to be known of it before anything is done.
type Item struct {
	Kind    templates.ItemKind
	Words   Words
	Places  Places
	Payload []byte        // of the kinds that have one
	ID      string        // of a task, as the command is told it
	Header  marker.Header // of every document about it
	Gone    error         // what it is made of isn't there any more: it can be done, and not run
}

// Words are its command and the variables that are set for it, NAME=VALUE, each with the
// form in which it may be shown and by which it is known again.
type Words struct {
	Command, StableCommand []string
	Env, StableEnv         []string
}

// Places are its URLs and paths.
type Places struct {
	Require               []expand.Text
	Markers, Logs, DoneIf expand.Text
	Success, QuitURL      expand.Text
	Data
}

// Expand gives the words of one item. An error is a failure with exit code 64, 65 or 78;
// nothing of it is used when any part fails: a half-expanded command is never run.
func (m *Mapping) Expand(x *expand.Expander) (Words, Places, error) {
	n := len(m.Command)
	w := Words{Command: make([]string, 0, n), StableCommand: make([]string, 0, n)}
	for i, t := range m.Command {
		e := x.Text(Word(i), t)
		w.Command = append(w.Command, e.Value)
		w.StableCommand = append(w.StableCommand, e.Shown)
	}
	for _, n := range m.Env {
		e := x.Text("--env "+n.Name, n.Template)
		w.Env = append(w.Env, n.Name+"="+e.Value)
		w.StableEnv = append(w.StableEnv, n.Name+"="+e.Shown)
	}
	p, err := m.Places(x)
	if err != nil {
		return Words{}, Places{}, err
	}
	return w, p, nil
}

// Places gives the URLs and paths alone: what is the same for a whole shard.
func (m *Mapping) Places(x *expand.Expander) (Places, error) {
	var p Places
	for _, t := range m.require {
		p.Require = append(p.Require, blob(x, "--require", t))
	}
	p.Markers = x.Text("--markers", m.markers)
	p.Logs = x.Text("--logs", m.logs)
	p.DoneIf = blob(x, "--done-if", m.doneIf)
	p.Success = x.Text("--success", m.success)
	p.QuitURL = x.Text("--quit-url", m.quitURL)
	if x.Err != nil {
		return Places{}, x.Err
	}
	var err error
	if p.Data, err = m.Data(x); err == nil {
		err = m.clash(p.Data, p.DoneIf)
	}
	if err != nil {
		return Places{}, err
	}
	return p, nil
}

// blob expands the URL or path of one thing, which may be all the item's. A server is only
// asked whether it is there, as nobody.
func blob(x *expand.Expander, flag string, t *templates.Template) expand.Text {
	text := x.Text(flag, t)
	if found, ok := x.Objects[text.Value]; ok && text.FromItem {
		text.Value = found
		return text
	}
	if text.FromItem && strings.Contains(text.Value, "://") && !reach.Is(text.Value) && x.Err == nil {
		x.Err = store.Of(flag, store.FromItem(text.Value))
	}
	return text
}

// Shared gives the places that a whole run has before any of its items is known.
func (m *Mapping) Shared(x *expand.Expander) (Places, error) {
	p := Places{Markers: x.Text("--markers", m.markers), Logs: x.Text("--logs", m.logs), QuitURL: x.Text("--quit-url", m.quitURL)}
	if x.Err != nil {
		return Places{}, x.Err
	}
	return p, nil
}
