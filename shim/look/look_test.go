package look

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/shim/item"
	"nth/shim/secrets"
	"nth/shim/store"
	"nth/templates"
)

// lookAt is a look at what so many indexes read.
func lookAt(t *testing.T, s Settings, indexes int64, c config.Config) *Look {
	t.Helper()
	c.Command = []string{"x"}
	m, err := item.Parse(&c)
	if err != nil {
		t.Fatal(err)
	}
	s.Files, s.Here = true, true
	l, err := New(s, m)
	if err != nil {
		t.Fatal(err)
	}
	for i := range indexes {
		l.Add(i, &expand.Expander{Fields: templates.Fields{Index: i}, Secrets: &secrets.Set{}})
	}
	return l
}

// found is what it finds: the findings, and behind them the notes.
func found(t *testing.T, l *Look) []string {
	t.Helper()
	stores := &store.Stores{}
	defer stores.Close()
	f, err := l.Find(t.Context(), World{Stores: stores, Hide: func(s string) string { return s }})
	if err != nil {
		t.Fatal(err)
	}
	return append(f.Findings(), f.Notes()...)
}

// lay makes files.
func lay(t *testing.T, names ...string) (url string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return "file://" + dir
}

// TestCrowded: among far more objects than inputs these are looked for one by one; of very
// many nobody says that they are there.
func TestCrowded(t *testing.T) {
	var names []string
	for n := range 60 {
		names = append(names, fmt.Sprintf("in/%d/a", n), fmt.Sprintf("in/%d/b", n))
	}
	url := lay(t, names...)
	for name, c := range map[string]config.Config{
		"object": {Mapping: config.Mapping{Require: []string{url + "/in/<<.Index>>/a", url + "/in/x<<.Index>>"}}},
		"tree":   {Mapping: config.Mapping{Require: []string{url + "/in/<<.Index>>/", url + "/in/x<<.Index>>"}}},
		"glob":   {Mapping: config.Mapping{Require: []string{url + "/in/x<<.Index>>"}}, Data: config.Data{Input: []string{url + "/in/<<.Index>>/*=in/"}}},
	} {
		l := lookAt(t, Settings{}, 2, c)
		l.others = 20
		want := []string{
			fmt.Sprintf("the inputs of indexes 0,1 aren't there: %[1]s/in/x0, %[1]s/in/x1", url),
			"2 of 4 inputs are there",
			url + "/in/ has far more objects than there are inputs: which of them are no index's isn't told",
		}
		if diff := cmp.Diff(want, found(t, l)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	l := lookAt(t, Settings{}, maxAlone+1, config.Config{Mapping: config.Mapping{Require: []string{url + "/in/<<.Index>>/a"}}})
	l.others = 100 - perInput*(maxAlone+1)
	if diff := cmp.Diff([]string{url + "/in/ has far more objects than there are inputs: whether the inputs are there isn't told"}, found(t, l)); diff != "" {
		t.Error(diff)
	}
}

// TestHeld: what is held of the inputs is bounded, and what that leaves out is said.
func TestHeld(t *testing.T) {
	url := lay(t, "in/0", "in/1", "in/2", "in/3")
	l := lookAt(t, Settings{}, 2, config.Config{Mapping: config.Mapping{Require: []string{url + "/in/<<.Index>>"}}})
	l.held = maxHeld
	l.Add(3, &expand.Expander{Fields: templates.Fields{Index: 3}, Secrets: &secrets.Set{}})
	got := found(t, l)
	if len(got) != 2 || got[0] != "all 2 inputs are there" || !strings.Contains(got[1], "only the first are looked for") || !l.Full() {
		t.Errorf("%q", got)
	}
	var many []string
	for n := range maxPlaces + 1 {
		many = append(many, fmt.Sprintf("s3://bucket-%d/<<.Index>>", n))
	}
	if l := lookAt(t, Settings{}, 1, config.Config{Mapping: config.Mapping{Require: many}}); len(l.places) != maxPlaces || !l.Full() {
		t.Errorf("%d places are held", len(l.places))
	}
}

// TestMerged: what is a part of another listing isn't listed again, and nothing is listed
// for the sake of another store.
func TestMerged(t *testing.T) {
	a, b := root{"s3", "b", ""}, root{"s3", "b", "region=r"}
	got := []string{}
	for _, l := range merged([]*listing{{root: a, prefix: "/in/file_", places: make([]*place, 1)}, {root: a, prefix: "/other/", places: make([]*place, 1)}, {root: b, prefix: "/in/", places: make([]*place, 1)},
		{root: a, prefix: "/in/", places: make([]*place, 1)}, {root: a, prefix: "/in/", places: make([]*place, 1)}}) {
		got = append(got, fmt.Sprint(l.root, " ", l.prefix, " ", len(l.places)))
	}
	if diff := cmp.Diff([]string{"{s3 b region=r} /in/ 1", "{s3 b } /in/ 3", "{s3 b } /other/ 1"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestClashes: places of which one would overwrite another's; what only begins alike is
// another place.
func TestClashes(t *testing.T) {
	for name, tt := range map[string]struct {
		urls []string
		want []string
	}{
		"apart":          {[]string{"s3://b/1", "s3://b/10", "s3://b/1.log", "s3://c/1", "gs://b/1"}, nil},
		"the same":       {[]string{"s3://b/1", "s3://b/2", "s3://b/1?region=r", "s3://b/1"}, []string{"indexes 0,2,3 have the same output: s3://b/1"}},
		"endpoints":      {[]string{"s3://b/1?endpoint=http://x", "s3://b/1?endpoint=http://y"}, nil},
		"within":         {[]string{"s3://b/1/", "s3://b/1/2/x", "s3://b/1-2", "s3://b/1/2/", "s3://b/2"}, []string{"the output of index 3 is in that of index 0: s3://b/1/2 in s3://b/1", "the output of index 1 is in that of index 3: s3://b/1/2/x in s3://b/1/2"}},
		"a file's name":  {[]string{"file:///a", "file:///a/b", "file:///a//../c", "file:///c"}, []string{"the output of index 1 is in that of index 0: file:///a/b in file:///a", "indexes 2,3 have the same output: file:///c"}},
		"an object's":    {[]string{"s3://b/a", "s3://b/a/b"}, nil},
		"more than told": {slicesOf("s3://b/", 2*(maxClashes+1)), append(told(maxClashes), "… and more indexes that write to the same place")},
	} {
		var o outputs
		for i, url := range tt.urls {
			o.add(int64(i), url)
		}
		if diff := cmp.Diff(tt.want, o.clashes()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// slicesOf gives each place twice.
func slicesOf(url string, n int) (urls []string) {
	for i := range n {
		urls = append(urls, fmt.Sprintf("%s%03d", url, i/2))
	}
	return urls
}

func told(n int) (want []string) {
	for i := range n {
		want = append(want, fmt.Sprintf("indexes %d,%d have the same output: s3://b/%03d", 2*i, 2*i+1, i))
	}
	return want
}
