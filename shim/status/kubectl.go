package status

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// ReadJob reads what `kubectl get job,pods -o json` printed, from a file or, for -,
// from stdin: one document or several, one after the other. With several Jobs the name
// chooses. An error is a failure: exit code 64.
func ReadJob(path string, stdin io.Reader, name string) (*Job, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, usage("--kubernetes", err, "kubectl get job,pods -o json > FILE")
		}
		defer f.Close()
		in = f
	}
	j, err := parseJob(in, name)
	if err != nil {
		return nil, usage("--kubernetes "+path, err, "it is the output of kubectl get job,pods -o json, which --job NAME chooses one Job of")
	}
	return j, nil
}

func parseJob(in io.Reader, name string) (*Job, error) {
	var jobs []*object
	var pods []*Pod
	err := objects(in, func(o *object) {
		switch o.kind() {
		case "Job":
			if name == "" || o.Metadata.Name == name {
				jobs = slices.DeleteFunc(jobs, func(was *object) bool { return was.same(o) }) // printed again
				jobs = append(jobs, o)
			}
		case "Pod":
			if p, ok := podOf(o); ok {
				pods = append(pods, p)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	switch {
	case len(jobs) == 0 && name != "":
		return nil, fmt.Errorf("there is no Job %q in it", name)
	case len(jobs) == 0:
		return nil, errors.New("there is no Job in it")
	case len(jobs) > 1:
		return nil, fmt.Errorf("there are %d Jobs in it, such as %q and %q", len(jobs), jobs[0].Metadata.Name, jobs[1].Metadata.Name)
	}
	return newJob(jobs[0], pods)
}

// objects reads documents one by one, and of a list one object after the other, for that
// of 100,000 pods is half a gigabyte.
func objects(in io.Reader, each func(*object)) error {
	text := utf8Of(in)
	if err := looksLikeJSON(text); err != nil {
		return err
	}
	d := json.NewDecoder(text)
	for n := 0; ; n++ {
		t, err := d.Token()
		switch {
		case err == io.EOF && n > 0: // itself: an end within a document is another error
			return nil
		case err != nil:
			return err
		case t != json.Delim('{'):
			return errors.New("it is no JSON object")
		}
		if err := oneDocument(d, each); err != nil {
			return err
		}
	}
}

// looksLikeJSON tells by name what people hand over instead.
func looksLikeJSON(text *bufio.Reader) error {
	head, _ := text.Peek(512)
	head = bytes.TrimLeftFunc(head, unicode.IsSpace)
	if len(head) == 0 || head[0] == '{' || head[0] == '[' {
		return nil // the decoder tells the rest
	}
	what := "YAML"
	if bytes.HasPrefix(head, []byte("NAME ")) || bytes.HasPrefix(head, []byte("NAMESPACE ")) {
		what = "a table"
	}
	return fmt.Errorf("it is %s or another text, and no JSON: invalid character %q at its beginning; kubectl prints JSON with -o json", what, first(head))
}

func first(b []byte) rune {
	r, _ := utf8.DecodeRune(b)
	return r
}

// oneDocument reads it, but for its first brace.
func oneDocument(d *json.Decoder, each func(*object)) error {
	var single object
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var skipped json.RawMessage
		to := map[any]any{"kind": &single.Kind, "metadata": &single.Metadata, "spec": &single.Spec, "status": &single.Status}[key]
		switch {
		case key == "items":
			err = elements(d, each)
		case to != nil:
			err = d.Decode(to)
		default:
			err = d.Decode(&skipped)
		}
		if err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	each(&single)
	return nil
}

func elements(d *json.Decoder, each func(*object)) error {
	t, err := d.Token()
	if err != nil || t == nil { // null
		return err
	}
	if t != json.Delim('[') {
		return errors.New("items is no list")
	}
	for d.More() {
		var o object
		if err := d.Decode(&o); err != nil {
			return err
		}
		each(&o)
	}
	_, err = d.Token()
	return err
}

// utf8Of gives a text as UTF-8 without a byte order mark: Windows' shells write UTF-16
// and UTF-8 with one. Without a mark, UTF-16 is known by the zero beside the first brace.
func utf8Of(in io.Reader) *bufio.Reader {
	b := bufio.NewReaderSize(in, 64<<10)
	head, _ := b.Peek(3)
	for _, e := range []struct {
		begins string
		skip   int
		high   int // which byte of two is the higher; -1: it is UTF-8
	}{{"\xef\xbb\xbf", 3, -1}, {"\xff\xfe", 2, 1}, {"\xfe\xff", 2, 0}, {"{\x00", 0, 1}, {"\x00{", 0, 0}} {
		if !bytes.HasPrefix(head, []byte(e.begins)) {
			continue
		}
		_, _ = b.Discard(e.skip) // was peeked
		if e.high < 0 {
			return b
		}
		return bufio.NewReaderSize(&utf16Reader{in: b, high: e.high}, 64<<10)
	}
	return b
}

// utf16Reader gives UTF-16 as UTF-8. What is no UTF-16 becomes U+FFFD.
type utf16Reader struct {
	in   *bufio.Reader
	high int
	held rune // a first half of two
	out  []byte
}

func (r *utf16Reader) Read(p []byte) (int, error) {
	for len(r.out) < len(p) {
		var unit [2]byte
		if _, err := io.ReadFull(r.in, unit[:]); err != nil {
			if err == io.ErrUnexpectedEOF || r.held != 0 {
				r.out, r.held = utf8.AppendRune(r.out, utf8.RuneError), 0
				err = io.EOF
			}
			if len(r.out) > 0 {
				break
			}
			return 0, err
		}
		r.take(rune(unit[r.high])<<8 | rune(unit[1-r.high]))
	}
	n := copy(p, r.out)
	r.out = r.out[:copy(r.out, r.out[n:])]
	return n, nil
}

func (r *utf16Reader) take(u rune) {
	if r.held != 0 {
		if whole := utf16.DecodeRune(r.held, u); whole != utf8.RuneError {
			r.out, r.held = utf8.AppendRune(r.out, whole), 0
			return
		}
		r.out, r.held = utf8.AppendRune(r.out, utf8.RuneError), 0
	}
	if u >= 0xd800 && u < 0xdc00 {
		r.held = u
		return
	}
	r.out = utf8.AppendRune(r.out, u) // a second half alone becomes U+FFFD
}
