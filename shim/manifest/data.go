package manifest

import (
	"path"
	"slices"
	"strings"

	"nth/shim/config"
)

// half is a flag's URL, and its path if it has one.
type half struct {
	flag string
	config.Pair
	written bool // something is written at the URL
}

// data are what the pods read and write, as far as the command line is well-formed.
func (j *job) data() (list []half) {
	add := func(flag string, texts []string) {
		for _, text := range texts {
			if p, err := halves()[flag](text); err == nil {
				list = append(list, half{flag, p, flag != "--input"})
			}
		}
	}
	add("--input", j.Data.Input)
	add("--output", j.Data.Output)
	add("--checkpoint", j.Data.Checkpoint)
	add("--keep-failed", j.Data.KeepFailed)
	return append(list, half{"--stdin", config.Pair{URL: j.Data.Stdin}, false}, half{"--stdout", config.Pair{URL: j.Data.Stdout}, true})
}

// halves are the flags of which a URL is one half.
func halves() map[string]func(string) (config.Pair, error) {
	return map[string]func(string) (config.Pair, error){"--input": config.ParseInput, "--output": config.ParseOutput, "--checkpoint": config.ParseCheckpoint,
		"--keep-failed": config.ParseKept}
}

// urlIn changes the URL of a flag's value, and leaves its path as it is.
func urlIn(flag, value string, change func(url string) string) string {
	parse := halves()[flag]
	if parse == nil {
		return change(value)
	}
	p, err := parse(value)
	switch {
	case err != nil:
		return value
	case p.Path == "":
		return change(p.URL)
	case flag == "--input":
		return change(p.URL) + "=" + p.Path
	}
	return p.Path + "=" + change(p.URL)
}

// unkept says what of the outputs ends with the pod, and which paths nothing can be written
// to: the root file system is read-only.
func (j *job) unkept() {
	var told []string
	once := func(dir string, format string, args ...any) {
		if !slices.Contains(told, dir) {
			told = append(told, dir)
			j.say(format, args...)
		}
	}
	for _, h := range j.data() {
		if at, ok := folder(h.URL, h.flag == "--keep-failed" && h.Path == ""); ok && h.written {
			if lacks := j.lacks("file://" + at); lacks != "" {
				once("file://"+at, "%s to file://%s: %s", h.flag, at, lacks)
			}
		}
		dir, known := directory(h.Path)
		if v := j.under(dir); known && (v == nil || v.readOnly) && (path.IsAbs(dir) || !slices.ContainsFunc(j.mounted, func(v volume) bool { return !v.readOnly })) {
			once(dir, "%s at %s: the root file system is read-only: give --volume emptydir:/DIR, and a path below it", h.flag, h.Path)
		}
	}
}

// directory gives the directory of a path as far as no template makes it.
func directory(at string) (dir string, known bool) {
	text, _, templated := strings.Cut(at, "<<")
	if at == "" || text == "" && templated {
		return "", false
	}
	return path.Clean(text[:strings.LastIndexByte(text, '/')+1]), true
}
