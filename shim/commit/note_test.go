package commit

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// noted gives a note of run r-1 with these places.
func noted(places ...string) []byte {
	body, _ := json.Marshal(Note{Version: 1, RunID: "r-1", Places: places})
	return body
}

// TestReadNote: what a run notes is a place.
func TestReadNote(t *testing.T) {
	for markers, tt := range map[string]struct{ url, want string }{
		"s3://b/m?region=eu-west-1":                {"s3://out/x/.nth/r-1/?region=us-east-1", "s3://out/x/?region=us-east-1"},
		"s3://b/m?endpoint=http://h:9&region=eu":   {"s3://b/.nth/r-1/?endpoint=http://h:9", "s3://b/?endpoint=http%3A%2F%2Fh%3A9"},
		"file:///m":                                {"file:///out/a%20b/.nth/r-1/?create_dir=true", "file:///out/a%20b/"},
		"gs://b/m":                                 {"gs://b/deep/er/.nth/r-1/", "gs://b/deep/er/"},
		"azblob://c/m?storage_account=a&domain=d.": {"azblob://c/.nth/r-1/?storage_account=b", "azblob://c/?storage_account=b"},
	} {
		_, places, err := ReadNote(noted(tt.url), "r-1", markers)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
		}
		if diff := cmp.Diff([]Place{{tt.want, ".nth/r-1/"}}, places); diff != "" {
			t.Errorf("%s: %s", tt.url, diff)
		}
	}
	at, err := below("s3://out/x/?region=r", "r-1")
	if err != nil || string(noted(at)) != string(noted("s3://out/x/.nth/r-1/?region=r")) {
		t.Error("a run notes another form: ", at, err)
	}
}

// hostile are places of run r-1 beside s3://b/m?endpoint=http://h that nobody may remove.
var hostile = map[string]string{
	"s3://b/":                                    "isn't just",
	"s3://b/out/":                                "isn't just",
	"s3://b/.nth/":                               "isn't just",
	"s3://b/.nth/r-1":                            "isn't just",
	"s3://b/.nth/r-2/":                           "isn't just",
	"s3://b/.nth//":                              "isn't just",
	"s3://b/x.nth/r-1/":                          "isn't just",
	"s3://b/out/.nth/r-1/../":                    "isn't just",
	"s3://b/a/../.nth/r-1/":                      "isn't just",
	"s3://b/a/%2e%2e/.nth/r-1/":                  "isn't just",
	"s3://b/./.nth/r-1/":                         "isn't just",
	"s3://b//.nth/r-1/":                          "isn't just",
	"s3://b/a//b/.nth/r-1/":                      "isn't just",
	"s3://b/.nth/r-9/.nth/r-1/":                  "isn't just",
	"s3://b/.nth/r-1/?endpoint=http://evil":      "parameter",
	"s3://b/.nth/r-1/?endpoint=http://h&a=1":     "parameter",
	"s3://b/.nth/r-1/?use_path_style=true":       "parameter",
	"s3://b/.nth/r-1/?x=%zz":                     "malformed",
	"s3://b/.nth/r-1/?region=a&endpoint=http://": "parameter",
	"file:///.nth/r-1/":                          "another kind of store",
	"gs://b/.nth/r-1/":                           "another kind of store",
	"http://b/.nth/r-1/":                         "another kind of store",
	"/.nth/r-1/":                                 "another kind of store",
	"":                                           "another kind of store",
	"s3:.nth/r-1/":                               "no URL that a run notes",
	"s3://me:pw@b/.nth/r-1/":                     "no URL that a run notes",
	"s3://b/.nth/r-1/#x":                         "no URL that a run notes",
	"s3://b/***/.nth/r-1/":                       "a secret",
	"s3://b/a%00b/.nth/r-1/":                     "control character",
	"s3://b/a%0ab/.nth/r-1/":                     "control character",
	"s3://b/\x7f/.nth/r-1/":                      "malformed",
	"s3://[/.nth/r-1/":                           "malformed",
}

func TestHostileNote(t *testing.T) {
	const markers = "s3://b/m?endpoint=http://h"
	if _, _, err := ReadNote(noted("s3://b/.nth/r-1/?endpoint=http://h"), "r-1", markers); err != nil {
		t.Fatal(err)
	}
	for place, want := range hostile {
		_, got, err := ReadNote(noted("s3://b/.nth/r-1/", place), "r-1", markers)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is %v, error %v, want %q", place, got, err, want)
		}
	}
	for body, run := range map[string]string{
		"":                                "r-1",
		"[]":                              "r-1",
		`{"version":1,"run_id":"r-1"}`:    "r-1",
		string(noted("s3://b/.nth/r-2/")): "r-2", // of another name
		strings.ReplaceAll(string(noted("s3://b/.nth/r-1/")), "r-1", ".."):       "..",
		strings.ReplaceAll(string(noted("s3://b/.nth/r-1/")), "r-1", ".nth"):     ".nth",
		strings.ReplaceAll(string(noted("s3://b/.nth/r-1/")), "r-1", ""):         "",
		strings.ReplaceAll(string(noted("s3://b/.nth/r-1/")), "r-1", "a/b"):      "a/b",
		strings.Replace(string(noted("s3://b/.nth/r-1/")), `n":1`, `n":0`, 1):    "r-1",
		strings.Replace(string(noted("s3://b/.nth/r-1/")), `"s3`, `7,"s3`, 1):    "r-1",
		string(noted(make([]string, maxOutputs+1)...)):                           "r-1",
		strings.ReplaceAll(string(noted("s3://b/.nth/r-1/")), "/r-1/", "/r-1/x"): "r-1",
	} {
		if _, got, err := ReadNote([]byte(body), run, markers); err == nil {
			t.Errorf("%.200s is %v", body, got)
		}
	}
}

