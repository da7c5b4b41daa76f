package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"

	"nth/shim/store/contract"
)

// sentinelTimeout is for one of them: another may know.
const sentinelTimeout = 2 * time.Second

const (
	hintSentinels = "write redis+sentinel://user:password@host:26379,host2:26379/NAME/0, with the master's name, and its user and password; those of the sentinels are sentinel_username= and sentinel_password="
	hintMaster    = "is the name right? SENTINEL MASTERS lists those that there are"
)

// listed are the schemes of URLs that may have several hosts.
var listed = []string{"redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis-sentinel"}

// URL parses a URL, also one that has several hosts: they stay in Host as they are.
func URL(raw string) (*url.URL, error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	begin := strings.LastIndexByte(rest[:end], '@') + 1
	hosts := rest[begin:end]
	if !slices.Contains(listed, strings.ToLower(scheme)) || !strings.Contains(hosts, ",") {
		return url.Parse(raw)
	}
	u, err := url.Parse(scheme + "://" + rest[:begin] + "hosts" + rest[end:])
	if err == nil {
		u.Host = hosts
	}
	return u, err
}

// Sentinels tells whether a URL names sentinels, and not a server. Other clients' URLs
// for them are refused.
func Sentinels(u *url.URL) (bool, error) {
	switch u.Scheme {
	case "redis+sentinel", "rediss+sentinel":
		return true, nil
	case "redis", "rediss":
		if !strings.Contains(u.Host, ",") {
			return false, nil
		}
	}
	return false, &contract.Error{Kind: contract.Invalid, Cause: errors.New("the URL seems to be one of sentinels, and isn't of the form that is understood"), Hint: hintSentinels}
}

// sentinels reads the hosts and the path, and gives what of the path is left: the
// database.
func (s *Settings) sentinels(u *url.URL) (database string, err error) {
	for host := range strings.SplitSeq(u.Host, ",") {
		address, err := hostPort(host, "26379")
		if err != nil {
			return "", err
		}
		s.Sentinels = append(s.Sentinels, address)
	}
	s.Master, database, _ = strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if s.Master == "" {
		return "", errors.New("the URL doesn't name the master: redis+sentinel://host/NAME")
	}
	s.Address = s.Master + " of the sentinels " + strings.Join(s.Sentinels, " ")
	return database, nil
}

// hostPort reads one host of several.
func hostPort(host, port string) (string, error) {
	u, err := url.Parse("//" + host)
	if err != nil || u.Hostname() == "" {
		return "", errors.New("a host of the URL is malformed")
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)), nil
}

// OfSentinels sets what only they are told.
func (s *Settings) OfSentinels(field *string, value string) error {
	if s.Master == "" {
		return errors.New("it is for redis+sentinel://")
	}
	*field = value
	return nil
}

// master asks the sentinels where the master is. The next time another is the first that
// is asked: this one may not know yet of a failover. Nobody has to ask the master for its
// ROLE: every script begins with a write, and a replica's refusal (READONLY) says the
// same, also of one that is a replica only later.
func (l *Link) master(ctx context.Context) (string, error) {
	var failed *contract.Error
	for range len(l.Settings.Sentinels) {
		first := l.Settings.Sentinels[0]
		l.Settings.Sentinels = append(slices.Clone(l.Settings.Sentinels[1:]), first)
		address, err := l.askSentinel(ctx, first)
		if err == nil {
			return address, nil
		}
		// One that was restarted knows nothing yet: any other trouble counts for more.
		if failed == nil || failed.Kind.Final() {
			failed = err
		}
	}
	return "", failed
}

func (l *Link) askSentinel(ctx context.Context, sentinel string) (address string, failed *contract.Error) {
	ctx, cancel := context.WithTimeout(ctx, sentinelTimeout)
	defer cancel()
	var answer []string
	conn, err := l.connect(ctx, sentinel, auth(l.Settings.SentinelUser, l.Settings.SentinelPassword))
	if err == nil {
		defer conn.Close()
		answer, err = redis.Strings(redis.DoContext(conn, ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", l.Settings.Master))
	}
	switch {
	case err == nil && len(answer) == 2:
		return net.JoinHostPort(answer[0], answer[1]), nil
	case err == nil, errors.Is(err, redis.ErrNil):
		failed = &contract.Error{Kind: contract.NoSuch, Cause: errors.New("it knows no master of this name"), Hint: hintMaster}
	default:
		failed = l.Settings.explain(err)
		if failed.Kind != contract.Unreachable {
			failed.Hint = hintSentinels
		}
	}
	failed.Cause = fmt.Errorf("the sentinel %s: %w", sentinel, failed.Cause)
	return "", failed
}

// of tells of a failure which server it was, where the URL doesn't.
func (s *Settings) of(address string, err error) error {
	if s.Master == "" {
		return err
	}
	e := s.explain(err)
	e.Cause = fmt.Errorf("the master %s: %w", address, e.Cause)
	return e
}
