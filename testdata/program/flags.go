package program

import (
	"strings"
	"testing"

	"nth/shim/config"
	"nth/shim/flags"
)

// TemplateFlags are the flags of `nth run` that are templates, with their placeholders: nth
// says so itself, when one can't be parsed.
func TemplateFlags(t *testing.T) map[string]string {
	t.Helper()
	rows, err := flags.Reference(&config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, r := range rows {
		flag, placeholder, _ := strings.Cut(r.Flag, " ")
		if placeholder == "" {
			continue
		}
		broken := "<<"
		switch {
		case strings.Contains(placeholder, "CALL="):
			broken = "done=<<"
		case strings.Contains(placeholder, "NAME="):
			broken = "NAME=<<"
		case strings.Contains(placeholder, "PATH="), strings.Contains(placeholder, "=PATH"):
			broken = "x=<<"
		}
		_, stderr, code := Nth(t, []string{"NTH_INDEX=0"}, "run", flag+"="+broken, "--", "true")
		if code == 64 && strings.Contains(stderr, "parse "+flag) {
			found[flag] = placeholder
		}
	}
	return found
}

// Beside gives the flags without which one of the templates says nothing: where its commit
// is kept, or what it is about.
func Beside(flag, dir string) []string {
	switch flag {
	case "--output", "--stdout", "--checkpoint":
		return []string{"--markers=file://" + dir + "/markers?create_dir=true"}
	case "--keep-failed":
		return []string{"--markers=file://" + dir + "/markers?create_dir=true", "--stdout=file://" + dir + "/stdout"}
	}
	return nil
}
