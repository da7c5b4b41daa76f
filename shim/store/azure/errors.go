package azure

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/store/markup"
	"nth/shim/store/web"
)

// server is whose answers these are.
const server = "Azure Blob Storage"

func foreign(why string) error { return web.Foreign(server, why) }

// meaning is what one of Azure's error codes means.
type meaning struct {
	kind contract.Kind
	hint string
}

const (
	hintKey       = "check AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or the connection string, and this machine's clock, which may be off by 15 minutes at most"
	hintRole      = "grant the identity the role Storage Blob Data Contributor on the container, or the SAS token the permissions rcwdl"
	hintFirewall  = hintRole + "; the account's firewall answers alike"
	hintToken     = "check the managed identity or the workload identity, and its tenant; it needs the role Storage Blob Data Contributor on the container"
	hintContainer = "create the container, or correct its name or the account's"
	hintLease     = "somebody holds a lease on the blob: break it"
	hintKeep      = "an immutability policy or a legal hold keeps the blob as it is"
	hintBlocks    = "blocks of another program's unfinished upload are there; Azure drops them after a week"
	hintCannot    = "this server can't do what was asked"
)

const (
	codeBlobNotFound     = "BlobNotFound"
	codeOverwrite        = "UnauthorizedBlobOverwrite"
	codeInvalidRange     = "InvalidRange"
	codeInvalidBlockList = "InvalidBlockList"
)

// meanings are of Azure Storage, "Blob service error codes" and "Common REST API
// error codes".
func meanings() map[string]meaning {
	return map[string]meaning{
		codeBlobNotFound:                     {contract.Absent, ""},
		"ContainerNotFound":                  {contract.Unreachable, hintContainer},
		"ContainerBeingDeleted":              {contract.Unreachable, hintContainer},
		"ContainerDisabled":                  {contract.Unreachable, hintContainer},
		"ResourceNotFound":                   {contract.Unreachable, hintContainer},
		"InvalidResourceName":                {contract.Refused, "correct the container's name, or the blob's: a container has 3 to 63 of a-z, 0-9 and -"},
		"AccountBeingCreated":                {contract.Unreachable, ""},
		"ServerBusy":                         {contract.Unreachable, ""},
		"OperationTimedOut":                  {contract.Unreachable, ""},
		"InternalError":                      {contract.Unreachable, ""},
		"BlobArchived":                       {contract.Unreachable, "the blob is archived: restore it first"},
		"BlobBeingRehydrated":                {contract.Unreachable, "the blob is on its way out of the archive"},
		"SnapshotsPresent":                   {contract.Unreachable, "the blob has snapshots: delete them first"},
		"InvalidBlobOrBlock":                 {contract.Unreachable, hintBlocks},
		"AccountIsDisabled":                  {contract.Denied, ""},
		"AuthenticationFailed":               {contract.Denied, hintKey},
		"AuthorizationFailure":               {contract.Denied, hintFirewall},
		"AuthorizationPermissionMismatch":    {contract.Denied, hintRole},
		"AuthorizationProtocolMismatch":      {contract.Denied, "the SAS token is for https only"},
		"AuthorizationResourceTypeMismatch":  {contract.Denied, "the SAS token must be for containers and objects (srt=co)"},
		"AuthorizationServiceMismatch":       {contract.Denied, "the SAS token is not for blobs (ss=b)"},
		"AuthorizationSourceIPMismatch":      {contract.Denied, "the SAS token is for other addresses than this one"},
		"InsufficientAccountPermissions":     {contract.Denied, hintRole},
		"InvalidAuthenticationInfo":          {contract.Denied, hintToken},
		"NoAuthenticationInformation":        {contract.Denied, hintToken},
		"KeyBasedAuthenticationNotPermitted": {contract.Denied, "the account takes no keys: use an identity with the role Storage Blob Data Contributor"},
		"PublicAccessNotPermitted":           {contract.Denied, "the account takes nobody without credentials"},
		codeOverwrite:                        {contract.Denied, hintRole},
		"BlobImmutableDueToPolicy":           {contract.Denied, hintKeep},
		"LeaseIdMissing":                     {contract.Denied, hintLease},
		"LeaseIdMismatchWithBlobOperation":   {contract.Denied, hintLease},
		"BlobAlreadyExists":                  {contract.Exists, ""},
		"ConditionNotMet":                    {contract.Exists, ""},
		"TargetConditionNotMet":              {contract.Exists, ""},
		codeInvalidBlockList:                 {contract.Conflict, ""}, // another writer's commit took the blocks away
		"PendingCopyOperation":               {contract.Conflict, ""},
		codeInvalidRange:                     {contract.Refused, ""},
		"InvalidMetadata":                    {contract.Refused, ""},
		"InvalidBlobType":                    {contract.Refused, "the blob is an append or a page blob: delete it first"},
		"UnsupportedHeader":                  {contract.Unsupported, hintCannot},
		"ConditionHeadersNotSupported":       {contract.Unsupported, hintCannot},
		"FeatureVersionMismatch":             {contract.Unsupported, hintCannot},
	}
}

