package help

import (
	"fmt"
	"strings"
)

// most are the flags that most people need, each in a few words.
var most = [...]struct{ flag, text string }{
	{"--completions N", "how many indexes"}, {"--markers URL", "record what is done"},
	{"--env NAME=TEXT", "set a variable"}, {"--logs URL", "keep all output"},
	{"--require URL", "what must be there"}, {"--timeout D", "stop after this long"},
	{"--items N --each", "many items an index"}, {"--jobs N", "items at the same time"},
	{"--tasks URL", "rows, objects, a queue"}, {"--stop-grace D", "SIGTERM to SIGKILL"},
}

// first writes the first screen, of at most 24 lines.
func first(b *strings.Builder, all []Command) {
	b.WriteString(`nth turns any container image into a safe worker of an indexed batch job.
Try it twice: what is done isn't run again. Quote templates, << is the shell's.
  nth local --completions 3 --markers file:///tmp/m -- echo 'item <<.Index>>'

`)
	for _, c := range all {
		if c.Word() != "help" {
			fmt.Fprintf(b, "  %-10s%s\n", c.Word(), c.Line)
		}
	}
	b.WriteByte('\n')
	for i, f := range most {
		if i%2 == 0 {
			fmt.Fprintf(b, "  %-17s%-24s", f.flag, f.text)
		} else {
			fmt.Fprintf(b, "%-15s%s\n", f.flag, f.text)
		}
	}
	fmt.Fprintf(b, "\nMore: nth COMMAND --help, nth help flags [WORD], or nth help with a topic:\n%s\n", topicNames())
}
