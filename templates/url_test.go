package templates

import (
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// hostile are values that are URL syntax, or lead elsewhere.
var hostile = []string{"#", "a#b", "?", "?x=y", "&x=y", ";x", "%", "100%", "%2e%2e", "%23", ".", "..", "../x", "x/..", "x/../y", "./x", "...", "a b", "a+b", "é", "\xff", "/", "//", "//h/x",
	"\n", "a\r\nb", "\\", "@h", ":1", "x?endpoint=http://127.0.0.1:1/", "s3://other/x", "https://u:p@h/x?y#z", "{id}", "<<.Index>>", "__0x2e__", "*", ""}

// urlWords are templates with one value of an item, by what is before and behind it.
var urlWords = []struct{ word, scheme, host, path, behind string }{
	{"s3://b/p/<<.Task>>", "s3", "b", "/p/", ""},
	{"s3://b/p/<<.Task.v>>.txt?region=r&endpoint=e", "s3", "b", "/p/", ".txt"},
	{"s3://b/<<.Index>>/<<.Meta.v>>?region=<<env \"REGION\">>", "s3", "b", "/5/", ""},
	{`s3://<<env "REGION">>/p_<<.Task>>_q`, "s3", "eu", "/p_", "_q"},
	{`<<env "BASE">>/<<.Task>>?region=r`, "s3", "b", "/base/", ""},
	{"gs://b/<<if .Task.v>><<.Task.v>><<end>>/x", "gs", "b", "/", "/x"},
	{"azblob://c/<<with .Task.v>>in/<<.>><<else>>in/<<end>>", "azblob", "c", "/in/", ""},
	{"file:///d/<<$v := .TaskID>><<$v>>?create_dir=true", "file", "", "/d/", ""},
	{`gs://b/m/<<field "v" .Meta>>/x`, "gs", "b", "/m/", "/x"},
	{`gs://b/<<with fromJson (printf "{\"v\": %s}" (toJson .TaskID))>><<.v>><<end>>`, "gs", "b", "/", ""},
	{`gs://b/<<with $p := fromJson (toJson .TaskID)>><<$p>><<else>><<end>>`, "gs", "b", "/", ""},
	{"https://api.example.com/tasks/<<range split \"\\x01\" .Task.v>><<.>><<end>>/x?lease=1", "https", "api.example.com", "/tasks/", "/x"},
	{"PUT https://h/<<.Task>>", "put https", "h", "/", ""},
	{"https://h/a%20<<printf \"%s\" .Task>>", "https", "h", "/a ", ""},
}

func ofValue(v string) Fields {
	f := testFields()
	body, _ := json.Marshal(map[string]string{"v": v})
	f.Task = &Task{ID: v, Payload: string(body), Meta: map[string]string{"v": v}}
	return f
}

func expandURL(word, v string) (Expansion, error) {
	t, err := ParseURL(word)
	if err != nil {
		return Expansion{}, err
	}
	f := ofValue(v)
	if strings.Contains(word, ".Task>>") || strings.Contains(word, " .Task>>") {
		f.Task.Payload = v
	}
	s := testSources()
	lookup := s.LookupEnv
	s.LookupEnv = func(name string) (string, bool) {
		if name == "BASE" {
			return "s3://b/base", true
		}
		return lookup(name)
	}
	return t.Expand(f, s)
}

// keeps tells that a value is one in a URL: nothing of the URL changes but what the path
// says, and that is the value.
func keeps(t *testing.T, v string) {
	t.Helper()
	for _, w := range urlWords {
		if (strings.Contains(w.word, ".Task.v") || strings.Contains(w.word, "Json")) && !utf8.ValidString(v) {
			continue // JSON can't hold it
		}
		e, err := expandURL(w.word, v)
		if err != nil {
			refused(t, w.word, w.path+v+w.behind, v, err)
			continue
		}
		plain, _ := expandURL(w.word, "x")
		got, was := parsed(t, w.word, e.Text), parsed(t, w.word, plain.Text)
		type shape struct {
			scheme, host, user, path, query, fragment string
		}
		want := shape{w.scheme, w.host, "", w.path + v + w.behind, was.RawQuery, ""}
		if diff := cmp.Diff(want, shape{strings.ToLower(got.Scheme), got.Host, got.User.String(), got.Path, got.RawQuery, got.Fragment}, cmp.AllowUnexported(shape{})); diff != "" {
			t.Errorf("%s with %q gives %s (-want +got):\n%s", w.word, v, e.Text, diff)
		}
	}
	inQuery(t, v)
}

// refused: a value is refused only where it would be . or .. of the path, or nothing, or a
// NUL.
func refused(t *testing.T, word, path, v string, err error) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	dots := slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." || s == "" && v == "" })
	if !ok || e.Kind != BadForItem || !dots && !strings.Contains(v, "\x00") {
		t.Errorf("%s with %q: %v", word, v, err)
	}
}

