package store_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/servers"
)

// s3Servers are those that the driver is tested on. Each is unfaithful somewhere:
// versitygw answers an unknown key with 404, MinIO ignores the condition of a delete,
// and moto looks at keys only when it is told to.
var s3Servers = []struct {
	name    string
	start   func(testing.TB) *servers.S3
	enforce func(testing.TB, *servers.S3)
	unknown string // what it calls an unknown key
}{
	{"versitygw", servers.StartS3, nil, "status 404 XAdminUserNotFound"},
	{"MinIO", servers.StartMinIO, nil, "status 403 InvalidAccessKeyId"},
	{"moto", servers.StartMoto, func(t testing.TB, s *servers.S3) { servers.MotoEnforce(t, s, 0) }, "status 403 InvalidAccessKeyId"},
}

// wantAll asks for the kind of everything that a store does.
func wantAll(t *testing.T, s *store.Store, want contract.Kind, says string) {
	t.Helper()
	ctx, key := t.Context(), "done/1.json"
	_, _, read := s.Read(ctx, key)
	_, exists := s.Exists(ctx, key)
	for what, err := range map[string]error{
		"read": read, "exists": exists, "list": s.List(ctx, "", nil), "create": s.Create(ctx, key, nil), "put": s.Put(ctx, key, nil),
		"replace": s.Replace(ctx, key, nil, `"v"`), "delete": s.Delete(ctx, key), "copy": s.Copy(ctx, key, "done/2.json"),
	} {
		wantKind(t, what, err, want)
		if err != nil && (!strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "canary")) {
			t.Errorf("%s: want it to say %q: %v", what, says, err)
		}
	}
}

// TestUnknownKey: whatever the server calls it, it is a refusal and no absence.
func TestUnknownKey(t *testing.T) {
	for _, c := range s3Servers {
		t.Run(c.name, func(t *testing.T) {
			server := s3Bucket(t, c.start)
			if c.enforce != nil {
				c.enforce(t, server)
			}
			t.Setenv("AWS_ACCESS_KEY_ID", "nobody")
			wantAll(t, open(t, server.URL("data", "p")), contract.Denied, c.unknown)
		})
	}
}

// TestMissingBucket: a blob in no bucket isn't absent.
func TestMissingBucket(t *testing.T) {
	for _, c := range s3Servers {
		t.Run(c.name, func(t *testing.T) {
			wantAll(t, open(t, s3Bucket(t, c.start).URL("nothing", "p")), contract.Unreachable, "status 404 NoSuchBucket")
		})
	}
}

// role takes the keys away, and leaves a web identity in the variables, as EKS does,
// whose token is in a file. It gives the file's path.
func role(t *testing.T, server *servers.S3, arn string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": t.TempDir(),
		"AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": arn, "AWS_ROLE_SESSION_NAME": "pod", "AWS_ENDPOINT_URL_STS": "http://" + server.Address} {
		t.Setenv(name, value)
	}
	return file
}

// life is what a run does with a store.
func life(t *testing.T, s *store.Store) {
	t.Helper()
	must(t, "create", s.Create(t.Context(), "x", []byte("mine")))
	wantKind(t, "create again", s.Create(t.Context(), "x", nil), contract.Exists)
	if body, _, err := s.Read(t.Context(), "x"); string(body) != "mine" || err != nil {
		t.Errorf("it holds %q, %v", body, err)
	}
	must(t, "delete", s.Delete(t.Context(), "x"))
}

// TestRole: keys of a token service open a bucket that refuses all others. moto
// takes any token, and holds the keys to what it gave.
func TestRole(t *testing.T) {
	moto := s3Bucket(t, servers.StartMoto)
	file := role(t, moto, servers.MotoRole(t, moto))
	must(t, "write the token", os.WriteFile(file, []byte("token-canary"), 0o600))
	servers.MotoEnforce(t, moto, 1) // all but the token's exchange
	s := open(t, moto.URL("data", "p"))
	life(t, s)
	t.Setenv("AWS_ACCESS_KEY_ID", "nobody")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary")
	wantAll(t, open(t, moto.URL("data", "p")), contract.Denied, "InvalidAccessKeyId")
}

