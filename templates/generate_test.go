package templates

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// source makes choices.
type source struct{ *rand.Rand }

func chosenBy(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0))} }

func (s source) pick(n int) int { return s.IntN(n) }

func of[T any](s source, list ...T) T { return list[s.pick(len(list))] }

// hostileFields are the fields of an item whose values are none that anybody hopes for.
func hostileFields(seed uint64) Fields {
	s := chosenBy(seed)
	f := testFields()
	n := of(s, int64(0), -1, 1<<62)
	f.Statement = &Statement{Lease: 60, Delay: 0.5, MaxAttempts: 5, Reason: "it's \"a\"", Retry: true}
	if s.pick(8) > 0 {
		f.Shard, f.Item = &Shard{Start: n, End: n + 3}, &n
	}
	if s.pick(8) > 0 {
		f.Task = &Task{ID: "id", Receipt: "r", Meta: map[string]string{"a": "", "b": "<b>"}, Payload: of(s, payloads...)}
	}
	if s.pick(8) == 0 {
		f.Job, f.JobUID, f.Completions = "", "", nil
	}
	if s.pick(8) == 0 {
		f.Outgrown = &n
	}
	if s.pick(8) == 0 {
		f.Slot = nil
	}
	f.Hostname = of(s, "host-7", "", "é\xff<>&='\"\\\n\u2028", "%!d", "<<secret TOKEN>>")
	return f
}

var payloads = []string{
	`{"a": 1, "b": [1, "x", null, {"c": [[]]}, 2.50, true, false], "c": {"d": {}, "e": null, "a": "é"}, "list": ["p", "q"], "empty": [], "n": 3, "": 0}`,
	``, `null`, `[]`, `[{"a": [1, 2, 3]}, "<&'\"=>"]`, `"text"`, `7`, `{`, `{"a": "", "b": {}, "c": [null], "list": "abc", "n": -1e99}`,
}

// generator writes words of the language, most of which can be parsed.
type generator struct {
	source
	b         strings.Builder
	depth     int
	inside    bool // with and range: the dot is a value
	loops     int
	variables []string
}

func (g *generator) word() string {
	for range 1 + g.pick(4) {
		g.node()
	}
	return g.b.String()
}

func (g *generator) node() {
	if g.depth > 3 {
		g.b.WriteString("t")
		return
	}
	g.depth++
	defer func() { g.depth-- }()
	switch g.pick(12) {
	case 0, 1, 2, 3:
		g.action(g.pipeline())
	case 4:
		g.b.WriteString(of(g.source, "x", " ", "s3://b/", "?a=", "\n", ".."))
	case 5, 6:
		g.declare()
	case 7, 8:
		g.block("if", g.condition(), g.inside)
	case 9:
		g.block("with", g.condition(), true)
	default:
		g.loop()
	}
}

func (g *generator) action(text string) {
	g.b.WriteString(of(g.source, "<<", "<<", "<<- ") + text + of(g.source, ">>", ">>", " ->>"))
}

// declare gives a new variable a value, or one that there is already.
func (g *generator) declare() {
	value := g.pipeline()
	if len(g.variables) > 0 && g.pick(2) == 0 {
		g.action(of(g.source, g.variables...) + " = " + value)
		return
	}
	name := fmt.Sprintf("$v%d", len(g.variables))
	g.action(name + " := " + value)
	g.variables = append(g.variables, name)
}

func (g *generator) condition() string {
	if g.pick(4) > 0 {
		return g.pipeline()
	}
	value := g.pipeline()
	g.variables = append(g.variables, "$c")
	return "$c := " + value
}

func (g *generator) block(word, head string, inside bool) {
	was, before := g.inside, len(g.variables)
	g.action(word + " " + head)
	g.inside = inside
	g.node()
	if g.loops > 0 && g.pick(3) == 0 {
		g.action(of(g.source, "break", "continue"))
	}
	g.inside, g.variables = was, g.variables[:min(before, len(g.variables))]
	if strings.HasPrefix(head, "$c :=") {
		g.variables = append(g.variables, "$c") // it is there in else as well
	}
	switch g.pick(4) {
	case 0:
		g.action("else")
		g.node()
	case 1:
		g.action("else " + word + " " + g.pipeline())
		g.inside = inside
		g.node()
		g.inside = was
	}
	g.variables = g.variables[:before]
	g.action("end")
}

