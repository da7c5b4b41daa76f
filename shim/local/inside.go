package local

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"nth/shim"
	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/proc"
	"nth/shim/screen"
	"nth/shim/source"
	"nth/shim/store"
)

// Inside is how attempts run in this process: what each of them would have as one of its own.
type Inside struct {
	Host    *proc.Signals     // of this process
	Signals proc.SignalConfig // of each attempt
	Config  config.Config     // without what says which index it is
	World   edge.World        // the same
	Stores  *store.Stores     // that they all use
	Parsed  source.Parsed     // what they have in common
}

// together tells whether the indexes run in this process. What works through many items or tasks
// is started once and works for long: it is an nth of its own in any case.
func (c *Config) together() bool {
	return !c.Isolated && c.Chaos == "" && !c.Mapping.Each && c.Source() != config.Queue
}

// runInside has the attempts run in this process. Own are the flags as they were written.
func (c *Config) runInside(o *Options, own []string, p edge.Process) (err error) {
	in := &Inside{Config: c.Config, World: p.World, Stores: p.Stores}
	if in.Signals, err = c.Process.SignalConfig(); err != nil {
		return err
	}
	in.Host, o.Signals = proc.Attend(announced(p)...)
	debug.SetGCPercent(collectAt) // what an attempt leaves is garbage at once: 3 MB less, for a few hundredths of the time
	base := map[string]string{}
	for _, assignment := range without(o.Environ, slices.Concat(ownVariables, o.Remove)...) {
		name, value, _ := strings.Cut(assignment, "=")
		base[name] = value // the last one counts, as for os/exec
	}
	in.World.LookupEnv = func(name string) (string, bool) {
		value, ok := base[name]
		return value, ok
	}
	written := func(flag string) bool {
		return slices.ContainsFunc(own, func(word string) bool { return strings.HasPrefix(word, flag+"=") })
	}
	said := func(flag, variable string) bool {
		_, ok := p.LookupEnv(variable)
		return ok || written(flag)
	}
	of := &in.Config
	index := &of.Index
	index.Index, index.Indexes, index.IndexEnv, index.IndexOffset, index.Platform = nil, "", "", 0, ""
	index.Completions = &o.Completions
	if !written("--reserve-exit-codes") { // see args
		of.Process.ReserveExitCodes = true
	}
	// A person reads along here: see environ.
	if !said("--log-level", "NTH_LOG_LEVEL") {
		of.Messages.LogLevel = "warn"
	}
	if !said("--log-format", "NTH_LOG_FORMAT") {
		of.Messages.LogFormat = "console"
	}
	if !said("--termination-log", "NTH_TERMINATION_LOG") {
		of.Messages.TerminationLog = ""
	}
	o.Inside = in
	return nil
}

// collectAt is how much garbage there may be, in hundredths of what is in use.
const collectAt = 50

// killWait is how long is waited for what was killed.
const killWait = 2 * time.Second

// divide makes places for commands.
func (in *Inside) divide(j *job) (*proc.Parts, error) {
	p := edge.NewProcess(in.World)
	log := edge.NewLogger(in.Config.Messages.LogFormat, in.Config.Messages.LogLevel, voice{screen: j.screen}, p.Secrets)
	return in.Host.Divide(j.o.Parallelism, in.Config.Process.SweepGrace, in.Config.Process.StopGrace, log)
}

// ready makes this process one that runs commands.
func (j *job) ready() (err error) {
	if j.o.Inside == nil {
		j.children = proc.Adopt()
		return nil
	}
	j.parts, err = j.o.Inside.divide(j)
	return err
}

// endParts ends what nobody knew whose it is. Where all is killed, the guardian does it, as soon
// as this process has ended.
func (j *job) endParts() {
	if j.parts == nil {
		return
	}
	select {
	case <-j.killed:
	default:
		j.parts.End()
	}
}

// hasPlace tells whether another attempt may start.
func (j *job) hasPlace() bool {
	return len(j.running)-j.beside < j.o.Parallelism && j.beside < proc.MostBeside*j.o.Parallelism
}

// startInside starts an attempt in this process, whose end comes over j.ended, and over j.freed
// before that when its place is another's.
func (j *job) startInside(a Attempt) {
	c := &child{Attempt: a, slot: j.freeSlot()}
	freed := func() {
		c.waits.Store(true)
		select {
		case j.freed <- c:
		case <-j.quit:
		}
	}
	if j.o.Inside.Config.Process.Retries > 0 { // what ended well may be judged otherwise, and run again
		freed = nil
	}
	c.inside = j.parts.Part(c.slot, j.o.Inside.Signals, freed)
	c.signal = func(s os.Signal) error {
		c.inside.Tell(s.(syscall.Signal))
		return nil
	}
	j.running[c] = true
	go c.runInside(j)
}

// runInside takes the attempt the way of every run.
func (c *child) runInside(j *job) {
	prefix := j.prefix(c.Index)
	out, errs := lines{screen: j.screen, to: screen.Stdout, prefix: prefix}, lines{screen: j.screen, to: screen.Stderr, prefix: prefix}
	own := voice{j.screen, prefix}
	var message string
	ended := func(code int) {
		out.end()
		errs.end()
		j.parts.Leave(c.inside)
		o := outcome{Attempt: c.Attempt, of: c, code: code, lost: out.lost, message: short(message)}
		select {
		case j.ended <- o:
		case <-j.quit:
		}
	}
	defer func() {
		if bug := recover(); bug != nil { // as a process of its own would end
			message = fmt.Sprintf("panic: %v", bug)
			_, _ = own.Write(debug.Stack())
			ended(int(failure.Bug))
		}
	}()
	in := j.o.Inside
	a := shim.Attempt{World: in.world(j.env, j.o.Completions, c), Signals: c.inside, Stores: in.Stores, Parsed: &in.Parsed, Among: &edge.Among{Stdout: &out, Stderr: &errs, Messages: own},
		Reason: func(text string) { message = text }, Waits: c.waits.Load}
	a.Run(in.config(c.Attempt), ended)
}

// config is what the attempt's flags would say.
func (in *Inside) config(a Attempt) config.Config {
	c := in.Config
	c.Index.IndexFailures = strconv.Itoa(a.Number - 1)
	if a.Ignored > 0 {
		c.Index.IndexIgnoredFailures = strconv.Itoa(a.Ignored)
	}
	return c
}

// world is the attempt's own.
func (in *Inside) world(env []string, completions int64, c *child) edge.World {
	w := in.World
	own := append(told(completions, c.Attempt), identity.Slot+"="+strconv.Itoa(c.slot))
	w.Environ = append(env[:len(env):len(env)], own...)
	w.LookupEnv = func(name string) (string, bool) {
		for _, assignment := range own {
			if value, ok := strings.CutPrefix(assignment, name+"="); ok {
				return value, true
			}
		}
		return in.World.LookupEnv(name)
	}
	w.RunID = edge.NewRunID()
	return w
}

// voice writes whole lines of nth's own.
type voice struct {
	screen *screen.Screen
	prefix []byte
}

// Write takes one line or several.
func (v voice) Write(p []byte) (int, error) {
	_ = v.screen.Lines(screen.Stderr, v.prefix, nil, p) // stops the Job
	return len(p), nil
}

// short makes a message a line of the summary.
func short(text string) string {
	text = strings.ToValidUTF8(failure.OneLine(text), "\uFFFD")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text
}
