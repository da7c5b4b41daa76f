package templates

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
)

// minDiffering is the fewest bytes that are masked by themselves where a secret was
// changed: less would hide half of every log line and tell next to nothing.
const minDiffering = 4

// secret is env for what must not be seen: where x is named, its name stands for it.
func (x *execution) secret(name string) (string, error) {
	v, ok := x.sources.LookupEnv(name)
	if !ok {
		return "", &Error{Kind: MissingForAll, Cause: fmt.Errorf("the secret's variable %s is not set", name), Hint: "set it"}
	}
	if x.named {
		return placeholder(name), nil
	}
	if v != "" {
		if x.secrets == nil {
			x.secrets = map[string]string{}
		}
		x.secrets[name] = v
	}
	return v, nil
}

func placeholder(name string) string { return "<<secret " + name + ">>" }

// reveal puts the secrets where their names stand.
func (x *execution) reveal(s string) string {
	pairs := make([]string, 0, 2*len(x.secrets))
	for name, value := range x.secrets {
		pairs = append(pairs, placeholder(name), value)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// told lists what nobody may see of text. The word is executed once more with the
// names of its secrets in their place. If text is that with the values put in, it
// holds them as they are and nothing else depends on them. If not, a function or a
// condition worked on one, and nobody can say what of the word still tells it.
func (t *Template) told(x *execution, text string) []string {
	if len(x.secrets) == 0 {
		return nil
	}
	var values []string
	for _, v := range x.secrets {
		values = append(values, v)
	}
	other := &execution{fields: x.fields, sources: x.sources, named: true, as: x.reveal}
	named, err := t.execute(other)
	values = append(values, t.toldOfURL(x, other, values)...)
	if revealed := x.reveal(named); (err != nil || revealed != text) && text != "" {
		values = append(values, text)
		if part := differing(text, revealed); len(part) >= minDiffering {
			values = append(values, part)
		}
	}
	sort.Slice(values, func(i, j int) bool {
		if a, b := len(values[i]), len(values[j]); a != b {
			return a > b
		}
		return values[i] < values[j]
	})
	return slices.Compact(values)
}

// toldOfURL lists what of a URL tells a secret beside its text, in which values are
// escaped: a message may have a value as it is, or a directory, which ends at a slash of it.
func (t *Template) toldOfURL(x, named *execution, secrets []string) (told []string) {
	if t.url == nil {
		return nil
	}
	for i, v := range x.values {
		if (i >= len(named.values) || v.text != named.values[i].text) && v.text != "" {
			told = append(told, v.text)
		}
	}
	for _, whole := range slices.Concat(secrets, told) {
		for part := range strings.SplitSeq(whole, "/") {
			if len(part) >= minDiffering {
				told = append(told, part)
			}
		}
	}
	return told
}

// differing gives a without the beginning and the end that it shares with b.
func differing(a, b string) string {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a
}

// Mask stands where a secret was.
const Mask = "***"

// Forms gives each secret as it may stand in a text: as it is, and in a URL.
func Forms(secrets []string) (forms []string) {
	for _, secret := range secrets {
		inPath := url.URL{Path: secret}
		forms = append(forms, secret, inPath.EscapedPath(), url.QueryEscape(secret), escapeUser(secret))
	}
	return forms
}
