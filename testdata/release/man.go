package main

import (
	"fmt"
	"strings"

	"nth/shim/flags"
	"nth/shim/help"
)

// manuals gives the pages by their names: nth.1, one a subcommand, and in section 7 one a
// topic, from the texts of nth help.
func manuals(all []command, r *release) (map[string]string, error) {
	list := map[string]string{}
	shown := make([]help.Command, len(all))
	for i, c := range all {
		shown[i] = c.Command
	}
	topic := func(words ...string) (string, error) {
		var b strings.Builder
		err := help.Topic(&b, words, shown)
		return b.String(), err
	}
	for _, name := range help.Topics() {
		text, err := topic(name)
		if err != nil {
			return nil, err
		}
		p := r.manual("nth-"+name, 7, "what nth help "+name+" prints")
		p.section("DESCRIPTION")
		p.shown(text)
		p.also("nth(1)")
		list["nth-"+name+".7"] = p.String()
	}
	var others []string
	for _, c := range all {
		p := r.manual("nth-"+c.Word(), 1, c.Line)
		p.of(c)
		p.also("nth(1)")
		list["nth-"+c.Word()+".1"] = p.String()
		others = append(others, "nth-"+c.Word()+"(1)")
	}
	first, err := topic()
	if err != nil {
		return nil, err
	}
	codes, err := topic("exit-codes")
	if err != nil {
		return nil, err
	}
	p := r.manual("nth", 1, "run one index of a batch job once, from any container image")
	p.section("SYNOPSIS")
	p.text(`\fBnth\fR ` + roff("COMMAND [flags] [--] [ARG...]"))
	p.section("DESCRIPTION")
	p.shown(first)
	p.section("EXIT STATUS")
	p.shown(codes)
	for _, name := range help.Topics() {
		others = append(others, "nth-"+name+"(7)")
	}
	p.also(others...)
	list["nth.1"] = p.String()
	return list, nil
}

// page is a manual in the language of man(7).
type page struct{ strings.Builder }

func (r *release) manual(name string, section int, line string) *page {
	p := &page{}
	fmt.Fprintf(p, ".TH %s %d %s \"nth %s\" \"nth manual\"\n", roff(strings.ToUpper(name)), section, r.at.Format("2006-01-02"), roff(r.version))
	p.section("NAME")
	p.text(roff(name) + ` \- ` + roff(line))
	return p
}

func (p *page) section(title string) { fmt.Fprintf(p, ".SH %s\n", title) }

// text writes what is filled: a line of the source has no meaning.
func (p *page) text(s string) {
	for line := range strings.Lines(flags.Wrap(s, 0)) {
		p.WriteString(guarded(line))
	}
	p.WriteByte('\n')
}

// shown writes lines as they are.
func (p *page) shown(s string) {
	p.WriteString(".EX\n")
	for line := range strings.Lines(strings.TrimRight(s, "\n") + "\n") {
		p.WriteString(guarded(roff(line)))
	}
	p.WriteString(".EE\n")
}

// guarded keeps a line of text from being a request.
func guarded(line string) string {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		return `\&` + line
	}
	return line
}

func (p *page) also(names ...string) {
	p.section("SEE ALSO")
	for i, name := range names {
		names[i] = `\fB` + strings.Replace(roff(name), "(", `\fR(`, 1)
	}
	p.text(strings.Join(names, ", "))
}

// of writes what a command's help says.
func (p *page) of(c command) {
	p.section("SYNOPSIS")
	synopsis := `\fB` + roff(c.Name) + `\fR`
	if len(c.flags) > 1 {
		synopsis += ` [\fIflags\fR]`
	}
	p.text(strings.TrimSpace(synopsis + " " + roff(c.Args)))
	p.section("DESCRIPTION")
	p.text(roff(c.About))
	p.section("OPTIONS")
	last := ""
	for _, f := range c.flags {
		if f.Group != "" && f.Group != last {
			fmt.Fprintf(p, ".SS %s\n", roff(f.Group))
			last = f.Group
		}
		p.flag(f)
	}
	p.section("EXAMPLE")
	p.shown(c.Example)
}

func (p *page) flag(f flags.Detail) {
	p.WriteString(".TP\n\\fB" + roff(f.Name) + `\fR`)
	switch {
	case len(f.Enum) > 0 && f.Alone:
		p.WriteString(`[=\fI` + roff(strings.Join(f.Enum, "|")) + `\fR]`)
	case f.Alone:
		p.WriteString(`\fI` + roff(f.Value) + `\fR`)
	case f.Value != "":
		p.WriteString(` \fI` + roff(f.Value) + `\fR`)
	}
	p.WriteByte('\n')
	text := f.Help
	if f.Default != "" {
		text += " Default: " + f.Default + "."
	}
	if f.Env != "" {
		text += " [" + f.Env + "]"
	}
	p.text(roff(text))
}

// roff writes a text so that every sign is itself: a dash may be copied into a shell.
func roff(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '~', r == '^', r == '`', r == '\'':
			b.WriteString(map[rune]string{'~': `\(ti`, '^': `\(ha`, '`': `\(ga`, '\'': `\(aq`}[r])
		case r > 126:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
