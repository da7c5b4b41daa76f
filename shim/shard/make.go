package shard

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/once"
	"nth/shim/payload"
	"nth/shim/proc"
	"nth/templates"
)

// maker makes the items' commands: what doesn't depend on the item is settled once.
type maker struct {
	kind  templates.ItemKind
	words []bound
	vars  []bound         // variables that items differ in
	base  []string        // the environment without them
	own   map[string]bool // variables that nth sets for each item
	slots []slot          // of those that run at the same time

	// Good until the next item.
	args  []string
	env   []string
	given payload.Given
}

// slot is the place of one command after the other.
type slot struct {
	number   int64
	variable string // as the command sees it; "": the user sets it
}

// bound is a word, or a variable of this name, for many items.
type bound struct {
	name string // of the variable, or as a person calls the word
	*templates.Bound
}

// numberVariable is what an item's command sees of its number.
const numberVariable = "NTH_ITEM_NUMBER"

// newMaker settles what of the command and its variables doesn't depend on the item. An
// error is a failure with exit code 64, 65 or 78.
func newMaker(sh *shard, f templates.Fields) (*maker, error) {
	m := &maker{kind: sh.kind(), own: map[string]bool{numberVariable: true, identity.ItemSlot: true}}
	bind := func(name, what string, t *templates.Template) (bound, error) {
		b, err := t.Bind(f, sh.Sources())
		if err != nil {
			return bound{}, failure.Expansion(what, err)
		}
		return bound{name, b}, nil
	}
	for i, t := range sh.Mapping.Command {
		b, err := bind(item.Word(i), item.Word(i), t)
		if err != nil {
			return nil, err
		}
		m.words = append(m.words, b)
	}
	if sh.Config.Process.Retries > 0 {
		m.own[identity.ItemRetry] = true
	}
	if m.kind.HasPayload() {
		m.own[payload.Variable], m.own[payload.FileVariable] = true, true
	}
	var same []string
	for _, n := range sh.Mapping.Env {
		b, err := bind(n.Name, "--env "+n.Name, n.Template)
		if err != nil {
			return nil, err
		}
		delete(m.own, n.Name) // what the user sets wins over what nth sets
		m.drop(n.Name)        // the last one counts
		if b.Varies() {
			m.vars = append(m.vars, b)
			continue
		}
		text, _ := b.Text(0, 0, nil) // it has been expanded
		same = append(same, n.Name+"="+text)
	}
	m.slots = sh.slots(m.own[identity.ItemSlot])
	all := once.Overlay(sh.Identity.Environment(sh.Environ, sh.Own, sh.RunID), same)
	m.base = slices.DeleteFunc(slices.Clone(all), func(assignment string) bool {
		name, _, _ := strings.Cut(assignment, "=")
		return m.own[name] || m.varies(name)
	})
	return m, nil
}

// slots are those of this run's commands.
func (sh *shard) slots(told bool) []slot {
	jobs := sh.Config.AtOnce()
	list := make([]slot, jobs)
	for i := range list {
		of := sh.Identity
		of.Slot = of.SlotOf(jobs, i)
		if list[i].number = of.Slot; told {
			list[i].variable = of.SlotVariable()
		}
	}
	return list
}

// drop forgets a variable.
func (m *maker) drop(name string) {
	m.vars = slices.DeleteFunc(m.vars, func(v bound) bool { return v.name == name })
}

func (m *maker) varies(name string) bool {
	return slices.ContainsFunc(m.vars, func(v bound) bool { return v.name == name })
}

// one makes the command of an attempt, for a slot. It is good until the next one is made.
func (m *maker) one(a attempt, in int) (proc.One, error) {
	slot, of := m.slots[in], a.row
	one := proc.One{Item: of.number, Payload: of.task.Payload + fieldsBehind(of.task)}
	if of.err != nil {
		return one, of.err
	}
	var task *templates.Task
	if m.kind.HasPayload() {
		task = &of.task
	}
	m.args = m.args[:0]
	for _, w := range m.words {
		text, err := w.Text(of.number, slot.number, task)
		if err != nil {
			return one, failure.Expansion(w.name, err)
		}
		m.args = append(m.args, text)
	}
	m.env = append(m.env[:0], m.base...)
	if m.own[numberVariable] {
		m.env = append(m.env, numberVariable+"="+strconv.FormatInt(of.number, 10))
	}
	if m.own[identity.ItemRetry] {
		m.env = append(m.env, identity.RetryVariable(a.n))
	}
	if slot.variable != "" {
		m.env = append(m.env, slot.variable)
	}
	if err := m.give(&one, of); err != nil {
		return one, err
	}
	for _, v := range m.vars {
		text, err := v.Text(of.number, slot.number, task)
		if err != nil {
			return one, failure.Expansion("--env "+v.name, err)
		}
		m.env = append(m.env, v.name+"="+text)
	}
	one.Args, one.Env = m.args, m.env
	return one, nil
}

// fieldsBehind keeps an object's fields behind its URL, which has no NUL.
func fieldsBehind(t templates.Task) string {
	if t.Fields == "" {
		return ""
	}
	return "\x00" + t.Fields
}

// rowOf gives the item of a command that was made.
func (sh *shard) rowOf(one proc.One) row {
	of := row{number: one.Item, task: templates.Task{Payload: one.Payload}}
	if sh.Config.Lists() {
		of.task.Payload, of.task.Fields, _ = strings.Cut(one.Payload, "\x00")
	}
	return of
}

// named is how an item is told of: by its number and, where it is made of objects, by what a
// person knows it by. Of a list that was made once and nobody has seen, the number alone says
// nothing.
func (sh *shard) named(of row) string {
	number := strconv.FormatInt(of.number, 10)
	if !sh.Config.Lists() {
		return number
	}
	var f struct{ Group, Key string }
	_ = json.Unmarshal([]byte(of.task.Fields), &f)
	return number + " (" + sh.Secrets.Hide(f.Group+f.Key) + ")"
}

// give hands an item's row over, as a task's payload.
func (m *maker) give(one *proc.One, of row) (err error) {
	m.given.Close() // that of the item before
	if !m.kind.HasPayload() {
		return nil
	}
	m.given, err = payload.Give([]byte(of.task.Payload), false)
	if err != nil {
		return err
	}
	for _, assignment := range m.given.Env {
		if name, _, _ := strings.Cut(assignment, "="); m.own[name] {
			m.env = append(m.env, assignment)
		}
	}
	one.Extra = m.given.Extra
	return nil
}

// whole expands one item with all that may be shown of it.
func (sh *shard) whole(of row, keep expand.Keeper) (item.Words, error) {
	if of.err != nil {
		return item.Words{}, of.err
	}
	f := sh.Fields()
	f.Kind, f.Item, f.Shard = sh.kind(), &of.number, &sh.Shard
	if f.Kind.HasPayload() {
		f.Task = &of.task
	}
	words, _, err := sh.Mapping.Expand(sh.Expander(f, keep))
	return words, err
}
