//go:build linux

package local

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nth/testdata/program"
)

// ways are the two ways in which nth local runs its indexes.
var ways = map[string][]string{"in this process": nil, "isolated": {"--isolated"}}

// inBothWays runs a test for each of them.
func inBothWays(t *testing.T, test func(t *testing.T, way []string)) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, way)
		})
	}
}

// seen is what a Job leaves behind, without what differs between any two runs.
type seen struct {
	Code           int
	Stdout, Stderr map[string][]string // by index, in their order
	Summary        []string            // of nth local itself
	Files          map[string]string
}

// changing is what no two runs have in common.
var changing = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`\d{8}t\d{6}z-[0-9a-f]{16}`), "RUN"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`), "TIME"},
	{regexp.MustCompile(`, in [0-9a-zµ.]+\n`), ", in A WHILE\n"},
	{regexp.MustCompile(`("(?:duration_s|user_s|system_s|\w*_ms)"): ?[0-9.e-]+`), "$1:SOME"},
	{regexp.MustCompile(`(duration_s)=[0-9.e-]+`), "$1=SOME"},
	{regexp.MustCompile(`"version": "[0-9-]+"`), "A VERSION"}, // of a file
	{regexp.MustCompile(`(NTH_COOKIE=)\S+`), "${1}COOKIE"},
}

func settled(text, dir string) string {
	text = strings.ReplaceAll(text, dir, "DIR")
	for _, c := range changing {
		text = c.what.ReplaceAllString(text, c.as)
	}
	return memory.ReplaceAllStringFunc(text, func(figure string) string {
		n := strings.LastIndexAny(figure, ": =") + 1
		if bytes, err := strconv.ParseInt(figure[n:], 10, 64); err == nil && bytes > 300_000 && bytes < 60_000_000 {
			return figure[:n] + "PLAUSIBLE"
		}
		return figure
	})
}

// memory is what a command took: that of sh is between a page and nth's own.
var memory = regexp.MustCompile(`max_rss_bytes(": ?|=)\d+`)

// byIndex takes lines apart by what stands before them. What nth local says itself comes from
// elsewhere, and may be before or after what a run says.
func byIndex(text string) (lines map[string][]string, own []string) {
	lines = map[string][]string{}
	for line := range strings.Lines(text) {
		index, rest, ok := strings.Cut(line, "] ")
		switch {
		case !ok || !strings.HasPrefix(line, "["):
			own = append(own, line)
		case strings.HasPrefix(rest, "nth local: "):
			lines[index+"] nth local"] = append(lines[index+"] nth local"], rest)
		default:
			lines[index] = append(lines[index], rest)
		}
	}
	return lines, own
}

// both runs Jobs of these words in both ways, one after the other in a folder of the same
// name, and gives what is to be seen of each. ";" stands between two Jobs.
func both(t *testing.T, files map[string]string, env, words []string) (isolated, together []seen) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "dir")
	isolated = look(t, dir, files, env, ways["isolated"], words)
	return isolated, look(t, dir, files, env, ways["in this process"], words)
}

func look(t *testing.T, dir string, files map[string]string, env, way, words []string) (got []seen) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "m"), 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, body := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	for _, job := range slices.Collect(split(words)) {
		for i := range job {
			job[i] = strings.ReplaceAll(job[i], "DIR", dir)
		}
		stdout, stderr, code := program.NthIn(t, dir, append([]string{"HOME=" + dir}, env...), slices.Concat([]string{"local"}, way, job)...)
		s := seen{Code: code, Files: map[string]string{}}
		s.Stdout, _ = byIndex(settled(stdout, dir))
		s.Stderr, s.Summary = byIndex(settled(stderr, dir))
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				body, _ := os.ReadFile(path)
				s.Files[settled(strings.TrimPrefix(path, dir), dir)] = settled(string(body), dir)
			}
			return err
		})
		got = append(got, s)
	}
	return got
}

func split(words []string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		for len(words) > 0 {
			n := slices.Index(words, ";")
			if n < 0 {
				n = len(words)
			}
			if !yield(slices.Clone(words[:n])) {
				return
			}
			words = words[min(n+1, len(words)):]
		}
	}
}

// surroundings are what a command has from its parent.
const surroundings = `env | sort; pwd; ls -l /proc/self/fd | sed 's/.* \([0-9]* -> .*\)/\1/; s/:.*//; s#/proc/.*#itself#'
grep -E '^(Sig(Blk|Ign|Pnd)|Cap|NoNewPrivs|Seccomp)' /proc/self/status
read -r pid _ _ _ group session _ </proc/self/stat; test $group = $$ && echo its own group
ulimit -Sn; ulimit -Hn; ulimit -Ss; umask; cat /proc/self/oom_score_adj /proc/self/cgroup; cat; echo stdin is over`

