package file

import (
	"path/filepath"
	"strings"
	"testing"
)

// FuzzEscape: every key has a path of its own below the directory, which gives the
// key again and is no temporary file's.
func FuzzEscape(f *testing.F) {
	for _, key := range []string{"done/1.json", "../x", "a//b/", "__0x2e__", "___0x", ".nth-tmp-1/x", "\x00_0x", ".", "_\x00", "__0x5f___0x"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		path := escape(key)
		segments := strings.Split(path, "/")
		for i, s := range segments {
			if s == "" || s == "." || s == ".." || strings.HasPrefix(s, temporary) || strings.IndexByte(s, 0) >= 0 {
				t.Errorf("%q: segment %q", key, s)
			}
			segments[i] = unescapeSegment(s)
			if escapeSegment(segments[i]) != s {
				t.Errorf("%q: %q is not found in a listing", key, s)
			}
		}
		if back := strings.Join(segments, "/"); back != key {
			t.Errorf("%q comes back as %q", key, back)
		}
		if !strings.HasPrefix(filepath.Join("/dir", path), "/dir/") {
			t.Errorf("%q is outside: %s", key, path)
		}
	})
}
