package item

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/templates"

	_ "nth/shim/store/file"
	_ "nth/shim/store/s3"
)

// payload is an item's, in which each value of a test stands by its name.
const payload = `{"name": "a b", "url": "s3://b/in/x%20y?region=r", "found": "s3://b/in/found", "dir": "x/", "prefix": "s3://b/in/p/", "up": "../x", "abs": "/etc/passwd",
	"dot": ".", "empty": "", "star": "*", "glob": "s3://b/in/*", "other": "s3://b/out?endpoint=http://h/", "web": "http://h/x", "file": "in/f", "out": "s3://b/out/5.txt"}`

// made gives the places of an item.
func made(d config.Data, doneIf string) (Places, error) {
	c := config.Config{Data: d, Command: []string{"true"}, Markers: config.Markers{DoneIf: doneIf}}
	m, err := Parse(&c)
	if err != nil {
		return Places{}, err
	}
	vars := map[string]string{"OUT": "s3://b/out/", "NONE": "", "IN": "s3://b/in/*.gz", "DIR": "/work/"}
	w := edge.World{LookupEnv: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }}
	r := &Run{Process: edge.NewProcess(w), Config: &c, Mapping: m}
	f := r.Fields()
	f.Index, f.Kind, f.Task = 5, templates.RowItem, &templates.Task{Payload: payload}
	x := r.Expander(f, r.Secrets)
	x.Objects = map[string]string{"s3://b/in/found": "s3://b/in/found?endpoint=http://own"}
	return m.Places(x)
}

func text(s string) expand.Text { return expand.Text{Value: s, Shown: s} }

// TestData: what the flags say becomes what is fetched, and where it goes.
func TestData(t *testing.T) {
	for _, tt := range []struct {
		input     string
		url, path string
		dir, glob bool
		file      string // that it becomes
	}{
		{"s3://b/in/<<.Index>>.txt?region=r=/work/in", "s3://b/in/5.txt?region=r", "/work/in", false, false, "/work/in"},
		{"s3://b/in/<<.Task.name>>=in/<<.Task.name>>", "s3://b/in/a%20b", "in/a b", false, false, "in/a b"},
		{"<<.Task.url>>=/work/", "s3://b/in/x%20y?region=r", "/work/", false, false, "/work/x y"},
		{"<<.Task.found>>=/work/in", "s3://b/in/found?endpoint=http://own", "/work/in", false, false, "/work/in"},
		{"s3://b/in/=/work/", "s3://b/in/", "/work/", true, false, "/work/"},
		{"s3://b/in/=/work", "s3://b/in/", "/work", true, false, "/work"},
		{"<<.Task.prefix>>=/work/", "s3://b/in/p/", "/work/", true, false, "/work/"},
		{`s3://b/in/**/*.gz?x={=/work/`, "s3://b/in/**/*.gz?x={", "/work/", false, true, "/work/"},
		{`<<env "IN">>=<<env "DIR">>`, "s3://b/in/*.gz", "/work/", false, true, "/work/"},
		{"s3://b/in/<<.Task.star>>=/work/in", "s3://b/in/%2A", "/work/in", false, false, "/work/in"}, // no value makes a glob
		{"<<.Task.glob>>=/work/in", "s3://b/in/*", "/work/in", false, false, "/work/in"},
		{"s3://b/x=<<.Task.file>>", "s3://b/x", "in/f", false, false, "in/f"},
		{"file:///in/x=..", "", "", false, false, ""},
	} {
		p, err := made(config.Data{Input: []string{tt.input}}, "")
		if err != nil || len(p.Inputs) != 1 {
			if tt.url != "" {
				t.Errorf("%s: %v", tt.input, err)
			}
			continue
		}
		in := p.Inputs[0]
		got := Input{text(in.URL.Value), text(in.Path.Value), in.Dir, in.Glob}
		if diff := cmp.Diff(Input{text(tt.url), text(tt.path), tt.dir, tt.glob}, got); diff != "" || in.File() != tt.file {
			t.Errorf("%s becomes %s: %s", tt.input, in.File(), diff)
		}
	}
}

