package shim

import (
	"io"
	"os"
	"time"

	"nth/templates"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
)

// newLogger logs to stderr, one line a step: JSON, or for people on a terminal.
func newLogger(format, level string, stderr *os.File) zerolog.Logger {
	zerolog.TimeFieldFormat = time.RFC3339Nano
	var w io.Writer = stderr
	switch {
	case format == "none":
		return zerolog.Nop()
	case format == "console", format == "auto" && isTerminal(stderr):
		w = zerolog.ConsoleWriter{Out: stderr, TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != "" || !isTerminal(stderr)}
	}
	l, err := zerolog.ParseLevel(level)
	if err != nil {
		l = zerolog.InfoLevel
	}
	return zerolog.New(w).Level(l).With().Timestamp().Logger()
}

// mask hides every secret that a template read: what is shown of an error or of
// the command's own output may repeat it.
func (r *run) mask(s string) string {
	if r.item == nil {
		return s
	}
	return templates.Hide(s, r.item.secrets)
}

func isTerminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }
