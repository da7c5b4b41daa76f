package amqp

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scripted is a server that says what it says, whatever it is told.
type scripted struct {
	net.Conn
	says io.Reader
}

func (s *scripted) Read(b []byte) (int, error)       { return s.says.Read(b) }
func (s *scripted) Write(b []byte) (int, error)      { return len(b), nil }
func (s *scripted) SetDeadline(time.Time) error      { return nil }
func (s *scripted) Close() error                     { return nil }
func method1(c uint16, m method, args string) []byte { return appendMethod(nil, c, m, []byte(args)) }

// greeting is what a server says to who logs in.
func greeting() []byte {
	return bytes.Join([][]byte{method1(0, connectionStart, "\x00\x09\x00\x00\x00\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US"),
		method1(0, connectionTune, "\x07\xff\x00\x02\x00\x00\x00\x3c"), method1(0, connectionOpenOK, "\x00"), method1(getting, channelOpenOK, "\x00\x00\x00\x00")}, nil)
}

// message is one that is got, with all that can be said of it.
func message(body string) []byte {
	var s Said
	for p := range properties {
		switch {
		case p == headers:
		case p.size() > 0:
			s.has[p], s.values[p] = true, "\x00\x00\x00\x00\x00\x00\x00\x07"[8-p.size():]
		default:
			s.SetText(p, "text")
		}
	}
	nested := string(appendTable([]byte{'F'}, []Field{Text("a", "b")}))
	s.Headers = []Field{Text("text", "t"), Number("n", -7), {"nested", nested}, {"void", "V"}, {"list", "A\x00\x00\x00\x02t\x01"}}
	out := method1(getting, basicGetOK, "\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x01q\x00\x00\x00\x00")
	out = appendFrame(out, frameHeader, getting, s.appendTo(nil, len(body)))
	return appendFrame(out, frameBody, getting, []byte(body))
}

// FuzzServer: whatever a server says, each call ends with an answer or an error, nothing is
// taken of it that it hasn't sent, and a message that was read is written as it was.
func FuzzServer(f *testing.F) {
	ok := method1(getting, basicQosOK, "")
	for _, seed := range [][]byte{message("body"), append(ok, message("")...), method1(0, connectionClose, "\x01\x40\x04gone\x00\x00\x00\x00"),
		method1(getting, channelClose, "\x01\x96\x06failed\x00\x00\x00\x00"), method1(getting, channelFlow, "\x01"), appendFrame(nil, frameHeartbeat, 0, nil),
		method1(publishing, basicReturn, "\x01\x38\x08NO_ROUTE\x00\x01q"), method1(getting, basicGetEmpty, "\x00"), []byte("AMQP\x01\x01\x00\x0a"), []byte("HTTP/1.1 400 Bad Request\r\n")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, says []byte) {
		ctx := context.Background()
		c, err := Open(ctx, &scripted{says: io.MultiReader(bytes.NewReader(greeting()), bytes.NewReader(says))}, Login{})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			m, err := c.Get(ctx, "q")
			if m == nil || err != nil {
				break
			}
			if len(m.Body) > len(says) {
				t.Fatalf("%d bytes came of %d", len(m.Body), len(says))
			}
			var again Said
			size, err := again.read(m.Said.appendTo(nil, len(m.Body)))
			if diff := cmp.Diff(m.Said, again, cmp.AllowUnexported(Said{}, Field{})); diff != "" || err != nil || size != uint64(len(m.Body)) {
				t.Fatalf("%d bytes, %v (-read +again):\n%s", size, err, diff)
			}
			for _, h := range m.Headers {
				_, _ = h.String()
				_, _ = h.Int()
			}
		}
		_ = c.Tell(ctx, Verdict{Tag: 1})
		_, _ = c.Ready(ctx, "q")
		_ = c.Publish(ctx, "q", &Said{}, []byte("x"))
		c, err = Open(ctx, &scripted{says: bytes.NewReader(says)}, Login{})
		if c != nil && err == nil {
			c.Close()
		}
	})
}

// TestMessage: what is said of a message is what its sender said.
func TestMessage(t *testing.T) {
	c, err := Open(t.Context(), &scripted{says: bytes.NewReader(append(greeting(), message("body")...))}, Login{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Get(t.Context(), "q")
	if err != nil || m == nil {
		t.Fatal(m, err)
	}
	got := map[string]string{"body": string(m.Body), "priority": m.Get(Priority), "timestamp": m.Get(Timestamp), "message_id": m.Get(MessageID)}
	if diff := cmp.Diff(map[string]string{"body": "body", "priority": "7", "timestamp": "7", "message_id": "text"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var names []string
	for _, h := range m.Headers {
		names = append(names, h.Name)
	}
	if diff := cmp.Diff([]string{"text", "n", "nested", "void", "list"}, names); diff != "" || m.Tag != 1 || !m.Redelivered || m.Key != "q" {
		t.Errorf("%+v (-want +got):\n%s", m, diff)
	}
	if n, ok := m.Headers[1].Int(); n != -7 || !ok {
		t.Errorf("the number is %d", n)
	}
}
