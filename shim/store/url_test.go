package store_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/store"
)

func TestOpenURL(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "")
	for _, c := range []struct {
		url  string
		code failure.Code // 0: it opens
		says string       // the error, or what Show gives for done/1.json
	}{
		{"file:///data/markers", 0, "file:///data/markers/done/1.json"},
		{"file:///data/markers/", 0, "file:///data/markers/done/1.json"},
		{"file://localhost/data", 0, "file://localhost/data/done/1.json"},
		{"file:///", 0, "file:///done/1.json"},
		{"file:///a%20b?create_dir=true", 0, "file:///a%20b/done/1.json"},
		{"file:///d?metadata=skip&no_tmp_dir=1", 0, "file:///d/done/1.json"},
		{"s3://bucket", 0, "s3://bucket/done/1.json"},
		{"s3://bucket/a/b?region=eu-west-1&endpoint=https://minio.example.com:9000&s3ForcePathStyle=true", 0, "s3://bucket/a/b/done/1.json"},
		{"s3://bucket?anonymous=true&request_payer=requester&ssetype=aws:kms&kmskeyid=k&disable_https=1&profile=", 0, "s3://bucket/done/1.json"},
		{"s3://bucket?awssdk=v2&hostname_immutable=true&request_checksum_calculation=when_required&response_checksum_validation=when_required", 0, "s3://bucket/done/1.json"},
		{"mem://", 0, "mem:/done/1.json"},

		{"", 64, "open the store: the URL is empty (write file:///dir"},
		{"/data/markers", 64, "open the store /data/markers: the URL has no scheme (for a path write file:///data/markers; others are s3://"},
		{"/data/a b/day=1", 64, "open the store /data/a b/day=1: the URL has no scheme (for a path write file:///data/a%20b/day=1;"},
		{"./data/../markers?create_dir=true", 64, "open the store ./data/../markers: the URL has no scheme (for a path write file:///full/path/markers;"},
		{"out/x.csv", 64, "open the store out/x.csv: the URL has no scheme (for a path write file:///full/path/out/x.csv;"},
		{"canary", 64, "open the store: the URL has no scheme (write file:///dir"},
		{"wJalrXUtnFEMI/K7MDENG/canary", 64, "open the store: the URL has no scheme (write file:///dir"},
		{"eyJhbGciOi.eyJzdWIiOi.canary", 64, "open the store: the URL has no scheme (write file:///dir"},
		{"s3//bucket/p?region=x", 64, "open the store: the URL has no scheme (write file:///dir"},
		{"//AKIA:canary@bucket/p", 64, "open the store: the URL has no scheme (write file:///dir"},
		{"AccountName=a;AccountKey=canary", 64, "open the store: the URL has no scheme (write file:///dir"},
		{"/p?sig=canary", 64, "open the store /p: the URL has no scheme"},
		{"C:/markers", 64, `there is no store for the scheme "c", only for azblob, file, gs, mem, s3`},
		{"redis://host/0", 64, `there is no store for the scheme "redis"`},
		{"file:markers", 64, "no slashes after file:"},
		{"file://data/markers", 64, "file://data names a host; write three slashes: file:///data/markers"},
		{"file:///d?creat_dir=true", 64, "unknown parameter creat_dir"},
		{"file:///d?create_dir=yes", 64, "the parameter create_dir: it is true or false"},
		{"file:///d%00", 64, "zero byte"},
		{"file:///d#1", 64, "write %23"},
		{"file:///100%", 64, "write %25"},
		{"s3:///prefix", 64, "the bucket's name is missing"},
		{"s3://bucket:9000/p", 64, "the server goes into endpoint="},
		{"s3://bu%20cket/p", 64, `the URL has "%20", which is no code`},
		{"s3://../p", 64, "a bucket's name has"},
		{"s3://b?regoin=x", 64, "unknown parameter regoin"},
		{"s3://b?region=a/b", 64, "the region has other characters"},
		{"s3://b?use_path_style=yes", 64, "use_path_style: it is true or false"},
		{"s3://b?ssetype=none", 64, "ssetype is AES256"},
		{"s3://b?request_payer=me", 64, "request_payer=requester"},
		{"s3://b?region=a&region=b", 64, `the parameter "region" is there 2 times`},
		{"s3://b?a=1;b=2", 64, "%3B for a semicolon"},
		{"s3://b?prefix=x", 64, "write the prefix as the URL's path"},
		{"s3://b?endpoint=ftp://x", 64, "the endpoint is not a URL"},
		{"s3://b?endpoint=http://canary:canary@x", 64, "the endpoint has more than host"},
		{"s3://AKIA:canary@bucket/p", 64, "open the store s3://bucket/p: the URL names a user"},
		{"s3://AKIA:can/ary@bucket/p", 64, "the URL is malformed"},
		{"s3://b?anonymous=true&profile=x", 78, "anonymous=true takes no credentials"},
		{"s3://b?endpoint=https://x&disable_https=true", 78, "disable_https=true, and the endpoint begins with https://"},
		{"s3://b?ssetype=AES256&kmskeyid=k", 78, "ssetype=AES256 takes no kmskeyid"},
	} {
		s, err := store.Open(t.Context(), c.url)
		if err == nil {
			if c.code != 0 {
				t.Errorf("%s opens", c.url)
			} else if diff := cmp.Diff(c.says, s.Show("done/1.json")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.url, diff)
			}
			s.Close()
			continue
		}
		f := failure.From(err)
		if f.Code != c.code || !strings.Contains(f.Error(), c.says) || strings.Contains(f.Error(), "can") && strings.Contains(c.url, "can") {
			t.Errorf("%s: code %d, want %d and %q: %s", c.url, f.Code, c.code, c.says, f)
		}
	}
}

