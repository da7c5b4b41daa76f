package azure

import (
	"net/url"
	"testing"

	"gocloud.dev/blob/driver"

	"nth/testdata/conformance"
	"nth/testdata/servers"
)

// notHere is what gocloud's suite asks for and is not so here, by the test's name.
var notHere = map[string]string{
	"TestNonexistentBucket": "gocloud wants a missing container to be the code NotFound; it must never be taken for absence",
	"TestSignedURL":         "no signed URLs are made",
	"weird_metadata_keys":   "names of metadata are C# identifiers on Azure",
	"abc":                   azurite,
	"backslash":             azurite, // which stands as __0x5c__
}

const azurite = "Azurite takes only the first character of a delimiter for the end of a prefix"

// opener opens containers of a server, with a prefix.
func opener(server *servers.Azurite, prefix string) conformance.Opener {
	return func(name string) (driver.Bucket, error) {
		u, err := url.Parse("azblob://" + name + "/" + prefix)
		if err != nil {
			return nil, err
		}
		return parse(u, servers.Getenv(servers.AzureEnv(server.Address)))
	}
}

func start(t *testing.T) *servers.Azurite {
	server := servers.StartAzurite(t)
	server.Container(t, conformance.Bucket)
	return server
}

func TestConformance(t *testing.T) { conformance.Run(t, opener(start(t), "in/here"), notHere) }
func TestEmptyKey(t *testing.T)    { conformance.EmptyKey(t, opener(start(t), "")) }
