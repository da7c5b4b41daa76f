package s3

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"nth/shim/aws"
	"nth/shim/failure"
	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// settings is what a URL and the environment say, before it is put together.
type settings struct {
	*bucket
	address      string // the endpoint
	profile      string
	anonymous    bool
	disableHTTPS bool
	styled       bool // use_path_style was given
}

// parameters are those of a URL, with gocloud's names. Their values are never part
// of an error: somebody may have put a secret there.
func parameters() map[string]func(s *settings, value string) error {
	return map[string]func(s *settings, value string) error{
		"region":           func(s *settings, v string) error { s.region = v; return nil },
		"endpoint":         func(s *settings, v string) error { s.address = v; return nil },
		"profile":          func(s *settings, v string) error { s.profile = v; return nil },
		"use_path_style":   setStyle,
		"s3ForcePathStyle": setStyle,
		"anonymous":        contract.Flag(func(s *settings) *bool { return &s.anonymous }),
		"disable_https":    contract.Flag(func(s *settings) *bool { return &s.disableHTTPS }),
		"disableSSL":       contract.Flag(func(s *settings) *bool { return &s.disableHTTPS }),
		"request_payer": func(s *settings, v string) error {
			if pays, err := strconv.ParseBool(v); v != "requester" && !pays {
				if err != nil {
					return errors.New("write request_payer=requester")
				}
				return nil
			}
			s.header.Set("X-Amz-Request-Payer", "requester")
			return nil
		},
		"ssetype": func(s *settings, v string) error {
			if !slices.Contains([]string{"AES256", "aws:kms", "aws:kms:dsse"}, v) {
				return errors.New("ssetype is AES256, aws:kms or aws:kms:dsse")
			}
			s.put.Set(headerEncryption, v)
			return nil
		},
		"kmskeyid": func(s *settings, v string) error {
			s.put.Set(headerKMSKey, v)
			return nil
		},
		// Of the SDK. No checksum header is sent: R2 and B2 have refused them, and the signature covers
		// the content. One that the server has is asked for with a blob's attributes alone.
		"awssdk":                       func(*settings, string) error { return nil },
		"hostname_immutable":           func(*settings, string) error { return nil },
		"request_checksum_calculation": func(*settings, string) error { return nil },
		"response_checksum_validation": func(*settings, string) error { return nil },
	}
}

const (
	headerEncryption = "X-Amz-Server-Side-Encryption"
	headerKMSKey     = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
)

func setStyle(s *settings, value string) error {
	s.styled = true
	return contract.Flag(func(s *settings) *bool { return &s.pathStyle })(s, value)
}

// parse reads the URL's parameters and the variables of the AWS SDKs. An error is
// a mistake in the URL, or of the kind Invalid where settings contradict.
func parse(u *url.URL, getenv func(string) string) (*bucket, error) {
	s := &settings{bucket: &bucket{name: u.Host, prefix: web.Prefix(u), header: http.Header{}, put: http.Header{}, copyWhole: copyWhole, copyPart: copyPart, Driver: web.Driver{Client: web.Client()}}}
	switch {
	case s.name == "":
		return nil, errors.New("the bucket's name is missing: s3://bucket/prefix")
	case u.Port() != "" || strings.HasSuffix(u.Host, ":"):
		return nil, errors.New("it names a port; the server goes into endpoint=")
	case strings.Trim(s.name, letters+".-_") != "" || strings.Trim(s.name, ".") == "":
		return nil, errors.New("a bucket's name has letters, digits, dots and hyphens")
	}
	if err := contract.Parameters(u, s, parameters(), "region", "endpoint", "use_path_style", "anonymous", "profile", "request_payer", "ssetype", "kmskeyid", "disable_https"); err != nil {
		return nil, err
	}
	identity := aws.New(s.profile, s.region, getenv, s.Client)
	if err := identity.Check(s.anonymous); err != nil {
		return nil, err
	}
	if s.address == "" {
		s.address = identity.Endpoint("s3")
	}
	if !s.anonymous {
		s.identity, s.OnIdle = identity, identity.NoProcesses
	}
	s.region = cmp.Or(identity.Region(), "us-east-1")
	if strings.Trim(s.region, letters+"-") != "" {
		return nil, errors.New("the region has other characters than letters, digits and hyphens")
	}
	if err := s.agree(); err != nil {
		return nil, err
	}
	s.signer = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	return s.bucket, s.locate()
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// agree finds settings that contradict each other.
func (s *settings) agree() error {
	kms := s.put.Get(headerKMSKey) != ""
	for _, c := range []struct {
		wrong bool
		why   string
	}{
		{s.anonymous && s.profile != "", "anonymous=true takes no credentials, and profile= names some"},
		{s.disableHTTPS && strings.HasPrefix(s.address, "https://"), "disable_https=true, and the endpoint begins with https://"},
		{kms && s.put.Get(headerEncryption) == "AES256", "ssetype=AES256 takes no kmskeyid"},
	} {
		if c.wrong {
			return &contract.Error{Kind: contract.Invalid, Cause: errors.New(c.why), Hint: "leave one of them out"}
		}
	}
	if kms && s.put.Get(headerEncryption) == "" {
		s.put.Set(headerEncryption, "aws:kms")
	}
	return nil
}

var errEndpoint error = failure.Text("the endpoint is not a URL such as https://minio.example.com:9000")

// locate decides on the server's address.
func (s *settings) locate() error {
	scheme := "https://"
	if s.disableHTTPS {
		scheme = "http://"
	}
	address := s.address
	if address == "" {
		// AWS, "Amazon S3 endpoints and quotas"; others, of isolated regions, need endpoint=.
		address = "s3." + s.region + ".amazonaws.com"
		if strings.HasPrefix(s.region, "cn-") {
			address += ".cn"
		}
	}
	if !strings.Contains(address, "://") {
		address = scheme + address
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return errEndpoint
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the endpoint has more than host, port and path; credentials come from the environment")
	}
	s.endpoint = u
	if !s.styled {
		// minio.storage.svc has no subdomain for each bucket: a server of one's own is
		// asked by path, unless use_path_style=false says that it isn't.
		s.pathStyle = s.address != ""
	}
	// An IP address and a bare host name have no subdomains, and a bucket with dots
	// or capitals is none that a certificate or DNS covers.
	s.pathStyle = s.pathStyle || net.ParseIP(u.Hostname()) != nil || !strings.Contains(u.Hostname(), ".") ||
		strings.ContainsAny(s.name, "._ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	return nil
}
