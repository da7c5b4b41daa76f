package check_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"nth/shim/check"
	"nth/shim/failure"
	"nth/testdata/servers"
)

// s3Server starts a server with one bucket, and sets its credentials.
func s3Server(t *testing.T) *servers.S3 {
	t.Helper()
	setEnv(t, servers.S3Env())
	server := servers.StartS3(t)
	server.Bucket(t, "data")
	return server
}

// through gives the URL of the bucket behind a proxy that decides on each request.
func through(t *testing.T, server *servers.S3, decide func(*http.Request) servers.Action) string {
	t.Helper()
	fault := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		if decide != nil {
			if a := decide(r); a != nil {
				return a
			}
		}
		return servers.Pass
	})
	return "s3://data/p?endpoint=" + fault.URL
}

// What kind of request it is.
func isList(r *http.Request) bool    { return r.URL.Query().Has("list-type") }
func isGet(r *http.Request) bool     { return r.Method == http.MethodGet && !isList(r) }
func isCreate(r *http.Request) bool  { return r.Header.Get("If-None-Match") != "" }
func isReplace(r *http.Request) bool { return r.Header.Get("If-Match") != "" }
func isCopy(r *http.Request) bool    { return r.Header.Get("X-Amz-Copy-Source") != "" }
func isRace(r *http.Request) bool    { return isCreate(r) && strings.Contains(r.URL.Path, "race") }
func isMethod(m string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == m }
}

// when acts on one kind of request.
func when(is func(*http.Request) bool, action servers.Action) func(*testing.T) func(*http.Request) servers.Action {
	return func(*testing.T) func(*http.Request) servers.Action {
		return func(r *http.Request) servers.Action {
			if is(r) {
				return action
			}
			return nil
		}
	}
}

var (
	denied         = servers.S3Error(403, "AccessDenied")
	notImplemented = servers.S3Error(501, "NotImplemented")
	slowDown       = servers.S3Error(503, "SlowDown")
)

// overwriting is a server that doesn't know conditions: it signs the request anew
// without them.
func overwriting(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
	credentials := aws.Credentials{}
	for _, v := range servers.S3Env() {
		switch name, value, _ := strings.Cut(v, "="); name {
		case "AWS_ACCESS_KEY_ID":
			credentials.AccessKeyID = value
		case "AWS_SECRET_ACCESS_KEY":
			credentials.SecretAccessKey = value
		}
	}
	for name := range r.Header {
		if !strings.HasPrefix(name, "X-Amz-") && !strings.HasPrefix(name, "Content-") {
			r.Header.Del(name)
		}
	}
	if err := v4.NewSigner().SignHTTP(r.Context(), credentials, r, r.Header.Get("X-Amz-Content-Sha256"), "s3", "us-east-1", time.Now()); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	servers.Pass(f, w, r)
}

// instead lets the server answer, and says something else where its status is the
// one given.
func instead(status int, other servers.Action) servers.Action {
	return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		servers.Pass(f, answer, r)
		if answer.Code == status {
			other(f, w, r)
			return
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}
}

// otherBytes is a cache that gives something else than what was written.
func otherBytes(_ *servers.Fault, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("ETag", `"other"`)
	_, _ = w.Write([]byte("other"))
}

// lostReplies loses the first reply to each kind of request.
func lostReplies(*testing.T) func(*http.Request) servers.Action {
	seen := map[string]bool{}
	return func(r *http.Request) servers.Action {
		kind := r.Method + r.URL.Path + r.URL.RawQuery + r.Header.Get("If-Match") + r.Header.Get("If-None-Match") + r.Header.Get("X-Amz-Content-Sha256")
		if isRace(r) {
			kind = r.URL.Path
		}
		if seen[kind] {
			return nil
		}
		seen[kind] = true
		return servers.LoseReply
	}
}

