package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// processTimeout is the SDK for Go's.
const processTimeout = time.Minute

// process runs a credential_process (AWS SDKs and Tools, "Process credential
// provider"), without a shell, which an image may not have. Once the command runs,
// the last credentials must do.
func (i *Identity) process(ctx context.Context, line string) (aws.Credentials, error) {
	if i.running.Load() {
		if last := i.last.Load(); last != nil {
			c := *last
			c.Expires = time.Time{} // whether they have ended is the service's to say
			return c, nil
		}
		return aws.Credentials{}, denied(errors.New("credential_process can't be run beside the command"), "take credentials that outlive the command")
	}
	words, err := split(line)
	if err != nil {
		return aws.Credentials{}, denied(fmt.Errorf("the profile's credential_process: %w", err), "")
	}
	ctx, cancel := context.WithTimeout(ctx, processTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = time.Second // for a child of its own that holds its stdout
	out, err := cmd.Output()
	if err != nil {
		return aws.Credentials{}, denied(fmt.Errorf("run the profile's credential_process %s: %w", words[0], err), "")
	}
	var d document
	if json.Unmarshal(bytes.TrimSpace(out), &d) != nil || d.Version != 1 || !d.credentials().HasKeys() {
		return aws.Credentials{}, denied(fmt.Errorf("the profile's credential_process %s printed no credentials", words[0]), "it prints JSON of version 1")
	}
	c := d.credentials()
	i.last.Store(&c)
	return c, nil
}

// split gives a command line's words: quotes keep spaces, a backslash the character
// after it.
func split(line string) (words []string, err error) {
	var word strings.Builder
	var quote rune
	inside, escaped := false, false
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, inside = true, true
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteRune(c)
			}
		case c == '"' || c == '\'':
			quote, inside = c, true
		case c == ' ' || c == '\t':
			if inside {
				words = append(words, word.String())
				word.Reset()
				inside = false
			}
		default:
			word.WriteRune(c)
			inside = true
		}
	}
	if inside {
		words = append(words, word.String())
	}
	switch {
	case quote != 0 || escaped:
		return nil, errors.New("a quote is not closed")
	case len(words) == 0 || words[0] == "":
		return nil, errors.New("it has no program")
	}
	return words, nil
}
