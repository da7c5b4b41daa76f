package file

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob/driver"
)

// segments are names in whose order bytes, slashes and codes play a part.
var segments = []string{"a", "a-", "a b", "aa", "b", "B", "é", "~", "-", "!", "a__0x", "<<", "\x01", "\n"}

// wood makes a tree by chance, with what is no blob in it, and gives the keys of its blobs.
func wood(t *testing.T, b *bucket, random *rand.Rand) (keys []string) {
	t.Helper()
	for range 60 {
		key := segments[random.IntN(len(segments))]
		for random.IntN(3) > 0 {
			key += "/" + segments[random.IntN(len(segments))]
		}
		path := b.path(key)
		if os.MkdirAll(filepath.Dir(path), 0o777) == nil && os.WriteFile(path, nil, 0o666) == nil && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, name := range []string{"bad\xff", "a/bad\xff", "__0x61__"} { // "a" may be a file
		_ = os.WriteFile(b.dir+"/"+name, nil, 0o666)
	}
	_ = os.Mkdir(b.dir+"/empty", 0o777)
	_ = os.Symlink("nowhere", b.dir+"/link")
	slices.Sort(keys)
	return keys
}

// folded is what a listing of these keys should be.
func folded(keys []string, prefix, delimiter string) (want []string) {
	for _, key := range keys {
		rest, below := strings.CutPrefix(key, prefix)
		if !below {
			continue
		}
		if at := strings.Index(rest, delimiter); delimiter != "" && at >= 0 {
			key = prefix + rest[:at+len(delimiter)]
		}
		want = append(want, key)
	}
	return slices.Compact(want)
}

// TestWalk: a listing has every blob once, by key, however large its pages are, however few
// names of a directory are held, and whether or not it is remembered from page to page.
func TestWalk(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 10 {
		b, err := parse(&url.URL{Scheme: "file", Path: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		keys := wood(t, b, random)
		for _, prefix := range []string{"", "a", "a/", "a b/a", "é/", "none/"} {
			if dir, _, within := strings.Cut(prefix, "/"); within && slices.Contains(keys, dir) {
				continue // a file stands where a directory should be: that is an error
			}
			for _, delimiter := range []string{"", "/", "a", "-"} {
				for _, held := range []int{1, 40, mostNames} {
					for _, size := range []int{0, 1, 3} {
						for _, forgets := range []bool{false, true} {
							b.mostNames = held
							name := fmt.Sprintf("round %d, prefix %q, delimiter %q, %d held, pages of %d, forgets: %v", round, prefix, delimiter, held, size, forgets)
							got := walked(t, b, &driver.ListOptions{Prefix: prefix, Delimiter: delimiter, PageSize: size}, forgets)
							if diff := cmp.Diff(folded(keys, prefix, delimiter), got); diff != "" {
								t.Fatalf("%s: %s\nof %q", name, diff, keys)
							}
						}
					}
				}
			}
		}
	}
}

// walked lists page by page.
func walked(t *testing.T, b *bucket, opts *driver.ListOptions, forgets bool) (got []string) {
	t.Helper()
	for {
		page, err := b.ListPaged(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Objects {
			got = append(got, o.Key)
		}
		if page.NextPageToken == nil {
			return got
		}
		opts.PageToken = page.NextPageToken
		if forgets {
			b.listings = listings{}
		}
	}
}

// TestSkipped: what is no blob is told once, in however many parts a directory is read.
func TestSkipped(t *testing.T) {
	b, err := parse(&url.URL{Scheme: "file", Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for k := range 300 {
		name := fmt.Sprintf("%03d", k)
		if k%3 == 0 {
			name += "\xff"
			want = append(want, name)
		}
		if err := os.WriteFile(b.dir+"/"+name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b.mostNames = 100
	for range 2 {
		if n := len(walked(t, b, &driver.ListOptions{PageSize: 7}, false)); n != 200 {
			t.Errorf("%d blobs", n)
		}
		var got []string
		for _, s := range b.Skipped() {
			got = append(got, s.Key)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestLost: a directory that is gone when its turn comes has no blobs, and a page that failed
// may be asked for again.
func TestLost(t *testing.T) {
	b, err := parse(&url.URL{Scheme: "file", Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b/c", "d", "e"} {
		if err := os.MkdirAll(filepath.Dir(b.path(key)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.path(key), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	opts := &driver.ListOptions{PageSize: 1}
	page, err := b.ListPaged(t.Context(), opts) // it knows of b/c
	if err != nil || len(page.Objects) != 1 {
		t.Fatal(page, err)
	}
	if err := os.RemoveAll(b.dir + "/b"); err != nil {
		t.Fatal(err)
	}
	opts.PageToken, b.mountpoint = page.NextPageToken, b.dir+"/not mounted"
	if _, err := b.ListPaged(t.Context(), opts); err == nil {
		t.Fatal("listed what isn't mounted")
	}
	b.mountpoint = ""
	if diff := cmp.Diff([]string{"d", "e"}, walked(t, b, opts, false)); diff != "" {
		t.Error(diff)
	}
}