// loserWins lets the last of the racers overwrite, and tells it that it lost.
func loserWins(*testing.T) func(*http.Request) servers.Action {
	racing := 0
	return func(r *http.Request) servers.Action {
		if !isRace(r) {
			return nil
		}
		if racing++; racing < 20 {
			return nil
		}
		return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
			overwriting(f, httptest.NewRecorder(), r)
			servers.S3Error(412, "PreconditionFailed")(f, w, r)
		}
	}
}

// notListed answers as S3 does to whom it doesn't allow s3:ListBucket.
func notListed(*testing.T) func(*http.Request) servers.Action {
	return func(r *http.Request) servers.Action {
		if isList(r) {
			return denied
		}
		return instead(http.StatusNotFound, denied)
	}
}

const (
	afterCreate = " create-again=skipped read=skipped race=skipped replace=skipped replace-outdated=skipped overwrite=skipped copy=skipped delete=skipped gone=skipped"
	afterRead   = " race=skipped replace=skipped replace-outdated=skipped copy=skipped"
)

// TestMisbehaving: each way in which a server, or what it allows, falls short.
func TestMisbehaving(t *testing.T) {
	server := s3Server(t)
	for _, c := range []struct {
		name   string
		decide func(*testing.T) func(*http.Request) servers.Action
		want   want
	}{
		{"may not read", when(isGet, denied), want{
			bad: "absent=failed stray=skipped create=skipped" + afterCreate, code: 77, missing: []string{"s3:GetObject"}, lacks: every,
			says: "status 403 AccessDenied: on purpose (grant s3:GetObject, or s3:ListBucket: without that"}},
		{"may not list, which an absent key tells", notListed, want{
			bad: "absent=failed list=failed stray=skipped gone=skipped", code: 77, missing: []string{"s3:ListBucket"}, lacks: every, says: "list: status 403 AccessDenied: on purpose (grant s3:ListBucket)"}},
		{"may not list, which an absent key doesn't tell", when(isList, denied), want{
			bad: "list=failed", missing: []string{"s3:ListBucket"}, says: "(grant s3:ListBucket)"}},
		{"may not write", when(isMethod("PUT"), denied), want{
			bad: "create=failed" + afterCreate, code: 77, missing: []string{"s3:PutObject"}, lacks: every, says: "(grant s3:PutObject)"}},
		{"may not delete", when(isMethod("DELETE"), denied), want{
			bad: "delete=failed gone=skipped", missing: []string{"s3:DeleteObject"}, says: "(grant s3:DeleteObject)",
			left: []string{"check-test-copy.json", "check-test-one.json", "check-test-race-1.json"}}},
		{"may not copy", when(isCopy, denied), want{
			bad: "copy=failed", missing: []string{"s3:GetObject and s3:PutObject"}, lacks: "server-side copy", says: "(grant s3:GetObject and s3:PutObject)"}},
		{"copies, and says that one may not", when(isCopy, func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
			servers.Pass(f, httptest.NewRecorder(), r)
			denied(f, w, r)
		}), want{bad: "copy=failed", missing: []string{"s3:GetObject and s3:PutObject"}, lacks: "server-side copy"}},
		{"may nothing", when(func(*http.Request) bool { return true }, denied), want{
			bad: "absent=failed list=failed stray=skipped create=failed" + afterCreate, code: 77, missing: []string{"s3:ListBucket", "s3:PutObject"}, lacks: every}},
		{"overwrites", when(isCreate, servers.Action(overwriting)), want{
			bad: "create-again=failed race=skipped", code: 78, lacks: every, says: "the store doesn't honour create-if-absent: it accepted the write, and overwrote (it can't keep markers"}},
		{"overwrites when several come", when(isRace, servers.Action(overwriting)), want{
			bad: "race=failed", code: 78, lacks: every, says: "race: 20 of 20 won"}},
		{"lets the loser win", loserWins, want{
			bad: "race=failed", code: 78, lacks: every, says: "race: what is there is not the winner's"}},
		{"refuses all who race", when(isRace, servers.S3Error(412, "PreconditionFailed")), want{
			bad: "race=failed", code: 78, lacks: every, says: "race: nobody won"}},
		{"knows no create-if-absent", when(isCreate, notImplemented), want{
			bad: "create=failed" + afterCreate, code: 78, lacks: every, says: "NotImplemented"}},
		{"refuses what is absent", when(isCreate, servers.S3Error(412, "PreconditionFailed")), want{
			bad: "create=failed" + afterCreate, code: 78, lacks: every, says: "the condition holds, and the write was refused"}},
		{"replaces whatever is there", when(isReplace, servers.Action(overwriting)), want{
			bad: "replace-outdated=failed", lacks: replace, says: "doesn't honour replace-if-unchanged"}},
		{"knows no replacing on condition", when(isReplace, notImplemented), want{
			bad: "replace=failed replace-outdated=skipped", lacks: replace, says: "NotImplemented"}},
		{"refuses what is unchanged", when(isReplace, servers.S3Error(412, "PreconditionFailed")), want{
			bad: "replace=failed replace-outdated=skipped", lacks: replace, says: "the condition holds, and the write was refused"}},
		{"loses replies", lostReplies, want{}},
		{"is too busy to copy", when(isCopy, slowDown), want{
			bad: "copy=failed", lacks: "server-side copy", says: "SlowDown"}},
		{"is too busy", when(func(*http.Request) bool { return true }, slowDown), want{
			bad: "absent=failed list=skipped stray=skipped create=skipped" + afterCreate, code: 69, lacks: every, says: "SlowDown"}},
		{"gives other bytes", when(isGet, instead(http.StatusOK, otherBytes)), want{
			bad: "read=failed" + afterRead, code: 78, lacks: every, says: "5 bytes came back that are not the"}},
		{"has every key", when(isGet, otherBytes), want{
			bad: "absent=failed list=skipped stray=skipped create=skipped" + afterCreate, code: 78, lacks: every, says: "there is a blob where none is"}},
		{"remembers absence", when(isGet, servers.S3Error(404, "NoSuchKey")), want{
			bad: "read=failed" + afterRead, code: 78, lacks: every, says: "what was just written is not there"}},
		{"deletes nothing", when(isMethod("DELETE"), servers.Answer(204, "")), want{
			bad: "gone=failed", says: "there is a blob where none is",
			left: []string{"check-test-copy.json", "check-test-one.json", "check-test-race-1.json"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wait := 300 * time.Millisecond // long enough for two tries
			if c.want.code == 69 {
				wait = 0
			}
			server := server
			if len(c.want.left) > 0 {
				server = s3Server(t)
			}
			r := run(t, t.Context(), through(t, server, c.decide(t)), wait)
			compare(t, r, c.want, server.URL("data", "p"))
		})
	}
}

