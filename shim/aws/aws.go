// Package aws finds out who asks Amazon's services, and in which region: by the
// variables, files and endpoints that the AWS SDKs know, in their order (AWS SDKs
// and Tools Reference Guide, "Standardized credential providers"). The SDK's own
// package for it would be 3.4 MB.
package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// Identity is who asks. What can end is fetched when it is first needed, and again
// before it ends; what can't is read anew each time, for a sidecar may write it
// while a run waits.
type Identity struct {
	profile string // that a URL names
	region  string // likewise
	getenv  func(string) string
	client  *http.Client // for services
	direct  *http.Client // for those of the machine itself
	now     func() time.Time
	held    web.Renewed[aws.Credentials]
	running atomic.Bool // no process may be started any more
	last    atomic.Pointer[aws.Credentials]
}

// New gives an identity without looking for it. A profile and a region that are named
// here are taken before all else; they may be empty.
func New(profile, region string, getenv func(string) string, client *http.Client) *Identity {
	i := &Identity{profile: profile, region: region, getenv: getenv, client: client, direct: web.Direct(), now: time.Now}
	i.held.Fetch = i.fetch
	i.held.Now = func() time.Time { return i.now() }
	return i
}

// ofKeys are the variables that are or name keys; others are of every request.
var (
	ofKeys = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}
	ofAll = []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_STS"}
)

// Check refuses variables that can't be what they should, by name: an error of the kind
// Invalid. Who asks anonymously, or with a profile that is named, needs no keys of them.
func (i *Identity) Check(anonymous bool) error {
	names := ofAll
	if !anonymous && i.profile == "" {
		names = append(names[:len(names):len(names)], ofKeys...)
	}
	return contract.Printable(i.getenv, names...)
}

// NoProcesses says that the command is about to run: nth's reaper would take the
// exit of a credential_process.
func (i *Identity) NoProcesses() { i.running.Store(true) }

// Drop forgets credentials that a service says have ended.
func (i *Identity) Drop() { i.held.Drop() }

// Region gives the region that was named, else that of the variables, else of the
// profile; "" for none.
func (i *Identity) Region() string {
	if i.region != "" {
		return i.region
	}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if region := i.getenv(name); region != "" {
			return region
		}
	}
	p, _ := i.readProfile(i.profileName())
	return p["region"]
}

// Credentials gives what to sign with.
func (i *Identity) Credentials(ctx context.Context) (aws.Credentials, error) {
	if i.profile == "" {
		if c := i.fromVariables(); c.HasKeys() {
			return c, nil
		}
	}
	if i.profile != "" || i.getenv("AWS_WEB_IDENTITY_TOKEN_FILE") == "" {
		if p, _ := i.readProfile(i.profileName()); p["role_arn"] == "" {
			if c := p.keys(); c.HasKeys() {
				return c, nil
			}
		}
	}
	return i.held.Get(ctx)
}

func (i *Identity) fromVariables() aws.Credentials {
	return aws.Credentials{AccessKeyID: i.getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: i.getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: i.getenv("AWS_SESSION_TOKEN")}
}

// fetch goes through what the variables' keys don't answer.
func (i *Identity) fetch(ctx context.Context) (aws.Credentials, time.Time, error) {
	c, err := i.find(ctx)
	return c, c.Expires, err
}

func (i *Identity) find(ctx context.Context) (aws.Credentials, error) {
	file, role := i.getenv("AWS_WEB_IDENTITY_TOKEN_FILE"), i.getenv("AWS_ROLE_ARN")
	if i.profile == "" && file != "" {
		if role == "" {
			return aws.Credentials{}, denied(errors.New("AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN isn't"), "set both, as a service account of EKS does")
		}
		return i.webIdentity(ctx, file, role, i.getenv("AWS_ROLE_SESSION_NAME"))
	}
	name := i.profileName()
	p, found := i.readProfile(name)
	named := i.profile != "" || i.getenv("AWS_PROFILE") != "" || i.getenv("AWS_DEFAULT_PROFILE") != ""
	switch {
	case found && p.hasIdentity():
		return i.fromProfile(ctx, name, p, 0)
	case found && p["sso_start_url"]+p["sso_session"] != "":
		return aws.Credentials{}, denied(fmt.Errorf("the profile %q is a login of a person's (SSO)", name),
			"aws configure export-credentials gives keys of it for a while; a Job needs a role of its own")
	case named && !found:
		return aws.Credentials{}, noKeys(name)
	case i.hasContainer(): // also for a profile that has no more than a region
		return i.container(ctx)
	}
	c, err := i.machine(ctx)
	switch {
	case errors.Is(err, errNoMachine) && named:
		err = noKeys(name)
	case errors.Is(err, errNoMachine):
		err = denied(errors.New("there are no credentials for AWS"), "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod a role; anonymous=true in an s3:// URL asks without any")
	}
	return c, err
}

func noKeys(profile string) error {
	return denied(fmt.Errorf("the profile %q has no keys", profile),
		"~/.aws/credentials, or the file that AWS_SHARED_CREDENTIALS_FILE names, must have aws_access_key_id and aws_secret_access_key there")
}

func denied(cause error, hint string) error {
	return &contract.Error{Kind: contract.Denied, Cause: cause, Hint: hint}
}

// Sign signs a request to a service, whose body has this SHA-256 in hexadecimal.
func (i *Identity) Sign(ctx context.Context, signer *v4.Signer, req *http.Request, hash, service, region string) error {
	c, err := i.Credentials(ctx)
	if err != nil {
		return err
	}
	if err := signer.SignHTTP(ctx, c, req, hash, service, region, i.now()); err != nil {
		return &contract.Error{Kind: contract.Invalid, Cause: err}
	}
	return nil
}
