package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/servers"
)

// place is a store that must behave as all others do.
type place struct {
	name     string
	replaces bool // on condition
	shared   bool // with other processes
	many     int  // blobs in the test of listing: more than a page
	rounds   int  // of the races; 0: none
	url      func(t *testing.T) string
}

// places are the stores; a new one is a row here.
var places = []place{
	{"file", true, true, 2500, 100, func(t *testing.T) string { return "file://" + t.TempDir() + "/markers" }},
	{"file on tmpfs", true, true, 2500, 100, func(t *testing.T) string { return "file://" + memoryDir(t) + "/markers" }},
	{"mem", false, false, 2500, 100, func(*testing.T) string { return "mem://" }},
	{"gcs", true, true, 2500, 100, func(t *testing.T) string {
		t.Setenv("STORAGE_EMULATOR_HOST", gcsServer(t).Address)
		return "gs://data/a b/+%23"
	}},
	{"azure", true, true, 5100, 100, func(t *testing.T) string {
		setAzure(t, azureServer(t).Address)
		return "azblob://data/a b/+%23"
	}},
	{"s3", true, true, 1100, 100, func(t *testing.T) string { return s3Server(t).URL("data", "a b/+%23") }},
	{"minio", true, true, 2500, 100, func(t *testing.T) string { return s3Bucket(t, servers.StartMinIO).URL("data", "a b/+%23") }},
	// moto looks before it writes, too: two creators have won in one of its races.
	{"moto", true, true, 2500, 0, func(t *testing.T) string { return s3Bucket(t, servers.StartMoto).URL("data", "a b/+%23") }},
}

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// s3Server is versitygw, the S3 server that starts fastest.
func s3Server(t *testing.T) *servers.S3 { return s3Bucket(t, servers.StartS3) }

// s3Bucket starts a server with one bucket, and sets its credentials.
func s3Bucket(t *testing.T, start func(testing.TB) *servers.S3) *servers.S3 {
	t.Helper()
	for _, v := range servers.S3Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	server := start(t)
	server.Bucket(t, "data")
	return server
}

// gcsServer starts a server with one bucket.
func gcsServer(t *testing.T) *servers.GCS {
	t.Helper()
	server := servers.StartGCS(t)
	server.Bucket(t, "data")
	return server
}

// memoryDir is a folder on another file system than the temporary one: no fsync
// orders anything there, and inodes aren't used again.
func memoryDir(t *testing.T) string {
	if _, err := os.Stat("/dev/shm"); err != nil {
		return t.TempDir() // no Linux
	}
	dir, err := os.MkdirTemp("/dev/shm", "nth-store-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func wantKind(t *testing.T, what string, err error, want contract.Kind) {
	t.Helper()
	if err == nil || store.Classify(err) != want {
		t.Errorf("%s: kind %d, want %d: %v", what, store.Classify(err), want, err)
	}
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func TestStores(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			url := p.url(t)
			s := open(t, url)
			t.Run("one blob's life", func(t *testing.T) { testLife(t, s) })
			t.Run("replace", func(t *testing.T) {
				if p.replaces {
					testReplace(t, s)
				} else {
					testNoReplace(t, s)
				}
			})
			t.Run("swap", func(t *testing.T) { testSwap(t, s, p.replaces) })
			t.Run("parts", func(t *testing.T) { testParts(t, s) })
			t.Run("copy", func(t *testing.T) { testCopy(t, s) })
			t.Run("keys", func(t *testing.T) { testKeys(t, s) })
			if p.shared { // memblob tells none
				t.Run("versions", func(t *testing.T) { testVersions(t, s) })
				t.Run("pins", func(t *testing.T) { testPins(t, s) })
				t.Run("modes", func(t *testing.T) { testModes(t, s, strings.HasPrefix(p.name, "file")) })
			}
			http := p.shared && !strings.HasPrefix(p.name, "file")
			if http {
				t.Run("offers", func(t *testing.T) { testOffers(t, s) })
			}
			if p.name != "mem" { // whose Stat names no version that a reader knows
				t.Run("sums", func(t *testing.T) { testSums(t, s, p.name == "gcs") })
			}
			t.Run("a copy's description", func(t *testing.T) { testCopyKeeps(t, s, http) })
			t.Run("list", func(t *testing.T) { testList(t, s, p.many) })
			if many := s.RemovesMany(); many != (strings.HasPrefix(url, "s3:") || strings.HasPrefix(url, "file:")) {
				t.Errorf("removes many: %v", many)
			} else if many {
				t.Run("remove many", func(t *testing.T) { testRemoveMany(t, s) })
			}
			t.Run("holds", func(t *testing.T) { testHolds(t, s, url) })
			t.Run("large", func(t *testing.T) { testLarge(t, s) })
			t.Run("broken source", func(t *testing.T) { testBrokenSource(t, s) })
			t.Run("unseen until whole", func(t *testing.T) { testUnseen(t, s) })
			if p.shared {
				t.Run("memory", func(t *testing.T) { testMemory(t, url) })
			}
			if p.rounds == 0 {
				return
			}
			t.Run("one creator wins", func(t *testing.T) { testCreateRace(t, s, p.rounds) })
			if p.replaces {
				t.Run("one replacer wins", func(t *testing.T) { testReplaceRace(t, s, p.rounds) })
			}
			if p.shared {
				t.Run("one process wins", func(t *testing.T) { testProcessRace(t, url, p.rounds) })
			}
		})
	}
}

