package secrets

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"nth/testdata/program"
	"nth/testdata/servers"
)

// canary is a secret, and bred what a template makes of it.
const (
	canary = "cAnary/7%+s3cr3t"
	bred   = "CANARY/7%+S3CR3T"
)

// scene is where one kind of item runs: flags that it needs, and where its documents are.
type scene struct {
	args []string // before the flag that is looked at
	dir  string
}

// kinds are every kind of item that needs no server but an API.
var kinds = map[string]func(t *testing.T, dir, api string) []string{
	"an index": func(*testing.T, string, string) []string { return nil },
	"a row": func(t *testing.T, dir, _ string) []string {
		return []string{"--tasks=file://" + write(t, dir, "rows.csv", "name\na\nb\nc\nd\n")}
	},
	"an API's item": func(_ *testing.T, _, api string) []string { return []string{"--tasks=" + api + "/item/<<.Index>>"} },
	"a task": func(_ *testing.T, _, api string) []string {
		return []string{"--tasks=" + api + "/take?run=<<.RunID>>", "--keep-url=" + api + "/keep/{id}", "--done-url=" + api + "/done/{id}", "--fail-url=" + api + "/fail/{id}", "--max-attempts=1", "--lease=1s"}
	},
	"numbers": func(*testing.T, string, string) []string { return []string{"--items=10", "--each"} },
	"rows of a shard": func(t *testing.T, dir, _ string) []string {
		return []string{"--each", "--tasks=file://" + write(t, dir, "rows.csv", "name\na\nb\nc\nd\ne\nf\ng\nh\n")}
	},
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// uses are what a template does with a secret.
var uses = []string{`<<secret "CANARY">>`, `<<secret "CANARY" | upper>>`, `<<if secret "CANARY">><<secret "CANARY">><<end>>`}

// values are a flag's, with a secret in it: as good as it can be, and bad ones whose error
// may tell it.
func values(placeholder, use, dir, api string) []string {
	switch {
	case strings.Contains(placeholder, "CALL="):
		return []string{"take={\"t\": " + use + "}", "done={\"t\": " + use + "}", "fail={\"t\": " + use + ", \"why\": <<.Reason>>}", "keep=" + use + "}", "done=[" + use}
	case strings.Contains(placeholder, "NAME="):
		return []string{"NAME=" + use, "NAME=a\n" + use}
	case placeholder == "URL=PATH", placeholder == "PATH=URL":
		var list []string
		for _, pair := range [][2]string{{dir + "/" + use, "file://" + dir + "/" + use}, {use, "file://" + dir + "/rows.csv"}, {dir + "/" + use + "/x", "s3://b/x?anonymous=true&endpoint=http://127.0.0.1:1"}} {
			list = append(list, joined(placeholder, pair[0], pair[1]))
		}
		for _, url := range values("URL", use, dir, api) {
			list = append(list, joined(placeholder, dir+"/x", url))
		}
		return append(list, use)
	case placeholder == "URL|PATH=URL":
		return append(values("URL", use, dir, api), values("PATH=URL", use, dir, api)...)
	case strings.Contains(placeholder, "URL"), strings.Contains(placeholder, "PATH"):
		return []string{"file://" + dir + "/" + use + "/m?create_dir=true", api + "/echo/" + use, use, "bogus://" + use + "/x",
			"s3://b/" + use + "?endpoint=http://127.0.0.1:1&anonymous=true", "redis://:" + use + "@127.0.0.1:1/0?queue=" + use}
	}
	return []string{use, "a" + use + "-<<.Index>>"}
}

// joined is a flag's value of a path and a URL.
func joined(placeholder, path, url string) string {
	if placeholder == "URL=PATH" {
		return url + "=" + path
	}
	return path + "=" + url
}

// talkative is an API that says all that it was asked, in each answer; one task in all.
func talkative(t *testing.T) string {
	var taken atomic.Int64
	seen := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, 4096)
		n, _ := r.Body.Read(body)
		echo := fmt.Sprintf(`{"detail": %q}`, r.URL.String()+" "+fmt.Sprint(r.Header)+" "+string(body[:n]))
		switch {
		case strings.HasPrefix(r.URL.Path, "/item/"):
			fmt.Fprint(w, `{"name": "x"}`)
		case r.URL.Path == "/take":
			run := r.URL.Query().Get("run")
			if seen[run] {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			seen[run] = true
			fmt.Fprintf(w, `{"id": "t%d", "payload": {"name": "x"}}`, taken.Add(1))
		case strings.HasPrefix(r.URL.Path, "/keep/"), strings.HasPrefix(r.URL.Path, "/done/"), strings.HasPrefix(r.URL.Path, "/fail/"):
			fmt.Fprint(w, "{}")
		default:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, echo)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestCanaries: whatever template reads a secret, for whatever kind of item, it stands in
// nothing that nth says: no line of its log, no termination message, no record, no marker
// and no log of the command's output.
func TestCanaries(t *testing.T) {
	found := program.TemplateFlags(t)
	if len(found) < 22 || found["--markers"] == "" || found["--fail-sql"] == "" || found["--input"] == "" || found["--checkpoint"] == "" {
		t.Fatalf("the flags that are templates: %v", found)
	}
	for kind, need := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			api := talkative(t)
			for flag, placeholder := range found {
				dir := t.TempDir()
				for i := range values(placeholder, "", dir, api) {
					value := values(placeholder, uses[i%len(uses)], dir, api)[i]
					scene{need(t, dir, api), dir}.look(t, flag+"="+value)
				}
			}
			dir := t.TempDir()
			for _, use := range uses { // the command's own words
				scene{need(t, dir, api), dir}.look(t, "--", "sh", "-c", `echo "$1" >&2; exit 3`, "sh", use)
				scene{need(t, dir, api), dir}.look(t, "--", "/nowhere/"+use)
			}
		})
	}
}

