package gcs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"nth/shim/store/contract"
	"nth/shim/store/markup"
	"nth/shim/store/web"
)

// server is whose answers these are.
const server = "Google Cloud Storage"

func foreign(why string) error { return web.Foreign(server, why) }

// meaning is what one of the error codes or statuses means.
type meaning struct {
	kind contract.Kind
	hint string
}

const (
	hintAccess = "grant the role Storage Object User (storage.objects.get, create, list, delete): without list, the answer is the same for an object that isn't there"
	hintToken  = "check the service account, or GOOGLE_APPLICATION_CREDENTIALS"
	hintBucket = "create the bucket, or correct its name"
	hintKeep   = "a retention policy or a hold keeps the object as it is"
)

// meanings are those of the XML API's codes and of the JSON API's reasons (Cloud
// Storage, "HTTP status and error codes" of each). "notFound" is not here: it says
// so of a bucket too.
func meanings() map[string]meaning {
	return map[string]meaning{
		codeNoSuchKey:                  {contract.Absent, ""},
		"NoSuchBucket":                 {contract.Unreachable, hintBucket},
		"AccessDenied":                 {contract.Denied, hintAccess},
		"InvalidSecurity":              {contract.Denied, hintToken},
		"AuthenticationRequired":       {contract.Denied, hintToken},
		"ExpiredToken":                 {contract.Denied, hintToken},
		"UserProjectMissing":           {contract.Denied, hintPayer},
		"userProjectMissing":           {contract.Denied, hintPayer},
		"required":                     {contract.Denied, hintPayer},
		"accountDisabled":              {contract.Denied, ""},
		"insufficientPermissions":      {contract.Denied, hintAccess},
		"retentionPolicyNotMet":        {contract.Denied, hintKeep},
		"objectUnderActiveHold":        {contract.Denied, hintKeep},
		"rateLimitExceeded":            {contract.Unreachable, ""},
		"userRateLimitExceeded":        {contract.Unreachable, ""},
		"quotaExceeded":                {contract.Unreachable, ""},
		"PreconditionFailed":           {contract.Exists, ""},
		"conditionNotMet":              {contract.Exists, ""},
		"InvalidRange":                 {contract.Refused, ""},
		"requestedRangeNotSatisfiable": {contract.Refused, ""},
	}
}

const (
	codeNoSuchKey = "NoSuchKey"
	hintPayer     = "add user_project= to the URL: the requester pays for this bucket"
)

func byStatus() map[int]meaning {
	return map[int]meaning{
		http.StatusUnauthorized:                 {contract.Denied, hintToken},
		http.StatusForbidden:                    {contract.Denied, hintAccess},
		http.StatusNotFound:                     {contract.Unreachable, hintBucket},
		http.StatusConflict:                     {contract.Conflict, ""},
		http.StatusPreconditionFailed:           {contract.Exists, ""},
		http.StatusRequestedRangeNotSatisfiable: {contract.Refused, ""},
		http.StatusNotImplemented:               {contract.Unsupported, "this server can't do what was asked"},
	}
}

// refusal is an answer that isn't what was asked for.
type refusal struct {
	status        int
	code, message string // "" where the answer gives none
}

func (r *refusal) Error() string { return web.Refusal(r.status, r.code, r.message) }

// refused gives an answer that isn't 2xx its meaning.
func (b *bucket) refused(ctx context.Context, res *http.Response) error {
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, web.MaxError)) // a part of it is no document, and tells nothing
	r := readRefusal(res.StatusCode, body)
	if r.status == http.StatusUnauthorized && b.token != nil {
		b.token.Drop() // the next try gets a new one
	}
	m, known := meanings()[r.code]
	if !known || m.kind == contract.Absent && r.status != http.StatusNotFound {
		m = byStatus()[r.status]
	}
	if m.kind == contract.Other {
		m.kind = contract.Unreachable
	}
	return &contract.Error{Kind: m.kind, Cause: r, Hint: m.hint}
}

// readRefusal reads the body of an error of either API. What is not one has no code.
func readRefusal(status int, body []byte) *refusal {
	r := &refusal{status: status}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		if doc, err := markup.Parse(body); err == nil && doc.Name == "Error" {
			r.code, r.message = doc.Get("Code"), doc.Get("Message")
			if details := doc.Get("Details"); details != "" {
				r.message = details // it names the permission
			}
		}
		return r
	}
	var doc struct {
		Error struct {
			Message string
			Errors  []struct{ Reason string }
		}
	}
	if json.Unmarshal(body, &doc) == nil {
		r.message = doc.Error.Message
		if len(doc.Error.Errors) > 0 {
			r.code = doc.Error.Errors[0].Reason
		}
	}
	return r
}

// missing finds out what it is that the JSON API's 404 doesn't name: it says
// notFound of an object and of its bucket alike. Reading the object tells.
func (b *bucket) missing(ctx context.Context, key string, err error) error {
	if !is(err, http.StatusNotFound) {
		return err
	}
	res, err := b.read(ctx, key, "bytes=0-0", "")
	if err == nil {
		res.Body.Close()
		return &contract.Error{Kind: contract.Conflict, Cause: errors.New("it wasn't there, and then it was")}
	}
	return err
}

// emulatedAbsence: emulators have no code for what is missing; whether they have the
// bucket tells. Of Google, only its own code is believed.
func (b *bucket) emulatedAbsence(ctx context.Context, err error) error {
	if !b.emulated || !is(err, http.StatusNotFound) || contractKind(err) == contract.Absent {
		return err
	}
	if _, listErr := b.list(ctx, map[string]string{"maxResults": "1"}); listErr != nil {
		return listErr
	}
	return &contract.Error{Kind: contract.Absent, Cause: err}
}

func is(err error, status int) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.status == status
}

func contractKind(err error) contract.Kind {
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e.Kind
	}
	return contract.Other
}
