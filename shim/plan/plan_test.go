package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/templates"
)

// planOf is the plan of a Job of so many indexes.
func planOf(completions int64, format string, command ...string) Config {
	return Config{Format: format, Config: config.Config{Index: identity.Settings{Completions: &completions}, Command: command,
		Process: config.Process{StopSignals: []string{"TERM"}}, Markers: config.Markers{OnChange: "fail"}, Stores: config.Stores{StoreTimeout: time.Second, StoreWait: time.Second}, Tasks: config.Tasks{Lease: time.Minute}}}
}

// world is one whose stderr nobody reads.
func world(t *testing.T) edge.Process {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return edge.NewProcess(edge.World{LookupEnv: func(string) (string, bool) { return "", false }, Stderr: f})
}

// full is a disk that takes so many bytes.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

// TestStreams: a plan is written while it is made. Of one that would never end all is seen
// of which there is a place, and no more is made.
func TestStreams(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		for _, command := range [][]string{{"echo", "<<.Index>>"}, {"echo", "<<div .Index 1000>>"}, {"echo", "<<div .Index (sub .Index .Index)>>"}} {
			if format == "text" && strings.Contains(command[1], "sub") {
				continue // failures go to stderr, which nobody counts
			}
			w := world(t)
			_, err := Write(planOf(1<<40, format, command...), w, &full{left: 100_000})
			if f := failure.From(err); err == nil || f.Code != 69 || f.Tried != "print the plan" {
				t.Errorf("%s of %s: %v", format, command, err)
			}
		}
	}
}

// TestBounded: what is held of the indexes that were planned doesn't grow with them, and
// it is said what that leaves out.
func TestBounded(t *testing.T) {
	var all twins
	for i := range int64(maxCompared + 2) {
		same := []string{"echo", fmt.Sprint(i % (maxCompared + 1))}
		if begun := all.add(sumOf(appendSum(nil, item.Words{Command: same}, item.Data{})), i); begun != nil {
			begun.what = templates.Line(same)
		}
	}
	found, note := all.findings("expand to the same command", "command")
	if diff := cmp.Diff([]string{fmt.Sprintf("indexes 0,%d expand to the same command: echo 0", maxCompared+1)}, found); diff != "" ||
		!strings.Contains(note, "compared with the first 100000 different ones") || len(all.first) != maxCompared {
		t.Errorf("%d are held; %s %s", len(all.first), note, diff)
	}
	var out bytes.Buffer
	w := world(t)
	for mod, want := range map[int64]string{
		1: "indexes 0-4999 expand to the same command: echo 0",
		2: "indexes 0,2,4,6,",
	} {
		out.Reset()
		code, err := Write(planOf(5000, "json", "echo", fmt.Sprintf("<<mod .Index %d>>", mod)), w, &out)
		var doc struct {
			Items    []Planned
			Findings []string
			Notes    []string
		}
		if e := json.Unmarshal(out.Bytes(), &doc); code != 1 || err != nil || e != nil || len(doc.Items) != 5000 || len(doc.Findings) != int(mod) || doc.Notes != nil {
			t.Fatalf("code %d, %v, %v, %d items, findings %.200q", code, err, e, len(doc.Items), doc.Findings)
		}
		if !strings.HasPrefix(doc.Findings[0], want) || mod == 2 && !strings.Contains(doc.Findings[0], ",1998 and 1500 more expand") {
			t.Errorf("%.100s … %s", doc.Findings[0], doc.Findings[0][max(0, len(doc.Findings[0])-100):])
		}
	}
}

// TestDocument: written piece by piece, it is what encoding/json writes in one.
func TestDocument(t *testing.T) {
	type whole struct {
		Items     []Planned         `json:"items"`
		Manifests []PlannedManifest `json:"manifests,omitempty"`
		Findings  []string          `json:"findings"`
		Notes     []string          `json:"notes,omitempty"`
	}
	for _, want := range []whole{
		{Items: []Planned{{Index: 0, Command: []string{"a", "<b>\n"}}}, Findings: []string{}},
		{Items: []Planned{{Index: 1, Error: "x"}, {Index: 3, Env: []string{"A=1"}}}, Manifests: []PlannedManifest{{URL: "u", Rows: 3}, {URL: "v"}}, Findings: []string{"f", "g"}, Notes: []string{"n"}},
	} {
		var got, all bytes.Buffer
		d := newJSON(&got)
		for _, it := range want.Items {
			if err := d.item(it); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range want.Manifests {
			d.manifest(m)
		}
		if err := d.end(want.Findings, want.Notes, nil); err != nil {
			t.Fatal(err)
		}
		e := json.NewEncoder(&all)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all.String(), got.String()); diff != "" {
			t.Error(diff)
		}
	}
}
