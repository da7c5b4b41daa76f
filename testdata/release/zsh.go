package main

import (
	"fmt"
	"strings"

	"nth/shim/flags"
)

// zsh gives the function by which zsh completes nth's words.
func zsh(all []command, version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#compdef nth\n# Completion of nth's words for zsh, of nth %s: made from its own tables.\n\n", version)
	b.WriteString(`# A path stands behind the last = of a value.
(( $+functions[_nth_behind] )) || _nth_behind() { compset -P '*='; _files }

_nth() {
  local command=run
  if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then
    local -a commands
    commands=(
`)
	for _, c := range all {
		fmt.Fprintf(&b, "      %s\n", quoted(c.Word()+":"+c.Line))
	}
	fmt.Fprintf(&b, `    )
    _describe -t commands 'command of nth' commands
    return
  fi
  case $words[2] in
    (%s) command=$words[2]; shift words; (( CURRENT-- )) ;;
  esac
  case $command in
`, strings.Join(commandNames(all, whole), "|"))
	for _, c := range all {
		fmt.Fprintf(&b, "    (%s) _arguments -S -A '-*'", c.Word())
		for _, f := range c.flags {
			b.WriteString(" \\\n      " + quoted(zshFlag(f)))
		}
		switch c.rest {
		case words:
			b.WriteString(" \\\n      '(-)1:command:_command_names -e' '*::arguments:_normal'")
		case file:
			b.WriteString(" \\\n      '1:destination:_files'")
		case topics:
			b.WriteString(" \\\n      " + quoted("1:topic:("+strings.Join(pages(all), " ")+")"))
		}
		b.WriteString(" ;;\n")
	}
	b.WriteString("  esac\n}\n\nif [[ $funcstack[1] == _nth ]]; then _nth \"$@\"; else compdef _nth nth; fi\n")
	return b.String()
}

var inBrackets = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`)

// zshFlag is a flag as _arguments wants it: --name=[text]:value:what completes it.
func zshFlag(f flags.Detail) string {
	s := f.Name
	if f.Repeat {
		s = "*" + s
	}
	if takesNext(f) {
		s += "="
	} else if f.Alone {
		s += "=-" // in the same word, or none
	}
	s += "[" + inBrackets.Replace(brief(f)) + "]"
	switch {
	case f.Alone:
		s += "::"
	case f.Value != "":
		s += ":"
	default:
		return s
	}
	s += inBrackets.Replace(f.Value) + ":"
	switch {
	case len(f.Enum) > 0:
		s += "(" + strings.Join(f.Enum, " ") + ")"
	case strings.HasSuffix(f.Value, "=PATH"):
		s += "_nth_behind"
	case isFile(f):
		s += "_files"
	default:
		s += " "
	}
	return s
}
