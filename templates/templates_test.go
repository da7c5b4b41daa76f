package templates

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testFields() Fields {
	n, slot := int64(100), int64(3)
	return Fields{Slot: &slot, Index: 5, RawIndex: 6, Completions: &n, Attempt: 2, Job: "resize", JobUID: "uid-1",
		Platform: "slurm", RunID: "run-1", Hostname: "host-7"}
}

func testSources() Sources {
	vars := map[string]string{"REGION": "eu", "TOKEN": "s3cr3t", "EMPTY": "", "SHARDS": "3", "ODD": "a b; <<.Index>> 'q' \"d\""}
	return Sources{
		LookupEnv: func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
		ReadFile: func(name string) ([]byte, error) {
			if name == "/etc/zone" {
				return []byte("a-1\n\n"), nil
			}
			if name == "/big" {
				return make([]byte, maxOutput+1), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
	}
}

func expand(word string, f Fields) (Expansion, error) {
	t, err := Parse(word)
	if err != nil {
		return Expansion{}, err
	}
	return t.Expand(f, testSources())
}

// TestFunctions runs the example of every function that the reference shows.
func TestFunctions(t *testing.T) {
	for _, f := range Functions {
		t.Run(f.Name, func(t *testing.T) {
			got, err := expand(f.Example, testFields())
			if err != nil {
				t.Fatal(err)
			}
			if got.Text != f.Result {
				t.Errorf("%s gives %q, the reference says %q", f.Example, got.Text, f.Result)
			}
			if !strings.Contains(f.Example, f.Name) || !strings.HasPrefix(f.Usage, f.Name) {
				t.Errorf("example %q and usage %q are not of %s", f.Example, f.Usage, f.Name)
			}
		})
	}
	const own = " print println html js urlquery " // text/template's, in its own reference
	for name := range parseFuncs() {
		if !strings.Contains(own+functionNames()+" ", " "+name+" ") {
			t.Errorf("%s is missing from the reference", name)
		}
	}
}

func TestExpand(t *testing.T) {
	for _, tt := range []struct {
		name, word   string
		text, stable string
		secrets      []string
	}{
		{"plain", "a > b >> c", "a > b >> c", "a > b >> c", nil},
		{"empty", "", "", "", nil},
		{"every field", "<<.Index>> <<.RawIndex>> <<.Completions>> <<.Attempt>> <<.Job>> <<.JobUID>> <<.Platform>> <<.RunID>> <<.Hostname>>",
			"5 6 100 2 resize uid-1 slurm run-1 host-7", "5 0 100 1 resize JOB_UID PLATFORM RUN_ID HOSTNAME", nil},
		{"a shell's append beside it", "x_<<.Index>> >> log", "x_5 >> log", "x_5 >> log", nil},
		{"a literal <<", `cat <<"<<">>EOF`, "cat <<EOF", "cat <<EOF", nil},
		{"one word stays one word", `<<env "ODD">>`, `a b; <<.Index>> 'q' "d"`, `a b; <<.Index>> 'q' "d"`, nil},
		{"only a comment", "<</* why */>>", "", "", nil},
		{"volatile", "<<volatile .Hostname>>", "host-7", "VOLATILE", nil},
		{"arithmetic on what is volatile", "<<.Index>>-<<div 10 (volatile .Attempt)>>", "5-5", "5-10", nil},
		{"a file's content counts", `<<file "/etc/zone">>`, "a-1", "a-1", nil},
		{"branch on the attempt", "<<if gt .Attempt 1>>again<<else>>first<<end>>", "again", "first", nil},
		{"what can't be held constant", `<<index (split "-" .Hostname) 1>>`, "7", `<<index (split "-" .Hostname) 1>>`, nil},
		{"a number from a variable", `<<mod .Index (env "SHARDS")>>`, "2", "2", nil},
		{"default after env", `<<env "NOPE" | default "x">>`, "x", "x", nil},
		{"default around env", `<<default "x" (env "NOPE")>>`, "x", "x", nil},
		{"default for an empty one", `<<env "EMPTY" | default "x">>`, "x", "x", nil},
		{"default after env in parentheses", `<<(env "NOPE") | default "x">>`, "x", "x", nil},
		{"default that isn't set and isn't needed", `<<env "REGION" | default (env "NOPE")>>`, "eu", "eu", nil},
		{"default from a variable", `<<env "NOPE" | default (env "REGION")>>`, "eu", "eu", nil},
		{"default from an empty variable", `<<env "NOPE" | default (env "EMPTY")>>`, "", "", nil},
		{"default after default", `<<env "NOPE" | default (env "NOPE2") | default "z">>`, "z", "z", nil},
		{"default of nothing", `<<default "x">>`, "x", "x", nil},
		{"required and set", `<<env "REGION" | required "why">>`, "eu", "eu", nil},
		{"default not needed", `<<env "REGION" | default "x">>`, "eu", "eu", nil},
		{"the first index is a value", `<<required "none" 0>>`, "0", "0", nil},
		{"leading zeros are decimal", `<<add "08" 1>>`, "9", "9", nil},
		{"the least number", "<<mul -4611686018427387904 2>>", "-9223372036854775808", "-9223372036854775808", nil},
		{"remainder has the sign of A", "<<mod -7 3>>", "-1", "-1", nil},
		{"pad of a text", `<<pad 4 (env "SHARDS")>>`, "0003", "0003", nil},
		{"pad that is too narrow", "<<pad 1 123>>", "123", "123", nil},
		{"a percent sign before an exclamation mark", `<<printf "100%%!">> <<printf "%s" "5%!d">>`, "100%! 5%!d", "100%! 5%!d", nil},
		{"else of with", `<<with "">><<else>><<.Index>><<end>>`, "5", "5", nil},
		{"paths", `<<ext "/a/b">>|<<base "">>|<<dir "x">>`, "|.|.", "|.|.", nil},
		{"suffix that isn't there", `<<trimSuffix "x" "abc">><<trimPrefix "x" "abc">>`, "abcabc", "abcabc", nil},
		{"quote", `<<quote "">> <<quote "a b">> <<quote .Index>>`, "'' 'a b' 5", "'' 'a b' 5", nil},
		{"JSON", `<<toJson "<&>">> <<toJson .Index>> <<toJson (split "," "a,b")>>`, `"<&>" 5 ["a","b"]`, `"<&>" 5 ["a","b"]`, nil},
		{"negative pad", `<<pad 4 -5>>`, "-005", "-005", nil},
		{"range", `<<range $i, $v := split "," "a,b">><<$i>><<$v>><<$.Index>> <<end>>`, "0a5 1b5 ", "0a5 1b5 ", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := expand(tt.word, testFields())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Expansion{Text: tt.text, Stable: tt.stable, Secrets: tt.secrets}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name, word string
		kind       Kind
		says       string
	}{
		{"unclosed", "cat <<EOF", Syntax, `write <<"<<">>`},
		{"unknown field", "<<.Idx>>", Syntax, ".Index"},
		{"unknown field in a branch not taken", "<<if false>><<.Nope>><<end>>", Syntax, ".Nope"},
		{"unknown field of the root", "<<range split \",\" \"a\">><<$.Nope>><<end>>", Syntax, ".Nope"},
		{"field of a field in a branch not taken", "<<if false>><<.Index.Foo>><<end>>", Syntax, ".Index.Foo"},
		{"field of a pipeline", `<<if false>><<(split "," "a").Foo>><<end>>`, Syntax, ".Foo"},
		{"field of a variable", `<<$x := .Job>><<if false>><<$x.Foo>><<end>>`, Syntax, ".Foo"},
		{"the root's field inside with", "<<with .Job>><<.Index>><<end>>", Syntax, "$.Index"},
		{"the dot alone", "<<.>>", Syntax, "alone"},
		{"the root alone", `<<printf "%v" $>>`, Syntax, "alone"},
		{"the root in a variable", "<<$x := .>>", Syntax, "alone"},
		{"a value for the root", "<<$ = 1>>", Syntax, "$x"},
		{"the root as a range's variable", `<<range $ := split "," "a">><<$.Index>><<end>>`, Syntax, "$x"},
		{"call", `<<call .Index>>`, Syntax, "call"},
		{"define", `<<define "x">><<end>>`, Syntax, "define"},
		{"template", `<<template "x">>`, Syntax, "template"},
		{"a function of our own making", `<<env_or_unset "REGION">>`, Syntax, "env_or_unset"},
		{"unknown function", "<<nope 1>>", Syntax, "nope"},
		{"field of a number", "<<.Index.Foo>>", Syntax, "Foo"},
		{"unset variable", `<<env "NOPE">>`, MissingForAll, "NOPE"},
		{"unset variable in a condition", `<<if env "NOPE">>x<<end>>`, MissingForAll, "NOPE"},
		{"unset default", `<<default (env "NOPE") (env "NOPE2")>>`, MissingForAll, "NOPE"},
		{"unset default after a default", `<<env "NOPE" | default (env "NOPE2")>>`, MissingForAll, "NOPE2"},
		{"unset variable through a function", `<<env "NOPE" | lower | default "x">>`, MissingForAll, "NOPE"},
		{"unset and required", `<<required "say why" (env "NOPE")>>`, MissingForAll, "say why"},
		{"unset message", `<<required (env "NOPE") .Index>>`, MissingForAll, "NOPE"},
		{"unset secret with a default", `<<secret "NOPE" | default "x">>`, MissingForAll, "NOPE"},
		{"unset secret", `<<secret "NOPE">>`, MissingForAll, "NOPE"},
		{"no completions", "<<.Completions>>", MissingForAll, "--completions"},
		{"no job", "<<.Job>>", MissingForAll, "--job"},
		{"no job UID", "<<.JobUID>>", MissingForAll, "--job-uid"},
		{"division by zero", "<<div 1 .Index>>", BadForItem, "zero"},
		{"modulo zero", "<<mod 1 .Index>>", BadForItem, "zero"},
		{"overflow", "<<mul 9223372036854775807 2>>", BadForItem, "range"},
		{"add overflow", "<<add 9223372036854775807 1>>", BadForItem, "range"},
		{"sub overflow", "<<sub -9223372036854775807 2>>", BadForItem, "range"},
		{"div overflow", "<<div (sub -9223372036854775807 1) -1>>", BadForItem, "range"},
		{"no number", `<<add .Index "x">>`, BadForItem, "whole number"},
		{"required", `<<required "say why" "">>`, BadForItem, "say why"},
		{"required in two lines", "<<required (printf \"say\\nwhy\") \"\">>", BadForItem, "say why"},
		{"empty and required", `<<env "EMPTY" | required "say why">>`, BadForItem, "say why"},
		{"a text as %d", `<<printf "%d" (env "SHARDS")>>`, BadForItem, "add 0"},
		{"too few for printf", `<<printf "%d">>`, BadForItem, "MISSING"},
		{"too many for printf", `<<printf "x" 1>>`, BadForItem, "EXTRA"},
		{"too wide for printf", `<<printf "%1000000000d" 1>>`, BadForItem, "printf"},
		{"a NUL byte", `<<printf "a\x00b">>`, BadForItem, "NUL"},
		{"too few arguments", "<<sub 1>>", BadForItem, "sub"},
		{"a number as text", "<<lower .Index>>", BadForItem, "string"},
		{"not a list", `<<join "," .Index>>`, BadForItem, "list"},
		{"a fraction", "<<add 1.5 1>>", BadForItem, "whole number"},
		{"a file too long for a word", `<<file "/big">>`, BadForItem, "too many"},
		{"a negative width", "<<pad -1 1>>", BadForItem, "width"},
		{"replace without end", `<<replace "" (printf "%9999s" "") (printf "%9999s" "")>>`, BadForItem, "bytes"},
		{"join without end", `<<join (printf "%9999s" "") (split "" (printf "%9999s" ""))>>`, BadForItem, "bytes"},
		{"printf without end", `<<$s := "x">><<range 60>><<$s = printf "%s%s" $s $s>><<end>>`, BadForItem, "bytes"},
		{"html without end", `<<$s := "&">><<range 60>><<$s = html $s $s>><<end>>`, BadForItem, "bytes"},
		{"no such file", `<<file "/nope">>`, BadForItem, "/nope"},
		{"beyond a list", `<<index (split "," "a") 3>>`, BadForItem, "out of range"},
		{"a width without end", "<<pad 100000 1>>", BadForItem, "width"},
		{"output without end", `<<$s := "x">><<range split "" (printf "%9999s" "")>><<printf "%9999s" "">><<end>>`, BadForItem, "bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := expand(tt.word, Fields{})
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("error %v, want an *Error", err)
			}
			if e.Kind != tt.kind || !strings.Contains(e.Error(), tt.says) {
				t.Errorf("kind %d, want %d; %q should say %q", e.Kind, tt.kind, e, tt.says)
			}
			if strings.ContainsAny(e.Error(), "\n\r") {
				t.Errorf("%q has more than one line", e)
			}
		})
	}
}

func TestUsesIndex(t *testing.T) {
	for word, want := range map[string]bool{
		"plain": false, "<<.Index>>": true, "<<.RawIndex>>": true, "<<.Job>>": false, "<<pad 3 (add .Index 1)>>": true,
		"<<if eq .Index 1>>x<<end>>": true, "<<if false>><<$.RawIndex>><<end>>": true, `<<index (split "," "a") 0>>`: false, "<<with .Job>><<$.Index>><<end>>": true, "<<.Hostname>>": false,
	} {
		tmpl, err := Parse(word)
		if err != nil {
			t.Fatal(err)
		}
		if got := tmpl.UsesIndex(); got != want {
			t.Errorf("%s: %v, want %v", word, got, want)
		}
	}
}

// TestStableAgrees: two runs of one item have one stable form.
func TestStableAgrees(t *testing.T) {
	first, second := testFields(), testFields()
	first.Attempt = 1
	second.RawIndex, second.Attempt, *second.Slot = 77, 9, 1
	second.Platform, second.JobUID, second.RunID, second.Hostname = "k", "uid-2", "run-2", "no_dash"
	for _, word := range []string{
		"<<.Slot>>", "<<add 8000 .Slot>>", "<<.RawIndex>><<.Attempt>><<.Platform>><<.JobUID>><<.RunID>><<.Hostname>>",
		"<<if gt .Attempt 1>>--resume<<end>>", "<<range .Attempt>>x<<end>>", "<<div 10 .Attempt>>",
		`<<with index (split "-" .Hostname) 0>><<.>><<end>>`, `<<lower .RunID | printf "%.6s">>`, `<<volatile (add .Attempt 1)>>`,
	} {
		a, err := expand(word, first)
		if err != nil {
			t.Fatal(err)
		}
		b, err := expand(word, second)
		if err != nil {
			t.Fatal(err)
		}
		if a.Text == b.Text || a.Stable != b.Stable {
			t.Errorf("%s: texts %q and %q should differ, stable forms %q and %q agree", word, a.Text, b.Text, a.Stable, b.Stable)
		}
	}
}

// TestFileIsReadOnce: what was run and what is digested is the same content.
func TestFileIsReadOnce(t *testing.T) {
	reads := 0
	s := testSources()
	s.ReadFile = func(string) ([]byte, error) { reads++; return []byte{byte('0' + reads)}, nil }
	tmpl, err := Parse(`<<file "/f">><<file "/f">><<secret "TOKEN">>`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tmpl.Expand(testFields(), s)
	if err != nil || reads != 1 || got.Text != "11s3cr3t" || !strings.HasPrefix(got.Stable, "11") {
		t.Errorf("%d reads, %+v, %v", reads, got, err)
	}
}

// TestVariables: the names are those that stand in the word, wherever they do.
func TestVariables(t *testing.T) {
	for word, want := range map[string][]string{
		"plain":       nil,
		`<<.Index>>`:  nil,
		`<<env "A">>`: {"A"},
		`<<secret "A">><<env "B" | default "x">><<env "A">>`:     {"A", "B"},
		`<<if false>><<with env "A">>x<<end>><<end>>`:            {"A"},
		`<<add 1 (len (default "x" (env "A")))>>`:                {"A"},
		`<<env (printf "A%d" .Index)>><<env (env "A")>>`:         {"A"},
		`<<required "none" (env "A") | upper>><<"env" | print>>`: {"A"},
	} {
		t.Run(word, func(t *testing.T) {
			tree, err := Parse(word)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, tree.Variables()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUnreadFiles: only a file's name is the item's fault.
func TestUnreadFiles(t *testing.T) {
	for cause, want := range map[syscall.Errno]Kind{
		syscall.ENOENT: BadForItem, syscall.ENOTDIR: BadForItem, syscall.EISDIR: BadForItem, syscall.ENAMETOOLONG: BadForItem,
		syscall.EACCES: Denied, syscall.EPERM: Denied,
		syscall.EIO: Unreadable, syscall.ESTALE: Unreadable, syscall.EMFILE: Unreadable, syscall.ETIMEDOUT: Unreadable, syscall.ENOTCONN: Unreadable, syscall.ELOOP: Unreadable,
	} {
		s := testSources()
		s.ReadFile = func(name string) ([]byte, error) { return nil, &fs.PathError{Op: "read", Path: name, Err: cause} }
		for _, word := range []string{`<<file "/f">>`, `<<secret "TOKEN">><<file "/f" | default "x">>`} {
			tmpl, err := Parse(word)
			if err != nil {
				t.Fatal(err)
			}
			_, err = tmpl.Expand(testFields(), s)
			if e, ok := errors.AsType[*Error](err); !ok || e.Kind != want || !strings.Contains(e.Error(), "/f") {
				t.Errorf("%s of %v: kind %d, want %d: %v", word, cause, e.Kind, want, err)
			}
		}
	}
}
