package docs

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// TestMessages: each message that the pages tell of is what the command in the comment
// before it prints, to the letter; … stands for anything.
func TestMessages(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	env := []string{
		"PATH=" + filepath.Dir(nth) + ":" + os.Getenv("PATH"), "NTH_LOG_FORMAT=console", "LC_ALL=C",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"REFUSES=" + answers(t, http.StatusForbidden, "AccessDenied"), "EMPTY=" + answers(t, http.StatusNotFound, "NoSuchBucket"),
	}
	for _, b := range taken(t, "message") {
		cmd := exec.Command("sh", "-c", b.from)
		cmd.Dir, cmd.Env = t.TempDir(), env
		out, _ := cmd.CombinedOutput() // most of them fail, as they should
		for want := range strings.Lines(b.text) {
			want = strings.TrimSpace(want)
			found := false
			for line := range strings.Lines(string(out)) {
				found = found || like("…"+want+"…").MatchString(strings.TrimSpace(line))
			}
			if !found {
				t.Errorf("%s: %s doesn't print\n%s\nbut\n%s", b.page, b.from, want, out)
			}
		}
	}
}

// answers starts a server of S3's protocol that has one answer, and gives its address.
func answers(t *testing.T, status int, code string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + code + `</Code><Message>no</Message></Error>`))
	}))
	t.Cleanup(s.Close)
	return s.URL
}
