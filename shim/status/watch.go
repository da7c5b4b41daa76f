package status

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/proc"
	"nth/shim/screen"
)

// watch looks again and again, and gives the exit code of the last look, or of the
// signal that ended it.
func (p parsed) watch(ctx context.Context, o Options, w World) (int, error) {
	v := newView(w.Stdout)
	defer v.close()
	resized := make(chan os.Signal, 1)
	tellResized(resized)
	defer signal.Stop(resized)
	suspended := proc.Suspensions()
	defer signal.Stop(suspended)
	looks := make(chan seen)
	go p.looks(ctx, o, looks)
	f := &frame{markers: o.Store.Show(""), queue: p.queue}
	if v.full {
		_ = v.draw(f) // if it can't be, the next one tells
	}
	for {
		select {
		case s := <-looks:
			switch {
			case ctx.Err() != nil: // it is the look that was stopped
				continue
			case s.err != nil && !passing(s.err):
				return 0, s.err
			}
			f.take(s)
			f.trouble = w.Secrets.Hide(f.trouble)
		case <-resized:
		case <-suspended:
			proc.Suspend(func() (wake func()) {
				v.leave()
				return v.enter
			})
		case <-ctx.Done():
			v.end(f)
			if stopped, ok := errors.AsType[*failure.Failure](context.Cause(ctx)); ok {
				return int(stopped.Code), nil
			}
			return 0, context.Cause(ctx)
		}
		if err := v.draw(f); err != nil {
			return 0, &failure.Failure{Code: failure.Unavailable, Tried: "print the status", Cause: err}
		}
		if f.trouble == "" && f.over() {
			v.end(f)
			p.doubt(f.snap, w.Stderr)
			return p.code(f.counts, f.snap, f.job), nil
		}
	}
}

// passing tells whether an error may be over at the next look.
func passing(err error) bool {
	code := failure.From(err).Code
	return code == failure.Unavailable || code == failure.Denied
}

// seen is what came of a look.
type seen struct {
	snap *Snapshot
	job  *Kubernetes
	err  error
}

// looks looks until the context ends.
func (p parsed) looks(ctx context.Context, o Options, to chan<- seen) {
	for {
		s := p.see(ctx, o)
		select {
		case to <- s:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(p.Interval):
		case <-ctx.Done():
			return
		}
	}
}

func (p parsed) see(ctx context.Context, o Options) (s seen) {
	if s.snap, s.err = Scan(ctx, o.Store, o.Of, o.Policy, nil); s.err != nil || p.Kubernetes == "" {
		return s
	}
	job, err := ReadJob(p.Kubernetes, nil, p.Job)
	if err != nil { // it is just being written
		f := failure.From(err)
		return seen{err: &failure.Failure{Code: failure.Unavailable, Tried: f.Tried, On: f.On, Cause: f.Cause}}
	}
	job.queue = job.queue || job.secret && p.queue
	r := &Report{}
	job.join(r, s.snap)
	s.job = r.Kubernetes
	return s
}

// take keeps the last look that went well.
func (f *frame) take(s seen) {
	if f.trouble = ""; s.err != nil {
		why := failure.From(s.err)
		f.trouble = why.Tried // on what stands in the title
		if why.Cause != nil {
			f.trouble += ": " + why.Cause.Error()
		}
		return
	}
	f.snap, f.counts, f.job, f.says = s.snap, s.snap.Counts(), s.job, nil
	settled, _ := f.tasks()
	f.meter.Sample(s.snap.At, settled)
	if s.job != nil {
		f.says = slices.Concat(s.job.Waiting, s.job.Conditions, s.job.Notes, s.job.Disagreements)
	}
}

// view shows frames: on a terminal a picture in its second screen, which leaves what
// was there alone; else a line each time that something has changed.
type view struct {
	out   *os.File
	style style
	full  bool
	last  string
}

func newView(out *os.File) *view {
	_, _, terminal := screen.Size(out)
	v := &view{out: out, full: terminal && os.Getenv("TERM") != "dumb", style: style{color: screen.Color(), unicode: unicodeLocale()}}
	v.enter()
	return v
}

func (v *view) enter() {
	if v.full {
		fmt.Fprint(v.out, "\x1b[?1049h\x1b[?25l\x1b[2J")
	}
}

func (v *view) leave() {
	if v.full {
		fmt.Fprint(v.out, "\x1b[?25h\x1b[?1049l")
	}
}

// unicodeLocale tells whether the terminal is said to know more than ASCII.
func unicodeLocale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(os.Getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}

func (v *view) draw(f *frame) error {
	if !v.full {
		line, still := f.summary(plainWidth), *f
		still.still = true
		if same := still.summary(plainWidth); same != v.last || v.last == "" {
			v.last = same
		} else {
			return nil
		}
		_, err := fmt.Fprintf(v.out, "%s %s\n", time.Now().UTC().Format(time.RFC3339), line)
		return err
	}
	cols, rows, _ := screen.Size(v.out)
	var b strings.Builder
	b.WriteString("\x1b[H")
	for i, line := range f.lines(cols, rows, v.style) {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(line + "\x1b[K")
	}
	b.WriteString("\x1b[J")
	_, err := v.out.WriteString(b.String())
	return err
}

// end leaves the last state in the terminal's own screen.
func (v *view) end(f *frame) {
	if !v.full {
		return
	}
	v.close()
	cols, _, _ := screen.Size(v.out)
	fmt.Fprintln(v.out, f.summary(cols-1))
	if f.snap != nil && f.counts.Failed > 0 {
		fmt.Fprintln(v.out, "failed "+cutList(f.snap.List(Failed).String(), cols-1-len("failed ")))
	}
}

// close gives the terminal back.
func (v *view) close() {
	v.leave()
	v.full = false
}
