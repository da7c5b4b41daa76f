package check

import (
	"fmt"
	"os"
	"strings"
)

// right is what one may be allowed to do.
type right int

const (
	toRead right = iota + 1
	toList
	toCreate
	toOverwrite
	toDelete
	toCopy
)

// permissions are the usual names of the rights, by the URL's scheme. Google's
// storage.objects.delete is also what overwriting needs (Cloud Storage, "IAM
// permissions for JSON methods"); Azure's letters are those of a SAS token ("Create
// a service SAS").
var permissions = map[string]map[right]string{
	"s3": {
		toRead: "s3:GetObject", toList: "s3:ListBucket", toCreate: "s3:PutObject", toOverwrite: "s3:PutObject",
		toDelete: "s3:DeleteObject", toCopy: "s3:GetObject and s3:PutObject",
	},
	"gs": {
		toRead: "storage.objects.get" + roleGCS, toList: "storage.objects.list" + roleGCS, toCreate: "storage.objects.create" + roleGCS,
		toOverwrite: "storage.objects.create and storage.objects.delete" + roleGCS, toDelete: "storage.objects.delete" + roleGCS,
		toCopy: "storage.objects.get and storage.objects.create" + roleGCS,
	},
	"azblob": {
		toRead: roleAzure + "r", toList: roleAzure + "l", toCreate: roleAzure + "c or w", toOverwrite: roleAzure + "w",
		toDelete: roleAzure + "d", toCopy: roleAzure + "r and w",
	},
	"file": {
		toRead: "read access to ", toList: "read access to ", toCreate: "write access to ", toOverwrite: "write access to ",
		toDelete: "write access to ", toCopy: "read and write access to ",
	},
}

const (
	roleGCS   = " (role Storage Object User)"
	roleAzure = "the role Storage Blob Data Contributor, or to the SAS token "
)

// absenceHint: who may not list gets the answer of a refusal for a key that isn't
// there (Amazon S3, GetObject; Cloud Storage, "Troubleshooting": 403).
var absenceHint = map[string]bool{"s3": true, "gs": true}

// rights names the rights for this store.
func (s *session) rights() map[right]string {
	if s.scheme != "file" {
		return permissions[s.scheme]
	}
	named := map[right]string{}
	for r, name := range permissions["file"] {
		named[r] = s.Hide(fmt.Sprintf("%s%s for uid %d", name, s.dir, os.Geteuid()))
	}
	return named
}

// aboutPermission tells a refusal for want of a right from one of credentials that
// are wrong, by what the drivers advise.
func aboutPermission(hint string) bool {
	return strings.HasPrefix(hint, "grant ") || strings.HasPrefix(hint, "let this user ")
}
