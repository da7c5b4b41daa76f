package sqs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// answer is one of a server's.
type answer struct {
	status int
	body   string
	header map[string]string
}

// fake answers as AWS does where moto doesn't: with what AWS answered to others (the
// AWS documentation's examples, and tests of its imitators that were run against AWS).
type fake struct {
	*httptest.Server

	mu      sync.Mutex
	answers map[string]answer // by action
	asked   []map[string]any
}

// set says what is answered from now on.
func (f *fake) set(action string, a answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[action] = a
}

// all gives what was asked.
func (f *fake) all() []map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

const oneMessage = `{"Messages":[{"MessageId":"id-1","ReceiptHandle":"AQEBhandle","Body":"x","Attributes":{"ApproximateReceiveCount":"1"}}]}`

func startFake(t testing.TB) *fake {
	f := &fake{answers: map[string]answer{
		"GetQueueAttributes": {200, `{"Attributes":{"RedrivePolicy":"{\"maxReceiveCount\":3,\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:1:dead\"}"}}`, nil},
		"ReceiveMessage":     {200, oneMessage, nil},
	}}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := map[string]any{"action": target(r)}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &in); err != nil {
			t.Errorf("asked with %q", body)
		}
		f.mu.Lock()
		f.asked = append(f.asked, in)
		a := f.answers[target(r)]
		f.mu.Unlock()
		if a.status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", contentType)
		for name, value := range a.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(a.status)
		fmt.Fprint(w, strings.ReplaceAll(a.body, "<token>", r.Header.Get("X-Amz-Security-Token")))
	}))
	f.Start()
	t.Cleanup(f.Close)
	return f
}

const token = "session-token-canary"

func (f *fake) open(t testing.TB, queue string, o task.Options) *source {
	t.Helper()
	env := map[string]string{"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret-canary", "AWS_SESSION_TOKEN": token}
	o.Getenv = func(name string) string { return env[name] }
	s, err := Open(parsed(t, "sqs://sqs.eu-west-1.amazonaws.com/1/"+queue+"?endpoint="+f.URL), o)
	must(t, "open", err)
	return s.(*source)
}

func tokenFile(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "token")
	must(t, "write the token", os.WriteFile(path, []byte("token-canary"), 0o600))
	return path
}

// failure is a refusal in JSON.
func failure(status int, code, message string) answer {
	return answer{status, fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message), nil}
}

// lost stands for task.ErrLost among the kinds.
const lost = contract.Kind(-1)

func kindOf(err error) contract.Kind {
	if errors.Is(err, task.ErrLost) {
		return lost
	}
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e.Kind
	}
	return -2
}

