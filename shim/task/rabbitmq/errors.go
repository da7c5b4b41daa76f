package rabbitmq

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"nth/shim/store/contract"
	"nth/shim/task/rabbitmq/amqp"
)

const (
	hintURL    = "amqp://user:password@host:5672/vhost?queue=NAME, amqps:// for TLS; write %2f for a / in a name"
	hintLogin  = "are the user and the password of the URL right? guest, which is who it is without them, may come from the server's own machine alone"
	hintVHost  = "the URL's path is the virtual host, and / where there is none"
	hintQueue  = "are the queue's name and its virtual host, which is the URL's path, right? Whoever fills the queue makes it; nth makes none"
	hintAccess = "the user needs the permission to read the queue and, with dead=, to write to amq.default: rabbitmqctl set_permissions -p VHOST USER '^$' '^amq\\.default$' '^QUEUE$'"
	// hintLong is for who holds a message for longer than the server lets anybody.
	hintLong = "set consumer_timeout in rabbitmq.conf higher than the longest command takes, in milliseconds"
)

// tooLong is in the words with which a channel is closed whose message has been held for
// longer than consumer_timeout.
const tooLong = "delivery acknowledgement on channel"

// kindOf is what it means that the server closes a channel or the connection (AMQP 0-9-1
// reference, "Reply codes").
func kindOf(c *amqp.Closed) (contract.Kind, string) {
	switch c.Code {
	case 403:
		if c.Channel == 0 {
			return contract.Denied, hintLogin
		}
		return contract.Denied, hintAccess
	case 404:
		return contract.NoSuch, hintQueue
	case 530: // no such virtual host, or not for this user, or no more connections
		switch {
		case strings.Contains(c.Text, "refused"):
			return contract.Denied, hintVHost
		case strings.Contains(c.Text, "not found"):
			return contract.NoSuch, hintVHost
		}
	case 405:
		return contract.Refused, "another connection has the queue for itself (exclusive)"
	case 311, 406:
		return contract.Refused, ""
	case 540:
		return contract.Unsupported, ""
	}
	return contract.Unreachable, ""
}

// failed makes an error of a call into one of the contract's.
func (s *source) failed(err error) error {
	e := s.explain(err)
	e.Cause = fmt.Errorf("rabbitmq at %s: %w", s.address, e.Cause)
	return e
}

func (s *source) explain(err error) *contract.Error {
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e
	}
	if closed, ok := errors.AsType[*amqp.Closed](err); ok {
		kind, hint := kindOf(closed)
		return &contract.Error{Kind: kind, Cause: errors.New(s.said(closed.Text)), Hint: hint}
	}
	e := &contract.Error{Kind: contract.Unreachable, Cause: err}
	if outer, ok := errors.AsType[*net.OpError](err); ok {
		e.Cause = outer.Err // without the addresses
	}
	n, isNet := errors.AsType[net.Error](err)
	why, foreign := errors.AsType[amqp.Foreign](err)
	var authority x509.UnknownAuthorityError
	switch {
	case foreign:
		e.Cause, e.Hint = fmt.Errorf("the answer is not RabbitMQ's: %s", s.said(string(why))), "is it RabbitMQ that answers there, with AMQP 0-9-1, and with TLS only for amqps://?"
	case isNet && n.Timeout(), errors.Is(err, context.DeadlineExceeded):
		e.Cause = errors.New("no answer in time")
		if s.secure {
			e.Hint = "does the server speak TLS there?"
		}
	case errors.Is(err, context.Canceled):
		e.Cause = context.Canceled
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.Cause, e.Hint = errors.New("the server closed the connection before its answer was complete"), "is it up? If it wants TLS, that is amqps://"
	case errors.As(err, &authority):
		e.Hint = "SSL_CERT_FILE names the file of trusted authorities"
	case strings.Contains(err.Error(), "first record does not look like a TLS handshake"):
		e.Hint = "the server speaks no TLS there: that is amqp://, or another port"
	}
	return e
}

// said gives a server's words in one line, without the password.
func (s *source) said(text string) string {
	if s.password != "" && s.password != "guest" {
		text = strings.ReplaceAll(text, s.password, "…")
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(text, "�")), " ")
}

func invalid(cause error, hint string) error {
	return &contract.Error{Kind: contract.Invalid, Cause: cause, Hint: hint}
}
