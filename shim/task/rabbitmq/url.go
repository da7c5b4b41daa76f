package rabbitmq

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"nth/shim/store/contract"
)

// settings are what a URL says.
type settings struct {
	address               string // host:port
	secure                bool
	user, password, vhost string
	queue, dead           string
	settle                time.Duration // negative: by the lease
}

func parameters() map[string]func(*settings, string) error {
	return map[string]func(*settings, string) error{
		"queue": func(s *settings, v string) error { s.queue = v; return name(v) },
		"dead":  func(s *settings, v string) error { s.dead = v; return name(v) },
		"settle": func(s *settings, v string) error {
			var err error
			if s.settle, err = time.ParseDuration(v); err != nil || s.settle < 0 {
				return errors.New("it is a time such as 3m")
			}
			return nil
		},
	}
}

// longestName is that of AMQP's short strings.
const longestName = 255

func name(text string) error {
	if text == "" || len(text) > longestName {
		return errors.New("a queue's name has 1 to 255 bytes")
	}
	return nil
}

// parse reads a URL. No error repeats any part of it.
func parse(u *url.URL) (settings, error) {
	s := settings{secure: u.Scheme == "amqps", user: "guest", password: "guest", settle: -1}
	port := "5672"
	if s.secure {
		port = "5671"
	}
	s.address = net.JoinHostPort(cmp.Or(u.Hostname(), "127.0.0.1"), cmp.Or(u.Port(), port))
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
	}
	s.vhost = cmp.Or(strings.TrimPrefix(u.Path, "/"), "/")
	err := contract.Parameters(u, &s, parameters(), "queue", "dead", "settle")
	switch {
	case err != nil:
	case len(s.vhost) > longestName:
		err = errors.New("the virtual host's name is longer than 255 bytes")
	case strings.Contains(s.user+s.password, "\x00"):
		err = errors.New("the user or the password has a NUL")
	case s.queue == "":
		err = errors.New("the URL names no queue: add ?queue=NAME")
	case s.dead == s.queue:
		err = errors.New("dead= is the queue itself")
	}
	return s, err
}

// Name names the queue, on whichever server it is.
func Name(u *url.URL) string {
	s, _ := parse(u)
	return s.vhost + "?queue=" + s.queue
}
