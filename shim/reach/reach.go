// Package reach asks whether a server is there: what --require means by tcp:// and
// http(s)://, such as a sidecar that must be up before the command runs.
package reach

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"nth/shim/failure"
	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// Server is one that must be there.
type Server struct{ at *url.URL }

// Is tells whether a URL is a server's, and not a blob's.
func Is(rawURL string) bool {
	scheme, _, _ := strings.Cut(rawURL, "://")
	switch strings.ToLower(scheme) {
	case "tcp", "http", "https":
		return true
	}
	return false
}

// Parse gives the server of a URL: tcp://host:port, or http(s)://host/path?query. An
// error is a failure with exit code 64. It doesn't show what of the URL may be a password.
func Parse(rawURL string) (*Server, error) {
	const form = "write tcp://host:port or http://host/path"
	u, err := url.Parse(rawURL)
	if err != nil {
		u = new(url.URL)
	}
	bad := func(why, hint string) (*Server, error) {
		on := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
		return nil, &failure.Failure{Code: failure.Usage, Tried: "read the URL of a server", On: on.String(), Cause: errors.New(why), Hint: hint}
	}
	switch {
	case u.Hostname() == "":
		return bad("it is malformed", form)
	case u.User != nil:
		return bad("it names a user", "a server is only asked whether it is there, and no credentials are sent")
	case strings.Contains(rawURL, "#"):
		return bad("it has a #, behind which nothing is sent", "write %23 for one in a name")
	case u.Scheme != "tcp":
		return &Server{u}, nil
	case u.Port() == "":
		return bad("it has no port", form)
	case !isPort(u.Port()):
		return bad("its port isn't one of 1 to 65535", form)
	case strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "":
		return bad("it has more than a host and a port", form)
	}
	return &Server{u}, nil
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// There tells whether the server accepts a connection or, with http(s)://, answers a GET
// with a status of success; 404 and 410 say that what is asked for isn't there. Errors
// are of the kinds of nth/shim/store/contract.
func (s *Server) There(ctx context.Context) (bool, error) {
	if s.at.Scheme != "tcp" {
		return s.answers(ctx)
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.at.Host)
	if err != nil {
		return false, unreachable(ctx, err)
	}
	return true, c.Close()
}

func (s *Server) answers(ctx context.Context) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.at.String(), nil)
	if err != nil {
		return false, &contract.Error{Kind: contract.Invalid, Cause: errors.New("the URL is malformed")}
	}
	client := web.Client()
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return false, unreachable(ctx, web.Unreachable(ctx, err))
	}
	res.Body.Close() // however long it is
	return verdict(res)
}

func verdict(res *http.Response) (bool, error) {
	e := &contract.Error{Kind: contract.Unreachable, Cause: errors.New(web.Refusal(res.StatusCode, "", ""))}
	switch code := res.StatusCode; {
	case code >= 200 && code < 300:
		return true, nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return false, nil
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		e.Kind, e.Hint = contract.Denied, "--require sends no credentials: name a page that needs none"
	case code >= 300 && code < 400:
		// It may be a page that stands there until the server is up.
		e.Hint = "no redirect is followed: if it is up, write the URL to which it leads"
	default:
		e.Hint = hintUp
	}
	return false, e
}

const hintUp = "is it up? --store-wait and --require-wait say how long it is tried"

// unreachable tells why there is no connection, or no answer.
func unreachable(ctx context.Context, err error) error {
	e := &contract.Error{Kind: contract.Unreachable, Cause: err, Hint: hintUp}
	if ctx.Err() != nil {
		e.Cause = errors.New("no answer in time")
		return e
	}
	if told, ok := errors.AsType[*contract.Error](err); ok {
		e.Cause = told.Cause
	}
	switch text := e.Cause.Error(); {
	case strings.Contains(text, "HTTP response to HTTPS client"):
		e.Hint = "it speaks no TLS there: write http://, or the right port"
	case strings.Contains(text, "x509: "):
		e.Hint = "SSL_CERT_FILE names the file of trusted authorities"
	}
	if op, ok := errors.AsType[*net.OpError](e.Cause); ok {
		e.Cause = op.Err // whom it was said to stands in the message already
	}
	return e
}
