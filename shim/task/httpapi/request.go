package httpapi

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/shim/task"
)

// server is whose answers these are.
const server = "the API"

func foreign(why string) error { return web.Foreign(server, why) }

// call is one request.
type call struct {
	name   string // what for
	method string
	url    string
	key    string // Idempotency-Key; "": none
	body   string // JSON; "": none
}

// send sends a request. An answer that isn't 2xx is an error, and so is a page for
// people: some login or proxy's.
func (s *source) send(ctx context.Context, c call) (*http.Response, error) {
	if err := s.wait(ctx, c.name); err != nil {
		return nil, err
	}
	req, secrets, err := s.request(ctx, c)
	if err != nil {
		return nil, err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, noAnswer(ctx, err)
	}
	if res.StatusCode/100 != 2 {
		return nil, s.refused(c.name, res, secrets)
	}
	if web.IsPage(res) {
		web.Drain(res)
		return nil, foreign("it is a page for people")
	}
	return res, nil
}

const idempotencyKey = "Idempotency-Key"

// request makes a request, and tells which words of it mustn't be shown.
func (s *source) request(ctx context.Context, c call) (req *http.Request, secrets []string, err error) {
	headers, err := s.headers()
	if err != nil {
		return nil, nil, err
	}
	req, err = http.NewRequestWithContext(ctx, c.method, c.url, strings.NewReader(c.body))
	if err != nil {
		return nil, nil, invalid("%s: the URL is malformed", c.name)
	}
	req.Header.Set("Accept", "application/json")
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range headers {
		name = http.CanonicalHeaderKey(name)
		req.Header[name] = values
		for _, v := range values {
			secrets = append(secrets, v)
			if _, token, ok := strings.Cut(v, " "); ok && name == "Authorization" {
				secrets = append(secrets, token)
			}
		}
	}
	secrets = append(secrets, inURL(req.URL)...)
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	switch {
	case c.key == "":
	case c.name == "take":
		req.Header.Set(idempotencyKey, c.key)
	default:
		// Net/http doesn't know it so, and repeats nothing by itself where an old connection broke:
		// nobody would know that the API may have heard it before.
		req.Header[strings.ToLower(idempotencyKey)] = []string{c.key}
	}
	return req, secrets, nil
}

// inURL gives the secrets of a URL, as they are written there and as they are read.
func inURL(u *url.URL) (secrets []string) {
	if password, ok := u.User.Password(); ok {
		secrets = append(secrets, password, base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	for parameter := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(parameter, "=")
		if slices.Contains(credentials, strings.ToLower(name)) || strings.EqualFold(name, "key") {
			read, _ := url.QueryUnescape(value)
			secrets = append(secrets, value, read)
		}
	}
	return secrets
}

// wait waits until the API wants to be called again. It has said so for one kind of
// call: a lease must not be lost because there is nothing to take.
func (s *source) wait(ctx context.Context, name string) error {
	s.mu.Lock()
	until := s.waits[name]
	s.mu.Unlock()
	left := time.Until(until)
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &contract.Error{Kind: contract.Unreachable, Cause: errors.Join(task.ErrUnasked, ctx.Err()), Hint: hintWait(time.Until(until))}
	}
}
