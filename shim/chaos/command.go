// Package chaos finds out whether a command may be run again at any time: it runs a Job once
// undisturbed and once while its runs are killed, paused, doubled and run again at random, and
// compares what came out.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/local"
	"nth/shim/proc"
	"nth/shim/screen"
)

// Command is `nth local --chaos`; own are its flags as they were written. It gives the exit
// code: 0 where the result is the same, 1 where it differs; of a Job that fails undisturbed
// or is stopped, that of nth local. The report is all that is written to stdout.
func Command(c local.Config, own []string, p edge.Process) (code int, err error) {
	seed, err := seedOf(c.Chaos)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "nth-chaos-")
	if err != nil {
		return 0, &failure.Failure{Code: failure.Unavailable, Tried: "make a directory for what is compared:", Cause: err, Hint: "TMPDIR names another place"}
	}
	t := &trial{dir: dir, process: p, plan: plan{seed: seed}}
	defer func() {
		if !t.keep {
			os.RemoveAll(dir)
		}
	}()
	c.Markers.URL, own = t.instead(own)
	if t.options, err = c.Ready(own, p); err != nil {
		return 0, err
	}
	compared := c.ChaosCompare
	if len(compared) == 0 {
		compared = published(c.Data)
	}
	for _, where := range compared {
		pl, err := open(context.Background(), where, p)
		if err != nil {
			return 0, err
		}
		t.places = append(t.places, pl)
	}
	t.options.Stdout = os.Stderr
	t.options.Signals = proc.Stops()
	t.plan.indexes = t.options.Total()
	r, code, err := t.all()
	signal.Reset()
	if err == nil && r != nil {
		if len(r.differences) > 0 {
			code, t.keep = 1, true
		}
		_, err = fmt.Print(p.Secrets.Hide(r.String()))
	}
	return code, err
}

