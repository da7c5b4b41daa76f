package look

import (
	"fmt"
	"sort"
	"strings"
	"testing"
)

func shapeBy(keys []string) shape {
	sort.Strings(keys)
	return shapeOf(len(keys), func(i int) string { return keys[i] })
}

// TestShape: which objects look as if they were one index's more.
func TestShape(t *testing.T) {
	numbered := func(form string, from, to int) (keys []string) {
		for n := from; n < to; n++ {
			keys = append(keys, fmt.Sprintf(form, n))
		}
		return keys
	}
	for name, tt := range map[string]struct {
		keys     []string
		prefix   string
		yes, not string // separated by spaces
	}{
		"numbers":           {numbered("/in/file_%d.txt", 0, 100), "/in/file_", "/in/file_100.txt /in/file_007.txt", "/in/file_x.txt /in/file_1.txt.bak /in/file_.txt /in/file_1/2.txt /in/other_1.txt /in/file_100.tx /in/README.md"},
		"all in the tens":   {numbered("/in/file_%d.txt", 10, 20), "/in/file_", "/in/file_20.txt /in/file_9.txt", "/in/file_a.txt"},
		"with zeros":        {numbered("/in/file%04d", 0, 100), "/in/file", "/in/file0100 /in/file100", "/in/file /in/file0100.md5"},
		"a number before":   {numbered("/v2/run2024/%d.fq", 0, 20), "/v2/run2024/", "/v2/run2024/20.fq", "/v2/run2025/1.fq /v3/run2024/1.fq"},
		"a number behind":   {numbered("/in/%d.mp3", 0, 20), "/in/", "/in/20.mp3", "/in/20.mp4"},
		"in directories":    {[]string{"/in/0/file_1.txt", "/in/0/file_2.txt", "/in/1/file_100.txt"}, "/in/", "/in/1/file_101.txt /in/2/file_1.txt", "/in/x/file_1.txt /in/file_1.txt"},
		"directories":       {numbered("/in/%d/", 0, 20), "/in/", "/in/20/", "/in/x/ /in/2/3/"},
		"two forms":         {append(numbered("/in/%d_R1.fq", 0, 9), numbered("/in/%d_R2.fq", 0, 9)...), "/in/", "/in/9_R1.fq /in/9_R3.fq", "/in/9_I1.fq"},
		"names":             {[]string{"/in/anna.fq", "/in/ann.fq", "/in/bob.fq"}, "/in/", "/in/carol.fq", "/in/carol.fq.md5 /in/README.md /in/old/carol.fq"},
		"names alike":       {[]string{"/in/sample-anna.fq", "/in/sample-annb.fq"}, "/in/sample-", "/in/sample-carol.fq", "/in/other-carol.fq"},
		"names and endings": {[]string{"/in/a.fq", "/in/b.gz"}, "/in/", "/in/c.fq", "/in/c.txt"},
		"letters and one":   {[]string{"/in/a1.fq", "/in/b2.fq", "/in/c3.fq", "/in/d4.fq", "/in/e5.fq"}, "/in/", "/in/f6.fq /in/f.fq", "/in/f.md"},
		"one in the other":  {[]string{"/in/1", "/in/11", "/in/111"}, "/in/", "/in/1111 /in/2", "/in/1x"},
		"bytes":             {[]string{"/in/\xff1", "/in/\xff2"}, "/in/\xff", "/in/\xff3", "/in/\xfe3"},
	} {
		s := shapeBy(tt.keys)
		if s.before != tt.prefix {
			t.Errorf("%s: the prefix is %q", name, s.before)
		}
		for _, key := range strings.Fields(tt.yes) {
			if !s.has(key) {
				t.Errorf("%s: %q doesn't look like an input", name, key)
			}
		}
		for _, key := range strings.Fields(tt.not) {
			if s.has(key) {
				t.Errorf("%s: %q looks like an input", name, key)
			}
		}
	}
}

// FuzzShape: what a shape was made of is of that shape, and all that is begins with what is
// listed.
func FuzzShape(f *testing.F) {
	f.Add("/in/file_1.txt\n/in/file_2.txt", "/in/file_3.txt")
	f.Add("/1\n/11\n/111", "/1111")
	f.Add("/a/b\n/a/bb\n/a/b/b", "/a/c")
	f.Add("/1/2/\n/2/1/", "/12/21/")
	f.Add("/é1\n/é2", "/é")
	f.Add("/12\n/2", "/")
	f.Fuzz(func(t *testing.T, lines, other string) {
		keys := strings.Split(lines, "\n")
		s := shapeBy(keys)
		for _, key := range keys {
			if !strings.HasPrefix(key, s.before) {
				t.Errorf("%q doesn't begin with %q", key, s.before)
			}
			if keys[0] != keys[len(keys)-1] && !s.has(key) && s.middle(key) != "" {
				t.Errorf("%q isn't of its own shape: %+v", key, s)
			}
		}
		if s.has(other) && !strings.HasPrefix(other, s.before) {
			t.Errorf("%q doesn't begin with %q", other, s.before)
		}
	})
}