func inQuery(t *testing.T, v string) {
	t.Helper()
	const word = "https://h/p?a=<<.Task>>&b=<<.TaskID>>c&d"
	e, err := expandURL(word, v)
	if err != nil {
		refused(t, word, "", v, err)
		return
	}
	u := parsed(t, word, e.Text)
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.Fragment != "" {
		t.Errorf("%s: %v", e.Text, err)
	}
	if diff := cmp.Diff(url.Values{"a": {v}, "b": {v + "c"}, "d": {""}}, q); diff != "" {
		t.Errorf("%s with %q gives %s, whose parameters are %v (-want +got):\n%s", word, v, e.Text, slices.Sorted(maps.Keys(q)), diff)
	}
}

// parsed parses a URL, which may stand behind a method.
func parsed(t *testing.T, word, text string) *url.URL {
	t.Helper()
	method, rest, ok := strings.Cut(text, " ")
	if ok && strings.HasPrefix(word, method+" ") {
		text = rest
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatalf("%s gives %q: %v", word, text, err)
	}
	if ok && strings.HasPrefix(word, method+" ") {
		u.Scheme = method + " " + u.Scheme
	}
	return u
}

func TestValuesInURLs(t *testing.T) {
	for _, v := range hostile {
		keeps(t, v)
	}
}

// FuzzValueInURL: no value changes scheme, host, parameters or what is before and behind
// it in the path; and what is shown tells no secret.
func FuzzValueInURL(f *testing.F) {
	for _, v := range hostile {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if !strings.Contains(v, "\x01") { // a template takes it apart there
			keeps(t, v)
		}
	})
}

// TestURLForms: what stands where, letter by letter.
func TestURLForms(t *testing.T) {
	for _, tt := range []struct{ word, value, text, stable string }{
		{"s3://b/<<.Task>>", "a b/100%#1?é", "s3://b/a%20b/100%25%231%3F%C3%A9", ""},
		{"s3://b/<<.Task>>", "*", "s3://b/%2A", ""}, // and no glob
		{"s3://b/<<.Task>>", "a*[b]{c}", "s3://b/a%2A%5Bb%5D%7Bc%7D", ""},
		{"s3://b/<<.Task>>", "x?endpoint=http://127.0.0.1:1/", "s3://b/x%3Fendpoint=http://127.0.0.1:1/", ""},
		{"s3://b/p?region=<<.Task>>", "r&endpoint=http://h/", "s3://b/p?region=r%26endpoint%3Dhttp%3A%2F%2Fh%2F", ""},
		{"https://h/p?q=<<urlquery .Task>>", "a b&c", "https://h/p?q=a+b%26c", ""},
		{"https://h/<<urlquery .Task>>", "a b&c", "https://h/a%20b&c", ""},
		{"<<.Task>>", "s3://b/a%20b?region=r", "s3://b/a%20b?region=r", ""},
		{`amqp://u:<<urlquery (env "ODD")>>@h/v`, "", "amqp://u:a%20b%3B%20%3C%3C.Index%3E%3E%20%27q%27%20%22d%22@h/v", ""},
		{`amqp://u:<<env "ODD" | urlquery>>@h/v`, "", "amqp://u:a%20b%3B%20%3C%3C.Index%3E%3E%20%27q%27%20%22d%22@h/v", ""},
		{`amqp://u:<<urlquery (secret "TOKEN")>>@h/v`, "", "amqp://u:s3cr3t@h/v", "amqp://u:<<secret TOKEN>>@h/v"},
		{"file://<<.Task>>", "/data/a#b", "file:///data/a%23b", ""},
		{`<<env "ODD">>`, "", `a b; <<.Index>> 'q' "d"`, ""},
		{`s3://b/<<secret "TOKEN">>/<<.Task>>`, "a b", "s3://b/s3cr3t/a%20b", "s3://b/<<secret TOKEN>>/a%20b"},
		{`redis://:<<secret "TOKEN">>@h/0?queue=<<.Job>>`, "", "redis://:s3cr3t@h/0?queue=resize", "redis://:<<secret TOKEN>>@h/0?queue=resize"},
		{`s3://b/p?<<env "REGION">>=<<.Index>>`, "", "s3://b/p?eu=5", ""},
		{`s3://b/<<"<<">>`, "", "s3://b/%3C%3C", ""},
		{"s3://b/<</* why */>>p", "", "s3://b/p", ""},
		{"s3://b/p", "", "s3://b/p", ""},
		{"", "", "", ""},
	} {
		got, err := expandURL(tt.word, tt.value)
		if tt.stable == "" {
			tt.stable = tt.text
		}
		if err != nil || got.Text != tt.text || got.Stable != tt.stable {
			t.Errorf("%s with %q gives %q, shown as %q, %v; want %q", tt.word, tt.value, got.Text, got.Stable, err, tt.text)
		}
	}
}

