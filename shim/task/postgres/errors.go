package postgres

import (
	"context"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"

	"github.com/lib/pq"

	"nth/shim/store/contract"
	"nth/shim/task/statements"
)

type sense struct {
	kind contract.Kind
	hint string
}

const (
	hintLogin   = "check the user and the password: the URL's, PGUSER and PGPASSWORD, or ~/.pgpass (mode 0600)"
	hintGrant   = "GRANT SELECT, UPDATE ON the table TO the user"
	hintTable   = "create it with the SQL of nth's documentation, or correct table=name or table=schema.name; names are as written, capitals included"
	hintColumns = "the table has the columns id, payload, state, attempt, due, run_id, worker and error: compare it with the SQL of nth's documentation"
	hintStandby = "the server is a standby: name all hosts, and target_session_attrs=read-write"
	hintNoTLS   = "sslmode=disable sends all as it is, the tasks too; else give the server a certificate"
	hintName    = "the server's certificate is for another name: name the host as its certificate does"
	hintServer  = "are the host and the port PostgreSQL's?"
	hintRoots   = "sslrootcert=FILE or SSL_CERT_FILE names the trusted authorities"
)

// senses are what SQLSTATE codes, or the classes that are their first two characters,
// mean (PostgreSQL, appendix A). All others are for now only.
func senses() map[string]sense {
	return map[string]sense{
		"28":    {contract.Denied, hintLogin},
		"42501": {contract.Denied, hintGrant},
		"42P01": {contract.NoSuch, hintTable},
		"3F000": {contract.NoSuch, hintTable},
		"3D000": {contract.NoSuch, "create the database, or correct its name"},
		"42":    {contract.Refused, hintColumns},
		"22":    {contract.Refused, hintColumns},
		"23":    {contract.Refused, hintColumns},
		"0A":    {contract.Unsupported, ""},
		"25006": {contract.Unreachable, hintStandby},
	}
}

// meaning gives an error its kind.
func meaning(ctx context.Context, err error) error {
	switch answer, ok := errors.AsType[*pq.Error](err); {
	case err == nil:
		return nil
	case ok:
		return refused(answer)
	case ctx.Err() != nil:
		return &contract.Error{Kind: contract.Unreachable, Cause: ctx.Err(), Hint: "the database gave no answer in time: " + hintServer}
	}
	return local(err)
}

func refused(answer *pq.Error) error {
	code := string(answer.Code)
	m, known := senses()[code]
	if !known && len(code) == 5 {
		m, known = senses()[code[:2]]
	}
	if !known {
		m.kind = contract.Unreachable
	}
	return &contract.Error{Kind: m.kind, Cause: &statements.Refusal{Message: line(answer.Message), Number: code, State: code}, Hint: m.hint}
}

// local gives errors of this side of the connection their kinds.
func local(err error) error {
	_, file := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, pq.ErrSSLNotSupported):
		return &contract.Error{Kind: contract.Unsupported, Cause: errors.New("the server has no TLS"), Hint: hintNoTLS}
	case file, errors.Is(err, pq.ErrSSLKeyHasWorldPermissions), errors.Is(err, pq.ErrSSLKeyUnknownOwnership):
		return &contract.Error{Kind: contract.Invalid, Cause: errors.New(line(err.Error()))}
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the connection to the database was lost")
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: oneLine{err}, Hint: hint(err)}
}

// oneLine is an error that is shown in one line: lib/pq's of several hosts isn't.
type oneLine struct{ error }

func (e oneLine) Error() string { return line(e.error.Error()) }
func (e oneLine) Unwrap() error { return e.error }

func hint(err error) string {
	if errors.Is(err, errForeign) {
		return hintServer
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return hintRoots
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return hintName
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "is the host's name right?"
	}
	return ""
}

// line makes one line of a message.
func line(message string) string { return statements.Line(message, "pq: ") }
