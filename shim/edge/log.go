package edge

import (
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"

	"nth/shim/screen"
	"nth/shim/secrets"
)

// NewLogger logs to a writer, one line a step, without secrets: JSON, or for people on a
// terminal.
func NewLogger(format, level string, to io.Writer, hidden *secrets.Set) zerolog.Logger {
	file, isFile := to.(*os.File)
	terminal := isFile && isatty.IsTerminal(file.Fd())
	w := to
	switch {
	case format == "none":
		return zerolog.Nop()
	case format == "console", format == "auto" && terminal:
		w = zerolog.ConsoleWriter{Out: to, TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != "" || !terminal,
			FormatPrepare: clean}
	}
	l, err := zerolog.ParseLevel(level)
	if err != nil {
		l = zerolog.InfoLevel
	}
	return zerolog.New(hidden.Writer(w)).Level(l).With().Timestamp().Logger()
}

func init() { zerolog.TimeFieldFormat = time.RFC3339Nano }

// clean makes a line of the log safe to print: what it tells may have been written by a
// server, or by whoever wrote a marker.
func clean(line map[string]any) error {
	for name, value := range line {
		if text, ok := value.(string); ok {
			line[name] = screen.Line(text)
		}
	}
	return nil
}
