package logs

import (
	"slices"

	"nth/templates"
)

// filter takes secrets out of a stream, wherever its pieces are cut. What may be the
// beginning of one is held back until more has come.
type filter struct {
	forms  []string  // of the secrets
	first  [256]bool // the bytes with which they begin
	held   []byte
	hidden int // how much of the beginning of held is part of a secret that is masked already
}

func newFilter(secrets []string) *filter {
	f := &filter{}
	for _, form := range templates.Forms(secrets) {
		if form != "" && !slices.Contains(f.forms, form) {
			f.forms = append(f.forms, form)
			f.first[form[0]] = true
		}
	}
	return f
}

// pass gives out what is certain of the stream so far.
func (f *filter) pass(p []byte, out func([]byte)) {
	switch {
	case len(f.forms) == 0:
		out(p)
	case len(f.held) == 0:
		f.scan(p, false, out)
	default:
		f.scan(append(f.held, p...), false, out)
	}
}

// end gives out what was held back: no more of it comes.
func (f *filter) end(out func([]byte)) {
	if len(f.held) > 0 {
		f.scan(f.held, true, out)
	}
}

// scan gives out p with a mask in the place of each secret, and of secrets that
// overlap one for all; what it can't tell of yet, it holds.
func (f *filter) scan(p []byte, last bool, out func([]byte)) {
	hidden := f.hidden // p up to here is out
	f.held, f.hidden = nil, 0
	from := hidden
	for i := range p {
		if !f.first[p[i]] {
			continue
		}
		n, open := f.match(p[i:])
		if open && !last {
			f.held, f.hidden = slices.Clone(p[i:]), max(hidden-i, 0)
			p = p[:max(i, from)]
			break
		}
		if n == 0 {
			continue
		}
		if i >= hidden {
			give(p[from:i], out)
			out([]byte(templates.Mask))
		}
		hidden = max(hidden, i+n)
		from = hidden
	}
	give(p[from:], out)
}

func give(p []byte, out func([]byte)) {
	if len(p) > 0 {
		out(p)
	}
}

// match tells how much of p's beginning is a secret, and whether more of p could make
// it one, or a longer one.
func (f *filter) match(p []byte) (n int, open bool) {
	for _, form := range f.forms {
		switch {
		case len(form) <= len(p):
			if len(form) > n && string(p[:len(form)]) == form {
				n = len(form)
			}
		case form[:len(p)] == string(p):
			open = true
		}
	}
	return n, open
}
