package file

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gocloud.dev/blob/driver"
	"gocloud.dev/blob/drivertest"
)

// notHere is what gocloud's suite asks for and is not so here, by the test's name.
var notHere = map[string]string{
	"TestNonexistentBucket": contrary,
	"TestSignedURL":         "a file has no URL for others",

	"TestAttributes": plain,
	"ContentType_is_discovered_if_not_provided":                 plain,
	"write_with_explicit_ContentType_overrides_discovery":       plain,
	"a_small_text_file_gets_a_ContentType":                      plain,
	"a_large_jpg_file_gets_a_ContentType":                       plain,
	"a_large_jpg_file_written_in_two_chunks_gets_a_ContentType": plain,
	"valid_metadata":                   plain,
	"valid_metadata_with_empty_body":   plain,
	"valid_metadata_with_content_type": plain,
	"weird_metadata_keys":              plain,
}

const (
	contrary = "gocloud wants a missing directory to be the code NotFound; it must never be taken for absence"
	plain    = "a plain file has no type and no metadata, and there are no sidecar files"
)

type harness struct{ dir string }

func (h harness) bucket(dir string) (driver.Bucket, error) {
	return parse(&url.URL{Scheme: "file", Path: dir})
}

func (h harness) MakeDriver(context.Context) (driver.Bucket, error) { return h.bucket(h.dir) }

func (h harness) MakeDriverForNonexistentBucket(context.Context) (driver.Bucket, error) {
	return h.bucket(h.dir + "/not/mounted")
}

func (h harness) HTTPClient() *http.Client         { return nil }
func (h harness) SupportsCopy() bool               { return true }
func (h harness) SupportsNonSlashDelimiters() bool { return true }
func (h harness) Close()                           {}

func TestConformance(t *testing.T) {
	drivertest.RunConformanceTests(t, func(_ context.Context, t *testing.T) (drivertest.Harness, error) {
		for _, part := range strings.Split(t.Name(), "/") {
			if why := notHere[part]; why != "" {
				t.Skip(why)
			}
		}
		return harness{t.TempDir()}, nil
	}, nil)
}
