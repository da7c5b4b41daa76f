package gcs

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
	"TestListDelimiters":    "fake-gcs-server gives all prefixes on each page, and knows only the first character of a delimiter",
}

// opener opens buckets of a server, with a prefix.
func opener(server *servers.GCS, prefix string) conformance.Opener {
	return func(name string) (driver.Bucket, error) {
		u, err := url.Parse("gs://" + name + "/" + prefix)
		if err != nil {
			return nil, err
		}
		return parse(u, servers.Getenv(servers.GCSEnv(server.Address)))
	}
}

func start(t *testing.T) *servers.GCS {
	server := servers.StartGCS(t)
	server.Bucket(t, conformance.Bucket)
	return server
}

func TestConformance(t *testing.T) { conformance.Run(t, opener(start(t), "in/here"), notHere) }
func TestEmptyKey(t *testing.T)    { conformance.EmptyKey(t, opener(start(t), "")) }
