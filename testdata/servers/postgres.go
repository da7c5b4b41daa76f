package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/lib/pq" // the driver

	"nth/testdata/harness"
)

// The administrator of every database of the tests.
const (
	PostgresUser     = "postgres"
	PostgresPassword = "pg-pass-canary/1+2"
)

const installPostgres = "apt-get install -y postgresql-15 pgbouncer"

// Postgres is a real PostgreSQL of a test's own. It wants a password, and speaks TLS
// with a certificate for localhost and 127.0.0.1 to who asks for it.
type Postgres struct {
	*Server
	CA string // the file of the authority that signed its certificate
	DB *sql.DB
}

// StartPostgres starts one, and stops it when the test ends.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	bin, err := exec.Command("pg_config", "--bindir").Output()
	if err != nil {
		bin = []byte("/usr/lib/postgresql/15/bin")
	}
	postgres := filepath.Join(strings.TrimSpace(string(bin)), "postgres")
	if _, err := os.Stat(postgres); err != nil {
		t.Fatalf("PostgreSQL is missing: %s", installPostgres)
	}
	dir := postgresDir(t)
	data, password := filepath.Join(dir, "data"), filepath.Join(dir, "password")
	write(t, password, []byte(PostgresPassword))
	initdb := asPostgres(exec.Command(filepath.Join(filepath.Dir(postgres), "initdb"), "-D", data, "-U", PostgresUser,
		"-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8", "--locale", "C", "--no-sync"))
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	ca, certificate, key := certificates(t)
	write(t, filepath.Join(dir, "ca.crt"), ca)
	write(t, filepath.Join(data, "server.crt"), certificate)
	write(t, filepath.Join(data, "server.key"), key)
	address := Address(t)
	_, port, _ := net.SplitHostPort(address)
	p := &Postgres{CA: filepath.Join(dir, "ca.crt")}
	p.Server = start(t, address, func() *exec.Cmd {
		return asPostgres(exec.Command(postgres, "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "ssl=on", "-c", "max_connections=200"))
	})
	t.Cleanup(p.Stop) // before the server's own, which its children would outlive
	if p.DB, err = sql.Open("postgres", p.URL("")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.DB.Close() })
	p.ready(t)
	return p
}

// URL gives the address of its database, with more parameters (&name=value).
func (p *Postgres) URL(more string) string {
	return fmt.Sprintf("postgres://%s:%s@%s/postgres?sslmode=disable%s", PostgresUser, strings.ReplaceAll(PostgresPassword, "/", "%2F"), p.Address, more)
}

// Rows counts those of a table: from is what follows FROM.
func (p *Postgres) Rows(t testing.TB, from string) (n int) {
	t.Helper()
	if err := p.DB.QueryRow("SELECT count(*) FROM " + from).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Exec runs SQL.
func (p *Postgres) Exec(t testing.TB, statements string, args ...any) {
	t.Helper()
	if _, err := p.DB.Exec(statements, args...); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// Stop ends the server and its sessions at once, as a crash does.
func (p *Postgres) Stop() {
	p.mu.Lock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // which its children hear of
		<-p.ended
	}
	p.mu.Unlock()
	p.Server.Stop()
}

// Restart starts it again after a Stop, and waits until it has recovered.
func (p *Postgres) Restart(t testing.TB) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	p.ready(t)
}

func (p *Postgres) ready(t testing.TB) {
	t.Helper()
	var err error
	harness.Await(t, func() bool { err = p.DB.Ping(); return err == nil }, func() string { return fmt.Sprint("PostgreSQL doesn't answer: ", err) })
}

// PgBouncer is a pooler that gives each transaction whichever of its few sessions is
// free.
type PgBouncer struct {
	*Server
	Sessions int // with the server
}

// StartPgBouncer starts one before a server; it asks for no password.
func StartPgBouncer(t testing.TB, p *Postgres) *PgBouncer {
	t.Helper()
	program := Program(t, "pgbouncer", installPostgres)
	dir, address, sessions := postgresDir(t), Address(t), 2
	host, port, _ := net.SplitHostPort(address)
	_, backend, _ := net.SplitHostPort(p.Address)
	settings := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%s user=%s password=%s
[pgbouncer]
listen_addr = %s
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %d
max_client_conn = 200
server_login_retry = 1
`, backend, PostgresUser, PostgresPassword, host, port, sessions)
	write(t, filepath.Join(dir, "pgbouncer.ini"), []byte(settings))
	return &PgBouncer{Sessions: sessions, Server: start(t, address, func() *exec.Cmd {
		return asPostgres(exec.Command(program, filepath.Join(dir, "pgbouncer.ini")))
	})}
}

// URL gives the address of the database behind it.
func (b *PgBouncer) URL(more string) string {
	return fmt.Sprintf("postgres://somebody@%s/postgres?sslmode=disable%s", b.Address, more)
}

// postgresAccount is who the servers run as: they refuse to be root's. Nil: as oneself.
func postgresAccount() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup(PostgresUser)
	if err != nil {
		return nil // and the server says why that doesn't do
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func asPostgres(cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: postgresAccount()}
	return cmd
}

// postgresDir gives a folder that the server may enter, which one below the test's own
// isn't.
func postgresDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	own(t, dir)
	return dir
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	own(t, path)
}

func own(t testing.TB, path string) {
	t.Helper()
	if c := postgresAccount(); c != nil {
		if err := os.Chown(path, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// certificates makes an authority, and a server's certificate and key signed by it.
func certificates(t testing.TB) (ca, certificate, key []byte) {
	t.Helper()
	sign := func(c, parent *x509.Certificate, signer *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if signer == nil {
			signer = k
		}
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &k.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), k
	}
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the tests' authority"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	ca, signer := sign(authority, authority, nil)
	server := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	certificate, k := sign(server, authority, signer)
	der, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return ca, certificate, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}