// loop goes through what is short: a number without end would be what it says.
func (g *generator) loop() {
	over := of(g.source, "3", "0", "-1", ".5", `"ab"`, "nil", `(split "," "a,b,c")`, `(fromJson "[1,null,{\"a\":2},\"x\"]")`, `(fromJson $.Task)`, "$.Task.b", "$.Task.c",
		"$.Task.list", "$.Index", "$.Attempt", `(index "ab" 0 | mod 3)`, "$.Meta", `(slice (split "" "abcd") 1)`, "true", "1i", `(index (fromJson $.Task) 1)`, `(len "ab")`)
	before := len(g.variables)
	switch g.pick(4) {
	case 0:
		over = "$i, $e := " + over
		g.variables = append(g.variables, "$i", "$e")
	case 1:
		over = "$e := " + over
		g.variables = append(g.variables, "$e")
	case 2:
		if before > 0 {
			over = of(g.source, g.variables...) + of(g.source, "", ", "+g.variables[0]) + " = " + over
		}
	}
	g.loops++
	was := g.inside
	g.action("range " + over)
	g.inside = true
	g.node()
	if g.pick(4) == 0 {
		g.action("if " + g.pipeline())
		g.action(of(g.source, "break", "continue"))
		g.action("end")
	}
	g.node()
	g.loops--
	g.inside, g.variables = was, g.variables[:before]
	if g.pick(3) == 0 {
		g.action("else")
		g.node()
	}
	g.variables = g.variables[:min(before, len(g.variables))]
	g.action("end")
}

// calls are functions with the kinds of their arguments and of what they give: a number,
// a text, a list, an object, JSON, the name of a variable, a format, or anything.
var calls = []struct{ names, takes, gives string }{
	{"add mul min max sub div mod", "nn", "n"}, {"add min max", "nnn", "n"}, {"len", "t", "n"}, {"len", "l", "n"}, {"index", "tn", "n"},
	{"pad", "nn", "t"}, {"env secret", "v", "t"}, {"file", "f", "t"}, {"base dir ext lower upper urldecode", "t", "t"},
	{"print println html js urlquery", "a", "t"}, {"print println html js urlquery", "aa", "t"}, {"quote toJson volatile", "a", "t"},
	{"trimSuffix trimPrefix", "tt", "t"}, {"replace", "ttt", "t"}, {"join", "tl", "t"}, {"printf", "ra", "t"}, {"slice", "tn", "t"}, {"slice", "tnn", "t"},
	{"split", "tt", "l"}, {"slice", "ln", "l"}, {"slice", "lnnn", "l"}, {"fromJson", "j", "o"},
	{"field", "to", "a"}, {"index", "ln", "a"}, {"index", "ot", "a"}, {"fromJson", "j", "a"}, {"required", "ta", "a"}, {"default", "aa", "a"}, {"default", "a", "a"},
	{"and or", "aa", "a"}, {"and or", "aaa", "a"}, {"not", "a", "b"}, {"eq ne lt le gt ge", "nn", "b"}, {"eq ne lt le gt ge", "tt", "b"}, {"eq", "aaa", "b"}, {"eq ne", "bb", "b"},
	{"default required", "tt", "t"}, {"default", "nn", "n"}, {"volatile", "n", "n"},
}

// pipeline gives a value of any kind, mostly.
func (g *generator) pipeline() string { return g.value(of(g.source, "t", "t", "n", "a", "b")) }

