package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
)

// cloud plays Amazon's services: every host's requests come to it.
type cloud struct {
	t     *testing.T
	url   *url.URL
	calls []string
	serve func(w http.ResponseWriter, r *http.Request, form url.Values)
}

func startCloud(t *testing.T, serve func(http.ResponseWriter, *http.Request, url.Values)) *cloud {
	c := &cloud{t: t, serve: serve}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	var err error
	if c.url, err = url.Parse(server.URL); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.calls = append(c.calls, r.Method+" "+r.Host+r.URL.Path)
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	c.serve(w, r, form)
}

// RoundTrip sends what is meant for Amazon to the server.
func (c *cloud) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host, r.URL.Scheme, r.URL.Host = r.URL.Host, "http", c.url.Host
	return http.DefaultTransport.RoundTrip(r)
}

// identity is of these variables, and asks the cloud.
func (c *cloud) identity(profile string, env map[string]string) *Identity {
	client := &http.Client{Transport: c}
	i := New(profile, "", func(name string) string { return env[name] }, client)
	i.direct = client
	return i
}

func stsAnswer(action, key string, ends time.Time) string {
	return fmt.Sprintf(`<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials><AccessKeyId>%[2]s</AccessKeyId>
<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%[3]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>`, action, key, ends.UTC().Format(time.RFC3339))
}

func agentAnswer(key string, ends time.Time) string {
	return fmt.Sprintf(`{"Code":"Success","AccessKeyId":%q,"SecretAccessKey":"s","Token":"t","Expiration":%q}`, key, ends.UTC().Format(time.RFC3339))
}

