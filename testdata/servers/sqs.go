package servers

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // for moto's locks
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// SQS is a server of queues of a test's own. It is moto, which takes every key and
// signature, and differs from AWS: a receipt handle of an earlier delivery still
// deletes, and a message that isn't in flight can be hidden. The fuller a queue is, the
// slower: for each message that comes or goes it looks at all of them several times.
type SQS struct{ *Server }

//go:embed moto_sqs.py
var motoLocks []byte

// StartSQS starts one, and stops it when the test ends.
func StartSQS(t testing.TB) *SQS {
	t.Helper()
	program := Program(t, "moto_server", "pip install 'moto[server]==5.2.1'")
	address, dir := Address(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sitecustomize.py"), motoLocks, 0o644); err != nil {
		t.Fatal(err)
	}
	host, port, _ := strings.Cut(address, ":")
	return &SQS{start(t, address, func() *exec.Cmd {
		cmd := exec.Command(program, "-H", host, "-p", port)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PYTHONPATH="+dir)
		return cmd
	})}
}

// SQSAccount is the one account that moto has.
const SQSAccount = "123456789012"

// URL gives the URL of a queue's tasks, as it is asked at an address: the server's own,
// or a proxy's before it.
func (s *SQS) URL(address, queue string) string {
	return fmt.Sprintf("sqs://%s/%s/%s?endpoint=http://%s", s.Address, SQSAccount, queue, address)
}

func (s *SQS) queue(name string) string {
	return "http://" + s.Address + "/" + SQSAccount + "/" + name
}

// Queue makes a queue, of which these attributes are set.
func (s *SQS) Queue(t testing.TB, name string, attributes map[string]string) {
	t.Helper()
	attributes = maps.Clone(attributes)
	if strings.HasSuffix(name, ".fifo") {
		if attributes == nil {
			attributes = map[string]string{}
		}
		attributes["FifoQueue"] = "true"
	}
	s.Call(t, "CreateQueue", "", map[string]any{"QueueName": name, "Attributes": attributes}, nil)
}

// Redrive is the policy of a queue whose dead tasks go into another one.
func (s *SQS) Redrive(dead string, maxReceives int) map[string]string {
	return map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:%s:%s:%s","maxReceiveCount":"%d"}`, region, SQSAccount, dead, maxReceives)}
}

// Send puts a message into a queue; what else is said of it is in more.
func (s *SQS) Send(t testing.TB, queue, body string, more map[string]any) {
	t.Helper()
	in := map[string]any{"MessageBody": body}
	maps.Copy(in, more)
	s.Call(t, "SendMessage", queue, in, nil)
}

// SendAll puts messages into a queue, ten at a time.
func (s *SQS) SendAll(t testing.TB, queue string, bodies ...string) {
	t.Helper()
	for ten := range slices.Chunk(bodies, 10) {
		var entries []map[string]any
		for i, body := range ten {
			entries = append(entries, map[string]any{"Id": strconv.Itoa(i), "MessageBody": body})
		}
		var out struct{ Failed []any }
		s.Call(t, "SendMessageBatch", queue, map[string]any{"Entries": entries}, &out)
		if len(out.Failed) > 0 {
			t.Fatalf("messages were refused: %v", out.Failed)
		}
	}
}

// Count gives how many messages a queue has, in whatever state.
func (s *SQS) Count(t testing.TB, queue string) int {
	t.Helper()
	var out struct{ Attributes map[string]string }
	s.Call(t, "GetQueueAttributes", queue, map[string]any{"AttributeNames": []string{"All"}}, &out)
	sum := 0
	for _, state := range []string{"", "NotVisible", "Delayed"} {
		n, err := strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"+state])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// SQSMessage is a message as the server gives it.
type SQSMessage struct {
	MessageID         string `json:"MessageId"`
	ReceiptHandle     string
	Body              string
	Attributes        map[string]string
	MessageAttributes map[string]struct{ DataType, StringValue, BinaryValue string }
}

// Peek gives the messages of a queue that can be had, and leaves them there.
func (s *SQS) Peek(t testing.TB, queue string) []SQSMessage {
	t.Helper()
	var out struct{ Messages []SQSMessage }
	s.Call(t, "ReceiveMessage", queue, map[string]any{"MaxNumberOfMessages": 10, "VisibilityTimeout": 0,
		"AttributeNames": []string{"All"}, "MessageAttributeNames": []string{"All"}}, &out)
	return out.Messages
}

// Call calls one of the server's actions, which must succeed; the queue may be "".
func (s *SQS) Call(t testing.TB, action, queue string, in map[string]any, out any) {
	t.Helper()
	if queue != "" {
		in = maps.Clone(in)
		in["QueueUrl"] = s.queue(queue)
	}
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+s.Address+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	hash := sha256.Sum256(body)
	by := aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}
	if err := v4.NewSigner().SignHTTP(context.Background(), by, req, hex.EncodeToString(hash[:]), "sqs", region, time.Now()); err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s", action, res.Status, answer.String())
	}
	if out != nil {
		if err := json.Unmarshal(answer.Bytes(), out); err != nil {
			t.Fatal(err)
		}
	}
}
