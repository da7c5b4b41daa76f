package file

import (
	"fmt"
	"net/url"
	"testing"

	"gocloud.dev/blob/driver"

	"nth/testdata/conformance"
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

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	rounds := 0
	conformance.Run(t, func(name string) (driver.Bucket, error) {
		path := dir + "/not/mounted"
		if name == conformance.Bucket {
			rounds++
			path = fmt.Sprint(dir, "/", rounds) // an empty one for each test
		}
		return parse(&url.URL{Scheme: "file", Path: path})
	}, notHere)
}
