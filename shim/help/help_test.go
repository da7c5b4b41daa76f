package help_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"nth/shim/commands"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/help"
)

// shown gives the subcommands as main has them.
func shown() (all []help.Command) {
	for _, c := range commands.Table("") {
		all = append(all, c.Command)
	}
	return all
}

func page(t *testing.T, words ...string) string {
	t.Helper()
	var b strings.Builder
	if err := help.Topic(&b, words, shown()); err != nil {
		t.Fatalf("%v: %v", words, err)
	}
	return b.String()
}

// TestFirst: the first screen fits on a terminal, and what it names is there.
func TestFirst(t *testing.T) {
	screen := page(t)
	if n := strings.Count(screen, "\n"); n > 24 {
		t.Errorf("%d lines", n)
	}
	everything := page(t, "flags")
	for _, flag := range regexp.MustCompile(`--[a-z-]+( [A-Z][A-Z=]*)?`).FindAllString(screen, -1) {
		name, _, _ := strings.Cut(flag, " ")
		if name != "--help" && !regexp.MustCompile(`(?m)^  `+name+`\b`).MatchString(everything) {
			t.Errorf("there is no flag %s", name)
		}
	}
	at := 0
	for _, c := range shown() {
		i := strings.Index(screen, "\n  "+c.Word()+" ")
		if i < at && c.Word() != "help" {
			t.Errorf("%s is missing, or not in its place", c.Word())
		}
		at = i
	}
}

// TestPages: each topic that the first screen names has a page, of lines that fit, which
// names no flag and no subcommand that isn't there.
func TestPages(t *testing.T) {
	topics := regexp.MustCompile(`(?m)^items, .*$`).FindString(page(t))
	everything := page(t, "flags")
	pages := map[string]string{"": page(t), "flags": everything}
	for _, topic := range strings.Split(topics, ", ") {
		pages[topic] = page(t, topic)
	}
	if len(pages) != 11 {
		t.Errorf("the topics are %q", topics)
	}
	for topic, text := range pages {
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s: %d letters: %s", topic, n, line)
			}
		}
		for _, flag := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(text, -1) {
			if flag != "--help" && !strings.Contains(everything, "\n  "+flag) {
				t.Errorf("%s: there is no flag %s", topic, flag)
			}
		}
		for _, group := range regexp.MustCompile(`--help=([a-z]+)`).FindAllStringSubmatch(text, -1) {
			if !strings.Contains(strings.ToLower(everything), "nth run: "+group[1]) {
				t.Errorf("%s: there is no group %s", topic, group[1])
			}
		}
	}
}

// TestFlags: every flag of every command is there, those of nth run once.
func TestFlags(t *testing.T) {
	everything := page(t, "flags")
	for _, c := range shown() {
		rows, err := flags.Reference(c.Flags())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			n := strings.Count(everything, "\n  "+r.Flag)
			if n == 0 || c.Word() == "run" && n > strings.Count(everything, "\nnth ") {
				t.Errorf("%s: %s is there %d times", c.Name, r.Flag, n)
			}
		}
	}
	if n := strings.Count(everything, "\n  --take-sql "); n != 1 {
		t.Errorf("a flag of nth run is there %d times", n)
	}
	for _, word := range []string{"MARKER-TIME", "NTH_MARKER_TIMEOUT", "retry writing the marker"} { // name, variable, text
		found := page(t, "flags", word)
		if !strings.HasPrefix(found, "nth run: Stores\n  --marker-timeout D ") || strings.Count(found, "\n  --") != 1 {
			t.Errorf("%s finds %s", word, found)
		}
	}
}

func TestErrors(t *testing.T) {
	for words, code := range map[string]failure.Code{
		"marker": 64, "markers stores": 64, "flags a b": 64, "status x": 64, "Markers": 64, "flags no-such-word": 1, "flags --markers=": 1,
	} {
		var b strings.Builder
		err := help.Topic(&b, strings.Fields(words), shown())
		if err == nil || failure.From(err).Code != code || b.Len() > 0 {
			t.Errorf("%s: %v, want code %d, and nothing on stdout: %q", words, err, code, b.String())
		}
	}
}

// TestObjects: who looks for what an index can stand for finds objects too.
func TestObjects(t *testing.T) {
	if items := page(t, "items"); !strings.Contains(items, "--tasks s3://bucket/in/ ") || !strings.Contains(items, "--group-by") {
		t.Error(items)
	}
	if screen := page(t); !strings.Contains(screen, "--tasks URL      rows, objects, a queue") {
		t.Error(screen)
	}
}
