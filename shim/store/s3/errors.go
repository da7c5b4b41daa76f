package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"nth/shim/store/contract"
)

// meaning is what one of S3's error codes means (Amazon S3 API reference, "Error
// responses").
type meaning struct {
	kind contract.Kind
	hint string
}

const (
	hintKeys   = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
	hintRegion = "set region= in the URL, or AWS_REGION, to the bucket's region"
	hintBucket = "create the bucket, or correct its name or endpoint="
)

var meanings = map[string]meaning{
	"NoSuchKey":                          {contract.Absent, ""},
	"NoSuchVersion":                      {contract.Absent, ""},
	"NoSuchBucket":                       {contract.Unreachable, hintBucket},
	"AllAccessDisabled":                  {contract.Denied, ""},
	"AccessDenied":                       {contract.Denied, "grant s3:GetObject, s3:PutObject and s3:ListBucket: without the last, S3 answers so for a key that isn't there"},
	"InvalidAccessKeyId":                 {contract.Denied, hintKeys},
	"XAdminUserNotFound":                 {contract.Denied, hintKeys}, // versitygw, with status 404
	"SignatureDoesNotMatch":              {contract.Denied, hintKeys},
	"InvalidToken":                       {contract.Denied, hintKeys},
	"ExpiredToken":                       {contract.Denied, "the session token has expired: get a new one"},
	"TokenRefreshRequired":               {contract.Denied, "the session token has expired: get a new one"},
	"RequestTimeTooSkewed":               {contract.Denied, "this machine's clock differs from the server's by more than 15 minutes"},
	"PreconditionFailed":                 {contract.Exists, ""},
	"ConditionalRequestConflict":         {contract.Conflict, ""},
	"OperationAborted":                   {contract.Conflict, ""},
	"PermanentRedirect":                  {contract.Unreachable, hintRegion},
	"AuthorizationHeaderMalformed":       {contract.Unreachable, hintRegion},
	"IllegalLocationConstraintException": {contract.Unreachable, hintRegion},
	"NotImplemented":                     {contract.Unusable, "this server can't do what was asked"},
	"KeyTooLongError":                    {contract.Unusable, "keys are limited to 1,024 bytes"},
}

// byStatus is for answers without a code, as those to HEAD are. 404 is not here:
// without a code nobody can say what it is that doesn't exist.
var byStatus = map[int]meaning{
	http.StatusMovedPermanently:   {contract.Unreachable, hintRegion},
	http.StatusTemporaryRedirect:  {contract.Unreachable, hintRegion},
	http.StatusUnauthorized:       {contract.Denied, hintKeys},
	http.StatusForbidden:          {contract.Denied, "grant s3:GetObject, s3:PutObject and s3:ListBucket: without the last, S3 answers so for a key that isn't there"},
	http.StatusPreconditionFailed: {contract.Exists, ""},
	http.StatusConflict:           {contract.Conflict, ""},
	http.StatusNotImplemented:     {contract.Unusable, "this server can't do what was asked"},
}

// document is the body of an error (Amazon S3 API reference, "Error responses").
type document struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
	Region  string
}

// maxErrorBody bounds what is read of an error, in bytes.
const maxErrorBody = 64 << 10

// refused gives an answer that isn't 2xx its meaning.
func (b *bucket) refused(res *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	return b.meaning(res.StatusCode, body, res.Header.Get("X-Amz-Bucket-Region"))
}

func (b *bucket) meaning(status int, body []byte, region string) error {
	var d document
	if xml.Unmarshal(body, &d) != nil {
		d = document{}
	}
	m, known := meanings[d.Code]
	if !known {
		m = byStatus[status]
	}
	if m.kind == contract.Other {
		m.kind = contract.Unreachable
	}
	if d.Region != "" {
		region = d.Region
	}
	if m.hint == hintRegion && region != "" {
		m.hint = fmt.Sprintf("the bucket is in %s, and %s was asked: set region=%s in the URL, or AWS_REGION", region, b.region, region)
	}
	cause := fmt.Sprintf("status %d", status)
	if d.Code != "" {
		cause += " " + d.Code
	}
	if d.Message != "" {
		cause += ": " + strings.TrimSuffix(strings.TrimSpace(d.Message), ".")
	}
	return &contract.Error{Kind: m.kind, Cause: errors.New(cause), Hint: m.hint}
}

// unreachable is a request without an answer. The transport's error repeats the
// URL, which tells nothing new and may hold what should not be shown.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &contract.Error{Kind: contract.Unreachable, Cause: ctx.Err(), Hint: "no answer in time; --store-timeout is the deadline of one call"}
	}
	var op interface{ Unwrap() error }
	if errors.As(err, &op) && op.Unwrap() != nil {
		err = op.Unwrap()
	}
	hint := ""
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		hint = "is the bucket's, the region's or the endpoint's name right?"
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: err, Hint: hint}
}
