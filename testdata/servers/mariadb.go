package servers

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"nth/testdata/harness"
)

// The account of every database of the tests.
const (
	MariaDBUser     = "worker"
	MariaDBPassword = "maria-canary/1+2"
)

const installMariaDB = "apt-get install -y mariadb-server"

// MariaDB is a real MariaDB of a test's own. It wants a password, and speaks TLS with a
// certificate for localhost and 127.0.0.1 to who asks for it.
type MariaDB struct {
	*Server
	MySQL  bool   // it is another one: NTH_TEST_MYSQLD
	CA     string // the file of the authority that signed its certificate
	Socket string
	DB     *sql.DB
}

// StartMariaDB starts one, with more options of mariadbd, and stops it when the test ends.
func StartMariaDB(t testing.TB, options ...string) *MariaDB {
	t.Helper()
	// MySQL itself is run where its mysqld is named. Debian's releases have none, so that this
	// is done by hand: sid's mysql-server-core 9.7.4 was.
	mysqld := os.Getenv("NTH_TEST_MYSQLD")
	program := mysqld
	if mysqld == "" {
		program = Program(t, "mariadbd", installMariaDB)
	}
	dir, err := os.MkdirTemp("", "mariadb") // short, for a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	in := func(name string) string { return filepath.Join(dir, name) }
	user := "--user=" + os.Getenv("USER")
	if os.Getuid() == 0 {
		user = "--user=root"
	}
	// A server that starts removes the temporary tables in its tmpdir: others' too.
	if err := os.Mkdir(in("tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	common := []string{"--no-defaults", user, "--datadir=" + in("data"), "--tmpdir=" + in("tmp"), "--innodb-flush-log-at-trx-commit=0"}
	var install *exec.Cmd
	if mysqld != "" {
		common = append(common, "--innodb-redo-log-capacity=16M", "--mysqlx=OFF", "--secure-file-priv=")
		install = exec.Command(mysqld, append(common, "--initialize-insecure")...)
	} else {
		common = append(common, "--innodb-log-file-size=8M")
		install = exec.Command(Program(t, "mariadb-install-db", installMariaDB), append(common, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	}
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", install.Path, err, out)
	}
	ca, certificate, key := certificates(t)
	for name, content := range map[string][]byte{"ca.pem": ca, "cert.pem": certificate, "key.pem": key,
		"init.sql": fmt.Appendf(nil, "CREATE DATABASE IF NOT EXISTS work;\nCREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO '%[1]s'@'%%' WITH GRANT OPTION;",
			MariaDBUser, MariaDBPassword)} {
		if err := os.WriteFile(in(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := &MariaDB{MySQL: mysqld != "", CA: in("ca.pem"), Socket: in("socket")}
	address := Address(t)
	_, port, _ := net.SplitHostPort(address)
	m.Server = start(t, address, func() *exec.Cmd {
		return exec.Command(program, slices.Concat(common, []string{"--socket=" + m.Socket, "--pid-file=" + in("pid"), "--port=" + port, "--bind-address=127.0.0.1", "--skip-name-resolve", "--init-file=" + in("init.sql"),
			"--ssl-ca=" + m.CA, "--ssl-cert=" + in("cert.pem"), "--ssl-key=" + in("key.pem"),
			"--innodb-buffer-pool-size=32M", "--innodb-doublewrite=0", "--skip-log-bin",
			"--max-connections=200", "--performance-schema=0"}, options)...)
	})
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = MariaDBUser, MariaDBPassword, "unix", m.Socket, "work"
	c.MultiStatements, c.Logger = true, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	m.DB = sql.OpenDB(connector)
	t.Cleanup(func() { m.DB.Close() })
	m.ready(t)
	for _, n := range []int{2, 3, 100, 200, 400} { // MariaDB has such tables of numbers
		if m.MySQL {
			m.Exec(t, fmt.Sprintf("CREATE TABLE seq_1_to_%d AS WITH RECURSIVE s (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM s WHERE seq < %[1]d) SELECT seq FROM s", n))
		}
	}
	return m
}

// URL gives the address of its database, with more parameters (&name=value).
func (m *MariaDB) URL(more string) string {
	return fmt.Sprintf("mysql://%s:%s@%s/work?ssl-mode=DISABLED%s", MariaDBUser, strings.ReplaceAll(MariaDBPassword, "/", "%2F"), m.Address, more)
}

// Rows counts those of a table: from is what follows FROM.
func (m *MariaDB) Rows(t testing.TB, from string) (n int) {
	t.Helper()
	if err := m.DB.QueryRow("SELECT count(*) FROM " + from).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Exec runs SQL.
func (m *MariaDB) Exec(t testing.TB, statements string, args ...any) {
	t.Helper()
	if _, err := m.DB.Exec(statements, args...); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// Restart starts it again after a Stop, and waits until it has recovered.
func (m *MariaDB) Restart(t testing.TB) {
	t.Helper()
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	m.ready(t)
}

func (m *MariaDB) ready(t testing.TB) {
	t.Helper()
	var err error
	harness.Await(t, func() bool { err = m.DB.Ping(); return err == nil }, func() string { return fmt.Sprint("MariaDB doesn't answer: ", err) })
}
