package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"text/template"
)

// Function is one function as the reference shows it; the tests run each example.
type Function struct{ Name, Usage, Doc, Example, Result string }

// Functions are those beside text/template's own, named and with their arguments
// in the order of Sprig where it has them (https://masterminds.github.io/sprig).
var Functions = []Function{
	{"add", "add A B…", "the sum", `<<add .Index 1>>`, "6"},
	{"sub", "sub A B", "A − B", `<<sub .Index 1>>`, "4"},
	{"mul", "mul A B…", "the product", `<<mul .Index 100>>`, "500"},
	{"div", "div A B", "A / B, whole", `<<div .Index 2>>`, "2"},
	{"mod", "mod A B", "what is left of A / B", `<<mod .Index 2>>`, "1"},
	{"min", "min A B…", "the least", `<<min .Index 3>>`, "3"},
	{"max", "max A B…", "the greatest", `<<max .Index 3>>`, "5"},
	{"printf", "printf FORMAT V…", "as in Go's fmt", `<<printf "%03d" .Index>>`, "005"},
	{"pad", "pad WIDTH N", "N with leading zeros", `<<pad 4 .Index>>`, "0005"},
	{"env", "env NAME", "the variable; an error (78) if it isn't set", `<<env "REGION">>`, "eu"},
	{"default", "default D V", "V, or D if V is empty; after env also if it isn't set", `<<env "NOT_SET" | default "none">>`, "none"},
	{"secret", "secret NAME", "as env, but never shown, stored or digested", `<<secret "TOKEN">>`, "s3cr3t"},
	{"file", "file PATH", "the file's content without line breaks at its end, as $(cat PATH)", `<<file "/etc/zone">>`, "a-1"},
	{"base", "base PATH", "the last element of a path", `<<base "/data/in.txt">>`, "in.txt"},
	{"dir", "dir PATH", "all but the last element", `<<dir "/data/in.txt">>`, "/data"},
	{"ext", "ext PATH", "the extension with its dot", `<<ext "/data/in.txt">>`, ".txt"},
	{"trimSuffix", "trimSuffix SUFFIX S", "S without the suffix", `<<trimSuffix ".txt" "in.txt">>`, "in"},
	{"trimPrefix", "trimPrefix PREFIX S", "S without the prefix", `<<trimPrefix "in" "in.txt">>`, ".txt"},
	{"replace", "replace OLD NEW S", "S with every OLD replaced", `<<replace "-" "_" "a-b-c">>`, "a_b_c"},
	{"lower", "lower S", "in lower case", `<<lower "ABC">>`, "abc"},
	{"upper", "upper S", "in upper case", `<<upper "abc">>`, "ABC"},
	{"split", "split SEP S", "a list", `<<index (split "," "a,b,c") 1>>`, "b"},
	{"join", "join SEP LIST", "one text", `<<join "+" (split "," "a,b,c")>>`, "a+b+c"},
	{"quote", "quote S", "for a POSIX shell, as one word of sh -c", `<<quote "it's">>`, `'it'\''s'`},
	{"toJson", "toJson V", "as JSON", `<<toJson "a\"b">>`, `"a\"b"`},
	{"required", "required MESSAGE V", "V; an error (65) with the message if V is empty", `<<required "no index" .Index>>`, "5"},
	{"volatile", "volatile V", "V, shown but not part of the command's identity", `<<volatile .RunID>>`, "run-1"},
}

func functionNames() string {
	names := make([]string, len(Functions))
	for i, f := range Functions {
		names[i] = f.Name
	}
	return strings.Join(names, " ")
}

// execution is one expansion of one word.
type execution struct {
	fields  Fields
	sources Sources
	stable  bool
	secrets []string
}

// parseFuncs lets Parse know the names; each execution binds its own.
var parseFuncs = (&execution{}).funcs()

// envOptional is env where default follows it: see optionalEnv.
const envOptional = "env_or_empty"

