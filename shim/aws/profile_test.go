package aws

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// offline is an identity of these variables that nobody answers.
func offline(profile string, env ...map[string]string) *Identity {
	all := map[string]string{"AWS_EC2_METADATA_DISABLED": "true"}
	for _, e := range env {
		for name, value := range e {
			all[name] = value
		}
	}
	return New(profile, "", func(name string) string { return all[name] }, &http.Client{Transport: nobody{}})
}

type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }

func kind(err error) contract.Kind {
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e.Kind
	}
	return contract.Other
}

const sharedFile = "# keys\n[default]\naws_access_key_id = D\naws_secret_access_key=d= # mine\n\n[ work ]\r\nAWS_ACCESS_KEY_ID=W\r\naws_secret_access_key=w\naws_session_token=t\n" +
	"[half]\naws_access_key_id=H\n[both]\naws_access_key_id=B\naws_secret_access_key=b\n"

const configFile = "[default]\nregion = eu-north-1\n[profile sso]\nsso_session=x\nregion=x\n[profile conf]\naws_access_key_id: \"C\"\naws_secret_access_key='c' ; mine\ns3 =\n  region = no\n[conf2]\naws_access_key_id=X\naws_secret_access_key=x\n" +
	"[profile both]\naws_access_key_id=Y\naws_secret_access_key=y\naws_session_token=y\nregion=eu-west-2\n" +
	"[profile near]\nregion=eu-west-2\n[profile circle]\nrole_arn=r\nsource_profile=circle2\n[profile circle2]\nrole_arn=r\nsource_profile=circle\n[profile lost]\nrole_arn=r\nsource_profile=nobody\n" +
	"[profile bare]\nrole_arn=r\n[profile code]\nrole_arn=r\nsource_profile=both\nmfa_serial=m\n[profile quote]\ncredential_process = \"x\n"

