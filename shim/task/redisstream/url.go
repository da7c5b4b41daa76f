package redisstream

import (
	"errors"
	"net/url"

	"nth/shim/store/contract"
	"nth/shim/task/redis/server"
)

// settings are what a URL says.
type settings struct {
	server.Settings
	stream, group string
}

func parameters() map[string]func(*settings, string) error {
	return map[string]func(*settings, string) error{
		"stream": func(s *settings, v string) error {
			s.stream = v
			return nil
		},
		"group": func(s *settings, v string) error {
			s.group = v
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
	s := settings{Settings: of}
	if err != nil {
		return s, err
	}
	err = contract.Parameters(u, &s, parameters(), "stream", "group", "db")
	switch {
	case err != nil:
		return s, err
	case s.stream == "":
		return s, errors.New("the URL names no stream: add ?stream=NAME")
	case s.group == "":
		return s, errors.New("the URL names no group of the stream: add &group=NAME")
	}
	return s, nil
}
