package s3

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"nth/shim/store/contract"
)

// credentials gives static keys: from the variables of the AWS SDKs, else from the
// profile in the shared files. They are read anew for each request, for a sidecar
// may write them while a run waits.
func (b *bucket) credentials() (aws.Credentials, error) {
	c := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}
	if c.HasKeys() && b.profile == "" {
		return c, nil
	}
	profile := b.profile
	if profile == "" {
		profile = "default"
	}
	home, _ := os.UserHomeDir() // without one, only the variables name a file
	for _, f := range []struct{ variable, path, section string }{
		{"AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, ".aws", "credentials"), profile},
		{"AWS_CONFIG_FILE", filepath.Join(home, ".aws", "config"), "profile " + profile},
	} {
		if path := os.Getenv(f.variable); path != "" {
			f.path = path
		}
		if f.section == "profile default" {
			f.section = "default"
		}
		if fromFile := readProfile(f.path, f.section); fromFile.HasKeys() {
			return fromFile, nil
		}
	}
	if c.HasKeys() {
		return c, nil
	}
	return c, &contract.Error{Kind: contract.Denied, Cause: errors.New("there are no credentials for S3"),
		Hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add anonymous=true to the URL"}
}

// readProfile reads one section of an AWS credentials or config file.
func readProfile(path, section string) (c aws.Credentials) {
	f, err := os.Open(path)
	if err != nil {
		return c
	}
	defer f.Close()
	inside := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if name, ok := strings.CutPrefix(line, "["); ok {
			inside = strings.Join(strings.Fields(strings.TrimSuffix(name, "]")), " ") == section
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !inside || !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "aws_access_key_id":
			c.AccessKeyID = value
		case "aws_secret_access_key":
			c.SecretAccessKey = value
		case "aws_session_token":
			c.SessionToken = value
		}
	}
	return c
}
