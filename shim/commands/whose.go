package commands

import (
	"errors"
	"fmt"
	"strings"

	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/identity"
)

// unknown begins what kong says of a flag that a command doesn't have.
const unknown = "unknown flag "

// Whose says of an unknown flag whose it is, where other commands have it.
func Whose(err error, of string) error {
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || f.Cause == nil || !strings.HasPrefix(f.Cause.Error(), unknown) {
		return err
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(f.Cause.Error(), unknown), ",") // kong may offer another one
	owners := owners(name)
	if len(owners) == 0 {
		return err
	}
	said := *f
	said.Cause = errors.New(unknown + name)
	last := len(owners) - 1
	whose := strings.Join(owners[:last], ", ")
	if whose != "" {
		whose += " and "
	}
	said.Hint = fmt.Sprintf("it is a flag of %s; %s --help=all lists this command's", whose+owners[last], of)
	return &said
}

// owners are the commands that have a flag and do what it says.
func owners(flag string) (names []string) {
	for _, c := range Table("") {
		rows, err := flags.Reference(c.Flags())
		for _, r := range rows {
			name, _, _ := strings.Cut(r.Flag, " ")
			if err == nil && name == flag && (c.Refuses == nil || !c.Refuses(name)) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// emptied refuses a flag that was given and says nothing, such as --markers "$M" where M
// isn't set: it was meant to say where, and without it nothing would be recorded.
func emptied(own []string) error {
	for _, word := range own {
		switch word {
		case "--markers=", "--tasks=", "--logs=", "--done-if=", "--success=":
			return &failure.Failure{Code: failure.Usage, Tried: "read", On: strings.TrimSuffix(word, "="), Cause: errors.New("it is empty"),
				Hint: "give a URL, or leave it out; is a variable of the shell not set?"}
		}
	}
	return nil
}

// others are words by which other tools call what a command of nth does.
func others() map[string]string {
	return map[string]string{
		"ls": "status", "list": "status", "info": "status", "show": "status", "stat": "status", "logs": "status", "ps": "status",
		"start": "local", "apply": "manifest", "rm": "reset", "retry": "reset", "man": "help",
	}
}

// Lost is for a person's first word that is no command of nth's. A run would end the same
// way, for there is no index; a person may have meant something else.
func Lost(word string, w edge.World) int {
	_, err := identity.Resolve(identity.Settings{}, w.LookupEnv, w.Hostname)
	f := *failure.From(err)
	f.Hint += "; nth help lists nth's own commands"
	if meant := others()[strings.ToLower(word)]; meant != "" {
		f.Hint = fmt.Sprintf("did you mean \"nth %s\"? ", meant) + f.Hint
	}
	return refuse(&f, w)
}
