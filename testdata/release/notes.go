package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// tagged is a version that is a tag, and not a commit after one.
var (
	tagged = regexp.MustCompile(`^v?\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$`)
	after  = regexp.MustCompile(`-\d+-g[0-9a-f]+(-dirty)?$|-dirty$`)
)

// writeNotes writes what CHANGELOG.md says of the version: of one that is a tag its own
// section, without which there is no release; else what is not released.
func writeNotes(r *release) error {
	body, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return err
	}
	part, err := notes(string(body), r.version)
	if err != nil {
		return err
	}
	return r.write("NOTES.md", []byte(fmt.Sprintf("# nth %s\n\n%s\n", r.version, part)))
}

func notes(changelog, version string) (string, error) {
	section := "Unreleased"
	if tagged.MatchString(version) && !after.MatchString(version) {
		section = strings.TrimPrefix(version, "v")
	}
	_, part, found := strings.Cut(changelog, "\n## ["+section+"]")
	if !found {
		return "", fmt.Errorf("CHANGELOG.md has no section ## [%s]", section)
	}
	_, part, _ = strings.Cut(part, "\n") // behind the date
	part, _, _ = strings.Cut(part, "\n## ")
	if part = strings.TrimSpace(part); part == "" {
		return "", fmt.Errorf("CHANGELOG.md says nothing in its section ## [%s]", section)
	}
	return part, nil
}