func wantKeys(t *testing.T, i *Identity, key string) {
	t.Helper()
	c, err := i.Credentials(t.Context())
	if diff := cmp.Diff([3]string{key, "s", "t"}, [3]string{c.AccessKeyID, c.SecretAccessKey, c.SessionToken}); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func wantCalls(t *testing.T, c *cloud, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, c.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func wantForm(t *testing.T, form url.Values, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for name := range form {
		got[name] = form.Get(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the form (-want +got):\n%s", diff)
	}
}

// TestWebIdentity: a service account of EKS. The token is read anew at each renewal.
func TestWebIdentity(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	now, file := time.Now(), filepath.Join(t.TempDir(), "token")
	c := startCloud(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
		token, _ := os.ReadFile(file)
		wantForm(t, form, map[string]string{"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": "arn:role", "RoleSessionName": "me",
			"WebIdentityToken": strings.TrimSpace(string(token))})
		if r.Header.Get("Authorization") != "" {
			t.Error("it is signed")
		}
		_, _ = io.WriteString(w, stsAnswer("AssumeRoleWithWebIdentity", "K"+form.Get("WebIdentityToken"), now.Add(time.Hour)))
	})
	i := c.identity("", map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:role", "AWS_ROLE_SESSION_NAME": "me", "AWS_REGION": "eu-west-3"})
	i.now = func() time.Time { return now }
	write(t, file, "1\n")
	wantKeys(t, i, "K1")
	write(t, file, "2\n")
	wantKeys(t, i, "K1")
	now = now.Add(56 * time.Minute)
	wantKeys(t, i, "K2")
	i.Drop()
	write(t, file, "3\n")
	wantKeys(t, i, "K3")
	sts := "POST sts.eu-west-3.amazonaws.com/"
	wantCalls(t, c, sts, sts, sts)
}

// TestAssumeRole: profiles that lead to a role, signed with what they have.
func TestAssumeRole(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	token := write(t, dir+"/token", "jwt")
	config := write(t, dir+"/config", "[profile base]\naws_access_key_id=BASE\naws_secret_access_key=s\n"+
		"[profile role]\nrole_arn=arn:one\nsource_profile=base\nexternal_id=x\nduration_seconds=900\nrole_session_name=me\nregion=us-west-2\n"+
		"[profile chain]\nrole_arn=arn:two\nsource_profile=role\n[profile self]\nrole_arn=arn:self\nsource_profile=self\naws_access_key_id=SELF\naws_secret_access_key=s\n"+
		"[profile env]\nrole_arn=arn:env\ncredential_source=Environment\n[profile task]\nrole_arn=arn:task\ncredential_source=EcsContainer\n[profile machine]\nrole_arn=arn:machine\ncredential_source=Ec2InstanceMetadata\n"+
		"[profile web]\nrole_arn=arn:web\nweb_identity_token_file="+token+"\n")
	for _, c := range []struct {
		profile string
		keys    string // of the last call
		want    []string
	}{
		{"role", "arn:one", []string{"BASE arn:one x 900 me"}},
		{"chain", "arn:two", []string{"BASE arn:one x 900 me", "arn:one arn:two   nth"}},
		{"self", "arn:self", []string{"SELF arn:self   nth"}},
		{"env", "arn:env", []string{"ENV arn:env   nth"}},
		{"task", "arn:task", []string{"AGENT arn:task   nth"}},
		{"machine", "arn:machine", []string{"AGENT arn:machine   nth"}},
		{"web", "arn:web", []string{" arn:web   nth"}},
	} {
		var got []string
		cloud := startCloud(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
			switch {
			case strings.HasPrefix(r.Host, "sts."):
				_, who, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
				who, _, _ = strings.Cut(who, "/2")
				got = append(got, strings.Join([]string{who, form.Get("RoleArn"), form.Get("ExternalId"), form.Get("DurationSeconds"), form.Get("RoleSessionName")}, " "))
				_, _ = io.WriteString(w, stsAnswer(form.Get("Action"), form.Get("RoleArn"), time.Now().Add(time.Hour)))
			case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
				_, _ = io.WriteString(w, "a-role\n")
			default:
				_, _ = io.WriteString(w, agentAnswer("AGENT", time.Now().Add(time.Hour)))
			}
		})
		i := cloud.identity(c.profile, map[string]string{"AWS_CONFIG_FILE": config, "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s",
			"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/task"})
		wantKeys(t, i, c.keys)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: calls to STS (-want +got):\n%s", c.profile, diff)
		}
	}
}

func TestSTSEndpoint(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	for _, c := range []struct {
		env  map[string]string
		want [2]string
	}{
		{nil, [2]string{"https://sts.us-east-1.amazonaws.com", "us-east-1"}},
		{map[string]string{"AWS_REGION": "cn-north-1"}, [2]string{"https://sts.cn-north-1.amazonaws.com.cn", "cn-north-1"}},
		{map[string]string{"AWS_REGION": "r", "AWS_ENDPOINT_URL": "http://all"}, [2]string{"http://all", "r"}},
		{map[string]string{"AWS_REGION": "r", "AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_STS": "http://sts"}, [2]string{"http://sts", "r"}},
	} {
		address, region := offline("", c.env).stsEndpoint()
		if diff := cmp.Diff(c.want, [2]string{address, region}); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.env, diff)
		}
	}
}

