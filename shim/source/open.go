package source

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/secrets"
	"nth/shim/store"
	"nth/shim/task"
	"nth/shim/task/redis/server"
)

// Queue is an open source, which nobody has asked anything yet.
type Queue struct {
	task.Source
	Kind, Name string // as they stand in the markers
	Shown      string // its URL, without credentials, and with no parameters but those that name it
}

// recent is how many secrets are remembered of what was made for single calls.
const recent = 64

// Caller is what calls to a source are made of.
type Caller struct {
	*item.Run
	mapping *Mapping
	keep    expand.Keeper // of what is made anew for each call
}

// Caller makes calls of this mapping, for a run.
func (m *Mapping) Caller(r *item.Run) Caller { return Caller{r, m, recentOf(r.Secrets)} }

func recentOf(s *secrets.Set) expand.Keeper { return s.Recent(recent) }

const tried = "open the queue of --tasks"

type opener struct {
	Caller
	memory *task.Memory
}

// Open opens the queue of --tasks, whose URL has been expanded, for a worker of one task at a
// time; memory is that of the others of this run, nil where there are none. An error is a
// failure with exit code 64 or 78: nobody was asked.
func (m *Mapping) Open(r *item.Run, rawURL string, memory *task.Memory) (*Queue, error) {
	bad := func(on, why, hint string) error {
		return &failure.Failure{Code: failure.Usage, Tried: tried, On: on, Cause: errors.New(why), Hint: hint}
	}
	if strings.Contains(rawURL, "#") { // what stands before it would be another URL, with another host
		return nil, bad("", "the URL has a #", "write %23 for one in a password or a name; of a Secret's that is <<secret \"NAME\" | urlquery>>")
	}
	u, err := server.URL(rawURL)
	if err != nil {
		return nil, bad("", "the URL is malformed", hint)
	}
	o := &opener{m.Caller(r), memory}
	k, known := o.kinds()[u.Scheme]
	if !known {
		return nil, bad(shown(u), fmt.Sprintf("there is no queue for the scheme %q", u.Scheme), hint)
	}
	if err := fits(o.Config, k.name); err != nil {
		return nil, err
	}
	q := &Queue{Kind: k.name, Name: k.queue(u), Shown: shown(u)}
	if u.Query().Has("dead") {
		k.attempts = max(k.attempts, k.ofDead)
	}
	if q.Source, err = k.open(u, o.options(k)); err != nil {
		return nil, unopened(err, q.Shown)
	}
	return q, nil
}

// naming are the parameters that say which queue of a server it is.
var naming = []string{"queue", "stream", "group", "table"}

func shown(u *url.URL) string {
	path, _, _ := strings.Cut(u.Path, ";") // Celery puts whole URLs behind it
	v := url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}
	var named []string
	for _, name := range naming {
		if value := u.Query().Get(name); value != "" {
			named = append(named, name+"="+value)
		}
	}
	v.RawQuery = strings.Join(named, "&")
	return v.String()
}

// options are what a source is told beside its URL.
func (o *opener) options(k kind) task.Options {
	attempts := k.attempts
	if n := o.Config.Tasks.MaxAttempts; n != nil {
		attempts = *n
	}
	getenv := func(name string) string { v, _ := o.LookupEnv(name); return v }
	return task.Options{Index: o.Identity.Index, RunID: o.RunID, Lease: o.Config.Tasks.Lease, MaxAttempts: attempts, Getenv: getenv, Hide: o.Secrets.Hide, Memory: o.memory,
		NamesTasks: o.Config.Tasks.TaskID != ""}
}

// fitsLiteral is fits where the URL's scheme is known before anything is expanded, so that
// every command can say it.
func fitsLiteral(c *config.Config) error {
	if c.Tasks.URL == "" {
		return nil
	}
	scheme, _, _ := strings.Cut(c.Tasks.URL, "://")
	if k, known := (&opener{Caller: Caller{Run: &item.Run{Config: c}}}).kinds()[scheme]; known {
		return fits(c, k.name)
	}
	return nil
}

// fits refuses flags that are of another kind of queue.
func fits(c *config.Config, kind string) error {
	contradiction := func(on, why, hint string) error {
		return &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: on, Cause: errors.New(why), Hint: hint}
	}
	a := c.API
	api := a.KeepURL != "" || a.DoneURL != "" || a.FailURL != "" || a.UnfinishedURL != "" || len(a.HTTPHeader) > 0 || len(a.HTTPBody) > 0
	switch {
	case c.SQL.TakeSQL != "" && kind != "postgres" && kind != "mysql":
		return contradiction("--take-sql", "the queue isn't PostgreSQL's or MariaDB's", "--tasks postgres://… or mysql://…")
	case kind != "http" && api:
		return contradiction("--tasks", "--keep-url and its companions, --http-header and --http-body are of an HTTP API, and the queue is none", "leave them out")
	}
	return nil
}

// unopened gives the error of a source that couldn't be opened. Nobody was asked, so it is
// the URL that is wrong, or what is set besides.
func unopened(err error, shown string) error {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	f := store.Fail(err, failure.TheJob, tried, shown)
	if f.Code == failure.Unavailable {
		f.Code = failure.Usage
	}
	return f
}
