package store_test

import (
	"strings"
	"testing"

	"nth/shim/failure"
	"nth/shim/store"
)

// TestControlCharacters: a variable of credentials, or one that says where, that holds a
// control character is told at once, by its name, and nobody is asked.
func TestControlCharacters(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	for url, names := range map[string]string{
		"s3://b/p": "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION AWS_PROFILE AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE" +
			" AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONFIG_FILE",
		"gs://b/p": "GOOGLE_APPLICATION_CREDENTIALS STORAGE_EMULATOR_HOST GOOGLE_CLOUD_UNIVERSE_DOMAIN",
		"azblob://c/p": "AZURE_STORAGE_ACCOUNT AZURE_STORAGE_CONNECTION_STRING AZURE_STORAGE_DOMAIN AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_TENANT_ID" +
			" AZURE_FEDERATED_TOKEN_FILE AZURE_STORAGE_KEY AZURE_STORAGE_SAS_TOKEN",
	} {
		for _, name := range strings.Fields(names) {
			for value, says := range map[string]string{"canary\n": "ends in a line break", "canary\r\n": "ends in a line break", "can\nary": "has a line break in it", "can\x1bary": "has a control character in it"} {
				if says == "ends in a line break" && (name == "AZURE_STORAGE_KEY" || name == "AZURE_STORAGE_SAS_TOKEN") {
					continue // space around them is taken away
				}
				t.Run(name, func(t *testing.T) {
					t.Setenv(name, value)
					s, err := store.Open(t.Context(), url)
					if err == nil {
						_ = s.Close()
						t.Fatalf("%q: nothing was said", value)
					}
					if f := failure.From(err); f.Code != failure.Setup || !strings.Contains(f.Error(), "the variable "+name+" "+says) || strings.Contains(f.Error(), "canary") || strings.Contains(f.Error(), "ary") {
						t.Errorf("%q: code %d: %v", value, f.Code, f)
					}
				})
			}
		}
	}
	for url, name := range map[string]string{"s3://b?anonymous=true": "AWS_SECRET_ACCESS_KEY", "s3://b?profile=p": "AWS_SESSION_TOKEN"} {
		t.Run(url, func(t *testing.T) {
			t.Setenv(name, "x\n")
			open(t, url)
		})
	}
}
