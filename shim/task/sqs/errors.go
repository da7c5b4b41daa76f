package sqs

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/shim/task"
)

// meaning is what one of SQS's error codes means.
type meaning struct {
	kind contract.Kind
	hint string
}

const (
	hintQueue  = "create the queue, or correct its account, name, region= or endpoint="
	hintKeys   = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and region="
	hintAccess = "grant sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on the queue, with dead= also sqs:SendMessage and sqs:GetQueueAttributes there, and for an encrypted queue kms:Decrypt"
	hintToken  = "the session token has expired: get a new one; credentials that nth gets by itself are renewed"
	hintClock  = "this machine's clock differs from the server's by more than 15 minutes"
	hintCannot = "this server can't do what was asked"
)

// meanings are of the errors of SQS's actions and of AWS's common ones (API reference,
// "Common errors"), by their names in JSON without "Exception", and by the older ones
// that the header x-amzn-query-error keeps and other servers give. What isn't here is
// taken by its status.
func meanings() map[string]meaning {
	return map[string]meaning{
		"QueueDoesNotExist":    {contract.NoSuch, hintQueue},
		"NonExistentQueue":     {contract.NoSuch, hintQueue},
		"QueueDeletedRecently": {contract.NoSuch, hintQueue},
		"InvalidAddress":       {contract.NoSuch, hintQueue},

		"AccessDenied":               {contract.Denied, hintAccess},
		"NotAuthorized":              {contract.Denied, hintAccess},
		"KmsAccessDenied":            {contract.Denied, hintAccess},
		"OptInRequired":              {contract.Denied, ""},
		"InvalidClientTokenId":       {contract.Denied, hintKeys},
		"UnrecognizedClient":         {contract.Denied, hintKeys},
		"SignatureDoesNotMatch":      {contract.Denied, hintKeys},
		"InvalidSignature":           {contract.Denied, hintKeys},
		"IncompleteSignature":        {contract.Denied, hintKeys},
		"MissingAuthenticationToken": {contract.Denied, hintKeys},
		"InvalidSecurity":            {contract.Denied, hintKeys},
		"AuthFailure":                {contract.Denied, hintKeys}, // moto
		"ExpiredToken":               {contract.Denied, hintToken},
		"RequestExpired":             {contract.Denied, hintClock},

		"RequestThrottled":   {contract.Unreachable, ""},
		"Throttling":         {contract.Unreachable, ""},
		"ThrottledRequest":   {contract.Unreachable, ""},
		"KmsThrottled":       {contract.Unreachable, ""},
		"OverLimit":          {contract.Unreachable, "too many messages of the queue are in flight"},
		"ServiceUnavailable": {contract.Unreachable, ""},
		"InternalFailure":    {contract.Unreachable, ""},

		"InvalidMessageContents": {contract.Refused, ""},
		"UnsupportedOperation":   {contract.Unsupported, hintCannot},
		"UnknownOperation":       {contract.Unsupported, hintCannot},
		"InvalidAction":          {contract.Unsupported, hintCannot},
		"InvalidParameterValue":  {contract.Refused, ""},
		"InvalidAttributeName":   {contract.Unsupported, hintCannot},
		"InvalidAttributeValue":  {contract.Refused, ""},
		"MissingParameter":       {contract.Refused, ""},

		"MissingRequiredParameter": {contract.Refused, ""},
	}
}

// refused gives an answer that isn't a success its meaning.
func (s *source) refused(action string, res *http.Response, body []byte) error {
	var e struct {
		Type    string `json:"__type"`
		Message string
	}
	_ = json.Unmarshal(body, &e) // what is no JSON has no code
	status, code := res.StatusCode, bare(cmp.Or(e.Type, res.Header.Get("X-Amzn-Errortype"), res.Header.Get("X-Amzn-Query-Error")))
	refusal := errors.New(web.Refusal(status, code, e.Message))
	if status/100 == 4 && isLost(action, code, e.Message) {
		return task.Lost(web.Refusal(status, code, ""))
	}
	m, known := meanings()[code]
	switch {
	case status == http.StatusTooManyRequests || status/100 == 5:
		m = meaning{contract.Unreachable, m.hint}
	case !known && (status == http.StatusForbidden || status == http.StatusUnauthorized):
		m = meaning{contract.Denied, hintAccess}
	case !known:
		m = meaning{contract.Unreachable, web.HintServer}
	}
	if strings.HasPrefix(e.Message, "Signature expired") || strings.HasPrefix(e.Message, "Signature not yet current") {
		m.hint = hintClock
	}
	if m.kind == contract.Denied {
		s.identity.Drop() // the next try gets new ones, where there are any
	}
	return &contract.Error{Kind: m.kind, Cause: refusal, Hint: m.hint}
}

// bare gives an error's name without its namespace and ending:
// com.amazonaws.sqs#QueueDoesNotExist, AWS.SimpleQueueService.NonExistentQueue,
// com.amazon.coral.service#AccessDeniedException.
func bare(code string) string {
	if i := strings.IndexAny(code, ":;"); i >= 0 {
		code = code[:i]
	}
	if i := strings.LastIndexAny(code, "#."); i >= 0 {
		code = code[i+1:]
	}
	return strings.TrimSuffix(code, "Exception")
}

// isLost: the receipt handle is no good any more. That of a FIFO queue is refused as a
// parameter's value, and so is one on a standard queue whose message is visible again
// ("Message does not exist or is not available for visibility timeout change").
func isLost(action, code, message string) bool {
	if action != "DeleteMessage" && action != "ChangeMessageVisibility" {
		return false
	}
	switch code {
	case "ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidIdFormat":
		return true
	case "InvalidParameterValue":
		return strings.Contains(message, "ReceiptHandle") || strings.Contains(message, "beyond the limit")
	}
	return false
}
