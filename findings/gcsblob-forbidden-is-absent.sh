#!/bin/sh
# gocloud.dev/blob/gcsblob v0.47.0: a refusal reads as absence. Where Cloud Storage answers 403,
# because the identity may not read the object, the error has the code NotFound, and Exists gives
# false without an error; the same refusal of a write is NotFound too. A good engineer would
# expect PermissionDenied, as the other drivers of the module give it. Who asks "was this done?"
# by Exists does all of it again while a role is missing, or not yet in effect; a raw
# *googleapi.Error, by ErrorAs, tells the two apart.
#
# Seen: Exists false and no error, the code NotFound for a read and for a write, raw status 403
# in both. The script fails where one of these is otherwise.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"
)

func main() {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"error":{"code":403,"message":"worker@project.iam.gserviceaccount.com does not have storage.objects.get access","errors":[{"reason":"forbidden"}]}}`)
	}))
	defer web.Close()
	os.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(web.URL, "http://"))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b, err := blob.OpenBucket(ctx, "gs://bucket?anonymous=true")
	if err != nil {
		panic(err)
	}
	defer b.Close()
	raw := func(err error) int {
		var e *googleapi.Error
		if errors.As(err, &e) || b.ErrorAs(err, &e) {
			return e.Code
		}
		return 0
	}
	there, failed := b.Exists(ctx, "done/7.json")
	_, read := b.Attributes(ctx, "done/7.json")
	write := b.Upload(ctx, "done/7.json", strings.NewReader("{}"), &blob.WriterOptions{ContentType: "application/json"})
	fmt.Printf("Exists: %v, error %v\nread: code %v, status %d\nwrite: code %v, status %d\n",
		there, failed, gcerrors.Code(read), raw(read), gcerrors.Code(write), raw(write))
	if there || failed != nil || gcerrors.Code(read) != gcerrors.NotFound || raw(read) != 403 || gcerrors.Code(write) != gcerrors.NotFound || raw(write) != 403 {
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get gocloud.dev@v0.47.0 gocloud.dev/blob/gcsblob@v0.47.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go list -m gocloud.dev cloud.google.com/go/storage
go run .
