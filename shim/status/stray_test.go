package status

import (
	"strings"
	"testing"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/store"
	"nth/testdata/servers"
)

// TestHidden: an object named done beside the markers hides them all from the listings of
// MinIO's single drive, while each can be read: that is told, and not that all are missing.
func TestHidden(t *testing.T) {
	for _, v := range servers.S3Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	server := servers.StartMinIO(t)
	server.Bucket(t, "data")
	server.Put(t, "data", "p/done", []byte("stray"))
	server.Put(t, "data", "p/done/0.json", []byte("{}"))
	s, err := store.Open(t.Context(), server.URL("data", "p"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if there, err := s.Exists(t.Context(), "done/0.json"); !there || err != nil {
		t.Fatalf("the marker: %v, %v", there, err)
	}
	snap, err := Scan(t.Context(), s, identity.Whole(1), store.Policy{}, nil)
	if err == nil && snap.Counts().Done == 1 {
		t.Fatal("this server lists it all the same: the test's place is taken by nothing")
	}
	if err == nil || failure.From(err).Code != failure.Setup || !strings.Contains(err.Error(), "p/done") {
		t.Errorf("%v", err)
	}
	if err := s.Delete(t.Context(), "done"); err != nil {
		t.Fatal(err)
	}
	if _, err := Scan(t.Context(), s, identity.Whole(1), store.Policy{}, nil); err != nil {
		t.Errorf("without it: %v", err)
	}
}
