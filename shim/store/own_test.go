package store_test

import (
	"strings"
	"testing"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/testdata/servers"
)

// TestOneIndexesOwn: what a store says of one index's key or object stops that index at
// most, and never the Job.
func TestOneIndexesOwn(t *testing.T) {
	s3 := s3Server(t)
	files := open(t, "file://"+t.TempDir())
	const minio = "a key that MinIO finds too long"
	long := strings.Repeat("x", 300)
	for _, tt := range []struct {
		name string
		s    *store.Store
		key  string
		code failure.Code
	}{
		{"a name that no file can have", files, long, 65},
		{minio, open(t, s3Bucket(t, servers.StartMinIO).URL("data", "p")), strings.Repeat("x/", 600), 65},
		{"said by S3", through(t, s3, servers.S3Error(400, "KeyTooLongError")), "x", 65},
		{"a server that can't", through(t, s3, servers.S3Error(501, "NotImplemented")), "x", 69},
		{"without a word", through(t, s3, servers.Answer(501, "")), "x", 69},
		{"a shorter object", through(t, s3, servers.S3Error(416, "InvalidRange")), "x", 65},
	} {
		t.Run(tt.name, func(t *testing.T) {
			said := map[string]error{"create": tt.s.Create(t.Context(), tt.key, []byte("{}"))}
			if tt.name != minio { // which says, rightly, that it isn't there
				_, _, said["read"] = tt.s.Read(t.Context(), tt.key)
			}
			for what, err := range said {
				for _, of := range []failure.Whose{failure.OneIndex, failure.OneTask} {
					if f := store.Fail(err, of, what, "it"); f.Code != tt.code {
						t.Errorf("code %d, want %d: %v", f.Code, tt.code, f)
					}
				}
			}
		})
	}
}
