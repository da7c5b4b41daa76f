package matrix

import (
	"context"
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
)

// canary is part of every secret of the tests: credentials of the servers, and the
// value of the function secret. It may be in nothing that nth writes.
const canary = "canary"

// itemSecret is what the command gets with --env, and prints.
const itemSecret = "token-" + canary

// Item is index 5 of a Job: the same in each of its starts, as Kubernetes starts it
// again and again.
type Item struct {
	T      *testing.T
	Place  *Place
	Prefix string // of its markers
	Dir    string // where the command works
	Flags  []string
	Script string
	Starts int
	Runs   []string      // each start's
	Killed []string      // those that were
	Before marker.Header // of the marker that was there when a test's own starts began
	// Of a test that comes between nth and its store, or is another user:
	Base string   // where the store is asked; "": at its own address
	Env  []string // overrides
	User uint32
}

// NewItem gives one whose markers are under a prefix, and whose command is Work.
func NewItem(t *testing.T, place *Place, prefix string) *Item {
	i := &Item{T: t, Place: place, Prefix: prefix, Dir: t.TempDir(), Script: Work}
	for dir, mode := range map[string]os.FileMode{i.Dir: 0o777, filepath.Dir(i.Dir): 0o755} { // other users work there too
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

// Quick are the flags of a run that has to give up soon.
var Quick = []string{"--store-wait", "300ms", "--marker-timeout", "300ms", "--store-timeout", "1m"}

// Work is what a command does that succeeds: its effect is a line in runs.
const Work = `echo "$NTH_ITEM_RUN_ID" >> runs`

// Failing is a command that fails until there is a file called enough.
const Failing = `[ -e enough ] || { echo "why: $TOKEN" >&2; exit 3; }; ` + Work

// Inputs is the folder of what items look for: only 5 is there.
const Inputs = "in"

// hold is before each command: it waits for its end where a file called hold is.
const hold = `[ ! -e hold ] || { : > running; while :; do sleep 1; done; }; `

// Container is the next start, whose store is asked at this base.
func (i *Item) Container(base string) Container {
	i.T.Helper()
	nth, err := harness.Binary()
	if err != nil {
		i.T.Fatal(err)
	}
	i.Starts++
	i.Write("termination-log", "")
	if err := os.Chmod(filepath.Join(i.Dir, "termination-log"), 0o666); err != nil {
		i.T.Fatal(err)
	}
	args := append([]string{nth, "run", "--markers", i.Place.URL(base, i.Prefix), "--log-level", "debug", "--log-format", "json",
		"--termination-log", filepath.Join(i.Dir, "termination-log"), "--env", `TOKEN=<<secret "API_TOKEN">>`}, i.Flags...)
	return Container{
		Args: append(args, "--", "sh", "-c", hold+i.Script), Dir: i.Dir, Output: filepath.Join(i.Dir, fmt.Sprintf("output-%d", i.Starts)),
		Env: slices.Concat([]string{"PATH=" + os.Getenv("PATH"), "NTH_INDEX=5", "API_TOKEN=" + itemSecret}, i.Place.Env(base), i.Env), User: i.User,
	}
}

// At is where its store is asked.
func (i *Item) At() string {
	if i.Base != "" {
		return i.Base
	}
	return i.Place.Base()
}

// Object gives the URL of a blob below Inputs.
func (i *Item) Object(key string) string { return i.Place.Object(i.At(), Inputs, key) }

// Run is one start that nobody harms, and gives what it logged.
func (i *Item) Run(code int) History {
	i.T.Helper()
	got, err := Run(i.Container(i.At()), nil)
	if err != nil {
		i.T.Fatal(err)
	}
	return i.Ended(got, code)
}

// Says is run, which must say something, and nothing of it on more than one line.
func (i *Item) Says(code int, text string) History {
	i.T.Helper()
	h := i.Run(code)
	if !strings.Contains(h.Nth, text) {
		i.T.Errorf("it doesn't say %q: %s", text, h.Nth)
	}
	if h.Other != "" {
		i.T.Errorf("not a line of the log: %q", h.Other)
	}
	return h
}

// Effects checks how often the command had its effect.
func (i *Item) Effects(want int) {
	i.T.Helper()
	if got := len(i.Ran()); got != want {
		i.T.Errorf("the command had its effect %d times, want %d", got, want)
	}
}

// Ended looks at the last start: its exit code, what it said, and that no secret is
// told.
func (i *Item) Ended(got, want int) History {
	i.T.Helper()
	log := i.Read(fmt.Sprintf("output-%d", i.Starts))
	if got != want {
		i.T.Fatalf("exit code %d, want %d: %s", got, want, log)
	}
	message, h := i.Read("termination-log"), newHistory(log)
	i.Runs = append(i.Runs, h.RunID)
	switch {
	case got == Killed:
		i.Killed = append(i.Killed, h.RunID)
	case (got != 0) != (message != ""):
		i.T.Errorf("exit code %d, and the termination message is %q", got, message)
	case !strings.HasPrefix(message, h.Failure) || strings.Contains(message, "\n") || got != 0 && !strings.HasPrefix(message, "nth: index 5: "):
		i.T.Errorf("the termination message is %q, and the failure in the log %q", message, h.Failure)
	}
	i.quiet("the termination message", message)
	i.quiet("the log", h.Nth)
	return h
}

// quiet fails for a text with a secret in it.
func (i *Item) quiet(what, text string) {
	i.T.Helper()
	for _, secret := range append(i.Place.Secrets(), canary) {
		if strings.Contains(text, secret) {
			i.T.Errorf("%s tells a secret: %s", what, text)
		}
	}
}

// Write writes a file of the command's folder.
func (i *Item) Write(name, text string) {
	i.T.Helper()
	if err := os.WriteFile(filepath.Join(i.Dir, name), []byte(text), 0o644); err != nil {
		i.T.Fatal(err)
	}
}

// Remove removes one.
func (i *Item) Remove(name string) {
	i.T.Helper()
	if err := os.Remove(filepath.Join(i.Dir, name)); err != nil {
		i.T.Fatal(err)
	}
}

// Read gives what is in one, "" where there is none.
func (i *Item) Read(name string) string {
	i.T.Helper()
	body, err := os.ReadFile(filepath.Join(i.Dir, name))
	if err != nil && !os.IsNotExist(err) {
		i.T.Fatal(err)
	}
	return string(body)
}

// Exists tells whether there is one.
func (i *Item) Exists(name string) bool {
	_, err := os.Stat(filepath.Join(i.Dir, name))
	return err == nil
}

// Ran gives the runs whose command had its effect.
func (i *Item) Ran() []string { return strings.Fields(i.Read("runs")) }

// Documents reads everything in the markers' directory, and checks that it is whole,
// of this index, and tells no secret.
func (i *Item) Documents() map[string]marker.Failure {
	i.T.Helper()
	s := i.Place.Open(i.T, i.Prefix)
	defer s.Close()
	all := map[string]marker.Failure{}
	err := s.List(context.Background(), "", func(key string, _ int64, _ time.Time) error {
		body, _, err := s.Read(context.Background(), key)
		if err != nil {
			return err
		}
		doc, err := document(key, body)
		if err != nil || doc.Index != 5 || doc.RunID == "" || doc.Version != marker.Version || doc.Digest == "" && !undigested(key) {
			i.T.Errorf("%s isn't whole (%v): %s", key, err, body)
		}
		i.quiet(key, string(body))
		all[key] = doc
		return nil
	})
	if err != nil && !i.notYet(err) {
		i.T.Fatal(err)
	}
	i.leftovers()
	return all
}

// notYet: no marker was ever written, so there is no directory.
func (i *Item) notYet(err error) bool { return store.Classify(err) == contract.Absent }

// leftovers looks into what a killed writer has left in a directory, which no
// listing shows.
func (i *Item) leftovers() {
	if i.Place.Dir == "" {
		return
	}
	files, _ := filepath.Glob(filepath.Join(i.Place.Dir, i.Prefix, "*", ".nth-tmp-*"))
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			i.T.Error(err)
		}
		i.quiet(f, string(body))
	}
}

// Marker gives the completion marker, nil when there is none.
func (i *Item) Marker() *marker.Marker {
	i.T.Helper()
	s := i.Place.Open(i.T, i.Prefix)
	defer s.Close()
	body, _, err := s.Read(context.Background(), marker.Key("done", 5))
	if store.Classify(err) == contract.Absent && err != nil {
		return nil
	}
	if err != nil {
		i.T.Fatal(err)
	}
	m, err := marker.Decode(body, 5)
	if err != nil {
		i.T.Fatal(err)
	}
	return m
}

// Keys checks which documents there are.
func (i *Item) Keys(all map[string]marker.Failure, want []string) {
	i.T.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(all))); diff != "" {
		i.T.Errorf("the documents: %s", diff)
	}
}
