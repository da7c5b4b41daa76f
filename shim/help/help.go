// Package help is what a person sees first: one screen, and a page for each topic, made
// from the tables that the program works by.
package help

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"nth/shim/failure"
	"nth/shim/flags"
)

// Spec is what `nth help --help` says.
var Spec = flags.Spec{
	Name: "nth help", Args: "[TOPIC | COMMAND | flags [WORD]]",
	Line:    "the flags that have a word, or a topic",
	About:   "Print the first screen, a topic, a command's help, or the flags whose name or text has WORD.",
	Example: "nth help flags timeout",
}

// Command is a subcommand as it is shown.
type Command struct {
	flags.Spec
	Flags func() any // gives a pointer to the struct of its flags
}

// Word is the command's first word.
func (c Command) Word() string { return strings.TrimPrefix(c.Name, "nth ") }

// Topic writes the page that the words of `nth help` name; without any the first screen.
// An error is a failure: exit code 64 for a topic that isn't there, 1 for a word that no
// flag has.
func Topic(to io.Writer, words []string, all []Command) error {
	var b strings.Builder
	err := page(&b, words, all)
	if err != nil && !errors.Is(err, flags.ErrHelp) {
		return err
	}
	if _, err := io.WriteString(to, strings.TrimLeft(b.String(), "\n")); err != nil {
		return &failure.Failure{Code: failure.Unavailable, Tried: "print the help", Cause: err}
	}
	return nil
}

// others are names by which a page may be looked for that is called otherwise; "" is the
// first screen.
func others() map[string]string {
	return map[string]string{
		"tasks": "queues", "rows": "items", "exitcodes": "exit-codes", "exit": "exit-codes", "codes": "exit-codes",
		"inputs": "data", "outputs": "data", "streams": "data", "checkpoints": "data", "kubernetes": "manifest", "k8s": "manifest", "topics": "",
	}
}

func page(b *strings.Builder, words []string, all []Command) error {
	if len(words) == 0 {
		first(b, all)
		return nil
	}
	if words[0] == "flags" && len(words) <= 2 {
		return list(b, strings.Join(words[1:], ""), all)
	}
	if len(words) == 1 {
		word := words[0]
		if other, ok := others()[strings.ToLower(word)]; ok {
			word = other
		}
		if word == "" {
			first(b, all)
			return nil
		}
		for _, t := range topics {
			if t.name == word {
				if b.WriteString(t.text); t.write != nil {
					t.write(b)
				}
				return nil
			}
		}
		for _, c := range all {
			if c.Word() == word {
				return c.Help(b, c.Flags(), "")
			}
		}
	}
	return &failure.Failure{Code: failure.Usage, Tried: "find", On: fmt.Sprintf("the topic %q", strings.Join(words, " ")), Cause: errors.New("there is none"),
		Hint: "the topics are " + topicNames() + ", flags [WORD], and each command"}
}

// list writes the flags that have a word in their names, variables or texts. Those of nth
// run, which other commands have too, stand there once.
func list(b *strings.Builder, word string, all []Command) error {
	shared := map[string]bool{}
	for _, ofRun := range []bool{true, false} {
		for _, c := range all {
			if (c.Word() == "run") != ofRun {
				continue
			}
			rows, err := flags.Reference(c.Flags())
			if err != nil {
				return err
			}
			var found []flags.Row
			for _, r := range rows {
				key, text := r.Flag+r.Help, strings.ToLower(r.Flag+" "+r.Env+" "+r.Help)
				if !shared[key] && strings.Contains(text, strings.ToLower(word)) {
					found = append(found, r)
				}
				shared[key] = shared[key] || ofRun
			}
			flags.List(b, c.Name+": ", found)
		}
	}
	if b.Len() == 0 {
		return &failure.Failure{Code: 1, Tried: "find", On: fmt.Sprintf("%q", word), Cause: errors.New("no flag has it in its name or text")}
	}
	return nil
}
