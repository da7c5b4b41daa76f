package config

import (
	"errors"
	"strings"
	"time"

	"nth/shim/failure"
)

// Data is what an item reads and writes: nth fetches it before the command, and publishes
// it after its success.
type Data struct {
	Input           []string      `group:"Data" sep:"\n" placeholder:"URL=PATH" help:"Fetch this before the command, else exit 66: an object to a file, or into a directory/; all below a URL with a slash at its end, or that a glob matches. Repeatable."`
	Output          []string      `group:"Data" sep:"\n" placeholder:"PATH=URL" help:"Publish this file once the command has succeeded, or with a slash at both ends a directory; missing, it is exit 73. Needs --markers. Repeatable."`
	Stdin           string        `group:"Data" placeholder:"URL" help:"Give the command this object on stdin, without a disk."`
	Stdout          string        `group:"Data" placeholder:"URL" help:"Publish the command's stdout as this object, as --output does, without a disk."`
	Checkpoint      []string      `group:"Data" sep:"\n" placeholder:"PATH=URL" help:"Keep this file for the next attempt: restored before the command, uploaded while it runs, deleted when the item is done. Needs --markers. Repeatable."`
	CheckpointEvery time.Duration `group:"Data" default:"10m" placeholder:"D" help:"How often a checkpoint is uploaded."`
	KeepFailed      []string      `group:"Data" sep:"\n" placeholder:"URL|PATH=URL" help:"Keep the outputs of attempts that failed below this URL; PATH=URL: this file, or directory/. Repeatable."`
}

// DefaultCheckpointEvery is how often a checkpoint is uploaded where nothing is said.
const DefaultCheckpointEvery = 10 * time.Minute

// Pair is a flag that names a place in a store and a path, taken apart. Both are templates.
type Pair struct{ URL, Path string }

var (
	errNoInput  error = failure.Text("it is not URL=PATH")
	errNoOutput error = failure.Text("it is not PATH=URL")
	errNoKept   error = failure.Text("it is neither URL nor PATH=URL")
)

// ParseInput takes an --input apart at its last =, for the parameters of a URL have some.
func ParseInput(text string) (p Pair, err error) {
	at := strings.LastIndexByte(Literal(text), '=')
	if at <= 0 || at == len(text)-1 {
		return p, errNoInput
	}
	p = Pair{URL: text[:at], Path: text[at+1:]}
	url := Literal(p.URL)
	last := strings.LastIndexAny(url, "?&")
	switch {
	case strings.Contains(Literal(p.Path), "://"):
		return p, errNoInput // the other way round
	case last >= 0 && last < len(url)-1 && !strings.Contains(url[last:], "="):
		return p, errors.New("what stands behind its last = is the value of a parameter, and no path")
	}
	return p, nil
}

// ParseOutput takes an --output apart at its first =.
func ParseOutput(text string) (p Pair, err error) {
	at := strings.IndexByte(Literal(text), '=')
	if at <= 0 || at == len(text)-1 {
		return p, errNoOutput
	}
	p = Pair{Path: text[:at], URL: text[at+1:]}
	if strings.Contains(Literal(p.Path), "://") {
		return p, errNoOutput
	}
	return p, nil
}

// ParseCheckpoint takes a --checkpoint apart, which is one file.
func ParseCheckpoint(text string) (p Pair, err error) {
	p, err = ParseOutput(text)
	url, _, _ := strings.Cut(Literal(p.URL), "?")
	if err == nil && (strings.HasSuffix(p.Path, "/") || strings.HasSuffix(url, "/")) {
		return Pair{}, errors.New("it is a directory, and a checkpoint is one file")
	}
	return p, err
}

// ParseKept takes a --keep-failed of files apart at its first =. One of the outputs is a URL
// alone, and has no path.
func ParseKept(text string) (p Pair, err error) {
	literal := Literal(text)
	path, url, ok := strings.Cut(literal, "=")
	switch {
	case !ok || strings.Contains(path, "://") || !strings.Contains(url, "://") && !strings.HasPrefix(url, "\x00") && !strings.HasPrefix(url, "/"):
		return Pair{URL: text}, nil
	case path == "":
		return p, errNoKept
	}
	return Pair{Path: text[:len(path)], URL: text[len(path)+1:]}, nil
}