// byStatus is for answers without a code that is known. 409 and 412 are not here:
// they have many reasons but the condition that didn't hold, which Azure names.
func byStatus() map[int]meaning {
	return map[int]meaning{
		http.StatusUnauthorized:   {contract.Denied, hintToken},
		http.StatusForbidden:      {contract.Denied, hintRole},
		http.StatusNotFound:       {contract.Unreachable, web.HintServer},
		http.StatusNotImplemented: {contract.Unsupported, hintCannot},
	}
}

// refusal is an answer that isn't what was asked for.
type refusal struct {
	status        int
	code, message string // "" where the answer gives none
}

func (r *refusal) Error() string { return web.Refusal(r.status, r.code, r.message) }

// refused gives an answer that isn't 2xx its meaning. The answer to HEAD has no
// body; its header has the code as well.
func (b *bucket) refused(res *http.Response) error {
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, web.MaxError)) // a part of it is no document, and tells nothing
	r := readRefusal(res.StatusCode, res.Header.Get("X-Ms-Error-Code"), body)
	r.message = b.conceal(r.message)
	if r.status == http.StatusUnauthorized && b.token != nil {
		b.token.Drop() // the next try gets a new one
	}
	return b.meaning(r)
}

// readRefusal reads an error's code, from the header or else the body, and the first
// line of its message: the others number the request.
func readRefusal(status int, code string, body []byte) *refusal {
	r := &refusal{status: status, code: code}
	doc, err := markup.Parse(body)
	if err != nil || doc.Name != "Error" {
		return r
	}
	if r.code == "" {
		r.code = doc.Get("Code")
	}
	r.message, _, _ = strings.Cut(doc.Get("Message"), "\n")
	return r
}

func (b *bucket) meaning(r *refusal) error {
	m, known := meanings()[r.code]
	switch {
	case r.code == codeBlobNotFound && r.status != http.StatusNotFound:
		m = meaning{contract.Unreachable, web.HintServer} // absence is said with 404, or it isn't absence
	case !known:
		m = byStatus()[r.status]
	}
	if m.kind == contract.Other {
		m.kind = contract.Unreachable
	}
	if ends := expiry(b.sas); m.kind == contract.Denied && !ends.IsZero() && !b.now().Before(ends) {
		m.hint = "the SAS token has expired on " + ends.UTC().Format(time.RFC3339) + ": get a new one"
	}
	return &contract.Error{Kind: m.kind, Cause: r, Hint: m.hint}
}

// expiry gives the end of a SAS token; zero where it doesn't tell, for a stored
// access policy may.
func expiry(sas string) time.Time {
	q, _ := url.ParseQuery(sas)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", time.DateOnly} {
		if t, err := time.Parse(layout, q.Get("se")); err == nil {
			return t
		}
	}
	return time.Time{}
}

// conceal takes a SAS token's signature out of what a server says: some repeat the
// address that they were asked for.
func (b *bucket) conceal(message string) string {
	if b.sas == "" {
		return message
	}
	q, _ := url.ParseQuery(b.sas)
	for _, secret := range []string{b.sas, q.Get("sig"), url.QueryEscape(q.Get("sig"))} {
		message = strings.ReplaceAll(message, secret, "…")
	}
	return message
}

// codeOf gives the error code of an answer, "" for every other error.
func codeOf(err error) string {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.code
	}
	return ""
}