// FuzzReadNote: a note leads to nothing but the hidden directory of its run, and to nobody
// whom the markers' URL doesn't name.
func FuzzReadNote(f *testing.F) {
	for place := range hostile {
		f.Add(noted(place), "r-1", "s3://b/m?endpoint=http://h")
	}
	f.Add(noted("file:///a/.nth/r-1/"), "r-1", "file:///m")
	f.Fuzz(func(t *testing.T, body []byte, run, markers string) {
		n, places, err := ReadNote(body, run, markers)
		if err != nil {
			return
		}
		like, err := url.Parse(markers)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range places {
			u, err := url.Parse(p.Dir)
			if err != nil || u.Scheme != like.Scheme || u.User != nil || strings.Contains(u.Path, "/../") || !strings.HasSuffix(u.Path, "/") {
				t.Errorf("%q leads to %q, %v", n.Places, p.Dir, err)
			}
			if p.Prefix != ".nth/"+run+"/" || strings.ContainsAny(run, "/\x00") || run == "" || run[0] == '.' {
				t.Errorf("run %q has %q", run, p.Prefix)
			}
			for name := range u.Query() {
				if name != "region" && name != "storage_account" && name != "anonymous" && u.Query().Get(name) != like.Query().Get(name) {
					t.Errorf("%q asks by %s", n.Places, name)
				}
			}
		}
	})
}

// TestOver: which run's staging may go.
func TestOver(t *testing.T) {
	noted := time.Unix(1000, 0)
	stood := func(run, digest string, seconds int64) *Stood {
		return &Stood{run, digest, time.Unix(1000+seconds, 0)}
	}
	for name, tt := range map[string]struct {
		commit, marker      *Stood
		over, overAge, need bool
	}{
		"nothing stands":                          {nil, nil, false, true, false},
		"committed, and not recorded":             {stood("r-1", "d", 1), nil, false, false, true},
		"committed, beside another's older":       {stood("r-1", "d", 1), stood("r-0", "before", -9), false, false, true},
		"committed, beside another's later":       {stood("r-1", "d", 1), stood("r-0", "other", 9), false, false, true},
		"committed, and another of it recorded":   {stood("r-1", "d", 1), stood("r-0", "d", 9), false, true, false},
		"committed, and marked by hand":           {stood("r-1", "d", 1), stood("m", "", 9), false, true, false},
		"committed and recorded":                  {stood("r-1", "d", 1), stood("r-1", "d", 2), true, true, false},
		"another committed":                       {stood("r-2", "d", 1), nil, false, true, false},
		"another committed and recorded":          {stood("r-2", "d", 1), stood("r-2", "d", 2), true, true, false},
		"recorded in the same second":             {stood("r-2", "d", 0), stood("r-2", "d", 0), true, true, false},
		"noted when another was recorded already": {stood("r-2", "d", -9), stood("r-2", "d", -8), false, true, false},
		"another's marker without its commit":     {nil, stood("r-2", "d", 9), false, true, false},
		"another's marker beside a third's":       {stood("r-3", "e", 1), stood("r-2", "d", 9), false, true, false},
		"marked by hand":                          {nil, stood("m", "", 9), false, true, false},
	} {
		s := Stands{tt.commit, tt.marker}
		got := [3]bool{s.Over("r-1", noted, false), s.Over("r-1", noted, true), s.Needs("r-1")}
		if want := [3]bool{tt.over, tt.overAge, tt.need}; got != want {
			t.Errorf("%s: over, over by age, needed: %v, want %v", name, got, want)
		}
	}
}

func TestReadStood(t *testing.T) {
	for body, want := range map[string]string{
		`{"run_id":"a","digest":"d"}`:            "a d",
		`{"marker":{"run_id":"a","digest":"d"}}`: "a d",
		`{"run_id":"a"}`:                         "a ",
		`{`:                                      "", `{}`: "", `[]`: "", "": "", `{"marker":{}}`: "", `{"run_id":7}`: "",
	} {
		s, err := ReadStood([]byte(body), strings.Contains(body, "marker"), time.Time{})
		got := ""
		if err == nil {
			got = s.RunID + " " + s.Digest
		}
		if got != want {
			t.Errorf("%s: %q, %v", body, got, err)
		}
	}
}
