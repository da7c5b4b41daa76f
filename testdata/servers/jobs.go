package servers

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// Jobs gives the SQL of the page's table of a user's own, and its statements by their
// flags. A payload is the field text of a job's body.
func Jobs(t testing.TB) (schema string, statements map[string]string) {
	t.Helper()
	read := func(path string) string {
		body, err := os.ReadFile(filepath.Join(harness.Root(), path))
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	statements = map[string]string{}
	for _, m := range regexp.MustCompile(`export NTH_(\w+)_SQL="([^"]*)"`).FindAllStringSubmatch(read("docs/queues-try.md"), -1) {
		statements["--"+strings.ToLower(m[1])+"-sql"] = strings.Replace(m[2], "body AS payload", "body ->> 'text' AS payload", 1)
	}
	if len(statements) != 5 || !strings.Contains(statements["--take-sql"], "'text'") {
		t.Fatalf("docs/queues-try.md has the statements %q", statements)
	}
	return read("testdata/examples/jobs.sql"), statements
}
