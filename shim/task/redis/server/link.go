package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"

	"nth/shim/store/web"
)

const (
	dialTimeout   = 10 * time.Second
	answerTimeout = 30 * time.Second // for one answer or request, with a large task in it
	maxHops       = 5                // from node to node of a cluster, in one call
)

// Link is the one connection of a source, made when it is needed and again when it
// has broken.
type Link struct {
	Settings Settings

	mu    sync.Mutex
	conn  redis.Conn
	moved string // the cluster's node that has the keys; "": the URL's
}

// Ask runs a script. Its arguments are made anew for each time that it is sent.
func (l *Link) Ask(ctx context.Context, script *redis.Script, args func() []any) (any, error) {
	return l.Do(ctx, func(c redis.Conn) (any, error) { return script.DoContext(ctx, c, args()...) })
}

// Do sends something that may be sent again. A connection that was closed while the
// command ran, by the server or a firewall between, is made anew without a word.
func (l *Link) Do(ctx context.Context, send func(redis.Conn) (any, error)) (any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.conn != nil
	for hop := 0; ; hop++ {
		reply, err := l.once(ctx, send)
		if err == nil {
			return reply, nil
		}
		text, refused := errors.AsType[redis.Error](err)
		if !refused || stale(string(text)) {
			l.drop()
		}
		switch {
		case refused && hop < maxHops && l.follow(string(text)):
		case !refused && old && ctx.Err() == nil && !timedOut(err):
			old = false
		default:
			return nil, err
		}
	}
}

func (l *Link) once(ctx context.Context, send func(redis.Conn) (any, error)) (any, error) {
	if l.conn == nil {
		if err := l.dial(ctx); err != nil {
			return nil, err
		}
	}
	return send(l.conn)
}

// follow goes where a cluster says that the keys are (MOVED slot host:port; no host
// means the one that was asked, "?" too).
func (l *Link) follow(refusal string) bool {
	fields := strings.Fields(refusal)
	if len(fields) != 3 || fields[0] != "MOVED" {
		return false
	}
	host, port, err := net.SplitHostPort(fields[2])
	if err != nil {
		return false
	}
	if host == "" || host == "?" {
		host, _, _ = net.SplitHostPort(l.address())
	}
	l.drop()
	l.moved = net.JoinHostPort(host, port)
	return true
}

func (l *Link) address() string {
	if l.moved != "" {
		return l.moved
	}
	return l.Settings.Address
}

// dial connects, and is who the URL says.
func (l *Link) dial(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.address())
	if err != nil {
		l.moved = "" // the next try asks the URL's own
		return err
	}
	if l.Settings.Secure {
		if c, err = secure(ctx, c, l.address()); err != nil {
			return err
		}
	}
	conn := redis.NewConn(c, answerTimeout, answerTimeout)
	for _, command := range l.greeting() {
		if _, err := redis.DoContext(conn, ctx, command[0].(string), command[1:]...); err != nil {
			_ = conn.Close()
			l.moved = ""
			return err
		}
	}
	l.conn = conn
	return nil
}

func secure(ctx context.Context, c net.Conn, address string) (net.Conn, error) {
	roots, err := web.Roots()
	if err == nil {
		host, _, _ := net.SplitHostPort(address)
		s := tls.Client(c, &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12})
		if err = s.HandshakeContext(ctx); err == nil {
			return s, nil
		}
	}
	_ = c.Close()
	return nil, err
}

// greeting is what a new connection begins with.
func (l *Link) greeting() (commands [][]any) {
	switch s := l.Settings; {
	case s.User != "":
		commands = append(commands, []any{"AUTH", s.User, s.Password})
	case s.Password != "":
		commands = append(commands, []any{"AUTH", s.Password})
	}
	if l.Settings.DB != 0 {
		commands = append(commands, []any{"SELECT", l.Settings.DB})
	}
	return commands
}

func (l *Link) drop() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

func (l *Link) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
}
