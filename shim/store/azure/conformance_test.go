package azure

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
	"TestNonexistentBucket": "gocloud wants a missing container to be the code NotFound; it must never be taken for absence",
	"TestSignedURL":         "no signed URLs are made",
	"weird_metadata_keys":   "names of metadata are C# identifiers on Azure",
	"abc":                   azurite,
	"backslash":             azurite, // which stands as __0x5c__
}

const azurite = "Azurite takes only the first character of a delimiter for the end of a prefix"

type harness struct {
	azurite *servers.Azurite
	prefix  string
}

func (h harness) bucket(name string) (driver.Bucket, error) {
	u, err := url.Parse("azblob://" + name + "/" + h.prefix)
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	for _, v := range servers.AzureEnv(h.azurite.Address) {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	return parse(u, func(name string) string { return env[name] })
}

func (h harness) MakeDriver(context.Context) (driver.Bucket, error) { return h.bucket("data") }

func (h harness) MakeDriverForNonexistentBucket(context.Context) (driver.Bucket, error) {
	return h.bucket("no-such-container")
}

func (h harness) HTTPClient() *http.Client         { return nil }
func (h harness) SupportsCopy() bool               { return true }
func (h harness) SupportsNonSlashDelimiters() bool { return true }
func (h harness) Close()                           {}

func TestConformance(t *testing.T) {
	server := servers.StartAzurite(t)
	server.Container(t, "data")
	drivertest.RunConformanceTests(t, func(_ context.Context, t *testing.T) (drivertest.Harness, error) {
		for _, part := range strings.Split(t.Name(), "/") {
			if why := notHere[part]; why != "" {
				t.Skip(why)
			}
		}
		return harness{server, "in/here"}, nil
	}, nil)
}

// TestEmptyKey: a blob without a name is an error before anything is sent, for the
// request would be about the container.
func TestEmptyKey(t *testing.T) {
	server := servers.StartAzurite(t)
	server.Container(t, "data")
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
		t.Errorf("the container is gone: %v, %v", ok, err)
	}
}