// TestRefusals: what each answer means, when it comes to a take and when it comes to who
// holds a task.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		answer      answer
		take, holds contract.Kind
	}{
		"no queue":            {failure(400, "com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist."), contract.NoSuch, contract.NoSuch},
		"no queue, once":      {failure(400, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist for this wsdl version."), contract.NoSuch, contract.NoSuch},
		"denied":              {failure(400, "com.amazon.coral.service#AccessDeniedException", "User: arn:aws:iam::1:user/u is not authorized to perform: sqs:receivemessage"), contract.Denied, contract.Denied},
		"unknown key":         {failure(403, "com.amazon.coral.service#UnrecognizedClientException", "The security token included in the request is invalid."), contract.Denied, contract.Denied},
		"unknown key, header": {answer{403, "<Error/>", map[string]string{"X-Amzn-Errortype": "InvalidClientTokenId:http://x"}}, contract.Denied, contract.Denied},
		"older code's header": {answer{400, "{}", map[string]string{"X-Amzn-Query-Error": "AWS.SimpleQueueService.NonExistentQueue;Sender"}}, contract.NoSuch, contract.NoSuch},
		"signature":           {failure(403, "com.amazon.coral.service#InvalidSignatureException", "The Canonical String should have been 'POST / x-amz-security-token:<token>'"), contract.Denied, contract.Denied},
		"signature, XML":      {failure(403, "SignatureDoesNotMatch", "no"), contract.Denied, contract.Denied},
		"expired":             {failure(403, "com.amazon.coral.service#ExpiredTokenException", "The security token <token> included in the request is expired"), contract.Denied, contract.Denied},
		"throttled":           {failure(403, "com.amazonaws.sqs#RequestThrottled", "Rate exceeded"), contract.Unreachable, contract.Unreachable},
		"throttled, coral":    {failure(400, "com.amazon.coral.availability#ThrottlingException", "Rate exceeded"), contract.Unreachable, contract.Unreachable},
		"too many in flight":  {failure(403, "com.amazonaws.sqs#OverLimit", "Too many messages in flight"), contract.Unreachable, contract.Unreachable},
		"internal":            {failure(500, "com.amazon.coral.service#InternalFailure", ""), contract.Unreachable, contract.Unreachable},
		"a 5xx with a code":   {failure(503, "com.amazonaws.sqs#ReceiptHandleIsInvalid", ""), contract.Unreachable, contract.Unreachable},
		"gateway":             {answer{502, "<html>", nil}, contract.Unreachable, contract.Unreachable},
		"login page":          {answer{200, "<html>sign in</html>", nil}, contract.Unreachable, contract.Unreachable},
		"another's 404":       {answer{404, "not found", nil}, contract.Unreachable, contract.Unreachable},
		"redirect":            {answer{302, "", map[string]string{"Location": "https://login.invalid/"}}, contract.Unreachable, contract.Unreachable},
		"no answer":           {answer{}, contract.Unreachable, contract.Unreachable},
		"bad handle":          {failure(404, "com.amazonaws.sqs#ReceiptHandleIsInvalid", `The input receipt handle "AQEBhandle" is not a valid receipt handle.`), contract.Unreachable, lost},
		"not in flight":       {failure(400, "com.amazonaws.sqs#MessageNotInflight", ""), contract.Unreachable, lost},
		"expired handle":      {failure(400, "com.amazon.coral.service#InvalidParameterValueException", "Value AQEBhandle for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."), contract.Refused, lost},
		"visible again":       {failure(400, "com.amazon.coral.service#InvalidParameterValueException", "Value AQEBhandle for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change."), contract.Refused, lost},
		"twelve hours":        {failure(400, "com.amazon.coral.service#InvalidParameterValueException", "Value 60 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"), contract.Refused, lost},
		"another parameter":   {failure(400, "com.amazon.coral.service#InvalidParameterValueException", "Value -1 for parameter VisibilityTimeout is invalid."), contract.Refused, contract.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t)
			s := f.open(t, "queue", task.Options{Lease: time.Hour})
			got := take(t, s)
			for _, action := range []string{"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"} {
				f.set(action, c.answer)
			}
			_, taken := f.takeAgain(t, s)
			_, failed := s.Fail(t.Context(), got, task.Failure{})
			_, left := s.Unfinished(t.Context())
			for what, e := range map[string]struct {
				err  error
				want contract.Kind
			}{
				"take": {taken, c.take}, "unfinished": {left, c.take}, "keep": {s.Keep(t.Context(), got), c.holds}, "fail": {failed, c.holds},
				"release": {s.Release(t.Context(), got), c.holds}, "done": {s.Done(t.Context(), got), c.holds},
			} {
				if s.held != nil {
					s.held.unsure = false // each is a first try
				}
				if kindOf(e.err) != e.want {
					t.Errorf("%s: %v: kind %d, want %d", what, e.err, kindOf(e.err), e.want)
				}
				if text := fmt.Sprint(e.err); strings.Contains(text, "canary") || strings.Contains(text, "AQEB") && c.holds == lost && e.want == lost {
					t.Errorf("%s says: %s", what, text)
				}
			}
		})
	}
}

// takeAgain takes with what is held left as it is.
func (f *fake) takeAgain(t *testing.T, s *source) (*task.Task, error) {
	h := s.held
	got, err := s.Take(t.Context())
	s.held = h
	return got, err
}

