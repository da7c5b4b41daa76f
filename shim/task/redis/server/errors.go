package server

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/gomodule/redigo/redis"

	"nth/shim/store/contract"
)

// refusal is what a server's answer means. The words stand at its beginning or, where an
// older server repeats what a command in a script answered, somewhere in it.
type refusal struct {
	words string
	kind  contract.Kind
	hint  string
}

const (
	hintACL      = "what the user of an ACL needs is in docs/queues.md"
	hintPassword = "are the user and the password of the URL, or of REDISCLI_AUTH, right?"
	hintType     = "is the name right? ?queue= is for a list, ?stream= for a stream"
)

var refusals = []refusal{
	{"WRONGPASS", contract.Denied, hintPassword},
	{"NOAUTH", contract.Denied, "the server wants a password: redis://user:password@host, or REDISCLI_AUTH"},
	{"NOPERM", contract.Denied, hintACL},
	{"unauthenticated", contract.Denied, "the server wants a password: redis://user:password@host, or REDISCLI_AUTH"},
	{"ACL failure", contract.Denied, hintACL},
	{"can't run this command", contract.Denied, hintACL},
	{"can't access at least one of the keys", contract.Denied, hintACL},
	{"DENIED", contract.Denied, "the server is in protected mode: it wants a password, or clients of its own machine"},
	{"invalid password", contract.Denied, hintPassword},
	{"without any password configured", contract.Denied, "the server has no password: leave it out"},
	{"no password is set", contract.Denied, "the server has no password: leave it out"},
	{"WRONGTYPE", contract.Refused, hintType},
	{"requires the key to", contract.NoSuch, "is the stream's name right? Whoever fills it makes it; nth makes none"},
	{"NOGROUP", contract.NoSuch, "the stream or its group was removed"},
	{"CROSSSLOT", contract.Refused, "a queue whose name has a } but no hash tag can't be in a cluster"},
	{"DB index is out of range", contract.NoSuch, "the URL's path is the number of the database"},
	{"SELECT is not allowed in cluster mode", contract.NoSuch, "a cluster has database 0 alone"},
	{"unknown command", contract.Unsupported, "the server must be Redis 5.0 or later (6.2 for streams), with scripts; a sentinel is redis+sentinel://"},
	{"LOADING", contract.Unreachable, "the server is loading its data"},
	{"READONLY", contract.Unreachable, "this is a replica, and not the master"},
	{"MASTERDOWN", contract.Unreachable, ""},
	{"CLUSTERDOWN", contract.Unreachable, ""},
	{"TRYAGAIN", contract.Unreachable, ""},
	{"ASK", contract.Unreachable, "the cluster is moving the queue's slot"},
	{"MOVED", contract.Unreachable, ""},
	{"BUSY", contract.Unreachable, ""},
	{"OOM", contract.Unreachable, "the server's memory is full (maxmemory)"},
	{"MISCONF", contract.Unreachable, "the server can't write to its disk"},
	{"NOREPLICAS", contract.Unreachable, ""},
	{"max number of clients reached", contract.Unreachable, ""},
}

// says tells whether a server's text has these words, also as an error in an error.
func says(text, words string) bool {
	return strings.Contains(" "+strings.ReplaceAll(text, " -", " ")+" ", " "+words+" ")
}

// stale are refusals after which the address may be another server's.
func stale(text string) bool {
	return says(text, "READONLY") || says(text, "MASTERDOWN") || says(text, "CLUSTERDOWN")
}

// Failed makes an error of the client's into one of the contract's.
func (s *Settings) Failed(what string, err error) error {
	e := s.explain(err)
	if what != "" {
		what += ": "
	}
	e.Cause = fmt.Errorf("%sredis at %s: %w", what, s.Address, e.Cause)
	return e
}

func (s *Settings) explain(err error) *contract.Error {
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e
	}
	if text, ok := errors.AsType[redis.Error](err); ok {
		return s.refused(string(text))
	}
	cause := err
	if outer, ok := errors.AsType[*net.OpError](err); ok {
		cause = outer.Err // without the addresses
	}
	hint := ""
	var authority x509.UnknownAuthorityError
	switch {
	case timedOut(err):
		cause = errors.New("no answer in time")
		if s.Secure {
			hint = "does the server speak TLS there? One that doesn't waits for more"
		}
	case errors.Is(err, context.Canceled):
		cause = context.Canceled
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		cause, hint = errors.New("the server closed the connection before its answer was complete"), "does it want TLS? That is rediss://"
	case errors.As(err, &authority):
		hint = "SSL_CERT_FILE names the file of trusted authorities"
	case strings.Contains(err.Error(), "first record does not look like a TLS handshake"):
		hint = "the server speaks no TLS there: that is redis://, or another port"
	case strings.HasPrefix(err.Error(), "redigo: "):
		hint = "is it a Redis server that answers there?"
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: cause, Hint: hint}
}

// refused explains a refusal. A server that doesn't know AUTH repeats its arguments.
func (s *Settings) refused(text string) *contract.Error {
	text, _, _ = strings.Cut(text, " script: ")
	if strings.Contains(text, "with args beginning with") {
		text, _, _ = strings.Cut(text, ", with args")
	}
	for _, secret := range []string{s.Password, s.SentinelPassword} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	for _, r := range refusals {
		if says(text, r.words) {
			return &contract.Error{Kind: r.kind, Cause: errors.New(text), Hint: r.hint}
		}
	}
	return &contract.Error{Kind: contract.Other, Cause: errors.New(text)}
}

func timedOut(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout() || errors.Is(err, context.DeadlineExceeded)
}
