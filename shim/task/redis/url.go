package redis

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"nth/shim/store/contract"
)

// settings are what a URL says.
type settings struct {
	address        string // host:port
	secure         bool
	user, password string
	db             int
	queue, pop     string // pop is the command
}

var parameters = map[string]func(*settings, string) error{
	"queue": func(s *settings, v string) error {
		s.queue = v
		return nil
	},
	"pop": func(s *settings, v string) error {
		command, ok := map[string]string{"left": "LPOP", "right": "RPOP"}[v]
		if !ok {
			return errors.New("it is left or right")
		}
		s.pop = command
		return nil
	},
	"db": func(s *settings, v string) error { // as redis-py and go-redis have it
		return s.database(v)
	},
}

func (s *settings) database(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return errors.New("a database is a number from 0")
	}
	s.db = n
	return nil
}

// parse reads a URL as redis-cli does: what stands alone before the @ is a password.
// No error repeats any part of it.
func parse(u *url.URL, getenv func(string) string) (settings, error) {
	s := settings{secure: u.Scheme == "rediss", pop: "LPOP"}
	s.address = net.JoinHostPort(cmp.Or(u.Hostname(), "127.0.0.1"), cmp.Or(u.Port(), "6379"))
	if password, ok := u.User.Password(); ok {
		s.user, s.password = u.User.Username(), password
	} else {
		s.password = u.User.Username()
	}
	if s.password == "" && getenv != nil {
		s.password = getenv("REDISCLI_AUTH")
	}
	if path := strings.TrimPrefix(u.Path, "/"); path != "" {
		if err := s.database(path); err != nil {
			return s, err
		}
		if u.Query().Has("db") {
			return s, errors.New("the database is said twice")
		}
	}
	if err := contract.Parameters(u, &s, parameters, "queue", "pop", "db"); err != nil {
		return s, err
	}
	if s.queue == "" {
		return s, errors.New("the URL names no list: add ?queue=NAME")
	}
	return s, nil
}
