//go:build linux

package worker

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nth/shim/task/postgres"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestPostgresSettings: the URL names no more than the table; all else is where psql
// looks for it, a password file that others may read left out, and the server proves by
// a private authority who it is.
func TestPostgresSettings(t *testing.T) {
	p := servers.StartPostgres(t)
	p.Exec(t, postgres.Schema)
	_, port, _ := net.SplitHostPort(p.Address)
	home := t.TempDir()
	password := filepath.Join(home, ".pgpass")
	line := strings.Join([]string{"localhost", port, "*", servers.PostgresUser, strings.ReplaceAll(servers.PostgresPassword, ":", `\:`)}, ":")
	if err := os.WriteFile(password, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		mode os.FileMode
		env  []string
		code int
		says string
	}{
		{"all of them", 0o600, []string{"PGSSLMODE=verify-full", "PGSSLROOTCERT=" + p.CA}, 0, "task done"},
		{"its own variable for authorities", 0o600, []string{"PGSSLMODE=verify-full", "SSL_CERT_FILE=" + p.CA}, 0, "task done"},
		{"an authority that isn't known", 0o600, []string{"PGSSLMODE=verify-full"}, 69, "sslrootcert=FILE or SSL_CERT_FILE"},
		{"another name", 0o600, []string{"PGSSLMODE=verify-full", "PGSSLROOTCERT=" + p.CA, "PGHOST=other.example", "PGHOSTADDR=127.0.0.1", "PGPASSWORD=" + servers.PostgresPassword}, 69, "certificate is for another name"},
		{"a file that all may read", 0o644, []string{"PGSSLMODE=verify-full", "PGSSLROOTCERT=" + p.CA}, 77, "~/.pgpass (mode 0600)"},
		{"a file that the group may read", 0o640, []string{"PGSSLMODE=verify-full", "PGSSLROOTCERT=" + p.CA}, 77, "~/.pgpass (mode 0600)"},
		{"a file that isn't needed", 0o644, []string{"PGSSLMODE=require", "PGPASSWORD=" + servers.PostgresPassword}, 0, "task done"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.Exec(t, "INSERT INTO nth_tasks (payload) VALUES ('x')")
			if err := os.Chmod(password, tt.mode); err != nil {
				t.Fatal(err)
			}
			env := append([]string{"JOB_COMPLETION_INDEX=0", "HOME=" + home, "PGHOST=localhost", "PGPORT=" + port, "PGUSER=" + servers.PostgresUser, "PGDATABASE=postgres"}, tt.env...)
			stdout, stderr, code := program.Nth(t, env, "run", "--store-wait=0s", "--tasks=postgres:///?table=nth_tasks", "--", "echo", "<<.Task>>")
			if code != tt.code || (code == 0) != (stdout == "x\n") || !strings.Contains(stderr, tt.says) || strings.Contains(stderr, "canary") {
				t.Errorf("exit code %d, want %d and %q: %q %s", code, tt.code, tt.says, stdout, stderr)
			}
			p.Exec(t, "DELETE FROM nth_tasks")
		})
	}
}
