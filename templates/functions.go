package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"syscall"
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
	{"default", "default D V", "V, or D if V is empty; also if it is a variable that isn't set, or a field that isn't there or null", `<<env "NOT_SET" | default "none">>`, "none"},
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
	{"index", "index LIST N…", "the element number N, from 0; of an object the field NAME", `<<index (split "," "a,b,c") 1>>`, "b"},
	{"field", "field NAME V", "a field whose name may be any text: of .Task if V isn't given, else of .Meta or of an object", `<<field "my name" (fromJson "{\"my name\": 7}")>>`, "7"},
	{"quote", "quote S", "for a POSIX shell, as one word of sh -c", `<<quote "it's">>`, `'it'\''s'`},
	{"toJson", "toJson V", "as JSON", `<<toJson "a\"b">>`, `"a\"b"`},
	{"fromJson", "fromJson S", "the value of a JSON text; an object's fields can be named", `<<(fromJson "{\"a\": {\"b\": 7}}").a.b>>`, "7"},
	{"urldecode", "urldecode S", "S without its URL encoding, + is a space; urlquery is the other way", `<<urldecode "a+b%2Fc">>`, "a b/c"},
	{"required", "required MESSAGE V", "V; an error (65) with the message if V is empty, or a field that isn't there", `<<required "no index" .Index>>`, "5"},
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
	named   bool              // secrets are replaced by their names
	stable  bool              // volatile values are held constant
	secrets map[string]string // those read, by name; none of them empty

	values []value             // of a URL's actions
	size   int                 // of these
	as     func(string) string // what such a value is told as; nil: as it is
}

func (x *execution) file(name string) (string, error) {
	body, err := x.sources.ReadFile(name)
	if err != nil {
		return "", &Error{Kind: unread(err), Cause: err, Hint: "file reads it where nth runs, before the command"}
	}
	if len(body) > maxOutput {
		return "", &Error{Kind: BadForItem, Cause: fmt.Errorf("%s has %d bytes, too many for a word", name, len(body)), Hint: "hand its path on instead"}
	}
	return strings.TrimRight(string(body), "\n"), nil
}

// unread tells whose fault it is that a file can't be read. The item's is only the name: that
// nothing is there by it, or a directory, or that nothing can be. A volume may come back.
func unread(err error) Kind {
	for _, name := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.EINVAL} {
		if errors.Is(err, name) {
			return BadForItem
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		return Denied
	}
	return Unreadable
}

// once reads each file once.
func once(read func(string) ([]byte, error)) func(string) ([]byte, error) {
	type result struct {
		body []byte
		err  error
	}
	seen := map[string]result{}
	return func(name string) ([]byte, error) {
		r, ok := seen[name]
		if !ok {
			r.body, r.err = read(name)
			seen[name] = r
		}
		return r.body, r.err
	}
}

// volatile holds a number constant as a number, for arithmetic on it must not fail.
func (x *execution) volatile(v any) any {
	if !x.stable {
		return v
	}
	if r := reflect.ValueOf(v); r.CanInt() {
		return int64(1)
	}
	return "VOLATILE"
}

// empty is Sprig's rule: the zero value of its type.
func empty(v any) bool {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Struct: // only unset
		return true
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return r.Len() == 0
	}
	return r.IsZero()
}
