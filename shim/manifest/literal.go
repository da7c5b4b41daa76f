package manifest

import (
	"net/url"
	"slices"
	"strings"
)

// secret tells whether a variable, a header or a name in JSON is called as those are whose
// value nobody may see. What ends otherwise, such as TOKEN_FILE or token_count, says where
// or how many.
func secret(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	for _, end := range [...]string{"password", "passwd", "passphrase", "secret", "token", "credential", "credentials",
		"api_key", "apikey", "access_key", "private_key", "secret_key", "auth_key", "authorization", "cookie"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// literals names the flags in which a credential stands as it is, and not as a template that
// reads it there: then the manifest holds it too, and so does every list of what was typed.
func (j *job) literals() (flags []string) {
	found := func(flag, value string) {
		if value != "" && !strings.Contains(value, "<<") && !slices.Contains(flags, flag) {
			flags = append(flags, flag)
		}
	}
	for _, c := range []struct{ flag, url string }{{"--tasks", j.Tasks.URL}, {"--keep-url", j.API.KeepURL}, {"--done-url", j.API.DoneURL}, {"--fail-url", j.API.FailURL}, {"--unfinished-url", j.API.UnfinishedURL}} {
		_, address, spaced := strings.Cut(c.url, " ") // behind a method
		if !spaced {
			address = c.url
		}
		if u, err := url.Parse(address); err == nil {
			password, _ := u.User.Password()
			found("the URL of "+c.flag, password)
		}
	}
	for _, h := range j.API.HTTPHeader {
		name, value, _ := strings.Cut(h, "=")
		if secret(name) {
			found("--http-header "+name, value)
		}
	}
	for _, b := range j.API.HTTPBody {
		call, text, _ := strings.Cut(b, "=")
		parts := strings.Split(text, `"`) // each second one stood in quotes: "name": "value"
		for k := 1; k+2 < len(parts); k += 2 {
			if strings.TrimSpace(parts[k+1]) == ":" && secret(parts[k]) {
				found("--http-body "+call, parts[k+2])
			}
		}
	}
	for _, e := range j.Mapping.Env {
		if name, value, _ := strings.Cut(e, "="); secret(name) {
			found("--env "+name, value)
		}
	}
	return flags
}
