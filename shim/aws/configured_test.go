package aws

import (
	"maps"
	"testing"
)

const endpointsFile = `[default]
endpoint_url = http://default:1 # the lab
services = none

[profile lab]
region = us-east-1
services = lab stores
endpoint_url = http://lab:1
s3 =
  endpoint_url = http://not-here:1

[services lab stores]
s3 =
  endpoint_url = http://lab-s3:1
  ; max = 3
sts =
	endpoint_url = "http://lab-sts:1"
dynamodb =
  endpoint_url = http://lab-db:1

[profile half]
services = lab stores

[profile off]
services = lab stores
endpoint_url = http://off:1
ignore_configured_endpoint_urls = true

[profile lab stores]
endpoint_url = http://another:1
`

// TestEndpoint: where each service is asked, in the order of the SDKs.
func TestEndpoint(t *testing.T) {
	dir := t.TempDir()
	file := map[string]string{"AWS_CONFIG_FILE": write(t, dir+"/config", endpointsFile), "AWS_SHARED_CREDENTIALS_FILE": dir + "/none"}
	type env = map[string]string
	for _, c := range []struct {
		name, profile string
		env           env
		s3, sqs, sts  string
	}{
		{"the default profile's", "", nil, "http://default:1", "http://default:1", "http://default:1"},
		{"a services section before the profile", "lab", nil, "http://lab-s3:1", "http://lab:1", "http://lab-sts:1"},
		{"by the variable", "", env{"AWS_PROFILE": "lab"}, "http://lab-s3:1", "http://lab:1", "http://lab-sts:1"},
		{"a services section alone", "half", nil, "http://lab-s3:1", "", "http://lab-sts:1"},
		{"a service's variable before all", "lab", env{"AWS_ENDPOINT_URL_S3": "http://v3:1"}, "http://v3:1", "http://lab:1", "http://lab-sts:1"},
		{"the variable of all before the file", "lab", env{"AWS_ENDPOINT_URL": "http://v:1", "AWS_ENDPOINT_URL_SQS": "http://vq:1"}, "http://v:1", "http://vq:1", "http://v:1"},
		{"none, says the variable", "lab", env{"AWS_ENDPOINT_URL": "http://v:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"}, "", "", ""},
		{"none, says the profile", "off", env{"AWS_ENDPOINT_URL_S3": "http://v:1"}, "", "", ""},
		{"the variable says otherwise", "off", env{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"}, "http://lab-s3:1", "http://off:1", "http://lab-sts:1"},
		{"no such profile", "nobody", nil, "", "", ""},
	} {
		all := maps.Clone(file)
		maps.Copy(all, c.env)
		i := New(c.profile, "", func(name string) string { return all[name] }, nil)
		for service, want := range map[string]string{"s3": c.s3, "sqs": c.sqs, "sts": c.sts} {
			if got := i.Endpoint(service); got != want {
				t.Errorf("%s: %s is asked at %q, want %q", c.name, service, got, want)
			}
		}
		if got, _ := i.stsEndpoint(); c.sts != "" && got != c.sts {
			t.Errorf("%s: STS is asked at %q", c.name, got)
		}
	}
}
