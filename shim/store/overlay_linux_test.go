package store_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"nth/shim/store/contract"
)

// What a container writes without a volume is on an overlay.
func init() {
	at := 2 // after the other directories
	row := places[0]
	row.name = "file on an overlay"
	row.url = func(t *testing.T) string { return "file://" + overlayDir(t) + "/markers" }
	places = append(places[:at:at], append([]place{row}, places[at:]...)...)
}

// overlayDir mounts one, as container runtimes do; that needs root.
func overlayDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		must(t, "mkdir", os.Mkdir(filepath.Join(dir, name), 0o777))
	}
	merged := filepath.Join(dir, "merged")
	options := "lowerdir=" + dir + "/lower,upperdir=" + dir + "/upper,workdir=" + dir + "/work"
	must(t, "mount an overlay (as root)", syscall.Mount("overlay", merged, "overlay", 0, options))
	t.Cleanup(func() {
		if err := syscall.Unmount(merged, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return merged
}

// TestLowerLayer: a marker that the image itself brings is read, replaced and deleted.
func TestLowerLayer(t *testing.T) {
	merged := overlayDir(t)
	lower := filepath.Join(filepath.Dir(merged), "lower", "markers", "done")
	must(t, "mkdir", os.MkdirAll(lower, 0o777))
	must(t, "write", os.WriteFile(filepath.Join(lower, "1.json"), []byte("image"), 0o666))
	must(t, "unmount", syscall.Unmount(merged, 0))
	dir := filepath.Dir(merged)
	must(t, "mount again", syscall.Mount("overlay", merged, "overlay", 0, "lowerdir="+dir+"/lower,upperdir="+dir+"/upper,workdir="+dir+"/work"))
	s := open(t, "file://"+merged+"/markers")
	body, token, err := s.Read(t.Context(), "done/1.json")
	if string(body) != "image" || err != nil {
		t.Fatalf("read %q, %v", body, err)
	}
	wantKind(t, "create", s.Create(t.Context(), "done/1.json", []byte("again")), contract.Exists)
	must(t, "replace", s.Replace(t.Context(), "done/1.json", []byte("new"), token))
	must(t, "delete", s.Delete(t.Context(), "done/1.json"))
	if there, err := s.Exists(t.Context(), "done/1.json"); there || err != nil {
		t.Errorf("after deletion: %v, %v", there, err)
	}
}
