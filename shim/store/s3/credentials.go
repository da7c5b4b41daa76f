package s3

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"nth/shim/store/contract"
)

// credentials gives static keys: those of the profile that the URL names, else the
// variables', else those of AWS_PROFILE or the default profile in the shared files
// (the order of aws-sdk-go-v2's config). They are read anew for each request, for a
// sidecar may write them while a run waits.
func (b *bucket) credentials() (aws.Credentials, error) {
	if b.profile != "" {
		c := b.fromFiles(b.profile)
		if !c.HasKeys() {
			return c, &contract.Error{Kind: contract.Denied, Cause: fmt.Errorf("the profile %q has no keys", b.profile),
				Hint: "~/.aws/credentials, or the file that AWS_SHARED_CREDENTIALS_FILE names, must have aws_access_key_id and aws_secret_access_key there"}
		}
		return c, nil
	}
	c := aws.Credentials{AccessKeyID: b.getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: b.getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: b.getenv("AWS_SESSION_TOKEN")}
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", ""} {
		if c.HasKeys() {
			return c, nil
		}
		profile := "default"
		if variable != "" {
			if profile = b.getenv(variable); profile == "" {
				continue
			}
		}
		if c = b.fromFiles(profile); variable != "" {
			break // the one that is named, and no other
		}
	}
	if c.HasKeys() {
		return c, nil
	}
	return c, &contract.Error{Kind: contract.Denied, Cause: errors.New("there are no credentials for S3"),
		Hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add anonymous=true to the URL"}
}

// fromFiles gives a profile's keys from the shared credentials file, else from the
// config file.
func (b *bucket) fromFiles(profile string) (c aws.Credentials) {
	home, _ := os.UserHomeDir() // without one, only the variables name a file
	inConfig := "profile " + profile
	if profile == "default" {
		inConfig = profile
	}
	for _, f := range []struct{ variable, file, section string }{
		{"AWS_SHARED_CREDENTIALS_FILE", "credentials", profile},
		{"AWS_CONFIG_FILE", "config", inConfig},
	} {
		path := b.getenv(f.variable)
		if path == "" && home != "" {
			path = filepath.Join(home, ".aws", f.file)
		}
		if c = readProfile(path, f.section); c.HasKeys() {
			break
		}
	}
	return c
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
			name, _, _ = strings.Cut(name, "]")
			inside = strings.Join(strings.Fields(name), " ") == section
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !inside || !ok {
			continue
		}
		value, _, _ = strings.Cut(value, " #") // a comment
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