func testLife(t *testing.T, s *store.Store) {
	ctx, key := t.Context(), "done/42.json"
	there := func(want bool) {
		t.Helper()
		if got, err := s.Exists(ctx, key); err != nil || got != want {
			t.Errorf("Exists: %v, %v; want %v", got, err, want)
		}
	}
	there(false)
	_, _, err := s.Read(ctx, key)
	wantKind(t, "read what isn't there", err, contract.Absent)
	wantKind(t, "delete what isn't there", s.Delete(ctx, key), contract.Absent)
	for _, body := range []string{`{"index":42}`, ""} {
		must(t, "create", s.Create(ctx, key, []byte(body)))
		there(true)
		got, _, err := s.Read(ctx, key)
		if err != nil || string(got) != body {
			t.Errorf("read %q, %v; want %q", got, err, body)
		}
		wantKind(t, "create again", s.Create(ctx, key, []byte("other")), contract.Exists)
		if got, _, _ := s.Read(ctx, key); string(got) != body {
			t.Errorf("a refused write changed it to %q", got)
		}
		must(t, "put", s.Put(ctx, key, []byte("later")))
		if got, _, _ := s.Read(ctx, key); string(got) != "later" {
			t.Errorf("after Put it is %q", got)
		}
		must(t, "delete", s.Delete(ctx, key))
		there(false)
	}
}

func testReplace(t *testing.T, s *store.Store) {
	ctx, key := t.Context(), "commit/7.json"
	read := func() contract.Token {
		t.Helper()
		_, token, err := s.Read(ctx, key)
		if err != nil || token == "" {
			t.Fatalf("read: token %q, %v", token, err)
		}
		return token
	}
	must(t, "put", s.Put(ctx, key, []byte("1")))
	first := read()
	must(t, "replace", s.Replace(ctx, key, []byte("2"), first))
	wantKind(t, "replace an old version", s.Replace(ctx, key, []byte("3"), first), contract.Exists)
	second := read()
	must(t, "put", s.Put(ctx, key, []byte("4")))
	wantKind(t, "replace what was overwritten", s.Replace(ctx, key, []byte("5"), second), contract.Exists)
	if got, _, _ := s.Read(ctx, key); string(got) != "4" {
		t.Errorf("it is %q, want the 4", got)
	}
	last := read()
	must(t, "delete", s.Delete(ctx, key))
	wantKind(t, "replace what is gone", s.Replace(ctx, key, []byte("6"), last), contract.Exists)
	if there, err := s.Exists(ctx, key); there || err != nil {
		t.Errorf("replacing what is gone made it: %v, %v", there, err)
	}
	wantKind(t, "replace without a version", s.Replace(ctx, key, nil, ""), contract.Unsupported)
}

func testNoReplace(t *testing.T, s *store.Store) {
	must(t, "put", s.Put(t.Context(), "x", nil))
	_, token, err := s.Read(t.Context(), "x")
	if err != nil || token != "" {
		t.Errorf("read: token %q, %v", token, err)
	}
	wantKind(t, "replace", s.Replace(t.Context(), "x", nil, "made up"), contract.Unsupported)
}

