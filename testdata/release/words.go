package main

import (
	"slices"
	"strings"

	"nth/shim/commands"
	"nth/shim/flags"
	"nth/shim/help"
)

// command is a subcommand as a manual and a shell need it.
type command struct {
	help.Command
	flags []flags.Detail
	rest  rest
}

// rest is what may follow the flags.
type rest int

const (
	nothing rest = iota
	words        // a command of the user's
	file
	topics
)

// table gives all subcommands, from the table that the program works by.
func table() (list []command, err error) {
	for _, c := range commands.Table("") {
		own := command{Command: c.Command}
		if own.flags, err = c.Details(c.Flags()); err != nil {
			return nil, err
		}
		switch {
		case strings.Contains(c.Args, "COMMAND [ARG"):
			own.rest = words
		case c.Args == "DEST":
			own.rest = file
		case strings.Contains(c.Args, "TOPIC"):
			own.rest = topics
		}
		own.flags = append(own.flags, helpFlag(own.flags))
		list = append(list, own)
	}
	return list, nil
}

// helpFlag is one that every command has: alone, or with a group of flags.
func helpFlag(all []flags.Detail) flags.Detail {
	groups := []string{"all"}
	for _, f := range all {
		group, _, _ := strings.Cut(strings.ToLower(f.Group), " ")
		if group != "" && !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	return flags.Detail{Row: flags.Row{Help: "Print the help, or that of a group of flags."}, Name: "--help", Enum: groups, Alone: true}
}

// pages gives what nth help has a page for.
func pages(all []command) []string {
	list := append(help.Topics(), "flags")
	for _, c := range all {
		list = append(list, c.Word())
	}
	return list
}

// isFile tells whether a flag's value is a file's name, or has one in it.
func isFile(f flags.Detail) bool {
	return strings.Contains(f.Value, "PATH") || strings.Contains(f.Value, "FILE")
}

// takesNext tells whether the word behind a flag is its value.
func takesNext(f flags.Detail) bool { return f.Value != "" && !f.Alone }

// brief is the first sentence of a flag's text.
func brief(f flags.Detail) string {
	text, _, _ := strings.Cut(strings.TrimSuffix(f.Help, "."), ". ")
	return text
}

// names gives the words of flags.
func names(all []flags.Detail, of func(flags.Detail) bool) (list []string) {
	for _, f := range all {
		if of(f) {
			list = append(list, f.Name)
		}
	}
	return list
}

// commandNames gives the subcommands' words.
func commandNames(all []command, of func(command) bool) (list []string) {
	for _, c := range all {
		if of(c) {
			list = append(list, c.Word())
		}
	}
	return list
}

// whole is for a list of all.
func whole(command) bool { return true }

// quoted is a word for a shell, in quotes.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