// TestNoEmptyQueue: what isn't SQS's word is no empty queue.
func TestNoEmptyQueue(t *testing.T) {
	for _, body := range []string{"", "null and void", `{"Messages":[{}]}`, `{"Messages":7}`, `[]`} {
		f := startFake(t)
		f.set("ReceiveMessage", answer{200, body, nil})
		got, err := f.open(t, "queue", task.Options{Lease: time.Hour}).Take(t.Context())
		if got != nil || kindOf(err) != contract.Unreachable {
			t.Errorf("%q: took %+v, %v", body, got, err)
		}
		f.set("GetQueueAttributes", answer{200, body, nil})
		left, err := f.open(t, "queue", task.Options{Lease: time.Hour}).Unfinished(t.Context())
		if left || kindOf(err) != contract.Unreachable {
			t.Errorf("%q: unfinished %v, %v", body, left, err)
		}
	}
	f := startFake(t)
	f.set("ReceiveMessage", answer{200, "{}", nil})
	none(t, f.open(t, "queue", task.Options{Lease: time.Hour}))
}

// TestDoneBefore: AWS refuses the handle of a task that is given up already. When the
// first try had no answer, that is the answer.
func TestDoneBefore(t *testing.T) {
	for action, end := range map[string]func(context.Context, *source, *task.Task) error{
		"DeleteMessage": func(ctx context.Context, s *source, got *task.Task) error { return s.Done(ctx, got) },
		"ChangeMessageVisibility": func(ctx context.Context, s *source, got *task.Task) error {
			_, err := s.Fail(ctx, got, task.Failure{})
			return err
		},
	} {
		f := startFake(t)
		s := f.open(t, "queue", task.Options{Lease: time.Hour})
		got := take(t, s)
		wantKind(t, action, end(t.Context(), s, got), contract.Unreachable)
		f.set(action, failure(400, "com.amazonaws.sqs#MessageNotInflight", ""))
		must(t, action+" again", end(t.Context(), s, got))
		if err := end(t.Context(), s, got); !errors.Is(err, task.ErrLost) {
			t.Errorf("%s, once more: %v", action, err)
		}
	}
}

// TestSameTry: a take of a FIFO queue that had no answer is asked for again under its
// name, so that SQS gives what it gave; the next is another.
func TestSameTry(t *testing.T) {
	f := startFake(t)
	f.set("ReceiveMessage", answer{})
	s := f.open(t, "queue.fifo", task.Options{Lease: time.Hour})
	for range 2 {
		_, err := s.Take(t.Context())
		wantKind(t, "take", err, contract.Unreachable)
	}
	f.set("ReceiveMessage", answer{200, oneMessage, nil})
	take(t, s)
	take(t, s)
	var names []string
	for _, in := range f.all() {
		if in["action"] == "ReceiveMessage" {
			name, _ := in["ReceiveRequestAttemptId"].(string)
			names = append(names, name)
		}
	}
	if len(names) < 4 || names[0] == "" || names[len(names)-2] != names[0] || names[len(names)-1] == names[0] {
		t.Errorf("asked as %q", names)
	}
}

// TestAsked: a take in the words of the protocol.
func TestAsked(t *testing.T) {
	f := startFake(t)
	take(t, f.open(t, "queue", task.Options{Lease: 90*time.Second + 1}))
	want := []map[string]any{
		{"action": "GetQueueAttributes", "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/queue", "AttributeNames": []any{"RedrivePolicy"}},
		{"action": "ReceiveMessage", "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/queue", "MaxNumberOfMessages": 1.0, "VisibilityTimeout": 92.0, "WaitTimeSeconds": 1.0,
			"AttributeNames": []any{"ApproximateReceiveCount", "MessageGroupId", "SentTimestamp"}, "MessageAttributeNames": []any{"All"}},
	}
	if diff := cmp.Diff(want, f.all()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