// look runs a command that tells the secret, fails, and does it again, and looks at all
// that is written.
func (s scene) look(t *testing.T, flag ...string) {
	t.Helper()
	if _, err := os.Stat(s.dir + "/termination"); err != nil {
		write(t, s.dir, "termination", "")
	}
	args := append([]string{"run", "--log-level=debug", "--store-wait=0s", "--marker-timeout=0s", "--store-timeout=2s", "--record-start", "--termination-log=" + s.dir + "/termination",
		"--markers=file://" + s.dir + "/markers", "--logs=file://" + s.dir + "/logs"}, s.args...)
	if name, _, _ := strings.Cut(flag[0], "="); name == "--keep-failed" {
		args = append(args, program.Beside(name, s.dir)[1:]...)
	}
	args = append(args, flag...)
	if flag[0] != "--" {
		args = append(args, "--", "sh", "-c", `echo "$CANARY"; echo "$CANARY" >&2; exit 3`)
	}
	for _, dir := range []string{"/markers", "/logs"} {
		if err := os.MkdirAll(s.dir+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"NTH_INDEX=1", "NTH_COMPLETIONS=4", "CANARY=" + canary}
	_, stderr, _ := program.NthIn(t, t.TempDir(), env, args...)
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "{") { // the others are the command's
			s.check(t, flag, "the log", line)
		}
	}
	for _, top := range []string{"termination", "markers", "logs"} {
		err := filepath.WalkDir(filepath.Join(s.dir, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			body, err := os.ReadFile(path)
			s.check(t, flag, path, string(body))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(s.dir+"/termination", 0); err != nil {
		t.Fatal(err)
	}
}

func (s scene) check(t *testing.T, flag []string, where, text string) {
	t.Helper()
	for _, secret := range []string{canary, bred} {
		for _, form := range []string{secret, url.PathEscape(secret), url.QueryEscape(secret), (&url.URL{Path: secret}).EscapedPath()} {
			if strings.Contains(text, form) {
				t.Errorf("%v %q: %s has %q:\n%s", s.args, flag, where, form, text)
			}
		}
	}
}

// TestCanariesOfTables: the same with tables of one's own in PostgreSQL.
func TestCanariesOfTables(t *testing.T) {
	p := servers.StartPostgres(t)
	p.Exec(t, "CREATE TABLE jobs (id serial PRIMARY KEY, body text, busy boolean DEFAULT false)")
	env := []string{"--tasks=postgres://" + servers.PostgresUser + ":" + servers.PostgresPassword + "@" + p.Address + "/postgres?queue=jobs", "--max-attempts=0",
		"--take-sql=UPDATE jobs SET busy = true WHERE id = (SELECT id FROM jobs WHERE NOT busy LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, body AS payload",
		"--keep-sql=UPDATE jobs SET busy = true WHERE id = <<.TaskID>>", "--done-sql=DELETE FROM jobs WHERE id = <<.TaskID>>"}
	for flag, placeholder := range program.TemplateFlags(t) {
		if !strings.Contains(placeholder, "SQL") {
			continue
		}
		for _, use := range uses[:2] { // a statement's values can't be conditional
			p.Exec(t, "INSERT INTO jobs (body) VALUES ('x')")
			for _, sql := range []string{"SELECT " + use + "::int", "SELECT 1 FROM jobs WHERE body = " + use + " AND id = <<.TaskID>>", "SELECT " + use + " FROM nothing", "SELECT " + use + " AS id, " + use + " AS payload"} {
				dir := t.TempDir()
				scene{env, dir}.look(t, flag+"="+sql)
			}
		}
	}
}