// value is a value of a kind, but now and then it is of another one.
func (g *generator) value(kind string) string {
	if g.pick(40) == 0 {
		kind = of(g.source, "n", "t", "l", "o", "b")
	}
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 5 || g.pick(3) == 0 {
		return g.operand(kind)
	}
	var fit []int
	for i, c := range calls {
		if c.gives == kind || kind == "a" {
			fit = append(fit, i)
		}
	}
	if len(fit) == 0 {
		return g.operand(kind)
	}
	c := calls[of(g.source, fit...)]
	text, piped := of(g.source, strings.Fields(c.names)...), g.pick(3) == 0
	takes := c.takes
	if g.pick(60) == 0 {
		takes += "a"
	}
	for i, k := range takes {
		v := g.value(string(k))
		if i == len(takes)-1 && piped {
			return v + " | " + text
		}
		if strings.Contains(v, " ") && v[0] != '"' {
			v = "(" + v + ")"
		}
		text += " " + v
	}
	return text
}

var operands = map[string][]string{
	"n": {"0", "1", "2", "3", "-3", "0x1F", "'a'", "$.Index", "$.RawIndex", "$.Completions", "$.Attempt", "$.Slot", "$.Shard.Start", "$.Shard.Len", "$.Item", "9223372036854775807", "1.5", "1e3", "2i", "0x1p4", "18446744073709551615"},
	"t": {`"a"`, `""`, `"1"`, `"b"`, `"-7"`, "`r`", `"c,d"`, `","`, `"é<&'\"=>\\"`, `"\u2028\xff%41+"`, "$.Job", "$.Hostname", "$.RunID", "$.TaskID", "$.Meta.a", "$.Meta.b", "$.Task.a", "$.Task.c.a", "$.Task"},
	"l": {`(split "," "a,b,c")`, `(fromJson "[1,null,{\"a\":2},\"x\"]")`, "$.Task.b", "$.Task.list", "$.Task.empty", `(split "" "")`},
	"o": {`(fromJson $.Task)`, `(fromJson "{\"a\":{\"b\":[7]},\"\":null}")`, "$.Task.c", "$.Meta"},
	"j": {"$.Task", `"[1,[2]]"`, `"null"`, `"{"`, `"1.50"`, `"{\"a\":[{}]}"`, `"true"`},
	"b": {"true", "false"},
	"v": {`"TOKEN"`, `"REGION"`, `"ODD"`, `"EMPTY"`, `"NOPE"`},
	"f": {`"/etc/zone"`, `"/big"`, `"/nope"`},
	"r": {`"%v"`, `"%d"`, `"%q"`, `"%s%%"`, `"%T"`, `"%5.2f|%v"`, `"x"`, `"%v%!"`},
	"a": {"nil", "true", "$.Task.nope", "$.Task.n", "$.Meta.z", `(fromJson "{\"a\":{\"b\":[7]}}").a.b`, `(fromJson "null")`},
}

func (g *generator) operand(kind string) string {
	if len(g.variables) > 0 && g.pick(4) == 0 {
		return of(g.source, g.variables...)
	}
	if g.inside && g.pick(4) == 0 {
		return "."
	}
	if kind == "a" {
		kind = of(g.source, "a", "n", "t", "l", "o", "b")
	}
	return of(g.source, operands[kind]...)
}

// FuzzEvaluate: what a generator writes is as text/template has it.
func FuzzEvaluate(f *testing.F) {
	for i := range uint64(500) {
		f.Add(i, 7*i)
	}
	f.Fuzz(func(t *testing.T, words, fields uint64) {
		g := generator{source: chosenBy(words)}
		compare(t, g.word(), fields)
	})
}

// FuzzEvaluateText: so is any text.
func FuzzEvaluateText(f *testing.F) {
	for i, word := range words(f) {
		if !strings.Contains(word, "range") { // TestEvaluate has those
			f.Add(word, uint64(i))
		}
	}
	f.Fuzz(func(t *testing.T, word string, fields uint64) {
		if strings.Contains(word, "range") {
			t.Skip() // range 9223372036854775807 is what it says
		}
		compare(t, word, fields)
	})
}

func compare(t *testing.T, word string, fields uint64) {
	t.Helper()
	for _, parse := range []func(string) (*Template, error){Parse, ParseURL, func(w string) (*Template, error) { return ParseJSON(w, "Lease", "Reason") }} {
		if tmpl, err := parse(word); err == nil && tmpl.tree != nil {
			sameAsReference(t, tmpl, hostileFields(fields), testSources())
		}
	}
}
