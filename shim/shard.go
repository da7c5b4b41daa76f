package shim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/proc"
	"nth/templates"
)

// shard is a run that works through numbered items: with --each.
type shard struct {
	templates.Shard
	total int64 // items of all indexes
	rows  *rows // of a manifest; nil: the items are only numbers

	// What commands are made of. The buffers are good until the next item.
	words []*templates.Bound
	names []string           // variables that items differ in
	texts []*templates.Bound // and their values
	base  []string           // the environment without them
	own   map[string]bool    // variables that nth sets for each item
	args  []string
	vars  []string
	given *given

	// mu is between the loop that runs items and what tells of it.
	mu                       sync.Mutex
	done, skipped, failed    identity.List // by this run; they may be cut
	settled, skips, failures int64
	left                     int64 // commands that left processes behind
	used                     marker.Usage
	changes                  int64

	before marker.Progress // what other runs have done
	began  time.Time
	at     int64 // no item before it is still to be started
	first  *itemFailure
	broken error // why no more items can be had
}

// itemFailure is an item that failed.
type itemFailure struct {
	item    int64
	why     *failure.Failure
	result  proc.Result
	ran     bool // else nth itself failed to
	secrets []string
}

// expandShard settles everything that the items have in common.
func (r *run) expandShard() error {
	if err := r.parse(); err != nil {
		return err
	}
	sh := &shard{total: r.Mapping.Items}
	if r.Source() == config.Rows {
		if err := r.openRows(sh); err != nil {
			return err
		}
	}
	sh.Shard = templates.ShardOf(sh.total, r.id.Index, *r.id.Completions)
	sh.at = sh.Start
	f := fields(r.id, r.RunID)
	f.Shard = &sh.Shard
	it, err := r.mapping.expandPlaces(f, r.sources())
	if err != nil {
		return err
	}
	r.item, r.shard = it, sh
	if err := r.bind(f); err != nil {
		return err
	}
	r.header.Command = r.Command
	r.header.Shard = &marker.Shard{Items: sh.total, Start: sh.Start, End: sh.End}
	if r.header.Digest, err = r.shardDigest(f); err != nil {
		return err
	}
	r.log.Info().Strs("command", r.header.Command).Int64("start", sh.Start).Int64("end", sh.End).Int64("items", sh.total).Msg("expanded")
	return nil
}

// bind settles what of the command and its variables doesn't depend on the item.
func (r *run) bind(f templates.Fields) error {
	sh := r.shard
	bound := func(what string, t *templates.Template) (*templates.Bound, error) {
		b, err := t.Bind(f, r.sources())
		if err != nil {
			return nil, failure.Expansion(what, err)
		}
		return b, nil
	}
	for i, t := range r.mapping.command {
		b, err := bound(fmt.Sprintf("word %d of the command", i), t)
		if err != nil {
			return err
		}
		sh.words = append(sh.words, b)
	}
	differs := map[string]bool{numberVariable: true}
	if sh.rows != nil {
		differs[taskVariable], differs[taskFileVariable] = true, true
	}
	var same []string
	for _, n := range r.mapping.env {
		b, err := bound("--env "+n.name, n.Template)
		if err != nil {
			return err
		}
		delete(differs, n.name)                            // what the user sets wins over what nth sets
		if at := slices.Index(sh.names, n.name); at >= 0 { // the last one counts
			sh.names = slices.Delete(sh.names, at, at+1)
			sh.texts = append(sh.texts[:at], sh.texts[at+1:]...) // slices.Delete would link all methods of text/template
		}
		if b.Varies() {
			sh.names, sh.texts = append(sh.names, n.name), append(sh.texts, b)
			continue
		}
		text, _ := b.Text(0, nil) // it has been expanded
		same = append(same, n.name+"="+text)
	}
	sh.own = differs
	sh.base = slices.DeleteFunc(slices.Clone(overlay(r.id.Environment(r.Environ, r.Own, r.RunID), same)), func(assignment string) bool {
		name, _, _ := strings.Cut(assignment, "=")
		return differs[name] || slices.Contains(sh.names, name)
	})
	return nil
}

// numberVariable is what an item's command sees of its number.
const numberVariable = "NTH_ITEM_NUMBER"

// shardDigest covers the templates, the shard, and the stable expansion of its first
// item, which has what the templates read from elsewhere. A template that no item could
// have is found here, before any of them runs.
func (r *run) shardDigest(f templates.Fields) (string, error) {
	sh := r.shard
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	content := marker.Content{Command: r.Command, Env: r.Mapping.Env, Extra: r.Markers.DigestExtra, Task: []string{"shard", number(sh.total), number(sh.Start), number(sh.End)}}
	if m := r.header.Manifest; m != nil {
		content.Task = append(content.Task, m.URL, m.Version)
	}
	if sh.Len() == 0 {
		return content.Digest(), nil
	}
	first, err := sh.rows.first(r.ctx, r, sh.Start)
	if err != nil {
		return "", err
	}
	it, err := r.expandItem(f, sh.Start, first)
	if f, ok := errors.AsType[*failure.Failure](err); ok && f.Code != failure.BadIndex {
		return "", err
	}
	if err == nil {
		content.Task = append(append(content.Task, it.stableCommand...), it.stableEnv...)
		r.item.secrets = it.secrets // with those of the command
	}
	return content.Digest(), nil
}

// expandItem gives one item whole, to be shown.
func (r *run) expandItem(f templates.Fields, number int64, of row) (*item, error) {
	if of.err != nil {
		return nil, of.err
	}
	f.Item = &number
	f.Shard = &r.shard.Shard
	if r.shard.rows != nil {
		f.Task = &templates.Task{Payload: of.payload}
	}
	return r.mapping.expand(f, r.sources())
}

// one makes the command of an item.
func (r *run) one(number int64, of row) (proc.One, error) {
	sh := r.shard
	one := proc.One{Item: number, Payload: of.payload}
	if of.err != nil {
		return one, of.err
	}
	var task *templates.Task
	if sh.rows != nil {
		task = &templates.Task{Payload: of.payload}
	}
	sh.args = sh.args[:0]
	for i, w := range sh.words {
		text, err := w.Text(number, task)
		if err != nil {
			return one, failure.Expansion(fmt.Sprintf("word %d of the command", i), err)
		}
		sh.args = append(sh.args, text)
	}
	sh.vars = append(sh.vars[:0], sh.base...)
	if sh.own[numberVariable] {
		sh.vars = append(sh.vars, numberVariable+"="+strconv.FormatInt(number, 10))
	}
	if err := r.give(&one, of); err != nil {
		return one, err
	}
	for i, b := range sh.texts {
		text, err := b.Text(number, task)
		if err != nil {
			return one, failure.Expansion("--env "+sh.names[i], err)
		}
		sh.vars = append(sh.vars, sh.names[i]+"="+text)
	}
	one.Args, one.Env = sh.args, sh.vars
	return one, nil
}

// give hands an item's row over, as a task's payload.
func (r *run) give(one *proc.One, of row) (err error) {
	sh := r.shard
	sh.given.close() // that of the item before
	if sh.rows == nil {
		return nil
	}
	g, err := give([]byte(of.payload), false)
	sh.given = g
	if err != nil {
		return err
	}
	for _, assignment := range g.env {
		if name, _, _ := strings.Cut(assignment, "="); sh.own[name] {
			sh.vars = append(sh.vars, assignment)
		}
	}
	one.Extra = g.extra
	return nil
}
