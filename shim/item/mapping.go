// Package item is what one index, row, task or number is to run: the templates of a
// configuration, and what they are for one item.
package item

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/templates"
)

// Mapping is what of a configuration an item is made of, parsed once.
type Mapping struct {
	Command []*templates.Template
	Env     []expand.Named
	// TaskID names a queue's task, where NamesTasks says so; else the queue does.
	TaskID     expand.Named
	NamesTasks bool
	Digest     []string // --digest-extra
	Items      int64    // that are shared out
	places
}

// places are the URLs and paths of a mapping.
type places struct {
	require                                 []*templates.Template
	markers, logs, doneIf, success, quitURL *templates.Template
	data
}

// Parse parses every template of an item. An error is a failure with exit code 64: no
// index could expand it, or there is no command.
func Parse(c *config.Config) (*Mapping, error) {
	if len(c.Command) == 0 || c.Command[0] == "" {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "find the command",
			Cause: errors.New("none was given"), Hint: "put it after the flags and --, as in … -- COMMAND [ARG...]"}
	}
	p := expand.Parser{}
	m := &Mapping{Items: c.Mapping.Items, Digest: c.Markers.DigestExtra, Command: p.All("COMMAND", c.Command)}
	m.require = p.Places("--require", c.Mapping.Require)
	m.markers = p.URL("--markers", c.Markers.URL)
	m.logs = p.URL("--logs", c.Markers.Logs)
	m.doneIf = p.URL("--done-if", c.Markers.DoneIf)
	m.success = p.URL("--success", c.Markers.Success)
	m.quitURL = p.URL("--quit-url", c.Messages.QuitURL)
	m.inputs = parsePairs(&p, "--input", c.Data.Input, config.ParseInput)
	m.outputs = parsePairs(&p, "--output", c.Data.Output, config.ParseOutput)
	m.checkpoints = parsePairs(&p, "--checkpoint", c.Data.Checkpoint, config.ParseCheckpoint)
	m.stdin, m.stdout = parseStream(&p, "--stdin", c.Data.Stdin), parseStream(&p, "--stdout", c.Data.Stdout)
	urls, files := c.Data.Kept()
	m.keepFailed = p.URL("--keep-failed", strings.Join(urls, ""))
	m.kept = parsePairs(&p, "--keep-failed", files, config.ParseKept)
	m.TaskID = expand.Named{Name: "--task-id", Template: p.One("--task-id", c.Tasks.TaskID)}
	m.NamesTasks = c.Tasks.TaskID != ""
	for _, assignment := range c.Mapping.Env {
		name, value, ok := strings.Cut(assignment, "=")
		if !ok || name == "" {
			p.Fail("--env", fmt.Errorf("%q is not NAME=TEMPLATE", assignment), "write --env NAME=VALUE")
			continue
		}
		m.Env = append(m.Env, expand.Named{Name: name, Template: p.One("--env "+name, value)})
	}
	return m, p.Err
}

// UsesIndex tells whether the command, one of its variables or what it reads depends on the
// index.
func (m *Mapping) UsesIndex() bool {
	for _, t := range m.Command {
		if t.UsesIndex() {
			return true
		}
	}
	for _, e := range m.Env {
		if e.UsesIndex() {
			return true
		}
	}
	for _, in := range m.inputs {
		if in.url.UsesIndex() {
			return true
		}
	}
	return m.stdin.url.UsesIndex()
}

// Markers is the template of the markers' URL.
func (m *Mapping) Markers() expand.Named { return expand.Named{Name: "--markers", Template: m.markers} }

// All gives every template but the markers', by the flag or the word that it is.
func (m *Mapping) All() (list []expand.Named) {
	for i, t := range m.Command {
		list = append(list, expand.Named{Name: Word(i), Template: t})
	}
	for _, e := range m.Env {
		list = append(list, expand.Named{Name: "--env " + e.Name, Template: e.Template})
	}
	for _, t := range m.require {
		list = append(list, expand.Named{Name: "--require", Template: t})
	}
	list = append(append(append(list, m.Stored()...), m.paths()...), m.Beside()...)
	return append(list, m.TaskID, expand.Named{Name: "--quit-url", Template: m.quitURL})
}

// Stored are the URLs of what an item reads and writes.
func (m *Mapping) Stored() (list []expand.Named) {
	for _, p := range slices.Concat(m.inputs, m.outputs, m.checkpoints, m.kept) {
		list = append(list, expand.Named{Name: p.flag, Template: p.url})
	}
	return append(list, expand.Named{Name: "--stdin", Template: m.stdin.url}, expand.Named{Name: "--stdout", Template: m.stdout.url},
		expand.Named{Name: "--keep-failed", Template: m.keepFailed})
}

// Beside are the other URLs of stores, but for the markers'.
func (m *Mapping) Beside() []expand.Named {
	return []expand.Named{{Name: "--logs", Template: m.logs}, {Name: "--done-if", Template: m.doneIf}, {Name: "--success", Template: m.success}}
}

// Reads are the URLs and paths of what must be there before an item's command runs.
func (m *Mapping) Reads() (list []expand.Named) {
	for _, t := range m.require {
		list = append(list, expand.Named{Name: "--require", Template: t})
	}
	for _, p := range m.inputs {
		list = append(list, expand.Named{Name: p.flag, Template: p.url})
	}
	if m.stdin.url.Word() != "" {
		list = append(list, expand.Named{Name: "--stdin", Template: m.stdin.url})
	}
	return list
}

// Writes are the URLs of what an item publishes.
func (m *Mapping) Writes() (list []expand.Named) {
	for _, p := range m.outputs {
		list = append(list, expand.Named{Name: p.flag, Template: p.url})
	}
	if m.stdout.url.Word() != "" {
		list = append(list, expand.Named{Name: "--stdout", Template: m.stdout.url})
	}
	return list
}

// paths are those of what an item reads and writes.
func (m *Mapping) paths() (list []expand.Named) {
	for _, p := range slices.Concat(m.inputs, m.outputs, m.checkpoints, m.kept) {
		list = append(list, expand.Named{Name: p.flag, Template: p.path})
	}
	return list
}

// Word names a word of the command for a person.
func Word(i int) string { return "word " + strconv.Itoa(i) + " of the command" }
