package azure

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// settings is where the account is, as the URL and the environment say.
type settings struct {
	account, domain, protocol string
	cdn, emulator, anonymous  bool
	endpoint                  string // all of it; only a connection string has one
}

// parameters are those of a URL, with gocloud's names. Their values are never part
// of an error: somebody may have put a secret there.
func parameters() map[string]func(s *settings, value string) error {
	return map[string]func(s *settings, value string) error{
		"storage_account": func(s *settings, v string) error { s.account = v; return nil },
		"domain":          func(s *settings, v string) error { s.domain = v; return nil },
		"protocol":        func(s *settings, v string) error { s.protocol = v; return nil },
		"cdn":             contract.Flag(func(s *settings) *bool { return &s.cdn }),
		"localemu":        contract.Flag(func(s *settings) *bool { return &s.emulator }),
		"anonymous":       contract.Flag(func(s *settings) *bool { return &s.anonymous }), // as the other stores have it
	}
}

// variables set the same, with gocloud's names (its package azureblob).
func variables() map[string]string {
	return map[string]string{
		"AZURE_STORAGE_ACCOUNT":           "storage_account",
		"AZURE_STORAGE_DOMAIN":            "domain",
		"AZURE_STORAGE_PROTOCOL":          "protocol",
		"AZURE_STORAGE_IS_CDN":            "cdn",
		"AZURE_STORAGE_IS_LOCAL_EMULATOR": "localemu",
	}
}

func invalid(why, hint string) error {
	return &contract.Error{Kind: contract.Invalid, Cause: errors.New(why), Hint: hint}
}

// parse reads the URL's parameters and the variables that gocloud and Azure's SDKs
// read. An error is a mistake in the URL, or of the kind Invalid where settings
// contradict each other.
func parse(u *url.URL, getenv func(string) string) (*bucket, error) {
	b := &bucket{name: u.Host, prefix: web.Prefix(u), Driver: web.Driver{Client: web.Client()}, now: time.Now}
	if err := checkContainer(u); err != nil {
		return nil, err
	}
	s, who, err := fromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	given := s
	if err := contract.Parameters(u, &s, parameters(), "storage_account", "domain", "protocol", "cdn", "localemu", "anonymous"); err != nil {
		return nil, err
	}
	if s.anonymous {
		who = claims{connection: who.connection}
	}
	s.complete()
	given.complete()
	if err := who.agree(given, s); err != nil {
		return nil, err
	}
	if b.endpoint, err = s.locate(); err != nil {
		return nil, err
	}
	return b, b.identify(who, s, getenv)
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789"

// checkContainer: Azure, "Naming and referencing containers, blobs, and metadata".
func checkContainer(u *url.URL) error {
	switch {
	case u.Host == "":
		return errors.New("the container's name is missing: azblob://container/prefix")
	case u.Port() != "" || strings.HasSuffix(u.Host, ":"):
		return errors.New("it names a port; a server of one's own goes into domain=")
	case slices.Contains([]string{"$root", "$web", "$logs"}, u.Host):
		return nil
	case strings.Trim(u.Host, letters+"-") != "" || strings.Trim(u.Host, "-") == "":
		return errors.New("a container's name has lower-case letters, digits and hyphens")
	}
	return nil
}

// Azurite's account, address and published key ("Use the Azurite emulator").
const (
	emulatorAccount = "devstoreaccount1"
	emulatorDomain  = "127.0.0.1:10000"
	emulatorKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// complete fills in what nobody set.
func (s *settings) complete() {
	defaults := settings{domain: "blob.core.windows.net", protocol: "https"}
	if s.emulator {
		defaults = settings{account: emulatorAccount, domain: emulatorDomain, protocol: "http"}
	}
	for _, f := range []struct{ field, byDefault *string }{
		{&s.account, &defaults.account}, {&s.domain, &defaults.domain}, {&s.protocol, &defaults.protocol},
	} {
		if *f.field == "" {
			*f.field = *f.byDefault
		}
	}
}

// locate decides on the account's address (gocloud's azureblob, NewServiceURL).
func (s *settings) locate() (*url.URL, error) {
	if s.endpoint != "" {
		return parseEndpoint(s.endpoint)
	}
	switch {
	case s.account == "":
		return nil, invalid("nothing names the storage account", "add storage_account= to the URL, or set AZURE_STORAGE_ACCOUNT")
	case strings.Trim(s.account, letters+"-") != "":
		return nil, errors.New("a storage account's name has lower-case letters and digits")
	case s.protocol != "https" && s.protocol != "http":
		return nil, errors.New("the protocol is https or http")
	}
	u, err := url.Parse(s.protocol + "://" + s.domain)
	if err != nil || u.Hostname() == "" || u.Host != s.domain {
		return nil, errors.New("the domain is a host's name, and maybe a port, as in blob.core.usgovcloudapi.net")
	}
	switch host := u.Hostname(); {
	case s.emulator || host == "localhost" || net.ParseIP(host) != nil: // no subdomains there
		u.Path = "/" + s.account
	case !s.cdn:
		u.Host = s.account + "." + u.Host
	}
	return u, nil
}
