package gcs

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// settings is what a URL and the environment say, before it is put together.
type settings struct {
	*bucket
	anonymous bool
	universe  string
}

// parameters are those of a URL, with gocloud's names. Their values are never part
// of an error: somebody may have put a secret there.
func parameters() map[string]func(s *settings, value string) error {
	return map[string]func(s *settings, value string) error{
		"anonymous": contract.Flag(func(s *settings) *bool { return &s.anonymous }),
		// Of use for signed URLs only, but for "-".
		"access_id": func(s *settings, v string) error {
			s.anonymous = s.anonymous || v == "-"
			return nil
		},
		"universe_domain": func(s *settings, v string) error {
			if strings.Trim(v, letters+".-") != "" || v == "" {
				return errors.New("it is a domain, as in googleapis.com")
			}
			s.universe = v
			return nil
		},
		// Who pays (Cloud Storage, "Requester Pays").
		"user_project": func(s *settings, v string) error {
			s.header.Set("X-Goog-User-Project", v)
			return nil
		},
	}
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// parse reads the URL's parameters and the variables of Google's libraries.
func parse(u *url.URL, getenv func(string) string) (*bucket, error) {
	s := &settings{bucket: &bucket{name: u.Host, prefix: web.Prefix(u), header: http.Header{}}, universe: "googleapis.com"}
	if err := contract.Printable(getenv, "GOOGLE_CLOUD_UNIVERSE_DOMAIN", "STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST"); err != nil {
		return nil, err
	}
	if domain := getenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN"); domain != "" {
		s.universe = domain
	}
	switch {
	case s.name == "":
		return nil, errors.New("the bucket's name is missing: gs://bucket/prefix")
	case u.Port() != "" || strings.HasSuffix(u.Host, ":"):
		return nil, errors.New("it names a port; a server of one's own is named by STORAGE_EMULATOR_HOST")
	case strings.Trim(s.name, letters+".-_") != "" || strings.Trim(s.name, ".") == "":
		return nil, errors.New("a bucket's name has letters, digits, dots, hyphens and underscores")
	}
	if err := contract.Parameters(u, s, parameters(), "anonymous", "universe_domain", "user_project"); err != nil {
		return nil, err
	}
	s.Client = web.Client()
	if err := s.locate(getenv("STORAGE_EMULATOR_HOST")); err != nil {
		return nil, err
	}
	if !s.anonymous && !s.emulated {
		s.token = &web.Renewed[string]{Fetch: newIdentity(getenv, s.Client).fetch}
	}
	return s.bucket, nil
}

// locate decides on the server's address. An emulator is named as for Google's
// libraries: HOST:PORT, or a URL.
func (s *settings) locate(emulator string) error {
	address := "https://storage." + s.universe
	if emulator != "" {
		s.emulated, address = true, emulator
		if !strings.Contains(address, "://") {
			address = "http://" + address
		}
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return &contract.Error{Kind: contract.Invalid, Cause: errors.New("STORAGE_EMULATOR_HOST is not HOST:PORT or a URL"), Hint: "an example is 127.0.0.1:4443"}
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	s.endpoint = u
	return nil
}
