package azure

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/testdata/servers"
)

// writeTo begins a write as gocloud does.
func writeTo(t *testing.T, b *bucket, key string, create bool, replaces contract.Token) driver.Writer {
	t.Helper()
	opts := &driver.WriterOptions{IfNotExist: create}
	if replaces != "" {
		opts.BeforeWrite = func(as func(any) bool) error {
			var c *contract.Condition
			if !as(&c) {
				t.Error("there is no condition")
			}
			c.Replaces = replaces
			return nil
		}
	}
	w, err := b.NewTypedWriter(t.Context(), key, "text/plain", opts)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestBlocksLeft: blocks of a writer that was killed stand in the way of whoever creates the
// blob, and there is nothing to read: that is what is told.
func TestBlocksLeft(t *testing.T) {
	server := servers.StartAzurite(t)
	server.Container(t, "data")
	d, err := opener(server, "p")("data")
	if err != nil {
		t.Fatal(err)
	}
	b := d.(*bucket)
	if _, err := io.WriteString(writeTo(t, b, "k", false, ""), strings.Repeat("1", 2*web.PartSize)); err != nil {
		t.Fatal(err)
	}
	small := func(create bool) *contract.Error {
		w := writeTo(t, b, "k", create, "")
		if _, err := io.WriteString(w, "mine"); err != nil {
			t.Fatal(err)
		}
		return asError(w.Close())
	}
	if e := small(true); e == nil || e.Kind != contract.Conflict || !strings.Contains(e.Error(), "a writer that was killed") {
		t.Errorf("beside the blocks: %+v", e)
	}
	if e := small(false); e != nil {
		t.Errorf("over the blocks: %v", e)
	}
	if e := small(true); e == nil || e.Kind != contract.Exists {
		t.Errorf("when it is there: %+v", e)
	}
}

// TestWritersApart: of two who write the same large blob in turns, each sees only its
// own blocks: the blob is one's or the other's, and one who lost is told.
func TestWritersApart(t *testing.T) {
	server := servers.StartAzurite(t)
	server.Container(t, "data")
	for _, create := range []bool{true, false} {
		d, err := opener(server, fmt.Sprint(create))("data")
		if err != nil {
			t.Fatal(err)
		}
		b := d.(*bucket)
		one, other := writeTo(t, b, "k", create, ""), writeTo(t, b, "k", create, "")
		for range 3 {
			for content, w := range map[string]driver.Writer{"1": one, "2": other} {
				if _, err := io.WriteString(w, strings.Repeat(content, web.PartSize)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := one.Close(); err != nil {
			t.Fatal(err)
		}
		want := contract.Conflict
		if create {
			want = contract.Exists
		}
		if e := asError(other.Close()); e == nil || e.Kind != want {
			t.Errorf("create %v: the other: %+v", create, e)
		}
		r, err := b.NewRangeReader(t.Context(), "k", 0, -1, readOptions)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, bytes.Repeat([]byte("1"), 3*web.PartSize)) {
			t.Errorf("create %v: %d bytes, %v", create, len(got), err)
		}
		r.Close()
		b.Close()
	}
}

// TestConditions: what an answer means to a write on condition.
func TestConditions(t *testing.T) {
	const mine = contract.Token(`"1"`)
	for _, c := range []struct {
		name     string
		create   bool
		replaces contract.Token
		status   int
		code     string
		now      string // the version that is there meanwhile, "" for none
		want     contract.Kind
	}{
		{"a token that may only create", true, "", 403, "UnauthorizedBlobOverwrite", "", contract.Exists},
		{"a token that may only create, without a condition", false, "", 403, "UnauthorizedBlobOverwrite", "", contract.Denied},
		{"a token that may only create, to replace", false, mine, 403, "UnauthorizedBlobOverwrite", "", contract.Denied},
		{"the version is gone", false, mine, 404, "BlobNotFound", "", contract.Exists},
		{"the container is gone", false, mine, 404, "ContainerNotFound", "", contract.Unreachable},
		{"blocks are gone, create", true, "", 400, "InvalidBlockList", `"2"`, contract.Exists},
		{"blocks are gone, create, and nobody's blob is there", true, "", 400, "InvalidBlockList", "", contract.Conflict},
		{"blocks are gone, replace", false, mine, 400, "InvalidBlockList", `"2"`, contract.Exists},
		{"blocks are gone, replace, and the version is the same", false, mine, 400, "InvalidBlockList", `"1"`, contract.Conflict},
		{"blocks are gone, no condition", false, "", 400, "InvalidBlockList", `"2"`, contract.Conflict},
	} {
		b := opened(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPut:
				refuse(c.status, c.code, "on purpose")(w, r)
			case c.now == "":
				refuse(404, "BlobNotFound", "")(w, r)
			default:
				w.Header().Set("X-Ms-Request-Id", "1")
				w.Header().Set("ETag", c.now)
			}
		}), withKey)
		if e := asError(writeTo(t, b, "k", c.create, c.replaces).Close()); e == nil || e.Kind != c.want {
			t.Errorf("%s: %+v, want kind %d", c.name, e, c.want)
		}
	}
}

