package check

import (
	"fmt"
	"net/url"
	"os"
	"strings"
)

// right is what one may be allowed to do.
type right int

const (
	toRead right = iota
	toList
	toCreate
	toOverwrite
	toDelete
	toCopy
	countRights
)

// rights are the names of all rights.
type rights [countRights]string

// permissions are the usual names of the rights, by the URL's scheme. Where listing
// tells, who may not list gets a refusal for a key that isn't there (Amazon S3,
// GetObject; Cloud Storage, "Troubleshooting": 403). Google's storage.objects.delete
// is also what overwriting needs (Cloud Storage, "IAM permissions for JSON
// methods"); Azure's letters are those of a SAS token ("Create a service SAS").
// Arrays, for a map would be made at the start of every run.
var permissions = [...]struct {
	scheme    string
	listTells bool
	names     rights
}{
	{"s3", true, rights{
		toRead: "s3:GetObject", toList: "s3:ListBucket", toCreate: "s3:PutObject", toOverwrite: "s3:PutObject",
		toDelete: "s3:DeleteObject", toCopy: "s3:GetObject and s3:PutObject",
	}},
	{"gs", true, rights{
		toRead: "storage.objects.get" + roleGCS, toList: "storage.objects.list" + roleGCS, toCreate: "storage.objects.create" + roleGCS,
		toOverwrite: "storage.objects.create and storage.objects.delete" + roleGCS, toDelete: "storage.objects.delete" + roleGCS,
		toCopy: "storage.objects.get and storage.objects.create" + roleGCS,
	}},
	{"azblob", false, rights{
		toRead: roleAzure + "r", toList: roleAzure + "l", toCreate: roleAzure + "c or w", toOverwrite: roleAzure + "w",
		toDelete: roleAzure + "d", toCopy: roleAzure + "r and w",
	}},
	{"file", false, rights{
		toRead: "read access to ", toList: "read access to ", toCreate: "write access to ", toOverwrite: "write access to ",
		toDelete: "write access to ", toCopy: "read and write access to ",
	}},
}

const (
	roleGCS   = " (role Storage Object User)"
	roleAzure = "the role Storage Blob Data Contributor, or to the SAS token "
)

// rightsOf names the rights for the store of a URL, and tells whether listing tells.
func rightsOf(u *url.URL) (named rights, listTells bool) {
	for _, p := range permissions {
		if p.scheme == u.Scheme {
			named, listTells = p.names, p.listTells
		}
	}
	if u.Scheme == "file" {
		for i, name := range named {
			named[i] = fmt.Sprintf("%s%s for uid %d", name, u.Path, os.Geteuid())
		}
	}
	return named, listTells
}

// aboutPermission tells a refusal for want of a right from one of credentials that
// are wrong, by what the drivers advise.
func aboutPermission(hint string) bool {
	return strings.HasPrefix(hint, "grant ") || strings.HasPrefix(hint, "let this user ")
}