// Kept gives the URLs of --keep-failed that are for the outputs, and the pairs for files.
func (d *Data) Kept() (urls, files []string) {
	for _, text := range d.KeepFailed {
		if p, err := ParseKept(text); err == nil && p.Path == "" {
			urls = append(urls, text)
		} else {
			files = append(files, text)
		}
	}
	return urls, files
}

// Literal gives a template with NULs for its actions: what is found in it is the template's
// own, and stands there where it stands in the template.
func Literal(template string) string {
	b := []byte(template)
	for from := 0; ; {
		open := strings.Index(template[from:], "<<")
		if open < 0 {
			return string(b)
		}
		end := actionEnd(template, from+open+2)
		for i := from + open; i < end; i++ {
			b[i] = 0
		}
		from = end
	}
}

// actionEnd is where an action ends whose text begins at from: behind the next >> that
// stands in no quotes.
func actionEnd(template string, from int) int {
	var quote byte
	for i := from; i < len(template); i++ {
		switch c := template[i]; {
		case quote != 0 && c == '\\' && quote != '`':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '`' || c == '\'':
			quote = c
		case strings.HasPrefix(template[i:], ">>"):
			return i + 2
		}
	}
	return len(template)
}

// dataURLs are the URLs of the section, by their flags. What can't be taken apart is told
// where templates are parsed.
func (t *Told) dataURLs() (list []address) {
	add := func(flag string, texts []string, parse func(string) (Pair, error)) {
		for _, text := range texts {
			if p, err := parse(text); err == nil {
				list = append(list, address{flag, p.URL})
			}
		}
	}
	add("--input", t.Data.Input, ParseInput)
	add("--output", t.Data.Output, ParseOutput)
	add("--checkpoint", t.Data.Checkpoint, ParseCheckpoint)
	add("--keep-failed", t.Data.KeepFailed, ParseKept)
	return append(list, address{"--stdin", t.Data.Stdin}, address{"--stdout", t.Data.Stdout})
}

// aboutData are the flags of the section, and whether each says something.
func aboutData(t *Told) []given {
	return []given{
		{"--output", len(t.Data.Output) > 0}, {"--stdout", t.Data.Stdout != ""}, {"--checkpoint", len(t.Data.Checkpoint) > 0},
		{"--input", len(t.Data.Input) > 0}, {"--stdin", t.Data.Stdin != ""}, {"--keep-failed", len(t.Data.KeepFailed) > 0},
	}
}

// unmarked gives the first flag whose commit is kept with the markers, where there are none.
func unmarked(t *Told) string {
	if t.Markers.URL != "" {
		return ""
	}
	return first(aboutData(t)[:3])
}

// ofShards gives the first flag of the section beside --each.
func ofShards(t *Told) string {
	if !t.Mapping.Each {
		return ""
	}
	return first(aboutData(t))
}

// doneByOutput tells whether --done-if names what the run itself publishes.
func doneByOutput(t *Told) string {
	for _, u := range t.dataURLs() {
		if (u.flag == "--output" || u.flag == "--stdout") && u.text != "" && u.text == t.Markers.DoneIf {
			return u.flag
		}
	}
	return ""
}

// sharedPath names a path at which indexes that run at the same time on one machine would
// have each other's files.
func sharedPath(t *Told) string {
	if t.Said["--parallelism"] == "1" || t.Completions != nil && *t.Completions == 1 {
		return ""
	}
	return t.fixedPath(func(path string) bool { return perRun(path) != "" || strings.Contains(path, ".Task") })
}

// tasksPath names a path at which tasks that run at the same time would.
func tasksPath(t *Told) string {
	if t.Source() != Queue || t.AtOnce() == 1 {
		return ""
	}
	return t.fixedPath(func(path string) bool { return strings.Contains(path, ".Slot") || strings.Contains(path, ".Task") })
}

// fixedPath gives the first flag of the section whose path isn't told apart.
func (t *Told) fixedPath(apart func(path string) bool) string {
	for _, of := range []struct {
		flag  string
		texts []string
		parse func(string) (Pair, error)
	}{{"--input", t.Data.Input, ParseInput}, {"--output", t.Data.Output, ParseOutput}, {"--checkpoint", t.Data.Checkpoint, ParseCheckpoint}, {"--keep-failed", t.Data.KeepFailed, ParseKept}} {
		for _, text := range of.texts {
			if p, err := of.parse(text); err == nil && p.Path != "" && !apart(p.Path) {
				return of.flag
			}
		}
	}
	return ""
}
