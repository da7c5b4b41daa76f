package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"nth/shim/store/contract"
)

// HintServer is for an answer that the store can't have given.
const HintServer = "is the endpoint right, and no proxy or login page in between?"

// MaxError bounds what is read of an error's body, in bytes.
const MaxError = 64 << 10

// Foreign is an answer of success that the store doesn't give: some proxy, login
// page or other server must have. It proves nothing, neither presence nor a write.
func Foreign(store, why string) error {
	return &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("the answer is not %s's: %s", store, why), Hint: HintServer}
}

// Unreachable is a request without an answer. The transport's error repeats the
// URL, which tells nothing new and may hold what should not be shown. An end of
// file is told in words: the callers take io.EOF itself for the end of the blob.
func Unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &contract.Error{Kind: contract.Unreachable, Cause: context.Cause(ctx), Hint: "no answer in time; --store-timeout is the deadline of one call"}
	}
	if outer, ok := err.(interface{ Unwrap() error }); ok && outer.Unwrap() != nil {
		err = outer.Unwrap()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the server closed the connection before its answer was complete")
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: err, Hint: hint(err)}
}

func hint(err error) string {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "is the bucket's, the account's, the region's or the endpoint's name right?"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "SSL_CERT_FILE names the file of trusted authorities"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
		return "the endpoint speaks no TLS there: write endpoint=http://… or the right port"
	}
	return ""
}

// Body reads an answer's body to its end, and closes it. More than limit bytes are
// no answer.
func Body(ctx context.Context, res *http.Response, store string, limit int64) ([]byte, error) {
	defer res.Body.Close()
	var body bytes.Buffer
	body.Grow(int(max(0, min(res.ContentLength, limit))) + bytes.MinRead) // at once, where it is said how much comes
	if _, err := body.ReadFrom(io.LimitReader(res.Body, limit+1)); err != nil {
		return nil, Unreachable(ctx, err)
	}
	if int64(body.Len()) > limit {
		return nil, Foreign(store, fmt.Sprintf("it has more than %d bytes", limit))
	}
	return body.Bytes(), nil
}

// Drain reads what is left of a small body, so that the connection can be used again.
func Drain(res *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, MaxError))
	res.Body.Close()
}

// maxMessage bounds what is repeated of a server's message, in bytes.
const maxMessage = 300

// Refusal is a server's refusal in one line: its status, its code, and of its
// message not more than a person reads.
func Refusal(status int, code, message string) string {
	s := fmt.Sprintf("status %d", status)
	if code != "" {
		s += " " + code
	}
	if m := strings.TrimSuffix(strings.Join(strings.Fields(message), " "), "."); m != "" {
		if len(m) > maxMessage {
			m = strings.ToValidUTF8(m[:maxMessage], "") + "…"
		}
		s += ": " + m
	}
	return s
}