// TestWrongCredentials is no permission that is missing.
func TestWrongCredentials(t *testing.T) {
	server := s3Server(t)
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another-canary")
	r := run(t, t.Context(), server.URL("data", "p"), 0)
	setEnv(t, servers.S3Env())
	compare(t, r, want{bad: "absent=failed list=skipped stray=skipped create=skipped" + afterCreate, code: 77, lacks: every,
		says: "check AWS_ACCESS_KEY_ID"}, server.URL("data", "p"))
}

// TestStoppedInAWrite: a write that is under way is waited for, and removed.
func TestStoppedInAWrite(t *testing.T) {
	server := s3Server(t)
	for name, is := range map[string]func(*http.Request) bool{"create": isCreate, "race": isRace, "replace": isReplace, "copy": isCopy} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			url := through(t, server, func(r *http.Request) servers.Action {
				if !is(r) {
					return nil
				}
				return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					cancel(&failure.Failure{Code: 143, Tried: "check the store"})
					servers.Delay(20*time.Millisecond)(f, w, r)
				}
			})
			r := check.Run(ctx, check.Options{URL: url, RunID: "test", Timeout: time.Minute})
			if r.ExitCode != 143 || len(r.Left) != 0 {
				t.Errorf("exit code %d, %v left", r.ExitCode, r.Left)
			}
			if keys := left(t, server.URL("data", "p")); len(keys) > 0 {
				t.Errorf("%v is left", keys)
			}
		})
	}
}
