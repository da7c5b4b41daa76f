package sqs

import (
	"context"
	"strconv"
	"time"

	"nth/shim/store/web"
)

// settle is how long a queue must have been seen empty. SQS counts roughly, and comes
// to the true number some time after the last change ("at least 1 minute", API
// reference, GetQueueAttributes).
const settle = 3 * time.Minute

// counts are of the messages that can be had, are held, and are delayed.
var counts = []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"}

// Unfinished tells whether there is any task at all, in whatever state: SQS doesn't
// know who was the last to take it, so each worker stays until all are done, and
// for a while after.
func (s *source) Unfinished(ctx context.Context) (bool, error) {
	answer, err := s.attributes(ctx, s.queue, counts...)
	if err != nil {
		return false, err
	}
	for _, name := range counts {
		n, err := strconv.Atoi(answer[name])
		if err != nil {
			return false, web.Foreign(server, "it has no "+name)
		}
		if n > 0 {
			s.quiet.broken()
			return true, nil
		}
	}
	return !s.quiet.holds(s.now()), nil
}

// quiet is how long a queue has been seen empty.
type quiet struct {
	least time.Duration
	since time.Time
}

func (q *quiet) broken() { q.since = time.Time{} }

// holds says that the queue is empty now, and tells whether it was so for long enough.
func (q *quiet) holds(now time.Time) bool {
	if q.since.IsZero() {
		q.since = now
	}
	return now.Sub(q.since) >= q.least
}