func TestOpenObjectURL(t *testing.T) {
	for _, c := range []struct {
		url, key, shown string
		code            failure.Code
	}{
		{"s3://b/in/file%201.txt?region=eu-west-1", "file 1.txt", "s3://b/in/file 1.txt", 0},
		{"s3://b/x", "x", "s3://b/x", 0},
		{"file:///x", "x", "file:///x", 0},
		{"file:///data/x", "x", "file:///data/x", 0},
		{"s3://b", "", "", 64},
		{"s3://b/", "", "", 64},
		{"s3://b/dir/", "", "", 64},
		{"file:///data/..", "", "", 64},
		{"file:///data/x?bad=1", "", "", 64},
		{"nothing", "", "", 64},
	} {
		s, key, err := store.OpenObject(t.Context(), c.url)
		if err != nil {
			if f := failure.From(err); f.Code != c.code {
				t.Errorf("%s: code %d, want %d: %s", c.url, f.Code, c.code, f)
			}
			continue
		}
		if key != c.key || s.Show(key) != c.shown || c.code != 0 {
			t.Errorf("%s: key %q of %s", c.url, key, s.Show(key))
		}
		s.Close()
	}
}

// FuzzURL: every URL opens or is a failure with exit code 64 or 78, in one line,
// and neither shows what stands where credentials do.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"file:///data", "s3://b/p?region=x&endpoint=http://[::1]:9000/", "s3://a:b@c", "mem://", "s3://b?endpoint=%25", "file://h/x#y", "s3:b", "s3://b/%2e%2e/x?use_path_style=1"} {
		f.Add(seed, "canary")
	}
	f.Fuzz(func(t *testing.T, raw, secret string) {
		check := func(raw, mustNot string) {
			s, err := store.Open(t.Context(), raw)
			text := ""
			if err != nil {
				fail, ok := err.(*failure.Failure)
				if !ok || fail.Code != failure.Usage && fail.Code != failure.Setup {
					t.Fatalf("%q: %v", raw, err)
				}
				text = fail.Error()
			} else {
				defer s.Close()
				text = s.Show("key")
				if !strings.HasSuffix(text, "/key") {
					t.Errorf("%q: shown as %q", raw, text)
				}
			}
			if strings.ContainsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
				t.Errorf("%q: more than a line: %q", raw, text)
			}
			if mustNot != "" && strings.Contains(text, mustNot) {
				t.Errorf("%q shows %q: %s", raw, mustNot, text)
			}
		}
		check(raw, "")
		// The same with a password, in the places where people put one.
		if secret = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) && r < 128 {
				return r
			}
			return -1
		}, secret); len(secret) >= 5 {
			secret = "Z" + secret + "Z"
			if rest, ok := strings.CutPrefix(raw, "s3://"); ok && !strings.Contains(raw, secret) {
				check("s3://user:"+secret+"@"+rest, secret)
				if !strings.Contains(rest, "?") {
					check("s3://"+rest+"?endpoint="+url.QueryEscape("http://user:"+secret+"@host"), secret)
				}
			}
		}
	})
}