// TestDataRefused: what can't be had is refused before anything is done, with 64 or 78
// where it follows from the command line, and with 65 where the item says it.
func TestDataRefused(t *testing.T) {
	in := func(list ...string) config.Data { return config.Data{Input: list} }
	out := func(list ...string) config.Data { return config.Data{Output: list} }
	for _, tt := range []struct {
		data   config.Data
		doneIf string
		code   failure.Code // 0: nothing is wrong
		says   string
	}{
		{in("s3://b/x"), "", 64, "number 1: it is not URL=PATH"},
		{in("s3://b/x=a", "a=s3://b/x"), "", 64, "number 2: it is not URL=PATH"},
		{out("a"), "", 64, "it is not PATH=URL"},
		{config.Data{Checkpoint: []string{"a"}}, "", 64, "parse --checkpoint"},
		{in("s3://b/<<.Nothing>>=a"), "", 64, "--input"},
		{in("s3://b/a=<<.Nothing>>"), "", 64, "--input"},
		{in("s3://<<.Task.name>>/x=a"), "", 64, "host"},

		// what an item says of a path
		{in("s3://b/x=/work/<<.Task.up>>"), "", 65, ".."},
		{in("s3://b/x=<<.Task.up>>"), "", 65, ".."},
		{in("s3://b/x=<<.Task.abs>>"), "", 65, "absolute"},
		{in(`s3://b/x=<<env "NONE">><<.Task.abs>>`), "", 65, "absolute"},
		{in("s3://b/x=/work/<<.Task.dir>>"), "", 65, "slash"},
		{in("s3://b/x=/work/<<.Task.dot>>"), "", 65, "."},
		{in("s3://b/x=/work/<<.Task.empty>>"), "", 65, "empty"},
		{in("s3://b/x=<<.Task.empty>>"), "", 65, "empty"},
		{out("<<.Task.abs>>=s3://b/x"), "", 65, "absolute"},
		{config.Data{Checkpoint: []string{"<<.Task.up>>=s3://b/x"}}, "", 65, ".."},
		{in("s3://b/x=/work<<.Task.abs>>"), "", 0, ""}, // below the directory that stands before it

		// what an item says of a URL
		{in("s3://b/<<.Task.dir>>=/work/in"), "", 65, "a value ends in a slash"},
		{in("s3://b/<<.Task.dir>>=/work/"), "", 65, "a value ends in a slash"},
		{in("<<.Task.prefix>>=/work/in"), "", 65, "a value ends in a slash"},
		{out("/work/out=s3://b/<<.Task.dir>>"), "", 65, "a value ends in a slash"},
		{out("/work/out/=<<.Task.out>>"), "", 65, "one half"},
		{out("/work/out/=<<.Task.prefix>>"), "", 0, ""},
		{config.Data{Stdin: "s3://b/<<.Task.dir>>"}, "", 65, "a stream is one object"},
		{config.Data{Stdout: "<<.Task.prefix>>"}, "", 65, "a stream is one object"},
		{in("<<.Task.other>>=/work/in"), "", 65, "endpoint is not for an item to say"},
		{in("<<.Task.web>>=/work/in"), "", 65, "no store for the scheme"},
		{in("<<.Task.name>>=/work/in"), "", 65, "no scheme"},
		{config.Data{Stdin: "<<.Task.abs>>"}, "", 65, "no scheme"},
		{config.Data{KeepFailed: []string{"<<.Task.other>>"}}, "", 65, "endpoint"},
		{config.Data{KeepFailed: []string{"work/=<<.Task.other>>"}}, "", 65, "endpoint"},
		{config.Data{KeepFailed: []string{"<<.Task.up>>=s3://b/x"}}, "", 65, ".."},
		{config.Data{KeepFailed: []string{"work/=s3://b/x"}}, "", 64, "one half"},
		{config.Data{KeepFailed: []string{"=s3://b/x"}}, "", 64, "neither URL nor PATH=URL"},
		{config.Data{KeepFailed: []string{"s3://b/f", "work/=s3://b/x/", "log=s3://b/l"}}, "", 0, ""},
		{config.Data{KeepFailed: []string{"work/=s3://b/x/", "log=s3://b/x/l"}}, "", 78, "one would overwrite the other"},
		{config.Data{Output: []string{"o=s3://b/<<.Task.name>>"}, KeepFailed: []string{"log=s3://b/<<.Task.name>>"}}, "", 65, "one would overwrite the other"},

		// halves that don't go together
		{in("s3://b/*.gz=/work/in"), "", 64, "glob"},
		{in("s3://b/x=/work/.."), "", 64, "its path is a directory"},
		{in(`s3://b/x=<<env "NONE">>`), "", 64, "empty"},
		{out("/work/out/=s3://b/out"), "", 64, "one half"},
		{out("/work/out=s3://b/<<.Index>>/"), "", 64, "one half"},
		{out(`/work/out=<<env "OUT">>`), "", 64, "one half"},
		{out(`.=s3://b/out`), "", 64, "its path is a directory"},
		{out("./=s3://b/out/"), "", 0, ""},
		{config.Data{Checkpoint: []string{"a/=s3://b/out"}}, "", 64, "one file"},
		{config.Data{Stdin: "s3://b/in/"}, "", 64, "a stream is one object"},
		{config.Data{Stdin: "s3://b/in/*"}, "", 64, "glob"},
		{config.Data{Stdout: "s3://b/in/"}, "", 64, "a stream is one object"},

		// places that are the same
		{out("a=s3://b/out", "b=s3://b/out?region=r"), "", 78, "one would overwrite"},
		{out("a=s3://b/out/<<.Index>>", "b=s3://b/out/5"), "", 65, "one would overwrite"},
		{out("a=s3://b/out/a%20b", "b=s3://b/out/<<.Task.name>>"), "", 65, "one would overwrite"},
		{out("a=s3://b/out/x", "b/=s3://b/out/"), "", 78, "one would overwrite"},
		{out("b/=s3://b/out/", "a=s3://b/out/x/y"), "", 78, "one would overwrite"},
		{out("a=s3://b/out", "b=s3://b/out/x"), "", 0, ""}, // objects are no directories
		{out("a=file:///b/out", "b=file:///b/out/x"), "", 78, "one would overwrite"},
		{out("a=file:///b/./out", "b=file://localhost/b//out"), "", 78, "one would overwrite"},
		{out("a=s3://b/out", "b=s3://b/out2", "c=gs://b/out"), "", 0, ""},
		{out("a=s3://b/out?endpoint=http://h", "b=s3://b/out?endpoint=http://i"), "", 0, ""},
		{out("a=s3://b/out?endpoint=http://h", "b=s3://b/out?endpoint=http://h/"), "", 78, "one would overwrite"},
		{config.Data{Output: []string{"a=s3://b/out"}, Stdout: "s3://b/out"}, "", 78, "--output s3://b/out and --stdout s3://b/out"},
		{config.Data{Output: []string{"a=s3://b/out"}, Checkpoint: []string{"c=s3://b/out"}}, "", 78, "one would overwrite"},
		{config.Data{Input: []string{"s3://b/x=a"}, Checkpoint: []string{"c=s3://b/x"}}, "", 78, "a checkpoint is overwritten"},
		{config.Data{Stdin: "s3://b/c/x", Checkpoint: []string{"c=s3://b/c/x"}}, "", 78, "a checkpoint is overwritten"},
		{config.Data{Input: []string{"s3://b/x=a"}, Output: []string{"a=s3://b/x"}}, "", 0, ""}, // edited in place

		{out("a=s3://b/out/5"), "s3://b/out/<<.Index>>", 65, "half published"},
		{out("a=s3://b/out/5?region=r"), "s3://b/out/5", 78, "half published"},
		{out("a/=s3://b/out/"), "s3://b/out/_SUCCESS", 78, "half published"},
		{config.Data{Stdout: "s3://b/out"}, "s3://b/out", 78, "half published"},
		{out("a=s3://b/out/5"), "s3://b/out/6", 0, ""},

		{in("s3://b/x=/work/in", "s3://b/y=/work//in"), "", 78, "same path"},
		{in("s3://b/x=/work/in", "s3://b/y=/work/in/y"), "", 78, "same path"},
		{in("s3://b/y=/work/in/y", "s3://b/x=/work/in"), "", 78, "same path"},
		{in("s3://b/x=/work/", "s3://c/x=/work/"), "", 78, "same path"},
		{in("s3://b/x=/work/", "s3://b/y=/work/"), "", 0, ""},
		{in("s3://b/x/=/work/", "s3://b/y/=/work/"), "", 78, "same path"},
		{in("s3://b/x/=/work/", "s3://b/y=/work/y"), "", 0, ""},
		{in("s3://b/x=/work/a b", "s3://b/y=/work/<<.Task.name>>"), "", 65, "same path"},
	} {
		_, err := made(tt.data, tt.doneIf)
		if tt.code == 0 && err != nil || tt.code != 0 && (err == nil || failure.From(err).Code != tt.code || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%+v %s: %v, want %d, saying %q", tt.data, tt.doneIf, err, tt.code, tt.says)
		}
	}
}