// TestPasswordForm: a secret is known again where a URL has it as a password.
func TestPasswordForm(t *testing.T) {
	e, err := expandURL(`amqp://u:<<urlquery (env "ODD")>>@h/v`, "")
	odd, _ := testSources().LookupEnv("ODD")
	if form := Forms([]string{odd})[3]; err != nil || !strings.Contains(e.Text, ":"+form+"@") {
		t.Errorf("%q has no %q (%v)", e.Text, form, err)
	}
}

// TestURLRefused: a value that would be host, parameter or fragment is the template's
// mistake, and found without one where it can be.
func TestURLRefused(t *testing.T) {
	for _, tt := range []struct {
		word, value string
		kind        Kind
		says        string
		parse       bool // found before there is a value
	}{
		{"<<.Task>>/x", "s3://b", Syntax, "beginning of a URL", true},
		{"s3<<.Task>>://b/x", "", Syntax, "beginning of a URL", true},
		{"<<.TaskID>><<.Task>>", "s3://b", Syntax, "beginning of a URL", true},
		{"<<with .Task>><<.>><<end>>", "s3://b/x", Syntax, "nothing but the one value", false},
		{"s3://<<.Task>>/x", "b", Syntax, "host", true},
		{"s3://<<.Task>>/x", "/b", Syntax, "host", true},
		{"s3://<<if .Task>><<.Task>><<end>>/x", "b", Syntax, "host", false},
		{"s3://b-<<.Task>>/x", "b", BadForItem, "host", false},
		{"https://<<.Task>>@h/x", "u", Syntax, "host", true},
		{"https://h:<<.Task>>/x", "1", BadForItem, "host", false},
		{"file://<<.Task>>", "data/x", BadForItem, "host", false},
		{"s3://b/x?<<.Task>>", "endpoint=http://h", Syntax, "write name=", true},
		{"s3://b/x?region=r&<<.Task>>", "endpoint=http://h", Syntax, "write name=", true},
		{"s3://b/x?<<.Task>>=http://h", "endpoint", Syntax, "write name=", true},
		{"s3://b/x#<<.Task>>", "y", Syntax, "fragment", true},
		{"s3://b/x%<<.Task>>", "2e", Syntax, "write %25", true},
		{"s3://b/x%2<<.Task>>", "3", Syntax, "write %25", true},
		{"s3://b/.<<.Task>>/x", ".", BadForItem, "..", false},
		{"s3://b/%2e<<.Task>>/x", ".", BadForItem, "..", false},
		{"<<.Task>>", "s3://b/a/../x", BadForItem, "..", false},
		{"<<.Task>>", "s3://b/%2e%2e/x", BadForItem, "..", false},
		{`s3://b/<<env "DOTS">>/x`, "", MissingForAll, "..", false},
		{`s3://b/<<env "DOTS">>/<<.Index>>`, "", BadForItem, "..", false},
		{"s3://b/<<.Task>>", "a\x00", BadForItem, "NUL", false},
		{"s3://b/p/<<.Task>>", "", BadForItem, "empty", false},
		{"s3://b/<<.Task>>/x?region=r", "", BadForItem, "empty", false},
	} {
		parsed, err := ParseURL(tt.word)
		if (err != nil) != tt.parse {
			t.Errorf("%s: parsed with %v", tt.word, err)
		}
		if err == nil {
			f := testFields()
			f.Task = &Task{Payload: tt.value}
			_, err = parsed.Expand(f, Sources{LookupEnv: func(string) (string, bool) { return "..", true }})
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != tt.kind || !strings.Contains(e.Error(), tt.says) || e.Word != tt.word {
			t.Errorf("%s with %q: %v", tt.word, tt.value, err)
		}
	}
}

// TestPlaces: a path stays a path, and no value makes another directory or a URL of it.
func TestPlaces(t *testing.T) {
	for _, tt := range []struct{ word, value, want string }{ // "": refused
		{"/data/<<.Task>>", "a b#c?d%20", "/data/a b#c?d%20"},
		{"/data/<<.Task>>", "./a", "/data/./a"},
		{"/data/<<.Task>>", "../a", ""},
		{"/data/<<.Task>>", "a/..", ""},
		{"/data/.<<.Task>>/x", ".", ""},
		{"/data/<<.Task>>..", "x", "/data/x.."},
		{"/data/../<<.Task>>", "x", "/data/../x"},
		{"/data/<<.Task>>", "", ""},
		{"/data/<<.Task>>/x", "", ""},
		{"/data/x<<.Task>>", "", "/data/x"},
		{"/data/<<.Task>>", "dir/", "/data/dir/"},
		{"<<.Task>>", "../a b", "../a b"},
		{"<<.Task>>", "s3://b/a%20b", "s3://b/a%20b"},
		{"<<.Task>>", "s3://b/../x", ""},
		{"<<.Task>>/x", "/data", "/data/x"},
		{"<<.Task>>/x", "s3://b", ""},
		{"<<.Task>>//b/x", "s3:", ""},
		{`<<env "DIR">>/<<.Task>>`, "a b", "/data/../d/a b"},
		{`<<env "URL">>/<<.Task>>`, "a b", "s3://b/a%20b"},
		{`<<env "URL">>/<<.Task>>`, "..", ""},
		{"s3://b/<<.Task>>", "a b", "s3://b/a%20b"},
	} {
		p, err := ParsePlace(tt.word)
		if err != nil {
			t.Fatal(err)
		}
		f := testFields()
		f.Task = &Task{Payload: tt.value}
		vars := map[string]string{"DIR": "/data/../d", "URL": "s3://b"}
		got, err := p.Expand(f, Sources{LookupEnv: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }})
		e, _ := errors.AsType[*Error](err)
		if got.Text != tt.want || (err == nil) != (tt.want != "") || e != nil && e.Kind != BadForItem {
			t.Errorf("%s with %q gives %q, %v; want %q", tt.word, tt.value, got.Text, err, tt.want)
		}
		if whole := tt.word == "<<.Task>>" && err == nil; got.FromItem != whole {
			t.Errorf("%s: from the item alone: %v", tt.word, got.FromItem)
		}
	}
}

