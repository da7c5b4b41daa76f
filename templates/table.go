package templates

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"sync"
)

// signature is what a function takes: of its arguments, so many must be texts, and the
// others can be anything.
type signature struct {
	least, most, texts int
	names              string
}

// many is any number.
const many = 1 << 30

// signatures are those of the functions beside text/template's own, with these of its that
// are held within the bounds of a word.
var signatures = []signature{
	{0, many, 0, "add mul min max print println html js urlquery"},
	{2, 2, 0, "sub div mod pad required"},
	{1, 1, 1, "env secret file base dir ext lower upper fromJson urldecode"},
	{2, 2, 2, "trimSuffix trimPrefix split"},
	{3, 3, 3, "replace"},
	{2, 2, 1, "join"},
	{1, many, 1, "field printf"},
	{1, many, 0, "index default"},
	{1, 1, 0, "quote toJson volatile"},
}

// builtins are text/template's own. Its call is missing: no value is a function.
var builtins = []signature{
	{1, many, 0, "and or eq slice"},
	{2, 2, 0, "ne lt le gt ge"},
	{1, 1, 0, "not len"},
}

// hidden are those that stand in for others. No template can name them, for the parser
// doesn't know them: they are put into its tree.
var hidden = []signature{
	{1, 1, 1, "env" + orUnset},
	{1, many, 0, "default" + orUnset + " index" + orUnset + " index" + orNone},
	{1, many, 1, "field" + orUnset + " field" + orNone},
	{2, 2, 0, ofPod + " " + ofItem},
}

// parseFuncs and parseBuiltins let the parser know the names, and allFuncs the evaluation.
func parseFuncs() map[string]any    { return parseTable.of(signatures) }
func parseBuiltins() map[string]any { return builtinTable.of(builtins) }
func allFuncs() map[string]any      { return allTable.of(signatures, builtins, hidden) }

var parseTable, builtinTable, allTable table

// table is made when it is first asked for. (What sync.OnceValue gives is made at the start.)
type table struct {
	once sync.Once
	all  map[string]any
}

func (t *table) of(lists ...[]signature) map[string]any {
	t.once.Do(func() { t.all = byName(lists...) })
	return t.all
}

func byName(lists ...[]signature) map[string]any {
	all := map[string]any{}
	for _, l := range lists {
		for _, s := range l {
			for name := range strings.FieldsSeq(s.names) {
				all[name] = s
			}
		}
	}
	return all
}

// apply calls a function with the arguments that its signature has. and and or aren't
// among them: their arguments aren't all evaluated.
func (x *execution) apply(name string, a []any) (any, error) {
	switch name {
	case "add":
		return sum(a...)
	case "mul":
		return product(a...)
	case "min":
		return least(a...)
	case "max":
		return greatest(a...)
	case "sub":
		return difference(a[0], a[1])
	case "div":
		return quotient(a[0], a[1])
	case "mod":
		return remainder(a[0], a[1])
	case "pad":
		return pad(a[0], a[1])
	case "required":
		return required(a[0], a[1])
	case "default":
		return orDefault(a[0], a[1:]...)
	case "default" + orUnset:
		return defaultOrUnset(a[0], a[1:]...), nil
	case "index":
		return index(a[0], a[1:]...)
	case "index" + orUnset:
		return indexOrUnset(a[0], a[1:]...)
	case "index" + orNone:
		return indexOrNone(a[0], a[1:]...)
	case "volatile":
		return x.volatile(a[0]), nil
	case "quote":
		return sized(Quote(fmt.Sprint(a[0])))
	case "toJson":
		return toJSON(a[0])
	case "print":
		return sized(fmt.Sprint(a...))
	case "println":
		return sized(fmt.Sprintln(a...))
	case "html":
		return sized(escapeHTML(joined(a)))
	case "js":
		return sized(escapeJS(joined(a)))
	case "urlquery":
		return sized(url.QueryEscape(joined(a)))
	case ofPod, ofItem:
		return x.keep(a[1], a[0] == true, name == ofItem)
	}
	if v, err, ok := builtin(name, a); ok {
		return v, err
	}
	return x.applyText(name, a[0].(string), a[1:])
}

// applyText calls a function whose first argument is a text.
func (x *execution) applyText(name, text string, more []any) (any, error) {
	switch name {
	case "env":
		return x.env(text)
	case "env" + orUnset:
		return x.envOrUnset(text), nil
	case "secret":
		return x.secret(text)
	case "file":
		return x.file(text)
	case "field":
		return x.field(text, more...)
	case "field" + orUnset:
		return x.fieldOrUnset(text, more...)
	case "field" + orNone:
		return x.fieldOrNone(text, more...)
	case "base":
		return path.Base(text), nil
	case "dir":
		return path.Dir(text), nil
	case "ext":
		return path.Ext(text), nil
	case "lower":
		return strings.ToLower(text), nil
	case "upper":
		return strings.ToUpper(text), nil
	case "trimSuffix":
		return strings.TrimSuffix(more[0].(string), text), nil
	case "trimPrefix":
		return strings.TrimPrefix(more[0].(string), text), nil
	case "replace":
		return replace(text, more[0].(string), more[1].(string))
	case "split":
		return strings.Split(more[0].(string), text), nil
	case "join":
		return join(text, more[0])
	case "printf":
		return format(text, more...)
	case "fromJson":
		return fromJSON(text)
	}
	return urlDecode(text) // urldecode
}

// builtin calls a function of text/template's own.
func builtin(name string, a []any) (v any, err error, ok bool) {
	switch name {
	case "not":
		return !truth(a[0]), nil, true
	case "len":
		v, err = length(a[0])
	case "slice":
		v, err = slice(a[0], a[1:]...)
	case "eq":
		v, err = equal(a...)
	case "ne":
		equal, failed := equal(a...)
		v, err = !equal, failed
	case "lt", "le", "gt", "ge":
		v, err = ordered(name, a[0], a[1])
	default:
		return nil, nil, false
	}
	return v, err, true
}

func ordered(name string, a, b any) (bool, error) {
	n, err := order(a, b)
	switch name {
	case "lt":
		return n < 0, err
	case "le":
		return n <= 0, err
	case "gt":
		return n > 0, err
	}
	return n >= 0, err
}