// published gives the directories in which a Job's outputs are, as far as no template makes
// them.
func published(d config.Data) (dirs []string) {
	urls := []string{d.Stdout}
	for _, text := range d.Output {
		if p, err := config.ParseOutput(text); err == nil {
			urls = append(urls, p.URL)
		}
	}
	for _, url := range urls {
		address, query, _ := strings.Cut(url, "?")
		literal, _, _ := strings.Cut(config.Literal(address), "\x00")
		dir := literal[:strings.LastIndexByte(literal, '/')+1]
		if query != "" {
			dir += "?" + query
		}
		if url != "" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// bare is what --chaos says without a seed.
const bare = "random"

func seedOf(text string) (uint64, error) {
	if text == bare {
		return rand.Uint64N(1_000_000), nil
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, &failure.Failure{Code: failure.Usage, Tried: "read", On: "--chaos=" + text, Cause: errors.New("a seed is a whole number"), Hint: "leave it out, and one is chosen and told"}
	}
	return seed, nil
}

// trial is the Job, run as often as it takes.
type trial struct {
	dir     string // for the markers and for what is compared
	keep    bool   // it is left to the user
	process edge.Process
	options local.Options
	places  []place
	plan    plan
}

// The rounds. The third one is run where the two before it differ.
const (
	calm    = "undisturbed"
	harried = "disturbed"
	control = "undisturbed-again"
)

// all runs the rounds, and compares them. There is no report where the Job fails undisturbed,
// or is stopped: the exit code is that of its summary.
func (t *trial) all() (*report, int, error) {
	before, first, code, err := t.round(calm, nil)
	if err != nil || code != 0 {
		return nil, code, err
	}
	m := markers{t.markers(calm)}
	d := newDisturber(t.plan, m.took, markers{t.markers(harried)}.forget, patience(first.Wall))
	after, second, code, err := t.round(harried, d)
	if err != nil || second.Stopped != 0 {
		return nil, code, err
	}
	r := &report{seed: t.plan.seed, counts: d.counts, calm: first.Wall, harried: second.Wall, kept: t.dir}
	for i := range t.places {
		r.in = append(r.in, t.places[i].name(""))
		r.add(before[i])
	}
	if r.compared == 0 && len(second.Failures) == 0 {
		return nil, 0, &failure.Failure{Code: failure.Setup, Tried: "compare what stands in", On: r.in[0],
			Cause: errors.New("the Job has written no file there"), Hint: "name what the command writes with --chaos-compare"}
	}
	r.differences = t.differences(before, after)
	if len(r.differences) > 0 {
		again, third, code, err := t.round(control, nil)
		if err != nil || third.Stopped != 0 {
			return nil, code, err
		}
		if third.Done == third.Total { // else something was left behind elsewhere
			unsteadyOnes(r.differences, t.differences(before, again))
		}
	}
	r.differences = append(failed(second), r.differences...)
	m.whose(r.differences, t.options)
	inOrder(r.differences)
	if len(r.differences) > 0 {
		if s := d.of[r.differences[0].index]; s != nil {
			r.did = s.did
		}
	}
	return r, 0, nil
}

// round runs the Job once, and puts aside what came out, however it ended.
func (t *trial) round(name string, d *disturber) ([]listing, local.Summary, int, error) {
	screen.Tell(t.process.Stderr, "nth local --chaos: the Job %s, seed %d", name, t.plan.seed)
	o := t.options
	o.Args = slices.Clone(o.Args)
	for i, word := range o.Args {
		if word == markersFlag+address(t.markers(calm)) {
			o.Args[i] = markersFlag + address(t.markers(name))
		}
	}
	if err := os.MkdirAll(t.markers(name), 0o700); err != nil {
		return nil, local.Summary{}, 0, err
	}
	if d != nil {
		o.Disturber = d
	}
	summary, err := local.Run(context.Background(), o)
	if d != nil {
		d.Stopping()
		d.acts.Wait()
	}
	all := make([]listing, len(t.places))
	for i, pl := range t.places {
		to := filepath.Join(t.dir, name, strconv.Itoa(i))
		aside := os.MkdirAll(to, 0o700)
		if aside == nil {
			all[i], aside = pl.aside(context.Background(), to)
		}
		err = errors.Join(err, aside)
	}
	if err == nil {
		screen.Tell(t.process.Stderr, "%s", summary)
	}
	return all, summary, codeOf(summary), err
}

// codeOf is the exit code of a round. One that was stopped is the last, and isn't compared, also
// when all its indexes had ended well by then.
func codeOf(s local.Summary) int {
	if s.Stopped != 0 {
		return failure.SignalOffset + int(s.Stopped)
	}
	return s.ExitCode()
}

// differences gives those of all places, each with its reason.
func (t *trial) differences(want, got []listing) (list []difference) {
	for i, pl := range t.places {
		for _, d := range compare(want[i], got[i]) {
			d.name, d.why = pl.name(d.path), d.reason()
			list = append(list, d)
		}
	}
	return list
}

// unsteadyOnes corrects the reasons of those that differ without a disturbance. More than
// another order is the disturbance's.
func unsteadyOnes(list, undisturbed []difference) {
	for i := range list {
		d := &list[i]
		switch k := slices.IndexFunc(undisturbed, func(u difference) bool { return u.name == d.name }); {
		case k < 0:
		case undisturbed[k].why == reordered && d.why != reordered && d.why != another:
			d.why += " (in any order, undisturbed too)"
		default:
			d.why = unsteady
		}
	}
}

// failed gives the indexes that fail only when they are disturbed.
func failed(s local.Summary) (list []difference) {
	for _, f := range s.Failures {
		why := "it fails when it is run again after a disturbance: " + f.How()
		if f.Message != "" {
			why += ": " + f.Message
		}
		list = append(list, difference{index: f.Index, why: why})
	}
	return list
}

// add counts what is compared.
func (r *report) add(l listing) {
	for _, e := range l {
		if e.what == "file" {
			r.compared++
			r.bytes += e.size
		}
	}
}
