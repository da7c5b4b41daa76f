package templates

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testFields() Fields {
	n := int64(100)
	return Fields{Index: 5, RawIndex: 6, Completions: &n, Attempt: 2, Job: "resize", JobUID: "uid-1",
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
	for name := range parseFuncs {
		if name != envOptional && !strings.Contains(" "+functionNames()+" ", " "+name+" ") {
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
		{"volatile", "<<volatile .Hostname>>", "host-7", "VOLATILE", nil},
		{"branch on the attempt", "<<if gt .Attempt 1>>again<<else>>first<<end>>", "again", "first", nil},
		{"what can't be held constant", `<<index (split "-" .Hostname) 1>>`, "7", `<<index (split "-" .Hostname) 1>>`, nil},
		{"a secret", `key=<<secret "TOKEN">>`, "key=s3cr3t", "key=<<secret TOKEN>>", []string{"s3cr3t"}},
		{"a secret changed by a function", `<<upper (secret "TOKEN")>>`, "S3CR3T", "<<SECRET TOKEN>>", []string{"s3cr3t", "S3CR3T"}},
		{"a number from a variable", `<<mod .Index (env "SHARDS")>>`, "2", "2", nil},
		{"default after env", `<<env "NOPE" | default "x">>`, "x", "x", nil},
		{"default around env", `<<default "x" (env "NOPE")>>`, "x", "x", nil},
		{"default for an empty one", `<<env "EMPTY" | default "x">>`, "x", "x", nil},
		{"default not needed", `<<env "REGION" | default "x">>`, "eu", "eu", nil},
		{"the first index is a value", `<<required "none" 0>>`, "0", "0", nil},
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
		{"unknown function", "<<nope 1>>", Syntax, "nope"},
		{"field of a number", "<<.Index.Foo>>", Syntax, "Foo"},
		{"unset variable", `<<env "NOPE">>`, MissingForAll, "NOPE"},
		{"unset variable in a condition", `<<if env "NOPE">>x<<end>>`, MissingForAll, "NOPE"},
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

func TestErrorsHoldNoSecret(t *testing.T) {
	for _, word := range []string{
		`<<add (secret "TOKEN") 1>>`, `<<index (split "," (secret "TOKEN")) 5>>`, `<<div (len (secret "TOKEN")) 0>>`,
		`<<required (secret "TOKEN") "">>`, `<<file (secret "TOKEN")>>`, `<<env (secret "TOKEN")>>`, `<<secret (secret "TOKEN")>>`,
	} {
		_, err := expand(word, testFields())
		if err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", word, err)
		}
	}
}

func TestUsesIndex(t *testing.T) {
	for word, want := range map[string]bool{
		"plain": false, "<<.Index>>": true, "<<.RawIndex>>": true, "<<.Job>>": false, "<<pad 3 (add .Index 1)>>": true,
		"<<if eq .Index 1>>x<<end>>": true, "<<with .Job>><<$.Index>><<end>>": true, "<<.Hostname>>": false,
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

func FuzzParse(f *testing.F) {
	for _, fn := range Functions {
		f.Add(fn.Example)
	}
	f.Add("cat <<EOF")
	f.Add(`<<range .Index>><<end>>`)
	f.Fuzz(func(t *testing.T, word string) {
		if strings.Contains(word, "range") {
			t.Skip() // range 9223372036854775807 is what it says
		}
		got, err := expand(word, testFields())
		if err == nil {
			if !strings.Contains(word, left) && got.Text != word {
				t.Errorf("plain text %q became %q", word, got.Text)
			}
			return
		}
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Fatalf("%T: %v", err, err)
		}
		if strings.Contains(e.Error(), "s3cr3t") && !strings.Contains(word, "s3cr3t") {
			t.Errorf("%q tells a secret", e)
		}
	})
}
