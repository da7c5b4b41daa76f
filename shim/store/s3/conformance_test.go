package s3

import (
	"net/url"
	"testing"

	"gocloud.dev/blob/driver"

	"nth/testdata/conformance"
	"nth/testdata/servers"
)

// notHere is what gocloud's suite asks for and is not so here, by the test's name.
var notHere = map[string]string{
	"TestNonexistentBucket": "gocloud wants a missing bucket to be the code NotFound; it must never be taken for absence",
	"TestSignedURL":         "no signed URLs are made",
	"weird_metadata_keys":   "names of metadata are those of HTTP header fields",
}

// opener opens buckets of a server, with a prefix.
func opener(server *servers.S3, prefix string) conformance.Opener {
	return func(name string) (driver.Bucket, error) {
		u, err := url.Parse(server.URL(name, prefix))
		if err != nil {
			return nil, err
		}
		return parse(u, servers.Getenv(servers.S3Env()))
	}
}

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
			server.Bucket(t, conformance.Bucket)
			conformance.Run(t, opener(server, "in/here"), notHere, c.lacks)
		})
	}
}

func TestEmptyKey(t *testing.T) {
	server := servers.StartS3(t)
	server.Bucket(t, conformance.Bucket)
	conformance.EmptyKey(t, opener(server, ""))
}
