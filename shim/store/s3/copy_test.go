package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob"

	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/testdata/servers"
)

var allServers = map[string]func(testing.TB) *servers.S3{"versitygw": servers.StartS3, "MinIO": servers.StartMinIO, "moto": servers.StartMoto}

// small has the limits of 5 GiB at 5 MiB.
func small(t *testing.T, endpoint string) *bucket {
	t.Helper()
	u, err := url.Parse("s3://data/p?endpoint=" + endpoint)
	if err != nil {
		t.Fatal(err)
	}
	b, err := parse(u, servers.Getenv(servers.S3Env()))
	if err != nil {
		t.Fatal(err)
	}
	b.copyWhole, b.copyPart = minPart, minPart
	return b
}

// TestCopyInParts: what is larger than one request may copy keeps its content, type and
// metadata, and takes the place of what is there, in parts of the version that was there.
func TestCopyInParts(t *testing.T) {
	for name, start := range allServers {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			server.Bucket(t, "data")
			var changes atomic.Pointer[func()]
			fault := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
				if f := changes.Load(); f != nil && r.Header.Get("X-Amz-Copy-Source-Range") != "" {
					changes.Store(nil)
					(*f)()
				}
				return nil
			})
			d := small(t, fault.URL)
			b := blob.NewBucket(d)
			defer b.Close()
			put := func(key string, body []byte) {
				t.Helper()
				if err := b.Upload(t.Context(), key, bytes.NewReader(body), &blob.WriterOptions{ContentType: "text/csv", Metadata: map[string]string{"name": "v 1", contract.ModeKey: "100755"}}); err != nil {
					t.Fatal(err)
				}
			}
			for _, size := range []int{minPart, minPart + 1, 3*minPart + 7} {
				body := bytes.Repeat([]byte{byte(size), 1, 2, 3, 4, 5, 6}, size/7+1)[:size]
				put("from a b+é", body)
				for range 2 {
					before := len(fault.Requests())
					if err := b.Copy(t.Context(), "to", "from a b+é", nil); err != nil {
						t.Fatal(err)
					}
					parts := (size + minPart - 1) / minPart
					want := 1 + parts + 2 // a look, the parts, begin and end
					if parts == 1 {
						want = 2
					}
					if n := len(fault.Requests()) - before; n != want {
						t.Errorf("%d bytes: %d requests, want %d", size, n, want)
					}
				}
				got, err := b.ReadAll(t.Context(), "to")
				a, attrsErr := b.Attributes(t.Context(), "to")
				if err != nil || attrsErr != nil || !bytes.Equal(got, body) || a.ContentType != "text/csv" || a.Metadata["name"] != "v 1" || a.Metadata[contract.ModeKey] != "100755" {
					t.Errorf("%d bytes: %d came, %v, %v, %+v", size, len(got), err, attrsErr, a)
				}
			}
			change := func() {
				server.Put(t, "data", "p/source", bytes.Repeat([]byte("other"), 4<<20))
			}
			if name != "moto" { // which knows no condition of a copied part
				put("source", make([]byte, 3*minPart))
				changes.Store(&change)
				err := b.Copy(t.Context(), "elsewhere", "source", nil)
				if kind := kindOf(err); kind != contract.Conflict {
					t.Errorf("a source that has changed: kind %d, %v", kind, err)
				}
				if there, err := b.Exists(t.Context(), "elsewhere"); there || err != nil {
					t.Errorf("there is a copy: %v, %v", there, err)
				}
			}
			if n := server.Uploads(t, "data", "p/elsewhere") + server.Uploads(t, "data", "p/to"); n != 0 {
				t.Errorf("%d uploads are left", n)
			}
		})
	}
}

func kindOf(err error) contract.Kind {
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e.Kind
	}
	return contract.Other
}

