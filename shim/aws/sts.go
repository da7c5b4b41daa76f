package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"nth/shim/disk"
	"nth/shim/store/contract"
	"nth/shim/store/markup"
	"nth/shim/store/web"
)

// sessionName is what AWS's logs call us where nobody says otherwise.
const sessionName = "nth"

// webIdentity exchanges a token, which is read anew each time, for a role's keys.
func (i *Identity) webIdentity(ctx context.Context, file, role, session string) (aws.Credentials, error) {
	token, err := disk.ReadFile(ctx, file, disk.Small)
	if err != nil {
		return aws.Credentials{}, denied(fmt.Errorf("read the web identity's token: %w", err), "is the service account's token mounted there?")
	}
	if session == "" {
		session = sessionName
	}
	return i.sts(ctx, aws.Credentials{}, "AssumeRoleWithWebIdentity", url.Values{
		"RoleArn": {role}, "RoleSessionName": {session}, "WebIdentityToken": {strings.TrimSpace(string(token))}})
}

// assumeRole exchanges keys for those of a role.
func (i *Identity) assumeRole(ctx context.Context, with aws.Credentials, role string, p profile) (aws.Credentials, error) {
	form := url.Values{"RoleArn": {role}, "RoleSessionName": {sessionName}}
	for name, field := range map[string]string{"role_session_name": "RoleSessionName", "external_id": "ExternalId", "duration_seconds": "DurationSeconds"} {
		if v := p[name]; v != "" {
			form.Set(field, v)
		}
	}
	return i.sts(ctx, with, "AssumeRole", form)
}

// stsEndpoint gives the token service's address and the region that it signs for
// (AWS SDKs and Tools, "Service-specific endpoints"). It is always the region's own:
// AWS_STS_REGIONAL_ENDPOINTS asked for another only while some clients knew no better.
func (i *Identity) stsEndpoint() (address, region string) {
	if region = i.Region(); region == "" {
		region = "us-east-1"
	}
	if address = i.Endpoint("sts"); address != "" {
		return address, region
	}
	address = "https://sts." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		address += ".cn"
	}
	return address, region
}

// sts asks the token service (AWS STS API Reference), signed where there are keys.
func (i *Identity) sts(ctx context.Context, with aws.Credentials, action string, form url.Values) (aws.Credentials, error) {
	form.Set("Action", action)
	form.Set("Version", "2011-06-15")
	address, region := i.stsEndpoint()
	body := form.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(address, "/")+"/", strings.NewReader(body))
	if err != nil {
		return aws.Credentials{}, denied(errors.New("the endpoint that is configured for STS is no URL"), "")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if with.HasKeys() {
		sum := sha256.Sum256([]byte(body))
		if err := v4.NewSigner().SignHTTP(ctx, with, req, hex.EncodeToString(sum[:]), "sts", region, i.now()); err != nil {
			return aws.Credentials{}, &contract.Error{Kind: contract.Invalid, Cause: err}
		}
	}
	res, err := i.client.Do(req)
	if err != nil {
		e := web.Unreachable(ctx, err).(*contract.Error)
		return aws.Credentials{}, &contract.Error{Kind: e.Kind, Hint: e.Hint, Cause: fmt.Errorf("ask %s for the role %s: %w", req.URL.Host, form.Get("RoleArn"), e.Cause)}
	}
	answer, err := web.Body(ctx, res, "AWS STS", web.MaxError)
	if err != nil {
		return aws.Credentials{}, err
	}
	if token := form.Get("WebIdentityToken"); token != "" && res.StatusCode != http.StatusOK { // which must not be repeated
		answer = bytes.ReplaceAll(answer, []byte(token), []byte("…"))
	}
	return readSTS(res.StatusCode, action, form.Get("RoleArn"), answer)
}

// readSTS reads the answer: 4xx is a refusal, but for one that says "not so fast".
func readSTS(status int, action, role string, body []byte) (c aws.Credentials, err error) {
	doc, err := markup.Parse(body)
	if status != http.StatusOK {
		code, message := "", ""
		if err == nil && doc.Name == "ErrorResponse" {
			for _, e := range doc.All("Error") {
				code, message = e.Get("Code"), e.Get("Message")
			}
		}
		e := &contract.Error{Kind: contract.Denied, Cause: fmt.Errorf("assume the role %s: %s", role, web.Refusal(status, code, message)),
			Hint: "the role's trust policy must name this identity"}
		if status/100 != 4 || status == http.StatusTooManyRequests || code == "Throttling" || code == "IDPCommunicationError" {
			e.Kind, e.Hint = contract.Unreachable, ""
		}
		return c, e
	}
	foreign := func(why string) error { return web.Foreign("AWS STS", why) }
	if err != nil || doc.Name != action+"Response" {
		return c, foreign("no " + action + "Response came")
	}
	for _, name := range []string{action + "Result", "Credentials"} {
		parts := doc.All(name)
		if len(parts) != 1 {
			return c, foreign("it has no " + name)
		}
		doc = parts[0]
	}
	c = aws.Credentials{AccessKeyID: doc.Get("AccessKeyId"), SecretAccessKey: doc.Get("SecretAccessKey"), SessionToken: doc.Get("SessionToken"), CanExpire: true}
	c.Expires, err = time.Parse(time.RFC3339, doc.Get("Expiration"))
	if err != nil || !c.HasKeys() {
		return aws.Credentials{}, foreign("its credentials are not whole")
	}
	return c, nil
}
