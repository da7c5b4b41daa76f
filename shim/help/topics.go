package help

import (
	"fmt"
	"strings"

	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/identity"
	"nth/templates"
)

// topic is one page.
type topic struct {
	name  string
	text  string
	write func(*strings.Builder) // nil: the text is all of it
}

var topics = [...]topic{
	{name: "items", text: items}, {name: "data", text: data}, {name: "templates", write: writeTemplates}, {name: "markers", text: markers}, {name: "stores", text: stores},
	{name: "queues", text: queues}, {name: "signals", text: signals}, {name: "exit-codes", write: writeCodes}, {name: "platforms", write: writePlatforms},
}

func topicNames() string { return strings.Join(Topics(), ", ") }

// Topics gives the names of all pages that are no command's.
func Topics() []string {
	var names []string
	for _, t := range topics {
		names = append(names, t.name)
	}
	return names
}

// plain gives a text of the reference without its marks.
func plain(s string) string { return strings.ReplaceAll(s, "`", "") }

func writeCodes(b *strings.Builder) {
	b.WriteString("The command's own exit code passes through; 128+n: signal n ended it. nth's own,\n" +
		"and what nth manifest lets Kubernetes do about them:\n\n")
	for _, m := range failure.Meanings {
		policy := ""
		if strings.HasPrefix(m.Policy, "Fail") {
			policy = " [" + m.Policy + "]"
		}
		fmt.Fprintf(b, "  %-5d%s\n", m.Code, flags.Wrap(plain(m.When)+policy, 7))
	}
	b.WriteString("\n--reserve-exit-codes: a command that ends with one of these leaves nth as 1.\n" +
		"Exit 1 of nth itself: nth local, an index has failed; nth status, something has\n" +
		"failed or isn't done; nth plan, it found a mistake; nth reset and nth mark, an\n" +
		"index was refused; nth manifest, there is nothing to repair; nth help flags, no\n" +
		"flag has the word.\n")
}

func writePlatforms(b *strings.Builder) {
	b.WriteString("Where the index comes from, unless --index or --index-env says it; --platform\n" +
		"forces one:\n\n")
	for _, p := range identity.Platforms {
		fmt.Fprintf(b, "  %-14s%-31s%s\n", p.Name, p.Told(), p.Numbers())
	}
	b.WriteString("\n.Index is from 0 where the platform numbers the indexes itself, else the user's\n" +
		"own number, which --index-offset shifts. The command sees it everywhere as\n" +
		"JOB_COMPLETION_INDEX.\n")
}

func writeTemplates(b *strings.Builder) {
	b.WriteString(`Go's text/template with << and >>, in each word of the command, in --env and in
each URL of a flag. A word stays one word. In a URL a value is escaped: it is no
host, no parameter and no way out of the path. Quote templates: to a shell, <<
begins a here-document. nth plan shows what each index would run.

`)
	for _, f := range templates.FieldDocs {
		fmt.Fprintf(b, "  %-14s%s\n", f.Name, flags.Wrap(plain(f.Doc), 16))
	}
	b.WriteByte('\n')
	for _, f := range templates.Functions {
		fmt.Fprintf(b, "  %-26s%s\n", f.Usage, flags.Wrap(plain(f.Doc)+": "+f.Example, 28))
	}
}
