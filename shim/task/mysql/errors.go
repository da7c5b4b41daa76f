package mysql

import (
	"context"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"nth/shim/store/contract"
	"nth/shim/task/statements"
)

type sense struct {
	kind contract.Kind
	hint string
}

const (
	hintLogin   = "check the user and the password: the URL's, or MYSQL_PWD"
	hintGrant   = "GRANT SELECT, UPDATE ON the table TO the user"
	hintTable   = "create it with the SQL of nth's documentation, or correct table=name or table=schema.name"
	hintColumns = "the table has the columns id, payload, state, attempt, due, run_id, worker and error, and the key nth_due: compare it with the SQL of nth's documentation"
	hintReplica = "the server takes no writes: name the primary, not a replica"
	hintOld     = "it needs MariaDB 10.6 or MySQL 8.0, for SKIP LOCKED"
	hintBinlog  = "set binlog_format to MIXED or ROW: tasks are taken with READ COMMITTED"
	hintNoTLS   = "ssl-mode=DISABLED sends all as it is, the tasks too; else give the server a certificate"
	hintName    = "the server's certificate is for another name: name the host as its certificate does"
	hintServer  = "are the host and the port MariaDB's or MySQL's?"
	hintRoots   = "ssl-ca=FILE or SSL_CERT_FILE names the trusted authorities"
	hintPlugin  = "give the user mysql_native_password, caching_sha2_password or sha256_password"
)

// deadlock is the number of the error that ends one of two who wait for each other.
const deadlock = 1213

// senseOf gives what an error of the server's means, by its number and, where that isn't
// here, the class of its SQLSTATE. All others are for now only, such as too many
// connections (1040, 1203, 1226), a shutdown (1053), a wait that was too long (1205), or a
// full disk (1021, 1114).
func senseOf(e *mysql.MySQLError) (s sense, known bool) {
	switch e.Number {
	case 1045, 1698, 1820, 1862, 3118, 4151: // a login; an account that is locked, or whose password has expired
		return sense{contract.Denied, hintLogin}, true
	case 1130: // from this host
		return sense{contract.Denied, "the server lets no such user in from here: CREATE USER 'name'@'host'"}, true
	case 1044, 1142, 1143, 1227, 1370:
		return sense{contract.Denied, hintGrant}, true
	case 1251, 1524:
		return sense{contract.Unsupported, hintPlugin}, true
	case 1049:
		return sense{contract.NoSuch, "create the database, or correct its name"}, true
	case 1146:
		return sense{contract.NoSuch, hintTable}, true
	case 1290, 1792, 1836: // read_only; a transaction that is; a server in upgrade or recovery
		return sense{contract.Unreachable, hintReplica}, true
	case 1665:
		return sense{contract.Unsupported, hintBinlog}, true
	case 1064:
		if strings.Contains(e.Message, "SKIP LOCKED") {
			return sense{contract.Unsupported, hintOld}, true
		}
	case 1203, 1226:
		return sense{contract.Unreachable, ""}, true
	case 1176:
		return sense{contract.Refused, hintColumns}, true
	}
	switch stateOf(e)[:2] {
	case "28":
		return sense{contract.Denied, hintLogin}, true
	case "42", "22", "23":
		return sense{contract.Refused, hintColumns}, true
	}
	return sense{kind: contract.Unreachable}, false
}

// stateOf gives an error's SQLSTATE. What doesn't fit a column's type is of the class 22
// wherever it is found; the servers give some of it others.
func stateOf(e *mysql.MySQLError) string {
	switch e.Number {
	case 1265, 1300, 1366:
		return "22000"
	}
	return string(e.SQLState[:])
}

// number gives that of an error of the server's; 0: it is none.
func number(err error) uint16 {
	if answer, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return answer.Number
	}
	return 0
}

// meaning gives an error its kind.
func meaning(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, known := errors.AsType[*contract.Error](err); known {
		return err
	}
	if answer, ok := errors.AsType[*mysql.MySQLError](err); ok {
		s, _ := senseOf(answer)
		return &contract.Error{Kind: s.kind, Cause: &statements.Refusal{Message: line(withoutValues(answer.Message)), Number: strconv.Itoa(int(answer.Number)), State: stateOf(answer)}, Hint: s.hint}
	}
	if ctx.Err() != nil {
		return &contract.Error{Kind: contract.Unreachable, Cause: ctx.Err(), Hint: "the database gave no answer in time: " + hintServer}
	}
	return local(err)
}

// withoutValues gives what of a message stands before a value of nth's, which is in digits.
func withoutValues(message string) string {
	message, _, _ = strings.Cut(message, "_utf8mb4 ")
	message, _, _ = strings.Cut(message, "_binary ")
	return message
}

// local gives errors of this side of the connection their kinds.
func local(err error) error {
	switch {
	case errors.Is(err, mysql.ErrNoTLS):
		return &contract.Error{Kind: contract.Unsupported, Cause: errors.New("the server has no TLS"), Hint: hintNoTLS}
	case errors.Is(err, mysql.ErrUnknownPlugin), errors.Is(err, mysql.ErrCleartextPassword), errors.Is(err, mysql.ErrOldPassword), errors.Is(err, mysql.ErrNativePassword):
		return &contract.Error{Kind: contract.Unsupported, Cause: errors.New("the user's way to log in isn't known here"), Hint: hintPlugin}
	case errors.Is(err, mysql.ErrOldProtocol), errors.Is(err, mysql.ErrMalformPkt), errors.Is(err, mysql.ErrPktSync), errors.Is(err, mysql.ErrPktSyncMul):
		err = errForeign
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the connection to the database was lost")
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: err, Hint: hint(err)}
}

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
func line(message string) string { return statements.Line(message, "") }
