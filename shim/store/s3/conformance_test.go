package s3

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/blob/drivertest"
	"gocloud.dev/gcerrors"

	"nth/testdata/servers"
)

// notHere is what gocloud's suite asks for and is not so here, by the test's name.
var notHere = map[string]string{
	"TestNonexistentBucket": "gocloud wants a missing bucket to be the code NotFound; it must never be taken for absence",
	"TestSignedURL":         "no signed URLs are made",
	"weird_metadata_keys":   "names of metadata are those of HTTP header fields",
}

type harness struct {
	s3     *servers.S3
	prefix string
}

func (h harness) bucket(name string) (driver.Bucket, error) {
	u, err := url.Parse(h.s3.URL(name, h.prefix))
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	for _, v := range servers.S3Env() {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	return parse(u, func(name string) string { return env[name] })
}

func (h harness) MakeDriver(context.Context) (driver.Bucket, error) { return h.bucket("data") }

func (h harness) MakeDriverForNonexistentBucket(context.Context) (driver.Bucket, error) {
	return h.bucket("no-such-bucket")
}

func (h harness) HTTPClient() *http.Client         { return nil }
func (h harness) SupportsCopy() bool               { return true }
func (h harness) SupportsNonSlashDelimiters() bool { return true }
func (h harness) Close()                           {}

// What the servers lack, by the test's name, besides.
const (
	asFiles   = "it keeps blobs as files: no key may end in a slash or have a zero byte; TestEscape has these keys"
	noDots    = "it refuses keys with .. or // in them, and those with a zero byte; TestEscape has these keys"
	emptyPage = "with max-keys=1 it announces one more page, which is empty"
	circle    = "with another delimiter than a slash, which nth doesn't use, it gives the same page for ever; the driver refuses that"
	noZero    = "its web server answers a zero byte in a key with a 404 of its own"
	wsgi      = "its web server drops header fields with an underscore"
)

// TestConformance is gocloud's suite, on servers each of which lacks something.
func TestConformance(t *testing.T) {
	for _, c := range []struct {
		name  string
		start func(testing.TB) *servers.S3
		lacks map[string]string
	}{
		{"versitygw", servers.StartS3, map[string]string{"TestListWeirdKeys": asFiles, "dotdotslash": asFiles, "ascii-1": asFiles, "ascii-3": asFiles}},
		{"MinIO", servers.StartMinIO, map[string]string{"TestListWeirdKeys": noDots, "dotdotslash": noDots, "dotdotbackslash": noDots, "repeatedfwdslashes": noDots, "ascii-1": noDots,
			"by_1": emptyPage, "TestListDelimiters/backslash": circle, "TestListDelimiters/abc": circle}},
		{"moto", servers.StartMoto, map[string]string{"TestListWeirdKeys": noZero, "ascii-1": noZero, "valid_metadata": wsgi}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := c.start(t)
			server.Bucket(t, "data")
			drivertest.RunConformanceTests(t, func(_ context.Context, t *testing.T) (drivertest.Harness, error) {
				_, name, _ := strings.Cut(strings.TrimPrefix(t.Name(), "TestConformance/"), "/")
				for _, part := range append(strings.Split(name, "/"), name) {
					if why := notHere[part] + c.lacks[part]; why != "" {
						t.Skip(why)
					}
				}
				return harness{server, "in/here"}, nil
			}, nil)
		})
	}
}

// TestEmptyKey: a blob without a name is an error before anything is sent, for the
// request would be about the bucket.
func TestEmptyKey(t *testing.T) {
	server := servers.StartS3(t)
	server.Bucket(t, "data")
	d, err := harness{server, ""}.bucket("data")
	if err != nil {
		t.Fatal(err)
	}
	b := blob.NewBucket(d)
	defer b.Close()
	if err := b.Delete(t.Context(), ""); gcerrors.Code(err) != gcerrors.Unimplemented {
		t.Errorf("delete: %v", err)
	}
	if err := b.Upload(t.Context(), "", strings.NewReader(""), &blob.WriterOptions{ContentType: "a/b"}); gcerrors.Code(err) != gcerrors.Unimplemented {
		t.Errorf("upload: %v", err)
	}
	if ok, err := b.IsAccessible(t.Context()); !ok || err != nil {
		t.Errorf("the bucket is gone: %v, %v", ok, err)
	}
}
