package s3

import (
	"fmt"
	"io"
	"net/http"

	"nth/shim/store/contract"
	"nth/shim/store/markup"
	"nth/shim/store/web"
)

// meaning is what one of S3's error codes means (Amazon S3 API reference, "Error
// responses").
type meaning struct {
	kind contract.Kind
	hint string
}

const (
	hintKeys   = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
	hintAccess = "grant s3:GetObject, s3:PutObject and s3:ListBucket: without the last, S3 answers so for a key that isn't there"
	hintToken  = "the session token has expired: get a new one; credentials that nth gets by itself are renewed"
	hintRegion = "set region= in the URL, or AWS_REGION, to the bucket's region"
	hintBucket = "create the bucket, or correct its name or endpoint="
	hintCannot = "this server can't do what was asked"
)

func meanings() map[string]meaning {
	return map[string]meaning{
		codeNoSuchKey:                        {contract.Absent, ""},
		"NoSuchBucket":                       {contract.Unreachable, hintBucket},
		"InvalidBucketName":                  {contract.Refused, "correct the name: 3 to 63 of a-z, 0-9, - and ."},
		"AllAccessDisabled":                  {contract.Denied, ""},
		"AccessDenied":                       {contract.Denied, hintAccess},
		"AccountProblem":                     {contract.Denied, ""},
		"InvalidAccessKeyId":                 {contract.Denied, hintKeys},
		"XAdminUserNotFound":                 {contract.Denied, hintKeys}, // versitygw, with status 404
		"SignatureDoesNotMatch":              {contract.Denied, hintKeys},
		"InvalidToken":                       {contract.Denied, hintKeys},
		"ExpiredToken":                       {contract.Denied, hintToken},
		"InvalidTokenId":                     {contract.Denied, hintToken}, // MinIO
		"TokenRefreshRequired":               {contract.Denied, hintToken},
		"RequestTimeTooSkewed":               {contract.Denied, "this machine's clock differs from the server's by more than 15 minutes"},
		"InvalidObjectState":                 {contract.Unreachable, "the object is archived: restore it first"},
		"PreconditionFailed":                 {contract.Exists, ""},
		"ConditionalRequestConflict":         {contract.Conflict, ""},
		"OperationAborted":                   {contract.Conflict, ""},
		"PermanentRedirect":                  {contract.Unreachable, hintRegion},
		"TemporaryRedirect":                  {contract.Unreachable, hintRegion},
		"AuthorizationHeaderMalformed":       {contract.Unreachable, hintRegion},
		"IllegalLocationConstraintException": {contract.Unreachable, hintRegion},
		"NotImplemented":                     {contract.Unsupported, hintCannot},
		"KeyTooLongError":                    {contract.Refused, "keys are limited to 1,024 bytes"},
		codeInvalidRange:                     {contract.Refused, ""},
	}
}

const (
	codeNoSuchKey    = "NoSuchKey"
	codeInvalidRange = "InvalidRange"
	codeNoSuchUpload = "NoSuchUpload"
)

// byStatus is for answers without a code, as those to HEAD are. 404 is not here:
// without a code nobody can say what it is that doesn't exist.
func byStatus() map[int]meaning {
	return map[int]meaning{
		http.StatusMovedPermanently:   {contract.Unreachable, hintRegion},
		http.StatusTemporaryRedirect:  {contract.Unreachable, hintRegion},
		http.StatusNotModified:        {contract.Exists, ""}, // MinIO of 2023, for 412
		http.StatusUnauthorized:       {contract.Denied, hintKeys},
		http.StatusForbidden:          {contract.Denied, hintAccess},
		http.StatusNotFound:           {contract.Unreachable, web.HintServer},
		http.StatusPreconditionFailed: {contract.Exists, ""},
		http.StatusConflict:           {contract.Conflict, ""},
		http.StatusNotImplemented:     {contract.Unsupported, hintCannot},
	}
}

// refusal is an answer that isn't what was asked for.
type refusal struct {
	status        int
	code, message string // "" where the answer gives none
	region        string // the bucket's, where the answer tells
}

func (r *refusal) Error() string { return web.Refusal(r.status, r.code, r.message) }

// refused gives an answer that isn't 2xx its meaning.
func (b *bucket) refused(res *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, web.MaxError)) // a part of it is no XML, and tells nothing
	r := readRefusal(res.StatusCode, body)
	if r.region == "" {
		r.region = res.Header.Get("X-Amz-Bucket-Region")
	}
	return b.meaning(r)
}

// readRefusal reads the body of an error. What is not one has no code.
func readRefusal(status int, body []byte) *refusal {
	r := &refusal{status: status}
	if doc, err := markup.Parse(body); err == nil && doc.Name == "Error" {
		r.code, r.message, r.region = doc.Get("Code"), doc.Get("Message"), doc.Get("Region")
	}
	return r
}

func (b *bucket) meaning(r *refusal) error {
	m, known := meanings()[r.code]
	if (m.hint == hintToken || m.hint == hintKeys) && b.identity != nil {
		b.identity.Drop() // the next try gets others, where they aren't fixed
	}
	elsewhere := r.region != "" && r.region != b.region
	switch {
	case r.code == codeNoSuchKey && r.status != http.StatusNotFound:
		m = meaning{contract.Unreachable, web.HintServer} // absence is said with 404, or it isn't absence
	case !known && elsewhere && r.status != http.StatusForbidden:
		m = meaning{contract.Unreachable, hintRegion} // 400 to a HEAD
	case !known:
		m = byStatus()[r.status]
	}
	if m.kind == contract.Other {
		m.kind = contract.Unreachable
	}
	if m.hint == hintRegion && elsewhere {
		m.hint = fmt.Sprintf("the bucket is in %s, and %s was asked: set region=%s in the URL, or AWS_REGION", r.region, b.region, r.region)
	}
	return &contract.Error{Kind: m.kind, Cause: r, Hint: m.hint}
}

// server is whose answers these are.
const server = "S3"

func foreign(why string) error { return web.Foreign(server, why) }
