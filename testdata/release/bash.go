package main

import (
	"fmt"
	"sort"
	"strings"

	"nth/shim/flags"
)

// bash gives the script by which bash, from 3.2 on, completes nth's words.
func bash(all []command, version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, bashHead, version)
	fmt.Fprintf(&b, bashWords, strings.Join(commandNames(all, whole), "|"), strings.Join(commandNames(all, whole), " "))
	b.WriteString("    local takes others\n    case $command in\n")
	for _, c := range all {
		fmt.Fprintf(&b, "    %s)\n        takes='%s'\n        others='%s' ;;\n", c.Word(), strings.Join(names(c.flags, takesNext), " "),
			strings.Join(names(c.flags, func(f flags.Detail) bool { return !takesNext(f) }), " "))
	}
	b.WriteString("    esac\n" + bashWalk)
	b.WriteString("        case $command in\n")
	fmt.Fprintf(&b, "        %s) _nth_command \"$i\" \"$n\" \"$cur\" \"${at[i]}\" ;;\n", strings.Join(commandNames(all, func(c command) bool { return c.rest == words }), "|"))
	for _, c := range all {
		switch c.rest {
		case file:
			fmt.Fprintf(&b, "        %s) ;; # files, which bash completes where nothing else is offered\n", c.Word())
		case topics:
			fmt.Fprintf(&b, "        %s) if ((i == n)); then _nth_reply '%s' \"$cur\"; else _nth_none; fi ;;\n", c.Word(), strings.Join(pages(all), " "))
		}
	}
	b.WriteString("        *) _nth_none ;;\n        esac\n        return\n    fi\n" + bashFlags)
	b.WriteString("    case \"$command $flag\" in\n")
	for _, v := range values(all) {
		fmt.Fprintf(&b, "    %s)\n        %s ;;\n", strings.Join(v.of, "|"), v.do)
	}
	b.WriteString("    *) _nth_none ;;\n    esac\n}\n\ncomplete -o bashdefault -o default -F _nth nth\n")
	return b.String()
}

// value is what is done for the values of some flags.
type value struct {
	do string
	of []string // such as 'run --on-change'
}

func values(all []command) (list []value) {
	of := map[string][]string{}
	for _, c := range all {
		for _, f := range c.flags {
			do := ""
			switch {
			case len(f.Enum) > 0:
				do = "_nth_reply '" + strings.Join(f.Enum, " ") + `' "$cur" "$flag="`
			case isFile(f):
				do = ":" // files, which bash completes where nothing else is offered
			default:
				continue
			}
			of[do] = append(of[do], "'"+c.Word()+" "+f.Name+"'")
		}
	}
	for do, names := range of {
		list = append(list, value{do, names})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].do < list[j].do })
	return list
}

const bashHead = `# Completion of nth's words for bash, of nth %s: made from its own tables.

# _nth_reply offers those of some words that begin as a word does. Behind a flag's = bash
# counts a new word, unless it was told not to.
_nth_reply() {
    local IFS=$' \t\n' glued=
    [[ -z ${3-} || $COMP_WORDBREAKS == *=* ]] || [[ -z $behind ]] || glued=$3
    COMPREPLY=($(compgen -P "$glued" -W "$1" -- "$2"))
    ((${#COMPREPLY[@]})) || _nth_none
}

# _nth_none offers nothing: files wouldn't be right.
_nth_none() { compopt +o bashdefault +o default 2>/dev/null; }

# _nth_command completes a command of the user's, which begins at a word.
_nth_command() {
    if declare -F _command_offset >/dev/null; then
        _command_offset "$4"
    elif declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$4"
    elif (($1 == $2)); then
        COMPREPLY=($(compgen -c -- "$3"))
    fi
}

`

const bashWords = `_nth() {
    COMPREPLY=()
    # bash has cut words at = and : which are one word of a command.
    local line=${COMP_LINE:0:COMP_POINT} words=() at=() n=-1 i word rest behind=
    for ((i = 0; i <= COMP_CWORD; i++)); do
        rest=${line#"${line%%%%[![:space:]]*}"} word=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || word=$rest
        if ((n < 0)) || [[ $rest != "$line" ]]; then
            n=$((n + 1))
            words[n]=$word at[n]=$i
        else
            words[n]=${words[n]}$word
        fi
        line=${rest#"$word"}
    done
    local cur=${words[n]} command=run flag=
    i=1
    if ((n > 1)); then
        case ${words[1]} in
        %s) command=${words[1]} i=2 ;;
        esac
    elif [[ $cur != -* ]]; then
        _nth_reply '%s' "$cur"
        return
    fi
`

const bashWalk = `    for (( ; i < n; i++)); do
        case ${words[i]} in
        --) flag=-- i=$((i + 1)) && break ;;
        -*=*) ;;
        -?*) if [[ " $takes " == *" ${words[i]} "* ]]; then
            i=$((i + 1))
            ((i < n)) || flag=${words[i - 1]}
        fi ;;
        *) flag=-- && break ;;
        esac
    done
    if [[ $flag == -- || -z $flag && $cur != -* ]]; then
`

const bashFlags = `    if [[ -z $flag && $cur == -*=* ]]; then
        flag=${cur%%=*} cur=${cur#*=} behind=1
    elif [[ -z $flag ]]; then
        _nth_reply "$takes $others" "$cur"
        return
    fi
`
