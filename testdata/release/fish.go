package main

import (
	"fmt"
	"strings"

	"nth/shim/flags"
)

// fish gives the script by which fish completes nth's words.
func fish(all []command, version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Completion of nth's words for fish, of nth %s: made from its own tables.\n\n", version)
	fmt.Fprintf(&b, fishState, strings.Join(commandNames(all, whole), " "), fishTakes(all))
	for _, c := range all {
		fmt.Fprintf(&b, "complete -c nth -n '__nth_at first' -a %s -d %s\n", c.Word(), fishQuoted(c.Line))
	}
	for _, c := range all {
		fmt.Fprintf(&b, "\n# %s\n", c.Name)
		for _, f := range c.flags {
			b.WriteString(fishFlag(c.Word(), f) + "\n")
		}
		switch c.rest {
		case words:
			fmt.Fprintf(&b, "complete -c nth -n '__nth_at %[1]s/0' -xa '(__fish_complete_command)'\ncomplete -c nth -n '__nth_at %[1]s/1' -F\n", c.Word())
		case file:
			fmt.Fprintf(&b, "complete -c nth -n '__nth_at %s/0' -F\n", c.Word())
		case topics:
			fmt.Fprintf(&b, "complete -c nth -n '__nth_at %s/0' -xa '%s'\n", c.Word(), strings.Join(pages(all), " "))
		}
	}
	return b.String()
}

// fishTakes are the cases of a switch: which flags have a word behind them.
func fishTakes(all []command) string {
	var b strings.Builder
	for _, c := range all {
		if list := names(c.flags, takesNext); len(list) > 0 {
			fmt.Fprintf(&b, "        case %s\n            set takes %s\n", c.Word(), strings.Join(list, " "))
		}
	}
	return b.String()
}

func fishFlag(word string, f flags.Detail) string {
	s := fmt.Sprintf("complete -c nth -n '__nth_at %s' -l %s -d %s", word, strings.TrimPrefix(f.Name, "--"), fishQuoted(brief(f)))
	switch {
	case f.Alone && len(f.Enum) > 0:
		return s + " -a '" + strings.Join(f.Enum, " ") + "'" // fish offers them behind =
	case !takesNext(f):
		return s
	case len(f.Enum) > 0:
		return s + " -xa '" + strings.Join(f.Enum, " ") + "'"
	case isFile(f):
		return s + " -rF"
	}
	return s + " -x"
}

func fishQuoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

// fishState tells where the cursor is: at the first word, at the flags of a command (its
// name), or behind them (its name and how many words are there already, 1 for more).
const fishState = `function __nth_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l command run
    set -l takes
    set -l token (commandline -ct)
    if not set -q words[1]
        if not string match -q -- '-*' "$token"
            test "$argv[1]" = first
            return
        end
    else if contains -- $words[1] %s
        set command $words[1]
        set -e words[1]
    end
    switch $command
%s    end
    set -l behind
    while set -q words[1]
        set -l word $words[1]
        set -e words[1]
        if test "$word" = --
            set behind (count $words)
            break
        else if string match -q -- '-?*' "$word"
            if contains -- "$word" $takes; and set -q words[1]
                set -e words[1]
            end
        else
            set behind (math (count $words) + 1)
            break
        end
    end
    if test -z "$behind"
        if test "$argv[1]" = "$command"
            return 0
        end
        # A flag's value is none of these words.
        string match -q -- '-*' "$token"; and return 1
        set behind 0
    end
    test "$argv[1]" = "$command/"(test "$behind" -gt 0; and echo 1; or echo 0)
end

complete -c nth -f
`