func (x *execution) funcs() template.FuncMap {
	return template.FuncMap{
		"add": sum, "sub": difference, "mul": product, "div": quotient, "mod": remainder, "min": least, "max": greatest,
		"pad": pad, "env": x.env, envOptional: x.envOrEmpty, "default": orDefault, "secret": x.secret, "file": x.file,
		"base": path.Base, "dir": path.Dir, "ext": path.Ext,
		"trimSuffix": func(suffix, s string) string { return strings.TrimSuffix(s, suffix) },
		"trimPrefix": func(prefix, s string) string { return strings.TrimPrefix(s, prefix) },
		"replace":    func(was, now, s string) string { return strings.ReplaceAll(s, was, now) },
		"lower":      strings.ToLower, "upper": strings.ToUpper,
		"split": func(sep, s string) []string { return strings.Split(s, sep) },
		"join":  join, "quote": func(v any) string { return Quote(fmt.Sprint(v)) }, "toJson": toJSON,
		"required": required, "volatile": x.volatile,
	}
}

func (x *execution) env(name string) (string, error) {
	if v, ok := x.sources.LookupEnv(name); ok {
		return v, nil
	}
	return "", &Error{Kind: MissingForAll, Cause: fmt.Errorf("the variable %s is not set", name),
		Hint: fmt.Sprintf(`set it, or write env %q | default "…"`, name)}
}

func (x *execution) envOrEmpty(name string) string {
	v, _ := x.sources.LookupEnv(name)
	return v
}

// secret is env for what must not be seen: in the stable form stands its name.
func (x *execution) secret(name string) (string, error) {
	v, ok := x.sources.LookupEnv(name)
	if !ok {
		return "", &Error{Kind: MissingForAll, Cause: fmt.Errorf("the secret's variable %s is not set", name), Hint: "set it"}
	}
	if x.stable {
		return "<<secret " + name + ">>", nil
	}
	if v != "" && !slices.Contains(x.secrets, v) {
		x.secrets = append(x.secrets, v)
	}
	return v, nil
}

func (x *execution) file(name string) (string, error) {
	body, err := x.sources.ReadFile(name)
	if err != nil {
		return "", &Error{Kind: BadForItem, Cause: err, Hint: "file reads it where nth runs, before the command"}
	}
	if len(body) > maxOutput {
		return "", &Error{Kind: BadForItem, Cause: fmt.Errorf("%s has %d bytes, too many for a word", name, len(body)), Hint: "hand its path on instead"}
	}
	return strings.TrimRight(string(body), "\n"), nil
}

func (x *execution) volatile(v any) any {
	if x.stable {
		return "VOLATILE"
	}
	return v
}

func orDefault(d any, given ...any) any {
	if len(given) == 0 || empty(given[0]) {
		return d
	}
	return given[0]
}

// empty is Sprig's rule: the zero value of its type.
func empty(v any) bool {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return r.Len() == 0
	}
	return r.IsZero()
}

// required differs from Sprig's in one point: the number 0 is a value, for it is
// the first index.
func required(message string, v any) (any, error) {
	if s, ok := v.(string); v == nil || ok && s == "" {
		return nil, &Error{Kind: BadForItem, Cause: errors.New(message)}
	}
	return v, nil
}

func join(sep string, list any) (string, error) {
	r := reflect.ValueOf(list)
	if r.Kind() != reflect.Slice && r.Kind() != reflect.Array {
		return "", errors.New("join: not a list")
	}
	parts := make([]string, r.Len())
	for i := range parts {
		parts[i] = fmt.Sprint(r.Index(i).Interface())
	}
	return strings.Join(parts, sep), nil
}

func toJSON(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// Quote gives s as a POSIX shell reads it back: as it is where no character is
// special, else in single quotes (POSIX.1-2024, Shell Command Language, 2.2.2).
func Quote(s string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%+=:,./_-", r))
	}
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
