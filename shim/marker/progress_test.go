package marker

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/identity"
	"nth/shim/store"
)

func items(t testing.TB, s string) (l identity.List) {
	t.Helper()
	if err := l.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return l
}

func progress(t testing.TB, run, digest, done, skipped, failed string, at int) Progress {
	return Progress{Version: 1, Index: 5, RunID: run, Digest: digest, Items: 100, Start: 50, End: 60,
		Done: items(t, done), Skipped: items(t, skipped), Failed: items(t, failed),
		Updated: time.Unix(int64(at), 0).UTC(), Used: Usage{UserS: 1, MaxRSSBytes: int64(at)}}
}

// view is what a progress says, for comparison.
func view(p Progress) []any {
	return []any{p.RunID, p.Digest, p.Done.String(), p.Skipped.String(), p.Failed.String(), p.Updated.Unix(), p.Used.UserS, p.Used.MaxRSSBytes}
}

func TestReadProgress(t *testing.T) {
	b, dir := newBook(t, OnChangeFail)
	if got, err := ReadProgress(t.Context(), b.Store, store.Policy{}, 5, nil); len(got) > 0 || err != nil {
		t.Fatalf("%v %v, want nothing", got, err)
	}
	put := func(p Progress) {
		t.Helper()
		body, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Store.Put(t.Context(), ProgressKey(5, p.RunID), body); err != nil {
			t.Fatal(err)
		}
	}
	put(progress(t, "a", "d", "50-53", "51", "54", 1))
	put(progress(t, "b", "d", "54,57-59", "59", "55", 3))
	put(progress(t, "c", "other", "50-58", "", "", 2))
	for run, change := range map[string]func(*Progress){"e": func(p *Progress) { p.Start = 40 }, "f": func(p *Progress) { p.End = 70 }, "g": func(p *Progress) { p.Items = 101 }} {
		p := progress(t, run, "d", "55-56", "", "", 2) // of another part
		change(&p)
		put(p)
	}
	write(t, filepath.Join(dir, "progress", "5", "broken.json"), `{"version": 1, "ind`)
	write(t, filepath.Join(dir, "progress", "5", "renamed.json"), progress(t, "x", "d", "56", "", "", 9))
	write(t, filepath.Join(dir, "progress", "50", "a.json"), progress(t, "y", "d", "56", "", "", 9))
	all, err := ReadProgress(t.Context(), b.Store, store.Policy{}, 5, nil)
	if err != nil {
		t.Fatal(err)
	}
	var broken []string
	for _, p := range all {
		if p.Broken != nil {
			broken = append(broken, p.RunID)
		}
	}
	if diff := cmp.Diff([]string{"broken", "renamed"}, broken); diff != "" || len(all) != 8 {
		t.Errorf("%d documents; broken: %s", len(all), diff)
	}
	last, ok := Latest(all)
	want := []any{"b", "d", "50-54,57-59", "51,59", "55", int64(3), 2.0, int64(3)}
	if diff := cmp.Diff(want, view(last)); diff != "" || !ok {
		t.Error(ok, diff)
	}
	if _, ok := Latest(nil); ok {
		t.Error("there is a last one of none")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadProgress(over, b.Store, store.Policy{}, 5, nil); err == nil {
		t.Error("a store that doesn't answer has no progress")
	}
}

// TestReadManyProgress: a run that was stopped again and again leaves many documents.
func TestReadManyProgress(t *testing.T) {
	b, dir := newBook(t, OnChangeFail)
	const runs = 500
	for i := range runs {
		p := progress(t, fmt.Sprintf("run%03d", i), "d", "", "", "", i)
		p.Items, p.Start, p.End = runs, 0, runs
		p.Done.Add(int64(i), runs)
		write(t, filepath.Join(dir, ProgressKey(5, p.RunID)), p)
	}
	all, err := ReadProgress(t.Context(), b.Store, store.Policy{}, 5, nil)
	if err != nil || len(all) != runs {
		t.Fatalf("%d documents, %v", len(all), err)
	}
	last, _ := Latest(all)
	if got := last.Done.String(); got != fmt.Sprintf("0-%d", runs-1) || last.RunID != fmt.Sprintf("run%03d", runs-1) {
		t.Errorf("%s by %s", got, last.RunID)
	}
}

func TestDecodeProgress(t *testing.T) {
	const good = `{"version":1,"index":5,"run_id":"x","digest":"d","items":100,"start":50,"end":60,"done":"50-52","skipped":"51","failed":"53","later":[1]}`
	if p, err := DecodeProgress([]byte(good)); err != nil || p.Done.String() != "50-52" || p.Index != 5 {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := DecodeProgress([]byte(`{"version":1,"index":5,"run_id":"x","items":100,"start":50,"end":60,"skipped":"50"}`)); err != nil || p.Done.String() != "50" {
		t.Errorf("a skipped item is done: %+v %v", p, err)
	}
	for name, body := range map[string]string{
		"empty":            ``,
		"cut short":        good[:40],
		"two":              good + good,
		"no index":         `{"version":1,"run_id":"x","items":100,"start":50,"end":60}`,
		"no run":           `{"version":1,"index":5,"items":100,"start":50,"end":60}`,
		"no version":       `{"index":5,"run_id":"x","items":100,"start":50,"end":60}`,
		"backwards":        `{"version":1,"index":5,"run_id":"x","items":100,"start":50,"end":40}`,
		"beyond all":       `{"version":1,"index":5,"run_id":"x","items":55,"start":50,"end":60}`,
		"beyond the shard": `{"version":1,"index":5,"run_id":"x","items":100,"start":50,"end":60,"done":"60"}`,
		"before the shard": `{"version":1,"index":5,"run_id":"x","items":100,"start":50,"end":60,"failed":"49"}`,
		"no list":          `{"version":1,"index":5,"run_id":"x","items":100,"start":50,"end":60,"done":"b"}`,
	} {
		if p, err := DecodeProgress([]byte(body)); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func FuzzDecodeProgress(f *testing.F) {
	f.Add([]byte(`{"version":1,"index":5,"run_id":"x","digest":"d","items":100,"start":50,"end":60,"done":"50-52","skipped":"51","failed":"53"}`))
	f.Add([]byte(`{"version":1,"index":0,"run_id":"x","items":9223372036854775807,"start":0,"end":9223372036854775807,"done":"0-9223372036854775806"}`))
	f.Add([]byte(`{"done":"0-1,"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := DecodeProgress(body)
		if err != nil {
			return
		}
		if p.Index < 0 || p.Start < 0 || p.End > p.Items || p.Done.Len() > p.End-p.Start || p.Skipped.Len() > p.Done.Len() {
			t.Errorf("%s was taken for %+v", body, p)
		}
		again, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		q, err := DecodeProgress(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if diff := cmp.Diff(view(p), view(q)); diff != "" {
			t.Error(diff)
		}
		if u := p.Union([]Progress{q}); u.Done.Len() != p.Done.Len() {
			t.Errorf("%s with itself is %s", p.Done, u.Done)
		}
	})
}
