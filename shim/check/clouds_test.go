package check_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"nth/testdata/servers"
)

// TestGCS: what one may not do is named as Google names it.
func TestGCS(t *testing.T) {
	server := servers.StartGCS(t)
	forbidden := servers.Answer(403, `{"error":{"code":403,"message":"x does not have access","errors":[{"reason":"forbidden"}]}}`)
	isUpload := func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/upload/") }
	isListing := func(r *http.Request) bool { return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/o") }
	isRead := func(r *http.Request) bool { return r.Method == http.MethodGet && !isListing(r) }
	created := false // by the request before
	isOverwrite := func(r *http.Request) bool {
		was := created
		created = created || isUpload(r)
		return was && isUpload(r) && r.URL.Query().Get("ifGenerationMatch") != "0"
	}
	const role = " (role Storage Object User)"
	for _, c := range []struct {
		name   string
		is     func(*http.Request) bool
		action servers.Action
		want   want
	}{
		{"may not read", isRead, forbidden, want{bad: "absent=failed stray=skipped create=skipped" + afterCreate, code: 77,
			missing: []string{"storage.objects.get" + role}, lacks: every, says: "(grant storage.objects.get" + role + ", or storage.objects.list" + role + ": without that"}},
		{"may not list", isListing, forbidden, want{bad: "absent=failed list=failed stray=skipped gone=skipped", code: 77,
			missing: []string{"storage.objects.list" + role}, lacks: every}},
		{"may not create", isUpload, forbidden, want{bad: "create=failed" + afterCreate, code: 77,
			missing: []string{"storage.objects.create" + role}, lacks: every}},
		{"may not overwrite", isOverwrite, forbidden, want{bad: "replace=failed replace-outdated=skipped overwrite=failed",
			missing: []string{"storage.objects.create and storage.objects.delete" + role}, lacks: rerun + " --record-start and failure records --claim"}},
		{"may not delete", isMethod("DELETE"), forbidden, want{bad: "delete=failed gone=skipped", missing: []string{"storage.objects.delete" + role},
			left: []string{"check-test-copy.json", "check-test-one.json", "check-test-race-1.json"}}},
		{"knows no conditions", isUpload, func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			q.Del("ifGenerationMatch")
			r.URL.RawQuery = q.Encode()
			servers.Pass(f, w, r)
		}, want{bad: "create-again=failed race=skipped replace-outdated=failed", code: 78, lacks: every}},
	} {
		t.Run(c.name, func(t *testing.T) {
			created = false
			bucket := strings.ReplaceAll(c.name, " ", "-")
			server.Bucket(t, bucket)
			fault := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
				if c.is(r) {
					return c.action
				}
				return nil
			})
			fault.Call(server.Address)
			setEnv(t, servers.GCSEnv(fault.URL))
			r := run(t, t.Context(), "gs://"+bucket+"/p", 0)
			setEnv(t, servers.GCSEnv(server.Address))
			compare(t, r, c.want, "gs://"+bucket+"/p")
		})
	}
}

// TestAzure: a SAS token that lacks a permission, as the server itself finds.
func TestAzure(t *testing.T) {
	server := servers.StartAzurite(t)
	const role = "the role Storage Blob Data Contributor, or to the SAS token "
	for _, c := range []struct {
		permissions string
		want        want
	}{
		{"rcwdl", want{}},
		{"cwdl", want{bad: "absent=failed stray=skipped create=skipped" + afterCreate, code: 77, missing: []string{role + "r"}, lacks: every, says: "(grant " + role + "r)"}},
		{"rcwd", want{bad: "list=failed", missing: []string{role + "l"}}},
		{"rdl", want{bad: "create=failed" + afterCreate, code: 77, missing: []string{role + "c or w"}, lacks: every}},
		{"rcwl", want{bad: "delete=failed gone=skipped", missing: []string{role + "d"},
			left: []string{"check-test-copy.json", "check-test-one.json", "check-test-race-1.json"}}},
	} {
		t.Run(c.permissions, func(t *testing.T) {
			container := "c-" + c.permissions
			server.Container(t, container)
			url := "azblob://" + container + "/p"
			sas := servers.AzureSAS(container, c.permissions, time.Now().Add(time.Hour))
			t.Setenv("AZURE_STORAGE_CONNECTION_STRING", servers.AzureConnection(server.Address, sas))
			r := run(t, t.Context(), url, 0)
			t.Setenv("AZURE_STORAGE_CONNECTION_STRING", servers.AzureConnection(server.Address, ""))
			compare(t, r, c.want, url)
		})
	}
}
