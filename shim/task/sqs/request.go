package sqs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// server is whose answers these are.
const server = "SQS"

// contentType is the protocol's (AWS JSON 1.0, of which SQS's actions are part).
const contentType = "application/x-amz-json-1.0"

// maxAnswer bounds an answer, in bytes: a message of 1 MiB, of which JSON may make six
// times as many.
const maxAnswer = 8 << 20

// receipt names a message that is held.
type receipt struct {
	Queue  string `json:"QueueUrl"`
	Handle string `json:"ReceiptHandle"`
}

// visibility hides a message for so many seconds.
type visibility struct {
	receipt
	Seconds int `json:"VisibilityTimeout"`
}

// call asks for one action. The answer goes into out, where there is one; an answer
// of success that isn't SQS's is an error.
func (s *source) call(ctx context.Context, action string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return invalid(err, "")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return invalid(err, "")
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	sum := sha256.Sum256(body)
	if err := s.identity.Sign(ctx, s.signer, req, hex.EncodeToString(sum[:]), "sqs", s.region); err != nil {
		return err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return web.Unreachable(ctx, err)
	}
	answer, err := web.Body(ctx, res, server, maxAnswer)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return s.refused(action, res, hide(answer, req.Header))
	}
	if out == nil {
		if len(answer) == 0 {
			return nil
		}
		out = &struct{}{}
	}
	if json.Unmarshal(answer, out) != nil {
		return web.Foreign(server, "no JSON came")
	}
	return nil
}

// hide takes what must not be shown out of a refusal, which may repeat the request.
func hide(answer []byte, sent http.Header) []byte {
	for _, name := range []string{"X-Amz-Security-Token", "Authorization"} {
		if secret := sent.Get(name); secret != "" {
			answer = bytes.ReplaceAll(answer, []byte(secret), []byte("…"))
		}
	}
	return answer
}

func invalid(cause error, hint string) error {
	return &contract.Error{Kind: contract.Invalid, Cause: cause, Hint: hint}
}
