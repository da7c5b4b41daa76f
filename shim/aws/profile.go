package aws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// profile is what the shared files say of one: names in small letters.
type profile map[string]string

func (p profile) keys() aws.Credentials {
	return aws.Credentials{AccessKeyID: p["aws_access_key_id"], SecretAccessKey: p["aws_secret_access_key"], SessionToken: p["aws_session_token"]}
}

func (p profile) hasIdentity() bool {
	return p.keys().HasKeys() || p["role_arn"] != "" || p["credential_process"] != ""
}

func (i *Identity) profileName() string {
	if i.profile != "" {
		return i.profile
	}
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if name := i.getenv(variable); name != "" {
			return name
		}
	}
	return "default"
}

// readProfile reads both shared files; of keys that both have, those of the
// credentials file count (AWS SDKs and Tools, "Shared config and credentials files").
func (i *Identity) readProfile(name string) (profile, bool) {
	inConfig := "profile " + name
	if name == "default" {
		inConfig = name
	}
	p := profile{}
	found := false
	for _, f := range []struct{ variable, file, section string }{
		{"AWS_CONFIG_FILE", "config", inConfig},
		{"AWS_SHARED_CREDENTIALS_FILE", "credentials", name},
	} {
		file, err := i.open(f.variable, f.file)
		if err != nil {
			continue
		}
		section := readSection(file, f.section)
		file.Close()
		if section.keys().HasKeys() {
			delete(p, "aws_session_token") // it would be of other keys
		}
		maps.Copy(p, section)
		found = found || section != nil
	}
	return p, found
}

// readSection reads one section of such a file; nil when there is none. Lines that are
// indented belong to the setting above them, which has several parts: s3.endpoint_url.
func readSection(file io.Reader, section string) profile {
	var p profile
	inside, whole := false, ""
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text := lines.Text()
		line := strings.TrimSpace(text)
		if name, ok := strings.CutPrefix(line, "["); ok {
			name, _, _ = strings.Cut(name, "]")
			if inside = strings.Join(strings.Fields(name), " ") == section; inside && p == nil {
				p = profile{}
			}
			continue
		}
		at := strings.IndexAny(line, "=:")
		if !inside || at < 0 || line[0] == '#' || line[0] == ';' {
			continue
		}
		name := strings.ToLower(strings.TrimSpace(line[:at]))
		if text[0] == ' ' || text[0] == '\t' {
			name = whole + "." + name
		} else {
			whole = name
		}
		p[name] = plain(name, line[at+1:])
	}
	return p
}

// plain gives a value without the comment after it, and without quotes around it,
// but for those of a command line, as the SDK for Go does.
func plain(name, value string) string {
	for _, comment := range []string{" #", " ;", "\t#", "\t;"} {
		value, _, _ = strings.Cut(value, comment)
	}
	value = strings.TrimSpace(value)
	if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] && name != "credential_process" {
		value = value[1 : n-1]
	}
	return value
}

// maxChain bounds profiles that name each other as their source.
const maxChain = 5

// fromProfile gives what a profile says, in the order of the SDK for Go.
func (i *Identity) fromProfile(ctx context.Context, name string, p profile, depth int) (aws.Credentials, error) {
	role := p["role_arn"]
	if depth > maxChain {
		return aws.Credentials{}, denied(errors.New("the profiles' source_profile go round in a circle"), "")
	}
	if file := p["web_identity_token_file"]; file != "" && role != "" {
		return i.webIdentity(ctx, file, role, p["role_session_name"])
	}
	if p["mfa_serial"] != "" && role != "" {
		return aws.Credentials{}, denied(fmt.Errorf("the profile %q asks a person for a code (mfa_serial)", name), "a Job needs a role of its own")
	}
	c, err := i.ofProfile(ctx, name, p, depth)
	if err != nil || role == "" {
		return c, err
	}
	return i.assumeRole(ctx, c, role, p)
}

// ofProfile gives the credentials with which a role is assumed, if there is one.
func (i *Identity) ofProfile(ctx context.Context, name string, p profile, depth int) (aws.Credentials, error) {
	source := p["source_profile"]
	switch {
	case p["role_arn"] != "" && source != "" && source != name:
		from, found := i.readProfile(source)
		if !found {
			return aws.Credentials{}, denied(fmt.Errorf("the profile %q has %q as its source, which isn't there", name, source), "")
		}
		return i.fromProfile(ctx, source, from, depth+1)
	case p.keys().HasKeys():
		return p.keys(), nil
	case p["credential_process"] != "":
		return i.process(ctx, p["credential_process"])
	}
	switch p["credential_source"] {
	case "Environment":
		if c := i.fromVariables(); c.HasKeys() {
			return c, nil
		}
	case "EcsContainer":
		return i.container(ctx)
	case "Ec2InstanceMetadata":
		return i.machine(ctx)
	}
	return aws.Credentials{}, denied(fmt.Errorf("the profile %q has a role and nothing to assume it with", name),
		"it needs source_profile, credential_source or web_identity_token_file")
}