// TestContainer: the agents of ECS and of EKS Pod Identity.
func TestContainer(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	file := write(t, filepath.Join(t.TempDir(), "token"), "from a file\n")
	near := write(t, filepath.Join(t.TempDir(), "config"), "[profile near]\nregion = eu-west-1\n")
	for _, c := range []struct {
		name, call, token string
		env               map[string]string
	}{
		{"ECS", "GET 169.254.170.2/v2/x", "", map[string]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"}},
		{"EKS", "GET 169.254.170.23/v1/credentials", "from a file", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file}},
		{"for a profile that has a region alone", "GET 169.254.170.2/v2/x", "", map[string]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x", "AWS_PROFILE": "near", "AWS_CONFIG_FILE": near}},
		{"a token", "GET localhost:9/x", "t", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost:9/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "t"}},
		{"IPv6", "GET [fd00:ec2::23]/x", "", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[fd00:ec2::23]/x"}},
		{"TLS", "GET example.com/x", "", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://example.com/x"}},
	} {
		cloud := startCloud(t, func(w http.ResponseWriter, r *http.Request, _ url.Values) {
			if got := r.Header.Get("Authorization"); got != c.token {
				t.Errorf("%s: authorization %q, want %q", c.name, got, c.token)
			}
			_, _ = io.WriteString(w, agentAnswer("A", time.Now().Add(time.Hour)))
		})
		wantKeys(t, cloud.identity("", c.env), "A")
		wantCalls(t, cloud, c.call)
	}
	for _, address := range []string{"http://example.com/x", "http://10.0.0.1/x", "/x", "ftp://%zz"} {
		_, err := offline("", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": address}).Credentials(t.Context())
		if kind(err) != contract.Denied {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestMachine: EC2's metadata, version 2, which needs a token of its own.
func TestMachine(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	for host, env := range map[string]map[string]string{
		"169.254.169.254":  nil,
		"[fd00:ec2::254]":  {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv6"},
		"metadata.test:80": {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://metadata.test:80/"},
	} {
		cloud := startCloud(t, func(w http.ResponseWriter, r *http.Request, _ url.Values) {
			switch {
			case r.Method == http.MethodPut && r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds") == "21600":
				_, _ = io.WriteString(w, "imds")
			case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "imds":
				t.Errorf("%s without a token", r.URL)
			case strings.HasSuffix(r.URL.Path, "/"):
				_, _ = io.WriteString(w, "a-role\n")
			default:
				_, _ = io.WriteString(w, agentAnswer("M", time.Now().Add(time.Hour)))
			}
		})
		wantKeys(t, cloud.identity("", env), "M")
		wantCalls(t, cloud, "PUT "+host+"/latest/api/token", "GET "+host+"/latest/meta-data/iam/security-credentials/", "GET "+host+"/latest/meta-data/iam/security-credentials/a-role")
	}
}

// TestLateIdentity: an identity that is refused at first, as in the first seconds of
// a pod, is asked for again; and how a refusal reads.
func TestLateIdentity(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	file := write(t, filepath.Join(t.TempDir(), "token"), "canary")
	web := map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:role"}
	agent := map[string]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "canary"}
	for _, c := range []struct {
		name   string
		env    map[string]string
		status int
		body   string
		kind   contract.Kind
		says   string
	}{
		{"STS refuses", web, 403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>",
			contract.Denied, "assume the role arn:role: status 403 AccessDenied: Not authorized"},
		{"STS repeats the token", web, 400, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>bad: canary</Message></Error></ErrorResponse>", contract.Denied, "InvalidIdentityToken: bad: …"},
		{"STS is slow", web, 400, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>", contract.Unreachable, "Throttling"},
		{"STS is down", web, 503, "", contract.Unreachable, "status 503"},
		{"STS is a login page", web, 200, "<html></html>", contract.Unreachable, "not AWS STS's"},
		{"STS forgets the secret", web, 200, strings.Replace(stsAnswer("AssumeRoleWithWebIdentity", "K", time.Now()), "<SecretAccessKey>s</SecretAccessKey>", "", 1), contract.Unreachable, "not whole"},
		{"STS forgets the end", web, 200, strings.Replace(stsAnswer("AssumeRoleWithWebIdentity", "K", time.Now()), "<Expiration>", "<X/><Expiration>x", 1), contract.Unreachable, "not whole"},
		{"the agent refuses", agent, 403, `{"code":"AccessDeniedException","message":"no association"}`, contract.Denied, "ask the container's credentials endpoint: status 403 AccessDeniedException: no association"},
		{"the agent is down", agent, 500, "", contract.Unreachable, "status 500"},
		{"the agent says nothing", agent, 200, "", contract.Unreachable, "no JSON came"},
		{"the agent has no keys", agent, 200, "{}", contract.Unreachable, "not whole"},
		{"the machine has no role", nil, 404, "", contract.Denied, "there are no credentials for AWS"},
	} {
		ready := false
		cloud := startCloud(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
			switch {
			case !ready:
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			case form.Get("Action") != "":
				_, _ = io.WriteString(w, stsAnswer(form.Get("Action"), "late", time.Now().Add(time.Hour)))
			default:
				_, _ = io.WriteString(w, agentAnswer("late", time.Now().Add(time.Hour)))
			}
		})
		i := cloud.identity("", c.env)
		_, err := i.Credentials(t.Context())
		if err == nil || kind(err) != c.kind || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: kind %d, want %d and %q: %v", c.name, kind(err), c.kind, c.says, err)
		}
		ready = true
		wantKeys(t, i, "late")
	}
	if _, err := offline("", web).Credentials(t.Context()); kind(err) != contract.Unreachable || !strings.Contains(err.Error(), "ask sts.us-east-1.amazonaws.com for the role arn:role: no route") {
		t.Errorf("no STS: %v", err)
	}
	i := offline("", agent)
	i.direct = &http.Client{Transport: nobody{}}
	if _, err := i.Credentials(t.Context()); kind(err) != contract.Unreachable || !strings.Contains(err.Error(), "ask the container's credentials endpoint: no route") {
		t.Errorf("no agent: %v", err)
	}
}

// The test binary is also a credential_process.
func TestMain(m *testing.M) {
	if text := os.Getenv("TEST_PRINT"); text != "" && len(os.Args) == 3 {
		fmt.Printf(text, os.Args[2])
		os.Exit(map[string]int{"fail": 3}[os.Args[1]])
	}
	os.Exit(m.Run())
}

// TestProcess: a program's keys, renewed by running it again, but never beside the
// command.
func TestProcess(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	tool := filepath.Join(dir, "my tool")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, tool); err != nil {
		t.Fatal(err)
	}
	config := write(t, dir+"/config", fmt.Sprintf("[profile ok]\ncredential_process = %q give 'a b'\n[profile fail]\ncredential_process = %q fail x\n[profile none]\ncredential_process = /no/such/tool\n", tool, tool))
	env := map[string]string{"AWS_CONFIG_FILE": config}
	now := time.Now()
	print := func(key string, ends time.Time) {
		t.Setenv("TEST_PRINT", fmt.Sprintf(`{"Version":1,"AccessKeyId":"%s %%s","SecretAccessKey":"s","SessionToken":"t","Expiration":%q}`, key, ends.UTC().Format(time.RFC3339)))
	}
	i := offline("ok", env)
	i.now = func() time.Time { return now }
	print("one", now.Add(time.Hour))
	wantKeys(t, i, "one a b")
	print("two", now.Add(2*time.Hour))
	wantKeys(t, i, "one a b")
	now = now.Add(time.Hour)
	wantKeys(t, i, "two a b")
	i.NoProcesses()
	now = now.Add(2 * time.Hour)
	print("three", now.Add(time.Hour))
	wantKeys(t, i, "two a b")
	i.Drop()
	wantKeys(t, i, "two a b")

	held := offline("ok", map[string]string{"AWS_CONFIG_FILE": write(t, dir+"/held", "[profile ok]\ncredential_process = sh -c 'sleep 100 2>/dev/null & exec cat /dev/null'\n")})
	if _, err := held.Credentials(context.Background()); kind(err) != contract.Denied {
		t.Errorf("a child that holds stdout: %v", err)
	}

	late := offline("ok", env)
	late.NoProcesses()
	for name, c := range map[string]struct {
		identity *Identity
		print    string
		says     string
	}{
		"first beside the command": {late, "x", "can't be run beside the command"},
		"it fails":                 {offline("fail", env), "canary%s", "my tool: exit status 3"},
		"it isn't there":           {offline("none", env), "x", "/no/such/tool"},
		"no JSON":                  {offline("ok", env), "canary%s", "printed no credentials"},
		"another version":          {offline("ok", env), `{"Version":2,"AccessKeyId":"%s","SecretAccessKey":"s"}`, "printed no credentials"},
	} {
		t.Setenv("TEST_PRINT", c.print)
		_, err := c.identity.Credentials(context.Background())
		if kind(err) != contract.Denied || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// FuzzSTS: whatever the token service answers is whole credentials or an error.
func FuzzSTS(f *testing.F) {
	f.Add(200, []byte(stsAnswer("AssumeRole", "K", time.Now())))
	f.Add(403, []byte("<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"))
	f.Add(200, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		c, err := readSTS(status, "AssumeRole", "arn:role", body)
		if (err == nil) != c.HasKeys() || err == nil && (status != 200 || c.Expires.IsZero()) || err != nil && kind(err) == contract.Other {
			t.Errorf("status %d %q: %+v, %v", status, body, c.CanExpire, err)
		}
	})
}

// FuzzDocument: of an endpoint's or a program's JSON likewise.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(agentAnswer("K", time.Now())))
	f.Add([]byte(`{"Version":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var d document
		if json.Unmarshal(body, &d) != nil {
			return
		}
		if c, err := d.checked("it"); (err == nil) != c.HasKeys() {
			t.Errorf("%q: %v", body, err)
		}
	})
}
