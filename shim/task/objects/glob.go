package objects

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// meta are the characters that make a glob of a URL's path. A literal one is written as any
// character of a URL is that would mean something else: %2A, %5B, %7B. (A ? begins the
// URL's parameters, so that there is none for a single character.)
const meta = "*[{"

// maxAlternatives bounds what braces may be expanded to.
const maxAlternatives = 1000

// glob is what keys are compared with, by their parts between slashes.
type glob struct{ automaton }

// parseGlob reads a glob: * is any text within a part, ** as a whole part any parts or none,
// [a-z] one of these characters, [!a-z] one that is none of them, {a,b} one of these
// texts. In a URL's path %2A is a star itself; elsewhere ? is any one character.
func parseGlob(text string, ofURL bool) (glob, error) {
	p := &globParser{rest: text, url: ofURL}
	p.parts()
	return glob{p.out}, p.err
}

// parseExclude reads a glob of keys below a directory. One that no such key can match was
// meant otherwise: to leave out what it names.
func parseExclude(text string) (glob, error) {
	switch {
	case strings.Contains(text, "://"):
		return glob{}, errors.New("it is a URL")
	case strings.HasPrefix(text, "/"):
		return glob{}, fmt.Errorf("%q begins with a slash, and nothing below the place of --tasks does", text)
	case strings.HasPrefix(text, "./"), strings.HasPrefix(text, "../"), strings.Contains(text, "/./"), strings.Contains(text, "/../"):
		return glob{}, fmt.Errorf("%q has a part that is . or .., and no name is", text)
	case strings.HasSuffix(text, "/"):
		return glob{}, fmt.Errorf("%q ends in a slash, and no object does; all below it is %s**", text, text)
	}
	return parseGlob(text, false)
}

type globParser struct {
	rest string
	url  bool
	made int // alternatives
	out  automaton
	err  error
}

func (p *globParser) fail(says string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(says, args...)
	}
	p.rest = ""
}

// parts reads part by part, for a part that is ** takes the slash behind it along.
func (p *globParser) parts() {
	for begin := true; p.rest != ""; {
		if begin && (p.rest == "**" || strings.HasPrefix(p.rest, "**/")) {
			if p.rest = p.rest[2:]; p.rest == "" {
				p.out.repeat(true)
				return
			}
			p.rest = p.rest[1:]
			p.out.parts()
			continue
		}
		begin = p.rest[0] == '/'
		p.one()
	}
}

// one reads one character, or what stands for some.
func (p *globParser) one() {
	c := p.rest[0]
	switch {
	case strings.HasPrefix(p.rest, "**"):
		p.fail("** is a whole part of the path, between slashes")
	case c == '*':
		p.out.repeat(true, '/', '/')
		p.rest = p.rest[1:]
	case c == '?' && !p.url:
		p.out.put(true, '/', '/')
		p.rest = p.rest[1:]
	case c == '[':
		p.class()
	case c == '{':
		p.braces()
	default:
		text := p.literal()
		if !utf8.ValidString(text) {
			p.fail("the glob is no UTF-8")
		}
		for _, r := range text {
			p.out.put(false, r, r)
		}
	}
}

// literal takes one character as it is meant. In a URL it may be several codes.
func (p *globParser) literal() string {
	text := ""
	for p.rest != "" && !utf8.FullRuneInString(text) {
		size, piece := 1, p.rest[:1]
		if p.url && piece == "%" {
			size = min(3, len(p.rest))
			var err error
			if piece, err = url.PathUnescape(p.rest[:size]); err != nil {
				p.fail("%q is no code for a character", p.rest[:size])
				return ""
			}
		}
		text, p.rest = text+piece, p.rest[size:]
	}
	return text
}

// class reads [a-z], of which a slash is never one.
func (p *globParser) class() {
	p.rest = p.rest[1:]
	not := strings.HasPrefix(p.rest, "!") || strings.HasPrefix(p.rest, "^")
	if not {
		p.rest = p.rest[1:]
	}
	var set []rune
	for first := true; ; first = false {
		if p.rest == "" || p.rest[0] == '/' {
			p.fail("a [ is never closed; a literal one is written %s", p.code('['))
			return
		}
		if p.rest[0] == ']' && !first {
			p.rest = p.rest[1:]
			break
		}
		from := p.literal()
		to := from
		if len(p.rest) > 1 && p.rest[0] == '-' && p.rest[1] != ']' && p.rest[1] != '/' {
			p.rest = p.rest[1:]
			to = p.literal()
		}
		if p.err != nil {
			return
		}
		if a, b := []rune(from), []rune(to); len(a) != 1 || len(b) != 1 || a[0] > b[0] {
			p.fail("%s-%s is no range of characters", from, to)
			return
		}
		set = append(set, []rune(from)[0], []rune(to)[0])
	}
	if not {
		p.out.put(true, append(set, '/', '/')...)
		return
	}
	if set = apart(set); len(set) == 0 {
		p.fail("a slash stands between [ and ]")
	}
	p.out.put(false, set...)
}

// apart gives the ranges without the slash, which ends a part.
func apart(set []rune) (rest []rune) {
	for i := 0; i < len(set); i += 2 {
		for _, r := range [][2]rune{{set[i], min(set[i+1], '/'-1)}, {max(set[i], '/'+1), set[i+1]}} {
			if r[0] <= r[1] {
				rest = append(rest, r[0], r[1])
			}
		}
	}
	return rest
}

// code is how a literal one of these characters is written.
func (p *globParser) code(c byte) string {
	if p.url {
		return fmt.Sprintf("%%%X", c)
	}
	return "[" + string(c) + "]"
}

// braces reads {a,b}, which may hold all else but slashes.
func (p *globParser) braces() {
	p.rest = p.rest[1:]
	fork, ends := p.out.end(), []int(nil)
	p.out.branch()
	for {
		switch {
		case p.rest == "" || p.rest[0] == '/':
			p.fail("a { is never closed; a literal one is written %s", p.code('{'))
			return
		case p.rest[0] == '}':
			p.rest = p.rest[1:]
			for _, end := range ends {
				p.out[end].next = p.out.end()
			}
			return
		case p.rest[0] == ',':
			if p.made++; p.made > maxAlternatives {
				p.fail("it has more than %d alternatives", maxAlternatives)
				return
			}
			p.rest = p.rest[1:]
			ends = append(ends, p.out.end())
			p.out.branch()
			p.out[fork].other = p.out.end()
			fork = p.out.end()
			p.out.branch()
		default:
			p.one()
		}
	}
}
