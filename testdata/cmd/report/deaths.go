package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"nth/shim/status"
)

// death is a way to fail.
type death struct {
	reason, text string
	code         int
	signal       string
	oom, timeout bool
	stderr       string
}

// record is the failure of one index that died so.
func (d death) record(rnd *rand.Rand, index int64, at time.Time) status.Failure {
	stderr := strings.ReplaceAll(d.stderr, "INDEX", fmt.Sprint(index))
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	f := status.Failure{Index: index, Reason: d.reason, Text: d.text, ExitCode: d.code, Signal: d.signal, OOMKilled: d.oom, TimedOut: d.timeout,
		Failures: 1 + rnd.IntN(4), At: at, DurationS: math.Exp(rnd.NormFloat64()*0.9 + 3), Memory: int64(200+rnd.IntN(900)) << 20,
		Pod: fmt.Sprintf("align-genomes-%d-%05x", index, rnd.IntN(1<<20)), Node: node(rnd), RunID: fmt.Sprintf("%016x", rnd.Uint64()),
		Stderr: stderr, Last: lines[len(lines)-1], Message: fmt.Sprintf("nth: index %d: %s", index, d.text)}
	if d.signal != "" {
		f.Log = fmt.Sprintf("s3://genomes-eu/logs/%d/%s.log", index, f.RunID)
	}
	return f
}

var few = []death{
	{reason: "exit-1", text: "exit code 1: no such sample", code: 1, stderr: "reading manifest\nerror: no such sample: INDEX\n"},
	{reason: "SIGSEGV", text: "killed by SIGSEGV", code: 139, signal: "SIGSEGV", stderr: ""},
}

var several = []death{
	{reason: "exit-28", text: "exit code 28: no space left on device", code: 28,
		stderr: "[09:41:07] loading reference GRCh38 (3.1 GB)\n[09:41:52] aligning sample INDEX: 41,882,190 reads\n[09:58:13] sorting\nsamtools sort: failed to create temporary file \"/scratch/INDEX.0003.bam\": No space left on device\n"},
	{reason: "oom", text: "killed by SIGKILL: out of memory", code: 137, signal: "SIGKILL", oom: true,
		stderr: "[10:02:44] loading reference GRCh38 (3.1 GB)\n[10:03:31] aligning sample INDEX: 188,204,011 reads\n"},
	{reason: "exit-3", text: "exit code 3: checksum mismatch", code: 3,
		stderr: "\x1b[1mfetch\x1b[0m s3://genomes-eu/raw/INDEX.fastq.gz\n\x1b[31merror\x1b[0m: checksum mismatch: expected 9f86d081, got e3b0c442\n"},
	{reason: "timeout", text: "timed out after 1h0m0s", code: 124, signal: "SIGTERM", timeout: true, stderr: "waiting for license server\n"},
	{reason: "nth-66", text: "a required input is missing", code: 66, stderr: "nth: index INDEX: require s3://genomes-eu/raw/INDEX.fastq.gz: it does not exist\n"},
	{reason: "SIGSEGV", text: "killed by SIGSEGV", code: 139, signal: "SIGSEGV", stderr: "Segmentation fault in align_pair() at 0x7f3a\n"},
}

// hostileText would be a script, or hide itself, in a page that isn't careful.
const hostileText = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe\u2066"

var hostile = []death{
	{reason: "exit-1", text: hostileText, code: 1, stderr: "</script><script>alert(3)</script>\n<!--<script>\n<img src=https://example.invalid/x onerror=alert(4)>\nfirst line &lt;b&gt; &amp;\n" + hostileText + "\n"},
	{reason: "exit-2", text: "exit code 2: terminal", code: 2, stderr: "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\x1b[H cleared\n10%\r20%\r100%\r\nnul:\x00: bell:\x07: c1:\u009b31m: invalid:\xff\xfe:\n"},
	{reason: "exit-3", text: "exit code 3: \u202edesrever", code: 3, stderr: "\u202eright to left\u202c \u2067isolate\u2069 \u200bzero width \u2028line \u2029paragraph\nשלום עולם (ltr) مرحبا\n"},
	{reason: "exit-4", text: "exit code 4: long line", code: 4, stderr: strings.Repeat("<b>long</b> ", 1<<20/12) + "the end"},
	{reason: `"><img src=x onerror=alert(5)>`, text: "javascript:alert(6)", code: 5, stderr: "{{constructor.constructor('alert(7)')()}} ${alert(8)} STYLE SCRIPT DATA SCRIPT-HASH"},
}
