package file

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// table is what Linux 6.12 shows in a container, with a few names that nobody gives.
const table = `573 467 0:92 / / rw,relatime master:152 - overlay overlay rw,lowerdir=/var/lib/a\040b,upperdir=/var/lib/c
574 573 0:95 / /proc rw,nosuid - proc proc rw
580 573 254:1 /var/lib/kubelet/pods/1/volumes/pvc /mnt/vol rw,relatime - ext4 /dev/vda1 rw
581 573 254:1 /data /mnt/with\040space rw,relatime shared:1 master:2 - ext4 /dev/vda1 rw
582 573 254:1 / /mnt/tab\011line\012back\134slash\043hash rw - ext4 /dev/vda1 rw
583 573 254:1 / /mnt/back\134040slash rw - ext4 /dev/vda1 rw
584 573 254:1 / /mnt/gone//deleted rw - ext4 /dev/vda1 rw
585 580 254:1 / /mnt/other/deep rw - ext4 /dev/vda1 rw
586 573 254:1 / /mnt/no\u00a0break rw - ext4 /dev/vda1 rw
587 573 254:1 / /mnt/torn`

func TestMountedAt(t *testing.T) {
	text := strings.ReplaceAll(table, `\u00a0`, "\u00a0")
	for dir, want := range map[string]bool{
		"/": true, "/mnt/vol": true, "/mnt/with space": true, "/mnt/tab\tline\nback\\slash#hash": true, "/mnt/back\\040slash": true,
		"/mnt/other/deep": true, "/mnt/no\u00a0break": true,
		"/mnt": false, "/mnt/vo": false, "/mnt/volume": false, "/mnt/vol/markers": false, "/mnt/other": false, `/mnt/with\040space`: false,
		"/mnt/back slash": false, "/data": false, "/mnt/gone": false, "/mnt/torn": false, "rw": false, "": false,
	} {
		if got := mountedAt([]byte(text), dir); got != want {
			t.Errorf("%q: %v, want %v", dir, got, want)
		}
	}
	if mountedAt(nil, "/") {
		t.Error("of nothing, something is mounted at /")
	}
}

// mangle writes a name as Linux does (fs/seq_file.c, mangle_path).
func mangle(name, escaped string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if strings.IndexByte(escaped, c) >= 0 {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// FuzzMountedAt: what is in the table is found by its name, whatever else is there, and by
// no other.
func FuzzMountedAt(f *testing.F) {
	f.Add(table, "/mnt/a b", "/mnt/a")
	f.Add("", "/mnt/\t\n\\ #", `/mnt/\011`)
	f.Add("1 2 3 4", "/mnt/\\040", "/mnt/ ")
	f.Add(`1 2 3 / /a\4 - `, "/\\", "/\\0")
	f.Fuzz(func(t *testing.T, rows, dir, other string) {
		mountedAt([]byte(rows), dir) // anything may stand there
		for _, escaped := range []string{" \t\n\\", " \t\n\\#"} {
			row := "36 35 98:0 / " + mangle(dir, escaped) + " rw,noatime master:1 - ext3 /dev/root rw\n"
			if !mountedAt([]byte(rows+"\n"+row+rows), dir) {
				t.Errorf("%q isn't found in %q", dir, row)
			}
			if other != dir && mountedAt([]byte(row), other) {
				t.Errorf("%q is found in %q", other, row)
			}
		}
	})
}

// TestThisTable: what this machine shows is read, and a directory that was just made is
// none of it.
func TestThisTable(t *testing.T) {
	if _, err := os.Stat(mountinfo); err != nil {
		if mounted, err := isMountpoint(t.TempDir()); mounted || err == nil {
			t.Errorf("without a table: %v, %v", mounted, err)
		}
		return
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("/proc", link); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{"/": true, "/proc": true, link: true, filepath.Dir(link): false} {
		if mounted, err := isMountpoint(dir); mounted != want || err != nil {
			t.Errorf("%s: %v, %v, want %v", dir, mounted, err, want)
		}
	}
}
