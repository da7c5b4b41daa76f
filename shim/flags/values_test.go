package flags

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
)

// TestBytes: a flag's own value is what it is, and so is a line of a variable.
func TestBytes(t *testing.T) {
	for _, v := range []string{"A=\xff\xfe", "A=1\nB=2", "A=1\r\n", `A=C:\\`, "\n", "A=\ufffd", "A=\x1b[0m"} {
		var got target
		if _, _, err := Parse(Spec{}, &got, []string{"--env", v, "--long-name", v, "--env=" + v}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(target{Env: []string{v, v}, LongName: v}, got); diff != "" {
			t.Errorf("%q: %s", v, diff)
		}
	}
	t.Setenv("NTH_LONG_NAME", "a\xff\nb")
	t.Setenv("NTH_ENV", "A=\xff\r\n\r\n\nB=C:\\\nC=\r2\r")
	var got target
	if _, _, err := Parse(Spec{}, &got, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(target{Env: []string{"A=\xff", "B=C:\\", "C=\r2"}, LongName: "a\xff\nb"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestLongValue: what is as long as an environment may be takes no time worth counting:
// it is read with a few allocations, and not with one for every byte.
func TestLongValue(t *testing.T) {
	long := "A=" + strings.Repeat("x", 1<<17-10)
	few := testing.AllocsPerRun(1, func() { parse(t, "--env=A") })
	for _, args := range [][]string{{"--env=" + long}, {"--codes=1", "--env", long}} {
		if n := testing.AllocsPerRun(1, func() { parse(t, args...) }); n > 3*few {
			t.Errorf("%.0f allocations, and %.0f for a short one", n, few)
		}
	}
	t.Setenv("NTH_ENV", long)
	if n := testing.AllocsPerRun(1, func() { parse(t) }); n > 3*few {
		t.Errorf("%.0f allocations from a variable, and %.0f for a short one", n, few)
	}
}

func parse(t *testing.T, args ...string) wide {
	t.Helper()
	var got wide
	if _, _, err := Parse(Spec{}, &got, args); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestBase10: numbers are read in base 10 alone, wherever they stand.
func TestBase10(t *testing.T) {
	for value, want := range map[string]int64{"0100": 100, "010": 10, "-08": -8, "+7": 7, "0": 0} {
		if got := parse(t, "--offset="+value); got.Offset != want {
			t.Errorf("--offset %s is %d", value, got.Offset)
		}
		if got := parse(t, "--tail="+value); int64(*got.Tail) != want {
			t.Errorf("--tail %s is %d", value, *got.Tail)
		}
		if got := parse(t, "--codes="+value+",1"); int64(got.Codes[0]) != want {
			t.Errorf("--codes %s is %d", value, got.Codes[0])
		}
		t.Setenv("NTH_OFFSET", value)
		if got := parse(t); got.Offset != want {
			t.Errorf("NTH_OFFSET=%s is %d", value, got.Offset)
		}
	}
	for _, value := range []string{"0x10", "0b1", "0o7", "1_000", "1e3", "", " 1", "1\n", "9223372036854775808", "1.0"} {
		for _, flag := range []string{"--offset=", "--tail=", "--codes=1,"} {
			if value == "" && flag == "--codes=1," {
				continue
			}
			var got wide
			if _, _, err := Parse(Spec{}, &got, []string{flag + value}); err == nil || failure.From(err).Code != failure.Usage {
				t.Errorf("%s%q: %v", flag, value, err)
			}
		}
	}
}

// FuzzLines: splitting a variable keeps its bytes, but for the ends of lines.
func FuzzLines(f *testing.F) {
	for _, v := range []string{"", "a\r\nb", "\n\n", "\xff\r", "a\\\nb", "\r\r\n", "é\n"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		got := values(v, lineSep, false)
		if slices.Contains(got, "") {
			t.Errorf("%q: an empty value: %q", v, got)
		}
		bare := strings.NewReplacer("\r", "", "\n", "")
		if diff := cmp.Diff(bare.Replace(v), bare.Replace(strings.Join(got, ""))); diff != "" {
			t.Errorf("%q: %s", v, diff)
		}
		for _, g := range got {
			if strings.Contains(g, "\n") || !strings.Contains(v, g) {
				t.Errorf("%q has the value %q", v, g)
			}
		}
		// What is split is the same when it is put together again, and with CRLF.
		for _, end := range []string{"\n", "\r\n"} {
			again := values(strings.Join(got, end)+end, lineSep, false)
			if !strings.Contains(v, "\r") && cmp.Diff(got, again) != "" {
				t.Errorf("%q: %q, then %q", v, got, again)
			}
		}
		if own := values(v, lineSep, true); v != "" && cmp.Diff([]string{v}, own) != "" {
			t.Errorf("a flag's own %q: %q", v, own)
		}
	})
}
