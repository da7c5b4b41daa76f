package redis

import (
	"errors"
	"net/url"

	"nth/shim/store/contract"
	"nth/shim/task/redis/server"
)

// settings are what a URL says.
type settings struct {
	server.Settings
	queue, pop string // pop is the command
}

func parameters() map[string]func(*settings, string) error {
	return map[string]func(*settings, string) error{
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
		"db":                func(s *settings, v string) error { return s.Database(v) },
		"sentinel_username": func(s *settings, v string) error { return s.OfSentinels(&s.SentinelUser, v) },
		"sentinel_password": func(s *settings, v string) error { return s.OfSentinels(&s.SentinelPassword, v) },
	}
}

// parse reads a URL. No error repeats any part of it.
func parse(u *url.URL, getenv func(string) string) (settings, error) {
	of, err := server.Parse(u, getenv)
	s := settings{Settings: of, pop: "LPOP"}
	if err != nil {
		return s, err
	}
	if err := contract.Parameters(u, &s, parameters(), "queue", "pop", "db"); err != nil {
		return s, err
	}
	if s.queue == "" {
		return s, errors.New("the URL names no list: add ?queue=NAME")
	}
	return s, nil
}