// issuer is an identity provider, as a Kubernetes cluster is one.
type issuer struct {
	*httptest.Server
	key *rsa.PrivateKey
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, "make a key", err)
	i := &issuer{key: key}
	text := base64.RawURLEncoding.EncodeToString
	i.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, i.URL, i.URL+"/keys")
		case "/keys":
			fmt.Fprintf(w, `{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"1","n":%q,"e":%q}]}`, text(key.N.Bytes()), text(big.NewInt(int64(key.E)).Bytes()))
		default:
			http.NotFound(w, r)
		}
	}))
	i.Start()
	t.Cleanup(i.Close)
	return i
}

// token is that of a service account whose policy stands in it.
func (i *issuer) token(t *testing.T, audience string, ends time.Time) []byte {
	t.Helper()
	claims, err := json.Marshal(map[string]any{"iss": i.URL, "sub": "system:serviceaccount:default:canary", "aud": audience, "exp": ends.Unix(), "policy": "readwrite"})
	must(t, "write the claims", err)
	text := base64.RawURLEncoding.EncodeToString
	signed := text([]byte(`{"alg":"RS256","kid":"1","typ":"JWT"}`)) + "." + text(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	must(t, "sign", err)
	return []byte(signed + "." + text(signature))
}

// TestWebIdentity: MinIO's token service verifies the token, and its bucket the keys
// and the session's token. The identity may be up later than we are.
func TestWebIdentity(t *testing.T) {
	const audience = "sts.amazonaws.com"
	issuer := startIssuer(t)
	minio := s3Bucket(t, func(t testing.TB) *servers.S3 {
		return servers.StartMinIOWith(t, "MINIO_IDENTITY_OPENID_CONFIG_URL="+issuer.URL+"/.well-known/openid-configuration",
			"MINIO_IDENTITY_OPENID_CLIENT_ID="+audience, "MINIO_IDENTITY_OPENID_CLAIM_NAME=policy")
	})
	file := role(t, minio, "arn:aws:iam::123456789012:role/writer")
	s := open(t, minio.URL("data", "p"))
	states := []struct {
		name  string
		token []byte // nil: no file
		says  string // "": it works
	}{
		{"not mounted yet", nil, "token: no such file"},
		{"expired", issuer.token(t, audience, time.Now().Add(-time.Hour)), "status 400"},
		{"for somebody else", issuer.token(t, "vault", time.Now().Add(time.Hour)), "status 400"},
		{"another's signature", startIssuer(t).token(t, audience, time.Now().Add(time.Hour)), "status 400"},
		{"ours", issuer.token(t, audience, time.Now().Add(time.Hour)), ""},
	}
	for _, state := range states[:len(states)-1] {
		if state.token != nil {
			must(t, "write the token", os.WriteFile(file, state.token, 0o600))
		}
		wantAll(t, s, contract.Denied, state.says)
	}
	tries := 0
	must(t, "at last", store.Retry(t.Context(), store.Policy{Window: time.Minute, Sleep: func(context.Context, time.Duration) error {
		return os.WriteFile(file, states[len(states)-1].token, 0o600)
	}}, func(ctx context.Context) error {
		tries++
		_, err := s.Exists(ctx, "x")
		return err
	}, nil))
	if tries != 2 {
		t.Errorf("%d tries, want 2", tries)
	}
	life(t, s)
}

// TestAssumedRole: a profile whose role is assumed with another's keys, by a request
// that MinIO's token service finds signed.
func TestAssumedRole(t *testing.T) {
	minio := s3Bucket(t, servers.StartMinIO)
	env := map[string]string{}
	for _, v := range servers.S3Env() {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	role(t, minio, "")
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "")
	config := filepath.Join(t.TempDir(), "config")
	must(t, "write the config", os.WriteFile(config, fmt.Appendf(nil,
		"[profile job]\nrole_arn = arn:aws:iam::123456789012:role/writer\nsource_profile = base\n[profile base]\naws_access_key_id = %s\naws_secret_access_key = %s\n"+
			"[profile wrong]\nrole_arn = arn:aws:iam::123456789012:role/writer\nsource_profile = other\n[profile other]\naws_access_key_id = %[1]s\naws_secret_access_key = canary\n",
		env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]), 0o600))
	t.Setenv("AWS_CONFIG_FILE", config)
	life(t, open(t, minio.URL("data", "p")+"&profile=job"))
	wantAll(t, open(t, minio.URL("data", "p")+"&profile=wrong"), contract.Denied, "assume the role arn:aws:iam::123456789012:role/writer: status 403")
}
