package server

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzURL: whatever isn't a list of hosts is read as net/url does; a list is read whole
// or refused, and no error tells what is in it.
func FuzzURL(f *testing.F) {
	for _, raw := range []string{
		"redis://user:password@host:6379/0?queue=q", "redis+sentinel://u:p@a:1,b:2/m/0?queue=q", "redis+sentinel://[::1]:1,b/m#x", "redis://u:p,q@h/",
		"postgres://a:1,b:2/db", "redis+sentinel://a,b", "redis+sentinel://a,b?x=@/", "redis,://", "redis://,", "redis+sentinel://@,@,/m", "sentinel://a/0;sentinel://b/0", "",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := URL(raw)
		plain, plainErr := url.Parse(raw)
		if err != nil {
			if plainErr == nil {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		if plainErr == nil && !strings.Contains(plain.Host, ",") {
			if diff := cmp.Diff(plain.String(), u.String()); diff != "" {
				t.Errorf("%q (-want +got):\n%s", raw, diff)
			}
		}
		s, err := Parse(u, nil)
		if err != nil {
			if secret, _ := u.User.Password(); len(secret) > 30 && strings.Contains(err.Error(), secret) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		if s.Master == "" {
			return
		}
		if n := strings.Count(u.Host, ",") + 1; len(s.Sentinels) != n {
			t.Errorf("%q: %d sentinels, want %d", raw, len(s.Sentinels), n)
		}
		for _, sentinel := range s.Sentinels {
			if host, err := hostPort(sentinel, "1"); err != nil || host != sentinel {
				t.Errorf("%q: %q is read as %q, %v", raw, sentinel, host, err)
			}
		}
	})
}
