package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nth/shim/disk"
	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// resource is for whom the tokens are; it is the same in every Azure cloud (Azure,
// "Authorize access to blobs using Microsoft Entra ID").
const resource = "https://storage.azure.com/"

// identity gets tokens of Microsoft Entra ID, as Azure's SDKs do: for a client with
// its secret, for a workload (a projected service account token, on AKS), or for the
// managed identity of the machine or the app. It looks anew each time, for an
// identity may be up later than we are.
type identity struct {
	getenv func(string) string
	client *http.Client // for the authority
	direct *http.Client // for the machine's own services
}

func newIdentity(getenv func(string) string, client *http.Client) *identity {
	return &identity{getenv: getenv, client: client, direct: web.Direct()}
}

func denied(cause error, hint string) error {
	return &contract.Error{Kind: contract.Denied, Cause: cause, Hint: hint}
}

// fetch gives a token, and when it ends. The order is that of the SDKs'
// DefaultAzureCredential.
func (i *identity) fetch(ctx context.Context) (string, time.Time, error) {
	tenant, client := i.getenv("AZURE_TENANT_ID"), i.getenv("AZURE_CLIENT_ID")
	secret, file := i.getenv("AZURE_CLIENT_SECRET"), i.getenv("AZURE_FEDERATED_TOKEN_FILE")
	if secret == "" && file == "" {
		return i.managed(ctx, client)
	}
	if tenant == "" || client == "" {
		return "", time.Time{}, denied(errors.New("a client's secret or token is there, and not whose it is"), "set AZURE_TENANT_ID and AZURE_CLIENT_ID")
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "scope": {resource + ".default"}}
	if secret != "" {
		form.Set("client_secret", secret)
		return i.exchange(ctx, tenant, form)
	}
	assertion, err := disk.ReadFile(ctx, file, disk.Small) // each time: it is renewed there
	if err != nil {
		return "", time.Time{}, denied(fmt.Errorf("AZURE_FEDERATED_TOKEN_FILE: %w", err), "does the pod have the label azure.workload.identity/use: \"true\"?")
	}
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", strings.TrimSpace(string(assertion)))
	return i.exchange(ctx, tenant, form)
}

const (
	defaultAuthority = "https://login.microsoftonline.com/"
	hintClient       = "check AZURE_TENANT_ID, AZURE_CLIENT_ID and what proves it: the client's secret, or the federated credential with this issuer and subject"
	hintIdentity     = "set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or give the pod or the machine an identity with the role Storage Blob Data Contributor"
)

// exchange asks the authority (Microsoft identity platform, "Client credentials flow").
func (i *identity) exchange(ctx context.Context, tenant string, form url.Values) (string, time.Time, error) {
	authority := i.getenv("AZURE_AUTHORITY_HOST")
	if authority == "" {
		authority = defaultAuthority
	}
	u, err := url.Parse(authority)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && !loopback(u.Hostname()) {
		return "", time.Time{}, denied(errors.New("AZURE_AUTHORITY_HOST is not an https address"), "leave it out, or write "+defaultAuthority)
	}
	address := strings.TrimSuffix(authority, "/") + "/" + url.PathEscape(tenant) + "/oauth2/v2.0/token"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", time.Time{}, denied(errors.New("AZURE_AUTHORITY_HOST is no address"), "")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := i.client.Do(req)
	if err != nil {
		return "", time.Time{}, noAnswer(ctx, err)
	}
	return token(ctx, res, "the identity of AZURE_CLIENT_ID", hintClient, form.Get("client_secret"), form.Get("client_assertion"))
}

// managed asks App Service or Container Apps, if this is one, else the machine's
// metadata server (Azure, "How to use managed identities with App Service" and "…
// on a virtual machine").
func (i *identity) managed(ctx context.Context, client string) (string, time.Time, error) {
	address, version, header, value := i.getenv("IDENTITY_ENDPOINT"), "2019-08-01", "X-Identity-Header", i.getenv("IDENTITY_HEADER")
	if address == "" || value == "" {
		host := strings.TrimSuffix(i.getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST"), "/")
		if host == "" {
			host = "http://169.254.169.254"
		}
		address, version, header, value = host+"/metadata/identity/oauth2/token", "2018-02-01", "Metadata", "true"
	}
	query := url.Values{"api-version": {version}, "resource": {resource}}
	if client != "" {
		query.Set("client_id", client)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"?"+query.Encode(), nil)
	if err != nil {
		return "", time.Time{}, denied(errors.New("IDENTITY_ENDPOINT or AZURE_POD_IDENTITY_AUTHORITY_HOST is no address"), "")
	}
	req.Header.Set(header, value)
	defer i.direct.CloseIdleConnections() // it is asked once in hours
	res, err := i.direct.Do(req)
	switch {
	case ctx.Err() != nil:
		return "", time.Time{}, noAnswer(ctx, err)
	case err != nil:
		return "", time.Time{}, denied(errors.New("there are no credentials for Azure Blob Storage: no metadata server answers"), hintIdentity)
	}
	return token(ctx, res, "the managed identity", hintIdentity, i.getenv("IDENTITY_HEADER"))
}

// noAnswer says that it is about a token.
func noAnswer(ctx context.Context, err error) error {
	err = web.Unreachable(ctx, err)
	if e, ok := errors.AsType[*contract.Error](err); ok {
		e.Cause = fmt.Errorf("get a token: %w", e.Cause)
	}
	return err
}

// number is one that some endpoints write as text.
type number int64

func (n *number) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(text), `"`), 10, 64)
	*n = number(v)
	return err
}

// passing are the refusals that say "not now" (Azure, "Managed identities: handle
// errors": the metadata server starts, or is renewed).
var passing = []int{http.StatusNotFound, http.StatusGone, http.StatusTooManyRequests}

// token reads an endpoint's answer, of which a refusal must not repeat the secrets.
func token(ctx context.Context, res *http.Response, whose, hint string, secrets ...string) (string, time.Time, error) {
	body, err := web.Body(ctx, res, "an identity endpoint", web.MaxError)
	if err != nil {
		return "", time.Time{}, err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   number `json:"expires_in"` // seconds
		ExpiresOn   number `json:"expires_on"` // Unix time
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	err = json.Unmarshal(body, &answer)
	if res.StatusCode != http.StatusOK {
		said, _, _ := strings.Cut(answer.Description, " Trace ID:")
		said, _, _ = strings.Cut(said, "\r\n")
		for _, s := range secrets {
			if s != "" {
				said = strings.ReplaceAll(said, s, "…")
			}
		}
		kind := contract.Unreachable
		if res.StatusCode/100 == 4 && !slices.Contains(passing, res.StatusCode) {
			kind = contract.Denied
		}
		return "", time.Time{}, &contract.Error{Kind: kind, Cause: fmt.Errorf("no token for %s: %s", whose, web.Refusal(res.StatusCode, answer.Error, said)), Hint: hint}
	}
	ends := time.Unix(int64(answer.ExpiresOn), 0)
	if answer.ExpiresOn == 0 {
		ends = time.Now().Add(time.Duration(answer.ExpiresIn) * time.Second)
	}
	if err != nil || answer.AccessToken == "" || answer.ExpiresIn == 0 && answer.ExpiresOn == 0 || strings.ContainsAny(answer.AccessToken, "\r\n") {
		return "", time.Time{}, web.Foreign("an identity endpoint", "no token came")
	}
	return answer.AccessToken, ends, nil
}
