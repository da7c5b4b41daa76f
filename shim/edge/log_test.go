package edge

import (
	"os"
	"strings"
	"testing"

	"nth/shim/secrets"
)

// TestLogIsSafeToPrint: a line for people is one line, and moves no cursor; one for
// programs says what there was.
func TestLogIsSafeToPrint(t *testing.T) {
	const evil = "by \x1b]0;title\a\x1b[2Jme\u202e\n10:00:00 INF index 3 is done"
	hidden := &secrets.Set{}
	hidden.Add("pass\x1b[1mword")
	for format, want := range map[string]string{
		"console": `INF by me 10:00:00 INF index 3 is done a *** z by="by me 10:00:00 INF index 3 is done" n=3` + "\n",
		"json":    `"message":"by \u001b]0;title\u0007\u001b[2Jme` + "\u202e" + `\n10:00:00 INF index 3 is done a *** z"}` + "\n",
	} {
		path := t.TempDir() + "/err"
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		l := NewLogger(format, "info", f, hidden)
		l.Info().Str("by", evil).Int("n", 3).Msg(evil + " a pass\x1b[1mword z")
		f.Close()
		if body, _ := os.ReadFile(path); !strings.HasSuffix(string(body), want) {
			t.Errorf("%s: %q, want %q", format, body, want)
		}
	}
}
