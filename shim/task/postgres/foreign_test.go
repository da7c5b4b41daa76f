package postgres

import (
	"net"
	"strings"
	"testing"

	"nth/shim/store/contract"
)

// TestForeign: what answers and isn't PostgreSQL is no queue, and no reason to crash.
func TestForeign(t *testing.T) {
	at(t, nil)
	for name, answer := range map[string]string{
		"short":        "R\x00\x00\x00\x04",
		"too short":    "R\x00\x00\x00\x00",
		"HTTP":         "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
		"SSH":          "SSH-2.0-OpenSSH_9.2\r\n",
		"SMTP":         "220 mail.example ESMTP\r\n",
		"error":        "Ecould not fork new process\n\x00",
		"nothing":      "",
		"unterminated": "S\x00\x00\x00\x08abcd",
		"no error":     "E\x00\x00\x00\x08abcd",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = c.Read(make([]byte, 1024))
					_, _ = c.Write([]byte(answer))
					c.Close()
				}
			}()
			for _, mode := range []string{"disable", "require"} {
				err := ask(t, "postgres://u:canary@"+l.Addr().String()+"/d?sslmode="+mode)
				if k := kind(err); k != contract.Unreachable && !(mode == "require" && k == contract.Unsupported) || strings.ContainsAny(err.Error(), "\n\x00") {
					t.Errorf("%s: %v", mode, err)
				}
			}
		})
	}
}
