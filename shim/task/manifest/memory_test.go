package manifest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nth/shim/store"
	"nth/testdata/harness"
)

// The test binary is also the process that reads a million rows and measures itself.
const helperVariable = "NTH_TEST_MANIFEST"

func TestMain(m *testing.M) {
	url := os.Getenv(helperVariable)
	if url == "" {
		os.Exit(m.Run())
	}
	if err := readLarge(context.Background(), url); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A million rows, 157 MB, are more than twice what the process may use that reads them,
// in bytes; it takes 23 to 40 MB.
const million, memoryLimit = 1_000_000, 72 << 20

func writeMillion(w io.Writer) error {
	if _, err := io.WriteString(w, "id,text\n"); err != nil {
		return err
	}
	for i := range million {
		if _, err := fmt.Fprintf(w, "%d,%s\n", i, strings.Repeat("x", 100+i%100)); err != nil {
			return err
		}
	}
	return nil
}

// readLarge reads by a scan, by the index that it leaves, and all rows in turn.
func readLarge(ctx context.Context, url string) error {
	s, err := store.Open(ctx, "file://"+filepath.Dir(strings.TrimPrefix(url, "file://")))
	if err != nil {
		return err
	}
	for _, i := range []int64{500_000, 0, million - 1} {
		m, err := Open(ctx, new(store.Stores), url, s)
		if err != nil {
			return err
		}
		if row, err := m.Row(ctx, i); err != nil || row.Fields["id"] != fmt.Sprint(i) {
			return fmt.Errorf("row %d: %v, %w", i, row, err)
		}
		next := i
		err = m.Rows(ctx, i, million, func(i int64, r Row) error {
			if i != next || r.Fields["id"] != fmt.Sprint(i) {
				return fmt.Errorf("row %d instead of %d: %v", i, next, r)
			}
			next++
			return nil
		})
		if err != nil || next != million {
			return fmt.Errorf("rows from %d end at %d: %w", i, next, err)
		}
		if n, err := m.Len(ctx); n != million || err != nil {
			return fmt.Errorf("%d rows, %w", n, err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	var peak int // KiB, proc(5)
	if _, err := fmt.Sscan(strings.TrimSpace(string(after)), &peak); err != nil {
		return err
	}
	fmt.Println(peak>>10, "MB")
	if peak<<10 > memoryLimit {
		return fmt.Errorf("%d MB were in memory", peak>>10)
	}
	return nil
}

// TestMemory: a million rows are not held.
func TestMemory(t *testing.T) {
	if harness.Apart(t) { // with the race detector it takes seven times the time, and other memory
		return
	}
	for _, name := range []string{"a.csv", "a.csv.gz"} {
		path := filepath.Join(t.TempDir(), name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		var w io.WriteCloser = f
		if strings.HasSuffix(name, compressed) {
			w, _ = gzip.NewWriterLevel(f, gzip.BestSpeed)
		}
		if err := writeMillion(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), helperVariable+"=file://"+path)
		out, err := cmd.CombinedOutput()
		t.Logf("%s: %s", name, out)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