// testKeys: a key is the same after a write and a listing, and no two meet.
func testKeys(t *testing.T, s *store.Store) {
	ctx := t.Context()
	keys := []string{"a", "A b", "a+b", "a%2Fb", "a%b", "é/ü", "日本", "a&b=c?d#e", "~tilde", "quote'\"", "a:b;c", "$(x)", "dot./x", ".hidden", "..x", "x..",
		"__0x2e__", "a__0x", "<<x>>", "back\\slash", "*", "(1)", "a,b", "a=b", "a@b", "!", strings.Repeat("k", 200)}
	want := map[string]string{}
	for i, k := range keys {
		k = "keys/" + k
		body := fmt.Sprint(i)
		want[k] = body
		must(t, "create "+k, s.Create(ctx, k, []byte(body)))
	}
	got := map[string]string{}
	must(t, "list", s.List(ctx, "keys/", func(key string, size int64, _ time.Time) error {
		body, _, err := s.Read(ctx, key)
		if err == nil && size != int64(len(body)) {
			t.Errorf("%s: %d bytes, listed as %d", key, len(body), size)
		}
		got[key] = string(body)
		return err
	}))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// testVersions: a listing tells of each blob what asking for it tells, and another version
// has another name.
func testVersions(t *testing.T, s *store.Store) {
	ctx := t.Context()
	must(t, "put", s.Put(ctx, "versions/a b#", []byte("1")))
	must(t, "put", s.Put(ctx, "versions/c", []byte("22")))
	var before string
	for _, body := range []string{"1", "333"} {
		must(t, "put", s.Put(ctx, "versions/a b#", []byte(body)))
		next, n := s.Entries("versions/"), 0
		for {
			e, err := next(ctx)
			if err == io.EOF {
				break
			}
			must(t, "list", err)
			n++
			now, err := s.Stat(ctx, e.Key)
			must(t, "stat", err)
			if now.Size != e.Size || now.Version != e.Version || now.Version == "" || now.Modified.Unix() != e.Modified.Unix() {
				t.Errorf("listed as %+v, and it is %+v", e, now)
			}
			if e.Key == "versions/a b#" {
				if e.Version == before {
					t.Errorf("the versions of %q are both %s", body, before)
				}
				before = e.Version
			}
		}
		if n != 2 {
			t.Errorf("%d blobs", n)
		}
	}
	_, err := s.Stat(ctx, "versions/none")
	wantKind(t, "stat what isn't there", err, contract.Absent)
	if part, err := s.ReadPart(ctx, "versions/a b#", 1, 2); string(part) != "33" || err != nil {
		t.Errorf("a part: %q, %v", part, err)
	}
	for _, from := range []int64{1, 2} {
		if part, err := s.ReadPart(ctx, "versions/c", from, 3); err == nil || !store.Classify(err).Final() {
			t.Errorf("a part beyond the end, from %d: %q, %v", from, part, err)
		}
	}
}

func testList(t *testing.T, s *store.Store, many int) {
	ctx := t.Context()
	begin := time.Now().Add(-time.Hour)
	want := map[string]bool{}
	var tasks sync.WaitGroup
	slots := make(chan bool, 16)
	for i := range many {
		key := fmt.Sprintf("list/done/%d.json", i)
		want[key] = true
		tasks.Go(func() {
			slots <- true
			defer func() { <-slots }()
			if err := s.Create(ctx, key, []byte("x")); err != nil {
				t.Errorf("create %s: %v", key, err)
			}
		})
	}
	tasks.Wait()
	must(t, "put", s.Put(ctx, "list/done.json", nil))
	last := ""
	must(t, "list", s.List(ctx, "list/done/", func(key string, size int64, modified time.Time) error {
		if !want[key] || size != 1 || modified.Before(begin) || key <= last {
			t.Errorf("listed %q after %q, %d bytes, of %v", key, last, size, modified)
		}
		delete(want, key)
		last = key
		return nil
	}))
	if len(want) != 0 {
		t.Errorf("%d blobs are missing in the listing", len(want))
	}
	for _, prefix := range []string{"list/nothing", "list/nothing/here/", "list/done/1.json/"} {
		if prefix == "list/done/1.json/" && strings.HasPrefix(s.Show(""), "file") {
			continue // a file stands there: an error
		}
		must(t, "list "+prefix, s.List(ctx, prefix, func(key string, _ int64, _ time.Time) error {
			return fmt.Errorf("%s listed under %s", key, prefix)
		}))
	}
	stop := errors.New("stop")
	if err := s.List(ctx, "list/", func(string, int64, time.Time) error { return stop }); err != stop {
		t.Errorf("the visitor's error came back as %v", err)
	}
}

func TestOpenObject(t *testing.T) {
	dir := t.TempDir()
	must(t, "write", os.WriteFile(filepath.Join(dir, "out 1.gz"), []byte("x"), 0o666))
	s, key, err := store.OpenObject(t.Context(), "file://"+dir+"/out%201.gz")
	must(t, "open", err)
	defer s.Close()
	if there, err := s.Exists(t.Context(), key); !there || err != nil || key != "out 1.gz" {
		t.Errorf("%q: %v, %v", key, there, err)
	}
}

// broken is a store whose connection breaks in the middle of a listing.
type broken struct{ driver.Bucket }

func (broken) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return blob.NewBucket(broken{}), nil
}

func (broken) Close() error                       { return nil }
func (broken) ErrorCode(error) gcerrors.ErrorCode { return gcerrors.Unknown }
func (broken) ListPaged(context.Context, *driver.ListOptions) (*driver.ListPage, error) {
	return nil, &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("read: %w", io.EOF)}
}

// TestBrokenListing: an end of file that is the cause of an error is not the end of
// the listing.
func TestBrokenListing(t *testing.T) {
	blob.DefaultURLMux().RegisterBucket("zz-broken", broken{})
	wantKind(t, "list", open(t, "zz-broken://").List(t.Context(), "", nil), contract.Unreachable)
}
