package gcs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"nth/shim/disk"
	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// scope is all that nth needs (Cloud Storage, "OAuth 2.0 scopes").
const scope = "https://www.googleapis.com/auth/devstorage.read_write"

// identity is where Google's libraries look for who they are (Application Default
// Credentials): the file that GOOGLE_APPLICATION_CREDENTIALS names, gcloud's, and
// the metadata server of the machine, of a GKE pod and of Cloud Run. It looks anew
// each time, for an identity may be up later than we are.
type identity struct {
	getenv func(string) string
	client *http.Client // for token endpoints
	direct *http.Client // for the metadata server
}

func newIdentity(getenv func(string) string, client *http.Client) *identity {
	return &identity{getenv: getenv, client: client, direct: web.Direct()}
}

// fetch gives an access token, and when it ends.
func (i *identity) fetch(ctx context.Context) (string, time.Time, error) {
	if path := i.getenv("GOOGLE_APPLICATION_CREDENTIALS"); path != "" {
		content, err := disk.ReadFile(ctx, path, disk.Small)
		if err != nil {
			return "", time.Time{}, denied(fmt.Errorf("GOOGLE_APPLICATION_CREDENTIALS: %w", err), "is the secret mounted there?")
		}
		return i.exchange(ctx, path, content)
	}
	if home := i.getenv("HOME"); home != "" {
		path := filepath.Join(home, ".config", "gcloud", "application_default_credentials.json")
		if content, err := disk.ReadFile(ctx, path, disk.Small); err == nil {
			return i.exchange(ctx, path, content)
		}
	}
	return i.metadata(ctx)
}

func denied(cause error, hint string) error {
	return &contract.Error{Kind: contract.Denied, Cause: cause, Hint: hint}
}

// source is what matters here of a credentials file.
type source struct {
	Type              string
	CredentialSource  struct{ Executable *struct{} } `json:"credential_source"`
	SourceCredentials *source                        `json:"source_credentials"`
}

// exchange gets a token for a service account's key, a user's login, an external
// account (workload identity federation) or one that is impersonated.
func (i *identity) exchange(ctx context.Context, path string, content []byte) (string, time.Time, error) {
	var s source
	if err := json.Unmarshal(content, &s); err != nil {
		return "", time.Time{}, denied(fmt.Errorf("%s is not a credentials file", path), "it is the JSON that gcloud or the console wrote")
	}
	for at := &s; at != nil; at = at.SourceCredentials {
		if at.CredentialSource.Executable != nil {
			return "", time.Time{}, denied(fmt.Errorf("%s takes its credentials from a program", path), "nth runs none; use a file or a URL as the source")
		}
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, i.client)
	c, err := google.CredentialsFromJSONWithType(ctx, content, google.CredentialsType(s.Type), scope)
	if err != nil {
		return "", time.Time{}, denied(fmt.Errorf("%s holds no credentials that can be used: %s", path, said(err)), "")
	}
	token, err := c.TokenSource.Token()
	if err != nil {
		return "", time.Time{}, i.failed(ctx, path, err)
	}
	return token.AccessToken, token.Expiry, nil
}

// failed gives an exchange its meaning: 4xx is a refusal, all else no answer.
func (i *identity) failed(ctx context.Context, path string, err error) error {
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	if ok && e.Response != nil && e.Response.StatusCode/100 == 4 {
		var why struct { // RFC 6749, section 5.2; the library leaves it to us
			Error       string
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(e.Body, &why)
		return denied(fmt.Errorf("the identity of %s is refused: %s", path, web.Refusal(e.Response.StatusCode, why.Error, why.Description)), hintToken)
	}
	cause := fmt.Errorf("get a token for the identity of %s: %s", path, said(err))
	if ctx.Err() != nil {
		cause = fmt.Errorf("get a token for the identity of %s: %w", path, context.Cause(ctx))
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: cause}
}

// said gives a library's error in one line of a bounded length.
func said(err error) string {
	const most = 300
	text := err.Error()
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

// metadata asks the metadata server (Compute Engine, "Access metadata"; GKE's and
// Cloud Run's speak the same).
func (i *identity) metadata(ctx context.Context) (string, time.Time, error) {
	host := i.getenv("GCE_METADATA_HOST")
	if host == "" {
		host = "169.254.169.254"
	}
	none := func(why string) (string, time.Time, error) {
		return "", time.Time{}, denied(errors.New("there are no credentials for Google Cloud Storage: the metadata server "+why),
			"set GOOGLE_APPLICATION_CREDENTIALS, give the pod a service account, or add anonymous=true to the URL")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/computeMetadata/v1/instance/service-accounts/default/token", nil)
	if err != nil {
		return none("has no valid address in GCE_METADATA_HOST")
	}
	req.Header.Set("Metadata-Flavor", "Google")
	res, err := i.direct.Do(req)
	if err != nil {
		return none("doesn't answer")
	}
	var token struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"` // seconds
	}
	body, err := web.Body(ctx, res, "the metadata server", web.MaxError)
	switch {
	case err != nil:
		return "", time.Time{}, err
	case res.StatusCode != http.StatusOK:
		return none("answers with status " + res.Status)
	case res.Header.Get("Metadata-Flavor") != "Google" || json.Unmarshal(body, &token) != nil || token.AccessToken == "" || token.ExpiresIn <= 0:
		return none("is none of Google's")
	}
	return token.AccessToken, time.Now().Add(time.Duration(token.ExpiresIn) * time.Second), nil
}