// TestPaths: a path at which something is read or written is what the template says, and
// what the item says is below it.
func TestPaths(t *testing.T) {
	for _, tt := range []struct{ word, value, want string }{ // "": refused
		{"/data/<<.Task>>", "a b#c?d%20", "/data/a b#c?d%20"},
		{"/data/<<.Task>>", "a/b", "/data/a/b"},
		{"/data<<.Task>>", "/etc/passwd", "/data/etc/passwd"},
		{"/data/<<.Task>>/", "a", "/data/a/"},
		{"/data/<<.Task>>/", "a/", "/data/a//"},
		{"<<.Task>>", "a", "a"},
		{"<<.Task>>", "s3://b/x", "s3://b/x"}, // a path like any other
		{"s3://b/<<.Task>>", "a b", "s3://b/a b"},
		{"/data/<<.Task>>", "../a", ""},
		{"/data/<<.Task>>", "a/..", ""},
		{"/data/.<<.Task>>/x", ".", ""},
		{"/data/<<.Task>>", ".", ""},
		{"/data/<<.Task>>/x", "./a", ""},
		{"/data/<<.Task>>", "", ""},
		{"/data/<<.Task>>", "dir/", ""},
		{"/data/<<.Task>>", "/", ""},
		{"<<.Task>>", "dir/", ""},
		{"<<.Task>>", "/etc/passwd", ""},
		{"<<.Task>>", "..", ""},
		{"<<.Task>>", "", ""},
		{"<<.Task>>", "a\x00b", ""},
		{"<<.Task>>/x", "/etc", ""},
		{`<<env "NONE">><<.Task>>`, "/etc", ""},
		{`<<env "DIR">>/<<.Task>>`, "a", "/data/../d/a"}, // the command line's own
		{`/data/<<with .Task>><<.>><<end>>`, "../a", ""},
		{"/data/x", "", "/data/x"},
	} {
		p, err := ParsePath(tt.word)
		if err != nil {
			t.Fatal(err)
		}
		f := testFields()
		f.Task = &Task{Payload: tt.value}
		vars := map[string]string{"DIR": "/data/../d", "NONE": ""}
		got, err := p.Expand(f, Sources{LookupEnv: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }})
		e, _ := errors.AsType[*Error](err)
		if got.Text != tt.want || (err == nil) != (tt.want != "") || e != nil && e.Kind != BadForItem {
			t.Errorf("%s with %q gives %q, %v; want %q", tt.word, tt.value, got.Text, err, tt.want)
		}
	}
}

