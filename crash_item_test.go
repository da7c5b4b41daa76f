//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/harness"
	"nth/testdata/matrix"
)

// canary is part of every secret of the tests: credentials of the servers, and the
// value of the function secret. It may be in nothing that nth writes.
const canary = "canary"

// itemSecret is what the command gets with --env, and prints.
const itemSecret = "token-" + canary

// item is index 5 of a Job: the same in each of its starts, as Kubernetes starts it
// again and again.
type item struct {
	t      *testing.T
	place  *matrix.Place
	prefix string // of its markers
	dir    string // where the command works
	flags  []string
	script string
	starts int
	// Of a test that comes between nth and its store, or is another user:
	base string   // where the store is asked; "": at its own address
	env  []string // overrides
	user uint32
}

func newItem(t *testing.T, place *matrix.Place, prefix string) *item {
	i := &item{t: t, place: place, prefix: prefix, dir: t.TempDir(), script: work1}
	for dir, mode := range map[string]os.FileMode{i.dir: 0o777, filepath.Dir(i.dir): 0o755} { // other users work there too
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

// quick are the flags of a run that has to give up soon.
var quick = []string{"--store-wait", "300ms", "--marker-timeout", "300ms", "--store-timeout", "2s"}

// work1 is what a command does that succeeds: its effect is a line in runs.
const work1 = `echo "$NTH_ITEM_RUN_ID" >> runs`

// hold is before each command: it waits for its end where a file called hold is.
const hold = `[ ! -e hold ] || { : > running; while :; do sleep 1; done; }; `

// container is the next start, whose store is asked at this base.
func (i *item) container(base string) matrix.Container {
	i.t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		i.t.Fatal(err)
	}
	i.starts++
	i.write("termination-log", "")
	if err := os.Chmod(filepath.Join(i.dir, "termination-log"), 0o666); err != nil {
		i.t.Fatal(err)
	}
	args := append([]string{nth, "run", "--markers", i.place.URL(base, i.prefix), "--log-level", "debug", "--log-format", "json",
		"--termination-log", filepath.Join(i.dir, "termination-log"), "--env", `TOKEN=<<secret "API_TOKEN">>`}, i.flags...)
	return matrix.Container{
		Args: append(args, "--", "sh", "-c", hold+i.script), Dir: i.dir, Output: filepath.Join(i.dir, fmt.Sprintf("output-%d", i.starts)),
		Env: slices.Concat([]string{"PATH=" + os.Getenv("PATH"), "NTH_INDEX=5", "API_TOKEN=" + itemSecret}, i.place.Env(base), i.env), User: i.user,
	}
}

// at is where its store is asked.
func (i *item) at() string {
	if i.base != "" {
		return i.base
	}
	return i.place.Base()
}

// run is one start that nobody harms, and gives what it logged.
func (i *item) run(code int) history {
	i.t.Helper()
	got, err := matrix.Run(i.container(i.at()), nil)
	if err != nil {
		i.t.Fatal(err)
	}
	return i.ended(got, code)
}

// says is run, which must say something, and nothing of it on more than one line.
func (i *item) says(code int, text string) history {
	i.t.Helper()
	h := i.run(code)
	if !strings.Contains(h.nth, text) {
		i.t.Errorf("it doesn't say %q: %s", text, h.nth)
	}
	if h.other != "" {
		i.t.Errorf("not a line of the log: %q", h.other)
	}
	return h
}

// effects checks how often the command had its effect.
func (i *item) effects(want int) {
	i.t.Helper()
	if got := len(i.ran()); got != want {
		i.t.Errorf("the command had its effect %d times, want %d", got, want)
	}
}

// ended looks at the last start: its exit code, what it said, and that no secret is
// told.
func (i *item) ended(got, want int) history {
	i.t.Helper()
	log := i.read(fmt.Sprintf("output-%d", i.starts))
	if got != want {
		i.t.Fatalf("exit code %d, want %d: %s", got, want, log)
	}
	message, h := i.read("termination-log"), newHistory(log)
	switch {
	case got == matrix.Killed:
	case (got != 0) != (message != ""):
		i.t.Errorf("exit code %d, and the termination message is %q", got, message)
	case !strings.HasPrefix(message, h.failure) || strings.Contains(message, "\n") || got != 0 && !strings.HasPrefix(message, "nth: index 5: "):
		i.t.Errorf("the termination message is %q, and the failure in the log %q", message, h.failure)
	}
	i.quiet("the termination message", message)
	i.quiet("the log", h.nth)
	return h
}

// quiet fails for a text with a secret in it.
func (i *item) quiet(what, text string) {
	i.t.Helper()
	for _, secret := range append(i.place.Secrets(), canary) {
		if strings.Contains(text, secret) {
			i.t.Errorf("%s tells a secret: %s", what, text)
		}
	}
}

func (i *item) write(name, text string) {
	i.t.Helper()
	if err := os.WriteFile(filepath.Join(i.dir, name), []byte(text), 0o644); err != nil {
		i.t.Fatal(err)
	}
}

func (i *item) remove(name string) {
	i.t.Helper()
	if err := os.Remove(filepath.Join(i.dir, name)); err != nil {
		i.t.Fatal(err)
	}
}

func (i *item) read(name string) string {
	i.t.Helper()
	body, err := os.ReadFile(filepath.Join(i.dir, name))
	if err != nil && !os.IsNotExist(err) {
		i.t.Fatal(err)
	}
	return string(body)
}

func (i *item) exists(name string) bool {
	_, err := os.Stat(filepath.Join(i.dir, name))
	return err == nil
}

// ran gives the runs whose command had its effect.
func (i *item) ran() []string { return strings.Fields(i.read("runs")) }

// documents reads everything in the markers' directory, and checks that it is whole,
// of this index, and tells no secret.
func (i *item) documents() map[string]marker.Failure {
	i.t.Helper()
	s := i.place.Open(i.t, i.prefix)
	defer s.Close()
	all := map[string]marker.Failure{}
	err := s.List(context.Background(), "", func(key string, _ int64, _ time.Time) error {
		body, _, err := s.Read(context.Background(), key)
		if err != nil {
			return err
		}
		var doc marker.Failure // has every field of the others that is looked at
		if err := json.Unmarshal(body, &doc); err != nil || doc.Index != 5 || doc.RunID == "" || doc.Version != marker.Version || doc.Digest == "" {
			i.t.Errorf("%s isn't whole (%v): %s", key, err, body)
		}
		i.quiet(key, string(body))
		all[key] = doc
		return nil
	})
	if err != nil && !i.notYet(err) {
		i.t.Fatal(err)
	}
	i.leftovers()
	return all
}

// notYet: no marker was ever written, so there is no directory.
func (i *item) notYet(err error) bool { return store.Classify(err) == contract.Absent }

// leftovers looks into what a killed writer has left in a directory, which no
// listing shows.
func (i *item) leftovers() {
	if i.place.Dir == "" {
		return
	}
	files, _ := filepath.Glob(filepath.Join(i.place.Dir, i.prefix, "*", ".nth-tmp-*"))
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			i.t.Error(err)
		}
		i.quiet(f, string(body))
	}
}

// marker gives the completion marker, nil when there is none.
func (i *item) marker() *marker.Marker {
	i.t.Helper()
	s := i.place.Open(i.t, i.prefix)
	defer s.Close()
	body, _, err := s.Read(context.Background(), marker.Key("done", 5))
	if store.Classify(err) == contract.Absent && err != nil {
		return nil
	}
	if err != nil {
		i.t.Fatal(err)
	}
	m, err := marker.Decode(body, 5)
	if err != nil {
		i.t.Fatal(err)
	}
	return m
}

// keys checks which documents there are.
func (i *item) keys(all map[string]marker.Failure, want []string) {
	i.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(all))); diff != "" {
		i.t.Errorf("the documents: %s", diff)
	}
}
