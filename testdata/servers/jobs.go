package servers

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// Jobs gives the SQL of the page's table of a user's own in PostgreSQL, and its statements by
// their flags. A payload is the field text of a job's body.
func Jobs(t testing.TB) (schema string, statements map[string]string) {
	t.Helper()
	return jobs(t, "PostgreSQL", "testdata/examples/jobs.sql", "body ->> 'text' AS payload")
}

// MariaJobs is the same for MariaDB.
func MariaJobs(t testing.TB) (schema string, statements map[string]string) {
	t.Helper()
	return jobs(t, "MariaDB", "testdata/examples/jobs_mysql.sql", "json_unquote(json_extract(body, '$.text')) AS payload")
}

func jobs(t testing.TB, server, table, payload string) (schema string, statements map[string]string) {
	t.Helper()
	read := func(path string) string {
		body, err := os.ReadFile(filepath.Join(harness.Root(), path))
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	statements = map[string]string{}
	_, section, _ := strings.Cut(read("docs/queues-try.md"), "\n## "+server+", tables of your own\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if m := regexp.MustCompile(`\nours="([^"]*)"`).FindStringSubmatch(section); m != nil {
		section = strings.ReplaceAll(section, "$ours", m[1])
	}
	for _, m := range regexp.MustCompile(`export NTH_(\w+)_SQL="([^"]*)"`).FindAllStringSubmatch(section, -1) {
		statements["--"+strings.ToLower(m[1])+"-sql"] = strings.Replace(m[2], "body AS payload", payload, 1)
	}
	if len(statements) != 5 || !strings.Contains(statements["--take-sql"], payload) {
		t.Fatalf("docs/queues-try.md has the statements %q", statements)
	}
	return read(table), statements
}