// FuzzPath: no value leads out of the directory that stands before it.
func FuzzPath(f *testing.F) {
	for _, v := range hostile {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		for _, word := range []string{"/data/<<.Task>>", "<<.Task>>", "/data/<<.Task>>.txt", "/data/x-<<.Task>>/y"} {
			p, err := ParsePath(word)
			if err != nil {
				t.Fatal(err)
			}
			fields := testFields()
			fields.Task = &Task{Payload: v}
			e, err := p.Expand(fields, testSources())
			if err != nil {
				continue
			}
			at, root := path.Clean(e.Text), "/data/"
			if word == "<<.Task>>" {
				at, root = path.Join("/cwd", e.Text), "/cwd/"
			}
			if !strings.HasPrefix(at, root) || strings.HasSuffix(e.Text, "/") || path.IsAbs(e.Text) != (root == "/data/") {
				t.Errorf("%s with %q gives %q", word, v, e.Text)
			}
		}
	})
}

// TestSecretsInURLs: a secret is masked in the form that it has there, and nothing else.
func TestSecretsInURLs(t *testing.T) {
	for secret, told := range map[string][]string{"p#w/d %é": {"p#w/d %é", "d %é"}, "plain": {"plain"}} {
		p, err := ParseURL(`s3://b/<<secret "S">>/<<.Job>>?region=<<secret "S">>`)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Expand(testFields(), Sources{LookupEnv: func(string) (string, bool) { return secret, true }})
		if err != nil {
			t.Fatal(err)
		}
		want := Expansion{Text: "s3://b/" + (&url.URL{Path: secret}).EscapedPath() + "/resize?region=" + url.QueryEscape(secret),
			Stable: "s3://b/<<secret S>>/resize?region=<<secret S>>", Secrets: told}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		shown := got.Text
		for _, form := range Forms(got.Secrets) {
			shown = strings.ReplaceAll(shown, form, Mask)
		}
		if shown != "s3://b/***/resize?region=***" {
			t.Errorf("shown as %s", shown)
		}
	}
}

// TestMadeOfSecretsInURLs: what a function makes of a secret stands in the URL escaped, and
// in a message about its directory as it is, up to a slash.
func TestMadeOfSecretsInURLs(t *testing.T) {
	p, err := ParseURL(`file:///d/<<secret "S" | upper>>/m`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Expand(testFields(), Sources{LookupEnv: func(string) (string, bool) { return "se cret/li#ne", true }})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SE CRET/LI#NE", "SE CRET", "LI#NE", "se cret/li#ne"} {
		if !slices.Contains(got.Secrets, want) {
			t.Errorf("%q isn't among the secrets %q", want, got.Secrets)
		}
	}
}
