package azure

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

var readOptions = &driver.ReaderOptions{}

// listed is an answer of Azure's (its "List Blobs"), with more of its properties than
// are read.
const listed = "\ufeff" + `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://acct.blob.core.windows.net/" ContainerName="c"><Prefix>p/</Prefix><MaxResults>5</MaxResults><Delimiter>/</Delimiter><Blobs>` +
	`<Blob><Name>p/</Name><Properties><Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT</Last-Modified><Content-Length>0</Content-Length></Properties></Blob>` +
	`<Blob><Name>p/b c&amp;d+%2B</Name><Properties><Creation-Time>Tue, 24 Nov 2026 09:00:00 GMT</Creation-Time><Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT</Last-Modified><Etag>0x8DE2B</Etag><Content-Length>12</Content-Length><Content-Type>text/plain</Content-Type><Content-Encoding /><Content-MD5>AAECAwQFBgcICQoLDA0ODw==</Content-MD5><BlobType>BlockBlob</BlobType><LeaseStatus>unlocked</LeaseStatus></Properties><OrMetadata /></Blob>` +
	`<Blob><Name Encoded="true">p/e%EF%BF%BE%26%20</Name><Properties><Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT</Last-Modified><Content-Length>1</Content-Length><Content-MD5 /></Properties></Blob>` +
	`<Blob><Name>p/f__0x2e__</Name><Properties><Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT</Last-Modified><Content-Length>1</Content-Length></Properties></Blob>` +
	`<BlobPrefix><Name>p/A/</Name></BlobPrefix></Blobs><NextMarker>2!92!n+/=</NextMarker></EnumerationResults>`

func TestPage(t *testing.T) {
	b := parseText(t, "azblob://c/p?storage_account=a", nil)
	p, err := b.page([]byte(listed), "")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		key   string
		size  int64
		isDir bool
		sum   int
	}
	var got []object
	for _, o := range p.Objects {
		got = append(got, object{o.Key, o.Size, o.IsDir, len(o.MD5)})
		if !o.IsDir && o.ModTime.Unix() != 1795514400 {
			t.Errorf("%s is of %v", o.Key, o.ModTime)
		}
	}
	want := []object{{"A/", 0, true, 0}, {"b c&d+%2B", 12, false, 16}, {"e\ufffe& ", 1, false, 0}, {"f.", 1, false, 0}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(object{})); diff != "" || string(p.NextPageToken) != "2!92!n+/=" {
		t.Errorf("token %q (-want +got):\n%s", p.NextPageToken, diff)
	}
}

// TestPrefixes: what begins with the prefix only as it is written is not of it.
func TestPrefixes(t *testing.T) {
	const one = `<EnumerationResults><Blobs><Blob><Name>NAME</Name><Properties><Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT</Last-Modified><Content-Length>1</Content-Length></Properties></Blob></Blobs><NextMarker/></EnumerationResults>`
	for _, c := range []struct {
		name, prefix, want string
	}{
		{"p/a_", "a_", "a_"},
		{"p/a__0x5f___0x1", "a__", "a__0x1"},
		{"p/a__0x5c__b", "a__", ""},
		{"p/a__0x5c__b", "a\\", "a\\b"},
	} {
		p, err := parseText(t, "azblob://c/p?storage_account=a", nil).page([]byte(strings.ReplaceAll(one, "NAME", c.name)), c.prefix)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		got := ""
		for _, o := range p.Objects {
			got += o.Key
		}
		if got != c.want || p.NextPageToken != nil {
			t.Errorf("%+v: %q, %q", c, got, p.NextPageToken)
		}
	}
}

// TestNoPage: what isn't a whole page is an error, never the end of the listing.
func TestNoPage(t *testing.T) {
	b := parseText(t, "azblob://c/p?storage_account=a", nil)
	blob := func(inside string) string {
		return "<EnumerationResults><Blobs>" + inside + "</Blobs><NextMarker/></EnumerationResults>"
	}
	for name, doc := range map[string]string{
		"cut short":                listed[:len(listed)/2],
		"nothing about the end":    "<EnumerationResults><Blobs/></EnumerationResults>",
		"no blobs":                 "<EnumerationResults><NextMarker/></EnumerationResults>",
		"another prefix":           blob("<Blob><Name>q/x</Name><Properties><Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT</Last-Modified><Content-Length>1</Content-Length></Properties></Blob>"),
		"no name":                  blob("<Blob><Properties><Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT</Last-Modified><Content-Length>1</Content-Length></Properties></Blob>"),
		"a size":                   blob("<Blob><Name>p/x</Name><Properties><Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT</Last-Modified></Properties></Blob>"),
		"a date":                   blob("<Blob><Name>p/x</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>"),
		"no properties":            blob("<Blob><Name>p/x</Name></Blob>"),
		"an entry of another kind": blob("<Thing><Name>p/x</Name></Thing>"),
		"not encoded as it says":   blob(`<BlobPrefix><Name Encoded="true">p/%zz</Name></BlobPrefix>`),
		"an error":                 "<Error><Code>InternalError</Code></Error>",
		"another document":         "<html/>",
		"nothing":                  "",
	} {
		if _, err := b.page([]byte(doc), ""); asError(err) == nil || asError(err).Kind != contract.Unreachable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzPage: a page is whole or an error, and all in it is of the prefix.
func FuzzPage(f *testing.F) {
	f.Add([]byte(listed), "")
	f.Add([]byte(strings.ReplaceAll(listed, "p/", "p/__0x")), "__")
	f.Fuzz(func(t *testing.T, body []byte, prefix string) {
		b := parseText(t, "azblob://c/p?storage_account=a", nil)
		p, err := b.page(body, prefix)
		if err != nil {
			if e := asError(err); e == nil || e.Kind != contract.Unreachable {
				t.Errorf("%v", err)
			}
			return
		}
		for _, o := range p.Objects {
			if o.Key == "" || !strings.HasPrefix(o.Key, prefix) && utf8.ValidString(prefix) {
				t.Errorf("%q listed under %q", o.Key, prefix)
			}
		}
	})
}