// TestKeys: where keys that don't end come from, and which win.
func TestKeys(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", filepath.Join(dir, "nobody"))
	files := map[string]string{"AWS_SHARED_CREDENTIALS_FILE": write(t, dir+"/credentials", sharedFile), "AWS_CONFIG_FILE": write(t, dir+"/config", configFile)}
	keys := map[string]string{"AWS_ACCESS_KEY_ID": "V", "AWS_SECRET_ACCESS_KEY": "v"}
	profile := func(name string) map[string]string { return map[string]string{"AWS_PROFILE": name} }
	for _, c := range []struct {
		name, profile string
		env           []map[string]string
		want          [3]string
		says          string // of the refusal
	}{
		{"variables", "", []map[string]string{keys}, [3]string{"V", "v", ""}, ""},
		{"with a token", "", []map[string]string{keys, {"AWS_SESSION_TOKEN": "s"}}, [3]string{"V", "v", "s"}, ""},
		{"variables before files", "", []map[string]string{keys, files, profile("work")}, [3]string{"V", "v", ""}, ""},
		{"half of the variables", "", []map[string]string{files, {"AWS_ACCESS_KEY_ID": "V"}}, [3]string{"D", "d=", ""}, ""},
		{"default profile", "", []map[string]string{files}, [3]string{"D", "d=", ""}, ""},
		{"AWS_PROFILE", "", []map[string]string{files, profile("work")}, [3]string{"W", "w", "t"}, ""},
		{"AWS_DEFAULT_PROFILE", "", []map[string]string{files, {"AWS_DEFAULT_PROFILE": "work"}}, [3]string{"W", "w", "t"}, ""},
		{"the config file", "", []map[string]string{files, profile("conf")}, [3]string{"C", "c", ""}, ""},
		{"both files", "", []map[string]string{files, profile("both")}, [3]string{"B", "b", ""}, ""},
		{"the URL's profile before variables", "work", []map[string]string{files, keys}, [3]string{"W", "w", "t"}, ""},
		{"the URL's profile is not there", "nobody", []map[string]string{files, keys}, [3]string{}, `the profile "nobody" has no keys`},
		{"AWS_PROFILE is not there", "", []map[string]string{files, profile("nobody")}, [3]string{}, `the profile "nobody" has no keys`},
		{"a person's login", "sso", []map[string]string{files}, [3]string{}, "is a login of a person's"},
		{"a section that is no profile", "conf2", []map[string]string{files}, [3]string{}, "has no keys"},
		{"half a profile", "half", []map[string]string{files}, [3]string{}, "has no keys"},
		{"a circle", "circle", []map[string]string{files}, [3]string{}, "round in a circle"},
		{"no source", "lost", []map[string]string{files}, [3]string{}, `has "nobody" as its source`},
		{"a role alone", "bare", []map[string]string{files}, [3]string{}, "nothing to assume it with"},
		{"a code that a person must type", "code", []map[string]string{files}, [3]string{}, "asks a person for a code"},
		{"an open quote", "quote", []map[string]string{files}, [3]string{}, "a quote is not closed"},
		{"web identity without a role", "", []map[string]string{{"AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}}, [3]string{}, "AWS_ROLE_ARN isn't"},
		{"web identity without its file", "", []map[string]string{{"AWS_WEB_IDENTITY_TOKEN_FILE": dir + "/x", "AWS_ROLE_ARN": "r"}}, [3]string{}, "/x: no such file"},
		{"a region alone", "", []map[string]string{files, profile("near")}, [3]string{}, `the profile "near" has no keys`},
		{"nothing", "", nil, [3]string{}, "there are no credentials for AWS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := offline(c.profile, c.env...).Credentials(t.Context())
			if c.says != "" {
				if kind(err) != contract.Denied || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v; want it to say %q", err, c.says)
				}
				return
			}
			if diff := cmp.Diff(c.want, [3]string{got.AccessKeyID, got.SecretAccessKey, got.SessionToken}); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestRegion(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", filepath.Join(dir, "nobody"))
	files := map[string]string{"AWS_CONFIG_FILE": write(t, dir+"/config", configFile)}
	for _, c := range []struct {
		profile string
		env     map[string]string
		want    string
	}{
		{"", nil, "eu-north-1"},
		{"both", nil, "eu-west-2"},
		{"", map[string]string{"AWS_PROFILE": "both"}, "eu-west-2"},
		{"conf", nil, ""},
		{"both", map[string]string{"AWS_DEFAULT_REGION": "d"}, "d"},
		{"both", map[string]string{"AWS_DEFAULT_REGION": "d", "AWS_REGION": "r"}, "r"},
	} {
		if got := offline(c.profile, files, c.env).Region(); got != c.want {
			t.Errorf("%q %v: %q, want %q", c.profile, c.env, got, c.want)
		}
	}
}

// TestFilesAreReadAnew: a sidecar may write the keys while a run waits, and again.
func TestFilesAreReadAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	i := offline("", map[string]string{"AWS_SHARED_CREDENTIALS_FILE": path, "AWS_CONFIG_FILE": path})
	if _, err := i.Credentials(t.Context()); kind(err) != contract.Denied {
		t.Errorf("without the file: %v", err)
	}
	for _, key := range []string{"A", "B"} {
		write(t, path, "[default]\naws_access_key_id="+key+"\naws_secret_access_key=s\n")
		if c, err := i.Credentials(t.Context()); err != nil || c.AccessKeyID != key {
			t.Errorf("%q, %v; want %s", c.AccessKeyID, err, key)
		}
	}
}

func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		"/bin/a b  c":              {"/bin/a", "b", "c"},
		`"/opt/my tool" --x='y z'`: {"/opt/my tool", "--x=y z"},
		`a "" b`:                   {"a", "", "b"},
		`a \"b\" 'c\d'`:            {"a", `"b"`, `c\d`},
		`a\ b`:                     {"a b"},
		"":                         nil,
		"  ":                       nil,
		`a "b`:                     nil,
		`a \`:                      nil,
		`""`:                       nil,
	} {
		got, err := split(line)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%s: %v (-want +got):\n%s", line, err, diff)
		}
	}
}

// FuzzProfile: whatever stands in the file, a section has only its own settings.
func FuzzProfile(f *testing.F) {
	f.Add(sharedFile, "work")
	f.Add(configFile, "profile conf")
	f.Fuzz(func(t *testing.T, text, section string) {
		p := readSection(strings.NewReader(text), section)
		for name, value := range p {
			whole, part, _ := strings.Cut(name, ".") // of a setting of several parts
			if lower := strings.ToLower(text); !strings.Contains(lower, whole) || !strings.Contains(lower, part) || !strings.Contains(text, value) || strings.TrimSpace(value) != value {
				t.Errorf("%q=%q in section %q of %q", name, value, section, text)
			}
		}
		if p != nil && !strings.Contains(text, "[") {
			t.Errorf("section %q without any in %q", section, text)
		}
	})
}

// FuzzSplit: a line is words or an error, and no word appears from nowhere.
func FuzzSplit(f *testing.F) {
	f.Add(`"/opt/my tool" --x='y z' \ `)
	f.Fuzz(func(t *testing.T, line string) {
		words, err := split(line)
		if (err == nil) != (len(words) > 0) || len(strings.Join(words, "")) > 3*len(line) {
			t.Errorf("%q: %q, %v", line, words, err)
		}
	})
}
