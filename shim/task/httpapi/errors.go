package httpapi

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// meaning is what a status means.
type meaning struct {
	kind contract.Kind
	hint string
}

const (
	hintToken    = "check the token, and that it may do this"
	hintURL      = "does the URL name an existing queue of the API?"
	hintContract = "the API doesn't take this request: is it the right URL, and the right method?"
	hintMoved    = "redirects are not followed, as the answer to one may be a login page; give the new URL"
)

// meanings are those of the statuses whose class doesn't tell.
func meanings() map[int]meaning {
	return map[int]meaning{
		http.StatusMovedPermanently:        {contract.NoSuch, hintMoved},
		http.StatusPermanentRedirect:       {contract.NoSuch, hintMoved},
		http.StatusUnauthorized:            {contract.Denied, hintToken},
		http.StatusPaymentRequired:         {contract.Denied, ""},
		http.StatusForbidden:               {contract.Denied, hintToken},
		http.StatusNotFound:                {contract.NoSuch, hintURL},
		http.StatusProxyAuthRequired:       {contract.Denied, "the proxy wants a user and a password: HTTPS_PROXY=http://user:password@host"},
		http.StatusRequestTimeout:          {contract.Unreachable, ""},
		http.StatusConflict:                {contract.Unreachable, ""}, // an Idempotency-Key whose first request is still being worked on
		http.StatusGone:                    {contract.NoSuch, hintURL},
		http.StatusMisdirectedRequest:      {contract.Unreachable, ""},
		http.StatusLocked:                  {contract.Unreachable, ""},
		http.StatusTooEarly:                {contract.Unreachable, ""},
		http.StatusTooManyRequests:         {contract.Unreachable, ""},
		http.StatusNotImplemented:          {contract.Unsupported, hintContract},
		http.StatusHTTPVersionNotSupported: {contract.Unsupported, hintContract},
	}
}

func byClass() map[int]meaning {
	return map[int]meaning{
		3: {contract.Unreachable, "redirects are not followed: " + web.HintServer},
		4: {contract.Refused, hintContract},
		5: {contract.Unreachable, ""},
	}
}

// refusal is an answer that isn't 2xx.
type refusal struct {
	status  int
	message string // without secrets; "" where the answer gives none
}

func (r *refusal) Error() string { return web.Refusal(r.status, "", r.message) }

// refused gives an answer that isn't 2xx its meaning, and remembers when the API wants
// to be called again.
func (s *source) refused(name string, res *http.Response, secrets []string) error {
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, web.MaxError)) // a part of it tells less, and nothing wrong
	m, known := meanings()[res.StatusCode]
	if !known {
		m = byClass()[res.StatusCode/100]
	}
	if m.kind == contract.Other {
		m.kind = contract.Unreachable
	}
	if res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable {
		if wait := retryAfter(res.Header, time.Now()); wait > 0 {
			m.hint = hintWait(wait)
			s.mu.Lock()
			s.waits[name] = time.Now().Add(wait)
			s.mu.Unlock()
		}
	}
	return &contract.Error{Kind: m.kind, Hint: m.hint, Cause: &refusal{res.StatusCode, s.Hidden(message(res.Header, body, secrets))}}
}

func hintWait(d time.Duration) string {
	return fmt.Sprintf("the API wants to be called again in %v (Retry-After)", max(d.Round(time.Second), time.Second))
}

// maxWait bounds how long an API is left alone.
const maxWait = time.Hour

// retryAfter reads Retry-After, seconds or a date (RFC 9110, section 10.2.3). A date is
// by the server's own clock, where the answer tells it.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value != "" && strings.Trim(value, "0123456789") == "" {
		n, err := strconv.Atoi(value)
		if err != nil || n > int(maxWait/time.Second) {
			return maxWait
		}
		return time.Duration(n) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), maxWait)
}

// message gives what an API says of an error: a member of a JSON object as they usually
// are (RFC 9457 has detail and title), or a plain text. Pages tell nothing.
func message(h http.Header, body []byte, secrets []string) string {
	text := ""
	var doc map[string]any
	switch {
	case json.Unmarshal(body, &doc) == nil:
		if inner, ok := doc["error"].(map[string]any); ok {
			doc = inner
		}
		for _, name := range []string{"detail", "message", "error", "title", "code"} {
			if s, ok := doc[name].(string); ok && text == "" {
				text = s
			}
		}
	case mediaType(h) == "text/plain":
		text = strings.ToValidUTF8(string(body), "")
	}
	// The longest first: one may be a part of another.
	sort.Slice(secrets, func(i, j int) bool { return len(secrets[i]) > len(secrets[j]) })
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

func mediaType(h http.Header) string {
	t, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return t
}

// noAnswer is a request without an answer.
func noAnswer(ctx context.Context, err error) error {
	return hinted(ctx, web.Unreachable(ctx, err))
}

// wholeBody reads an answer's body.
func wholeBody(ctx context.Context, res *http.Response, limit int64) ([]byte, error) {
	body, err := web.Body(ctx, res, server, limit)
	return body, hinted(ctx, err)
}

// hinted replaces the hints that speak of a store.
func hinted(ctx context.Context, err error) error {
	e, ok := errors.AsType[*contract.Error](err)
	if !ok {
		return err
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		e.Hint = "is the name of the API's host right?"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
		e.Hint = "the API speaks no TLS there: write http:// or the right port"
	}
	if ctx.Err() != nil {
		e.Hint = "no answer in time"
	}
	return e
}

// status gives that of a refusal, 0 of any other error.
func status(err error) int {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.status
	}
	return 0
}