// copying plays a container whose copies take their time.
type copying struct {
	statuses []string // of the copy, one an answer; the last stays
	id       string   // of the copy that is there after the first answer
	asked    []string
	end      func() // is called when the copy has been pending for a while
	within   func() // is called in the first look at it, which has no answer; nil: it has one
}

func (c *copying) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.asked = append(c.asked, strings.TrimSpace(r.Method+" "+r.URL.RawQuery+" "+r.Header.Get("If-Match")+r.Header.Get("X-Ms-Copy-Action")))
	if within := c.within; within != nil && r.Method == http.MethodHead {
		c.within = nil
		within()
		<-r.Context().Done()
		return
	}
	w.Header().Set("X-Ms-Request-Id", "1")
	w.Header().Set("ETag", `"1"`)
	w.Header().Set("X-Ms-Copy-Status", c.statuses[0])
	w.Header().Set("X-Ms-Copy-Status-Description", "500 on purpose")
	switch {
	case r.URL.Query().Get("comp") == "copy":
		c.statuses = []string{"aborted"}
		w.WriteHeader(http.StatusNoContent)
		return
	case r.Method == http.MethodPut:
		w.Header().Set("X-Ms-Copy-Id", "7")
		w.WriteHeader(http.StatusAccepted)
		time.AfterFunc(copyPause/2, c.end)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusAccepted)
	default:
		w.Header().Set("X-Ms-Copy-Id", c.id)
	}
	if len(c.statuses) > 1 {
		c.statuses = c.statuses[1:]
	}
}

// TestCopyTakesTime: a copy is done when Azure says so; what fails is taken back.
func TestCopyTakesTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		play  copying
		ends  bool          // its time does, while the copy is pending
		kind  contract.Kind // Other: success
		says  string
		asked []string
	}{
		{"at once", copying{statuses: []string{"success"}, id: "7"}, false, contract.Other, "", []string{"PUT"}},
		{"later", copying{statuses: []string{"pending", "success"}, id: "7"}, false, contract.Other, "", []string{"PUT", "HEAD"}},
		{"failed", copying{statuses: []string{"pending", "failed"}, id: "7"}, false, contract.Unreachable, `the copy has the status "failed": 500 on purpose`,
			[]string{"PUT", "HEAD", "PUT comp=copy&copyid=7 abort", "HEAD", `DELETE  "1"`}},
		{"another write came between", copying{statuses: []string{"pending"}, id: "8"}, false, contract.Conflict, "another write came between", []string{"PUT", "HEAD"}},
		{"out of time", copying{statuses: []string{"pending"}, id: "7"}, true, contract.Unreachable, "deadline exceeded",
			[]string{"PUT", "PUT comp=copy&copyid=7 abort", "HEAD", `DELETE  "1"`}},
		{"out of time in a look", copying{statuses: []string{"pending"}, id: "7", within: func() {}}, true, contract.Unreachable, "deadline exceeded",
			[]string{"PUT", "HEAD", "PUT comp=copy&copyid=7 abort", "HEAD", `DELETE  "1"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var one sync.Mutex
			b := opened(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				one.Lock()
				defer one.Unlock()
				c.play.ServeHTTP(w, r)
			}), withKey)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if c.play.within != nil {
				c.ends, c.play.within = false, func() { cancel(context.DeadlineExceeded) }
			}
			c.play.end = func() {
				if c.ends {
					cancel(context.DeadlineExceeded)
				}
			}
			err := b.Copy(ctx, "l", "k", &driver.CopyOptions{})
			if e := asError(err); c.kind == contract.Other && err != nil || c.kind != contract.Other && (e == nil || e.Kind != c.kind || !strings.Contains(e.Error(), c.says)) {
				t.Errorf("%v", err)
			}
			one.Lock()
			defer one.Unlock()
			if diff := cmp.Diff(c.asked, c.play.asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCopySource: the source that Azure can't read may not be there.
func TestCopySource(t *testing.T) {
	for code, want := range map[string]contract.Kind{"BlobNotFound": contract.Absent, "ContainerNotFound": contract.Unreachable} {
		b := opened(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				refuse(404, "CannotVerifyCopySource", "The specified blob does not exist.")(w, r)
				return
			}
			refuse(404, code, "")(w, r)
		}), withKey)
		if e := asError(b.Copy(t.Context(), "l", "k", &driver.CopyOptions{})); e == nil || e.Kind != want {
			t.Errorf("%s: %+v", code, e)
		}
	}
}

// TestCopyByToken: the source is asked for with the token too, for the destination's
// doesn't grant it. (Azurite doesn't ask.)
func TestCopyByToken(t *testing.T) {
	var source string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		source = r.Header.Get("X-Ms-Copy-Source")
		refuse(403, "AuthorizationFailure", "")(w, r)
	}))
	defer server.Close()
	b := parseText(t, "azblob://data/p?storage_account=acct", env{"AZURE_STORAGE_SAS_TOKEN": someSAS, "AZURE_STORAGE_PROTOCOL": "http",
		"AZURE_STORAGE_DOMAIN": strings.TrimPrefix(server.URL, "http://")})
	if err := b.Copy(t.Context(), "l", "a b+", &driver.CopyOptions{}); err == nil {
		t.Error("no error")
	}
	if want := server.URL + "/acct/data/p/a%20b%2B?" + someSAS; source != want {
		t.Errorf("the source is %s, want %s", source, want)
	}
}