// TestSame: what an index's command has, does and leaves behind is the same, whether nth runs
// it in its own process or in one for each index.
func TestSame(t *testing.T) {
	once := []string{"--completions=1", "--backoff-limit-per-index=0"}
	sh := func(script string, flags ...string) []string {
		return append(flags, "--", "sh", "-c", script)
	}
	marked := "--markers=file://DIR/m"
	files := map[string]string{
		"rows.csv": "a,b\n1,x\n2,y\n", "script": "echo $0 has $1\n", "empty": "", "no-line.sh": "#!/nowhere\n",
		"noisy.sh": `for i in 1 2 3 4 5 6 7 8 9; do echo "$1 out $i"; echo "$1 err $i" >&2; done`,
	}
	for name, tt := range map[string]struct {
		env   []string
		words []string
		code  int    // of the last Job
		says  string // some of it all
	}{
		"surroundings":               {[]string{"FOO=bar", "NTH_SLOT=4", "NTH_MARKERS_X=1"}, sh(surroundings, once...), 0, "its own group"},
		"with a log level":           {[]string{"NTH_LOG_LEVEL=info", "NTH_LOG_FORMAT=json"}, sh("true", once...), 0, `"message":"command ended"`},
		"every step":                 {nil, sh("echo <<.Index>> in <<.Completions>> >&2", "--completions=3", "--log-level=debug", "--log-format=json", marked), 0, `"step":"judge"`},
		"all that is recorded":       {nil, sh("echo out <<.Index>>; exit <<.Index>>", "--completions=2", "--backoff-limit-per-index=1", "--retry-delay=1ms", marked, "--record-start", "--claim=1m", "--logs=file://DIR/logs"), 1, "max_rss"},
		"no log":                     {nil, sh("exit 4", append(once, "--log-format=none")...), 1, "exit code 4"},
		"ended by a signal":          {nil, sh("kill -9 $$", once...), 1, "SIGKILL"},
		"ended by SIGTERM":           {nil, sh("kill -TERM $$", append(once, marked)...), 1, "SIGTERM"},
		"not found":                  {nil, append(slices.Clone(once), "--", "nowhere"), 1, "not found in PATH"},
		"a folder":                   {nil, append(slices.Clone(once), "--", "DIR/"), 1, "DIR"},
		"no interpreter":             {nil, append(slices.Clone(once), "--", "./no-line.sh"), 1, "no-line.sh"},
		"a script without #!":        {nil, append(slices.Clone(once), "--", "./script", "<<.Index>>"), 0, "./script has 0"},
		"not reserved":               {nil, sh("exit 78", append(once, "--reserve-exit-codes=false")...), 78, "means that no index can succeed"},
		"not reserved by a variable": {[]string{"NTH_RESERVE_EXIT_CODES=false"}, sh("exit 78", once...), 1, "exit code 78"},
		"a termination log":          {[]string{"NTH_TERMINATION_LOG=empty", "NTH_LOG_LEVEL=info"}, sh("echo because >&2; exit 3", once...), 1, ": because"},
		"a reason of its own":        {[]string{"NTH_TERMINATION_LOG=empty"}, sh("echo my reason >empty; exit 3", append(once, marked)...), 1, "my reason"},
		"no end of the line":         {nil, sh(`printf 'a\nno end'; printf err >&2`, once...), 0, "no end"},
		"a long line":                {nil, sh(`head -c 190000 /dev/zero | tr '\0' x; echo; echo after`, once...), 0, "after"},
		"binary":                     {nil, sh(`head -c 3000 /usr/bin/env; head -c 70000 /dev/zero`, once...), 0, "ELF"},
		"whole lines of several":     {nil, []string{"--completions=8", "--parallelism=4", "--", "sh", "noisy.sh", "<<.Index>>"}, 0, "7 err 9"},
		"kept output":                {nil, sh("seq 20000", append(once, "--logs=file://DIR/logs")...), 0, "19999"},
		"a larger pipe":              {nil, append(slices.Clone(once), "--logs=file://DIR/logs", "--", "perl", "-e", `fcntl(STDOUT, 1031, 1048576) or die; syswrite STDOUT, "x" x 900_000 . "end\n"`), 0, "xend"},
		"rows":                       {nil, sh("echo <<.Task.a>><<.Task.b>>; env | sort", "--completions=auto", "--tasks=file://DIR/rows.csv", marked), 0, "2y"},
		"rows on stdin":              {nil, []string{"--completions=auto", "--tasks=file://DIR/rows.csv", "--task-stdin", "--", "cat"}, 0, `"b":"y"`},
		"objects":                    {nil, []string{"--completions=auto", "--tasks=file://DIR/*.csv", marked, "--input=<<.Task.url>>=DIR/in/<<.Index>>", "--", "cat", "DIR/in/<<.Index>>"}, 0, "1,x"},
		"streams":                    {nil, []string{"--completions=2", "--stdin=file://DIR/rows.csv", "--stdout=file://DIR/out/<<.Index>>", marked, "--", "tac"}, 0, "2,y\n1,x\na,b\n"},
		"an output":                  {nil, sh("echo <<.Index>> >DIR/w<<.Index>>", "--completions=2", "--output=DIR/w<<.Index>>=file://DIR/out/<<.Index>>", marked), 0, "/out/1"},
		"a checkpoint":               {nil, sh(`test -s DIR/c/f && exit 0; mkdir -p DIR/c; echo first >DIR/c/f; exit 1`, append(once, "--backoff-limit-per-index=2", "--retry-delay=1ms", "--checkpoint=DIR/c=file://DIR/kept", marked)...), 0, "attempt 1 of 3"},
		"too long":                   {nil, sh(`trap "" TERM; echo up; exec sleep 600`, append(once, "--timeout=10s", "--stop-grace=100ms", marked)...), 1, "stopped after 10s"},
		"done by another code":       {nil, append(sh("exit 7", append(once, "--done-exit-codes=0,7", marked)...), append([]string{";"}, sh("exit 7", append(once, "--done-exit-codes=0,7", marked)...)...)...), 0, "1 of 1 succeeded"},
		"skipped":                    {nil, sh("exit 9", append(once, "--skip-exit-codes=9", marked)...), 0, "skipped"},
		"secrets":                    {[]string{"S=geheim0", "T=geheim1"}, sh(`echo "$P$Q" >&2; exit 3`, "--completions=2", "--backoff-limit-per-index=0", "--env=P=<<if eq .Index 0>><<secret \"S\">><<end>>", "--env=Q=<<if eq .Index 1>><<secret \"T\">><<end>>", marked), 1, "***"},
		"too many":                   {nil, sh("exit 5", "--completions=20", "--parallelism=1", "--backoff-limit-per-index=0", "--max-failed=2"), 1, "(--max-failed)"},
		"one ends all":               {nil, sh(`exit $((64 * <<.Index>>))`, "--completions=9", "--parallelism=1", "--reserve-exit-codes=false"), 64, "ended by index 1"},
		"a file that isn't there":    {nil, sh("true", append(once, "--require=file://DIR/none", "--require-wait=0s", "--no-look")...), 1, "none"},
		"it changed":                 {nil, append(sh("echo a", append(once, marked, "--on-change=fail")...), append([]string{";"}, sh("echo b", append(once, marked, "--on-change=fail")...)...)...), 1, "digest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			isolated, all := both(t, files, tt.env, tt.words)
			ignored := cmpopts.IgnoreFields(seen{}, map[bool][]string{true: {"Summary"}}[slices.ContainsFunc(tt.env, elsewhere)]...)
			if diff := cmp.Diff(isolated, all, ignored); diff != "" {
				t.Errorf("isolated, and in this process (+):\n%s", diff)
			}
			body, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := json.Marshal(tt.says)
			if code := all[len(all)-1].Code; code != tt.code || !strings.Contains(string(body), strings.Trim(string(want), `"`)) {
				t.Errorf("exit code %d, want %d with %q: %.3000s", code, tt.code, tt.says, body)
			}
			for name, body := range all[len(all)-1].Files {
				if strings.Contains(body, "geheim") {
					t.Errorf("%s has a secret: %s", name, body)
				}
			}
		})
	}
}

// elsewhere tells whether a variable has the termination message go to a file: what is told
// there, an nth local in whose process the index ran knows, and else only what it logged.
func elsewhere(variable string) bool { return strings.HasPrefix(variable, "NTH_TERMINATION_LOG=") }

// TestSameCodes: each exit code means the same.
func TestSameCodes(t *testing.T) {
	for _, code := range []string{"0", "1", "64", "65", "66", "69", "75", "78", "126", "127", "137", "143"} {
		for _, reserved := range []string{"true", "false"} {
			if own := code == "64" || code == "78"; reserved == "false" && !own {
				continue
			}
			t.Run(code+" "+reserved, func(t *testing.T) {
				t.Parallel()
				isolated, together := both(t, nil, nil, []string{"--completions=1", "--backoff-limit-per-index=1", "--retry-delay=1ms", "--reserve-exit-codes=" + reserved,
					"--markers=file://DIR/m", "--", "sh", "-c", "echo ran; exit " + code})
				if diff := cmp.Diff(isolated, together); diff != "" {
					t.Errorf("isolated, and in this process (+):\n%s", diff)
				}
				if len(together[0].Stdout["[0"]) == 0 {
					t.Error("nothing ran")
				}
			})
		}
	}
}
