package status

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/identity"
)

// written gives the page of one failure with a text in many places, and what stands in
// its element of data.
func written(t *testing.T, text string) (page, data string) {
	t.Helper()
	of, err := identity.ParseList("3,7-9")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_800_000_000, 0)
	s := &Snapshot{At: at, Of: of, Len: 4, States: []State{Done, Failed, Skipped, Missing}, Settled: []int64{1000, 0, 990, 0},
		Failures: map[int64]time.Time{8: at, 7: at.Add(-5 * time.Second)}, Requests: 3}
	r := &Report{Job: text, Markers: text, At: at, Lists: Lists{Done: "3", Others: "20"},
		Groups:   []Group{{Reason: text, Text: text}},
		Failures: []Failure{{Index: 7, Stderr: text, Last: text, Pod: text, Node: text, Text: text}}}
	var b bytes.Buffer
	if err := WriteHTML(&b, r, s); err != nil {
		t.Fatal(err)
	}
	_, data, _ = strings.Cut(b.String(), `<script type="application/json" id="data">`)
	data, _, _ = strings.Cut(data, "</script>")
	return b.String(), data
}

// unsafe is what could end the element, or a line of script.
const unsafe = "<>&\u2028\u2029"

func TestHTMLEscapes(t *testing.T) {
	for _, tt := range []struct{ in, json, back string }{
		{"plain", `"plain"`, "plain"},
		{"</script>", `"\u003c/script\u003e"`, "</script>"},
		{"<!--<script>", `"\u003c!--\u003cscript\u003e"`, "<!--<script>"},
		{"&lt;", `"\u0026lt;"`, "&lt;"},
		{"a\u2028b\u2029c", `"a\u2028b\u2029c"`, "a\u2028b\u2029c"},
		{"\x00\x1b[31m\x07", `"\u0000\u001b[31m\u0007"`, "\x00\x1b[31m\x07"},
		{"\xff\xfe", `"\ufffd\ufffd"`, "\ufffd\ufffd"},
		{"\u202e\"'`", "\"\u202e\\\"'`\"", "\u202e\"'`"},
		{"DATA STYLE SCRIPT STYLE-HASH", `"DATA STYLE SCRIPT STYLE-HASH"`, "DATA STYLE SCRIPT STYLE-HASH"},
	} {
		_, data := written(t, tt.in)
		if !strings.Contains(data, `"stderr":`+tt.json+`,`) {
			t.Errorf("%q is not %s in %s", tt.in, tt.json, data)
		}
		checkData(t, data, tt.back)
	}
}

func FuzzHTMLEscapes(f *testing.F) {
	f.Add("</script><script>alert(1)</script>")
	f.Add("\u2028\x00\xff")
	f.Fuzz(func(t *testing.T, text string) {
		_, data := written(t, text)
		// Each byte that is no UTF-8 becomes a replacement character of its own.
		checkData(t, data, string([]rune(text)))
	})
}

// checkData wants a safe text that reads back as what it was.
func checkData(t *testing.T, data, want string) {
	t.Helper()
	if i := strings.IndexAny(data, unsafe); i >= 0 {
		t.Errorf("at %d: %q", i, data[i:min(len(data), i+20)])
	}
	var d document
	if err := json.Unmarshal([]byte(data), &d); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	if diff := cmp.Diff(want, d.Report.Failures[0].Stderr); diff != "" {
		t.Error(diff)
	}
}

func TestHTMLDocument(t *testing.T) {
	_, data := written(t, "x")
	var d document
	if err := json.Unmarshal([]byte(data), &d); err != nil {
		t.Fatal(err)
	}
	at := int64(1_800_000_000)
	want := document{Of: "3,7-9", States: "dfs.", Settled: deltas{1000, -10}, Failed: deltas{7, 1}, FailedAt: deltas{at - 5, 5}, Requests: 3}
	if got := d.Report.Lists; got != (Lists{Others: "20"}) {
		t.Errorf("lists that follow from the states are in it: %+v", got)
	}
	d.Report = nil
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
}

// TestHTMLPolicy: the page's policy admits just its own script and style.
func TestHTMLPolicy(t *testing.T) {
	page, _ := written(t, "'STYLE-HASH'")
	if again, _ := written(t, "'STYLE-HASH'"); again != page {
		t.Error("a second page differs")
	}
	for _, part := range []string{"style", "script"} {
		text := regexp.MustCompile(`(?s)<` + part + `>(.*)</` + part + `>`).FindStringSubmatch(page)
		if text == nil {
			t.Fatalf("no %s", part)
		}
		if want := part + "-src '" + hash(text[1]) + "';"; strings.Count(page, want) != 1 {
			t.Errorf("no %s", want)
		}
		if strings.Contains(text[1], "</"+part) || strings.Contains(text[1], "<!--") {
			t.Errorf("the %s would end early", part)
		}
	}
	if !strings.Contains(page, `content="default-src 'none'; `) {
		t.Error("the policy admits more")
	}
	for _, word := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http://", "https://", "localStorage"} {
		if rest := strings.ReplaceAll(page, "http://www.w3.org/2000/svg", ""); strings.Contains(rest, word) {
			t.Errorf("the page has %s", word)
		}
	}
}

// full fails after some writes.
type full struct{ left int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestHTMLWriteFails(t *testing.T) {
	counting := &full{left: 1 << 30}
	if err := WriteHTML(counting, &Report{}, &Snapshot{}); err != nil {
		t.Fatal(err)
	}
	for n := range 1<<30 - counting.left {
		if err := WriteHTML(&full{left: n}, &Report{}, &Snapshot{}); !errors.Is(err, errFull) {
			t.Errorf("after %d writes: %v", n, err)
		}
	}
}

// BenchmarkWriteHTML is for a million indexes.
func BenchmarkWriteHTML(b *testing.B) {
	const n = 1_000_000
	of, err := identity.ParseList("0-999999")
	if err != nil {
		b.Fatal(err)
	}
	s := &Snapshot{Of: of, Len: n, States: slices.Repeat([]State{Done}, n), Settled: make([]int64, n)}
	for b.Loop() {
		if err := WriteHTML(io.Discard, &Report{}, s); err != nil {
			b.Fatal(err)
		}
	}
}
