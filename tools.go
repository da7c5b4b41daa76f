package main

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	_ "github.com/creack/pty"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/google/go-cmp/cmp/cmpopts"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/rs/zerolog"
	_ "gocloud.dev/blob"
	_ "gocloud.dev/blob/drivertest"
	_ "gocloud.dev/blob/memblob"
	_ "golang.org/x/sys/unix"
)

func main() {}
