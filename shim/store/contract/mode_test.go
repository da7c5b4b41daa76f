package contract

import (
	"io/fs"
	"testing"
)

// TestReadMode: what is written is read again, as what rclone writes is, and of what anybody
// may write no more than permissions of a file.
func TestReadMode(t *testing.T) {
	for text, want := range map[string]fs.FileMode{
		"100644": 0o644, "100755": 0o755, "0100664": 0o664, "755": 0o755, "0700": 0o700, "100400": 0o600, "0": 0o600,
		"104755": 0o755, "107777": 0o777, "4755": 0o755,
		"": 0, "40755": 0, "120777": 0, "140755": 0, "100855": 0, "rwxr-xr-x": 0, "-755": 0, "+755": 0, "0x1ed": 0, "0o755": 0, "1_00755": 0,
		" 755": 0, "755\n": 0, "1000755": 0, "1777777": 0, "00100755": 0, "777777777777777777777777": 0, "755\x00": 0,
	} {
		if got := ReadMode(text); fs.FileMode(got) != want {
			t.Errorf("%q is %o, want %o", text, got, want)
		}
	}
	if m := ModeOf(0o750 | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky | fs.ModeDir); m != 0o750 {
		t.Errorf("of a special file %o is left", m)
	}
	for m := range fs.FileMode(0o1000) {
		if got := ReadMode(ModeOf(m).String()); fs.FileMode(got) != m|0o600 {
			t.Errorf("%o became %o", m, got)
		}
	}
}

// FuzzReadMode: whatever stands there, it is no more than permissions, which its owner has.
func FuzzReadMode(f *testing.F) {
	for _, text := range []string{"100755", "4777", "0", "-1", "40000000755"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if m := fs.FileMode(ReadMode(text)); m != 0 && (m&^0o777 != 0 || m&0o600 != 0o600) {
			t.Errorf("%q is %o", text, m)
		}
	})
}
