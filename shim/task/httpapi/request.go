package httpapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/store/web"
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
	body   []byte // JSON; nil: none
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
	if isPage(res.Header) {
		web.Drain(res)
		return nil, foreign("it is a page for people")
	}
	return res, nil
}

// request makes a request, and tells which words of it mustn't be shown.
func (s *source) request(ctx context.Context, c call) (req *http.Request, secrets []string, err error) {
	req, err = http.NewRequestWithContext(ctx, c.method, c.url, bytes.NewReader(c.body))
	if err != nil {
		return nil, nil, unusable("%s: the URL is malformed", c.name)
	}
	req.Header.Set("Accept", "application/json")
	if c.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range s.Headers {
		req.Header[http.CanonicalHeaderKey(name)] = values
		secrets = append(secrets, values...)
	}
	for name, values := range req.URL.Query() {
		if slices.Contains(credentials, strings.ToLower(name)) || strings.EqualFold(name, "key") {
			secrets = append(secrets, values...)
		}
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	if password, ok := req.URL.User.Password(); ok {
		secrets = append(secrets, password, base64.StdEncoding.EncodeToString([]byte(req.URL.User.Username()+":"+password)))
	}
	if c.key != "" {
		req.Header.Set("Idempotency-Key", c.key)
	}
	if s.Token == nil {
		return req, secrets, nil
	}
	token, err := s.Token()
	switch {
	case err != nil:
		return nil, nil, &contract.Error{Kind: contract.Denied, Cause: fmt.Errorf("get the API's token: %w", err)}
	case token == "" || notValue(token):
		return nil, nil, &contract.Error{Kind: contract.Denied, Cause: errors.New("the API's token is empty or has a control character")}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return req, append(secrets, token), nil
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
		return &contract.Error{Kind: contract.Unreachable, Cause: ctx.Err(), Hint: hintWait(time.Until(until))}
	}
}
