package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"nth/shim/disk"
	"nth/shim/failure"
	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// document is how an endpoint or a program gives credentials.
type document struct {
	Version         int       // of a program's
	Code            string    // of a machine's: "Success"
	AccessKeyID     string    `json:"AccessKeyId"`
	SecretAccessKey string    `json:"SecretAccessKey"`
	Token           string    `json:"Token"`        // an endpoint's
	SessionToken    string    `json:"SessionToken"` // a program's
	Expiration      time.Time `json:"Expiration,omitzero"`
	Message         string
}

func (d document) credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: d.AccessKeyID, SecretAccessKey: d.SecretAccessKey, SessionToken: d.Token + d.SessionToken,
		Expires: d.Expiration, CanExpire: !d.Expiration.IsZero()}
}

func (i *Identity) hasContainer() bool {
	return i.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")+i.getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") != ""
}

// plainHosts may be asked without TLS, beside the loopback (AWS SDKs and Tools,
// "Container credential provider"): the agents of ECS and of EKS Pod Identity.
var plainHosts = []string{"169.254.170.2", "169.254.170.23", "fd00:ec2::23"}

// container asks the agent of ECS or of EKS Pod Identity.
func (i *Identity) container(ctx context.Context) (aws.Credentials, error) {
	address := i.getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if relative := i.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); relative != "" {
		address = "http://169.254.170.2" + relative
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return aws.Credentials{}, denied(errors.New("AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL"), "")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && !slices.Contains(plainHosts, u.Hostname()) && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return aws.Credentials{}, denied(errors.New("AWS_CONTAINER_CREDENTIALS_FULL_URI names another machine without TLS"), "")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return aws.Credentials{}, denied(errors.New("AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL"), "")
	}
	token := i.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
	if file := i.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
		content, err := disk.ReadFile(ctx, file, disk.Small)
		if err != nil {
			return aws.Credentials{}, denied(fmt.Errorf("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: %w", err), "")
		}
		token = strings.TrimSpace(string(content))
	}
	if strings.ContainsAny(token, "\r\n") {
		return aws.Credentials{}, denied(errors.New("the container's authorization token has more than one line"), "")
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	var d document
	if err := i.ask(ctx, i.direct, req, "the container's credentials endpoint", &d); err != nil {
		return aws.Credentials{}, err
	}
	return d.checked("the container's credentials endpoint")
}

// errNoMachine: nobody answers where a machine's metadata would be.
var errNoMachine error = failure.Text("no metadata service answers")

// machine asks the metadata service of EC2, version 2 (Amazon EC2 User Guide, "Use
// the Instance Metadata Service").
func (i *Identity) machine(ctx context.Context) (aws.Credentials, error) {
	if strings.EqualFold(i.getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		return aws.Credentials{}, errNoMachine
	}
	base := i.getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT")
	if base == "" {
		base = "http://169.254.169.254"
		if strings.EqualFold(i.getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), "IPv6") {
			base = "http://[fd00:ec2::254]"
		}
	}
	base = strings.TrimSuffix(base, "/")
	token, err := i.text(ctx, http.MethodPut, base+"/latest/api/token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
	if err != nil {
		return aws.Credentials{}, errNoMachine
	}
	const roles, header = "/latest/meta-data/iam/security-credentials/", "X-Aws-Ec2-Metadata-Token"
	role, err := i.text(ctx, http.MethodGet, base+roles, header, token)
	if role, _, _ = strings.Cut(role, "\n"); err != nil || role == "" {
		return aws.Credentials{}, errNoMachine // it has no role
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+roles+url.PathEscape(role), nil)
	if err != nil {
		return aws.Credentials{}, errNoMachine
	}
	req.Header.Set(header, token)
	var d document
	if err := i.ask(ctx, i.direct, req, "the machine's metadata service", &d); err != nil {
		return aws.Credentials{}, err
	}
	if d.Code != "" && d.Code != "Success" {
		return aws.Credentials{}, denied(fmt.Errorf("the machine's role %s has no credentials: %s", role, web.Refusal(http.StatusOK, d.Code, d.Message)), "")
	}
	return d.checked("the machine's metadata service")
}

// text asks for one line.
func (i *Identity) text(ctx context.Context, method, address, header, value string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set(header, value)
	res, err := i.direct.Do(req)
	if err != nil {
		return "", err
	}
	body, err := web.Body(ctx, res, "the metadata service", web.MaxError)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return strings.TrimSpace(string(body)), err
}

// ask gets a document: 4xx is a refusal, all else no answer.
func (i *Identity) ask(ctx context.Context, client *http.Client, req *http.Request, whom string, d *document) error {
	res, err := client.Do(req)
	if err != nil {
		e := web.Unreachable(ctx, err).(*contract.Error)
		return &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("ask %s: %w", whom, e.Cause)}
	}
	body, err := web.Body(ctx, res, whom, web.MaxError)
	if err != nil {
		return err
	}
	parsed := json.Unmarshal(body, d)
	if res.StatusCode != http.StatusOK {
		e := &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("ask %s: %s", whom, web.Refusal(res.StatusCode, d.Code, d.Message))}
		if res.StatusCode/100 == 4 && res.StatusCode != http.StatusTooManyRequests {
			e.Kind, e.Hint = contract.Denied, "does this pod, task or machine have a role?"
		}
		return e
	}
	if parsed != nil {
		return web.Foreign(whom, "no JSON came")
	}
	return nil
}

func (d document) checked(whom string) (aws.Credentials, error) {
	c := d.credentials()
	if !c.HasKeys() {
		return aws.Credentials{}, web.Foreign(whom, "its credentials are not whole")
	}
	return c, nil
}
