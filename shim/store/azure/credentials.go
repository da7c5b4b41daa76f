package azure

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// claims are the credentials that the environment holds: at most one of them is used.
type claims struct {
	key, sas   string
	connection bool // they are a connection string's, which names the account's place as well
}

// fromEnvironment reads where the account is and who we are: a key, else a SAS
// token, else a connection string, else an identity (gocloud's order in azureblob).
func fromEnvironment(getenv func(string) string) (s settings, who claims, err error) {
	if err := printable(getenv); err != nil {
		return s, who, err
	}
	for name, parameter := range variables() {
		value := getenv(name)
		if value == "" {
			continue
		}
		if err := parameters()[parameter](&s, value); err != nil {
			return s, who, invalid(name+": "+err.Error(), "")
		}
	}
	who = claims{key: getenv("AZURE_STORAGE_KEY"), sas: getenv("AZURE_STORAGE_SAS_TOKEN")}
	text := getenv("AZURE_STORAGE_CONNECTION_STRING")
	if text == "" {
		text = getenv("AZURE_STORAGEBLOB_CONNECTIONSTRING")
	}
	if text == "" {
		return s, who, nil
	}
	c, err := parseConnection(text)
	if err != nil {
		return s, who, err
	}
	if who.key != "" || who.sas != "" { // then it only says which account
		if s.account == "" {
			s.account = c.account
		}
		if s.protocol == "" {
			s.protocol = c.protocol
		}
		return s, who, nil
	}
	if s.account != "" && c.account != "" && s.account != c.account {
		return s, who, invalid("AZURE_STORAGE_ACCOUNT and the connection string name different accounts", "leave one of them out")
	}
	return c.settings(), claims{key: c.key, sas: c.sas, connection: true}, nil
}

// printable refuses variables by name that hold a control character. Around a key and a
// token space is taken away, so that a line break behind one does no harm.
func printable(getenv func(string) string) error {
	names := append(slices.Sorted(maps.Keys(variables())), "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGEBLOB_CONNECTIONSTRING", "AZURE_TENANT_ID", "AZURE_CLIENT_ID",
		"AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST", "AZURE_POD_IDENTITY_AUTHORITY_HOST", "IDENTITY_ENDPOINT", "IDENTITY_HEADER")
	if err := contract.Printable(getenv, names...); err != nil {
		return err
	}
	return contract.Printable(func(name string) string { return strings.TrimSpace(getenv(name)) }, "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN")
}

// agree finds URLs that would send credentials elsewhere than the environment, from
// which they are, says: a key belongs to one account, and who gets a SAS token has
// all that it grants (google/go-cloud, pull request 3737).
func (c claims) agree(given, s settings) error {
	given.anonymous = s.anonymous
	switch {
	case given == s || c == claims{}:
		return nil
	case c.connection:
		return invalid("the connection string names the account and its address, and the URL another", "leave the URL's parameters out")
	case given.account != "" && given.account != s.account:
		return invalid("the key or SAS token is of the account that AZURE_STORAGE_ACCOUNT names, and the URL names another", "leave storage_account= out")
	}
	given.account = s.account
	if c.key == "" && given != s {
		return invalid("the URL changes the address that a SAS token is sent to", "set AZURE_STORAGE_DOMAIN, AZURE_STORAGE_PROTOCOL, AZURE_STORAGE_IS_CDN or AZURE_STORAGE_IS_LOCAL_EMULATOR instead")
	}
	return nil
}

// identify decides on who we are. An identity is looked up only when it is needed.
func (b *bucket) identify(who claims, s settings, getenv func(string) string) error {
	if who.key == "" && who.sas == "" && s.emulator && s.account == emulatorAccount {
		who.key = emulatorKey
	}
	switch {
	case s.anonymous:
	case who.key != "":
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(who.key))
		if err != nil || len(key) == 0 {
			return invalid("the account's key is not base64", "copy AZURE_STORAGE_KEY, or the connection string, again from the account's access keys")
		}
		b.key = &sharedKey{account: strings.TrimSuffix(s.account, "-secondary"), key: key} // a replica's address, the same account
	case who.sas != "":
		b.sas = strings.TrimPrefix(strings.TrimSpace(who.sas), "?")
		if q, err := url.ParseQuery(b.sas); err != nil || q.Get("sig") == "" || strings.ContainsAny(b.sas, " #\t\r\n") {
			return invalid("the SAS token is none: it has no signature", "AZURE_STORAGE_SAS_TOKEN is the part of a SAS URL after the question mark, as in sv=…&sig=…")
		}
	default:
		b.token = &web.Renewed[string]{Fetch: newIdentity(getenv, b.Client).fetch, Now: func() time.Time { return b.now() }}
	}
	return nil
}
