package s3

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/store/markup"
)

func getenv(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

func parseText(t *testing.T, raw string, env map[string]string) *bucket {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	b, err := parse(u, getenv(env))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return b
}

// TestAddress: where a request for the key "k" goes, and for which region it is signed.
func TestAddress(t *testing.T) {
	type env = map[string]string
	lab := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(lab, []byte("[default]\nregion = eu-north-1\nservices = lab\n[services lab]\ns3 =\n  endpoint_url = http://lab\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url    string
		env    env
		want   string
		region string
	}{
		{"s3://b", nil, "https://b.s3.us-east-1.amazonaws.com/k", "us-east-1"},
		{"s3://b/p/q", env{"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "x"}, "https://b.s3.eu-west-1.amazonaws.com/p/q/k", "eu-west-1"},
		{"s3://b?region=eu-west-3", env{"AWS_REGION": "eu-west-1"}, "https://b.s3.eu-west-3.amazonaws.com/k", "eu-west-3"},
		{"s3://b", env{"AWS_DEFAULT_REGION": "cn-north-1"}, "https://b.s3.cn-north-1.amazonaws.com.cn/k", "cn-north-1"},
		{"s3://b?use_path_style=true", nil, "https://s3.us-east-1.amazonaws.com/b/k", "us-east-1"},
		{"s3://b?s3ForcePathStyle=true&disable_https=true", nil, "http://s3.us-east-1.amazonaws.com/b/k", "us-east-1"},
		{"s3://my.bucket", nil, "https://s3.us-east-1.amazonaws.com/my.bucket/k", "us-east-1"},
		{"s3://Bucket", nil, "https://s3.us-east-1.amazonaws.com/Bucket/k", "us-east-1"},
		{"s3://b?endpoint=https://minio.example.com:9000", nil, "https://minio.example.com:9000/b/k", "us-east-1"},
		{"s3://b?endpoint=https://minio.example.com:9000&use_path_style=false", nil, "https://b.minio.example.com:9000/k", "us-east-1"},
		{"s3://b?endpoint=minio.example.com&disable_https=true", nil, "http://minio.example.com/b/k", "us-east-1"},
		{"s3://b?endpoint=http://127.0.0.1:9000/", nil, "http://127.0.0.1:9000/b/k", "us-east-1"},
		{"s3://b?endpoint=http://[::1]:9000", nil, "http://[::1]:9000/b/k", "us-east-1"},
		{"s3://b?endpoint=http://minio:9000", nil, "http://minio:9000/b/k", "us-east-1"},
		{"s3://b?endpoint=http://host/s3/&use_path_style=true", nil, "http://host/s3/b/k", "us-east-1"},
		{"s3://b", env{"AWS_ENDPOINT_URL": "http://one", "AWS_ENDPOINT_URL_S3": "http://two"}, "http://two/b/k", "us-east-1"},
		{"s3://b", env{"AWS_ENDPOINT_URL": "http://one"}, "http://one/b/k", "us-east-1"},
		{"s3://b", env{"AWS_ENDPOINT_URL": "http://one", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "https://b.s3.us-east-1.amazonaws.com/k", "us-east-1"},
		{"s3://b?endpoint=http://two", env{"AWS_CONFIG_FILE": lab}, "http://two/b/k", "eu-north-1"},
		{"s3://b", env{"AWS_CONFIG_FILE": lab}, "http://lab/b/k", "eu-north-1"},
		{"s3://b?profile=other", env{"AWS_CONFIG_FILE": lab}, "https://b.s3.us-east-1.amazonaws.com/k", "us-east-1"},
		{"s3://b/a%20b/%C3%BC+%2523", nil, "https://b.s3.us-east-1.amazonaws.com/a%20b/%C3%BC%2B%2523/k", "us-east-1"},
	} {
		b := parseText(t, c.url, c.env)
		if diff := cmp.Diff([]string{c.want, c.region}, []string{b.url("k").String(), b.region}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.url, diff)
		}
	}
}

// TestEscape: the path is what the signature is made of, so every byte but the
// unreserved ones is escaped, also those that net/url leaves as they are, and
// nothing is cleaned away.
func TestEscape(t *testing.T) {
	b := parseText(t, "s3://b?use_path_style=true&endpoint=http://h", nil)
	for key, want := range map[string]string{
		"a b":           "a%20b",
		"a+b=c&d":       "a%2Bb%3Dc%26d",
		"!'()*;:@,$":    "%21%27%28%29%2A%3B%3A%40%2C%24",
		"a%2Fb":         "a%252Fb",
		"é":             "%C3%A9",
		"~-._":          "~-._",
		"../a//b/./c/":  "../a//b/./c/",
		"\x00\x1f\x7f?": "%00%1F%7F%3F",
	} {
		u := b.url(key)
		if got := u.EscapedPath(); got != "/b/"+want || u.Path != "/b/"+key {
			t.Errorf("%q: %s, want /b/%s", key, got, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	b := parseText(t, "s3://b?request_payer=requester&kmskeyid=k1", nil)
	if diff := cmp.Diff(http.Header{"X-Amz-Request-Payer": {"requester"}}, b.header); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(http.Header{headerEncryption: {"aws:kms"}, headerKMSKey: {"k1"}}, b.put); diff != "" {
		t.Error(diff)
	}
	if b := parseText(t, "s3://b?request_payer=false", nil); len(b.header) != 0 {
		t.Error(b.header)
	}
}

const listed = `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>n+/=</NextContinuationToken>
<Contents><Key>p/</Key><LastModified>2026-11-24T10:00:00.000Z</LastModified><Size>0</Size></Contents>
<Contents><Key>p/a+b%2Bc</Key><LastModified>2026-11-24T10:00:00.000Z</LastModified><Size>12</Size></Contents>
<CommonPrefixes><Prefix>p/A/</Prefix></CommonPrefixes></ListBucketResult>`

func TestPage(t *testing.T) {
	b := parseText(t, "s3://b/p", nil)
	p, err := b.page([]byte(listed))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range p.Objects {
		got = append(got, o.Key)
	}
	if diff := cmp.Diff([]string{"A/", "a b+c"}, got); diff != "" || string(p.NextPageToken) != "n+/=" || p.Objects[1].Size != 12 {
		t.Errorf("token %q (-want +got):\n%s", p.NextPageToken, diff)
	}
	for name, doc := range map[string]string{
		"not complete, and no token": "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
		"nothing about the end":      "<ListBucketResult></ListBucketResult>",
		"another bucket's keys":      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>q/x</Key><LastModified>2026-11-24T10:00:00Z</LastModified><Size>0</Size></Contents></ListBucketResult>",
		"a size":                     "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>p/x</Key><LastModified>2026-11-24T10:00:00Z</LastModified><Size>x</Size></Contents></ListBucketResult>",
		"a date":                     "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>p/x</Key><LastModified>yesterday</LastModified><Size>1</Size></Contents></ListBucketResult>",
		"an entry without anything":  "<ListBucketResult><IsTruncated>false</IsTruncated><Contents/></ListBucketResult>",
		"an error":                   "<Error><Code>InternalError</Code></Error>",
		"another document":           "<html/>",
	} {
		if _, err := b.page([]byte(doc)); err == nil || err.(*contract.Error).Kind != contract.Unreachable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPageOfAll: an entry that can't be read is no folder of the whole bucket's.
func TestPageOfAll(t *testing.T) {
	b := parseText(t, "s3://b", nil)
	for _, entry := range []string{"<Contents/>", "<Contents><Key>x</Key><LastModified>2026-11-24T10:00:00Z</LastModified><Size>x</Size></Contents>",
		"<Contents><Key>x</Key><LastModified>yesterday</LastModified><Size>1</Size></Contents>"} {
		if p, err := b.page([]byte("<ListBucketResult><IsTruncated>false</IsTruncated>" + entry + "</ListBucketResult>")); err == nil {
			t.Errorf("%s: %+v", entry, p)
		}
	}
}

// TestPageAllocates: of a page of a thousand keys the texts are kept, and for each of them little
// is made besides: nth status reads a thousand such pages.
func TestPageAllocates(t *testing.T) {
	const keys = 1000
	b := parseText(t, "s3://b/p", nil)
	page := []byte("<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>")
	for i := range keys {
		page = fmt.Appendf(page, "<Contents><Key>p/done/%d.json</Key><LastModified>2026-11-24T10:00:00.123Z</LastModified><ETag>&quot;%032x&quot;</ETag><Size>12</Size><StorageClass>STANDARD</StorageClass></Contents>", i, i)
	}
	page = append(page, "</ListBucketResult>"...)
	n := testing.AllocsPerRun(5, func() {
		if p, err := b.page(page); err != nil || len(p.Objects) != keys {
			t.Errorf("%v", err)
		}
	})
	if n > 2*keys+100 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzRefusal: whatever a server answers is an error of some kind, with a bounded
// message; and it is Absent only if it says so in full.
func FuzzRefusal(f *testing.F) {
	f.Add(404, []byte("<Error><Code>NoSuchKey</Code><Message>m</Message></Error>"))
	f.Add(404, []byte("<Error><Code>NoSuchBucket</Code></Error>"))
	f.Add(301, []byte("<Error><Code>PermanentRedirect</Code><Region>eu-west-1</Region></Error>"))
	f.Add(403, []byte("<html>"))
	f.Add(500, []byte(listed))
	u, _ := url.Parse("s3://b/p")
	b, err := parse(u, getenv(nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		r := readRefusal(status, body)
		e, ok := b.meaning(r).(*contract.Error)
		if !ok || e.Kind == contract.Other || len(r.message) > len(body) {
			t.Fatalf("%v", e)
		}
		if e.Kind == contract.Absent {
			doc, err := markup.Parse(body)
			if err != nil || doc.Name != "Error" || doc.Get("Code") != "NoSuchKey" || status != 404 {
				t.Errorf("absent by status %d %q", status, body)
			}
		}
		if page, err := b.page(body); err == nil {
			for _, o := range page.Objects {
				if o.Key == "" && !o.IsDir {
					t.Errorf("an empty key in %q", body)
				}
			}
		}
	})
}