// TestPartsOf: no blob has more parts than it may.
func TestPartsOf(t *testing.T) {
	type cut struct {
		Count int
		Size  int64
	}
	for size, want := range map[int64]cut{copyWhole + 1: {2, copyPart}, 5 << 40: {9103, 9 * copyPart}, maxParts * copyPart: {maxParts, copyPart}, maxParts*copyPart + 1: {5001, 2 * copyPart}} {
		count, of := partsOf(size, copyPart)
		if diff := cmp.Diff(want, cut{count, of}); diff != "" || int64(count)*of < size {
			t.Errorf("%d bytes (-want +got):\n%s", size, diff)
		}
	}
}

// TestSum: a checksum that the server has of a whole object is offered, if it is asked for.
func TestSum(t *testing.T) {
	for name, start := range allServers {
		if name == "moto" {
			continue // it names none
		}
		t.Run(name, func(t *testing.T) {
			server := start(t)
			server.Bucket(t, "data")
			b := small(t, "http://"+server.Address)
			defer b.Close()
			body := []byte("0123456789")
			want := contract.CRC32C(web.Sum(body))
			res, err := b.object(t.Context(), request{method: http.MethodPut, key: "x", body: body, header: http.Header{"X-Amz-Checksum-Crc32c": {web.WriteSum(uint32(want))}}})
			if err != nil {
				t.Fatal(err)
			}
			web.Drain(res)
			for _, asked := range []bool{true, false} {
				ctx := t.Context()
				if asked {
					ctx = contract.WithSum(ctx)
				}
				a, err := b.Attributes(ctx, "x")
				if err != nil {
					t.Fatal(err)
				}
				var got contract.CRC32C
				if there := a.AsFunc(&got); asked && (!there || got != want) {
					t.Errorf("%v: %x, want %x", there, got, want)
				}
			}
		})
	}
}

// TestNamed: the checksum of a part, or of the parts' checksums, is none of the object.
func TestNamed(t *testing.T) {
	sum := contract.CRC32C(7)
	for name, c := range map[string]struct {
		status     int
		kind, text string
		want       *contract.CRC32C
	}{
		"of the object":          {200, "FULL_OBJECT", web.WriteSum(7), &sum},
		"as it was before types": {200, "", web.WriteSum(7), &sum},
		"of the parts":           {200, "COMPOSITE", web.WriteSum(7), nil},
		"of the parts, so named": {200, "", web.WriteSum(7) + "-3", nil},
		"of a part":              {206, "FULL_OBJECT", web.WriteSum(7), nil},
		"none":                   {200, "", "", nil},
	} {
		res := &http.Response{StatusCode: c.status, Header: http.Header{"X-Amz-Checksum-Type": {c.kind}, "X-Amz-Checksum-Crc32c": {c.text}}}
		if diff := cmp.Diff(c.want, named(res).Sum); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestUnsigned: a write that no signature covers has a checksum of what it sends.
func TestUnsigned(t *testing.T) {
	var sum atomic.Value
	fault := servers.StartFault(t, "127.0.0.1:1", func(_ int, r *http.Request) servers.Action {
		return func(_ *servers.Fault, w http.ResponseWriter, r *http.Request) {
			sum.Store(r.Header.Get("Content-Md5"))
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("ETag", `"1"`)
		}
	})
	u, err := url.Parse("s3://data/p?anonymous=true&endpoint=" + fault.URL)
	if err != nil {
		t.Fatal(err)
	}
	d, err := parse(u, servers.Getenv(nil))
	if err != nil {
		t.Fatal(err)
	}
	b := blob.NewBucket(d)
	defer b.Close()
	if err := b.Upload(context.Background(), "x", bytes.NewReader([]byte("0123456789")), &blob.WriterOptions{ContentType: "a/b"}); err != nil {
		t.Fatal(err)
	}
	if got := sum.Load(); got != "eB5eJF1ptWaXm4bijSPyxw==" { // openssl md5 -binary | base64
		t.Errorf("Content-MD5: %v", got)
	}
}
