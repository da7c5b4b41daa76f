package manifest

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"nth/shim/flags"
)

// places are the flags whose URLs may be files', and which of them name directories: the
// others name what is in one.
func places() map[string]bool {
	return map[string]bool{"--markers": true, "--logs": true, "--done-if": false, "--success": false, "--tasks": false, "--require": false,
		"--input": false, "--output": false, "--stdin": false, "--stdout": false, "--checkpoint": false, "--keep-failed": true}
}

// onVolume gives a setting whose files are on a volume the parameter that wants it mounted:
// without its volume, a mount point is a directory in which nothing is done.
func (j *job) onVolume(s flags.Setting) flags.Setting {
	dir, ok := places()[s.Flag]
	if !ok {
		return s
	}
	want := func(value string) string {
		return urlIn(s.Flag, value, func(url string) string { return j.wantMounted(url, dir) })
	}
	urls := strings.Split(s.Value, "\n")
	for i, u := range urls {
		urls[i] = want(u)
	}
	s.Value, s.Words = strings.Join(urls, "\n"), slices.Clone(s.Words)
	for i, w := range s.Words {
		if flag, u, ok := strings.Cut(w, "="); ok {
			s.Words[i] = flag + "=" + want(u)
		}
	}
	return s
}

// mountpoint is the parameter. Who gives one, and be it empty, means that.
const mountpoint = "mountpoint="

func (j *job) wantMounted(template string, dir bool) string {
	text := literal(template)
	at, ok := folder(template, dir)
	if !ok || strings.Contains(text, "/..") || strings.Contains(text, mountpoint) {
		return template
	}
	v := j.under(at)
	if v == nil || v.kind == "emptyDir" {
		return template
	}
	sep := "?"
	if strings.Contains(text, sep) {
		sep = "&"
	}
	return template + sep + mountpoint + strings.NewReplacer("&", "%26", "+", "%2B", ";", "%3B").Replace((&url.URL{Path: v.path}).EscapedPath())
}

// folder gives the directory of a file's URL as far as no template makes it.
func folder(template string, dir bool) (at string, ok bool) {
	text, _, templated := strings.Cut(template, "<<")
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "file" {
		return "", false
	}
	if templated && !strings.Contains(text, "?") || !dir {
		return path.Clean(u.Path[:strings.LastIndex(u.Path, "/")+1]), true
	}
	return path.Clean(u.Path), true
}

// literal is a template without its actions.
func literal(template string) (text string) {
	for {
		before, action, ok := strings.Cut(template, "<<")
		text += before
		if !ok {
			return text
		}
		_, template, _ = strings.Cut(action, ">>")
	}
}
