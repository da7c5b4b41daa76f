// Command primes counts the primes among the numbers of one range, which has a name.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/big"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	index := flag.Int64("index", 0, "which range")
	size := flag.Int64("size", 1000, "how many numbers a range has")
	names := flag.String("names", "/data/names.txt", "the ranges' names, a line each")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()

	body, err := os.ReadFile(*names)
	if err != nil {
		fmt.Fprintln(os.Stderr, "primes:", err)
		os.Exit(1)
	}
	name := strings.Fields(string(body))[*index] // a name too few is a panic
	fmt.Fprintln(os.Stderr, "counting", name)
	n, err := count(ctx, *index**size, *size)
	if err != nil {
		fmt.Fprintln(os.Stderr, "primes: stopped, and nothing is written")
		os.Exit(143)
	}
	fmt.Println(name, n)
}

// count tells how many primes there are of so many numbers.
func count(ctx context.Context, from, numbers int64) (n int, err error) {
	for x := from; x < from+numbers; x++ {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if big.NewInt(x).ProbablyPrime(0) {
			n++
		}
	}
	return n, nil
}
