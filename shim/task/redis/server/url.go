// Package server is how a Redis server, or a cluster of them, is reached and understood,
// for every kind of queue that may be in it.
package server

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"nth/shim/store/contract"
)

// Settings are what a URL says of the server.
type Settings struct {
	Address        string // host:port; of a master that sentinels know, only to be shown
	Secure         bool
	User, Password string
	DB             int

	Master                         string   // its name among the sentinels; "": there are none
	Sentinels                      []string // host:port
	SentinelUser, SentinelPassword string
}

// Parse reads a URL as redis-cli does: what stands alone before the @ is a password. No
// error repeats any part of it. Its parameters are the caller's; db is among them.
func Parse(u *url.URL, getenv func(string) string) (Settings, error) {
	s := Settings{Secure: strings.HasPrefix(u.Scheme, "rediss")}
	s.Address = net.JoinHostPort(cmp.Or(u.Hostname(), "127.0.0.1"), cmp.Or(u.Port(), "6379"))
	path := strings.TrimPrefix(u.Path, "/")
	sentinels, err := Sentinels(u)
	if sentinels {
		path, err = s.sentinels(u)
	}
	if err != nil {
		return s, err
	}
	if password, ok := u.User.Password(); ok {
		s.User, s.Password = u.User.Username(), password
	} else {
		s.Password = u.User.Username()
	}
	if s.Password == "" && getenv != nil {
		if err := contract.Printable(getenv, "REDISCLI_AUTH"); err != nil {
			return s, err
		}
		s.Password = getenv("REDISCLI_AUTH")
	}
	if path != "" {
		if err := s.Database(path); err != nil {
			return s, err
		}
		if u.Query().Has("db") {
			return s, errors.New("the database is said twice")
		}
	}
	return s, nil
}

// Database sets the database's number, from the path or, as redis-py and go-redis have
// it, from the parameter db.
func (s *Settings) Database(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return errors.New("a database is a number from 0")
	}
	s.DB = n
	return nil
}

// Tagged gives a name that has the queue's hash tag (Redis cluster specification, "Hash
// tags"): its own, if it has one, else the whole name. A name with a brace that closes
// none can't be made into one; such a queue can't be in a cluster.
func Tagged(queue string) string {
	if _, rest, ok := strings.Cut(queue, "{"); ok && strings.Index(rest, "}") > 0 || strings.Contains(queue, "}") {
		return queue
	}
	return "{" + queue + "}"
}
