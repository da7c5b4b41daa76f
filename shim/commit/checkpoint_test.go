package commit

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAllow: what the command line may allow, and which of a note's checkpoints that is.
func TestAllow(t *testing.T) {
	const markers = "s3://b/jobs/m?region=r"
	for text, want := range map[string][]string{ // "": it is refused; else the directory, and pairs of a noted URL and its key
		"":                              nil,
		"/state/":                       nil,
		"s3://b":                        nil,
		"s3://b/":                       nil,
		"s3://b/?region=r":              nil,
		"s3://<<.Job>>/state/":          nil,
		"s3://b/<<.Index>>":             nil,
		"s3://u@b/state/":               nil,
		"s3://b/state/#x":               nil,
		"ftp://b/state/":                nil,
		"s3:state/":                     nil,
		"s3://b/state/../":              nil,
		"s3://b/a//state/":              nil,
		"s3://b/a/./state_<<.Index>>":   nil,
		"s3://b/state/?region=<<.X>>":   nil,
		"s3://b/state/%zz":              nil,
		"s3://b/jobs/":                  nil,
		"s3://b/jobs":                   nil,
		"s3://b/jobs/m":                 nil,
		"s3://b/jobs/m/":                nil,
		"s3://b/job<<.Index>>":          nil,
		"s3://b/jobs/m/<<.Index>>":      nil,
		"s3://b/jobs/m/d<<.Index>>":     nil,
		"s3://b/jobs/m/done/":           nil,
		"s3://b/jobs/m/share/":          nil,
		"s3://b/jobs/m/manifest/":       nil,
		"s3://b/jobs/m/staging/<<.X>>":  nil,
		"s3://b/jobs/m/state/":          {"s3://b/jobs/m/state/", "s3://b/jobs/m/state/5.json", "5.json"},
		"s3://b/jobs/m2":                {"s3://b/jobs/m2/", "s3://b/jobs/m2/5", "5"},
		"s3://b/state":                  {"s3://b/state/", "s3://b/state/5", "5", "s3://b/state/a/b%20c", "a/b c"},
		"s3://b/state/?region=r":        {"s3://b/state/?region=r", "s3://b/state/5?region=r", "5"},
		"s3://b/state_<<.Index>>":       {"s3://b/", "s3://b/state_5", "state_5", "s3://b/state_5/x", "state_5/x"},
		"s3://b/s/<<.Index>>?region=r":  {"s3://b/s/?region=r", "s3://b/s/5?region=r", "5"},
		"s3://b/s/<<printf \"a?b\">>/x": {"s3://b/s/", "s3://b/s/5/x", "5/x"},
		"file:///mnt/state":             {"file:///mnt/state/", "file:///mnt/state/5?create_dir=true", "5"},
	} {
		a, err := Allow(text, markers)
		if want == nil {
			if err == nil {
				t.Errorf("%q allows %q", text, a.Dir)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		got := []string{a.Dir}
		for n := 1; n < len(want); n += 2 {
			key, err := a.Key(want[n])
			if err != nil {
				t.Errorf("%q of %q: %v", want[n], text, err)
			}
			got = append(got, want[n], key)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// elsewhere are what a hostile note may name, and nobody has allowed.
var elsewhere = []string{
	"s3://b/state", "s3://b/state/", "s3://b/other/5", "s3://b/state2/5", "s3://b/state/../m/done/5.json", "s3://b/state/%2e%2e/m/done/5.json",
	"s3://b/state//5", "s3://b/state/./5", "s3://b/state/5/", "s3://other/state/5", "gs://b/state/5", "file:///state/5", "s3://b@c/state/5",
	"s3://b/state/5?endpoint=http://evil", "s3://b/state/5?region=x", "s3://b/state/5#x", "s3://b/state/%00", "s3://b/state/a%0ab",
	"s3://b/state/.nth/r-1/0/a", "s3://b/state/***", "s3:b/state/5", "", "%zz", "/state/5",
}

// TestElsewhere: a note leads nowhere that wasn't allowed.
func TestElsewhere(t *testing.T) {
	a, err := Allow("s3://b/state/", "s3://b/m")
	if err != nil {
		t.Fatal(err)
	}
	for _, noted := range elsewhere {
		if key, err := a.Key(noted); err == nil {
			t.Errorf("%q is %q", noted, key)
		}
	}
}

// FuzzAllowed: whatever is allowed and noted, what comes of it is below what was allowed, and
// is asked by its parameters.
func FuzzAllowed(f *testing.F) {
	for _, noted := range elsewhere {
		f.Add("s3://b/state/", noted)
	}
	f.Add("file:///mnt/state_<<.Index>>", "file:///mnt/state_5?create_dir=true")
	f.Fuzz(func(t *testing.T, text, noted string) {
		a, err := Allow(text, "s3://b/m?region=r")
		if err != nil {
			return
		}
		key, err := a.Key(noted)
		if err != nil {
			return
		}
		dir, err := url.Parse(a.Dir)
		if err != nil || !strings.HasSuffix(dir.Path, "/") || dir.User != nil {
			t.Fatalf("%q allows %q: %v", text, a.Dir, err)
		}
		full := dir.Path + key
		if key == "" || path.Clean(full) != full || !strings.HasPrefix(full, a.prefix) || a.prefix == "/" || strings.Contains("/"+key+"/", "/.nth/") {
			t.Errorf("%q allows %q, which is %q in %q", text, noted, key, a.Dir)
		}
		if dir.Scheme == "s3" && dir.Host == "b" && strings.HasPrefix(full, "/m/") && (strings.HasPrefix(full, "/m/done/") || !strings.Contains(key, "/") && dir.Path == "/m/") {
			t.Errorf("%q allows %q, which is nth's own", text, noted)
		}
	})
}

// TestAllowHere: this machine has two names in a URL.
func TestAllowHere(t *testing.T) {
	for _, text := range []string{"file:///mnt/m/", "file://localhost/mnt/m/", "file://localhost/mnt/m/done/"} {
		for _, markers := range []string{"file:///mnt/m", "file://localhost/mnt/m"} {
			if a, err := Allow(text, markers); err == nil {
				t.Errorf("%q allows %q beside %q", text, a.Dir, markers)
			}
		}
	}
}
