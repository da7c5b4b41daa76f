package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/shim/task"
)

func invalid(format string, a ...any) *contract.Error {
	return &contract.Error{Kind: contract.Invalid, Cause: fmt.Errorf(format, a...)}
}

// known are the methods that change something.
var known = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// check refuses settings with which no call could go well. It shows no URL.
func (s *Settings) check(o task.Options, methods map[string]string) error {
	if s.Fail == "" && o.MaxAttempts > 0 {
		return &contract.Error{Kind: contract.Invalid, Cause: errors.New("there is no URL by which a task that has had all its attempts could be put aside"),
			Hint: "give --fail-url, or --max-attempts 0, where the API counts by itself or a task may come back without end"}
	}
	for _, u := range []struct {
		name, url    string
		needed, task bool
	}{
		{"take", s.Take, true, false}, {"keep", s.Keep, true, true}, {"done", s.Done, true, true},
		{"fail", s.Fail, false, true}, {"unfinished", s.Unfinished, false, false},
	} {
		if err := checkURL(u.url, u.needed, u.task); err != nil {
			return invalid("the URL of %s: %w", u.name, err)
		}
	}
	for _, call := range []string{"keep", "done", "fail"} {
		if !slices.Contains(known, methods[call]) {
			return invalid("the method %q of %s; there are %s", methods[call], call, strings.Join(known, ", "))
		}
	}
	_, err := s.headers()
	return err
}

// cutMethod takes the method from before a URL; there is one usually.
func cutMethod(u *string) string {
	method, rest, ok := strings.Cut(*u, " ")
	if !ok || strings.Contains(method, "/") {
		return http.MethodPost
	}
	*u = strings.TrimLeft(rest, " ")
	return method
}

// headers gives those of the next request.
func (s *Settings) headers() (http.Header, error) {
	if s.Headers == nil {
		return nil, nil
	}
	all, err := s.Headers()
	if err != nil {
		return nil, &contract.Error{Kind: contract.Denied, Cause: fmt.Errorf("make the headers: %w", err)}
	}
	for name, values := range all {
		if !isName(name) || slices.ContainsFunc(values, notValue) {
			return nil, invalid("the header %q can't be sent: a line break or another control character is in it", name)
		}
	}
	return all, nil
}

func checkURL(raw string, needed, task bool) error {
	if raw == "" {
		if needed {
			return errors.New("it is needed, and isn't given")
		}
		return nil
	}
	if strings.Contains(raw, "#") {
		return errors.New("it has a #, behind which nothing is sent; write %23 for one in a name")
	}
	full, err := expand(raw, "x", "x")
	if err != nil {
		return err
	}
	if !task && full != raw {
		return errors.New("{id} and {receipt} are of a task, and there is none yet")
	}
	u, err := url.Parse(full)
	if err != nil {
		return errors.New("it is malformed") // the parser's own error repeats it
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("it must begin with http:// or https:// and a host")
	}
	if host, _, _ := strings.Cut(strings.TrimPrefix(raw, u.Scheme+"://"), "/"); strings.Contains(host, "{") {
		return errors.New("no task may choose the host")
	}
	return nil
}

// expand puts a task's id and receipt into a URL, every byte of them escaped that could
// mean anything there. What is empty or a step in a path would name something else.
func expand(raw, id, receipt string) (string, error) {
	for _, p := range []struct{ name, value string }{{"{id}", id}, {"{receipt}", receipt}} {
		if !strings.Contains(raw, p.name) {
			continue
		}
		if p.value == "" || p.value == "." || p.value == ".." {
			return "", fmt.Errorf("the task's %s is %q, which can't stand in a URL", p.name, p.value)
		}
		raw = strings.ReplaceAll(raw, p.name, strings.ReplaceAll(web.EscapePath(p.value), "/", "%2F"))
	}
	if strings.ContainsAny(raw, "{}") {
		return "", errors.New("there are no placeholders but {id} and {receipt}")
	}
	return raw, nil
}

// isName tells whether it is a header's name (RFC 9110, section 5.6.2).
func isName(s string) bool {
	return s != "" && strings.Trim(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// notValue tells whether it can't be a header's value (RFC 9110, section 5.5).
func notValue(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
