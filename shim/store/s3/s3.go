// Package s3 keeps blobs in a bucket of Amazon S3 or of any server that speaks
// its protocol: s3://bucket/prefix?region=…. The requests are nth's own, signed by
// the AWS SDK's signer: the SDK's client alone would be larger than all of nth.
package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"nth/shim/store/contract"
)

func init() { blob.DefaultURLMux().RegisterBucket("s3", opener{}) }

type opener struct{}

// OpenBucketURL opens s3://bucket/prefix. No request is made, and no credentials
// are looked up, before the first blob is asked for.
func (opener) OpenBucketURL(_ context.Context, u *url.URL) (*blob.Bucket, error) {
	b, err := parse(u, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return blob.NewBucket(b), nil
}

type bucket struct {
	name, prefix string
	endpoint     *url.URL
	region       string
	pathStyle    bool
	anonymous    bool
	profile      string
	header       http.Header // of every request (request_payer)
	put          http.Header // of every write (server-side encryption)

	client *http.Client
	signer *v4.Signer
	now    func() time.Time
}

// parse reads the URL's parameters, with gocloud's names, and the variables of the
// AWS SDKs.
func parse(u *url.URL, lookup func(string) (string, bool)) (*bucket, error) {
	b := &bucket{name: u.Host, prefix: strings.TrimPrefix(u.Path, "/"), header: http.Header{}, put: http.Header{}, now: time.Now}
	if b.name == "" {
		return nil, errors.New("the bucket's name is missing: s3://bucket/prefix")
	}
	if u.User != nil || u.Port() != "" {
		return nil, errors.New("it names a user or a port; the server goes into endpoint=, the keys into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	if b.prefix != "" && !strings.HasSuffix(b.prefix, "/") {
		b.prefix += "/"
	}
	first := func(names ...string) string {
		for _, name := range names {
			if v, _ := lookup(name); v != "" {
				return v
			}
		}
		return ""
	}
	endpoint := first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
	b.region = first("AWS_REGION", "AWS_DEFAULT_REGION")
	b.profile = first("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
	https := true
	for name, values := range u.Query() {
		value := values[len(values)-1]
		flag := value == "true" || value == "1"
		switch name {
		case "region":
			b.region = value
		case "endpoint":
			endpoint = value
		case "profile":
			b.profile = value
		case "use_path_style", "s3ForcePathStyle":
			b.pathStyle = flag
		case "anonymous":
			b.anonymous = flag
		case "disable_https", "disableSSL":
			https = !flag
		case "request_payer":
			b.header.Set("X-Amz-Request-Payer", "requester")
		case "ssetype":
			b.put.Set("X-Amz-Server-Side-Encryption", value)
		case "kmskeyid":
			b.put.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", value)
		case "awssdk", "hostname_immutable", "request_checksum_calculation", "response_checksum_validation":
			// Of the SDK; no checksum is sent that the server doesn't require.
		default:
			return nil, fmt.Errorf("unknown parameter %s; there are region, endpoint, use_path_style, anonymous, profile, request_payer, ssetype, kmskeyid, disable_https", name)
		}
	}
	if b.region == "" {
		b.region = "us-east-1"
	}
	return b, b.locate(endpoint, https)
}

// locate decides on the server's address.
func (b *bucket) locate(endpoint string, https bool) error {
	scheme := "https"
	if !https {
		scheme = "http"
	}
	if endpoint == "" {
		endpoint = scheme + "://s3." + b.region + ".amazonaws.com"
		if strings.HasPrefix(b.region, "cn-") {
			endpoint += ".cn"
		}
	} else {
		if !strings.Contains(endpoint, "://") {
			endpoint = scheme + "://" + endpoint
		}
		// An address has no subdomains.
		b.pathStyle = b.pathStyle || !strings.Contains(strings.TrimRight(endpoint, "0123456789:"), ".") || strings.HasSuffix(strings.TrimRight(endpoint, ":0123456789"), ".")
	}
	var err error
	if b.endpoint, err = url.Parse(endpoint); err != nil || b.endpoint.Host == "" {
		return fmt.Errorf("the endpoint %q is not a URL such as https://minio.example.com:9000", endpoint)
	}
	// A bucket with dots or capitals is no host name that a certificate covers.
	b.pathStyle = b.pathStyle || strings.ContainsAny(b.name, ".ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
	b.client = newClient()
	b.signer = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	return nil
}

// newClient follows no redirect: S3 answers with one when the region is wrong, and
// the signature would not hold there.
func newClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (b *bucket) ErrorCode(err error) gcerrors.ErrorCode { return contract.Code(err) }
func (b *bucket) ErrorAs(error, any) bool                { return false }

func (b *bucket) As(i any) bool {
	p, ok := i.(*contract.Idler)
	if ok {
		*p = b
	}
	return ok
}

// Idle closes connections that are not in use.
func (b *bucket) Idle() { b.client.CloseIdleConnections() }

func (b *bucket) Close() error {
	b.Idle()
	return nil
}

func (b *bucket) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", contract.Unsupported("signed URLs")
}
