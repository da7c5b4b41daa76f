package flags

import (
	"os"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// everything has a flag of each kind that a struct of nth's has.
type everything struct {
	Text    string
	Level   string        `default:"info" enum:"info, warn"`
	Mode    string        `env:"-" default:"a" enum:"a,b"`
	Number  int           `default:"7"`
	Small   int32         `default:"1"`
	Large   int64         `placeholder:"N"`
	Wait    time.Duration `default:"1m"`
	Yes     bool
	Maybe   *int
	Index   *string
	Codes   []int    `default:"0,3"`
	Lines   []string `sep:"\n"`
	Section struct {
		Inner string `default:"${K}" enum:"x,y"`
	} `embed:"" set:"K=x"`
}

// TestRead: flags and variables are read, and refused, as kong's Parse does, and what is
// right is read without kong as well.
func TestRead(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		args []string
	}{
		{},
		{nil, []string{"--text=a=b", "--level=warn", "--number=-1", "--small=2", "--large=9223372036854775807", "--wait=1h", "--yes", "--maybe=0", "--index=", "--codes=1,2", "--codes=4", "--lines=a,b", "--inner=y"}},
		{map[string]string{"NTH_TEXT": "v", "NTH_LEVEL": "warn", "NTH_NUMBER": "5", "NTH_YES": "true", "NTH_MAYBE": "2", "NTH_LINES": "a\nb", "NTH_CODES": "9", "NTH_MODE": "nobody reads it", "NTH_INNER": "y"}, nil},
		{map[string]string{"NTH_TEXT": "v", "NTH_LEVEL": "none"}, []string{"--text=w", "--level=info"}},
		{nil, []string{"--level=none"}},
		{nil, []string{"--level="}},
		{nil, []string{"--level=Info"}},
		{nil, []string{"--level=%s\n\"é\xff"}},
		{nil, []string{"--mode=none", "--level=none"}},
		{nil, []string{"--inner=z"}},
		{map[string]string{"NTH_LEVEL": "none"}, nil},
		{map[string]string{"NTH_LEVEL": "warn ", "NTH_INNER": "z"}, []string{"--mode=b"}},
		{map[string]string{"NTH_NUMBER": "many"}, nil},
		{map[string]string{"NTH_NUMBER": "many"}, []string{"--number=1"}},
		{map[string]string{"NTH_WAIT": "1"}, nil},
		{map[string]string{"NTH_YES": "perhaps"}, nil},
		{nil, []string{"--number=many", "--level=none"}},
		{nil, []string{"--small=2147483648"}},
		{nil, []string{"--wait=soon"}},
		{nil, []string{"--yes=no"}},
		{nil, []string{"--yes=perhaps"}},
		{nil, []string{"--nope"}},
		{nil, []string{"--leve=info"}},
		{nil, []string{"--no-yes"}},
		{nil, []string{"-y"}},
		{nil, []string{"word"}},
		{nil, []string{"--maybe=x"}},
		{nil, []string{"--codes=1,x"}},
		{nil, []string{"--text"}},
		{nil, []string{"--text=1", "--text=2"}},
		{nil, []string{"--"}},
		{nil, []string{"-"}},
	} {
		for name, value := range tt.env {
			t.Setenv(name, value)
		}
		var got, want everything
		err := read(parserOf(t, &got), tt.args)
		_, wantErr := parserOf(t, &want).Parse(tt.args)
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Errorf("%q %q: %v, and kong says %v", tt.env, tt.args, err, wantErr)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q %q: %s", tt.env, tt.args, diff)
		}
		var without everything
		_, rest, ok := direct(&without, tt.args)
		if ok != (wantErr == nil) && len(rest) == 0 {
			t.Errorf("%q %q: read without kong: %t, and kong says %v", tt.env, tt.args, ok, wantErr)
		}
		if !ok {
			want = everything{}
		}
		if diff := cmp.Diff(want, without); len(rest) == 0 && diff != "" {
			t.Errorf("%q %q, without kong: %s", tt.env, tt.args, diff)
		}
		for name := range tt.env {
			os.Unsetenv(name)
		}
	}
}

func parserOf(t *testing.T, target any) *kong.Kong {
	t.Helper()
	parser, err := model(target, kong.Name("test"), kong.NoDefaultHelp())
	if err != nil {
		t.Fatal(err)
	}
	return parser
}
