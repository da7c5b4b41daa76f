package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/task"
)

// headers gives the same ones for each request.
func headers(h http.Header) func() (http.Header, error) {
	return func() (http.Header, error) { return h, nil }
}

// TestSettings: what is refused before anything is asked, without showing a URL.
func TestSettings(t *testing.T) {
	const url = "https://user:canary@api.example.com/tasks"
	for _, tt := range []struct {
		name   string
		change func(*Settings, *task.Options)
		want   string // "": it is fine
	}{
		{"as it should be", func(*Settings, *task.Options) {}, ""},
		{"an ID in the query", func(s *Settings, _ *task.Options) { s.Done = url + "?id={id}&receipt={receipt}" }, ""},
		{"a port", func(s *Settings, _ *task.Options) { s.Take = "http://[::1]:80" }, ""},
		{"another method", func(s *Settings, _ *task.Options) { s.Done = "DELETE " + s.Done }, ""},
		{"headers", func(s *Settings, _ *task.Options) { s.Headers = headers(http.Header{"x-key": {"canary", "ü\tb"}}) }, ""},
		{"no keep", func(s *Settings, _ *task.Options) { s.Keep = "" }, "the URL of keep: it is needed, and isn't given"},
		{"no done", func(s *Settings, _ *task.Options) { s.Done = "" }, "the URL of done: it is needed, and isn't given"},
		{"nowhere to put dead tasks", func(s *Settings, o *task.Options) { s.Fail, o.MaxAttempts = "", 3 },
			"there is no URL by which a task that has had all its attempts could be put aside"},
		{"no fail", func(s *Settings, _ *task.Options) { s.Fail = "" }, ""},
		{"another scheme", func(s *Settings, _ *task.Options) { s.Take = "ftp://u:canary@h/" }, "the URL of take: it must begin with http:// or https:// and a host"},
		{"no host", func(s *Settings, _ *task.Options) { s.Keep = "http:///canary" }, "the URL of keep: it must begin with http:// or https:// and a host"},
		{"malformed", func(s *Settings, _ *task.Options) { s.Fail = "http://u:canary@h:x/" }, "the URL of fail: it is malformed"},
		{"a control character", func(s *Settings, _ *task.Options) { s.Unfinished = "http://h/canary\n" }, "the URL of unfinished: it is malformed"},
		{"a task that isn't there", func(s *Settings, _ *task.Options) { s.Take = url + "/{id}" }, "the URL of take: {id} and {receipt} are of a task, and there is none yet"},
		{"another placeholder", func(s *Settings, _ *task.Options) { s.Done = url + "/{task}" }, "the URL of done: there are no placeholders but {id} and {receipt}"},
		{"a host of the task's", func(s *Settings, _ *task.Options) { s.Done = "http://{id}.example.com/" }, "the URL of done: no task may choose the host"},
		{"a method that isn't one", func(s *Settings, _ *task.Options) { s.Keep = "GET " + url }, `the method "GET" of keep; there are POST, PUT, PATCH, DELETE`},
		{"only a method", func(s *Settings, _ *task.Options) { s.Keep = "PUT " }, "the URL of keep: it is needed, and isn't given"},
		{"a space in a URL", func(s *Settings, _ *task.Options) { s.Keep = "http://h/a b" }, ""},
		{"a line break", func(s *Settings, _ *task.Options) { s.Headers = headers(http.Header{"X-Key": {"canary\n"}}) },
			`the header "X-Key" can't be sent: a line break or another control character is in it`},
		{"a header's name", func(s *Settings, _ *task.Options) { s.Headers = headers(http.Header{"X Key": {"canary"}}) },
			`the header "X Key" can't be sent: a line break or another control character is in it`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, o := Settings{Take: url, Keep: url + "/{id}/keep", Done: url + "/{id}/done", Fail: url + "/{id}/fail"}, task.Options{}
			tt.change(&s, &o)
			source, err := New(s, o)
			switch {
			case tt.want == "" && err == nil:
				source.Close()
			case err == nil || err.Error() != tt.want || outcome(err) != "invalid":
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// TestExpand: no task reaches another place than its own.
func TestExpand(t *testing.T) {
	for _, tt := range []struct{ id, path, query string }{
		{"7", "/7/7/done", "x=7"},
		{"a/b", "/a%2Fb/a%2Fb/done", "x=a%2Fb"},
		{"../../admin", "/..%2F..%2Fadmin/..%2F..%2Fadmin/done", "x=..%2F..%2Fadmin"},
		{"a b?c=d&e#f+g;h%41", "/a%20b%3Fc%3Dd%26e%23f%2Bg%3Bh%2541/a%20b%3Fc%3Dd%26e%23f%2Bg%3Bh%2541/done", "x=a%20b%3Fc%3Dd%26e%23f%2Bg%3Bh%2541"},
		{"é\x00\r\n", "/%C3%A9%00%0D%0A/%C3%A9%00%0D%0A/done", "x=%C3%A9%00%0D%0A"},
		{"{id}", "/%7Bid%7D/%7Bid%7D/done", "x=%7Bid%7D"},
		{"{receipt}", "/%7Breceipt%7D/%7Breceipt%7D/done", "x=%7Breceipt%7D"},
		{"...", "/.../.../done", "x=..."},
	} {
		got, err := expand("http://h/{id}/{receipt}/done?x={id}", tt.id, tt.id)
		if want := "http://h" + tt.path + "?" + tt.query; err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", tt.id, got, err, want)
		}
		u, err := url.Parse(got)
		if err != nil || u.Path != "/"+tt.id+"/"+tt.id+"/done" || u.Query().Get("x") != tt.id {
			t.Errorf("%q: is read as %q and %q, %v", tt.id, u.Path, u.Query(), err)
		}
	}
	for _, id := range []string{"", ".", ".."} {
		if got, err := expand("http://h/{id}/done", id, "r"); err == nil {
			t.Errorf("%q: %s", id, got)
		}
		if _, err := expand("http://h/done", id, "r"); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestName: one queue has one name, and another has another.
func TestName(t *testing.T) {
	name := func(raw string) string {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return Name(u)
	}
	for _, same := range []string{"http://localhost:8080/queues/a/take?q=1&p=2", "https://u:p@api.example.com/queues/a/take/?p=2&q=1&access_token=x", "http://h/queues/a/take?q=1&p=2#x"} {
		if diff := cmp.Diff(name("https://api.example.com/queues/a/take?p=2&q=1"), name(same)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", same, diff)
		}
	}
	seen := map[string]string{}
	for _, other := range []string{"http://h", "http://h/a", "http://h/b", "http://h/a?q=1", "http://h/a?q=2", "http://h/a%2Fb", "http://h/a/b", "http://h/?a", "http://h/a?key=canary"} {
		got := name(other)
		if before, ok := seen[got]; ok || strings.Contains(got, "canary") {
			t.Errorf("%s and %s are %q", before, other, got)
		}
		seen[got] = other
	}
}

// request is what an API got.
type request struct {
	Method, Path, Query string
	Header              map[string]string
	Body                string
}

// TestRequests: what each call sends; a number goes back as a number.
func TestRequests(t *testing.T) {
	var got []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		one := request{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, map[string]string{"Host": r.Host}, string(body)}
		for _, name := range []string{"Accept", "Content-Type", "Authorization", "X-Team"} {
			if v := r.Header.Get(name); v != "" {
				one.Header[name] = v
			}
		}
		if (r.Header.Get("Idempotency-Key") == "") != (strings.HasPrefix(r.URL.Path, "/keep") || r.Method == http.MethodGet) {
			t.Errorf("%s: the Idempotency-Key %q", r.URL, r.Header.Get("Idempotency-Key"))
		}
		got = append(got, one)
		switch r.URL.Path {
		case "/take":
			_, _ = w.Write([]byte(`{"id": 7, "receipt": 12345678901234567890, "payload": "x", "attempt": 2}`))
		case "/unfinished":
			_, _ = w.Write([]byte("true"))
		}
	}))
	defer server.Close()
	base := "http://user:word@" + strings.TrimPrefix(server.URL, "http://")
	s := mustOpen(t, Settings{Take: base + "/take?q=1", Keep: "PATCH " + base + "/keep/{id}", Done: "DELETE " + base + "/done/{id}/{receipt}", Fail: "PUT " + base + "/fail?id={id}",
		Unfinished: base + "/unfinished", Headers: headers(http.Header{"x-team": {"blue"}, "Host": {"api.example.com"}, "Content-Type": {"application/vnd.q+json"}})},
		task.Options{Index: 3, RunID: "run", Lease: 90 * time.Second, MaxAttempts: 2})
	one, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	errs := []error{s.Keep(t.Context(), one), s.Release(t.Context(), one)}
	unfinished(t, s, true)
	_, err = s.Fail(t.Context(), one, task.Failure{Reason: "exit code 1", After: 1500 * time.Millisecond})
	errs = append(errs, err)
	one, err = s.Take(t.Context())
	for _, err := range append(errs, err, s.Done(t.Context(), one)) {
		if err != nil {
			t.Fatal(err)
		}
	}
	header := map[string]string{"Host": "api.example.com", "Accept": "application/json", "Content-Type": "application/vnd.q+json", "Authorization": "Basic dXNlcjp3b3Jk", "X-Team": "blue"}
	take := request{"POST", "/take", "q=1", header, `{"index":3,"run_id":"run","lease_s":90}`}
	want := []request{
		take,
		{"PATCH", "/keep/7", "", header, `{"attempt":2,"id":7,"index":3,"lease_s":90,"receipt":12345678901234567890,"run_id":"run"}`},
		{"PUT", "/fail", "id=7", header, `{"after_s":0,"attempt":2,"dead":false,"id":7,"index":3,"reason":"","receipt":12345678901234567890,"release":true,"run_id":"run"}`},
		{"GET", "/unfinished", "", header, ""},
		{"PUT", "/fail", "id=7", header, `{"after_s":1.5,"attempt":2,"dead":true,"id":7,"index":3,"reason":"exit code 1","receipt":12345678901234567890,"run_id":"run"}`},
		take,
		{"DELETE", "/done/7/12345678901234567890", "", header, `{"attempt":2,"id":7,"index":3,"receipt":12345678901234567890,"run_id":"run"}`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, r := range got {
		if r.Body != "" && !json.Valid([]byte(r.Body)) {
			t.Errorf("%s is no JSON", r.Body)
		}
	}
}

// TestKeys: a call that is made again has the key of the first, and the next delivery's
// has another, also where an API gives no receipts and doesn't count.
func TestKeys(t *testing.T) {
	var keys []string
	s, _ := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/queues/q/take" {
			_, _ = w.Write([]byte(`{"id": 7, "payload": "x"}`))
			return
		}
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		w.WriteHeader(http.StatusBadGateway)
	})
	for range 2 {
		one, err := s.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.Fail(t.Context(), one, task.Failure{Reason: "bad"}); outcome(err) != "unreachable" {
				t.Fatal(err)
			}
		}
		if err := s.Release(t.Context(), one); outcome(err) != "unreachable" {
			t.Fatal(err)
		}
	}
	numbers := map[string]int{"": 0}
	var got []int
	for _, key := range keys {
		if _, seen := numbers[key]; !seen {
			numbers[key] = len(numbers)
		}
		got = append(got, numbers[key])
	}
	if diff := cmp.Diff([]int{1, 1, 2, 3, 3, 4}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
